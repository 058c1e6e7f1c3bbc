//! The text of an incident's page, as lines that scroll.

use std::time::Duration;

use super::{ALERTS, IncidentAlertRow, OpenIncident, reported};
use crate::app::prelude::*;
use crate::app::subjects::incident::remote;
use crate::app::subjects::incident::words;
use crate::model::action::Operation;
use crate::model::incident::{Attribution, IncidentDetail, IncidentEvent, Note};
use crate::model::measures::DurationStats;

/// A note and the log entry about it are at most this far apart.
const SAME_EVENT_WITHIN: Duration = Duration::from_secs(5);
/// Most details listed below an alert.
const MAX_DETAILS: usize = 6;
/// Details of Alertmanager's default template that repeat the alerts themselves.
const REPEATED_DETAILS: [&str; 3] = ["firing", "num_firing", "num_resolved"];
/// The cells of a time. All times have the same width, so that the line breaks do not change with the time.
const TIME: u16 = 11;

/// The whole text: facts, alerts, timeline, response times, similar incidents.
pub(super) fn page(
    screen: &OpenIncident,
    shared: &Shared,
    cx: &Cx<'_>,
    known: &IncidentView,
    width: u16,
) -> PageContent {
    let mut page = PageContent::new(width);
    let detail = shared.world.incident_detail(known);
    facts(shared, cx, known, &mut page);
    alerts(screen, shared, cx, known, &mut page);
    if let Some(detail) = detail {
        timeline(cx, detail, &mut page);
        times(shared, known, Some(detail), &mut page);
        past(cx, detail, &mut page);
        for warning in remote(shared, known).map(|remote| &remote.warnings).into_iter().flatten() {
            page.paragraph(&format!("{} {warning}", cx.symbol(Role::Warning)), Role::Warning);
        }
    } else {
        page.title("Timeline");
        let failure = remote(shared, known).and_then(|remote| remote.failure());
        let (words, role) = match failure {
            Some(error) => (format!("{error}. {}", error.kind.advice()), Role::Stale),
            None => (shared.waiting().to_owned(), Role::Muted),
        };
        page.paragraph(&format!(" {words}"), role);
        times(shared, known, None, &mut page);
    }
    page
}

fn facts(shared: &Shared, cx: &Cx<'_>, known: &IncidentView, page: &mut PageContent) {
    let incident = &known.incident;
    let monitored = known.service.as_ref();
    let paging = incident.service.as_ref().map(|service| &service.name);
    match (monitored, paging) {
        (Some(name), Some(paging)) if name != paging => {
            page.pair("service", &format!("{name} ({paging})"), Role::Accent);
        }
        (Some(name), _) => page.pair("service", name, Role::Accent),
        (None, Some(paging)) => page.pair("service", paging, Role::Text),
        (None, None) => {}
    }
    let people = |stamps: &[Attribution]| {
        let one = |stamp: &Attribution| {
            format!("{} {} ago", words::name(shared, &incident.source, &stamp.who), ago(stamp.at, cx.now))
        };
        stamps.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    if !incident.acknowledged.is_empty() {
        let role = if known.is_acknowledgement_old(cx.now) { Role::Stale } else { Role::Text };
        page.pair("acknowledged by", &people(&incident.acknowledged), role);
    }
    if !incident.assigned.is_empty() {
        page.pair("assigned to", &people(&incident.assigned), Role::Text);
    }
    for next in &incident.pending {
        let words =
            format!("{}, {}", words::pending(&next.what, next.at, cx.now), moment(next.at, cx.now, cx.zone));
        page.pair("next", &words, Role::Warning);
    }
    if let Some(policy) = &incident.escalation_policy {
        page.pair("policy", &policy.name, Role::Text);
    }
    if !incident.teams.is_empty() {
        let teams: Vec<&str> = incident.teams.iter().map(|team| &*team.name).collect();
        page.pair("teams", &teams.join(", "), Role::Text);
    }
    for (name, value) in [("conference", &incident.conference), ("link", &incident.url)] {
        if let Some(value) = value {
            page.pair(name, value, Role::Accent);
        }
    }
    for one in shared.world.optimistic_changes_of(&known.sources, &incident.id) {
        let more = if let Operation::Note { content } = &one.action.operation {
            format!(": {content}")
        } else {
            String::new()
        };
        let (kind, ellipsis) = (one.action.operation.kind().name(), text::ellipsis(cx.charset));
        page.pair("in progress", &format!("{kind} {ellipsis}{}{more}", one.stage.word()), Role::Sending);
    }
    let sources: Vec<&str> = known.sources.iter().map(SourceId::as_str).collect();
    page.pair("source", &sources.join(", "), Role::Muted);
}

fn alerts(screen: &OpenIncident, shared: &Shared, cx: &Cx<'_>, known: &IncidentView, page: &mut PageContent) {
    let list = &screen.alerts;
    let counts = known.incident.alerts;
    let open =
        if counts.triggered < counts.all { format!(", {} open", counts.triggered) } else { String::new() };
    page.title(&format!("Alerts {}{open}", counts.all));
    for (index, row) in list.rows().iter().enumerate() {
        let is_current = screen.scroll_position.panel == ALERTS && index == list.index();
        let mut runs = Vec::new();
        let reported = match row {
            IncidentAlertRow::Reported(id) => reported(shared, known, id),
            IncidentAlertRow::Linked(_) => None,
        };
        let linked = match row {
            IncidentAlertRow::Reported(_) => reported.and_then(|reported| shared.world.alert_of(reported)),
            IncidentAlertRow::Linked(fingerprint) => Some(*fingerprint),
        };
        let linked = linked.and_then(|fingerprint| shared.world.alert(fingerprint));
        if let Some(reported) = reported {
            let role = if reported.is_resolved {
                Role::Resolved
            } else {
                linked.map_or(Role::Info, |a| Role::of_alert(a))
            };
            let word = if reported.is_resolved { "resolved" } else { "open" };
            runs.push(StyledRun::new(
                format!(" {} {word:<8} {:>6}  ", cx.symbol(role), ago(reported.created_at, cx.now)),
                role,
            ));
            // the alert's summary is left out if it is the same as the incident's title
            if reported.summary != known.incident.title || linked.is_none() {
                runs.push(StyledRun::new(format!("{}  ", reported.summary), Role::Text));
            }
        } else if let Some(alert) = linked {
            let role = Role::of_alert(alert);
            let since = ago(alert.starts_at, cx.now);
            runs.push(StyledRun::new(
                format!(" {} {:<8} {since:>6}  ", cx.symbol(role), alert.state.word()),
                role,
            ));
            runs.push(StyledRun::new(format!("{}  ", alert.name()), Role::Text));
            runs.push(StyledRun::new(
                alert.summary().map_or(String::new(), ToString::to_string),
                Role::Muted,
            ));
        }
        if let (Some(alert), Some(_)) = (linked, reported) {
            runs.push(StyledRun::new(
                format!("{} {} is {}  ", cx.charset.pick("→", "->"), alert.name(), alert.state),
                Role::Accent,
            ));
            runs.push(StyledRun::new(
                alert.summary().map_or(String::new(), ToString::to_string),
                Role::Muted,
            ));
        }
        page.row(cx, (ALERTS, index), is_current, runs);
        if let Some(reported) = reported {
            // details that repeat the alerts burnwatch knows are left out
            let are_known = !reported.firing.is_empty()
                && reported.firing.iter().all(|labels| shared.world.alert(Fingerprint::of(labels)).is_some());
            let is_new = |(name, value): &(&Text, &Text)| {
                !(value.is_empty() || are_known && REPEATED_DETAILS.contains(&&***name))
            };
            let details = reported.details.iter().filter(is_new);
            let details = details.chain(reported.labels.iter().filter(|_| linked.is_none()));
            for (name, value) in details.take(MAX_DETAILS) {
                page.pair(&format!("      {name}"), value, Role::Muted);
            }
        }
    }
    if list.rows().is_empty() {
        page.line(vec![StyledRun::new(
            "   No alerts are listed, and no firing alert matches this incident.",
            Role::Muted,
        )]);
    }
}

/// The log entries and notes, newest first.
fn timeline(cx: &Cx<'_>, detail: &IncidentDetail, page: &mut PageContent) {
    enum SectionEntry<'a> {
        Step(&'a IncidentEvent),
        Note(&'a Note),
    }
    page.title("Timeline, newest first");
    let is_same = |a: Timestamp, b: Timestamp| age(a, b).max(age(b, a)) <= SAME_EVENT_WITHIN;
    // a note replaces the log entry that only announces it
    let is_told = |step: &&IncidentEvent| {
        !(&*step.kind == "annotate" && detail.notes.iter().any(|note| is_same(note.at, step.at)))
    };
    let steps = detail.steps.iter().filter(is_told).map(|step| (step.at, SectionEntry::Step(step)));
    let mut all: Vec<(Timestamp, SectionEntry<'_>)> =
        steps.chain(detail.notes.iter().map(|note| (note.at, SectionEntry::Note(note)))).collect();
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    if all.is_empty() {
        page.line(vec![StyledRun::new("   No events", Role::Muted)]);
    }
    for (at, entry) in all {
        let time = time(at, cx);
        let indent = TIME + 4;
        let room = page.width.saturating_sub(indent + 1).max(8);
        let (words, role) = match &entry {
            SectionEntry::Step(step) => (sentence(step), step_role(step)),
            SectionEntry::Note(note) => (format!("{} wrote: {}", note.who, note.content), Role::Text),
        };
        let sign = match &entry {
            SectionEntry::Note(_) => cx.charset.pick("✎", "\""),
            SectionEntry::Step(_) if role == Role::Muted => " ",
            SectionEntry::Step(_) => cx.symbol(role),
        };
        let mut head = format!(" {time} {sign} ");
        for line in text::wrap(&words, room) {
            page.line(vec![StyledRun::new(head, Role::Muted), StyledRun::new(line, role)]);
            head = " ".repeat(usize::from(indent));
        }
    }
}

/// The time of day; for another day the date and the time.
fn time(at: Timestamp, cx: &Cx<'_>) -> String {
    let (here, today) = (at.to_zoned(cx.zone.clone()), cx.now.to_zoned(cx.zone.clone()));
    let form = if here.date() == today.date() { "%H:%M:%S   " } else { "%m-%d %H:%M" };
    here.strftime(form).to_string()
}

fn step_role(step: &IncidentEvent) -> Role {
    match &*step.kind {
        "trigger" => Role::Critical,
        "acknowledge" => Role::Pending,
        "resolve" => Role::Resolved,
        "escalate" | "unacknowledge" | "reassign" | "assign" | "delegate" | "snooze" | "urgency_change" => {
            Role::Warning
        }
        _ => Role::Muted,
    }
}

/// The text of a log entry, with the person and the channel if the paging system's summary does not name them.
fn sentence(step: &IncidentEvent) -> String {
    let mut said = if step.summary.is_empty() { step.kind.to_string() } else { step.summary.to_string() };
    if let Some(who) = step.who.as_ref().filter(|who| !said.contains(&***who)) {
        said = format!("{said} ({who})");
    }
    if let Some(channel) = step.channel.as_ref().filter(|channel| !said.contains(&***channel)) {
        said = format!("{said}, by {channel}");
    }
    said
}

/// The times to acknowledge and to resolve, with the medians of the other incidents of the service.
fn times(shared: &Shared, known: &IncidentView, detail: Option<&IncidentDetail>, page: &mut PageContent) {
    let incident = &known.incident;
    let first = detail.and_then(|detail| detail.steps.iter().find(|step| &*step.kind == "acknowledge"));
    let taken =
        first.map(|step| age(incident.created_at, step.at)).or_else(|| incident.time_to_acknowledge());
    let others = || {
        let all = shared.world.incidents().iter();
        let same = all.filter(|other| match &incident.service {
            Some(service) => other.incident.service.as_ref().is_some_and(|its| its.id == service.id),
            None => false,
        });
        same.filter(|other| other.incident.id != incident.id)
    };
    let usual = |measure: DurationStats| {
        let typical = measure.typical.filter(|_| measure.counted > 1);
        let words = |typical: crate::model::measures::Average| {
            format!(
                "; median {} over {} incidents of this service",
                duration::short(typical.median),
                measure.counted
            )
        };
        typical.map(words).unwrap_or_default()
    };
    page.title("Response times");
    let acknowledged = usual(DurationStats::between(others().filter_map(|other| {
        let after = other.incident.time_to_acknowledge()?;
        Some((other.incident.created_at, Some(other.incident.created_at + after)))
    })));
    let after = taken.map_or_else(|| "not yet".to_owned(), |time| format!("after {}", duration::short(time)));
    page.pair("acknowledged", &format!("{after}{acknowledged}"), Role::Text);
    let resolved = usual(DurationStats::between(others().filter_map(|other| {
        let at = other.incident.resolved_at?;
        Some((other.incident.created_at, Some(at)))
    })));
    let after =
        incident.resolved_at.map(|at| format!("after {}", duration::short(age(incident.created_at, at))));
    page.pair(
        "resolved",
        &format!("{}{resolved}", after.unwrap_or_else(|| "not yet".to_owned())),
        Role::Text,
    );
}

/// Similar past incidents, as the paging system ranks them.
fn past(cx: &Cx<'_>, detail: &IncidentDetail, page: &mut PageContent) {
    if detail.past.is_empty() {
        return;
    }
    page.title("Similar incidents");
    for past in &detail.past {
        let likeness = format!("{:.0}%", (past.likeness / 10.0).clamp(0.0, 100.0));
        page.line(vec![
            StyledRun::new(
                format!("   {}  {likeness:>4} similar  ", moment(past.created_at, cx.now, cx.zone)),
                Role::Muted,
            ),
            StyledRun::new(past.title.to_string(), Role::Text),
        ]);
    }
}
