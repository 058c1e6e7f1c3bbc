//! How the timeline looks.

use std::cmp::Reverse;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Steps;
use super::columns::{COLUMNS, EventRow};
use crate::app::chronicle::Key;
use crate::app::columns::{Line, ListTable};
use crate::app::fired::{self, Told};
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::moment;
use crate::app::screens::timeline::Timeline;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::text::Run;
use crate::model::ask::AskKind;

/// What the screen is drawn from.
const USED: [AskKind; 6] = [
    AskKind::Alerts,
    AskKind::Rules,
    AskKind::Incidents,
    AskKind::Silences,
    AskKind::Steps,
    AskKind::Firings,
];

/// Draws the timeline.
pub(super) fn render(screen: &Timeline, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.rows.list.rows().is_empty() {
        let words = empty(screen, shared, now);
        layout::note(&cx, &words, Role::Muted, room, buf);
        return;
    }
    let line = |Reverse(key): &Reverse<Key>| {
        shared.chronicle.entries().get_key_value(key).map_or(Line::Gone, |(key, entry)| Line::Item {
            row: EventRow { key, entry, cx },
            is_new: false,
            is_stale: false,
        })
    };
    ListTable::new(COLUMNS, &room.width).render(&cx, (&screen.rows.list, None), line, room, buf);
}

fn title(screen: &Timeline, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs = vec![
        Run::new(" Timeline ", Role::Title),
        Run::new(format!("{}  {}", screen.rows.list.rows().len(), shared.range.words(cx.now)), Role::Text),
    ];
    runs.extend(screen.rows.found.told());
    let marked = screen.rows.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if let Some(since) = shared.chronicle.since() {
        // sources forget: what was over before burnwatch looked is known of incidents alone
        let steps = match super::steps(shared, cx.now) {
            Steps::Whole => String::new(),
            Steps::Since(since) => {
                format!(", steps of incidents since {}", moment(since, cx.now, cx.zone))
            }
            Steps::Unread => ", steps of incidents not read yet".to_owned(),
        };
        let (firings, kept) = match fired::shown_so_far(&shared.world, &shared.sources, &shared.range) {
            Told::ByNobody => ("", "incidents, and what still fires or is silenced"),
            Told::NotYet => {
                (", earlier firings not read yet", "incidents, and what still fires or is silenced")
            }
            Told::InPart => {
                (", earlier firings not all known", "incidents, firings, and what is still silenced")
            }
            Told::Whole => ("", "incidents, firings, and what is still silenced"),
        };
        let words =
            format!("  whole since {}{steps}{firings}; before that {kept}", moment(since, cx.now, cx.zone));
        runs.push(Run::new(words, Role::Muted));
    }
    runs
}

fn empty(screen: &Timeline, shared: &Shared, now: Timestamp) -> String {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return screen.rows.found.nothing("event");
    }
    if shared.chronicle.since().is_none() {
        return shared.waiting().to_owned();
    }
    format!("Nothing is known to have happened: {}.", shared.range.words(now))
}
