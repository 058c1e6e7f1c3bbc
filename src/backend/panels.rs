//! What sources share that answer the queries of dashboards: a panel's query as JSON, the variables of its time range, frames of
//! series, tables and heat maps, and the queries of variables.
//!
//! Names and shapes are those of Grafana's data sources for Prometheus and Loki (`pkg/promlib` and `grafana-prometheus`).

pub(super) mod frames;
pub(super) mod interpolation;
pub(super) mod shapes;
pub(super) mod variables;

use std::time::Duration;

use serde_json::Value;

use crate::model::dashboard::PanelSubquery;
use crate::model::duration;
use crate::model::frame::QueryFailure;
use crate::model::labels::Text;
use crate::model::series::TimeGrid;
use crate::model::source::{ErrorKind, SourceError};
use interpolation::RangeVariables;

/// The most series of one query that are kept.
pub(super) const MAX_SERIES: usize = 1_000;
/// The most rows of a query at one moment that are kept.
pub(super) const MAX_ROWS: usize = 10_000;
/// The most values of all frames of a panel; a million numbers are 16 MB with their times.
pub(super) const MAX_POINTS: usize = 1_000_000;
/// The most values of a variable that are kept.
pub(super) const MAX_VALUES: usize = 20_000;
/// The most points of a series that Prometheus and Loki give.
const MOST_POINTS: u64 = 11_000;
/// The interval between samples if nothing says another: Grafana's default.
pub(super) const SCRAPE_INTERVAL: Duration = Duration::from_secs(15);
/// The largest `intervalFactor` or `resolution` that is used: above it there would be a single point.
const MAX_FACTOR: u64 = 10_000;

/// The form of a query's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetFormat {
    TimeSeries,
    Table,
    Heatmap,
}

/// A query of a panel for Prometheus or Loki.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own in the query")]
pub(super) struct PanelTarget {
    pub(super) ref_id: Text,
    pub(super) expression: String,
    pub(super) format: TargetFormat,
    pub(super) is_instant: bool,
    pub(super) is_range: bool,
    /// Only used by other queries.
    pub(super) is_hidden: bool,
    /// `{{label}}`, `__auto`, or empty.
    pub(super) legend: String,
    /// `interval`: the least step, if it is a duration.
    pub(super) min_step: Option<Duration>,
    /// `interval` is `$__rate_interval`.
    has_rate_step: bool,
    /// `step` of Loki: the step that is used whatever the width.
    fixed_step: Option<Duration>,
    /// `intervalFactor` of Prometheus, `resolution` of Loki.
    factor: u32,
    /// `maxLines` of Loki.
    pub(super) max_lines: Option<u32>,
    /// `direction` of Loki is `forward`: the oldest lines.
    pub(super) is_forward: bool,
}

impl PanelTarget {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(subquery: &PanelSubquery) -> Result<Self, String> {
        let json: Value =
            serde_json::from_str(&subquery.json).map_err(|error| format!("the query is no JSON: {error}"))?;
        let text = |key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default();
        let flag = |key: &str| json.get(key).and_then(flag_of);
        let expression = [text("expr"), text("query")].into_iter().find(|one| !one.trim().is_empty());
        let expression = expression.ok_or("the query has no expression")?.to_owned();
        let query_type = text("queryType");
        let is_instant = flag("instant").unwrap_or(query_type == "instant");
        let interval = text("interval").trim();
        let factor = json.get("intervalFactor").or_else(|| json.get("resolution")).and_then(number);
        Ok(Self {
            ref_id: subquery.ref_id.clone(),
            expression,
            format: match text("format") {
                "table" => TargetFormat::Table,
                "heatmap" => TargetFormat::Heatmap,
                _ => TargetFormat::TimeSeries,
            },
            is_instant,
            // dashboards of old versions have neither: those are ranges
            is_range: flag("range").unwrap_or(!is_instant) || !is_instant,
            is_hidden: flag("hide").unwrap_or(false),
            legend: text("legendFormat").to_owned(),
            min_step: interval_of(interval),
            has_rate_step: matches!(interval, "$__rate_interval" | "${__rate_interval}"),
            fixed_step: json.get("step").and_then(Value::as_str).and_then(interval_of),
            factor: u32::try_from(factor.unwrap_or(1).clamp(1, MAX_FACTOR)).unwrap_or(1),
            max_lines: json.get("maxLines").and_then(number).and_then(|most| u32::try_from(most).ok()),
            is_forward: text("direction") == "forward",
        })
    }

    /// The query with the variables of the time range replaced.
    pub(super) fn with(self, variables: &RangeVariables) -> Self {
        Self { expression: variables.replace(&self.expression), ..self }
    }

    /// Whether its variables depend on the interval between samples.
    pub(super) fn needs_scrape_interval(&self) -> bool {
        self.has_rate_step || self.expression.contains("__rate_interval")
    }

    /// The grid of its points within the range of the panel, and the variables of the range.
    ///
    /// Source: `calculatePrometheusInterval`, `calculateRateInterval` and `AlignTimeRange` in Grafana's `promlib`.
    pub(super) fn grid(&self, window: TimeGrid, scrape: Duration) -> (TimeGrid, RangeVariables) {
        let range = length(window);
        let safest = Duration::from_secs(range.as_secs().div_ceil(MOST_POINTS));
        let base = window.step().max(self.min_step.unwrap_or_default()).max(safest);
        let scrape = self.min_step.unwrap_or(scrape);
        let rate = (window.step() + scrape).max(scrape.saturating_mul(4));
        let own_rate = (base + scrape).max(scrape.saturating_mul(4));
        let step = if self.has_rate_step {
            own_rate
        } else if let Some(fixed) = self.fixed_step {
            fixed.max(safest)
        } else {
            base.saturating_mul(self.factor)
        };
        // grids have whole seconds
        let step = Duration::from_secs(step.as_secs() + u64::from(step.subsec_nanos() > 0))
            .max(Duration::from_secs(1));
        let variables = RangeVariables {
            interval: step,
            rate_interval: if self.has_rate_step { step } else { rate },
            from: window.start(),
            to: window.end(),
        };
        (aligned(window, step), variables)
    }
}

/// The length of a grid.
pub(super) fn length(window: TimeGrid) -> Duration {
    let seconds = window.end().as_second() - window.start().as_second();
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// The grid with another step: start and end are rounded down to it.
fn aligned(window: TimeGrid, step: Duration) -> TimeGrid {
    let whole = i64::try_from(step.as_secs()).unwrap_or(i64::MAX).max(1);
    let floor = |second: i64| second.div_euclid(whole).saturating_mul(whole);
    let span = floor(window.end().as_second()) - floor(window.start().as_second());
    TimeGrid::stepped(
        window.end(),
        Duration::from_secs(u64::try_from(span).unwrap_or(0).max(step.as_secs())),
        step,
    )
}

/// A boolean, also as text or number.
fn flag_of(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_u64().map(|number| number != 0)).or_else(|| match value.as_str()? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    })
}

/// A whole number, also as text.
fn number(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be small and positive"
    )]
    let whole = |number: f64| (0.0..1e15).contains(&number).then_some(number as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(whole)).or_else(|| value.as_str()?.trim().parse().ok())
}

/// A minimal interval: `1m`, `>1m`, or seconds without a unit; `None` for variables and anything else.
pub(super) fn interval_of(text: &str) -> Option<Duration> {
    let text = text.trim().trim_start_matches(['>', '=', ' ']);
    let parsed = match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => duration::parse(text).ok(),
    };
    parsed.filter(|interval| !interval.is_zero())
}

/// The failure of one query in the server's own words.
///
/// # Errors
/// The error, if it concerns the whole source, so that no other query can succeed.
pub(super) fn failure_of(ref_id: &Text, error: SourceError) -> Result<QueryFailure, SourceError> {
    if error.kind.is_source_wide() && !matches!(error.kind, ErrorKind::TimedOut { .. }) {
        return Err(error);
    }
    Ok(QueryFailure { ref_id: ref_id.clone(), message: failure_words(&error.kind).into() })
}

/// The server's message, or what went wrong without one; with advice for answers that are too large.
pub(super) fn failure_words(kind: &ErrorKind) -> String {
    match kind {
        ErrorKind::BadQuery { message } => message.clone(),
        ErrorKind::TooLarge { .. } => format!(
            "{kind}: aggregate with sum by (...) or topk(...), choose a shorter time range, or raise limits.body-mib"
        ),
        ErrorKind::Unreachable { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::TimedOut { .. }
        | ErrorKind::Unauthorised { .. }
        | ErrorKind::Forbidden { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Refused { .. }
        | ErrorKind::Garbled { .. }
        | ErrorKind::NotOffered { .. }
        | ErrorKind::Unfit { .. }
        | ErrorKind::NoSecret { .. }
        | ErrorKind::Local { .. }
        | ErrorKind::Internal { .. } => kind.to_string(),
    }
}

#[cfg(test)]
mod tests;
