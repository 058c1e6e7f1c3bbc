//! Services: all of them with their golden signals, worst first.

use std::cmp::Ordering;

use jiff::Timestamp;

use crate::app::due::Want;
use crate::app::filter::{Fields, Haystack};
use crate::app::found::{Found, passing};
use crate::app::list::List;
use crate::app::range;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::want;
use crate::app::widest::Widest;
use crate::app::widgets::text;
use crate::model::ask::{AskKind, Query};
use crate::model::health::Health;
use crate::model::labels::Text;
use crate::model::service::{Service, Signals};

mod view;

pub use view::render;
pub(super) use view::{calm_max, count, empty, join, trends, why};

/// Points of the short histories.
const TREND_POINTS: u16 = 60;

/// The list of services.
#[derive(Debug, Default)]
pub struct Services {
    /// The rows.
    pub list: List<Text>,
    /// The filter.
    pub found: Found,
    /// The order.
    pub order: Order,
    /// Cells of the longest name.
    pub widest: Widest<u16>,
}

/// By what services can be ordered.
pub const ORDERS: [&str; 9] = [
    "health, worst first",
    "name",
    "request rate",
    "error ratio",
    "p50",
    "p95",
    "p99",
    "Apdex, worst first",
    "saturation",
];

/// Worst first: by verdict, then by the share of failing requests in whole per cent, then by name, so that noise does not make
/// rows jump.
pub(super) fn by_badness(a: &Service, b: &Service) -> Ordering {
    let whole_percent = |service: &Service| (service.signals.error_ratio.unwrap_or(0.0) * 100.0).floor();
    a.health
        .cmp(&b.health)
        .then_with(|| whole_percent(b).total_cmp(&whole_percent(a)))
        .then_with(|| b.alerts.len().cmp(&a.alerts.len()))
        .then_with(|| a.name.cmp(&b.name))
}

fn compare(a: &Service, b: &Service, column: usize) -> Ordering {
    // what is not known sorts behind everything that is
    let largest_first = |signal: fn(&Signals) -> Option<f64>| {
        let key = |service: &Service| signal(&service.signals).unwrap_or(f64::NEG_INFINITY);
        key(b).total_cmp(&key(a))
    };
    match column {
        1 => a.name.cmp(&b.name),
        2 => largest_first(|s| s.request_rate),
        3 => largest_first(|s| s.error_ratio),
        4 => largest_first(|s| s.p50),
        5 => largest_first(|s| s.p95),
        6 => largest_first(|s| s.p99),
        7 => largest_first(|s| s.apdex.map(|apdex| -apdex)),
        8 => largest_first(|s| s.saturation),
        _ => by_badness(a, b),
    }
}

/// The services that pass the filter, in order.
pub(super) fn ordered(services: &[Service], passes: Option<&[bool]>, order: Order) -> Vec<Text> {
    let mut shown: Vec<&Service> = passing(services, passes).collect();
    shown.sort_by(|a, b| order.apply(compare(a, b, order.column)).then_with(|| a.name.cmp(&b.name)));
    shown.into_iter().map(|service| service.name.clone()).collect()
}

/// What services can be found by.
pub(super) fn haystack(services: &[Service]) -> Haystack {
    const FIELDS: Fields = Fields {
        words: &["health", "service"],
        numbers: &["errors", "rate", "p95", "saturation", "alerts"],
        flags: &[],
    };
    let words = Health::ALL.map(|health| (health, Text::from(health.word())));
    let row = |service: &'_ Service| {
        let health = words.iter().find(|(health, _)| *health == service.health).map(|(_, word)| word.clone());
        let Signals { error_ratio, request_rate, p95, saturation, .. } = service.signals;
        let signals = [error_ratio, request_rate, p95, saturation, Some(service.alerts.len() as f64)];
        ([health, Some(service.name.clone())], signals.map(|signal| signal.unwrap_or(f64::NAN)))
    };
    Haystack::with_fields(
        FIELDS,
        services.iter().map(|service| {
            let (words, numbers) = row(service);
            let hosts = service.hosts.iter().flat_map(|host| [&host.name, &host.instance]);
            (&service.labels, std::iter::once(&service.name).chain(hosts), words, numbers)
        }),
    )
}

/// Measures the names.
pub(super) fn measure(State { world, services, .. }: &mut State) {
    services.widest.follow(world.revision(), || {
        world.services().iter().map(|service| text::width(&service.name)).max().unwrap_or(0)
    });
}

/// Brings the rows into their order again.
pub fn reorder(state: &mut State) {
    measure(state);
    let is_typing = state.is_typing();
    let services = state.world.services();
    let passes = state.services.found.select(state.world.revision(), is_typing, || haystack(services));
    let rows = ordered(services, passes.as_deref(), state.services.order);
    state.services.list.set_rows(rows);
}

/// The short histories that the sparklines are drawn from.
pub fn wants(state: &State, now: Timestamp) -> Vec<Want> {
    let window = state.range.span(now, TREND_POINTS, state.interval);
    let asked = want::sources(state, AskKind::Trends);
    asked
        .map(|source| {
            let known = state.world.held(&source.id).and_then(|held| held.trends().whole());
            let stretch = range::stretch(window, known.map(|trends| trends.request_rate.span));
            want::of(state, &source.id, Query::Trends { stretch })
        })
        .collect()
}
