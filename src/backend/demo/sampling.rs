//! How the numbers of the simulation are read as series: parts of the requests, buckets, and at which times.

/// The scrape interval of targets and the evaluation interval of recording rules, in seconds.
pub(super) const SCRAPE: f64 = 5.0;
/// A rate over up to this many seconds is the simulated value at its end.
pub(super) const MOMENT: f64 = 60.0;
/// The number of samples for the mean of a request rate.
pub(super) const LOOKS: u32 = 6;
/// For ranges up to this many seconds of demo time, noise is sampled; longer ranges only contain the effects of the scenario.
pub(super) const SHORT: f64 = 600.0;

/// The upper bounds of the latency buckets as written; they include the thresholds of SLOs and rules.
pub(super) const BOUNDS: [&str; 17] = [
    "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "0.8", "1", "2.5",
    "5", "7.5", "10", "+Inf",
];

/// The upper bounds of the latency buckets in seconds, the last one infinite.
pub(super) fn bounds() -> impl Iterator<Item = f64> {
    BOUNDS.iter().map(|bound| bound.parse().unwrap_or(f64::INFINITY))
}

/// Which requests a counter counts, or what it sums up.
#[derive(Debug, Clone, Copy)]
pub(super) enum SeriesPart {
    All,
    Failed,
    Well,
    /// Requests that take at most this many seconds.
    Within(f64),
    /// The duration of the requests, in seconds.
    Seconds,
}

/// The status codes of requests that do not fail.
const WELL_CODES: [&str; 2] = ["200", "404"];
/// The status codes of requests that fail.
pub(super) const FAILED_CODES: [&str; 3] = ["500", "503", "504"];

impl SeriesPart {
    /// The status codes of the part; a single empty one if it is not divided by code.
    pub(super) fn codes(self) -> &'static [&'static str] {
        match self {
            Self::Well => &WELL_CODES,
            Self::Failed => &FAILED_CODES,
            Self::All | Self::Within(_) | Self::Seconds => &[""],
        }
    }
}

/// The times within a range at which noise is sampled.
pub(super) fn sample_times(from: f64, to: f64) -> impl Iterator<Item = f64> {
    let step = (to - from) / f64::from(LOOKS);
    (0..LOOKS).map(move |i| from + (f64::from(i) + 0.5) * step)
}

/// Time ranges merged where they overlap, sorted.
pub(super) fn merged(mut all: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut apart: Vec<(f64, f64)> = Vec::new();
    for (start, end) in all {
        match apart.last_mut() {
            Some(last) if start < last.1 => last.1 = last.1.max(end),
            _ => apart.push((start, end)),
        }
    }
    apart
}
