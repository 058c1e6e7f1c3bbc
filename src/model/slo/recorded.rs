//! The series that the recording rules of Sloth, Pyrra and Grafana keep for an SLO: names and meaning.

use std::time::Duration;

use super::super::duration;
use super::super::labels::{Labels, Text};
use super::super::promql;
use crate::model::words::words;

words! {
    /// The tool whose recording rules keep the series.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Family: name {
        /// `slo:sli_error:ratio_rate5m{sloth_id="..."}`
        Sloth = "Sloth",
        /// `http_requests:burnrate5m{slo="..."}`; an error ratio despite its name.
        Pyrra = "Pyrra",
        /// `grafana_slo_sli_5m{grafana_slo_uuid="..."}`; the share of good events.
        Grafana = "Grafana SLO",
    }
}

impl Family {
    /// The label whose value identifies an SLO.
    pub const fn identity(self) -> &'static str {
        match self {
            Self::Sloth => "sloth_id",
            Self::Pyrra => "slo",
            Self::Grafana => "grafana_slo_uuid",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSeries {
    pub family: Family,
    /// The value of [`Family::identity`].
    pub id: Text,
    /// Additional labels of the series and alerts of this SLO.
    pub labels: Labels,
    /// The metric name before `:burnrate5m`; empty for other tools than Pyrra.
    pub metric: Text,
    /// The lookbacks with recorded error ratios, ascending, without the SLO's window. Empty if not known yet.
    pub lookbacks: Vec<Duration>,
    /// Sloth plug-ins that change the rules of this SLO; burnwatch does not apply them.
    pub plugins: Vec<Text>,
}

impl RecordedSeries {
    /// The series of a tool for one SLO, without labels, metric name, lookbacks and plug-ins.
    pub fn new(family: Family, id: Text) -> Self {
        let (labels, metric) = (Labels::default(), Text::default());
        Self { family, id, labels, metric, lookbacks: Vec::new(), plugins: Vec::new() }
    }

    /// The query of the recorded error ratio over `lookback`, 0 to 1.
    ///
    /// Source: the rule generators of Sloth (`slo:sli_error:ratio_rate`) and Pyrra (`:burnrate`, which is not divided by the
    /// budget); Grafana's `grafana_slo_sli` is the share of good events.
    pub fn error_ratio(&self, lookback: Duration) -> String {
        let (id, name) = (promql::quoted(&self.id), self.family.identity());
        let lookback = written(lookback);
        match self.family {
            Family::Sloth => format!("slo:sli_error:ratio_rate{lookback}{{{name}={id}}}"),
            Family::Pyrra => format!("{}:burnrate{lookback}{{{name}={id}}}", self.metric),
            Family::Grafana => format!("1 - grafana_slo_sli_{lookback}{{{name}={id}}}"),
        }
    }
}

/// A lookback as part of a series name: whole years and weeks as such (`4w`), else as [`duration::text`] writes it.
///
/// Source: `Duration.String` of Prometheus' `common/model`, which all three tools use.
pub fn written(lookback: Duration) -> String {
    const DAY: u64 = 86_400;
    let whole = |unit: u64| lookback.subsec_nanos() == 0 && lookback.as_secs().is_multiple_of(unit);
    match lookback.as_secs() {
        0 => duration::text(lookback),
        seconds if whole(365 * DAY) => format!("{}y", seconds / (365 * DAY)),
        seconds if whole(7 * DAY) => format!("{}w", seconds / (7 * DAY)),
        _ => duration::text(lookback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(family: Family) -> RecordedSeries {
        let (id, metric) = ("a\"b".into(), "http_requests".into());
        RecordedSeries {
            family,
            id,
            labels: Labels::default(),
            metric,
            lookbacks: Vec::new(),
            plugins: Vec::new(),
        }
    }

    #[test]
    fn each_family_names_its_series_its_own_way() {
        let lookback = Duration::from_secs(5400);
        for (family, query) in [
            (Family::Sloth, r#"slo:sli_error:ratio_rate1h30m{sloth_id="a\"b"}"#),
            (Family::Pyrra, r#"http_requests:burnrate1h30m{slo="a\"b"}"#),
            (Family::Grafana, r#"1 - grafana_slo_sli_1h30m{grafana_slo_uuid="a\"b"}"#),
        ] {
            assert_eq!(recorded(family).error_ratio(lookback), query);
        }
    }

    #[test]
    fn whole_weeks_are_written_as_such_in_names() {
        for (days, text) in [(28, "4w"), (30, "30d"), (7, "1w"), (8, "8d"), (365, "1y"), (1, "1d")] {
            assert_eq!(written(Duration::from_secs(days * 86_400)), text);
        }
    }
}
