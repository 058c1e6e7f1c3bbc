//! How the timeline looks.

use std::cmp::Reverse;

use super::IncidentLogCoverage;
use super::columns::{COLUMNS, EventRow};
use crate::app::event_log::LogEventKey;
use crate::app::firing_history::{self, HistoryCoverage};
use crate::app::list_screen;
use crate::app::prelude::*;
use crate::app::screens::timeline::Timeline;

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
    let room = layout::doubtful_heading(shared, &cx, &title(screen, shared, &cx), &USED, area, buf);
    if screen.rows.list.rows().is_empty() {
        let words = empty(screen, shared, now);
        text::say(&cx, 3, &words, Role::Muted, room, buf);
        return;
    }
    let line = |Reverse(key): &Reverse<LogEventKey>| {
        shared.event_log.entries().get_key_value(key).map_or(Line::Gone, |(key, entry)| Line::Item {
            row: EventRow { key, entry, cx },
            is_new: false,
            is_stale: false,
        })
    };
    ListTable::new(COLUMNS, &room.width).render(&cx, (&screen.rows.list, None), line, room, buf);
}

fn title(screen: &Timeline, shared: &Shared, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = vec![
        StyledRun::new(" Timeline ", Role::Title),
        StyledRun::new(
            format!("{}  {}", screen.rows.list.rows().len(), shared.range.words(cx.now)),
            Role::Text,
        ),
    ];
    runs.extend(screen.rows.found.told());
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    if let Some(since) = shared.event_log.since() {
        // sources forget: what was over before burnwatch looked is known of incidents alone
        let steps = match super::steps(shared, cx.now) {
            IncidentLogCoverage::Whole => String::new(),
            IncidentLogCoverage::Since(since) => {
                format!(", steps of incidents since {}", moment(since, cx.now, cx.zone))
            }
            IncidentLogCoverage::NotLoaded => ", steps of incidents not read yet".to_owned(),
        };
        let (firings, kept) =
            match firing_history::history_coverage(&shared.world, &shared.sources, &shared.range) {
                HistoryCoverage::NotRecorded => ("", "incidents, and what still fires or is silenced"),
                HistoryCoverage::NotLoaded => {
                    (", earlier firings not read yet", "incidents, and what still fires or is silenced")
                }
                HistoryCoverage::Incomplete => {
                    (", earlier firings not all known", "incidents, firings, and what is still silenced")
                }
                HistoryCoverage::Whole => ("", "incidents, firings, and what is still silenced"),
            };
        let words =
            format!("  whole since {}{steps}{firings}; before that {kept}", moment(since, cx.now, cx.zone));
        runs.push(StyledRun::new(words, Role::Muted));
    }
    runs
}

fn empty(screen: &Timeline, shared: &Shared, now: Timestamp) -> String {
    let filter = screen.rows.found.text();
    if !filter.is_empty() {
        return screen.rows.found.nothing("event");
    }
    if shared.event_log.since().is_none() {
        return shared.waiting().to_owned();
    }
    format!("Nothing is known to have happened: {}.", shared.range.words(now))
}
