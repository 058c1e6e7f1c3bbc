//! How one incident looks.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::page::{self, IncidentPage};
use super::{ALERTS, remote};
use crate::app::frame;
use crate::app::look::Cx;
use crate::app::number::{ago, moment};
use crate::app::screens::incidents::words;
use crate::app::screens::page::scroll_to;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};
use crate::model::ask::{AskKind, Topic};
use crate::model::duration;
use crate::model::incident::IncidentStatus;
use crate::model::remote::{Freshness, age};
use crate::model::source::SourceId;
use crate::model::world::Linked;

/// What the screen is drawn from, besides the incident's own details.
const USED: [AskKind; 1] = [AskKind::Incidents];

/// Draws the incident.
pub fn render(state: &State, source: &SourceId, id: &str, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let Some(known) = state.world.incident(source, id) else {
        let words = "This incident is gone: its source does not name it any more. Esc goes back.";
        text::put(buf, area.x + 1, area.y, area.width.saturating_sub(1), words, cx.style(Role::Unknown));
        return;
    };
    let mut doubt = frame::doubt_runs(state, &USED, now);
    if doubt.is_empty() {
        doubt = trouble(state, &cx, known);
    }
    let rest = frame::heading(&cx, &title(&cx, known), &doubt, area, buf);
    text::runs(&cx, &standing(state, &cx, known), Rect { height: 1.min(rest.height), ..rest }, buf);
    let below = text_area(area);
    let page = page::page(state, &cx, known, below.width);
    page.page.render(&cx, state.scroll, current(state, &page), below, buf);
}

/// What is wrong with what is known beyond the list.
fn trouble(state: &State, cx: &Cx<'_>, known: &Linked) -> Vec<Run<'static>> {
    let incident = &known.incident;
    let Some(remote) = remote(state, known) else { return Vec::new() };
    let topic = Topic::Incident(incident.id.clone());
    let words = match state.polls.freshness(&incident.source, &topic, &remote.state(), cx.now) {
        Freshness::NotAsked | Freshness::Loading | Freshness::Fresh => return Vec::new(),
        Freshness::Failed => remote.trouble().map_or_else(|| "no answer".to_owned(), ToString::to_string),
        Freshness::Stale(age) => format!("details {} old", duration::short(age)),
    };
    vec![Run::new(format!("{} {words}", cx.symbol(Role::Stale)), Role::Stale)]
}

fn title(cx: &Cx<'_>, known: &Linked) -> Vec<Run<'static>> {
    let role = words::role(known, cx.now);
    vec![
        Run::new(format!(" {} #{} ", cx.symbol(role), known.incident.number), role),
        Run::new(known.incident.title.to_string(), Role::Title),
    ]
}

/// Status since when, weight, who has it, and what happens next by itself; as one line, what matters most first.
fn standing(state: &State, cx: &Cx<'_>, known: &Linked) -> Vec<Run<'static>> {
    let incident = &known.incident;
    let role = words::role(known, cx.now);
    let since = match (incident.status, incident.resolved_at) {
        (IncidentStatus::Triggered, _) => incident.created_at,
        (IncidentStatus::Acknowledged, _) => known.acknowledged_at().unwrap_or(incident.changed_at),
        (IncidentStatus::Resolved, at) => at.unwrap_or(incident.changed_at),
    };
    let mut runs =
        vec![Run::new(format!("   {} {} ago  ", incident.status.word(), ago(since, cx.now)), role)];
    if let Some(sending) = words::sending(known, cx) {
        let kind = known.supposed.map_or("", |supposed| supposed.kind.name());
        runs.push(Run::new(format!("{} {kind} {sending}  ", cx.symbol(Role::Sending)), Role::Sending));
    }
    runs.push(Run::new(format!("{}  ", words::weight(known)), Role::Text));
    let who = words::who(state, known, cx.now);
    let nobody = if who.role == Role::Down { " has it" } else { "" };
    runs.push(Run::new(format!("{}{nobody}  ", who.text), who.role));
    if let Some(next) = incident.pending.iter().min_by_key(|pending| pending.at) {
        runs.push(Run::new(format!("{}  ", pending(&next.what, next.at, cx.now)), Role::Warning));
    }
    runs.push(Run::new(format!("since {}", moment(incident.created_at, cx.now, cx.zone)), Role::Muted));
    runs
}

/// What the paging system will do by itself, in words: "escalates in 12m".
pub(super) fn pending(what: &str, at: Timestamp, now: Timestamp) -> String {
    let does = match what {
        "escalate" => "escalates",
        "unacknowledge" => "is nobody's again",
        "resolve" => "resolves by itself",
        other => other,
    };
    let left = age(now, at).as_secs().div_ceil(60);
    if left == 0 {
        return format!("{does} now");
    }
    format!("{does} in {}", duration::short(std::time::Duration::from_secs(left * 60)))
}

fn current(state: &State, page: &IncidentPage) -> Option<usize> {
    (state.panel == ALERTS).then(|| page.rows.get(state.incident.index()).copied()).flatten()
}

/// Where the text stands that scrolls.
pub fn text_area(body: Rect) -> Rect {
    frame::below_heading(frame::below_heading(body))
}

/// The page as it is laid out, which does not depend on the moment.
fn laid_out(state: &State, source: &SourceId, id: &str, width: u16) -> Option<IncidentPage> {
    let known = state.world.incident(source, id)?;
    Some(page::page(state, &state.cx(known.incident.created_at), known, width))
}

/// How far the text can be scrolled that stands in this area.
pub fn last_scroll(state: &State, source: &SourceId, id: &str, area: Rect) -> u16 {
    laid_out(state, source, id, area.width).map_or(0, |page| page.page.last_scroll(area.height))
}

/// The scroll nearest to the present one that shows the row under the cursor.
pub fn scroll_to_cursor(state: &State, source: &SourceId, id: &str, area: Rect) -> u16 {
    let page = laid_out(state, source, id, area.width);
    let line = page.and_then(|page| current(state, &page));
    line.map_or(state.scroll, |line| scroll_to(line, state.scroll, area.height))
}

/// The alert at a cell, by its place in the list.
pub fn row_at(
    state: &State,
    source: &SourceId,
    id: &str,
    area: Rect,
    (column, row): (u16, u16),
) -> Option<usize> {
    if !area.contains((column, row).into()) {
        return None;
    }
    let line = usize::from(state.scroll + (row - area.y));
    laid_out(state, source, id, area.width)?.rows.iter().position(|at| *at == line)
}
