//! Draws the open incidents of the overview.

use super::INCIDENTS;
use super::panels::ListPanel;
use crate::app::prelude::*;
use crate::app::screens::overview::Overview;
use crate::app::subjects::incident::words;
use crate::model::incident::IncidentStatus;

/// Draws the panel with the most urgent incidents.
pub(super) fn render(screen: &Overview, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.incidents;
    let open = cx.world.incidents().iter().filter(|known| known.incident.is_open());
    let waiting = open.filter(|known| known.incident.status == IncidentStatus::Triggered).count();
    let mut title = vec![format!("Open incidents {}", list.rows().len())];
    if waiting > 0 {
        title.push(format!("{waiting} not acknowledged"));
    }
    let panel = ListPanel { panel: INCIDENTS, list, title, kinds: &[AskKind::Incidents] };
    panel.render(screen, cx, area, buf, |key, line, buf, doubts| {
        let Some(known) = key.incident(cx.world) else { return false };
        draw(screen, cx, known, line, buf);
        doubts.iter().any(|doubt| doubt.source == known.incident.source)
    });
}

/// Draws one incident: symbol, priority, title; at the right the assignee and the age.
fn draw(screen: &Overview, cx: &ScreenCx<'_>, known: &IncidentView, line: Rect, buf: &mut Buffer) {
    let incident = &known.incident;
    let role = words::role(known, cx.now);
    let mut runs = vec![StyledRun::new(format!(" {} ", cx.symbol(role)), role)];
    if let Some(priority) = &incident.priority {
        runs.push(StyledRun::new(format!("{} ", priority.named.name), Role::Text));
    }
    runs.extend(screen.found.highlighted(incident.subject(), role));
    let mut who = words::who(cx, known);
    if let Some(sending) = words::sending(known, cx) {
        who = StyledRun::new(format!("{} {sending}", incident.status.word()), Role::Sending);
    }
    let age = format!("  {}", ago(incident.created_at, cx.now));
    let shown = text::fit(&who.text, line.width / 3, cx.charset).into_owned();
    let right = text::width(&shown) + text::width(&age) + 1;
    text::runs(cx, &runs, Rect { width: line.width.saturating_sub(right + 2), ..line }, buf);
    let place = Rect { x: line.right().saturating_sub(right), width: right.min(line.width), ..line };
    text::runs(cx, &[StyledRun::new(shown, who.role), StyledRun::new(age, Role::Muted)], place, buf);
}
