//! Draws the list of alerts.

use super::columns::{AlertRow, COLUMNS, Widths, pairs};
use super::ranking::ORDERS;
use super::{Alerts, Row as AlertLine};
use crate::app::list::Grouping;
use crate::app::list_screen::{self, EmptyState};
use crate::app::prelude::*;
use crate::app::staleness::{doubtful, none};

/// The kinds of answers that the screen uses.
const USED: [AskKind; 3] = [AskKind::Alerts, AskKind::Rules, AskKind::Silences];

/// Draws the list.
pub(super) fn render(screen: &Alerts, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let room = layout::doubtful_heading(cx, &title(screen, cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let (text, role) = empty(screen, cx);
        text::say(cx, 3, &text, role, room, buf);
        return;
    }
    let stale = doubtful(cx.shared, &USED, cx.now);
    let last_seen = cx.shared.last_seen.get(&Tab::Alerts).copied();
    let (name, service) = screen.widest.cells();
    let line = |row: &AlertLine| match row {
        AlertLine::Group(labels) => Line::Heading(heading(screen, cx, labels)),
        AlertLine::Item(fingerprint) => cx.world.alert(*fingerprint).map_or(Line::Gone, |alert| {
            let changed = cx.world.changed_at(alert.fingerprint);
            Line::Item {
                row: AlertRow::new(screen, *cx, alert),
                is_new: last_seen.zip(changed).is_some_and(|(last_seen, changed)| changed > last_seen),
                is_stale: alert.sources.iter().all(|id| stale.contains(id)),
            }
        }),
    };
    let table = ListTable::new(COLUMNS, &Widths { name, service, width: room.width });
    let sort = table.sort(&ORDERS, screen.rows.order);
    table.render(cx, (&screen.rows.list, sort), line, room, buf);
}

fn title(screen: &Alerts, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let shown = screen.rows.grouped_items();
    let all = cx.world.alerts().len();
    let mut runs =
        vec![StyledRun::new(" Alerts ", Role::Title), StyledRun::new(count(shown, all), Role::Text)];
    if !screen.hidden.is_empty() {
        let words: Vec<String> =
            screen.hidden.iter().map(|(state, count)| format!("{count} {state}")).collect();
        runs.push(list_screen::hidden_rows(cx.shared, &words.join(", ")));
    }
    match &screen.rows.grouping {
        Grouping::Received => {}
        Grouping::By(names) => runs.push(StyledRun::new(format!("  by {}", names.join(", ")), Role::Muted)),
        Grouping::None => runs.push(StyledRun::new("  not grouped", Role::Muted)),
    }
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    runs.extend(screen.rows.found.title_runs());
    if cx.shared.range.end.is_some() {
        runs.push(StyledRun::new("  current alerts, not those of the chosen time", Role::Stale));
    }
    runs
}

/// Why the list is empty: loading, failed, no alerts, or no match. Only a complete answer is shown as healthy.
fn empty(screen: &Alerts, cx: &ScreenCx<'_>) -> (String, Role) {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        let hidden = screen.hidden.iter().map(|(state, count)| format!(" Hidden: {count} {state}."));
        return (screen.rows.found.nothing("alert") + &hidden.collect::<String>(), Role::Muted);
    }
    let has_unknown = EmptyState {
        kinds: &[AskKind::Alerts, AskKind::Rules],
        no_source: ("No source of alerts: add", "."),
        source: "source of alerts",
        loading: "alerts",
        one: Some("alert"),
    };
    if let Some(has_unknown) = has_unknown.words(cx.shared) {
        has_unknown
    } else if screen.hidden.is_empty() {
        none(cx.shared, &USED, "pending or firing alerts", cx.now)
    } else {
        none(cx.shared, &USED, "active alerts (silenced and inhibited alerts are hidden)", cx.now)
    }
}

fn heading(screen: &Alerts, cx: &ScreenCx<'_>, labels: &Labels) -> Vec<StyledRun<'static>> {
    let sign = list_screen::fold_sign(cx, screen.rows.is_folded(labels));
    let words = pairs(cx.shared, labels, |_| true);
    let words = if words.is_empty() { "no labels in common".to_owned() } else { words };
    vec![
        StyledRun::new(format!("{sign} {words}"), Role::Title),
        StyledRun::new(format!("  {}", screen.rows.members(labels).len()), Role::Muted),
    ]
}
