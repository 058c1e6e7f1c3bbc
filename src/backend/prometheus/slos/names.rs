//! The names of recorded series, and patterns for querying them.

use std::time::Duration;

use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql;
use crate::model::slo::Family;

/// The series with an SLO's objective, window and labels; without error ratios.
pub(super) const TRAITS: &str = "slo:objective:ratio|slo:time_period:days|sloth_slo_info|pyrra_objective|pyrra_window|\
                                 pyrra_availability|grafana_slo_objective|grafana_slo_objective_window_seconds|grafana_slo_info";

/// The parts of error-ratio names before or after the metric: the lookback follows.
pub(super) const SLOTH: &str = "slo:sli_error:ratio_rate";
pub(super) const PYRRA: &str = ":burnrate";
pub(super) const GRAFANA: &str = "grafana_slo_sli_";
/// Grafana's suffix for the whole window instead of a lookback.
pub(super) const GRAFANA_WINDOW: &str = "window";
/// The series of Pyrra's generic rules for the whole window: the ratio of good events.
pub(super) const PYRRA_WINDOW: &str = "pyrra_availability";

/// The rule family, the metric before `:burnrate`, and the lookback as written; `None` for other series.
pub(super) fn ratio(name: &str) -> Option<(Family, &str, &str)> {
    if let Some(lookback) = name.strip_prefix(SLOTH) {
        return Some((Family::Sloth, "", lookback));
    }
    if let Some(lookback) = name.strip_prefix(GRAFANA) {
        return Some((Family::Grafana, "", lookback));
    }
    let (metric, lookback) = name.rsplit_once(PYRRA)?;
    (!metric.is_empty()).then_some((Family::Pyrra, metric, lookback))
}

/// The rule family and the lookback in the name of an error ratio.
pub(super) fn lookback(name: &str) -> Option<(Family, Duration)> {
    let (family, _, lookback) = ratio(name)?;
    Some((family, duration::parse(lookback).ok().filter(|lookback| !lookback.is_zero())?))
}

/// The name of an error ratio over a lookback, given as written.
pub(super) fn name(family: Family, metric: &str, lookback: &str) -> String {
    match family {
        Family::Sloth => format!("{SLOTH}{lookback}"),
        Family::Pyrra => format!("{metric}{PYRRA}{lookback}"),
        Family::Grafana => format!("{GRAFANA}{lookback}"),
    }
}

/// Whether a label was added by the rules of the family.
pub(super) fn is_own(family: Family, label: &str) -> bool {
    label == "__name__"
        || match family {
            Family::Sloth => label.starts_with("sloth_"),
            Family::Pyrra => label == "slo",
            Family::Grafana => label.starts_with("grafana_slo_"),
        }
}

/// Selects the series of this name that belong to an SLO.
pub(super) fn selector(family: Family, name: &str) -> String {
    format!(r#"{name}{{{}!=""}}"#, family.identity())
}

/// Selects the series of Pyrra whose names end so: a regular expression.
pub(super) fn pyrra_selector(ending: &str) -> String {
    format!(r#"{{__name__=~{},slo!=""}}"#, promql::quoted(&format!(".+{ending}")))
}

/// A regular expression for any of these texts.
pub(super) fn any_of<'a>(texts: impl IntoIterator<Item = &'a Text>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| promql::literal(text)).collect();
    format!("(?:{})", texts.join("|"))
}
