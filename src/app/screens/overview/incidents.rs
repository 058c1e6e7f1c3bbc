//! How open incidents look on the overview: what is about whom, and who has it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::INCIDENTS;
use super::panels::{grid, position, select};
use crate::app::doubt::doubts;
use crate::app::grid::Grid;
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::ago;
use crate::app::screens::overview::Overview;
use crate::app::shared::Shared;
use crate::app::subjects::incident::words;
use crate::app::theme::Role;
use crate::app::widgets::bar::panel;
use crate::app::widgets::text::{self, Run};
use crate::model::ask::AskKind;
use crate::model::incident::IncidentStatus;
use crate::model::world::Linked;

/// Draws the most pressing of them.
pub(super) fn render(screen: &Overview, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.incidents;
    let focused = screen.spot.panel == INCIDENTS;
    let doubts = doubts(shared, &[AskKind::Incidents], cx.now);
    let open = shared.world.incidents().iter().filter(|known| known.incident.is_open());
    let waiting = open.filter(|known| known.incident.status == IncidentStatus::Triggered).count();
    let mut title = vec![format!("Open incidents {}", list.rows().len())];
    if waiting > 0 {
        title.push(format!("{waiting} not acknowledged"));
    }
    if let Some(doubt) = doubts.first() {
        title.push(format!("{} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now)));
    }
    let inner = panel(cx, &title.join("  "), focused, area, buf);
    let grid = Grid { area: inner, ..grid(screen, layout::areas(shared.size).body, INCIDENTS) };
    let first = list.shown(grid.room()).next().map_or(0, |(index, _)| index);
    for (place, (index, key)) in list.shown(grid.room()).enumerate() {
        let Some(known) = key.incident(&shared.world) else { continue };
        let line = grid.cell(place);
        draw(screen, shared, cx, known, line, buf);
        if doubts.iter().any(|doubt| doubt.source == known.incident.source) {
            buf.set_style(line, cx.style(Role::Stale));
        }
        if index == list.index() && focused {
            select(cx, line, buf);
        }
    }
    if inner.bottom() < area.bottom() {
        position(cx, grid, first, list.rows().len(), buf);
    }
}

/// Symbol, priority, title; on the right who has it and for how long it is open.
fn draw(screen: &Overview, shared: &Shared, cx: &Cx<'_>, known: &Linked, line: Rect, buf: &mut Buffer) {
    let incident = &known.incident;
    let role = words::role(known, cx.now);
    let mut runs = vec![Run::new(format!(" {} ", cx.symbol(role)), role)];
    if let Some(priority) = &incident.priority {
        runs.push(Run::new(format!("{} ", priority.named.name), Role::Text));
    }
    runs.extend(screen.found.lit(incident.subject(), role));
    let mut who = words::who(shared, known, cx.now);
    if let Some(sending) = words::sending(known, cx) {
        who = Run::new(format!("{} {sending}", incident.status.word()), Role::Sending);
    }
    let age = format!("  {}", ago(incident.created_at, cx.now));
    let shown = text::fit(&who.text, line.width / 3, cx.charset).into_owned();
    let right = text::width(&shown) + text::width(&age) + 1;
    text::runs(cx, &runs, Rect { width: line.width.saturating_sub(right + 2), ..line }, buf);
    let place = Rect { x: line.right().saturating_sub(right), width: right.min(line.width), ..line };
    text::runs(cx, &[Run::new(shown, who.role), Run::new(age, Role::Muted)], place, buf);
}
