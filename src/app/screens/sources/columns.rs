//! The columns of sources: on the screen, in `burnwatch sources` and in its JSON.

use std::time::Duration;

use crate::app::number::{UNKNOWN, bytes, latency, per_minute};
use crate::app::prelude::*;
use crate::app::scheduler::SourceTraffic;
use crate::app::staleness::{doubt, watchdog};
use crate::model::source::ProbeReport;
use crate::model::source_info::SourceInfo;
use crate::model::world::Watchdog;

/// Ages are shown in steps of this length, so that an idle screen does not redraw them all the time.
const STEP: Duration = Duration::from_secs(15);

pub enum SourceList {}

pub struct SourceItem<'a> {
    pub source: &'a SourceInfo,
    pub offer: Option<&'a ProbeReport>,
    /// The state, in one word.
    pub state: &'static str,
    /// When the source last answered.
    pub at: Option<Timestamp>,
    /// The watchdog; `None` if the source has no alerts.
    pub watchdog: Option<Watchdog>,
    /// Missing data and warnings; `None` if the source was never queried.
    pub warnings: Option<Vec<String>>,
    /// The error.
    pub failure: Option<String>,
}

/// A source as the screen shows it.
pub struct SourceRow<'a> {
    source: &'a SourceInfo,
    role: Role,
    words: String,
    offer: Option<&'a ProbeReport>,
    traffic: SourceTraffic,
    /// When the source last answered.
    at: Option<Timestamp>,
    /// The watchdog; `None` if the source has no alerts.
    watchdog: Option<Watchdog>,
    cx: Cx<'a>,
}

impl Listed for SourceList {
    type Item<'a> = SourceItem<'a>;
    type Row<'a> = SourceRow<'a>;
    type Widths = ();
}

type Column = ListColumn<SourceList>;

/// State, product and cost.
pub const COLUMNS: &[Column] = &[
    Column::drawn(0, "", Size::words(1, 1, 0), |row| Cell::symbol(&row.cx, row.role)),
    Column::text("name", "SOURCE", |item| Value::Text(item.source.id.to_string())).on_screen(
        1,
        "source",
        Size::words(10, 24, 0),
        |row| Cell::text(row.source.id.as_str(), Role::Text),
    ),
    Column::text("state", "STATE", |item| Value::Text(item.state.to_owned())).on_screen(
        2,
        "state",
        Size::words(16, 60, 1),
        |row| Cell::text(&*row.words, row.role),
    ),
    Column::text("kind", "KIND", |item| Value::Text(item.source.kind.name().to_owned())),
    Column::text("flavour", "FLAVOUR", |item| {
        item.offer.map_or(Value::Nothing, |offer| Value::words(&*offer.flavour))
    }),
    Column::text("version", "VERSION", |item| {
        item.offer.map_or(Value::Nothing, |offer| Value::words(&*offer.version))
    }),
    Column::drawn(3, "version", Size::words(12, 28, 2), |row| {
        let identity = |offer: &ProbeReport| format!("{} {}", offer.flavour, offer.version);
        Cell::text(row.offer.map_or_else(|| row.source.kind.name().to_owned(), identity), Role::Text)
    }),
    Column::drawn(4, "latency", Size::numbers(10, 4), |row| {
        let took = row.traffic.round_trip.map(|took| latency(took.as_secs_f64()));
        Cell::text(took.unwrap_or_else(|| UNKNOWN.to_owned()), Role::Text)
    }),
    Column::text("answered_at", "AGE", |item| item.at.map_or(Value::Nothing, Value::Since)).on_screen(
        5,
        "age",
        Size::numbers(6, 3),
        |row| Cell::text(row.at.map_or(UNKNOWN.to_owned(), |at| answered(at, row.cx.now)), Role::Text),
    ),
    Column::drawn(6, "req/min", Size::numbers(7, 5), |row| {
        Cell::text(row.per_minute(row.traffic.requests, |count| format!("{count:.0}")), Role::Text)
    }),
    Column::drawn(7, "data/min", Size::numbers(8, 6), |row| {
        Cell::text(row.per_minute(row.traffic.bytes_in, bytes), Role::Text)
    }),
    Column::hidden("answers", |item| {
        Value::Texts(item.source.answers.iter().map(|kind| kind.word().to_owned()).collect())
    }),
    Column::text("watchdog", "WATCHDOG", |item| watchdog_value(item.watchdog)).on_screen(
        8,
        "watchdog",
        Size::words(8, 12, 4),
        |row| match row.watchdog {
            Some(Watchdog::Present) => Cell::text("present", Role::Healthy),
            Some(Watchdog::Absent) => Cell::text("ABSENT", Role::Trouble),
            Some(Watchdog::Unknown) => Cell::text(UNKNOWN, Role::Muted),
            None => Cell::Empty,
        },
    ),
    Column::hidden("clock_ahead_seconds", |item| {
        item.offer.and_then(|offer| offer.clock_ahead_seconds).map_or(Value::Nothing, Value::Offset)
    }),
    Column::text("address", "ADDRESS", |item| Value::Text(item.source.address.to_string())),
    Column::text("tenant", "TENANT", |item| {
        item.source.tenant.as_ref().map_or(Value::Nothing, |tenant| Value::Text(tenant.to_string()))
    }),
    Column::hidden("warnings", |item| item.warnings.clone().map_or(Value::Nothing, Value::Texts)),
    Column::text("trouble", "TROUBLE", |item| item.failure.as_deref().map_or(Value::Nothing, Value::words)),
];

/// The watchdog alert in one word; empty if the source has no alerts.
pub fn watchdog_value(watchdog: Option<Watchdog>) -> Value {
    match watchdog {
        None | Some(Watchdog::Unknown) => Value::Nothing,
        Some(Watchdog::Present) => Value::Text("present".to_owned()),
        Some(Watchdog::Absent) => Value::Text("absent".to_owned()),
    }
}

impl<'a> SourceRow<'a> {
    /// A source with the state of the screen.
    pub(super) fn new(shared: &'a Shared, cx: Cx<'a>, source: &'a SourceInfo) -> Self {
        let cache = shared.world.cache(&source.id);
        let offer = cache.and_then(|cache| cache.probe().value());
        let (role, words) = match (doubt(shared, source, &AskKind::ALL, cx.now), offer) {
            (Some(doubt), _) => (Role::Stale, doubt.summary()),
            (None, Some(_)) => {
                match cache
                    .and_then(|cache| cache.rules().value())
                    .map_or(0, |snapshot| snapshot.broken.len())
                {
                    0 => (Role::Healthy, "ok".to_owned()),
                    1 => (Role::Warning, "ok; 1 rule fails".to_owned()),
                    more => (Role::Warning, format!("ok; {more} rules fail")),
                }
            }
            (None, None) => (Role::Unknown, "loading...".to_owned()),
        };
        let at =
            cache.and_then(|h| [h.probe().at, h.services().at, h.alerts().at].into_iter().flatten().max());
        let has_alerts = source.answers.contains(&AskKind::Alerts);
        Self {
            source,
            role,
            words,
            offer,
            traffic: shared.scheduler.traffic(&source.id),
            at,
            watchdog: has_alerts.then(|| watchdog(shared, source, cx.now)),
            cx,
        }
    }

    fn per_minute(&self, total: u64, words: fn(f64) -> String) -> String {
        let over = self.traffic.since.map(|since| in_steps(age(since, self.cx.now)));
        over.map_or_else(|| UNKNOWN.to_owned(), |over| words(rounded(per_minute(total, over))))
    }
}

/// The age of an answer, in steps.
pub(super) fn answered(at: Timestamp, now: Timestamp) -> String {
    let age = age(at, now);
    let steps = [STEP, 2 * STEP, 4 * STEP];
    steps
        .iter()
        .find(|step| age < **step)
        .map_or_else(|| ago(at, now), |step| format!("<{}", duration::short(*step)))
}

/// The end of the current step, so that a rate computed over it does not change within the step.
fn in_steps(time: Duration) -> Duration {
    Duration::from_secs((time.as_secs() / STEP.as_secs() + 1) * STEP.as_secs())
}

/// Rounded to two significant digits, so that the number does not change with each answer.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}
