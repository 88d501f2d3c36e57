//! What `--input` and `--output` mean, and the list of devices.

use std::path::Path;

use anyhow::{Context, bail};
use duologue_call::audio::{Playout, Silence, Source, ToneSource, WavSink, WavSource, devices};
use duologue_call::{AudioInput, AudioOutput};

/// The tone of `--input tone`: 440 Hz, well below full scale.
const TONE: (f32, f32) = (440.0, 0.2);

/// The source that `--input` names.
pub(crate) fn input(text: &str) -> anyhow::Result<AudioInput> {
    Ok(match text.split_once(':') {
        Some(("mic", device)) => AudioInput::Device(Some(device.into())),
        _ => match text {
            "mic" => AudioInput::Device(None),
            "tone" => AudioInput::Source(Box::new(ToneSource::new(TONE.0, TONE.1))),
            "silence" => AudioInput::Source(Box::new(Silence)),
            path => {
                let source = WavSource::open(Path::new(path), false).with_context(|| {
                    format!("--input {path}: not mic, mic:DEVICE, tone or silence, and not a readable WAV file")
                })?;
                AudioInput::Source(Box::new(source))
            }
        },
    })
}

/// The sink that `--output` names.
pub(crate) fn output(text: &str) -> anyhow::Result<AudioOutput> {
    Ok(match text.split_once(':') {
        Some(("speaker", device)) => AudioOutput::Device(Some(device.into())),
        _ => match text {
            "speaker" => AudioOutput::Device(None),
            "null" => AudioOutput::Sink(Box::new(duologue_call::audio::NullSink)),
            path if Path::new(path)
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("wav")) =>
            {
                let sink =
                    WavSink::create(Path::new(path)).with_context(|| format!("--output {path}: cannot be written"))?;
                AudioOutput::Sink(Box::new(sink))
            }
            other => bail!("--output {other}: give speaker, speaker:DEVICE, null or a file that ends in .wav"),
        },
    })
}

/// Prints the devices of this machine.
pub(crate) fn list() -> anyhow::Result<()> {
    let found = devices().context("the audio system does not answer")?;
    if found.is_empty() {
        println!("No audio devices. Calls still work with --input FILE.wav|tone|silence and --output FILE.wav|null.");
    }
    for device in found {
        let mark = |able: bool, default: bool, word: &str| match (able, default) {
            (true, true) => format!("{word} (default)"),
            (true, false) => word.to_owned(),
            _ => String::new(),
        };
        println!(
            "{:<16} {:<18} {}  [{}]",
            mark(device.input, device.default_input, "mic"),
            mark(device.output, device.default_output, "speaker"),
            device.name,
            device.id
        );
    }
    Ok(())
}

/// Plays a WAV file on the default speaker and returns when all of it has been handed to the device.
pub(crate) fn play(path: &Path) -> anyhow::Result<()> {
    let mut source = WavSource::open(path, false)?;
    let mut playout = Playout::open(None).context("this machine has no speaker to play on")?;
    let mut block = [0.0; 480];
    loop {
        let count = source.read(&mut block);
        let mut rest = &block[..count];
        while !rest.is_empty() {
            rest = &rest[playout.write(rest)..];
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        if count < block.len() {
            return Ok(());
        }
    }
}
