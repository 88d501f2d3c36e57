//! How loud samples are, for a meter.

/// The average level of `pcm` (samples in [-1, 1]) from 0 to 100: its effective value in dB, with -60 dB of full scale or
/// less as 0 and full scale as 100. An empty slice has the level 0; so have samples that are no numbers.
#[must_use]
pub fn level(pcm: &[f32]) -> u8 {
    if pcm.is_empty() {
        return 0;
    }
    #[expect(clippy::cast_precision_loss, reason = "a block's length is far below 2^53")]
    let mean = pcm.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / pcm.len() as f64;
    let decibels = 10.0 * mean.log10();
    let share = (1.0 + decibels / 60.0).clamp(0.0, 1.0) * 100.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 100, and a NaN becomes 0"
    )]
    let level = share.round() as u8;
    level
}
