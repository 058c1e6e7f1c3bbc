//! Services, for all screens: sort order, filter fields, sparkline data, alerts, texts.

use std::cmp::Ordering;

use super::alert::alert_rank;
use super::change;
use super::runbook;
use crate::app::columns::{ThingOrder, ascending, compare, descending};
use crate::app::filter::FilterFields;
use crate::app::identity::WhySubject;
use crate::app::list_screen::EmptyState;
use crate::app::prelude::*;
use crate::app::range;
use crate::model::health::Health;
use crate::model::reason::Reason;
use crate::model::series::Matrix;
use crate::model::service::{Service, ServiceTrends, Signals};

pub mod charts;

/// Points of a sparkline.
const TREND_POINTS: u16 = 60;

/// Worst first: by health, then by error ratio in whole per cent (so that noise does not change the order), number of alerts,
/// name.
pub fn compare_by_health(a: &Service, b: &Service) -> Ordering {
    let whole_percent = |service: &Service| (service.signals.error_ratio.unwrap_or(0.0) * 100.0).floor();
    a.health
        .cmp(&b.health)
        .then_with(|| whole_percent(b).total_cmp(&whole_percent(a)))
        .then_with(|| b.alerts.len().cmp(&a.alerts.len()))
        .then_with(|| a.name.cmp(&b.name))
}

pub const ORDERS: [ThingOrder<Service>; 9] = [
    descending("health, worst first", "health", compare_by_health),
    ascending("name", "service", |a, b| a.name.cmp(&b.name)),
    descending("request rate", "requests", |a, b| by_signal(a, b, |signals| signals.request_rate)),
    descending("error ratio", "errors", |a, b| by_signal(a, b, |signals| signals.error_ratio)),
    descending("p50", "p50", |a, b| by_signal(a, b, |signals| signals.p50)),
    descending("p95", "p95", |a, b| by_signal(a, b, |signals| signals.p95)),
    descending("p99", "p99", |a, b| by_signal(a, b, |signals| signals.p99)),
    descending("Apdex, worst first", "Apdex", |a, b| by_signal(a, b, |signals| signals.apdex.map(|it| -it))),
    descending("saturation", "satur.", |a, b| by_signal(a, b, |signals| signals.saturation)),
];

/// The largest first; what is not known comes behind everything that is.
fn by_signal(a: &Service, b: &Service, signal: fn(&Signals) -> Option<f64>) -> Ordering {
    let key = |service: &Service| signal(&service.signals).unwrap_or(f64::NEG_INFINITY);
    key(b).total_cmp(&key(a))
}

/// The names of the services that pass the filter, in the sort order.
pub fn ordered(services: &[Service], passes: Option<&[bool]>, order: SortOrder) -> Vec<Text> {
    let mut shown: Vec<&Service> = passing(services, passes).collect();
    shown.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.name.cmp(&b.name)));
    shown.into_iter().map(|service| service.name.clone()).collect()
}

pub fn haystack(services: &[Service]) -> Haystack {
    const FIELDS: FilterFields = FilterFields {
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

/// The queries for the sparklines.
pub fn wants(shared: &Shared, now: Timestamp) -> Vec<Want> {
    let window = shared.range.span(now, TREND_POINTS, shared.interval);
    shared
        .answering(AskKind::Trends)
        .map(|source| {
            let known = shared.world.cache(&source.id).and_then(|cache| cache.trends().whole());
            let time_range = range::time_range(window, known.map(|trends| trends.request_rate.span));
            want::of(shared, &source.id, Query::Trends { time_range })
        })
        .chain(change::wants(shared, now))
        .collect()
}

/// The pending and firing alerts of a service, worst first.
pub fn alerts<'a>(shared: &'a Shared, name: &str) -> Vec<&'a Arc<Alert>> {
    let service = shared.world.service(name);
    let known = service.map_or(&[][..], |service| &service.alerts);
    let mut alerts: Vec<_> =
        known.iter().filter_map(|fingerprint| shared.world.alert(*fingerprint)).collect();
    alerts.sort_by_key(|alert| alert_rank(alert));
    alerts
}

/// The texts of an empty list of services if a source or an answer is missing.
pub const LACK: EmptyState = EmptyState {
    kinds: &[AskKind::Services],
    no_source: ("No source of services: add", "."),
    source: "source",
    loading: "services",
    one: None,
};

/// The text if no source reports a service.
pub const NONE: &str = "No services found: no known metric has a service label. See Sources (9).";

/// Why the list of services is empty: no source, loading, failed, no services, or none that matches the filter.
pub fn empty(shared: &Shared, found: &ListFilter) -> String {
    if !found.text().is_empty() && !shared.world.services().is_empty() {
        return found.nothing("service");
    }
    LACK.words(shared).map_or_else(|| NONE.to_owned(), |(words, _)| words)
}

/// The reasons for the health, worst first.
pub fn why(service: &Service, now: Timestamp) -> String {
    service.reasons.iter().map(|reason| reason.words(now)).collect::<Vec<_>>().join(", ")
}

/// A service and its health; `None` if no source reports it.
pub type NamedHealth<'a> = (&'a Text, Option<Health>);

/// The services that a service calls, each with its health: those that are configured and these others.
pub fn dependencies<'a>(
    world: &'a World,
    service: &str,
    others: impl IntoIterator<Item = &'a Text>,
) -> Vec<NamedHealth<'a>> {
    let mut names: Vec<&Text> = world.health_policy.dependencies.of(service).iter().collect();
    for other in others {
        if !names.contains(&other) {
            names.push(other);
        }
    }
    let mut known: Vec<_> = names.into_iter().map(|name| (name, health(world, name))).collect();
    // the worst first, and what no source reports last
    known.sort_by_key(|(_, health)| (health.is_none(), *health));
    known
}

fn health(world: &World, name: &str) -> Option<Health> {
    world.service(name).map(|service| service.health)
}

/// The services that call this one by the configuration, the worst first.
pub fn callers<'a>(world: &'a World, service: &'a str) -> Vec<NamedHealth<'a>> {
    let callers = world.health_policy.dependencies.callers_of(service);
    let mut known: Vec<_> = callers.map(|name| (name, health(world, name))).collect();
    known.sort_by_key(|(_, health)| (health.is_none(), *health));
    known
}

/// Services with their health, as many as fit: `x ledger critical  v cart healthy  ? fraud not reported`.
pub fn states(cx: &Cx<'_>, title: &str, services: &[NamedHealth<'_>], width: u16) -> Vec<StyledRun<'static>> {
    let mut runs = vec![StyledRun::new(format!("{title} "), Role::Muted)];
    let mut used = text::width(title) + 1;
    for (index, (name, health)) in services.iter().enumerate() {
        let role = health.map_or(Role::Unknown, Role::of_health);
        let words = format!("{} {name} {}", cx.symbol(role), health.map_or("not reported", Health::word));
        let hidden = services.len() - index;
        let more = if hidden > 1 { format!("+{hidden} more") } else { String::new() };
        // room for the number of those that do not fit
        if used + text::width(&words) + if hidden > 1 { 12 } else { 0 } > width {
            runs.push(StyledRun::new(if more.is_empty() { "+1 more".to_owned() } else { more }, Role::Muted));
            break;
        }
        used += text::width(&words) + 2;
        runs.extend([StyledRun::new(words, role), StyledRun::new("  ", Role::Text)]);
    }
    runs
}

/// Whether latency is what is wrong with the service, and not errors.
pub fn is_slow_only(service: &Service) -> bool {
    let has = |is_it: fn(&Reason) -> bool| service.reasons.iter().any(is_it);
    has(|reason| matches!(reason, Reason::Slow(_))) && !has(|reason| matches!(reason, Reason::Errors(_)))
}

/// Request rate, error ratio and p95 of a service over time. Over several sources, rates
/// are added; of the other signals the worst is used.
pub fn trends(shared: &Shared, service: &Service) -> [Vec<f64>; 3] {
    let labels = Labels::from_iter([("service", &*service.name)]);
    let part = |part: fn(&ServiceTrends) -> &Matrix, both: fn(f64, f64) -> f64| {
        let mut joined: Vec<f64> = Vec::new();
        for cache in service.chart_sources.iter().filter_map(|id| shared.world.cache(id)?.trends().value()) {
            if let Some(line) = part(cache).line(&labels) {
                join(&mut joined, &line.values, both);
            }
        }
        joined
    };
    [part(|t| &t.request_rate, |a, b| a + b), part(|t| &t.error_ratio, f64::max), part(|t| &t.p95, f64::max)]
}

/// Merges two series that end at the same time; where only one has a value, that value is used.
pub fn join(mine: &mut Vec<f64>, other: &[f64], both: impl Fn(f64, f64) -> f64) {
    if other.len() > mine.len() {
        mine.splice(0..0, std::iter::repeat_n(f64::NAN, other.len() - mine.len()));
    }
    for (mine, other) in mine.iter_mut().rev().zip(other.iter().rev()) {
        *mine = match (mine.is_nan(), other.is_nan()) {
            (true, _) => *other,
            (false, true) => *mine,
            (false, false) => both(*mine, *other),
        };
    }
}

/// The scale of a sparkline: twice the mean, so that usual values fill half the height, or the highest value if it is higher.
pub fn sparkline_max(values: &[f64]) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    known.iter().copied().reduce(f64::max).map(|highest| highest.max(2.0 * mean))
}

/// The name of a service.
impl Item for Text {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Service(self.clone()))
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::Services(chosen)
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        Some(self.to_string())
    }

    fn runbooks(&self, _shared: &Shared) -> Vec<RunbookQuery> {
        vec![runbook::of_service(self)]
    }

    fn why(&self) -> Option<WhySubject> {
        Some(WhySubject::Service(self.clone()))
    }
}

/// The cells of the longest name of a service.
pub fn widest_name(world: &World) -> u16 {
    world.services().iter().map(|service| text::width(&service.name)).max().unwrap_or(0)
}
