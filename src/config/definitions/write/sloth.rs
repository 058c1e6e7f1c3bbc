//! Converts SLOs to Sloth's `prometheus/v1`, one document for each service.

use crate::model::duration;
use crate::model::slo::query::{RatioQuery, open};
use crate::model::slo::{AlertMetadata, BudgetingMethod, EventSide, Sli, Slo, Template, Window, sloth};

use super::compare::{budgeting, pairs, same_pairs};
use super::yaml::{Yaml, documents, labels, plain, remarks, table, text};
use super::{DEFAULT_PERIOD, Put, ReadBackForm, WriteNotes, WrittenEntry};

pub(super) const SLOTH: ReadBackForm<Yaml> = ReadBackForm { file: "sloth.yaml", write_slo, file_of };

fn write_slo(slo: &Slo, notes: &mut WriteNotes<'_>) -> Put<Yaml> {
    let Some((sli, indicator)) = indicator(slo) else {
        notes.no_query();
        return None;
    };
    let service = service(slo);
    if slo.service.is_none() {
        notes.say("service", format!("Sloth requires a service: {service} is written"));
    }
    if *slo.id != format!("{service}-{}", slo.name) {
        notes.say("id", format!("Sloth's id is always service and name: {service}-{}", slo.name));
    }
    window(slo, notes);
    if slo.budgeting != BudgetingMethod::Occurrences {
        let was = budgeting(slo.budgeting);
        notes.say("budgeting", format!("Sloth has no time slices ({was}): every event counts"));
    }
    if !slo.grouping.is_empty() {
        let by = slo.grouping.join(", ");
        notes.say(
            "by",
            format!("Sloth has no groups; its queries keep the labels ({by}), and each group alerts"),
        );
    }
    let value = table([
        ("name", text(&slo.name)),
        ("objective", plain(slo.objective.percent_text())),
        ("description", text(&slo.description).filter(|_| !slo.description.is_empty())),
        ("labels", labels(&slo.labels)),
        ("sli", Some(indicator)),
        ("alerting", Some(alerting(slo, notes))),
    ]);
    Some((value, Some(sli)))
}

fn service(slo: &Slo) -> &str {
    slo.service.as_ref().unwrap_or(&slo.name)
}

/// Notes the window and burn-rate conditions, which Sloth takes from its command line and `AlertWindows`.
fn window(slo: &Slo, notes: &mut WriteNotes<'_>) {
    let length = slo.window.nominal();
    if slo.window != Window::Rolling(DEFAULT_PERIOD) {
        let calendar = match slo.window {
            Window::Rolling(_) => "",
            Window::Calendar(_) => "; there it is rolling, not a calendar period",
        };
        notes.say(
            "window",
            format!(
                "the window is {}, and Sloth takes it from its command line: --default-slo-period={}{calendar}",
                slo.window,
                duration::text(length)
            ),
        );
    }
    let is_own = sloth(length).is_some_and(|own| same_pairs(&own, &slo.pairs));
    if is_own && notes.has("window") {
        notes.say("pairs", "Sloth uses its own conditions for that period");
    } else if !is_own {
        let pairs = pairs(&slo.pairs);
        notes.say("pairs", format!("Sloth takes them from AlertWindows, not from this file: {pairs}"));
    }
}

/// The SLI that parsing again should give, and Sloth's document for it.
fn indicator(slo: &Slo) -> Option<(Sli, Yaml)> {
    let template = |text: &str| Template::parse(text).ok();
    let events = |part: &str, total: &str| {
        let sli = Sli::Events { side: EventSide::Bad, part: template(part)?, total: template(total)? };
        let queries = table([("error_query", text(part.trim())), ("total_query", text(total.trim()))]);
        Some((sli, table([("events", Some(queries))])))
    };
    match (slo.sli.as_ref()?, open(slo)?) {
        // the queries as written, without the wrapping that a live query gets
        (Sli::Events { side: EventSide::Bad, part, total }, _) => events(part.as_str(), total.as_str()),
        (Sli::Ratio { error }, _) => ratio(error.as_str()),
        (_, RatioQuery::Counts { side: EventSide::Bad, part, total }) => events(&part, &total),
        // `or 0 * total`: while no event is good, all events are bad
        (_, RatioQuery::Counts { side: EventSide::Good, part, total }) => {
            events(&format!("({total}) - (({part}) or 0 * ({total}))"), &total)
        }
        (_, RatioQuery::Ratio(query)) => ratio(&query),
    }
}

fn ratio(query: &str) -> Option<(Sli, Yaml)> {
    let sli = Sli::Ratio { error: Template::parse(query).ok()? };
    Some((sli, table([("raw", Some(table([("error_ratio_query", text(query.trim()))])))])))
}

fn alerting(slo: &Slo, notes: &mut WriteNotes<'_>) -> Yaml {
    let alerting = &slo.alerting;
    let is_on = alerting.page.is_some() || alerting.ticket.is_some();
    let name = alerting.name.as_ref().map(ToString::to_string);
    let name = name.or_else(|| {
        is_on.then(|| {
            let name = format!("{}ErrorBudgetBurn", slo.id);
            notes.say("alert", format!("the alerts have no name, and Sloth requires one: {name} is written"));
            name
        })
    });
    if alerting.on_absence || alerting.absent_name.is_some() {
        notes.say("alert", "Sloth has no alert for missing series");
    }
    let notice = |notice: &Option<AlertMetadata>| match notice {
        None => Some(table([("disable", plain(true))])),
        Some(notice) => {
            let value =
                table([("labels", labels(&notice.labels)), ("annotations", labels(&notice.annotations))]);
            Some(value).filter(|_| *notice != AlertMetadata::default())
        }
    };
    table([
        ("name", name.and_then(text)),
        ("labels", labels(&alerting.labels)),
        ("annotations", labels(&alerting.annotations)),
        ("page_alert", notice(&alerting.page)),
        ("ticket_alert", notice(&alerting.ticket)),
    ])
}

fn file_of(entries: Vec<WrittenEntry<'_, Yaml>>) -> String {
    let mut above = String::new();
    let mut services: Vec<(String, Vec<Yaml>)> = Vec::new();
    for entry in entries {
        let Some(value) = entry.piece else {
            above += &remarks(&entry.remarks, 0);
            continue;
        };
        let value = Yaml::Remarked(entry.remarks, Box::new(value));
        let service = service(entry.slo);
        match services.iter_mut().find(|(known, _)| known == service) {
            Some((_, slos)) => slos.push(value),
            None => services.push((service.to_owned(), vec![value])),
        }
    }
    let document = |(service, slos): (String, Vec<Yaml>)| {
        table([
            ("version", text("prometheus/v1")),
            ("service", text(service)),
            ("slos", Some(Yaml::List(slos))),
        ])
    };
    let all: Vec<Yaml> = services.into_iter().map(document).collect();
    above + &documents(&all)
}
