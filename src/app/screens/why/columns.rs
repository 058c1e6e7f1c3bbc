//! The values of causes in `burnwatch why` and its JSON.

use super::OpenWhy;
use crate::app::columns::{ListColumn, Listed};
use crate::model::change::Change;
use crate::model::value::Value;
use crate::model::why::Cause;

/// A cause and its place in the ranking, from 1.
pub struct CauseItem<'a> {
    pub rank: usize,
    pub cause: &'a Cause,
}

impl Listed for OpenWhy {
    type Item<'a> = CauseItem<'a>;
    type Widths = ();
}

type Column = ListColumn<OpenWhy>;

pub const COLUMNS: &[Column] = &[
    Column::number("rank", "#", |item| Value::count(item.rank)),
    Column::text("kind", "KIND", |item| Value::Text(item.cause.kind.word().to_owned())),
    Column::number("explained", "EXPLAINS", |item| Value::maybe(item.cause.explained, Value::Ratio)),
    Column::number("traffic_share", "TRAFFIC", |item| Value::maybe(item.cause.traffic, Value::Ratio)),
    Column::text("words", "WHY", |item| Value::Text(item.cause.words.clone())),
    Column::hidden("labels", |item| Value::Labels(item.cause.labels.clone())),
    Column::hidden("equivalent", |item| Value::LabelSets(item.cause.equivalent.clone())),
    Column::hidden("name", |item| Value::optional(item.cause.name.as_ref())),
    Column::hidden("signal", |item| Value::Text(item.cause.signal.word().to_owned())),
    Column::hidden("at", |item| item.cause.at.map_or(Value::Nothing, Value::Moment)),
    Column::hidden("score", |item| Value::Number(item.cause.score)),
    Column::hidden("change", |item| {
        item.cause.changes.first().map_or(Value::Nothing, |change| Value::Object(of(change)))
    }),
    Column::hidden("changes", |item| {
        Value::Objects(item.cause.changes.iter().map(|change| of(change)).collect())
    }),
];

/// The fields of a change.
fn of(change: &Change) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::optional(change.id.as_ref())),
        ("kind", Value::Text(change.kind.word().to_owned())),
        ("title", Value::Text(change.title.to_string())),
        ("at", Value::Moment(change.at)),
        ("service", Value::optional(change.service.as_ref())),
        ("from", Value::optional(change.from.as_ref())),
        ("to", Value::optional(change.to.as_ref())),
        ("who", Value::optional(change.who.as_ref())),
        ("link", Value::optional(change.link.as_ref())),
        ("labels", Value::Labels(change.labels.clone())),
        ("sources", Value::texts(change.sources.iter())),
    ]
}
