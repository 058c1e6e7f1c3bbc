//! Reads OpenSLO alert policies: burn-rate conditions with one lookback and a threshold.

use crate::model::promql::Comparison;
use crate::model::slo::{BurnCondition, BurnSeverity};

use super::super::table::TableValue;
use super::{OpenSloObjects, indicator, period, spec};

/// The burn-rate conditions of all policies of an SLO, the most severe first.
///
/// An OpenSLO condition has one lookback, which is used as both the long and the short one.
pub(super) fn policies<'l>(value: &TableValue<'l>, library: &OpenSloObjects<'l>) -> Vec<BurnCondition> {
    let instead = "; if no policy is found, the standard burn-rate conditions apply";
    let policies = library.resolved(value.list(), "alertPolicyRef", "AlertPolicy", instead);
    let mut pairs: Vec<BurnCondition> = policies.iter().flat_map(|found| policy(found, library)).collect();
    pairs.sort_by(|a, b| a.severity.cmp(&b.severity).then(b.factor.total_cmp(&a.factor)));
    pairs
}

pub(super) fn policy<'l>(value: &TableValue<'l>, library: &OpenSloObjects<'l>) -> Vec<BurnCondition> {
    let Some(spec) = spec(value).and_then(|spec| spec.table()) else { return Vec::new() };
    spec.ignore_keys(&["description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching"]);
    let conditions = library.resolved(spec.list("conditions"), "conditionRef", "AlertCondition", "");
    let pairs = conditions.iter().filter_map(condition).collect();
    library.resolved(spec.list("notificationTargets"), "targetRef", "AlertNotificationTarget", "");
    spec.finish();
    pairs
}

/// Converts one condition; `None` if it is invalid or unsupported, which is reported.
pub(super) fn condition(value: &TableValue<'_>) -> Option<BurnCondition> {
    let spec = spec(value)?.table()?;
    spec.ignore_keys(&["description"]);
    let severity = spec.get_as("severity", TableValue::label).unwrap_or_default();
    let condition = spec.need_as("condition", TableValue::table);
    spec.finish();
    let table = condition?;
    let kind = table.need_as("kind", TableValue::label);
    let operator = table.get("op");
    let passes = operator.as_ref().map_or(Some(Comparison::Above), indicator::comparison);
    let factor = table.need_as("threshold", TableValue::amount);
    let lookback = table.need_as("lookbackWindow", period::lookback);
    let hold = table.get_or("alertAfter", std::time::Duration::ZERO, period::lookback);
    table.finish();
    if let Some(kind) = kind.filter(|kind| !kind.eq_ignore_ascii_case("burnrate")) {
        value.warn(&format!("a condition of kind `{kind}` is not supported; only burnrate is"));
        return None;
    }
    let (passes, factor, lookback, hold) = (passes?, factor?, lookback?, hold?);
    let at_least = match passes {
        Comparison::Above => false,
        Comparison::AtLeast => true,
        Comparison::Below | Comparison::AtMost | Comparison::Equal | Comparison::NotEqual => {
            value.warn("alerts while the burn rate is low; the condition is ignored");
            return None;
        }
    };
    if factor <= 0.0 || lookback.is_zero() {
        value.warn("always holds; the condition is ignored");
        return None;
    }
    let is_page = ["page", "critical", "high"].iter().any(|word| severity.eq_ignore_ascii_case(word));
    let severity = if is_page { BurnSeverity::Page } else { BurnSeverity::Ticket };
    Some(BurnCondition { severity, long: lookback, short: lookback, factor, hold, at_least })
}
