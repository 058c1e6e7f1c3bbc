//! The columns of sources: on the screen, in `burnwatch sources` and in its JSON.

use std::borrow::Cow;

use super::Sources;
use crate::app::number::{UNKNOWN, bytes, latency, per_minute};
use crate::app::prelude::*;
use crate::app::scheduler::SourceTraffic;
use crate::app::staleness::{doubt, watchdog};
use crate::model::source::ProbeReport;
use crate::model::source_info::SourceInfo;
use crate::model::world::Watchdog;

/// Ages are shown in steps of this length, so that an idle screen does not redraw them all the time.
const STEP: Duration = Duration::from_secs(15);

pub struct SourceItem<'a> {
    pub source: &'a SourceInfo,
    pub offer: Option<&'a ProbeReport>,
    /// The state, in one word.
    pub state: Cow<'a, str>,
    /// When the source last answered.
    pub at: Option<Timestamp>,
    /// The watchdog; `None` if the source has no alerts.
    pub watchdog: Option<Watchdog>,
    /// Missing data and warnings; `None` if the source was never queried.
    pub warnings: Option<Vec<String>>,
    pub failure: Option<String>,
}

impl Listed for Sources {
    type Item<'a> = SourceItem<'a>;
    type Widths = ();
}

type Column = ListColumn<Sources>;

/// State, product and cost.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("name", "SOURCE", |item| Value::Text(item.source.id.to_string()))
        .on_screen((1, "source", Size::words(10, 24, 0)), |row| {
            Cell::text(row.source.id.as_str(), Role::Text)
        }),
    Column::text("state", "STATE", |item| Value::Text(item.state.to_string()))
        .on_screen((2, "state", Size::words(16, 60, 1)), |row| Cell::text(&*row.state, row.role)),
    Column::text("kind", "KIND", |item| Value::Text(item.source.kind.name().to_owned())),
    Column::text("flavour", "FLAVOUR", |item| Value::optional(item.offer.map(|offer| &offer.flavour))),
    Column::text("version", "VERSION", |item| Value::optional(item.offer.map(|offer| &offer.version))),
    Column::drawn((3, "version", Size::words(12, 28, 2)), |row| {
        let identity = |offer: &ProbeReport| format!("{} {}", offer.flavour, offer.version);
        Cell::text(row.offer.map_or_else(|| row.source.kind.name().to_owned(), identity), Role::Text)
    }),
    Column::drawn((4, "latency", Size::numbers(10, 4)), |row| {
        let took = traffic(row).round_trip.map(|took| latency(took.as_secs_f64()));
        Cell::text(took.unwrap_or_else(|| UNKNOWN.to_owned()), Role::Text)
    }),
    Column::text("answered_at", "AGE", |item| item.at.map_or(Value::Nothing, Value::Since))
        .on_screen((5, "age", Size::numbers(6, 3)), |row| {
            Cell::text(row.at.map_or(UNKNOWN.to_owned(), |at| answered(at, row.cx.now)), Role::Text)
        }),
    Column::drawn((6, "req/min", Size::numbers(7, 5)), |row| {
        each_minute(row, |traffic| traffic.requests, |count| format!("{count:.0}"))
    }),
    Column::drawn((7, "data/min", Size::numbers(8, 6)), |row| {
        each_minute(row, |traffic| traffic.bytes_in, bytes)
    }),
    Column::hidden("answers", |item| Value::texts(item.source.answers.iter().map(|kind| kind.word()))),
    Column::text("watchdog", "WATCHDOG", |item| watchdog_value(item.watchdog)).on_screen(
        (8, "watchdog", Size::words(8, 12, 4)),
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
    Column::text("tenant", "TENANT", |item| Value::optional(item.source.tenant.as_ref())),
    Column::hidden("warnings", |item| item.warnings.clone().map_or(Value::Nothing, Value::Texts)),
    Column::text("trouble", "TROUBLE", |item| Value::optional(item.failure.as_ref())),
];

/// The watchdog alert in one word; empty if the source has no alerts.
pub fn watchdog_value(watchdog: Option<Watchdog>) -> Value {
    match watchdog {
        None | Some(Watchdog::Unknown) => Value::Nothing,
        Some(Watchdog::Present) => Value::Text("present".to_owned()),
        Some(Watchdog::Absent) => Value::Text("absent".to_owned()),
    }
}

/// A source as the screen shows it.
pub(super) fn row<'a>(cx: &ScreenCx<'a>, source: &'a SourceInfo) -> ListRow<'a, Sources> {
    let cache = cx.world.cache(&source.id);
    let offer = cache.and_then(|cache| cache.probe().value());
    let broken = cache.and_then(|cache| cache.rules().value()).map_or(0, |snapshot| snapshot.broken.len());
    let (role, state): (_, Cow<'_, str>) = match (doubt(cx.shared, source, &AskKind::ALL, cx.now), offer) {
        (Some(doubt), _) => (Role::Stale, doubt.summary().into()),
        (None, None) => (Role::Unknown, "loading...".into()),
        (None, Some(_)) => match broken {
            0 => (Role::Healthy, "ok".into()),
            1 => (Role::Warning, "ok; 1 rule fails".into()),
            more => (Role::Warning, format!("ok; {more} rules fail").into()),
        },
    };
    let at = cache.and_then(|h| [h.probe().at, h.services().at, h.alerts().at].into_iter().flatten().max());
    let has_alerts = source.answers.contains(&AskKind::Alerts);
    let watchdog = has_alerts.then(|| watchdog(cx.shared, source, cx.now));
    let item = SourceItem { source, offer, state, at, watchdog, warnings: None, failure: None };
    ListRow::new(item, cx, role)
}

fn traffic(row: &ListRow<'_, Sources>) -> SourceTraffic {
    row.cx.shared.scheduler.traffic(&row.source.id)
}

/// The average of a number per minute.
fn each_minute(
    row: &ListRow<'_, Sources>,
    total: fn(&SourceTraffic) -> u64,
    words: fn(f64) -> String,
) -> Cell<'static> {
    let traffic = traffic(row);
    let over = traffic.since.map(|since| in_steps(age(since, row.cx.now)));
    let words = over.map(|over| words(rounded(per_minute(total(&traffic), over))));
    Cell::text(words.unwrap_or_else(|| UNKNOWN.to_owned()), Role::Text)
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
