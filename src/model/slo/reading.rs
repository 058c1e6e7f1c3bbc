//! Measured values of SLOs from one source: error ratios over several lookbacks at one moment.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::duration;
use super::super::labels::{Labels, Text};
use super::definition::{EventSide, Slo};

/// All SLOs of one source at one moment.
#[derive(Debug, Clone, Default)]
pub struct SloSnapshot {
    /// The evaluation time of all queries, the same for every lookback.
    pub at: Timestamp,
    /// Each SLO once, ordered by id.
    pub readings: Vec<SloReading>,
}

/// The values of one SLO from one source.
#[derive(Debug, Clone)]
pub struct SloReading {
    pub slo: Arc<Slo>,
    /// Where the numbers come from.
    pub evaluation: Evaluation,
    /// Each group once, ordered by labels; one group without labels if the SLO is not split.
    pub groups: Vec<GroupReading>,
    /// Why there are no numbers, or only old ones: the error message of the server.
    pub failure: Option<Text>,
    /// A limitation of the numbers, or why one of them cannot be computed.
    pub remark: Option<Text>,
}

impl SloReading {
    /// The same SLO without any values.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let (slo, evaluation) = (Arc::clone(&self.slo), self.evaluation);
        Self { slo, evaluation, groups: Vec::new(), failure: None, remark: None }
    }
}

/// Where the numbers of an SLO come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluation {
    /// The series of recording rules.
    Recorded,
    /// The queries of the definition.
    Live,
}

/// For how much time there are data.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DataExtent {
    /// Time with data within the SLO's window.
    pub known: Duration,
    /// Whether `known` is only an upper bound: none of the sampled moments had data.
    pub at_most: bool,
    /// Lookbacks, ascending, each with the time that has data within it; empty if unknown.
    pub recent: Vec<(Duration, Duration)>,
}

impl DataExtent {
    /// The time with data within the last `lookback`; `None` if unknown.
    pub fn within(&self, lookback: Duration) -> Option<Duration> {
        let mut before = (Duration::ZERO, Duration::ZERO);
        for (reach, amount) in &self.recent {
            if *reach >= lookback {
                // within the range between two known lookbacks, the data are assumed to be the newest part
                let slice = lookback.saturating_sub(before.0);
                return Some(before.1 + amount.saturating_sub(before.1).min(slice));
            }
            before = (*reach, *amount);
        }
        None
    }
}

/// The values of one group of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReading {
    /// The values of the grouping labels.
    pub labels: Labels,
    /// Error ratios by lookback, ascending.
    pub recent: Vec<(Duration, MeasuredRatio)>,
    /// The error ratio over the SLO's window; for a calendar window since its start.
    pub window: MeasuredRatio,
    /// Whether `window` is a mean over time (a recorded mean of ratios) instead of a mean over events.
    pub is_time_weighted: bool,
    /// Time with data within the window, if it is known and shorter than the window.
    pub extent: Option<DataExtent>,
    /// The time of the newest sample, if it is known and so old that new data seem to have stopped.
    pub newest: Option<Timestamp>,
}

/// An error ratio over one lookback, or why there is none. Missing data and zero are different values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MeasuredRatio {
    /// Not queried, or not answered yet.
    Unknown,
    /// Bad / all, 0 to 1.
    Ratio {
        /// Bad / all, 0 to 1.
        error: f64,
        /// The number of events, if known: counted, or the rate times the lookback in seconds.
        events: Option<f64>,
    },
    /// No events: 0 / 0.
    NoTraffic,
    /// The query returned no series.
    Absent,
    /// The query returned something that is not an error ratio.
    Odd(InvalidRatio),
}

/// A query result that cannot be an error ratio.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum InvalidRatio {
    /// More than one series for a group.
    #[error("the query returned {0} series; add sum()")]
    Several(usize),
    #[error("the error ratio is {}, below zero{}: is `good` more than `total`?", three_digits(*.0), clamp_note(*self))]
    Negative(f64),
    #[error("the error ratio is {}, above one{}: is `bad` more than `total`, or `total` too narrow?", three_digits(*.0), clamp_note(*self))]
    AboveOne(f64),
    /// There are events, but the histogram has no bucket for the threshold; an existing bucket has a series from the first event
    /// on.
    #[error("no bucket of the histogram ends at the threshold; take a threshold that it has a bucket for")]
    NoBucket,
    /// NaN although there are events.
    #[error("the query returned NaN")]
    Nan,
    #[error("the query returned {}", infinity(*.0))]
    Infinite(f64),
}

/// Rounding errors of floating-point arithmetic.
const TOLERANCE: f64 = 1e-9;

/// How far an error ratio may be outside 0 to 1 and still count as 0 or 1; a message reports it.
///
/// Prometheus extrapolates each counter separately, so new counters, or a scrape in the middle of an event, distort their
/// difference: `rate(total) - rate(good)` of a service without failures can be slightly below zero.
const CLAMP_LIMIT: f64 = 0.01;

impl InvalidRatio {
    /// 0 or 1, if the value is within [`CLAMP_LIMIT`] of it.
    fn nearest_valid(self) -> Option<f64> {
        if matches!(self, Self::Negative(error) if error >= -CLAMP_LIMIT) {
            return Some(0.0);
        }
        matches!(self, Self::AboveOne(error) if error <= 1.0 + CLAMP_LIMIT).then_some(1.0)
    }

    /// The message, which for NaN and infinity names the lookback and the evaluation.
    pub fn message(self, over: Duration, evaluation: Evaluation) -> String {
        match self {
            Self::Nan => format!("{} is NaN", evaluation.ratio(over)),
            Self::Infinite(value) => format!("{} is {}", evaluation.ratio(over), infinity(value)),
            Self::Several(_) | Self::Negative(_) | Self::AboveOne(_) | Self::NoBucket => self.to_string(),
        }
    }
}

impl Evaluation {
    /// The name of the error ratio over a lookback: `the recorded 30d ratio`.
    pub fn ratio(self, over: Duration) -> String {
        let over = duration::text(over);
        match self {
            Self::Recorded => format!("the recorded {over} ratio"),
            Self::Live => format!("the {over} ratio"),
        }
    }
}

/// Infinity as Prometheus writes it.
fn infinity(value: f64) -> &'static str {
    if value < 0.0 { "-Inf" } else { "+Inf" }
}

/// A number with three significant digits.
fn three_digits(number: f64) -> String {
    let before = number.abs().max(1e-12).log10().floor().clamp(-12.0, 2.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 14")]
    let decimals = (2.0 - before) as usize;
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn clamp_note(odd: InvalidRatio) -> String {
    odd.nearest_valid().map_or_else(String::new, |ratio| format!(" and taken as {ratio}"))
}

impl MeasuredRatio {
    /// The ratio of two counts over the same lookback; NaN is a count that could not be computed.
    ///
    /// Source: SLO.md section 2, "Missing and zero are different things". If `total` has a value and `part` has none, there were
    /// no events of that side. `per_event` converts a rate into a number of events (the lookback in seconds), if the queries
    /// return rates.
    pub fn of_counts(side: EventSide, part: Option<f64>, total: Option<f64>, per_event: Option<f64>) -> Self {
        let Some(total) = total else { return Self::Absent };
        if total == 0.0 {
            return Self::NoTraffic;
        }
        let share = part.unwrap_or(0.0) / total;
        let error = match side {
            EventSide::Bad => share,
            EventSide::Good => 1.0 - share,
        };
        Self::checked(error, per_event.map(|factor| total * factor))
    }

    /// The ratio from a query for the error ratio. NaN means 0 / 0.
    pub fn of_ratio(error: Option<f64>) -> Self {
        match error {
            None => Self::Absent,
            Some(error) if error.is_nan() => Self::NoTraffic,
            Some(error) => Self::checked(error, None),
        }
    }

    fn checked(error: f64, events: Option<f64>) -> Self {
        match error {
            _ if error.is_nan() => Self::Odd(InvalidRatio::Nan),
            _ if error.is_infinite() => Self::Odd(InvalidRatio::Infinite(error)),
            _ if error < -TOLERANCE => Self::Odd(InvalidRatio::Negative(error)),
            _ if error > 1.0 + TOLERANCE => Self::Odd(InvalidRatio::AboveOne(error)),
            _ => Self::Ratio {
                error: error.clamp(0.0, 1.0),
                events: events.filter(|events| events.is_finite() && *events >= 0.0),
            },
        }
    }

    /// The error ratio, if the value is valid or within `CLAMP_LIMIT` of 0 or 1.
    pub fn error(self) -> Option<f64> {
        match self {
            Self::Ratio { error, .. } => Some(error),
            Self::Odd(odd) => odd.nearest_valid(),
            Self::Unknown | Self::NoTraffic | Self::Absent => None,
        }
    }

    /// Why the value is not an error ratio.
    pub fn odd(self) -> Option<InvalidRatio> {
        if let Self::Odd(odd) = self { Some(odd) } else { None }
    }

    /// The number of events, if known.
    pub fn events(self) -> Option<f64> {
        match self {
            Self::Ratio { events, .. } => events,
            Self::NoTraffic => Some(0.0),
            Self::Unknown | Self::Absent | Self::Odd(_) => None,
        }
    }
}

impl GroupReading {
    /// Replaces `NoTraffic` by an invalid NaN where a shorter lookback has events: a longer lookback contains the same events, so
    /// its NaN is not 0 / 0.
    #[must_use]
    pub fn mark_unexplained_nan(mut self) -> Self {
        let mut has_events = false;
        for measured in self.recent.iter_mut().map(|(_, measured)| measured).chain([&mut self.window]) {
            if has_events && *measured == MeasuredRatio::NoTraffic {
                *measured = MeasuredRatio::Odd(InvalidRatio::Nan);
            }
            has_events |= measured.error().is_some();
        }
        self
    }

    /// The value over exactly this lookback; `Unknown` if it was not queried.
    pub fn over(&self, lookback: Duration) -> MeasuredRatio {
        let found = self.recent.iter().find(|(known, _)| *known == lookback);
        found.map_or(MeasuredRatio::Unknown, |(_, measured)| *measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_zero_are_different_things() {
        let of = |part, total| MeasuredRatio::of_counts(EventSide::Bad, part, total, None);
        assert_eq!(of(None, Some(5.0)), MeasuredRatio::Ratio { error: 0.0, events: None });
        assert_eq!(of(Some(0.0), Some(0.0)), MeasuredRatio::NoTraffic);
        assert_eq!(of(Some(1.0), None), MeasuredRatio::Absent);
        assert_eq!(MeasuredRatio::of_ratio(Some(f64::NAN)), MeasuredRatio::NoTraffic);
        assert_eq!(MeasuredRatio::of_ratio(None), MeasuredRatio::Absent);
        let good = MeasuredRatio::of_counts(EventSide::Good, None, Some(5.0), Some(300.0));
        assert_eq!(good, MeasuredRatio::Ratio { error: 1.0, events: Some(1500.0) });
    }

    #[test]
    fn what_cannot_be_a_ratio_is_said_as_such() {
        let of = |part, total| MeasuredRatio::of_counts(EventSide::Bad, Some(part), Some(total), None);
        assert_eq!(of(2.0, 1.0), MeasuredRatio::Odd(InvalidRatio::AboveOne(2.0)));
        assert_eq!(of(-2.0, 1.0), MeasuredRatio::Odd(InvalidRatio::Negative(-2.0)));
        assert_eq!(of(f64::NAN, 1.0), MeasuredRatio::Odd(InvalidRatio::Nan));
        assert_eq!(
            MeasuredRatio::of_ratio(Some(f64::INFINITY)),
            MeasuredRatio::Odd(InvalidRatio::Infinite(f64::INFINITY))
        );
        let day = Duration::from_secs(86_400);
        assert_eq!(
            InvalidRatio::Infinite(f64::INFINITY).message(day, Evaluation::Recorded),
            "the recorded 1d ratio is +Inf"
        );
        assert_eq!(InvalidRatio::Nan.message(day, Evaluation::Live), "the 1d ratio is NaN");
        assert_eq!(of(-1e-12, 1.0).error(), Some(0.0));
        assert_eq!(
            InvalidRatio::Negative(-2.0).to_string(),
            "the error ratio is -2, below zero: is `good` more than `total`?"
        );
        assert_eq!(of(-2.0, 1.0).error(), None);
        assert_eq!(InvalidRatio::Several(3).to_string(), "the query returned 3 series; add sum()");
    }

    #[test]
    fn nan_is_no_traffic_unless_a_shorter_lookback_has_events() {
        let ratio = MeasuredRatio::Ratio { error: 0.1, events: None };
        let group = |recent: [MeasuredRatio; 3], window| GroupReading {
            labels: Labels::default(),
            recent: (1..).map(Duration::from_secs).zip(recent).collect(),
            window,
            is_time_weighted: false,
            extent: None,
            newest: None,
        };
        let reported = |recent, window| {
            let group = group(recent, window).mark_unexplained_nan();
            (group.recent.iter().map(|(_, measured)| *measured).collect::<Vec<_>>(), group.window)
        };
        let (idle, nan) = (MeasuredRatio::NoTraffic, MeasuredRatio::Odd(InvalidRatio::Nan));
        assert_eq!(reported([idle; 3], idle), (vec![idle; 3], idle));
        assert_eq!(reported([idle, ratio, ratio], ratio), (vec![idle, ratio, ratio], ratio));
        assert_eq!(reported([ratio, idle, ratio], idle), (vec![ratio, nan, ratio], nan));
    }

    #[test]
    fn data_are_known_for_so_much_of_a_lookback() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let recent =
            vec![(minutes(60), minutes(60)), (minutes(360), minutes(89)), (minutes(1440), minutes(89))];
        let extent = DataExtent { known: minutes(89), at_most: false, recent };
        for (lookback, known) in [(5, 5), (60, 60), (80, 80), (120, 89), (360, 89), (1440, 89)] {
            assert_eq!(extent.within(minutes(lookback)), Some(minutes(known)), "{lookback}");
        }
        assert_eq!(extent.within(minutes(2000)), None);
    }

    #[test]
    fn what_is_a_little_off_is_said_and_still_counts() {
        let young = MeasuredRatio::of_ratio(Some(-0.000_856_691_902_251_606_2));
        assert_eq!(young.error(), Some(0.0));
        let MeasuredRatio::Odd(odd) = young else { panic!("{young:?}") };
        assert_eq!(
            odd.to_string(),
            "the error ratio is -0.000857, below zero and taken as 0: is `good` more than `total`?"
        );
        assert_eq!(MeasuredRatio::of_ratio(Some(1.003)).error(), Some(1.0));
        assert_eq!(MeasuredRatio::of_ratio(Some(1.02)).error(), None);
        assert_eq!(three_digits(1234.56), "1235");
        assert_eq!(three_digits(-0.5), "-0.5");
    }
}
