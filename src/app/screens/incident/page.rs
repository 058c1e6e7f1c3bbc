//! The text of an incident's page, as lines that scroll.

use super::layout::CockpitLayout;
use super::panel::{Cockpit, CockpitPanel};
use super::{ALERTS, IncidentAlertRow, OpenIncident, reported};
use crate::app::detection;
use crate::app::prelude::*;
use crate::app::subjects::incident::{remote, words};
use crate::model::action::Operation;
use crate::model::incident::{Incident, IncidentDetail, IncidentEvent};
use crate::model::measures::DurationStats;

/// A note and the log entry about it are at most this far apart.
const SAME_EVENT_WITHIN: Duration = Duration::from_secs(5);
/// Most details listed below an alert.
const MAX_DETAILS: usize = 6;
/// Details of Alertmanager's default template that repeat the alerts themselves.
const REPEATED_DETAILS: [&str; 3] = ["firing", "num_firing", "num_resolved"];

/// The sections of the text before its timeline and after it, where they have no panels.
const BEFORE_TIMELINE: [CockpitPanel; 3] = [CockpitPanel::Why, CockpitPanel::Changes, CockpitPanel::Logs];
const AFTER_TIMELINE: [CockpitPanel; 5] = [
    CockpitPanel::People,
    CockpitPanel::Slo,
    CockpitPanel::Dependencies,
    CockpitPanel::Similar,
    CockpitPanel::Runbook,
];

/// The whole text: alerts, timeline, facts, response times, and between them what has no panel. What helps to act comes first.
pub(super) fn page(c: &Cockpit<'_>, parts: &CockpitLayout) -> PageContent {
    let Cockpit { screen, cx, view } = c;
    let mut page = screen.new_page(parts.text.width);
    let detail = cx.world.incident_detail(view);
    let sections = |panels: &[CockpitPanel], page: &mut PageContent| {
        panels.iter().filter(|panel| !parts.has(**panel)).for_each(|panel| c.write(*panel, page));
    };
    alerts(screen, cx, view, &mut page);
    sections(&BEFORE_TIMELINE, &mut page);
    if let Some(detail) = detail {
        timeline(cx, detail, &mut page);
        for warning in remote(cx.shared, view).map(|remote| &remote.warnings).into_iter().flatten() {
            page.remark(cx, warning, Role::Warning);
        }
    } else {
        page.title("Timeline");
        let failure = remote(cx.shared, view).and_then(|remote| remote.failure());
        let (words, role) = match failure {
            Some(error) => (format!("{error}. {}", error.kind.advice()), Role::Stale),
            None => (cx.shared.waiting().to_owned(), Role::Muted),
        };
        page.paragraph(&format!(" {words}"), role);
    }
    sections(&AFTER_TIMELINE, &mut page);
    page.title("About");
    facts(cx, view, &mut page);
    times(cx, view, detail, &mut page);
    page
}

fn facts(cx: &ScreenCx<'_>, view: &IncidentView, page: &mut PageContent) {
    let incident = &view.incident;
    let monitored = view.service.as_ref();
    let paging = incident.service.as_ref().map(|service| &service.name);
    match (monitored, paging) {
        (Some(name), Some(paging)) if name != paging => {
            page.pair("service", &format!("{name} ({paging})"), Role::Accent);
        }
        (Some(name), _) => page.pair("service", name, Role::Accent),
        (None, Some(paging)) => page.pair("service", paging, Role::Text),
        (None, None) => {}
    }
    for (name, value) in [("conference", &incident.conference), ("link", &incident.url)] {
        if let Some(value) = value {
            page.pair(name, value, Role::Accent);
        }
    }
    for one in cx.world.optimistic_changes_of(&view.sources, &incident.id) {
        let more = if let Operation::Note { content } = &one.action.operation {
            format!(": {content}")
        } else {
            String::new()
        };
        let (kind, ellipsis) = (one.action.operation.kind().name(), text::ellipsis(cx.charset));
        page.pair("in progress", &format!("{kind} {ellipsis}{}{more}", one.stage.word()), Role::Sending);
    }
    page.names("source", view.sources.iter().map(SourceId::as_str), Role::Muted);
}

fn alerts(screen: &OpenIncident, cx: &ScreenCx<'_>, view: &IncidentView, page: &mut PageContent) {
    let list = &screen.alerts;
    let counts = view.incident.alerts;
    let open =
        if counts.triggered < counts.all { format!(", {} open", counts.triggered) } else { String::new() };
    page.title(&format!("Alerts {}{open}", counts.all));
    for (index, row) in list.rows().iter().enumerate() {
        let reported = match row {
            IncidentAlertRow::Reported(id) => reported(cx.shared, view, id),
            IncidentAlertRow::Linked(_) => None,
        };
        let linked = match row {
            IncidentAlertRow::Reported(_) => reported.and_then(|reported| cx.world.alert_of(reported)),
            IncidentAlertRow::Linked(fingerprint) => Some(*fingerprint),
        };
        let linked = linked.and_then(|fingerprint| cx.world.alert(fingerprint));
        let head = |role: Role, word: &str, since| {
            let words = format!(" {} {word:<8} {:>6}  ", cx.symbol(role), ago(since, cx.now));
            StyledRun::new(words, role)
        };
        let mut runs = Vec::new();
        if let Some(reported) = reported {
            let (role, word) = match linked {
                _ if reported.is_resolved => (Role::Resolved, "resolved"),
                Some(alert) => (Role::of_alert(alert), "open"),
                None => (Role::Info, "open"),
            };
            runs.push(head(role, word, reported.created_at));
            // the alert's summary is left out if it is the same as the incident's title
            if reported.summary != view.incident.title || linked.is_none() {
                runs.push(StyledRun::new(format!("{}  ", reported.summary), Role::Text));
            }
        }
        if let Some(alert) = linked {
            runs.extend(match reported {
                Some(_) => {
                    let arrow = cx.charset.pick("→", "->");
                    let words = format!("{arrow} {} is {}  ", alert.name(), alert.state);
                    vec![StyledRun::new(words, Role::Accent)]
                }
                None => vec![
                    head(Role::of_alert(alert), alert.state.word(), alert.starts_at),
                    StyledRun::new(format!("{}  ", alert.name()), Role::Text),
                ],
            });
            let summary = alert.summary().map_or(String::new(), ToString::to_string);
            runs.push(StyledRun::new(summary, Role::Muted));
        }
        page.row(cx, (ALERTS, index), runs);
        if let Some(reported) = reported {
            // details that repeat the alerts burnwatch knows are left out
            let are_known = !reported.firing.is_empty()
                && reported.firing.iter().all(|labels| cx.world.alert(Fingerprint::of(labels)).is_some());
            let is_new = |(name, value): &(&Text, &Text)| {
                !(value.is_empty() || are_known && REPEATED_DETAILS.contains(&&***name))
            };
            let details = reported.details.iter().filter(is_new);
            let details = details.chain(reported.labels.iter().filter(|_| linked.is_none()));
            for (name, value) in details.take(MAX_DETAILS) {
                page.lines.extend(text::beside(
                    &format!("        {name:<10} "),
                    value,
                    page.width,
                    Role::Muted,
                ));
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
    page.title("Timeline, newest first");
    let is_same = |a: Timestamp, b: Timestamp| age(a, b).max(age(b, a)) <= SAME_EVENT_WITHIN;
    // the log entry about a note is left out: the note itself is listed
    let is_told = |step: &&IncidentEvent| {
        !(&*step.kind == "annotate" && detail.notes.iter().any(|note| is_same(note.at, step.at)))
    };
    let steps = detail.steps.iter().filter(is_told).map(|step| {
        let role = step_role(step);
        let sign = if role == Role::Muted { " " } else { cx.symbol(role) };
        (step.at, sign, words::sentence(step), role)
    });
    let notes = detail.notes.iter().map(|note| {
        let words = format!("{} wrote: {}", note.who, note.content);
        (note.at, cx.charset.pick("✎", "\""), words, Role::Text)
    });
    let mut all: Vec<_> = steps.chain(notes).collect();
    all.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
    if all.is_empty() {
        page.line(vec![StyledRun::new("   No events", Role::Muted)]);
    }
    for (at, sign, words, role) in all {
        let head = format!(" {} {sign} ", time(at, cx));
        page.lines.extend(text::beside(&head, &words, page.width, role));
    }
}

/// The time of day; for another day the date and the time. All have the same width, so that line breaks do not change.
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

/// The times to detect, to acknowledge and to resolve, with the medians of the other incidents of the service.
fn times(cx: &ScreenCx<'_>, view: &IncidentView, detail: Option<&IncidentDetail>, page: &mut PageContent) {
    let (shared, incident) = (cx.shared, &view.incident);
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
    page.title("Response times");
    let found = detection::of_one(shared, view);
    let role = if found.is_ok() { Role::Text } else { Role::Muted };
    page.pair("detected", &detection::sentence(&found, |at| moment(at, cx.now, cx.zone)), role);
    let mut pair = |name: &str, taken: Option<Duration>, ended: fn(&Incident) -> Option<Timestamp>| {
        let stats = DurationStats::between(
            others().filter_map(|other| Some((other.incident.created_at, Some(ended(&other.incident)?)))),
        );
        let usual = stats.typical.filter(|_| stats.counted > 1).map(|typical| {
            let median = duration::short(typical.median);
            format!("; median {median} over {} incidents of this service", stats.counted)
        });
        let after = taken.map_or("not yet".to_owned(), |time| format!("after {}", duration::short(time)));
        page.pair(name, &(after + &usual.unwrap_or_default()), Role::Text);
    };
    pair("acknowledged", taken, |one| Some(one.created_at + one.time_to_acknowledge()?));
    let resolved = incident.resolved_at.map(|at| age(incident.created_at, at));
    pair("resolved", resolved, |one| one.resolved_at);
}
