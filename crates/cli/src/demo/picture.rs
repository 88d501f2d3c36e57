//! One picture of a call: what was said and heard at both ends on one time axis, and the delay below it.

use std::fmt::Write as _;

use super::analysis::Sound;

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 76.0;
const LANE: f64 = 84.0;
const CHART: f64 = 230.0;
const GAP: f64 = 46.0;

/// A recording on the common time axis.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) label: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) sound: &'a Sound,
    /// When its first sample was captured or played, in seconds on the axis.
    pub(crate) begin: f64,
}

/// Values over time, in (seconds on the axis, milliseconds).
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub(crate) label: &'a str,
    pub(crate) colour: &'a str,
    pub(crate) dashed: bool,
    pub(crate) points: Vec<(f64, f64)>,
}

/// What the picture shows.
#[derive(Debug)]
pub(crate) struct Picture<'a> {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) lanes: Vec<Lane<'a>>,
    pub(crate) series: Vec<Series<'a>>,
    /// Moments worth a line: (seconds on the axis, what happened).
    pub(crate) moments: Vec<(f64, String)>,
    /// Length of the axis in seconds.
    pub(crate) seconds: f64,
}

impl Picture<'_> {
    /// The picture as an SVG document.
    pub(crate) fn to_svg(&self) -> String {
        let chart_top = TOP + LANE * self.lanes.len() as f64 + GAP;
        let height = chart_top + CHART + 88.0;
        let mut svg = String::with_capacity(256 * 1024);
        // Writing to a String cannot fail, so the results of `write!` carry nothing here.
        let _ = writeln!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="20" y="30" font-size="20" font-weight="bold" fill="#1b1f24">{}</text>
<text x="20" y="52" fill="#57606a">{}</text>"##,
            escaped(&self.title),
            escaped(&self.subtitle)
        );
        for (index, lane) in self.lanes.iter().enumerate() {
            self.lane(&mut svg, lane, TOP + LANE * index as f64);
        }
        self.moments(&mut svg, chart_top);
        self.chart(&mut svg, chart_top);
        svg.push_str("</svg>\n");
        svg
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds.max(0.1)
    }

    fn lane(&self, svg: &mut String, lane: &Lane<'_>, top: f64) {
        let middle = top + LANE / 2.0;
        let _ = writeln!(
            svg,
            r##"<text x="20" y="{:.1}" fill="{}" font-weight="bold">{}</text><line x1="{LEFT}" x2="{}" y1="{middle}" y2="{middle}" stroke="#d0d7de"/>"##,
            middle + 4.0,
            lane.colour,
            escaped(lane.label),
            WIDTH - RIGHT
        );
        let columns = (WIDTH - LEFT - RIGHT) as usize;
        let per_column = self.seconds / columns as f64;
        let rate = f64::from(lane.sound.rate);
        let peak = lane
            .sound
            .samples
            .iter()
            .fold(0.05_f32, |peak, sample| peak.max(sample.abs()));
        let mut path = String::new();
        for column in 0..columns {
            let from = (column as f64 * per_column - lane.begin) * rate;
            let to = from + per_column * rate;
            if to <= 0.0 || from >= lane.sound.samples.len() as f64 {
                continue;
            }
            let slice = &lane.sound.samples[from.max(0.0) as usize..(to as usize).min(lane.sound.samples.len())];
            let loudest = slice.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs())) / peak;
            let half = f64::from(loudest) * (LANE / 2.0 - 5.0);
            let x = LEFT + column as f64;
            if half > 0.3 {
                let _ = write!(path, "M{x:.0} {:.1}V{:.1}", middle - half, middle + half);
            }
        }
        let _ = writeln!(
            svg,
            r#"<path d="{path}" stroke="{}" stroke-width="1" fill="none"/>"#,
            lane.colour
        );
    }

    fn moments(&self, svg: &mut String, bottom: f64) {
        let mut last = f64::MIN;
        let mut row = 0;
        for (at, label) in &self.moments {
            let x = self.x(*at);
            row = if x - last < 130.0 { (row + 1) % 3 } else { 0 };
            last = x;
            let _ = writeln!(
                svg,
                r##"<line x1="{x:.1}" x2="{x:.1}" y1="{TOP}" y2="{:.1}" stroke="#8c959f" stroke-dasharray="3 3"/><text x="{:.1}" y="{:.1}" font-size="11" fill="#57606a">{}</text>"##,
                bottom - GAP + 4.0 + 13.0 * f64::from(row),
                x + 3.0,
                bottom - GAP + 14.0 + 13.0 * f64::from(row),
                escaped(label)
            );
        }
    }

    fn chart(&self, svg: &mut String, top: f64) {
        let highest = self
            .series
            .iter()
            .flat_map(|series| &series.points)
            .map(|point| point.1)
            .fold(50.0_f64, f64::max);
        let step = [10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
            .into_iter()
            .find(|step| highest / step <= 6.0)
            .unwrap_or(1000.0);
        let top_value = (highest / step).ceil() * step;
        let y = |value: f64| top + CHART - CHART * value / top_value;
        let mut value = 0.0;
        while value <= top_value {
            let _ = writeln!(
                svg,
                r##"<line x1="{LEFT}" x2="{}" y1="{:.1}" y2="{:.1}" stroke="#eaeef2"/><text x="{}" y="{:.1}" text-anchor="end" fill="#57606a">{value} ms</text>"##,
                WIDTH - RIGHT,
                y(value),
                y(value),
                LEFT - 8.0,
                y(value) + 4.0
            );
            value += step;
        }
        for second in 0..=self.seconds as usize {
            let _ = writeln!(
                svg,
                r##"<text x="{:.1}" y="{:.1}" text-anchor="middle" font-size="11" fill="#57606a">{second} s</text>"##,
                self.x(second as f64),
                top + CHART + 18.0
            );
        }
        let _ = writeln!(
            svg,
            r##"<text x="20" y="{:.1}" fill="#1b1f24" font-weight="bold">delay</text>"##,
            top + 14.0
        );
        for (index, series) in self.series.iter().enumerate() {
            let points: Vec<String> = series
                .points
                .iter()
                .map(|(at, value)| format!("{:.1},{:.1}", self.x(*at), y(*value)))
                .collect();
            let dash = if series.dashed {
                r#" stroke-dasharray="6 4""#
            } else {
                ""
            };
            let (column, row) = (index % 3, index / 3);
            let (legend_x, legend_y) = (LEFT + 350.0 * column as f64, top + CHART + 44.0 + 20.0 * row as f64);
            let _ = writeln!(
                svg,
                r##"<polyline points="{}" fill="none" stroke="{}" stroke-width="2"{dash}/>
<line x1="{legend_x}" x2="{}" y1="{:.1}" y2="{:.1}" stroke="{}" stroke-width="2"{dash}/><text x="{}" y="{legend_y}" fill="#1b1f24">{}</text>"##,
                points.join(" "),
                series.colour,
                legend_x + 28.0,
                legend_y - 4.0,
                legend_y - 4.0,
                series.colour,
                legend_x + 34.0,
                escaped(series.label)
            );
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_well_formed_and_escapes_its_labels() {
        let sound = Sound {
            samples: (0..16_000).map(|n| (n as f32 * 0.05).sin()).collect(),
            rate: 16_000,
        };
        let picture = Picture {
            title: "a < b & c".into(),
            subtitle: String::new(),
            lanes: vec![Lane {
                label: "said",
                colour: "#123456",
                sound: &sound,
                begin: 0.5,
            }],
            series: vec![Series {
                label: "delay",
                colour: "#654321",
                dashed: true,
                points: vec![(0.5, 80.0), (1.5, 90.0)],
            }],
            moments: vec![(0.5, "connected".into())],
            seconds: 2.0,
        };
        let svg = picture.to_svg();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a &lt; b &amp; c") && !svg.contains("NaN"));
        let columns = svg.matches('V').count();
        // One second of sound on an axis of two covers half of the columns.
        assert!((500..=520).contains(&columns), "{columns} columns");
    }
}
