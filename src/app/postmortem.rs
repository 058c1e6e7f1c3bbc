//! The draft of a blameless postmortem in Markdown, from the data of an incident, or of the time in which an alert fired.

mod reviewed;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;

use super::change_report;
use super::detection;
use super::identity::ReviewSubject;
use super::markdown_writer::{MarkdownWriter, escaped};
use super::number::{UNKNOWN, latency, or_dash, percent, rate};
use super::prelude::*;
use super::range;
use super::runs;
use super::subjects::slo::course::spent_between;
use super::subjects::slo::queries::spending_wants;
use super::subjects::{change, incident};
use super::widgets::spark;
use super::{firing_history, handoff};
use crate::model::ask::{Moment, Query};
use crate::model::incident::IncidentStatus;
use crate::model::journal::ActionRecord;
use crate::model::pages::times;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::slo::{TimeRange, show};
use reviewed::Reviewed;
pub use reviewed::{subject_of_alert, subject_of_service};

/// Changes this long before the incident are listed.
const CHANGES_BEFORE: SignedDuration = SignedDuration::from_mins(60);
/// Points of a chart, one character each.
const POINTS: u16 = 72;
/// Most SLOs in the table: each costs up to four queries.
const SLOS: usize = 2;

/// The moment at which the charts end.
fn shown(around: TimeRange, now: Timestamp) -> Moment {
    if around.end < now { Moment::At(around.end) } else { Moment::Now }
}

/// The length of a time range, at least one minute.
fn length(bounds: TimeRange) -> Duration {
    bounds.length().max(Duration::from_secs(60))
}

fn slos<'a>(shared: &'a Shared, reviewed: &Reviewed<'a>) -> Vec<&'a SloStatus> {
    let its = reviewed.service.map_or_else(Vec::new, |name| shared.world.slos_of(name));
    its.into_iter().take(SLOS).collect()
}

/// The queries of the report, besides those sent on every screen: incident, charts, firing history, budgets.
pub fn wants(shared: &Shared, subject: &ReviewSubject, now: Timestamp) -> Vec<Want> {
    let Some(reviewed) = Reviewed::of(&shared.world, subject) else { return Vec::new() };
    let around = reviewed.around(now);
    let mut wants = match subject {
        ReviewSubject::Incident(key) => incident::wants(shared, key),
        ReviewSubject::Outage(_) => Vec::new(),
    };
    wants.extend(detection::wants_of_time(shared, reviewed.onset()));
    let since = age(reviewed.from, now).saturating_add(Duration::from_secs(3600));
    wants.extend(change::wants_since(shared, since, now));
    wants.extend(want::firings(shared, around.end, length(around)));
    for status in slos(shared, &reviewed) {
        wants.extend(spending_wants(shared, &SloKey::of(status), now));
    }
    if let Some(name) = reviewed.service {
        wants.extend(chart_wants(shared, name, around, shown(around, now)));
    }
    wants
}

/// The queries of the service's charts at a moment; `Now` for an open incident.
fn chart_wants<'a>(
    shared: &'a Shared,
    name: &'a Text,
    around: TimeRange,
    moment: Moment,
) -> impl Iterator<Item = Want> + 'a {
    let window = TimeGrid::ending(around.end, length(around), POINTS, Duration::from_secs(15));
    let known_by = shared.world.service(name).map_or(&[][..], |service| &service.chart_sources);
    let asked = shared.answering(AskKind::Detail).filter(|source| known_by.contains(&source.id));
    asked.map(move |source| {
        let cache = shared.world.cache(&source.id);
        let detail = cache.and_then(|cache| cache.at(moment).details.get(name)?.whole());
        let time_range = range::time_range(window, detail.map(|detail| detail.request_rate.span));
        let query = Query::Detail { service: name.clone(), time_range };
        Want { interval: Duration::from_secs(60), ..want::at(shared, &source.id, query, moment) }
    })
}

/// The draft; `None` if the incident is unknown.
pub fn markdown(shared: &Shared, subject: &ReviewSubject, now: Timestamp) -> Option<String> {
    let reviewed = &Reviewed::of(&shared.world, subject)?;
    let mut writer = MarkdownWriter::titled(&format!("Postmortem: {}", reviewed.title));
    writer.paragraph(
        "Draft, generated from the data of the sources. Keep it blameless: how it could happen, not who caused it. Times are \
         recorded by the systems; users may have been affected earlier or longer.",
    );
    match reviewed.view {
        Some(view) => facts(shared, view, now, &mut writer),
        None => outage_facts(shared, reviewed, now, &mut writer),
    }
    impact(shared, reviewed, now, &mut writer);
    charts(shared, reviewed, now, &mut writer);
    timeline(shared, reviewed, now, &mut writer);
    changes(shared, reviewed, &mut writer);
    if let Some(view) = reviewed.view {
        people(shared, view, &mut writer);
        earlier(shared, view, &mut writer);
    }
    for (title, question) in [
        ("What went well", "What shortened the incident?"),
        ("What went badly", "What made the incident longer, or harder to detect?"),
        ("Where we were lucky", "What could have made the incident worse?"),
        ("Action items", "Each with an owner and a date: prevent, detect sooner, recover faster."),
    ] {
        writer.section(title);
        writer.paragraph(&format!("_{question}_"));
    }
    Some(writer.into_text())
}

fn moment(shared: &Shared, at: Timestamp) -> String {
    at.to_zoned(shared.look.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The time from one moment to another, as text.
fn after(from: Timestamp, to: Timestamp) -> String {
    Duration::try_from(to.duration_since(from))
        .map_or_else(|_| "before the incident".to_owned(), duration::short)
}

fn facts(shared: &Shared, view: &IncidentView, now: Timestamp, writer: &mut MarkdownWriter) {
    let incident = &view.incident;
    let its = times(incident);
    let acknowledged = its.acknowledged.map_or_else(
        || "unknown".to_owned(),
        |at| format!("after {} ({})", after(incident.created_at, at), moment(shared, at)),
    );
    let resolved = match incident.resolved_at {
        Some(at) => format!("after {} ({})", after(incident.created_at, at), moment(shared, at)),
        None if incident.status == IncidentStatus::Resolved => "yes, time unknown".to_owned(),
        None => format!("not yet, open for {}", after(incident.created_at, now)),
    };
    let name = |text: Option<&Text>| text.map_or_else(|| "-".to_owned(), ToString::to_string);
    let rows = [
        ("Service", name(incident::service(view))),
        ("Priority", name(incident.priority.as_ref().map(|priority| &priority.named.name))),
        ("Urgency", incident.urgency.word().to_owned()),
        ("Created", moment(shared, incident.created_at)),
        ("Detected", detection::sentence(&detection::of_one(shared, view), |at| moment(shared, at))),
        ("Acknowledged", acknowledged),
        ("Resolved", resolved),
        ("Escalation policy", name(incident.escalation_policy.as_ref().map(|policy| &policy.name))),
        ("Link", name(incident.url.as_ref())),
    ];
    writer.table(&["", ""], rows.map(|(name, value)| [name.to_owned(), value]));
}

/// The facts of a time without an incident of a paging system.
fn outage_facts(shared: &Shared, reviewed: &Reviewed<'_>, now: Timestamp, writer: &mut MarkdownWriter) {
    let ended = match reviewed.until {
        Some(at) => format!("after {} ({})", after(reviewed.from, at), moment(shared, at)),
        None => format!("not yet, for {}", after(reviewed.from, now)),
    };
    let detected = reviewed.onset().map_or_else(
        || "not measured".to_owned(),
        |onset| detection::sentence(&detection::of_time(shared, &onset), |at| moment(shared, at)),
    );
    let rows = [
        ("Service", reviewed.service.map_or_else(|| "-".to_owned(), ToString::to_string)),
        ("Began", moment(shared, reviewed.from)),
        ("Detected", detected),
        ("Ended", ended),
        ("Incident", "none of a paging system".to_owned()),
    ];
    writer.table(&["", ""], rows.map(|(name, value)| [name.to_owned(), value]));
}

fn impact(shared: &Shared, reviewed: &Reviewed<'_>, now: Timestamp, writer: &mut MarkdownWriter) {
    writer.section("Impact on error budgets");
    let bounds = TimeRange { start: reviewed.from, end: reviewed.until.unwrap_or(now) };
    let time = |at: Timestamp| at.to_zoned(shared.look.zone.clone()).strftime("%H:%M").to_string();
    let row = |status: &SloStatus| {
        let (share, hours) = match spent_between(shared, status, bounds) {
            Some((share, hours)) => {
                (show::left(share), format!("{} to {}", time(hours.start), time(hours.end.min(now))))
            }
            None => ("unknown".to_owned(), UNKNOWN.to_owned()),
        };
        let left = status.worst().and_then(crate::model::slo::GroupStatus::left);
        [handoff::named(status), share, hours, or_dash(left, show::left)]
    };
    let rows: Vec<_> = slos(shared, reviewed).into_iter().map(row).collect();
    writer.table(&["SLO", "Budget spent", "Time slots", "Budget left"], &rows);
    if rows.is_empty() {
        writer.paragraph(
            "No SLO of this service is known. Describe the impact on users, requests and revenue here.",
        );
    }
}

fn charts(shared: &Shared, reviewed: &Reviewed<'_>, now: Timestamp, writer: &mut MarkdownWriter) {
    let Some(name) = reviewed.service else { return };
    let around = reviewed.around(now);
    let end = shown(around, now);
    let cache = shared.world.sources();
    let cache = cache.filter_map(|(id, cache)| Some((id, cache.at(end).details.get(name)?.value()?)));
    let mut lines = Vec::new();
    for (source, detail) in cache {
        let mut chart = |title: &str, matrix: &Matrix, labels: &Labels, words: fn(f64) -> String| {
            let Some(line) = matrix.line(labels).or(matrix.lines.first()) else { return };
            let view = || line.values.iter().copied().filter(|value| value.is_finite());
            if view().next().is_none() {
                return;
            }
            let highest = view().fold(f64::NEG_INFINITY, f64::max);
            lines.push(format!("{title}, {source} (highest {})", or_dash(Some(highest), words)));
            lines.push(spark::text(&line.values, usize::from(POINTS)));
        };
        let none = Labels::default();
        chart("error ratio", &detail.error_ratio, &none, percent);
        chart("requests per second", &detail.request_rate, &none, rate);
        chart("latency p99", &detail.latency, &Labels::from_iter([("quantile", "0.99")]), latency);
    }
    if lines.is_empty() {
        return;
    }
    let (from, to) = (moment(shared, around.start), moment(shared, around.end));
    writer.section(&format!("{name} from {from} to {to}"));
    writer.block(&lines);
}

/// The log of an incident and the actions on it.
fn incident_events(shared: &Shared, view: &IncidentView) -> Vec<(Timestamp, String)> {
    let incident = &view.incident;
    let mut events = Vec::new();
    if let Some(detail) = shared.world.incident_detail(view) {
        events.extend(detail.steps.iter().map(|step| (step.at, escaped(&step.summary))));
        let notes = detail.notes.iter();
        let said = |who: &str, what: &str| format!("{}: {}", escaped(who), escaped(what));
        events.extend(notes.map(|note| (note.at, said(&note.who, &note.content))));
    } else {
        events.push((incident.created_at, "incident created (the incident log is not available)".to_owned()));
    }
    let about = |record: &&ActionRecord| {
        *record.action.target.id == *incident.id && view.sources.contains(&record.action.source)
    };
    for record in shared.records.iter().filter(about) {
        let line = format!("{}: {}", escaped(&record.who), escaped(&runs::recorded(record)));
        events.push((record.begun_at, line));
    }
    events
}

fn timeline(shared: &Shared, reviewed: &Reviewed<'_>, now: Timestamp, writer: &mut MarkdownWriter) {
    writer.section("Timeline");
    let around = reviewed.around(now);
    let mut events = reviewed.view.map(|view| incident_events(shared, view)).unwrap_or_default();
    let noise = firing_history::between(&shared.world, &shared.sources, around.start, around.end);
    for fired in noise
        .fired
        .iter()
        .filter(|fired| fired.service.is_none() || fired.service.as_ref() == reviewed.service)
    {
        let flaps = if fired.is_flapping { " (flapping)" } else { "" };
        for firing in &fired.firings {
            let fires = if firing.is_open { "firing," } else { "fired" };
            let lasted = firing_history::lasted(firing);
            events.push((firing.from, format!("{}{flaps} {fires} for {lasted}", escaped(&fired.name))));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    let time = |at: Timestamp| at.to_zoned(shared.look.zone.clone());
    let line = |(at, words)| format!("**{}** {words}", time(at).strftime("%H:%M:%S"));
    writer.points(events.into_iter().map(line));
    if !noise.is_whole {
        writer.paragraph(handoff::INCOMPLETE_HISTORY);
    }
}

/// The changes from an hour before the trouble until its end.
fn changes(shared: &Shared, reviewed: &Reviewed<'_>, writer: &mut MarkdownWriter) {
    let start = reviewed.from.checked_sub(CHANGES_BEFORE).unwrap_or(reviewed.from);
    let end = reviewed.until.unwrap_or(Timestamp::MAX);
    change_report::section(shared, TimeRange { start, end }, writer);
}

fn people(shared: &Shared, view: &IncidentView, writer: &mut MarkdownWriter) {
    writer.section("People");
    let incident = &view.incident;
    let mut said = BTreeSet::new();
    let mut points = Vec::new();
    let stamps = incident.acknowledged.iter().map(|stamp| (stamp, "acknowledged"));
    let stamps = stamps.chain(incident.assigned.iter().map(|stamp| (stamp, "was assigned")));
    for (stamp, what) in stamps {
        if said.insert(Text::clone(&stamp.who.name)) {
            points.push(format!("{}, {what}", escaped(&stamp.who.name)));
        }
    }
    for note in shared.world.incident_detail(view).into_iter().flat_map(|detail| &detail.notes) {
        if said.insert(Text::clone(&note.who)) {
            points.push(format!("{}, wrote notes", escaped(&note.who)));
        }
    }
    if points.is_empty() {
        writer.paragraph("No people are named.");
    }
    writer.points(points);
}

fn earlier(shared: &Shared, view: &IncidentView, writer: &mut MarkdownWriter) {
    let past = shared.world.incident_detail(view).map_or(&[][..], |detail| &detail.past);
    if past.is_empty() {
        return;
    }
    writer.section("Similar past incidents");
    writer.points(past.iter().map(|past| {
        let link = past.url.as_deref().map(|url| format!(" <{url}>")).unwrap_or_default();
        format!("{} {}{link}", moment(shared, past.created_at), escaped(&past.title))
    }));
}
