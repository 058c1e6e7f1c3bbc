//! The columns of SLOs: on the screen, in `burnwatch slos` and in its JSON.

use super::Slos;
use crate::app::number::UNKNOWN;
use crate::app::prelude::*;
use crate::app::subjects::slo::words;
use crate::app::widgets::bar::Gauge;
use crate::model::slo::{Evaluation, Exhaustion, GroupStatus, MissingReason, SloState, show};

/// An SLO, or one of its groups.
pub struct SloItem<'a> {
    pub status: &'a SloStatus,
    /// The group; `None`: the SLO has no measurements.
    pub group: Option<&'a GroupStatus>,
    pub world: &'a World,
}

/// What the widths of the columns depend on, over all SLOs, also those that are filtered out. Widths are in cells.
#[derive(Debug, Clone, Copy, Default)]
pub struct SloWidths {
    /// The longest id.
    name: u16,
    /// The longest service.
    service: u16,
    /// The SLI with the most decimals, that of the strictest objective.
    sli: u16,
    /// The longest state.
    state: u16,
    /// Whether several sources have an SLO of the same id.
    is_shared: bool,
    /// Whether several sources have SLOs.
    has_sources: bool,
}

impl SloWidths {
    pub(super) fn measure(shared: &Shared) -> Self {
        let slos = shared.world.slos();
        // sorted by id
        let is_shared = slos.windows(2).any(|pair| matches!(pair, [a, b] if a.slo.id == b.slo.id));
        let none = Self { state: 10, is_shared, has_sources: words::are_shared(shared), ..Self::default() };
        slos.iter().fold(none, |widest, status| Self {
            name: widest.name.max(text::width(&status.slo.id)),
            service: widest.service.max(status.service.as_deref().map_or(0, text::width)),
            sli: widest.sli.max(text::width(&show::sli(1.0, status.slo.objective))),
            state: widest.state.max(text::width(status.state().word())),
            ..widest
        })
    }
}

impl Listed for Slos {
    type Item<'a> = SloItem<'a>;
    type Widths = SloWidths;
}

type Column = ListColumn<Slos>;

/// Budget, burn rates and state come first; the objective is also on the SLO's own screen.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("id", "SLO", |item| Value::Text(item.status.slo.id.to_string()))
        .on_screen((1, "SLO", Size::BY_ROWS), |row| {
            row.highlighted(&row.status.slo.id, words::role_or(row.status.state(), Role::Text))
        })
        .sized_by(|w, width| {
            let name = w.name;
            let least = name.clamp(8, (width * 3 / 10).clamp(8, 30));
            Some(Size::words(least, name.clamp(least, 48), 0))
        }),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.status.source.to_string()))
        .on_screen((16, "source", Size::BY_ROWS), |row| Cell::text(row.status.source.as_str(), Role::Muted))
        .sized_by(|w, _| w.has_sources.then(|| Size::words(7, 16, if w.is_shared { 3 } else { 12 }))),
    Column::text("group", "GROUP", |item| {
        let group = item.group.filter(|group| !group.labels.is_empty());
        group.map_or(Value::Nothing, |group| Value::Labels(group.labels.clone()))
    }),
    Column::text("state", "STATE", |item| {
        Value::Text(item.group.map_or(SloState::NoData, |group| group.state).word().to_owned())
    })
    .on_screen((2, "state", Size::BY_ROWS), |row| Cell::text(row.status.state().word(), row.role))
    .sized_by(|w, _| Some(Size::words(10, w.state, 3))),
    Column::number("objective", "OBJECTIVE", |item| {
        let objective = item.status.slo.objective;
        Value::Formatted(objective.as_ratio(), format!("{}%", objective.percent_text()))
    })
    .on_screen((12, "objective", Size::numbers(9, 7)), |row| {
        Cell::text(format!("{}%", row.status.slo.objective.percent_text()), Role::Text)
    }),
    Column::text("window", "WINDOW", |item| Value::Text(item.status.slo.window.to_string()))
        .on_screen((13, "window", Size::words(6, 22, 9)), |row| {
            Cell::text(row.status.slo.window.to_string(), Role::Text)
        }),
    Column::number("sli", "SLI", |item| {
        let error = item.group.and_then(|group| group.window.error());
        formatted_or_nothing(error.map(|error| 1.0 - error), |sli| show::sli(sli, item.status.slo.objective))
    })
    .on_screen((11, "SLI", Size::BY_ROWS), |row| {
        measured(row, |worst| words::sli(&row.status.slo, worst.window))
    })
    .sized_by(|w, _| Some(Size::numbers(w.sli.max(9), 4))),
    Column::number("budget_left", "LEFT", |item| {
        formatted_or_nothing(item.group.and_then(GroupStatus::left), show::left)
    })
    .on_screen((3, "budget", Size::numbers(6, 1)), |row| Cell::Text(words::left(row.status.worst()))),
    Column::drawn((4, "", Size::words(8, 16, 5)), |row| {
        let left = row.status.worst().and_then(GroupStatus::left);
        let role = words::role_or(row.status.state(), Role::Muted);
        left.map_or(Cell::Empty, |share| Cell::Gauge(Gauge { share, role }))
    }),
    Column::number("burn_5m", "5M", |item| item.burn(300))
        .on_screen((5, "5m", Size::numbers(7, 4)), |row| burn(row, 300)),
    Column::hidden("burn_30m", |item| item.burn(1800))
        .on_screen((6, "30m", Size::numbers(7, 10)), |row| burn(row, 1800)),
    Column::number("burn_1h", "1H", |item| item.burn(3600))
        .on_screen((7, "1h", Size::numbers(7, 2)), |row| burn(row, 3600)),
    Column::number("burn_6h", "6H", |item| item.burn(21_600))
        .on_screen((8, "6h", Size::numbers(7, 6)), |row| burn(row, 21_600)),
    Column::number("burn_3d", "3D", |item| item.burn(259_200))
        .on_screen((9, "3d", Size::numbers(7, 11)), |row| burn(row, 259_200)),
    Column::number("exhausted_in_seconds", "EXHAUSTED IN", |item| {
        exhausted_in(item.status, item.group.and_then(|group| group.exhaustion))
    })
    .on_screen((10, "exhausted", Size::numbers(9, 2)), |row| {
        measured(row, |worst| words::exhaustion(row.status, worst))
    }),
    Column::number("alerts", "ALERTS", |item| {
        let SloItem { status, group, world } = item;
        let is_its = |alert: &&Arc<Alert>| group.is_none_or(|group| status.is_about(group, &alert.labels));
        let alerts = status.alerts.iter().filter_map(|alert| world.alert(*alert));
        Value::count(alerts.filter(is_its).count())
    }),
    Column::hidden("service", |item| Value::optional(item.status.service.as_ref()))
        .on_screen((14, "service", Size::BY_ROWS), |row| {
            let service = row.status.service.as_deref();
            service.map_or(Cell::Empty, |service| Cell::text(service, Role::Text))
        })
        .sized_by(|w, _| Some(Size::words(w.service.clamp(7, 12), w.service.clamp(7, 24), 8))),
    Column::hidden("labels", |item| Value::Labels(item.status.slo.labels.clone())),
    Column::hidden("covered", |item| Value::maybe(item.group.and_then(|group| group.covered), Value::Ratio)),
    Column::hidden("is_time_weighted", |item| {
        Value::Switch(item.group.is_some_and(|group| group.is_time_weighted))
    }),
    Column::hidden("is_evaluated_live", |item| Value::Switch(item.status.evaluation == Evaluation::Live)),
    Column::hidden("measured_at", |item| Value::Since(item.status.at)),
    Column::text("why", "WHY", |item| Value::words(why(item.status, item.group)))
        .on_screen((15, "notes", Size::words(15, 70, 5)), |row| {
            Cell::Runs(words::joined(words::notes(row.status, &row.cx)))
        }),
];

impl SloItem<'_> {
    fn burn(&self, seconds: u64) -> Value {
        formatted_or_nothing(
            self.group.and_then(|group| group.burn(Duration::from_secs(seconds))),
            show::burn,
        )
    }
}

/// A cell of the worst group.
fn measured<'r>(row: &ListRow<'_, Slos>, words: impl Fn(&GroupStatus) -> StyledRun<'static>) -> Cell<'r> {
    row.group.map_or_else(|| Cell::text(UNKNOWN, Role::Muted), |worst| Cell::Text(words(worst)))
}

/// The burn rate of the worst group.
fn burn<'r>(row: &ListRow<'_, Slos>, seconds: u64) -> Cell<'r> {
    measured(row, |worst| words::burn(&row.status.slo, worst, Duration::from_secs(seconds)))
}

fn formatted_or_nothing(value: Option<f64>, text: impl Fn(f64) -> String) -> Value {
    value
        .filter(|value| value.is_finite())
        .map_or(Value::Nothing, |value| Value::Formatted(value, text(value)))
}

/// Seconds until the budget is exhausted; zero if it is exhausted, `Nothing` if it will not be.
fn exhausted_in(status: &SloStatus, exhaustion: Option<Exhaustion>) -> Value {
    let seconds = match exhaustion {
        Some(Exhaustion::Exhausted) => 0.0,
        Some(Exhaustion::In(left)) => left.as_secs_f64(),
        Some(Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never) | None => {
            return Value::Nothing;
        }
    };
    Value::Formatted(seconds, show::exhausted_in(exhaustion, status.slo.window.length(status.at)))
}

/// Notes about the numbers of a row.
pub fn why(status: &SloStatus, group: Option<&GroupStatus>) -> String {
    let pairs = group.into_iter().flat_map(|group| &group.pairs).filter(|now| now.holds == Some(true));
    let mut all: Vec<String> = pairs
        .map(|now| {
            let (long, short) = (duration::text(now.pair.long), duration::text(now.pair.short));
            format!("{long} and {short} above {}", show::factor(now.pair.factor))
        })
        .collect();
    match group.and_then(|group| group.doubt.as_ref()) {
        Some(doubt) => all.push(self::doubt(status, doubt)),
        None if group.is_none() => {
            all.push(status.failure.as_ref().map_or("no series".to_owned(), ToString::to_string));
        }
        None => {}
    }
    if let Some((covered, group)) = group.and_then(|group| Some((group.covered?, group))) {
        all.push(show::covered(covered, group.covered_at_most, status.slo.window.elapsed(status.at)));
    }
    let is_told = group.is_some_and(|group| matches!(group.doubt, Some(MissingReason::Because(_))));
    all.extend(status.remark.iter().filter(|_| !is_told).map(ToString::to_string));
    all.join("; ")
}

/// Why a number is missing.
fn doubt(status: &SloStatus, doubt: &MissingReason) -> String {
    match doubt {
        MissingReason::Unknown => "not measured".to_owned(),
        MissingReason::NeverHadData => "never had data".to_owned(),
        MissingReason::NoDataSince(since) => format!("no data since {since:.0}"),
        MissingReason::Odd(odd, over) => odd.message(*over, status.evaluation),
        MissingReason::Missing(over) => format!("{} has no data", status.evaluation.ratio(*over)),
        MissingReason::Because(why) => why.to_string(),
        MissingReason::Refused(said) => said.to_string(),
        MissingReason::NoQuery => "the definition of the SLO has no query for this source".to_owned(),
    }
}
