//! The table that is printed and, when asked for, kept in `docs/benchmarks.md` with every sample.

use std::fmt::Write as _;

use crate::load::Sample;

/// One line: what was compared, what we promise, and what came out.
#[derive(Debug, Clone)]
pub struct Line {
    pub what: String,
    /// As it is promised, `≥ 4.0×`.
    pub promise: Promise,
    pub ours: String,
    pub peer: String,
    /// Of each pair of neighbouring runs; where a figure is promised, that figure in each run.
    pub ratios: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
pub enum Promise {
    AtLeast(f64),
    AtMost(f64),
    /// A figure by itself, with its unit.
    Within(f64, &'static str),
    /// Shown for orientation.
    None,
}

impl Promise {
    fn text(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("≥ {bound:.2}×"),
            Self::AtMost(bound) => format!("≤ {bound:.2}×"),
            Self::Within(bound, unit) => format!("≤ {bound:.0}{unit}"),
            Self::None => "–".to_owned(),
        }
    }

    fn unit(self) -> &'static str {
        if let Self::Within(_, unit) = self { unit } else { "×" }
    }

    pub fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(bound) => ratio >= bound,
            Self::AtMost(bound) | Self::Within(bound, _) => ratio <= bound,
            Self::None => true,
        }
    }
}

impl Line {
    pub fn ratio(&self) -> f64 {
        median(&self.ratios)
    }

    pub fn holds(&self) -> bool {
        self.promise.holds(self.ratio())
    }
}

pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.is_empty() {
        f64::NAN
    } else if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

/// A side's runs in words: the median rate and latency.
pub fn describe(samples: &[Sample]) -> String {
    let rate = median(&samples.iter().map(Sample::rate).collect::<Vec<_>>());
    let micros = |of: fn(&Sample) -> std::time::Duration| {
        median(&samples.iter().map(|sample| of(sample).as_secs_f64() * 1e6).collect::<Vec<_>>())
    };
    format!("{rate:.0}/s, median {:.0} µs, p99 {:.0} µs", micros(|s| s.median), micros(|s| s.p99))
}

pub fn table(lines: &[Line]) -> String {
    let mut text =
        String::from("| Compared | Promise | Measured | Runs | Holds | Ours | Peer |\n|---|---|---|---|---|---|---|\n");
    for line in lines {
        let holds = match line.promise {
            Promise::None => "",
            _ if line.holds() => "yes",
            _ => "NO",
        };
        let _infallible = writeln!(
            text,
            "| {} | {} | {:.2}{} | {} | {holds} | {} | {} |",
            line.what,
            line.promise.text(),
            line.ratio(),
            line.promise.unit(),
            line.ratios.len(),
            line.ours,
            line.peer
        );
    }
    text
}

/// The ratio of every pair, or the figure of every run, so that a reader sees the spread.
pub fn samples(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        let ratios: Vec<String> = line.ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        let _infallible = writeln!(text, "- {}: {}", line.what, ratios.join(", "));
    }
    text
}
