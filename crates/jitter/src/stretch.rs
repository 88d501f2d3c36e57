//! Finding where speech repeats itself, so that a period can be taken out or put in unheard (WSOLA).

/// Result of a search: a lag and how alike the signal is to itself at that lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Match {
    /// In samples.
    pub(crate) lag: usize,
    /// Normalised cross-correlation, -1..=1.
    pub(crate) likeness: f32,
}

/// Which way to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ahead,
    Back,
}

/// Lags tried in the coarse search, at most: 12.5 ms in steps of an eightieth of the window.
const CANDIDATES: usize = 128;
/// Nearly as alike is as good, and a longer lag does more.
const SLACK: f32 = 0.03;

/// The lag in `min..=max` at which `signal[at..at + window]` is most like the signal that many samples ahead or back. `None`
/// when the signal does not reach that far.
pub(crate) fn search(
    signal: &[f32],
    at: usize,
    window: usize,
    (min, max): (usize, usize),
    direction: Direction,
) -> Option<Match> {
    if window == 0 || min == 0 || min > max || at + window > signal.len() {
        return None;
    }
    let max = match direction {
        Direction::Ahead => max.min(signal.len() - at - window),
        Direction::Back => max.min(at),
    };
    if min > max {
        return None;
    }
    let step = (window / 80).max(1);
    let mut curve = [-2.0_f32; CANDIDATES + 2];
    let mut best = -2.0_f32;
    for (slot, lag) in curve[1..=CANDIDATES].iter_mut().zip((min..=max).step_by(step)) {
        *slot = likeness(signal, at, window, lag, direction, step);
        best = best.max(*slot);
    }
    // The last peak that is as good as the best one.
    let peak = curve
        .windows(3)
        .rposition(|near| near[1] >= near[0] && near[1] >= near[2] && near[1] >= best - SLACK)?;
    let coarse = min + peak * step;
    let mut best = Match {
        lag: coarse,
        likeness: -2.0,
    };
    for lag in (coarse + 1).saturating_sub(step).max(min)..=(coarse + step - 1).min(max) {
        let likeness = likeness(signal, at, window, lag, direction, step.div_ceil(3));
        if likeness > best.likeness {
            best = Match { lag, likeness };
        }
    }
    Some(best)
}

/// Normalised cross-correlation over every `step`th sample.
fn likeness(signal: &[f32], at: usize, window: usize, lag: usize, direction: Direction, step: usize) -> f32 {
    let other = match direction {
        Direction::Ahead => at + lag,
        Direction::Back => at - lag,
    };
    let (mut xy, mut xx, mut yy) = (0.0_f32, 1e-9_f32, 1e-9_f32);
    let pairs = signal[at..at + window]
        .iter()
        .step_by(step)
        .zip(signal[other..other + window].iter().step_by(step));
    for (&x, &y) in pairs {
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    xy / (xx * yy).sqrt()
}

/// Fades from what `out` holds to `into`, over the shorter of both.
pub(crate) fn cross_fade(out: &mut [f32], into: impl ExactSizeIterator<Item = f32>) {
    let length = out.len().min(into.len()) as f32;
    for (n, (out, into)) in out.iter_mut().zip(into).enumerate() {
        let share = (n as f32 + 0.5) / length;
        *out += (into - *out) * share;
    }
}

#[cfg(test)]
mod tests;
