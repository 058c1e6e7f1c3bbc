//! The Timeline: all events, newest first: alerts, incidents, silences, the user's actions.

use std::cmp::Reverse;

use jiff::SignedDuration;

use crate::app::event_log::{LogEvent, LogEventKey, LogEventKind};
use crate::app::firing_history::{self, HistoryCoverage};
use crate::app::list_screen::{self, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::number;
use crate::app::prelude::*;
use crate::app::range::lengths;
use crate::app::subjects::change::{self, ChangeCoverage};
use crate::model::source_info::SourceInfo;

/// Incident log entries are queried again for this long, because some are written late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);

/// The incident log is queried for at most this long.
const MAX_LOG_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Debug, Default)]
pub struct Timeline {
    pub rows: FilteredList<Reverse<LogEventKey>>,
    /// The moment to move the cursor to, when the rows are next sorted.
    seek_to: Option<Timestamp>,
}

/// The start of the time range.
fn start(shared: &Shared, now: Timestamp) -> Timestamp {
    shared.range.end.unwrap_or(now).checked_sub(shared.range.length).unwrap_or(Timestamp::MIN)
}

/// How much of the incident log is known within the time range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IncidentLogCoverage {
    /// All of it, or no source has an incident log.
    Whole,
    /// From this moment on.
    Since(Timestamp),
    /// No answer has arrived yet.
    NotLoaded,
}

/// How much of the incident log is known, over all sources.
fn steps(shared: &Shared, now: Timestamp) -> IncidentLogCoverage {
    let start = start(shared, now);
    let mut latest = None;
    for source in shared.answering(AskKind::Steps) {
        let Some(snapshot) = shared.world.cache(&source.id).and_then(|cache| cache.steps().value()) else {
            return IncidentLogCoverage::NotLoaded;
        };
        latest = latest.max(Some(snapshot.since));
    }
    latest.filter(|since| *since > start).map_or(IncidentLogCoverage::Whole, IncidentLogCoverage::Since)
}

/// The fields of an event that a filter can use.
fn described((_, kind, _): &LogEventKey, entry: &LogEvent) -> Labels {
    let service = entry.service.clone().filter(|_| entry.labels.get("service").is_none());
    entry.labels.with([("kind", kind.word().into())]).with(service.map(|service| ("service", service)))
}

pub struct EventItem<'a> {
    key: &'a LogEventKey,
    entry: &'a LogEvent,
}

impl Listed for Timeline {
    type Item<'a> = EventItem<'a>;
    type Widths = ();
}

type Column = ListColumn<Timeline>;

/// The time, then the event and its subject.
const COLUMNS: &[Column] = &[
    Column::NONE
        .on_screen((0, "time", Size::BY_ROWS), |row| {
            Cell::text(moment(row.key.0, row.cx.now, row.cx.zone), Role::Muted)
        })
        .sized_by(|(), width| {
            let time = if width < 60 { 8 } else { 16 };
            Some(Size::words(time, time, 0))
        }),
    Column::symbol(1),
    Column::drawn((2, "event", Size::words(10, 10, 2)), |row| Cell::text(row.key.1.word(), row.role)),
    Column::drawn((3, "service", Size::words(8, 20, 1)), |row| {
        Cell::text(row.entry.service.as_ref().map_or("", |name| name), Role::Accent)
    }),
    Column::drawn((4, "", Size::words(12, 200, 0)), |row| {
        Cell::text(row.entry.sentence().to_string(), Role::Text)
    }),
];

/// The role of an event.
fn role(key: &LogEventKey, entry: &LogEvent) -> Role {
    match key.1 {
        LogEventKind::Fired | LogEventKind::Paged => entry.severity.map_or(Role::Info, Role::of_severity),
        LogEventKind::Resolved | LogEventKind::Closed => Role::Resolved,
        LogEventKind::Acknowledged | LogEventKind::Done | LogEventKind::Changed => Role::Accent,
        LogEventKind::Step => Role::Text,
        LogEventKind::Silenced => Role::Silenced,
        LogEventKind::Unsilenced => Role::Muted,
    }
}

impl Timeline {
    /// The place of the event under the cursor.
    fn target(&self, shared: &Shared) -> Option<Place> {
        let Reverse(key) = self.rows.list.current()?;
        shared.event_log.entries().get(key)?.place.clone()
    }
}

impl Screen for Timeline {
    offers! { [List, Time, AnyAction, IncidentActions]: Open, Acknowledge, Filter, Range, Earlier, Back }

    drawn_as_list!();

    /// The queries for the incident log (the whole range first, then only new entries) and for the firing history.
    fn wants(&self, shared: &Shared, now: Timestamp) -> Vec<Want> {
        let earliest = now.checked_sub(MAX_LOG_AGE).unwrap_or(now);
        let start = start(shared, now).clamp(earliest, now);
        let want = |source: &SourceInfo| {
            let cache = shared.world.cache(&source.id)?;
            let known =
                cache.steps().value().filter(|snapshot| snapshot.wanted <= start && snapshot.until >= start);
            let since = known.and_then(|snapshot| snapshot.until.checked_sub(OVERLAP).ok()).unwrap_or(start);
            Some(want::of(shared, &source.id, Query::Steps { since: since.max(earliest) }))
        };
        let firings = want::shown_firings(shared, now);
        let changes = change::wants(shared, now);
        shared.answering(AskKind::Steps).filter_map(want).chain(firings).chain(changes).collect()
    }

    fn revision(&self, shared: &Shared) -> u64 {
        shared.event_log.revision()
    }

    /// The events of the time range, newest first.
    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let Shared { event_log, range, .. } = shared;
        let end = range.end.unwrap_or(Timestamp::MAX);
        let start = start(shared, event_log.now());
        let all: Vec<(&LogEventKey, &LogEvent)> = event_log.entries().iter().rev().collect();
        let passes = self.rows.found.select(event_log.revision(), is_typing, || {
            let described: Vec<Labels> = all.iter().map(|(key, entry)| described(key, entry)).collect();
            let sentences: Vec<Text> = all.iter().map(|(_, entry)| entry.sentence()).collect();
            Haystack::new(described.iter().zip(&sentences).map(|(labels, sentence)| (labels, [sentence])))
        });
        let rows: Vec<Reverse<LogEventKey>> = passing(all, passes.as_deref())
            .map(|(key, _)| key)
            .filter(|(at, ..)| (start..=end).contains(at))
            .map(|key| Reverse(key.clone()))
            .collect();
        let seek_to =
            self.seek_to.take().map(|moment| rows.iter().position(|Reverse((at, ..))| *at <= moment));
        let last = rows.len().saturating_sub(1);
        self.rows.list.set_rows(rows);
        if let Some(at) = seek_to {
            self.rows.list.move_to(at.unwrap_or(last));
        }
    }

    lists_rows!();

    fn open(&mut self, shared: &Shared) -> Opened {
        self.target(shared).into()
    }

    fn selection(&self, shared: &Shared) -> Selection {
        // actions apply to the alert or the incident of the event
        let target = self.target(shared);
        if let Some(Place::Incident(key)) = target {
            Selection::Incidents(vec![key])
        } else if let Some(Place::Alert(fingerprint)) = target {
            Selection::Alerts(vec![fingerprint])
        } else {
            Selection::Nothing
        }
    }

    /// The marked events, one per line, else the current one. Marks are in the order of the list, newest first.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.rows.list.copied(|Reverse(key)| {
            let entry = shared.event_log.entries().get(key)?;
            let service = entry.service.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            let at = number::moment(key.0, now, &shared.look.zone);
            Some(format!("{at} {}{service} {}", key.1.word(), entry.sentence()))
        })
    }

    fn runbooks(&self, shared: &Shared) -> Vec<RunbookQuery> {
        match self.selection(shared) {
            Selection::Alerts(alerts) => alerts.first().map_or_else(Vec::new, |alert| alert.runbooks(shared)),
            Selection::Incidents(keys) => keys.first().map_or_else(Vec::new, |key| key.runbooks(shared)),
            Selection::Nothing
            | Selection::Services(_)
            | Selection::Silences(_)
            | Selection::Level(_)
            | Selection::Policy(_) => Vec::new(),
        }
    }

    /// Moves the cursor to the moment at which an alert, an incident or a service's problem began. The time range is extended if
    /// needed, by ten minutes more, because the cause usually comes before.
    fn seek(&mut self, shared: &mut Shared, moment: Timestamp, now: Timestamp) {
        let ago = age(moment, shared.range.end.unwrap_or(now));
        let needed = ago.saturating_add(Duration::from_secs(600));
        if needed > shared.range.length {
            let length = lengths().into_iter().find(|length| *length >= needed);
            let length = length.or(lengths().last().copied()).unwrap_or(shared.range.length);
            shared.change_range(now, |range, _| range.length = length);
        }
        self.seek_to = Some(moment);
    }
}

impl ListScreen for Timeline {
    lists!(Reverse<LogEventKey>);

    const COLUMNS: &'static [ListColumn<Self>] = COLUMNS;
    const USED: &'static [AskKind] = &[
        AskKind::Alerts,
        AskKind::Rules,
        AskKind::Incidents,
        AskKind::Silences,
        AskKind::Steps,
        AskKind::Firings,
        AskKind::Changes,
    ];
    const NOUN: &'static str = "event";

    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let shown = format!("{}  {}", self.rows.list.rows().len(), cx.shared.range.words(cx.now));
        let mut runs = list_screen::titled("Timeline", shown);
        runs.extend(self.rows.found.title_runs());
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        if let Some(since) = cx.shared.event_log.since() {
            // events before the start of burnwatch are known only as far as sources keep a history
            let steps = match steps(cx.shared, cx.now) {
                IncidentLogCoverage::Whole => String::new(),
                IncidentLogCoverage::Since(since) => {
                    format!(", incident log since {}", moment(since, cx.now, cx.zone))
                }
                IncidentLogCoverage::NotLoaded => ", incident log not loaded yet".to_owned(),
            };
            let (firings, kept) =
                match firing_history::history_coverage(cx.world, &cx.shared.sources, &cx.shared.range) {
                    HistoryCoverage::NotRecorded => ("", "only incidents, firing alerts and active silences"),
                    HistoryCoverage::NotLoaded => (
                        ", earlier firings not loaded yet",
                        "only incidents, firing alerts and active silences",
                    ),
                    HistoryCoverage::Incomplete => {
                        (", earlier firings incomplete", "incidents, firings and active silences")
                    }
                    HistoryCoverage::Whole => ("", "incidents, firings and active silences"),
                };
            let changes = match change::coverage(cx.world, &cx.shared.sources) {
                ChangeCoverage::NoSource => ", no source of changes",
                ChangeCoverage::NotLoaded => ", changes not loaded yet",
                ChangeCoverage::Failed(_) => ", changes unknown",
                ChangeCoverage::Since(_) => "",
            };
            let words = format!(
                "  complete since {}{steps}{firings}{changes}; earlier: {kept}",
                moment(since, cx.now, cx.zone)
            );
            runs.push(StyledRun::new(words, Role::Muted));
        }
        runs
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Reverse<LogEventKey>>) -> Option<Line<'a, Self>> {
        let LineInput { cx, key: Reverse(key), .. } = of;
        let (key, entry) = cx.shared.event_log.entries().get_key_value(key)?;
        Some(Line::Item(self.row(cx, EventItem { key, entry }, role(key, entry))))
    }

    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let words = match cx.shared.event_log.since() {
            Some(_) => format!("No events in this time range: {}.", cx.shared.range.words(cx.now)),
            None => cx.shared.waiting().to_owned(),
        };
        vec![(words, Role::Muted)]
    }
}
