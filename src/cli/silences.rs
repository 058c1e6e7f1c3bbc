//! `burnwatch silences`: those in force and those to come, the first to end first.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::silence::{Silence, SilenceState, can_be_hidden};

use super::needs;
use super::report::{Cell, Column, Document, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::text("id", "ID"),
    Column::text("state", "STATE"),
    Column::text("ends_at", "ENDS IN"),
    Column::hidden("starts_at"),
    Column::number("alerts", "ALERTS"),
    Column::text("created_by", "BY"),
    Column::apart("source", "SOURCE"),
    Column::text("matchers", "MATCHERS"),
    Column::text("comment", "COMMENT"),
];

/// The silences that are not over, each once.
pub(super) fn document(view: &View<'_>) -> Document {
    let mut seen = BTreeSet::new();
    let open = view.world.silences().filter(|silence| silence.state != SilenceState::Expired);
    // members of a cluster tell the same ones
    let mut all: Vec<&Arc<Silence>> = open.filter(|silence| seen.insert(&silence.id)).collect();
    all.sort_by(|a, b| (a.ends_at, &a.id).cmp(&(b.ends_at, &b.id)));
    let list = List {
        key: "silences",
        title: "Silences".to_owned(),
        columns: COLUMNS,
        rows: all.into_iter().map(|silence| row(view, silence)).collect(),
        empty: "No silence in force is known.",
        layout: Layout::Rows,
    };
    view.document(Vec::new(), vec![list], needs::SILENCES)
}

fn row(view: &View<'_>, silence: &Silence) -> Vec<Cell> {
    let hidden = view.world.alerts().iter();
    let hidden = hidden.filter(|alert| can_be_hidden(alert) && silence.matches(&alert.labels)).count();
    vec![
        Cell::Text(silence.id.to_string()),
        Cell::Text(silence.state.word().to_owned()),
        Cell::Moment(silence.ends_at),
        Cell::Since(silence.starts_at),
        Cell::count(hidden),
        Cell::words(silence.created_by.to_string()),
        Cell::Text(silence.source.to_string()),
        Cell::Texts(silence.matchers.iter().map(ToString::to_string).collect()),
        Cell::words(silence.comment.to_string()),
    ]
}
