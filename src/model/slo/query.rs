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
    let events = |over| Some(events(slo.sli.as_ref()?, &slo.grouping, &duration::text(over)));
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
    Some(events(slo.sli.as_ref()?, &slo.grouping, "{{.window}}"))
}

/// The queries for good or bad events, with this text as lookback, whatever the budgeting method.
fn events(sli: &Sli, grouping: &[Text], over: &str) -> RatioQuery {
    let by = promql::by(grouping);
    let sum = |function: &str, selector: &Selector| format!("sum{by} ({function}({selector}[{over}]))");
    let rate = |selector: &Selector| sum("rate", selector);
    match sli {
        Sli::Events { side, part, total } => {
            let counted = |query| over_time("sum_over_time", query, over);
            RatioQuery::Counts { side: *side, part: counted(part), total: counted(total) }
        }
        Sli::Ratio { error } => RatioQuery::Ratio(over_time("avg_over_time", error, over)),
        Sli::Counters { side, part, total } => {
            RatioQuery::Counts { side: *side, part: rate(part), total: rate(total) }
        }
        Sli::Latency { fast, total } => RatioQuery::Counts {
            side: EventSide::Good,
            part: rate(&any_le_spelling(fast)),
            total: rate(total),
        },
        Sli::NativeLatency { histogram, threshold } => {
            let histogram = rate(histogram);
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
            part: sum("sum_over_time", metric),
            total: sum("count_over_time", metric),
        },
        Sli::Apdex { bucket, satisfied, tolerated, total } => {
            let within = |le: &str| rate(&any_le_spelling(&bucket.clone().with("le", Operator::Equal, le)));
            let part = match tolerated {
                Some(tolerated) => format!("({} + {}) / 2", within(satisfied), within(tolerated)),
                None => within(satisfied),
            };
            RatioQuery::Counts { side: EventSide::Good, part, total: rate(total) }
        }
        Sli::Threshold { value, passes, bound } => {
            let (value, sign) = (value.filled(over), passes.sign());
            RatioQuery::Ratio(format!("1 - avg_over_time((({value}) {sign} bool {bound})[{over}:1m])"))
        }
    }
}

/// A query without `{{.window}}` is an instant value: `function` combines its values over the lookback, minute by minute.
fn over_time(function: &str, template: &Template, over: &str) -> String {
    let mut query = template.filled(over);
    // without the line break a comment at the end would swallow the text after it
    if query.contains('#') {
        query.push('\n');
    }
    if template.has_window() {
        return query;
    }
    format!("{function}(({query})[{over}:1m])")
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
