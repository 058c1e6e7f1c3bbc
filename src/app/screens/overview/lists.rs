//! Draws the open incidents and the SLOs of the overview.

use super::panels::ListPanel;
use super::{INCIDENTS, Overview, SLOS};
use crate::app::prelude::*;
use crate::app::subjects::{incident, slo};
use crate::app::widgets::bar::Gauge;
use crate::model::incident::IncidentStatus;
use crate::model::slo::{BASIS, SloState};

/// Cells of the budget bar.
const BAR: u16 = 8;
/// Cells of the remaining budget, the burn rate and the time to exhaustion, each with a blank.
const LEFT: u16 = 7;
const BURN: u16 = 8;
const GONE: u16 = 8;

/// Draws the panel with the most urgent incidents.
pub(super) fn incidents(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.incidents;
    let open = cx.world.incidents().iter().filter(|known| known.incident.is_open());
    let waiting = open.filter(|known| known.incident.status == IncidentStatus::Triggered).count();
    let mut title = vec![format!("Open incidents {}", list.rows().len())];
    if waiting > 0 {
        title.push(format!("{waiting} not acknowledged"));
    }
    let panel = ListPanel { panel: INCIDENTS, list, title, kinds: &[AskKind::Incidents] };
    panel.render(screen, cx, area, buf, |key, line, buf, stale_sources| {
        let Some(known) = key.incident(cx.world) else { return false };
        draw_incident(screen, cx, known, line, buf);
        stale_sources.iter().any(|doubt| doubt.source == known.incident.source)
    });
}

/// Draws one incident: symbol, priority, title; at the right the assignee and the age.
fn draw_incident(screen: &Overview, cx: &ScreenCx<'_>, view: &IncidentView, line: Rect, buf: &mut Buffer) {
    let incident = &view.incident;
    let role = incident::words::role(view, cx.now);
    let mut runs = vec![StyledRun::new(format!(" {} ", cx.symbol(role)), role)];
    if let Some(priority) = &incident.priority {
        runs.push(StyledRun::new(format!("{} ", priority.named.name), Role::Text));
    }
    runs.extend(screen.found.highlighted(incident.subject(), role));
    let mut who = incident::words::who(cx, view);
    if let Some(sending) = incident::words::sending(view, cx) {
        who = StyledRun::new(format!("{} {sending}", incident.status.word()), Role::Sending);
    }
    let age = format!("  {}", ago(incident.created_at, cx.now));
    let shown = text::fit(&who.text, line.width / 3, cx.charset).into_owned();
    let right = text::width(&shown) + text::width(&age) + 1;
    text::runs(cx, &runs, Rect { width: line.width.saturating_sub(right + 2), ..line }, buf);
    let place = Rect { x: line.right().saturating_sub(right), width: right.min(line.width), ..line };
    text::runs(cx, &[StyledRun::new(shown, who.role), StyledRun::new(age, Role::Muted)], place, buf);
}

/// Draws the panel with the worst SLOs.
pub(super) fn slos(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let (list, all) = (&screen.slos, cx.world.slos());
    let mut title = vec![format!("SLOs {}", count(list.rows().len(), all.len()))];
    title.extend(slo::words::totals(&slo::words::count_states(all)).map(|(total, _)| total));
    let names = list.rows().iter().map(|key| text::width(&key.id)).max().unwrap_or(0);
    let panel = ListPanel { panel: SLOS, list, title, kinds: &[AskKind::Slos] };
    panel.render(screen, cx, area, buf, |key, line, buf, stale_sources| {
        let Some(status) = key.status(cx.world) else { return false };
        draw_slo(screen, cx, status, names, line, buf);
        stale_sources.iter().any(|doubt| doubt.source == status.source)
    });
}

/// Draws one SLO: symbol, name, budget as bar and percentage, burn rate, time to exhaustion; the last ones only if they fit.
fn draw_slo(
    screen: &Overview,
    cx: &ScreenCx<'_>,
    status: &SloStatus,
    names: u16,
    line: Rect,
    buf: &mut Buffer,
) {
    let role = Role::of_slo(status.state());
    let name_role = slo::words::role_or(status.state(), Role::Text);
    text::put(buf, line.x + 1, line.y, 1, cx.symbol(role), cx.style(role));
    let room = line.width.saturating_sub(3);
    let name = names.clamp(8, (room * 2 / 5).max(8)).min(room);
    let place = Rect { x: line.x + 3, width: name, height: 1, ..line };
    text::runs(cx, &screen.found.highlighted(&status.slo.id, name_role), place, buf);
    let (mut x, end) = (place.right() + 1, line.right().saturating_sub(1));
    let Some(worst) = status.worst().filter(|worst| worst.left().is_some()) else {
        let word = Rect { x, width: end.saturating_sub(x), height: 1, ..line };
        let mut notes = slo::words::notes(status, cx);
        if let (SloState::Insufficient, Some(covered)) = (status.state(), notes.first_mut()) {
            *covered = StyledRun::new(slo::words::state(status), Role::Pending);
        }
        let mut reported = status.worst().map_or_else(Vec::new, |worst| slo::words::burn_runs(status, worst));
        if !reported.is_empty() {
            reported.insert(0, StyledRun::new(status.state().word(), role));
            reported.push(StyledRun::new("  ", Role::Muted));
        }
        reported.extend(slo::words::joined(notes));
        text::runs(cx, &reported, word, buf);
        return;
    };
    let burn = slo::words::burn(&status.slo, worst, BASIS);
    let gone = slo::words::exhaustion(status, worst);
    if x + BAR + LEFT + BURN <= end {
        let bar = Rect { x, width: BAR, height: 1, ..line };
        Gauge {
            share: worst.left().unwrap_or(f64::NAN),
            role: slo::words::role_or(status.state(), Role::Muted),
        }
        .render(cx, bar, buf);
        x += BAR;
    }
    for (run, cells) in [(slo::words::left(Some(worst)), LEFT), (burn, BURN), (gone, GONE)] {
        if x + cells > end {
            break;
        }
        text::right(buf, x, line.y, cells, &run.text, cx.style(run.role));
        x += cells;
    }
    let source = status.source.as_str();
    if slo::words::are_shared(cx.shared) && x + 2 + text::width(source) <= end {
        text::right(buf, x, line.y, end - x, source, cx.style(Role::Muted));
    }
}
