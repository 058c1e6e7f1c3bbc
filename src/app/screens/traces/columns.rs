//! The columns of traces: on the screen, in `burnwatch traces` and in its JSON.

use std::time::Duration;

use super::OpenTraces;
use crate::app::columns::{ThingOrder, ascending, descending};
use crate::app::number::{UNKNOWN, latency};
use crate::app::prelude::*;
use crate::app::widgets::bar::Gauge;
use crate::model::trace::TraceSummary;

/// A trace with its source.
pub struct TraceItem<'a> {
    pub trace: &'a TraceSummary,
    pub source: &'a SourceId,
    /// The longest duration of the list.
    pub longest: Duration,
}

impl Listed for OpenTraces {
    type Item<'a> = TraceItem<'a>;
    type Widths = ();
}

/// Failed ones come first, then the slowest.
pub const ORDERS: [ThingOrder<TraceSummary>; 5] = [
    descending("failed, then the slowest", "took", |a, b| a.rank().cmp(&b.rank())),
    descending("duration", "took", |a, b| b.duration.cmp(&a.duration)),
    descending("start", "started", |a, b| b.starts_at.cmp(&a.starts_at)),
    descending("errors", "errors", |a, b| b.errors.cmp(&a.errors)),
    ascending("operation", "operation", |a, b| a.operation.cmp(&b.operation)),
];

type Column = ListColumn<OpenTraces>;

/// How long and what come first.
pub const COLUMNS: &[Column] = &[
    Column::drawn((0, "", Size::words(1, 1, 0)), |row| {
        let symbol = if row.trace.is_failed { row.cx.symbol(Role::Trouble) } else { " " };
        Cell::text(symbol, row.role)
    }),
    Column::text("trace_id", "TRACE", |item| Value::Text(item.trace.id.to_string()))
        .on_screen((9, "trace", Size::words(8, 32, 7)), |row| {
            Cell::text(row.trace.id.to_string(), Role::Muted)
        }),
    Column::text("started_at", "STARTED", |item| Value::Since(item.trace.starts_at))
        .on_screen((1, "started", Size::words(8, 16, 3)), |row| {
            Cell::text(moment(row.trace.starts_at, row.cx.now, row.cx.zone), Role::Muted)
        }),
    Column::number("duration_seconds", "TOOK", |item| Value::Seconds(item.trace.duration.as_secs_f64()))
        .on_screen((2, "took", Size::numbers(7, 0)), |row| {
            let role = if row.trace.is_failed { Role::Critical } else { Role::Text };
            Cell::text(latency(row.trace.duration.as_secs_f64()), role)
        }),
    Column::drawn((3, "", Size::words(8, 30, 6)), |row| {
        let share = row.trace.duration.as_secs_f64() / row.longest.as_secs_f64().max(f64::MIN_POSITIVE);
        Cell::Gauge(Gauge { share: share.clamp(0.0, 1.0), role: Role::Series1 })
    }),
    Column::text("is_failed", "FAILED", |item| Value::Switch(item.trace.is_failed)),
    Column::text("service", "ROOT SERVICE", |item| Value::words(item.trace.service.to_string()))
        .on_screen((4, "root service", Size::words(8, 24, 2)), |row| {
            row.highlighted(known(&row.trace.service), Role::Accent)
        }),
    Column::text("operation", "OPERATION", |item| Value::words(item.trace.operation.to_string()))
        .on_screen((5, "operation", Size::words(12, 60, 0)), |row| {
            row.highlighted(known(&row.trace.operation), Role::Text)
        }),
    Column::number("spans", "SPANS", |item| number(item.trace.spans))
        .on_screen((6, "spans", Size::numbers(5, 4)), |row| Cell::text(shown(row.trace.spans), Role::Text)),
    Column::number("errors", "ERRORS", |item| number(item.trace.errors)).on_screen(
        (7, "errors", Size::numbers(6, 1)),
        |row| {
            let role =
                if row.trace.errors.is_some_and(|errors| errors > 0) { Role::Warning } else { Role::Muted };
            Cell::text(shown(row.trace.errors), role)
        },
    ),
    Column::hidden("services", |item| Value::texts(item.trace.services.iter()))
        .on_screen((8, "services", Size::words(10, 40, 5)), |row| {
            Cell::text(row.trace.services.join(", "), Role::Muted)
        }),
    Column::hidden("link", |item| Value::optional(item.trace.link.as_ref())),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.source.to_string())),
];

/// A text, or a dash if the source does not know it.
fn known(text: &str) -> &str {
    if text.is_empty() { UNKNOWN } else { text }
}

fn number(count: Option<usize>) -> Value {
    count.map_or(Value::Nothing, Value::count)
}

fn shown(count: Option<usize>) -> String {
    count.map_or_else(|| UNKNOWN.to_owned(), |count| count.to_string())
}
