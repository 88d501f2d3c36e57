//! Devices through cpal. No other module names it: its next release changes names that we use.
//!
//! On Linux the order is PulseAudio (which PipeWire serves too; spoken natively, without libpulse), then ALSA. Streams are
//! opened with a fixed block of about 10 ms, a power of two: cpal's default sizes can mean seconds on PulseAudio and on
//! PipeWire's ALSA plugin, and sizes that are no power of two make xruns on PipeWire.

use std::fmt;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, ErrorKind, SampleFormat, SizedSample, StreamConfig, SupportedBufferSize, SupportedStreamConfigRange,
};

use crate::SAMPLE_RATE;
use crate::device::DeviceInfo;
use crate::error::{AudioError, DeviceProblem, Direction};
use crate::rt::{CaptureSide, DeviceSample, PlayoutSide, capture_callback, playout_callback};

/// How long a device may take to open.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a device says about its latency is believed up to here.
const LATENCY: Duration = Duration::from_secs(1);

/// A running stream; dropping it ends it.
pub(crate) struct Stream {
    _inner: cpal::Stream,
    period: usize,
}

impl Stream {
    /// Frames that the device moves at a time, as far as it tells.
    pub(crate) fn period(&self) -> usize {
        self.period
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("period", &self.period)
            .finish_non_exhaustive()
    }
}

/// See [`crate::devices`].
pub(crate) fn devices() -> Result<Vec<DeviceInfo>, AudioError> {
    let host = cpal::default_host();
    let id = |device: &cpal::Device| device.id().map(|id| id.to_string()).ok();
    let default_input = host.default_input_device().as_ref().and_then(id);
    let default_output = host.default_output_device().as_ref().and_then(id);
    let mut found: Vec<DeviceInfo> = Vec::new();
    for device in host.devices().map_err(|error| problem("audio system", &error))? {
        // A device that vanishes while it is looked at is left out.
        let (Some(id), Ok(description)) = (id(&device), device.description()) else {
            continue;
        };
        found.push(DeviceInfo {
            name: description.name().to_owned(),
            input: device.supports_input(),
            output: device.supports_output(),
            default_input: default_input.as_ref() == Some(&id),
            default_output: default_output.as_ref() == Some(&id),
            id,
        });
    }
    Ok(found)
}

/// Opens a device for capturing; `sides` makes both sides for a rate.
pub(crate) fn open_capture<S>(
    wanted: Option<&str>,
    sides: impl Fn(u32, Instant) -> Option<(CaptureSide, S)>,
) -> Result<(Stream, S), AudioError> {
    let device = find(wanted, Direction::Input)?;
    let name = name(&device);
    let ranges = device
        .supported_input_configs()
        .map_err(|error| problem(&name, &error))?;
    open(&name, ranges, |config, format| {
        let (side, mine) = sides(config.sample_rate, Instant::now()).ok_or(ErrorKind::UnsupportedConfig)?;
        let stream = match format {
            SampleFormat::F32 => capture::<f32>(&device, config, side),
            SampleFormat::I16 => capture::<i16>(&device, config, side),
            _ => capture::<i32>(&device, config, side),
        };
        Ok((stream?, mine))
    })
}

/// Opens a device for playing; `sides` makes both sides for a rate.
pub(crate) fn open_playout<S>(
    wanted: Option<&str>,
    sides: impl Fn(u32, Instant) -> Option<(PlayoutSide, S)>,
) -> Result<(Stream, S), AudioError> {
    let device = find(wanted, Direction::Output)?;
    let name = name(&device);
    let ranges = device
        .supported_output_configs()
        .map_err(|error| problem(&name, &error))?;
    open(&name, ranges, |config, format| {
        let (side, mine) = sides(config.sample_rate, Instant::now()).ok_or(ErrorKind::UnsupportedConfig)?;
        let stream = match format {
            SampleFormat::F32 => playout::<f32>(&device, config, side),
            SampleFormat::I16 => playout::<i16>(&device, config, side),
            _ => playout::<i32>(&device, config, side),
        };
        Ok((stream?, mine))
    })
}

/// Opens with the best configuration: at first with a fixed block, and with the device's own if it will not have that.
fn open<S>(
    name: &str,
    ranges: impl Iterator<Item = SupportedStreamConfigRange>,
    build: impl Fn(StreamConfig, SampleFormat) -> Result<(cpal::Stream, S), cpal::Error>,
) -> Result<(Stream, S), AudioError> {
    let (mut config, format) = choose(ranges).ok_or_else(|| AudioError::Device {
        device: name.into(),
        problem: DeviceProblem::UnsupportedFormat,
        message: "it has neither float, 16-bit nor 32-bit samples".into(),
    })?;
    let (inner, mine) = build(config, format)
        .or_else(|_| {
            config.buffer_size = BufferSize::Default;
            build(config, format)
        })
        .map_err(|error| problem(name, &error))?;
    inner.play().map_err(|error| problem(name, &error))?;
    let asked = block(config.sample_rate);
    let period = inner.buffer_size().unwrap_or(asked);
    tracing::debug!(rate = config.sample_rate, channels = config.channels, %format, period, "audio device open");
    Ok((
        Stream {
            _inner: inner,
            period: usize::try_from(period).unwrap_or(usize::MAX),
        },
        mine,
    ))
}

/// 48 kHz if possible, else the nearest rate; floats before integers; then the fewest channels.
fn choose(ranges: impl Iterator<Item = SupportedStreamConfigRange>) -> Option<(StreamConfig, SampleFormat)> {
    let rank = |format| {
        [SampleFormat::F32, SampleFormat::I16, SampleFormat::I32]
            .iter()
            .position(|f| *f == format)
    };
    let rate = |range: &SupportedStreamConfigRange| SAMPLE_RATE.clamp(range.min_sample_rate(), range.max_sample_rate());
    let usable = ranges.filter(|range| range.channels() > 0 && range.min_sample_rate() <= range.max_sample_rate());
    let ranked = usable.filter_map(|range| Some((rank(range.sample_format())?, range)));
    let (_, best) = ranked.min_by_key(|(rank, range)| (rate(range).abs_diff(SAMPLE_RATE), *rank, range.channels()))?;
    let sample_rate = rate(&best);
    let frames = match best.buffer_size() {
        SupportedBufferSize::Range { min, max } => block(sample_rate).clamp(*min, (*max).max(*min)),
        SupportedBufferSize::Unknown => block(sample_rate),
    };
    let config = StreamConfig {
        channels: best.channels(),
        sample_rate,
        buffer_size: BufferSize::Fixed(frames),
    };
    Some((config, best.sample_format()))
}

/// The block to ask for: the power of two just below 11 ms, 512 frames at 48 kHz.
fn block(rate: u32) -> u32 {
    (rate / 90).checked_ilog2().map_or(1, |power| 1 << power)
}

fn capture<T: SizedSample + DeviceSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut side: CaptureSide,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    let rate = f64::from(config.sample_rate);
    let errors = side.shared.clone();
    device.build_input_stream(
        config,
        move |block: &[T], info: &cpal::InputCallbackInfo| {
            let stamp = info.timestamp();
            let told = stamp.callback.duration_since(stamp.capture);
            // At least as old as the block is long, whatever the device says.
            #[expect(clippy::cast_precision_loss, reason = "a block is short")]
            let length = Duration::from_secs_f64((block.len() / channels.max(1)) as f64 / rate);
            let now = Instant::now();
            let captured = now.checked_sub(told.min(LATENCY).max(length)).unwrap_or(now);
            capture_callback(&mut side, block, channels, captured);
        },
        move |error| note(&errors, error.kind()),
        Some(PATIENCE),
    )
}

fn playout<T: SizedSample + DeviceSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut side: PlayoutSide,
) -> Result<cpal::Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    let errors = side.shared.clone();
    device.build_output_stream(
        config,
        move |block: &mut [T], info: &cpal::OutputCallbackInfo| {
            let stamp = info.timestamp();
            let told = stamp.playback.duration_since(stamp.callback);
            playout_callback(&mut side, block, channels, Instant::now() + told.min(LATENCY));
        },
        move |error| note(&errors, error.kind()),
        Some(PATIENCE),
    )
}

/// May be called on the device thread.
fn note(shared: &crate::rt::Shared, kind: ErrorKind) {
    match kind {
        ErrorKind::Xrun => shared.note_xrun(),
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated | ErrorKind::HostUnavailable => shared.note_lost(),
        // Refused priorities and changed routes: the stream goes on.
        _ => {}
    }
}

fn find(wanted: Option<&str>, direction: Direction) -> Result<cpal::Device, AudioError> {
    let host = cpal::default_host();
    let Some(wanted) = wanted else {
        let device = match direction {
            Direction::Input => host.default_input_device(),
            Direction::Output => host.default_output_device(),
        };
        return device.ok_or(AudioError::NoDevice(direction));
    };
    let mut devices: Vec<cpal::Device> = host
        .devices()
        .map_err(|error| problem("audio system", &error))?
        .filter(|device| match direction {
            Direction::Input => device.supports_input(),
            Direction::Output => device.supports_output(),
        })
        .collect();
    let by_id = devices.iter().position(|device| {
        device
            .id()
            .is_ok_and(|id| id.to_string() == wanted || id.id() == wanted)
    });
    let named = |device: &cpal::Device| {
        device
            .description()
            .is_ok_and(|description| description.name() == wanted)
    };
    match by_id.or_else(|| devices.iter().position(named)) {
        Some(index) => Ok(devices.swap_remove(index)),
        None => Err(AudioError::UnknownDevice {
            direction,
            wanted: wanted.into(),
        }),
    }
}

fn name(device: &cpal::Device) -> String {
    device.id().map_or_else(|_| "device".into(), |id| id.to_string())
}

fn problem(device: &str, error: &cpal::Error) -> AudioError {
    let problem = match error.kind() {
        ErrorKind::DeviceBusy => DeviceProblem::Busy,
        ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated => DeviceProblem::Lost,
        ErrorKind::PermissionDenied => DeviceProblem::PermissionDenied,
        ErrorKind::HostUnavailable => DeviceProblem::NoAudioSystem,
        ErrorKind::UnsupportedConfig | ErrorKind::UnsupportedOperation => DeviceProblem::UnsupportedFormat,
        ErrorKind::ResourceExhausted => DeviceProblem::ResourceExhausted,
        _ => DeviceProblem::Unclassified,
    };
    AudioError::Device {
        device: device.into(),
        problem,
        message: error.to_string(),
    }
}
