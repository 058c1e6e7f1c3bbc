//! Alert policies of OpenSLO: burn rates over one lookback, with a threshold.

use crate::model::promql::Comparison;
use crate::model::slo::{Pair, Severity};

use super::super::table::Value;
use super::{Library, indicator, missing, period, reference};

/// The pairs of all policies that an SLO names, the most severe first.
///
/// OpenSLO knows one lookback: it stands for both of a pair.
pub(super) fn policies(value: &Value<'_>, library: &Library<'_>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for entry in value.list() {
        let Some(reference) = reference(&entry, "alertPolicyRef") else {
            pairs.extend(policy(&entry, library));
            continue;
        };
        let Some(name) = reference.text() else { continue };
        match library.find("AlertPolicy", name, &reference) {
            Some(found) => pairs.extend(policy(&found, library)),
            None => missing(&reference, "AlertPolicy", name, "; without one the usual pairs are watched"),
        }
    }
    pairs.sort_by(|a, b| a.severity.cmp(&b.severity).then(b.factor.total_cmp(&a.factor)));
    pairs
}

pub(super) fn policy(value: &Value<'_>, library: &Library<'_>) -> Vec<Pair> {
    let Some(root) = value.table() else { return Vec::new() };
    root.pass_over(&["apiVersion", "kind", "metadata"]);
    let spec = root.need("spec").and_then(|value| value.table());
    root.finish();
    let Some(spec) = spec else { return Vec::new() };
    spec.pass_over(&["description", "alertWhenNoData", "alertWhenResolved", "alertWhenBreaching"]);
    let mut pairs = Vec::new();
    for entry in spec.get("conditions").map(|value| value.list()).unwrap_or_default() {
        let Some(reference) = reference(&entry, "conditionRef") else {
            pairs.extend(condition(&entry));
            continue;
        };
        let Some(name) = reference.text() else { continue };
        match library.find("AlertCondition", name, &reference) {
            Some(found) => pairs.extend(condition(&found)),
            None => missing(&reference, "AlertCondition", name, ""),
        }
    }
    for entry in spec.get("notificationTargets").map(|value| value.list()).unwrap_or_default() {
        let Some(reference) = reference(&entry, "targetRef") else { continue };
        let Some(name) = reference.text() else { continue };
        if library.find("AlertNotificationTarget", name, &reference).is_none() {
            missing(&reference, "AlertNotificationTarget", name, "");
        }
    }
    spec.finish();
    pairs
}

pub(super) fn condition(value: &Value<'_>) -> Option<Pair> {
    let root = value.table()?;
    root.pass_over(&["apiVersion", "kind", "metadata"]);
    let spec = root.need("spec").and_then(|value| value.table());
    root.finish();
    let spec = spec?;
    spec.pass_over(&["description"]);
    let severity = spec.get("severity").and_then(|value| value.label()).unwrap_or_default();
    let condition = spec.need("condition").and_then(|value| value.table());
    spec.finish();
    let table = condition?;
    let kind = table.need("kind").and_then(|value| value.label());
    let operator = table.get("op");
    let passes = operator.as_ref().map_or(Some(Comparison::Above), indicator::comparison);
    let factor = table.need("threshold").and_then(|value| value.amount());
    let lookback = table.need("lookbackWindow").and_then(|value| period::lookback(&value));
    let hold =
        table.get("alertAfter").map_or(Some(std::time::Duration::ZERO), |value| period::lookback(&value));
    table.finish();
    if let Some(kind) = kind.filter(|kind| !kind.eq_ignore_ascii_case("burnrate")) {
        value.warn(&format!("a condition of kind `{kind}` is not known; there is burnrate"));
        return None;
    }
    let (passes, factor, lookback, hold) = (passes?, factor?, lookback?, hold?);
    let at_least = match passes {
        Comparison::Above => false,
        Comparison::AtLeast => true,
        Comparison::Below | Comparison::AtMost | Comparison::Equal | Comparison::NotEqual => {
            value.warn("alerts while the burn rate is low; it is not watched");
            return None;
        }
    };
    if factor <= 0.0 || lookback.is_zero() {
        value.warn("always holds; it is not watched");
        return None;
    }
    let is_page = ["page", "critical", "high"].iter().any(|word| severity.eq_ignore_ascii_case(word));
    let severity = if is_page { Severity::Page } else { Severity::Ticket };
    Some(Pair { severity, long: lookback, short: lookback, factor, hold, at_least })
}
