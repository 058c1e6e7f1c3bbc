//! The columns of services: on the screen, in `burnwatch services` and in its JSON.

use super::Services;
use crate::app::number::{latency, or_unknown, percent, rate};
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::subjects::service::{sparkline_max, why};
use crate::app::subjects::slo::words;
use crate::app::widgets::spark::Sparkline;
use crate::model::change::Change;
use crate::model::health::Health;
use crate::model::host::{Host, NamedSignal, Saturated, Usage, highest_usage};
use crate::model::reason::Reason;
use crate::model::service::Service;
use crate::model::signal::Signal;
use crate::model::slo::BASIS;

/// A service and the current time.
pub struct ServiceItem<'a> {
    pub service: &'a Service,
    pub now: Timestamp,
    /// Request rate, error ratio and p95 over time, for the screen.
    pub trends: [Vec<f64>; 3],
    /// The last change, for the screen.
    pub change: Option<&'a Change>,
}

impl Listed for Services {
    type Item<'a> = ServiceItem<'a>;
    /// The longest name in cells, whether there are SLOs, and whether a source can tell of changes.
    type Widths = (u16, bool, bool);
}

type Column = ListColumn<Services>;

/// Names and reasons get space first; sparklines get the rest.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("name", "SERVICE", |item| Value::Text(item.service.name.to_string()))
        .on_screen((1, "service", Size::BY_ROWS), |row| {
            let role = if row.service.health == Health::Healthy { Role::Text } else { row.role };
            row.highlighted(&row.service.name, role)
        })
        .sized_by(|(name, ..), width| {
            Some(Size::words(name.clamp(10, (width / 6).clamp(10, 24)), name.clamp(10, 44), 0))
        }),
    Column::text("health", "HEALTH", |item| Value::Text(item.service.health.word().to_owned()))
        .on_screen((2, "health", Size::words(8, 8, 3)), |row| {
            Cell::text(row.service.health.word(), row.role)
        }),
    Column::number("request_rate", "RATE", |item| {
        Value::maybe(item.service.signals.request_rate, Value::Rate)
    })
    .on_screen((3, "requests", Size::numbers(8, 2)), |row| {
        number(row, Signal::Requests, row.service.signals.request_rate, rate, Role::Text)
    }),
    Column::drawn((4, "", Size::words(8, 16, 9)), |row| {
        let [requests, ..] = &row.trends;
        spark(requests, sparkline_max(requests), Role::Series1)
    }),
    Column::number("error_ratio", "ERRORS", |item| {
        Value::maybe(item.service.signals.error_ratio, Value::Ratio)
    })
    .on_screen((5, "errors", Size::numbers(6, 1)), |row| {
        let role = because(row, |reason| matches!(reason, Reason::Errors(_)));
        number(row, Signal::Errors, row.service.signals.error_ratio, percent, role)
    }),
    Column::drawn((6, "", Size::words(8, 16, 8)), |row| {
        let [_, errors, _] = &row.trends;
        // the scale is at least 0 to 10 %, so that noise near zero does not look like an incident
        spark(errors, Some(errors.iter().copied().fold(0.1, f64::max)), Role::Series2)
    }),
    Column::hidden("p50_seconds", |item| Value::maybe(item.service.signals.p50, Value::Seconds))
        .on_screen((7, "p50", Size::numbers(7, 7)), |row| {
            number(row, Signal::Latency, row.service.signals.p50, latency, Role::Text)
        }),
    Column::number("p95_seconds", "P95", |item| Value::maybe(item.service.signals.p95, Value::Seconds))
        .on_screen((8, "p95", Size::numbers(7, 2)), |row| {
            let role = because(row, |reason| matches!(reason, Reason::Slow(_)));
            number(row, Signal::Latency, row.service.signals.p95, latency, role)
        }),
    Column::drawn((9, "", Size::words(8, 16, 10)), |row| {
        let [.., p95] = &row.trends;
        spark(p95, sparkline_max(p95), Role::Series3)
    }),
    Column::hidden("p99_seconds", |item| Value::maybe(item.service.signals.p99, Value::Seconds))
        .on_screen((10, "p99", Size::numbers(7, 6)), |row| {
            number(row, Signal::Latency, row.service.signals.p99, latency, Role::Text)
        }),
    Column::number("apdex", "APDEX", |item| Value::maybe(item.service.signals.apdex, Value::Number))
        .on_screen((11, "Apdex", Size::numbers(5, 5)), |row| {
            let apdex = row.service.signals.apdex;
            number(row, Signal::Apdex, apdex, |apdex| format!("{apdex:.2}"), Role::Text)
        }),
    Column::number("saturation", "SAT", |item| Value::maybe(item.service.signals.saturation, Value::Ratio))
        .on_screen((12, "satur.", Size::numbers(6, 4)), |row| {
            let role = because(row, |reason| matches!(reason, Reason::Saturated { .. }));
            number(row, Signal::Saturation, row.service.signals.saturation, percent, role)
        }),
    Column::hidden("saturated", |item| Value::words(saturated(item.service))),
    Column::hidden("resources", |item| {
        let all = highest_usage(&item.service.hosts).into_iter();
        Value::Objects(all.map(|(host, usage)| resource(host, usage)).collect())
    }),
    Column::hidden("signals", |item| Value::Objects(item.service.named.iter().map(signal).collect())),
    Column::text("targets", "UP", |item| Value::words(item.service.up().unwrap_or_default())),
    Column::hidden("targets_up", |item| {
        let targets = &item.service.targets;
        if knows_targets(item.service) { Value::Count(targets.up.into()) } else { Value::Nothing }
    }),
    Column::hidden("targets_total", |item| {
        let targets = &item.service.targets;
        let is_known = knows_targets(item.service) || targets.total > 0;
        if is_known { Value::Count(targets.total.into()) } else { Value::Nothing }
    }),
    Column::number("alerts", "ALERTS", |item| Value::count(item.service.alerts.len())),
    Column::hidden("unknown", |item| Value::texts(item.service.unknown.iter())),
    Column::hidden("depends_on", |item| Value::texts(item.service.depends_on.iter())),
    Column::hidden("labels", |item| Value::Labels(item.service.labels.clone())),
    Column::distinguishing("sources", "SOURCES", |item| Value::texts(item.service.sources.iter())),
    Column::hidden("seen_at", |item| Value::Since(item.service.seen_at)),
    Column::text("reasons", "WHY", |item| {
        Value::texts(item.service.reasons.iter().map(|reason| reason.words(item.now)))
    })
    .on_screen((14, "why", Size::BY_ROWS), |row| Cell::text(why(row.service, row.cx.now), row.role))
    .sized_by(|_, width| Some(Size::words((width / 5).clamp(12, 36), 60, 3))),
    Column::NONE
        .on_screen((15, "last change", Size::BY_ROWS), |row| {
            let Some(change) = row.change else { return Cell::text("-", Role::Muted) };
            let age = StyledRun::new(format!("{:>4} ", ago(change.at, row.cx.now)), Role::Muted);
            Cell::Runs(vec![age, StyledRun::new(change.title.to_string(), change::role(change))])
        })
        .sized_by(|(_, _, has_changes), _| has_changes.then(|| Size::words(14, 30, 5))),
    Column::NONE
        .on_screen((13, "worst SLO", Size::BY_ROWS), |row| Cell::Runs(worst_slo(&row.cx, row.service)))
        .sized_by(|(_, has_slos, _), _| has_slos.then(|| Size::words(16, 20, 6))),
];

/// The role of a signal that is a reason for the service's health.
fn because(row: &ListRow<'_, Services>, is_why: fn(&Reason) -> bool) -> Role {
    if row.service.reasons.iter().any(is_why) { row.role } else { Role::Text }
}

/// The value of a signal in a role.
fn number<'r>(
    row: &ListRow<'_, Services>,
    signal: Signal,
    value: Option<f64>,
    words: fn(f64) -> String,
    role: Role,
) -> Cell<'r> {
    let is_unknown = row.service.unknown.contains(signal);
    let role = match value {
        Some(_) => role,
        None if is_unknown => Role::Unknown,
        None => Role::Muted,
    };
    Cell::text(or_unknown(value, is_unknown, words), role)
}

fn spark(values: &[f64], max: Option<f64>, role: Role) -> Cell<'_> {
    if values.is_empty() { Cell::Empty } else { Cell::Spark(Sparkline { values, max, role }) }
}

/// The worst SLO of a service: state, budget left and burn rate.
fn worst_slo(cx: &ScreenCx<'_>, service: &Service) -> Vec<StyledRun<'static>> {
    let Some(status) = cx.world.worst_slo_of(&service.name) else { return Vec::new() };
    let role = Role::of_slo(status.state());
    let mut runs = vec![StyledRun::new(format!("{} ", cx.symbol(role)), role)];
    match status.worst().filter(|worst| worst.left().is_some()) {
        Some(worst) => {
            let burn = words::burn(&status.slo, worst, BASIS);
            runs.extend([words::left(Some(worst)), StyledRun::new(" left ", Role::Muted), burn]);
        }
        None => runs.push(StyledRun::new(status.state().word(), role)),
    }
    runs
}

fn knows_targets(service: &Service) -> bool {
    !service.unknown.contains(Signal::Targets)
}

/// `disk 97.9% on web-17 /var`
fn saturated(service: &Service) -> String {
    let named = service.highest_usage().filter(|(_, usage)| !usage.resource.is_empty());
    named.map_or_else(String::new, |(host, usage)| {
        Saturated { usage: usage.clone(), host: host.name.clone() }.to_string()
    })
}

fn resource(host: &Host, usage: &Usage) -> Vec<(&'static str, Value)> {
    vec![
        ("resource", Value::words(&*usage.resource)),
        ("host", Value::words(&*host.name)),
        ("instance", Value::words(&*host.instance)),
        ("part", Value::words(&*usage.part)),
        ("ratio", Value::Ratio(usage.ratio)),
    ]
}

fn signal(signal: &NamedSignal) -> Vec<(&'static str, Value)> {
    vec![
        ("name", Value::words(&*signal.name)),
        ("value", Value::maybe(Some(signal.value), Value::Number)),
        ("host", Value::words(&*signal.host)),
        ("part", Value::words(&*signal.part)),
        ("words", Value::words(&*signal.words)),
        ("health", Value::words(signal.health.map_or("", Health::word))),
    ]
}
