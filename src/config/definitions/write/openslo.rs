//! Converts SLOs to `openslo/v1`, one document each, with an inline indicator and alert policy.

use std::time::Duration;

use crate::model::duration;
use crate::model::promql::Comparison;
use crate::model::slo::query::{RatioQuery, any_le_spelling, open};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, BurnCondition, BurnSeverity, Calendar, EventSide, Selector, Sli, Slo,
    SloAlerting, Template, Window, standard,
};

use super::super::openslo::{COMPARISONS, OpenSloUnit, UNITS};
use super::compare::{pairs, same_pairs};
use super::yaml::{Yaml, document_each, labels, plain, table, text};
use super::{Put, ReadBackForm, WriteNotes};

pub(super) const OPENSLO: ReadBackForm<Yaml> =
    ReadBackForm { file: "openslo.yaml", write_slo, file_of: document_each };

fn write_slo(slo: &Slo, notes: &mut WriteNotes<'_>) -> Put<Yaml> {
    let Some((sli, metric)) = indicator(slo) else {
        notes.no_query();
        return None;
    };
    if slo.name != slo.id {
        notes.say("name", format!("OpenSLO has only one name, the id; the name {} is lost", slo.name));
    }
    if slo.service.is_none() {
        notes.say("service", format!("OpenSLO requires a service: {} is written", slo.name));
    }
    if !slo.grouping.is_empty() {
        let by = slo.grouping.join(", ");
        notes.say("by", format!("OpenSLO has no groups ({by}): it reads back as one SLO for all"));
    }
    let (method, slice, least) = match slo.budgeting {
        BudgetingMethod::Occurrences => ("Occurrences", None, None),
        BudgetingMethod::Timeslices { slice, least } => ("Timeslices", Some(slice), Some(least)),
        BudgetingMethod::RatioTimeslices { slice } => ("RatioTimeslices", Some(slice), None),
    };
    let (mut op, mut value) = (None, None);
    if let Sli::Threshold { passes, bound, .. } = &sli {
        (op, value) = (text(word(*passes)?), plain(bound));
    }
    let objective = table([
        ("target", plain(slo.objective.ratio_text())),
        ("op", op),
        ("value", value),
        ("timeSliceTarget", least.and_then(plain)),
        ("timeSliceWindow", slice.and_then(|slice| text(shorthand(slice)))),
    ]);
    let name = text(&slo.id);
    let kind = if matches!(sli, Sli::Threshold { .. }) { "thresholdMetric" } else { "ratioMetric" };
    let indicator = table([
        ("metadata", Some(table([("name", text(format!("{}-sli", slo.id)))]))),
        ("spec", Some(table([(kind, Some(metric))]))),
    ]);
    let service = slo.service.as_ref().unwrap_or(&slo.name);
    let value = table([
        ("apiVersion", text("openslo/v1")),
        ("kind", text("SLO")),
        ("metadata", Some(table([("name", name), ("labels", labels(&slo.labels))]))),
        (
            "spec",
            Some(table([
                ("description", text(&slo.description).filter(|_| !slo.description.is_empty())),
                ("service", text(service)),
                ("indicator", Some(indicator)),
                ("timeWindow", Some(Yaml::List(vec![window(&slo.window, notes)]))),
                ("budgetingMethod", text(method)),
                ("objectives", Some(Yaml::List(vec![objective]))),
                ("alertPolicies", policies(slo, notes)),
            ])),
        ),
    ]);
    Some((value, Some(sli)))
}

/// `gt` and the like; `None` for comparisons that OpenSLO does not have.
fn word(passes: Comparison) -> Option<&'static str> {
    COMPARISONS.iter().find(|(_, comparison)| *comparison == passes).map(|(word, _)| *word)
}

#[expect(clippy::unnecessary_wraps, reason = "a field of `table`, which may be left out")]
fn source(query: &str) -> Option<Yaml> {
    let spec = table([("query", text(query.trim()))]);
    Some(table([("metricSource", Some(table([("type", text("Prometheus")), ("spec", Some(spec))])))]))
}

/// The SLI that parsing again should give, and the metric of the indicator.
fn indicator(slo: &Slo) -> Option<(Sli, Yaml)> {
    let side_key = |side| if side == EventSide::Good { "good" } else { "bad" };
    let template = |text: &str| Template::parse(text).ok();
    let count = |side: EventSide, part: &Selector, total: &Selector| {
        let sum = |selector: &Selector| source(&format!("sum({selector})"));
        let metric = table([("counter", plain(true)), (side_key(side), sum(part)), ("total", sum(total))]);
        (Sli::Counters { side, part: part.clone(), total: total.clone() }, metric)
    };
    let events = |side: EventSide, part: &str, total: &str| {
        // without `counter: false`, the rate of a plain counter would be taken
        let metric =
            table([("counter", plain(false)), (side_key(side), source(part)), ("total", source(total))]);
        Some((Sli::Events { side, part: template(part)?, total: template(total)? }, metric))
    };
    let raw = |query: &str| {
        let metric = table([("raw", source(query)), ("rawType", text("failure"))]);
        Some((Sli::Ratio { error: template(query)? }, metric))
    };
    match (slo.sli.as_ref()?, open(slo)?) {
        (Sli::Counters { side, part, total }, _) if slo.grouping.is_empty() => {
            Some(count(*side, part, total))
        }
        (Sli::Latency { fast, total }, RatioQuery::Counts { .. }) if slo.grouping.is_empty() => {
            Some(count(EventSide::Good, &any_le_spelling(fast), total))
        }
        (Sli::Events { side, part, total }, _) => events(*side, part.as_str(), total.as_str()),
        (Sli::Ratio { error }, _) => raw(error.as_str()),
        (sli @ Sli::Threshold { value, passes, .. }, _) if word(*passes).is_some() => {
            Some((sli.clone(), source(value.as_str())?))
        }
        (_, RatioQuery::Counts { side, part, total }) => events(side, &part, &total),
        (_, RatioQuery::Ratio(query)) => raw(&query),
    }
}

/// A length as OpenSLO writes it, in one unit: `90m`. Months, quarters and years have no fixed length.
fn shorthand(length: Duration) -> String {
    let seconds = length.as_secs();
    let fits = |unit: &&OpenSloUnit| unit.letter.is_lowercase() && seconds.is_multiple_of(unit.seconds);
    match UNITS.iter().rfind(fits) {
        Some(unit) if seconds > 0 => format!("{}{}", seconds / unit.seconds, unit.letter),
        _ => "0s".to_owned(),
    }
}

fn window(window: &Window, notes: &mut WriteNotes<'_>) -> Yaml {
    match window {
        Window::Rolling(length) => {
            if length.subsec_nanos() > 0 || !length.as_secs().is_multiple_of(60) {
                notes.say(
                    "window",
                    format!("OpenSLO supports whole minutes only, not {}", duration::text(*length)),
                );
            }
            table([("duration", text(shorthand(*length))), ("isRolling", plain(true))])
        }
        Window::Calendar(Calendar { count, unit, start, zone }) => {
            let letter =
                UNITS.iter().find(|known| known.calendar == Some(*unit)).map_or('d', |unit| unit.letter);
            if zone.iana_name().is_none() {
                notes.say("window", "its time zone has no name: UTC is written");
            }
            let calendar = table([
                ("startTime", text(start.strftime("%Y-%m-%d %H:%M:%S").to_string())),
                ("timeZone", text(zone.iana_name().unwrap_or("UTC"))),
            ]);
            table([
                ("duration", text(format!("{}{letter}", (*count).max(1)))),
                ("isRolling", plain(false)),
                ("calendar", Some(calendar)),
            ])
        }
    }
}

/// Conditions with one lookback each; `None` for the standard conditions, which apply without a policy.
fn policies(slo: &Slo, notes: &mut WriteNotes<'_>) -> Option<Yaml> {
    let is_on = |severity| slo.alerting.notice(severity).is_some();
    let bare = SloAlerting {
        page: slo.alerting.page.as_ref().map(|_| AlertMetadata::default()),
        ticket: slo.alerting.ticket.as_ref().map(|_| AlertMetadata::default()),
        ..SloAlerting::default()
    };
    if slo.alerting != bare {
        notes.say(
            "alert",
            "OpenSLO has no names, labels and annotations for alerts, and no alert for missing series",
        );
    }
    let is_single = |pair: &BurnCondition| pair.long == pair.short;
    let all = pairs(&slo.pairs);
    if same_pairs(&slo.pairs, &standard(slo.window.nominal())) && bare == SloAlerting::all() {
        notes.say("pairs", format!("OpenSLO's conditions have one lookback: {all} are not written"));
        return None;
    }
    let wanted: Vec<&BurnCondition> = slo.pairs.iter().filter(|pair| is_on(pair.severity)).collect();
    if slo.pairs.iter().any(|pair| !is_single(pair)) {
        notes.say("pairs", format!("OpenSLO's conditions have one lookback; the long one is written: {all}"));
    }
    if wanted.is_empty() {
        notes.say("alert", "OpenSLO cannot disable all alerts: the standard ones are read back");
        return None;
    }
    let policy = |severity: BurnSeverity| {
        let conditions: Vec<Yaml> = wanted
            .iter()
            .enumerate()
            .filter(|(_, pair)| pair.severity == severity)
            .map(|(at, pair)| condition(slo, at, pair))
            .collect();
        let spec = table([("alertWhenBreaching", plain(true)), ("conditions", Some(Yaml::List(conditions)))]);
        let name = format!("{}-{}", slo.id, severity.word());
        let policy = table([
            ("kind", text("AlertPolicy")),
            ("metadata", Some(table([("name", text(name))]))),
            ("spec", Some(spec)),
        ]);
        wanted.iter().any(|pair| pair.severity == severity).then_some(policy)
    };
    Some(Yaml::List([BurnSeverity::Page, BurnSeverity::Ticket].into_iter().filter_map(policy).collect()))
}

fn condition(slo: &Slo, at: usize, pair: &BurnCondition) -> Yaml {
    let condition = table([
        ("kind", text("burnrate")),
        ("op", text(if pair.at_least { "gte" } else { "gt" })),
        ("threshold", plain(pair.factor)),
        ("lookbackWindow", text(shorthand(pair.long))),
        ("alertAfter", text(shorthand(pair.hold)).filter(|_| !pair.hold.is_zero())),
    ]);
    table([
        ("kind", text("AlertCondition")),
        (
            "metadata",
            Some(table([("name", text(format!("{}-{}-{}", slo.id, pair.severity.word(), at + 1)))])),
        ),
        ("spec", Some(table([("severity", text(pair.severity.word())), ("condition", Some(condition))]))),
    ])
}
