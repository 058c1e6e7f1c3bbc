//! Draws the Timeline.

use std::cmp::Reverse;

use super::IncidentLogCoverage;
use super::columns::{COLUMNS, EventRow};
use crate::app::event_log::LogEventKey;
use crate::app::firing_history::{self, HistoryCoverage};
use crate::app::list_screen;
use crate::app::prelude::*;
use crate::app::screens::timeline::Timeline;

/// The kinds of answers that the screen uses.
const USED: [AskKind; 6] = [
    AskKind::Alerts,
    AskKind::Rules,
    AskKind::Incidents,
    AskKind::Silences,
    AskKind::Steps,
    AskKind::Firings,
];

/// Draws the screen.
pub(super) fn render(screen: &Timeline, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let room = layout::doubtful_heading(cx, &title(screen, cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let words = empty(screen, cx);
        text::say(cx, 3, &words, Role::Muted, room, buf);
        return;
    }
    let line = |Reverse(key): &Reverse<LogEventKey>| {
        cx.shared.event_log.entries().get_key_value(key).map_or(Line::Gone, |(key, entry)| Line::Item {
            row: EventRow { key, entry, cx: *cx },
            is_new: false,
            is_stale: false,
        })
    };
    ListTable::new(COLUMNS, &room.width).render(cx, (&screen.rows.list, None), line, room, buf);
}

fn title(screen: &Timeline, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = vec![
        StyledRun::new(" Timeline ", Role::Title),
        StyledRun::new(
            format!("{}  {}", screen.rows.list.rows().len(), cx.shared.range.words(cx.now)),
            Role::Text,
        ),
    ];
    runs.extend(screen.rows.found.title_runs());
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    if let Some(since) = cx.shared.event_log.since() {
        // events before the start of burnwatch are known only as far as sources keep a history
        let steps = match super::steps(cx.shared, cx.now) {
            IncidentLogCoverage::Whole => String::new(),
            IncidentLogCoverage::Since(since) => {
                format!(", incident log since {}", moment(since, cx.now, cx.zone))
            }
            IncidentLogCoverage::NotLoaded => ", incident log not loaded yet".to_owned(),
        };
        let (firings, kept) =
            match firing_history::history_coverage(cx.world, &cx.shared.sources, &cx.shared.range) {
                HistoryCoverage::NotRecorded => ("", "only incidents, firing alerts and active silences"),
                HistoryCoverage::NotLoaded => {
                    (", earlier firings not loaded yet", "only incidents, firing alerts and active silences")
                }
                HistoryCoverage::Incomplete => {
                    (", earlier firings incomplete", "incidents, firings and active silences")
                }
                HistoryCoverage::Whole => ("", "incidents, firings and active silences"),
            };
        let words =
            format!("  complete since {}{steps}{firings}; earlier: {kept}", moment(since, cx.now, cx.zone));
        runs.push(StyledRun::new(words, Role::Muted));
    }
    runs
}

fn empty(screen: &Timeline, cx: &ScreenCx<'_>) -> String {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return screen.rows.found.nothing("event");
    }
    if cx.shared.event_log.since().is_none() {
        return cx.shared.waiting().to_owned();
    }
    format!("No events in this time range: {}.", cx.shared.range.words(cx.now))
}
