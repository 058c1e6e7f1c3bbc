//! The columns of resources: on the screen, in `burnwatch capacity` and in its JSON.

use super::CapacityList;
use crate::app::number::{UNKNOWN, percent};
use crate::app::prelude::*;
use crate::app::subjects::capacity::where_is;
use crate::app::widgets::bar::Gauge;
use crate::model::capacity::{CapacityReading, CapacityUse, GrowthTrend, SeasonKind, left};
use crate::model::value::elapsed;

/// A resource and the current time.
pub struct CapacityItem<'a> {
    pub reading: &'a CapacityReading,
    pub now: Timestamp,
}

/// The cells of the longest names.
#[derive(Debug, Clone, Copy, Default)]
pub struct CapacityWidths {
    resource: u16,
    service: u16,
    place: u16,
    has_sources: bool,
    has_season: bool,
}

impl CapacityWidths {
    pub(super) fn measure(shared: &Shared) -> Self {
        let all = shared.world.capacity();
        let mut sources: Vec<&SourceId> = all.iter().map(|reading| &reading.key.source).collect();
        sources.dedup();
        let none = Self { has_sources: sources.len() > 1, ..Self::default() };
        all.iter().fold(none, |widest, reading| Self {
            resource: widest.resource.max(text::width(&reading.key.resource)),
            service: widest.service.max(text::width(&reading.key.service)),
            place: widest.place.max(text::width(&where_is(reading))),
            has_season: widest.has_season || season(reading).is_some(),
            ..widest
        })
    }
}

impl Listed for CapacityList {
    type Item<'a> = CapacityItem<'a>;
    type Widths = CapacityWidths;
}

type Column = ListColumn<CapacityList>;

/// Resource, service, time left and usage come first.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("resource", "RESOURCE", |item| Value::Text(item.reading.key.resource.to_string()))
        .on_screen((1, "resource", Size::BY_ROWS), |row| {
            row.highlighted(&row.reading.key.resource, named_role(row))
        })
        .sized_by(|w, width| {
            Some(Size::words(w.resource.clamp(8, 12), w.resource.clamp(8, (width / 6).max(12)), 0))
        }),
    Column::text("service", "SERVICE", |item| Value::words(item.reading.key.service.to_string()))
        .on_screen((2, "service", Size::BY_ROWS), |row| row.highlighted(&row.reading.key.service, Role::Text))
        .sized_by(|w, width| {
            Some(Size::words(w.service.clamp(7, 12), w.service.clamp(7, (width / 6).max(12)), 2))
        }),
    Column::text("place", "WHERE", |item| Value::words(where_is(item.reading)))
        .on_screen((3, "where", Size::BY_ROWS), |row| Cell::text(where_is(row.reading), Role::Muted))
        .sized_by(|w, width| {
            Some(Size::words(w.place.clamp(8, 16), w.place.clamp(8, (width / 4).max(16)), 4))
        }),
    Column::hidden("host", |item| Value::words(item.reading.host.to_string())),
    Column::hidden("instance", |item| Value::words(item.reading.key.instance.to_string())),
    Column::hidden("part", |item| Value::words(item.reading.key.part.to_string())),
    Column::text("state", "", |item| Value::Text(item.reading.outlook.word().to_owned())),
    Column::hidden("unit", |item| Value::Text(item.reading.unit.word().to_owned())),
    Column::number("used", "USED", |item| amount(item.reading, false)),
    Column::number("limit", "LIMIT", |item| amount(item.reading, true)),
    Column::number("used_ratio", "SHARE", |item| Value::maybe(item.reading.ratio(), Value::Ratio)).on_screen(
        (4, "used", Size::numbers(6, 1)),
        |row| {
            let ratio = row.reading.ratio();
            Cell::text(ratio.map_or_else(|| UNKNOWN.to_owned(), percent), Role::Text)
        },
    ),
    Column::drawn((5, "", Size::words(8, 14, 6)), |row| {
        let role = if row.role == Role::Healthy { Role::Muted } else { row.role };
        row.reading.ratio().map_or(Cell::Empty, |share| Cell::Gauge(Gauge { share, role }))
    }),
    Column::drawn((6, "used of limit", Size::words(13, 24, 7)), |row| {
        Cell::text(row.reading.amounts(), Role::Text)
    }),
    Column::number("growth_per_day", "PER DAY", |item| {
        let trend = item.reading.trend.as_ref().zip(item.reading.growth());
        trend.map_or(Value::Nothing, |(trend, words)| Value::Formatted(trend.per_day, words))
    })
    .on_screen((7, "per day", Size::numbers(10, 5)), |row| {
        Cell::text(row.reading.growth().unwrap_or_default(), Role::Muted)
    }),
    Column::hidden("growth_per_day_low", |item| per_day(item, |trend| trend.low_per_day)),
    Column::hidden("growth_per_day_high", |item| per_day(item, |trend| trend.high_per_day)),
    Column::hidden("history_seconds", |item| per_day(item, |trend| trend.history.as_secs_f64())),
    Column::hidden("resets", |item| {
        item.reading.trend.as_ref().map_or(Value::Nothing, |trend| Value::count(trend.resets))
    }),
    Column::hidden("ends_in_seconds", |item| seconds(item.reading.outlook.end(item.now), item.now)),
    Column::hidden("earliest_in_seconds", |item| {
        seconds(item.reading.outlook.bounds().map(|(earliest, _)| earliest), item.now)
    }),
    Column::hidden("latest_in_seconds", |item| {
        seconds(item.reading.outlook.bounds().and_then(|(_, latest)| latest), item.now)
    }),
    Column::text("outlook", "FULL IN", |item| Value::Text(item.reading.outlook.words(item.now)))
        .on_screen((8, "full in", Size::words(14, 30, 0)), |row| {
            Cell::text(row.reading.outlook.words(row.now), named_role(row))
        }),
    Column::text("season", "SEASON", |item| Value::words(season(item.reading).map_or("", SeasonKind::word)))
        .on_screen((9, "season", Size::BY_ROWS), |row| {
            Cell::text(season(row.reading).map_or("", SeasonKind::word), Role::Muted)
        })
        .sized_by(|w, _| w.has_season.then(|| Size::words(6, 6, 8))),
    Column::hidden("query", |item| Value::words(item.reading.query.to_string())),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.reading.key.source.to_string()))
        .on_screen((10, "source", Size::BY_ROWS), |row| {
            Cell::text(row.reading.key.source.as_str(), Role::Muted)
        })
        .sized_by(|w, _| w.has_sources.then(|| Size::words(7, 16, 9))),
    Column::hidden("measured_at", |item| Value::Since(item.reading.at)),
];

/// Healthy rows are quiet.
fn named_role(row: &ListRow<'_, CapacityList>) -> Role {
    match row.role {
        Role::Healthy | Role::Info => Role::Text,
        Role::Pending => Role::Muted,
        role => role,
    }
}

fn season(reading: &CapacityReading) -> Option<SeasonKind> {
    reading.trend.as_ref()?.season
}

/// The used amount or the limit.
fn amount(reading: &CapacityReading, is_limit: bool) -> Value {
    let CapacityUse::Amount { used, limit } = reading.amount else { return Value::Nothing };
    let number = if is_limit { limit } else { Some(used) };
    number.map_or(Value::Nothing, |number| Value::Formatted(number, reading.unit.text(number)))
}

fn per_day(item: &CapacityItem<'_>, number: fn(&GrowthTrend) -> f64) -> Value {
    Value::maybe(item.reading.trend.as_ref().map(number), Value::Number)
}

/// The seconds until then; 0 if it is over.
fn seconds(then: Option<Timestamp>, now: Timestamp) -> Value {
    let left = then.map(|then| left(then, now));
    left.map_or(Value::Nothing, |left| Value::Formatted(left.as_secs_f64(), elapsed(left)))
}
