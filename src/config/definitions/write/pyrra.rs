//! Converts SLOs to Pyrra's `ServiceLevelObjective`, one document each.

use std::time::Duration;

use crate::model::duration;
use crate::model::labels::{Labels, Text};
use crate::model::slo::{
    AlertMetadata, BudgetingMethod, EventSide, Family, Selector, Sli, Slo, SloAlerting, Window, counters,
    pyrra, written,
};

use super::compare::{budgeting, pairs, same_pairs};
use super::yaml::{Yaml, document_each, plain, table, text};
use super::{Put, ReadBackForm, WriteNotes};

pub(super) const PYRRA: ReadBackForm<Yaml> =
    ReadBackForm { file: "pyrra.yaml", write_slo, file_of: document_each };

fn write_slo(slo: &Slo, notes: &mut WriteNotes<'_>) -> Put<Yaml> {
    let (sli, kind, mut indicator) = indicator(slo, notes)?;
    if slo.name != slo.id {
        notes.say("name", format!("Pyrra has only one name, the id; the name {} is lost", slo.name));
    }
    if let Window::Calendar(_) = slo.window {
        let length = duration::text(slo.window.nominal());
        notes.say(
            "window",
            format!("Pyrra has rolling windows only: the last {length} instead of {}", slo.window),
        );
    }
    let own: Vec<_> = pyrra(slo.window.nominal()).into_iter().filter(|pair| !pair.short.is_zero()).collect();
    if !same_pairs(&own, &slo.pairs) {
        let pairs = pairs(&slo.pairs);
        notes.say("pairs", format!("Pyrra always uses its own four conditions, not {pairs}"));
    }
    if slo.budgeting != BudgetingMethod::Occurrences {
        let was = budgeting(slo.budgeting);
        notes.say("budgeting", format!("Pyrra has no time slices ({was}): every event counts"));
    }
    if let Yaml::Table(fields) = &mut indicator
        && !slo.grouping.is_empty()
    {
        let labels = slo.grouping.iter().map(|label| Yaml::Text(label.to_string())).collect();
        fields.push(("grouping".to_owned(), Yaml::List(labels)));
    }
    let labels = labels(slo, notes);
    let value = table([
        ("apiVersion", text("pyrra.dev/v1alpha1")),
        ("kind", text("ServiceLevelObjective")),
        ("metadata", Some(table([("name", text(&slo.id)), ("labels", super::yaml::labels(&labels))]))),
        (
            "spec",
            Some(table([
                ("target", text(slo.objective.percent_text())),
                ("window", text(written(slo.window.nominal()))),
                ("description", text(&slo.description).filter(|_| !slo.description.is_empty())),
                ("indicator", Some(table([(kind, Some(indicator))]))),
                ("alerting", alerting(&slo.alerting, notes)),
            ])),
        ),
    ]);
    Some((value, Some(sli)))
}

/// Pyrra's labels: those for the series get its prefix.
fn labels(slo: &Slo, notes: &mut WriteNotes<'_>) -> Labels {
    let is_pyrras = slo.recorded.as_ref().filter(|recorded| recorded.family == Family::Pyrra);
    let pair = |(name, value): (&Text, &Text)| {
        let reaches = is_pyrras.is_none_or(|recorded| recorded.labels.get(name) == Some(value));
        let name = if reaches { format!("pyrra.dev/{name}").into() } else { name.clone() };
        (name, value.clone())
    };
    let mut labels: Vec<_> = slo.labels.iter().map(pair).collect();
    if let Some(service) = slo.service.as_ref().filter(|service| slo.labels.get("service") != Some(*service))
    {
        notes.say("labels", format!("the service, {service}, is written as a label"));
        labels.retain(|(name, _)| &**name != "pyrra.dev/service");
        labels.push(("pyrra.dev/service".into(), service.clone()));
    }
    Labels::new(labels)
}

#[expect(clippy::unnecessary_wraps, reason = "a field of `table`, which may be left out")]
fn metric(selector: &Selector) -> Option<Yaml> {
    Some(table([("metric", text(selector.to_string()))]))
}

/// The SLI that parsing again should give, the kind of indicator, and its content.
fn indicator(slo: &Slo, notes: &mut WriteNotes<'_>) -> Option<(Sli, &'static str, Yaml)> {
    let Some(sli) = &slo.sli else {
        notes.no_query();
        return None;
    };
    // two queries may be the rates of two counters, which Pyrra can express
    let counted = if let Sli::Events { side, part, total } = sli {
        let counters = counters(part, total, &slo.grouping);
        counters.map(|(part, total)| Sli::Counters { side: *side, part, total })
    } else {
        None
    };
    let unfit = match counted.as_ref().unwrap_or(sli) {
        Sli::Counters { side: EventSide::Bad, part, total } => {
            let value = table([("errors", metric(part)), ("total", metric(total))]);
            let sli = Sli::Counters { side: EventSide::Bad, part: part.clone(), total: total.clone() };
            return Some((sli, "ratio", value));
        }
        Sli::Counters { side: EventSide::Good, part: fast, total }
            if fast.equal("le").is_some() && fast.metric.ends_with("_bucket") =>
        {
            return Some(latency(fast, total));
        }
        Sli::Latency { fast, total } => return Some(latency(fast, total)),
        Sli::NativeLatency { histogram, threshold } => {
            let length = Duration::try_from_secs_f64(*threshold).ok().filter(|length| !length.is_zero());
            let Some(length) = length else {
                notes.say(
                    "sli",
                    format!("its threshold, {threshold}, is not a duration: the SLO is left out"),
                );
                return None;
            };
            let value = table([("latency", text(duration::text(length))), ("total", metric(histogram))]);
            return Some((sli.clone(), "latencyNative", value));
        }
        Sli::Gauge { metric } => {
            return Some((sli.clone(), "bool_gauge", table([("metric", text(metric.to_string()))])));
        }
        Sli::Counters { side: EventSide::Good, .. } if counted.is_none() => {
            "a counter of good events (it needs one of errors)"
        }
        Sli::Counters { side: EventSide::Good, .. } | Sli::Events { .. } => {
            "queries that are more than the rate of a counter"
        }
        Sli::Ratio { .. } => "a query for the error ratio itself",
        Sli::Apdex { .. } => "Apdex",
        Sli::Threshold { .. } => "a threshold on a value",
    };
    notes.say("sli", format!("Pyrra has no indicator for {unfit}: it is not written at all"));
    None
}

fn latency(fast: &Selector, total: &Selector) -> (Sli, &'static str, Yaml) {
    let value = table([("success", metric(fast)), ("total", metric(total))]);
    (Sli::Latency { fast: fast.clone(), total: total.clone() }, "latency", value)
}

fn alerting(alerting: &SloAlerting, notes: &mut WriteNotes<'_>) -> Option<Yaml> {
    let plain_notice = Some(AlertMetadata::default());
    let (page, ticket) = (alerting.page.is_some(), alerting.ticket.is_some());
    if page != ticket {
        let off = if page { "ticket" } else { "page" };
        notes.say("alert", format!("Pyrra cannot disable only the {off} alerts: all alerts are enabled"));
    }
    let has_metadata = |notice: &Option<AlertMetadata>| notice.is_some() && *notice != plain_notice;
    if has_metadata(&alerting.page)
        || has_metadata(&alerting.ticket)
        || !alerting.labels.is_empty()
        || !alerting.annotations.is_empty()
    {
        notes.say("alert", "Pyrra has no labels and annotations for alerts");
    }
    let value = table([
        ("name", alerting.name.as_ref().and_then(text)),
        ("absentName", alerting.absent_name.as_ref().and_then(text)),
        ("burnrates", plain(false).filter(|_| !page && !ticket)),
        ("absent", plain(false).filter(|_| !alerting.on_absence)),
    ]);
    Some(value).filter(|value| *value != table([]))
}
