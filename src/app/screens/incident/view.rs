//! Draws the page of one incident.

use super::{OpenIncident, page};
use crate::app::prelude::*;
use crate::app::subjects::incident::remote;
use crate::app::subjects::incident::words;
use crate::model::ask::Topic;
use crate::model::incident::IncidentStatus;
use crate::model::remote::Freshness;

/// The kinds of answers that the screen uses, besides the incident's details.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// Draws the page.
pub(super) fn render(screen: &OpenIncident, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let Some(known) = screen.incident(shared) else {
        let words = "This incident is no longer listed by its source. Press Esc to go back.";
        text::say(&cx, 1, words, Role::Unknown, area, buf);
        return;
    };
    let mut doubt = layout::doubt_runs(shared, &USED, now);
    if doubt.is_empty() {
        doubt = failure(shared, &cx, known);
    }
    let rest = layout::heading(&cx, &title(&cx, known), &doubt, area, buf);
    text::runs(&cx, &status_line(shared, &cx, known), Rect { height: 1.min(rest.height), ..rest }, buf);
    let below = text_area(area);
    let page = page::page(screen, shared, &cx, known, below.width);
    let current = page.line_of(screen.scroll_position.panel, screen.alerts.index());
    page.render(&cx, screen.scroll_position.scroll, current, below, buf);
}

/// A warning if the details of the incident are stale or could not be loaded.
fn failure(shared: &Shared, cx: &Cx<'_>, known: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &known.incident;
    let Some(remote) = remote(shared, known) else { return Vec::new() };
    let topic = Topic::Incident(incident.id.clone());
    let words = match shared.scheduler.freshness(&incident.source, &topic, remote, cx.now) {
        Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => return Vec::new(),
        Freshness::Failed => remote.failure().map_or_else(|| "no answer".to_owned(), ToString::to_string),
        Freshness::Stale(age) => format!("details {} old", duration::short(age)),
    };
    vec![StyledRun::new(format!("{} {words}", cx.symbol(Role::Stale)), Role::Stale)]
}

fn title(cx: &Cx<'_>, known: &IncidentView) -> Vec<StyledRun<'static>> {
    let role = words::role(known, cx.now);
    vec![
        StyledRun::new(format!(" {} #{} ", cx.symbol(role), known.incident.number), role),
        StyledRun::new(known.incident.title.to_string(), Role::Title),
    ]
}

/// The status line: status and its age, urgency, assignee, next automatic step; the most important first.
fn status_line(shared: &Shared, cx: &Cx<'_>, known: &IncidentView) -> Vec<StyledRun<'static>> {
    let incident = &known.incident;
    let role = words::role(known, cx.now);
    let since = match (incident.status, incident.resolved_at) {
        (IncidentStatus::Triggered, _) => incident.created_at,
        (IncidentStatus::Acknowledged, _) => known.acknowledged_at().unwrap_or(incident.changed_at),
        (IncidentStatus::Resolved, at) => at.unwrap_or(incident.changed_at),
    };
    let mut runs =
        vec![StyledRun::new(format!("   {} {} ago  ", incident.status.word(), ago(since, cx.now)), role)];
    if let Some(sending) = words::sending(known, cx) {
        let kind = known.optimistic.map_or("", |optimistic| optimistic.kind.name());
        runs.push(StyledRun::new(format!("{} {kind} {sending}  ", cx.symbol(Role::Sending)), Role::Sending));
    }
    runs.push(StyledRun::new(format!("{}  ", words::priority_and_urgency(known)), Role::Text));
    let who = words::who(shared, known, cx.now);
    let nobody = if who.role == Role::Down { " assigned" } else { "" };
    runs.push(StyledRun::new(format!("{}{nobody}  ", who.text), who.role));
    if let Some(next) = incident.pending.iter().min_by_key(|pending| pending.at) {
        runs.push(StyledRun::new(
            format!("{}  ", words::pending(&next.what, next.at, cx.now)),
            Role::Warning,
        ));
    }
    runs.push(StyledRun::new(format!("since {}", moment(incident.created_at, cx.now, cx.zone)), Role::Muted));
    runs
}

/// The area of the scrolling text.
pub(super) fn text_area(body: Rect) -> Rect {
    layout::below_heading(layout::below_heading(body))
}
