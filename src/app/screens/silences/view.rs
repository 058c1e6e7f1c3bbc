//! Draws the list of silences.

use std::sync::Arc;

use super::columns::{COLUMNS, SilenceRow};
use super::{Silences, ends_soon};
use crate::app::identity::SilenceKey;
use crate::app::list_screen::{self, EmptyState};
use crate::app::prelude::*;
use crate::app::staleness::{doubtful, none};

/// The kinds of answers that the screen uses.
const USED: [AskKind; 2] = [AskKind::Silences, AskKind::Alerts];

/// Draws the list.
pub(super) fn render(screen: &Silences, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let room = layout::doubtful_heading(cx, &title(screen, cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let (words, role) = empty(screen, cx);
        text::say(cx, 3, &words, role, room, buf);
        return;
    }
    let stale = doubtful(cx.shared, &USED, cx.now);
    let all: Vec<_> = cx.world.shown_silences().collect();
    let line = |key: &SilenceKey| {
        let known = all.iter().find(|(one, _)| one.id == key.id && one.source == key.source);
        known.map_or(Line::Gone, |(silence, stage)| Line::Item {
            row: SilenceRow::new(screen, *cx, Arc::clone(silence), *stage),
            is_new: false,
            is_stale: stale.contains(&key.source),
        })
    };
    ListTable::new(COLUMNS, &room.width).render(cx, (&screen.rows.list, None), line, room, buf);
}

fn title(screen: &Silences, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = vec![
        StyledRun::new(" Silences ", Role::Title),
        StyledRun::new(screen.rows.list.rows().len().to_string(), Role::Text),
    ];
    let all = cx.world.silences();
    let soon = all.filter(|silence| ends_soon(silence, cx.now)).count();
    if soon > 0 {
        let verb = if soon == 1 { "ends" } else { "end" };
        let words = format!("  {} {soon} {verb} within 1h", cx.symbol(Role::Warning));
        runs.push(StyledRun::new(words, Role::Warning));
    }
    if screen.hidden > 0 {
        runs.push(list_screen::hidden_rows(cx.shared, &format!("{} ended", screen.hidden)));
    }
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    runs.extend(screen.rows.found.title_runs());
    runs
}

/// Why the list is empty. No silences is neither good nor bad, so the text is muted.
fn empty(screen: &Silences, cx: &ScreenCx<'_>) -> (String, Role) {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return (screen.rows.found.nothing("silence"), Role::Muted);
    }
    let has_unknown = EmptyState {
        kinds: &[AskKind::Silences],
        no_source: ("No source of silences: add", "."),
        source: "source of silences",
        loading: "silences",
        one: Some("silence"),
    };
    has_unknown.words(cx.shared).unwrap_or_else(|| {
        let (words, role) = none(cx.shared, &USED, "active silences", cx.now);
        (words, if role == Role::Healthy { Role::Muted } else { role })
    })
}
