//! PromQL for the error ratio of an SLO, over any lookback.

use std::time::Duration;

use super::super::duration;
use super::super::labels::Text;
use super::super::matcher::Operator;
use super::super::promql;
use super::definition::{BudgetingMethod, EventSide, Sli, Slo};
use super::selector::Selector;
use super::template::Template;

/// The queries for the error ratio over one lookback.
///
/// Each query returns one series for each group, with the labels of [`Slo::grouping`] only, or one series without labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RatioQuery {
    /// Two queries, which burnwatch divides, so that missing series and zero events can be distinguished.
    Counts { side: EventSide, part: String, total: String },
    /// One query for bad / all, 0 to 1.
    Ratio(String),
}

impl RatioQuery {
    /// One query for bad / all, for charts and for copying.
    ///
    /// If `total` has series and `part` has none, `part` counts as zero: many counters have no series before the first event.
    pub fn error_ratio(&self) -> String {
        match self {
            Self::Counts { side: EventSide::Bad, part, total } => {
                format!("(({part}) or 0 * ({total}))\n/\n({total})")
            }
            Self::Counts { side: EventSide::Good, part, total } => {
                format!("1 - (({part}) or 0 * ({total}))\n/\n({total})")
            }
            Self::Ratio(query) => query.clone(),
        }
    }

    /// One query for bad / all as rule generators write it: no result while `part` has no series.
    pub fn plain_ratio(&self) -> String {
        match self {
            Self::Counts { side: EventSide::Bad, part, total } => format!("({part})\n/\n({total})"),
            Self::Counts { side: EventSide::Good, part, total } => format!("1 - (({part})\n/\n({total}))"),
            Self::Ratio(query) => format!("({query})"),
        }
    }

    /// The texts of its queries, one or two.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        let (one, two) = match self {
            Self::Counts { part, total, .. } => (part, Some(total)),
            Self::Ratio(query) => (query, None),
        };
        std::iter::once(one).chain(two).map(String::as_str)
    }
}

/// The queries for the error ratio over `lookback`, from the definition and its budgeting method.
///
/// `None` if the definition has no SLI. Sources: the generators of Sloth and Pyrra for events, latency and gauges; the
/// Prometheus documentation of `histogram_fraction`; OpenSLO v1 for time slices.
pub fn measure(slo: &Slo, lookback: Duration) -> Option<RatioQuery> {
    let events = |over| Some(events(slo.sli.as_ref()?, &slo.grouping, LookbackText::Lookback(over)));
    let (slice, least) = match slo.budgeting {
        BudgetingMethod::Occurrences => return events(lookback),
        BudgetingMethod::Timeslices { slice, least } => (slice, Some(least)),
        BudgetingMethod::RatioTimeslices { slice } => (slice, None),
    };
    let ratio = events(slice)?.error_ratio();
    // a shorter lookback would contain no slice, or count one slice as more than one
    let lookback = lookback.max(slice);
    let (over, step) = (duration::text(lookback), duration::text(slice));
    let Some(least) = least else {
        return Some(RatioQuery::Ratio(format!("avg_over_time(({ratio})[{over}:{step}])")));
    };
    let slices = lookback.as_secs_f64() / slice.as_secs_f64().max(1.0);
    // 1 - 0.9 is 0.09999999999999998 in binary: without rounding, a slice exactly at its target would be bad
    let most = ((1.0 - least) * 1e12).round() / 1e12;
    Some(RatioQuery::Ratio(format!("sum_over_time((({ratio}) > bool {most})[{over}:{step}])\n/\n{slices}")))
}

/// The same queries with `{{.window}}` in place of the lookback, for writing them to a file; each event counts, whatever the
/// budgeting method.
pub fn open(slo: &Slo) -> Option<RatioQuery> {
    Some(events(slo.sli.as_ref()?, &slo.grouping, LookbackText::Open))
}

/// The text in place of the lookback: a duration, or the placeholder.
#[derive(Debug, Clone, Copy)]
enum LookbackText {
    Lookback(Duration),
    Open,
}

impl LookbackText {
    fn text(self) -> String {
        match self {
            Self::Lookback(lookback) => duration::text(lookback),
            Self::Open => "{{.window}}".to_owned(),
        }
    }

    fn fill(self, template: &Template) -> String {
        match self {
            Self::Lookback(lookback) => template.over(lookback),
            Self::Open => template.as_str().to_owned(),
        }
    }
}

/// The queries for good or bad events over a lookback, whatever the budgeting method.
fn events(sli: &Sli, grouping: &[Text], lookback: LookbackText) -> RatioQuery {
    let sum = CountQuery { by: promql::by(grouping), over: lookback.text() };
    match sli {
        Sli::Events { side, part, total } => {
            let counted = |query| over_time("sum_over_time", query, lookback);
            RatioQuery::Counts { side: *side, part: counted(part), total: counted(total) }
        }
        Sli::Ratio { error } => RatioQuery::Ratio(over_time("avg_over_time", error, lookback)),
        Sli::Counters { side, part, total } => {
            RatioQuery::Counts { side: *side, part: sum.rate(part), total: sum.rate(total) }
        }
        Sli::Latency { fast, total } => RatioQuery::Counts {
            side: EventSide::Good,
            part: sum.rate(&any_le_spelling(fast)),
            total: sum.rate(total),
        },
        Sli::NativeLatency { histogram, threshold } => {
            let histogram = sum.rate(histogram);
            RatioQuery::Counts {
                side: EventSide::Good,
                part: format!(
                    "histogram_fraction(0, {threshold}, {histogram}) * histogram_count({histogram})"
                ),
                total: format!("histogram_count({histogram})"),
            }
        }
        Sli::Gauge { metric } => RatioQuery::Counts {
            side: EventSide::Good,
            part: sum.of("sum_over_time", metric),
            total: sum.of("count_over_time", metric),
        },
        Sli::Apdex { bucket, satisfied, tolerated, total } => {
            let within =
                |le: &str| sum.rate(&any_le_spelling(&bucket.clone().with("le", Operator::Equal, le)));
            let part = match tolerated {
                Some(tolerated) => format!("({} + {}) / 2", within(satisfied), within(tolerated)),
                None => within(satisfied),
            };
            RatioQuery::Counts { side: EventSide::Good, part, total: sum.rate(total) }
        }
        Sli::Threshold { value, passes, bound } => {
            let (value, sign) = (lookback.fill(value), passes.sign());
            RatioQuery::Ratio(format!("1 - avg_over_time((({value}) {sign} bool {bound})[{}:1m])", sum.over))
        }
    }
}

/// Builds `sum by (group) (rate(...))`: counts events over a lookback, by group.
struct CountQuery {
    by: String,
    over: String,
}

impl CountQuery {
    fn rate(&self, selector: &Selector) -> String {
        self.of("rate", selector)
    }

    fn of(&self, function: &str, selector: &Selector) -> String {
        format!("sum{} ({function}({selector}[{}]))", self.by, self.over)
    }
}

/// A query without `{{.window}}` is an instant value: `function` combines its values over the lookback, minute by minute.
fn over_time(function: &str, template: &Template, lookback: LookbackText) -> String {
    let mut query = lookback.fill(template);
    // without the line break a comment at the end would swallow the text after it
    if query.contains('#') {
        query.push('\n');
    }
    if template.has_window() {
        return query;
    }
    format!("{function}(({query})[{}:1m])", lookback.text())
}

/// Matches both spellings of a whole `le`: some clients write `le="1"`, others `le="1.0"`.
pub fn any_le_spelling(bucket: &Selector) -> Selector {
    let bound = bucket.equal("le").and_then(|le| le.parse::<f64>().ok());
    match bound.filter(|bound| bound.is_finite() && bound.fract() == 0.0) {
        Some(bound) => bucket.without("le").with("le", Operator::Matches, &format!("{bound}|{bound}\\.0")),
        None => bucket.clone(),
    }
}

#[cfg(test)]
mod tests;
