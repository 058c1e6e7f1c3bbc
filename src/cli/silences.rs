//! `burnwatch silences`: those in force and those to come, the first to end first; with `--all` also those that have ended, the
//! last first.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::labels::Text;
use crate::model::silence::{Silence, SilenceState};

use super::needs;
use super::report::{Cell, Column, Document, Layout, List};
use super::view::View;

const COLUMNS: &[Column] = &[
    Column::text("id", "ID"),
    Column::text("state", "STATE"),
    Column::text("ends_at", "ENDS"),
    Column::hidden("starts_at"),
    Column::number("alerts", "ALERTS"),
    Column::text("created_by", "BY"),
    Column::apart("source", "SOURCE"),
    Column::text("matchers", "MATCHERS"),
    Column::text("comment", "COMMENT"),
    Column::hidden("annotations"),
];

/// The silences, each once; those that are over only if all are wanted.
pub(super) fn document(view: &View<'_>, is_all: bool) -> Document {
    let mut seen = BTreeSet::new();
    let is_over = |silence: &Silence| silence.state == SilenceState::Expired;
    let wanted = view.world.silences().filter(|silence| is_all || !is_over(silence));
    // members of a cluster tell the same ones
    let mut all: Vec<&Arc<Silence>> = wanted.filter(|silence| seen.insert(&silence.id)).collect();
    all.sort_by(|a, b| {
        let by_end = if is_over(a) { b.ends_at.cmp(&a.ends_at) } else { a.ends_at.cmp(&b.ends_at) };
        is_over(a).cmp(&is_over(b)).then(by_end).then_with(|| a.id.cmp(&b.id))
    });
    let hides = view.world.hidden_by_each();
    let list = List {
        key: "silences",
        title: "Silences".to_owned(),
        columns: COLUMNS,
        rows: all.into_iter().map(|silence| row(silence, &hides)).collect(),
        empty: if is_all { "No silence is known." } else { "No silence in force is known." },
        layout: Layout::Rows,
    };
    view.document(Vec::new(), vec![list], needs::SILENCES)
}

fn row(silence: &Silence, hides: &HashMap<Text, usize>) -> Vec<Cell> {
    vec![
        Cell::Text(silence.id.to_string()),
        Cell::Text(silence.state.word().to_owned()),
        Cell::Moment(silence.ends_at),
        Cell::Since(silence.starts_at),
        Cell::count(hides.get(&silence.id).copied().unwrap_or(0)),
        Cell::words(silence.created_by.to_string()),
        Cell::Text(silence.source.to_string()),
        Cell::Texts(silence.matchers.iter().map(ToString::to_string).collect()),
        Cell::words(silence.comment.to_string()),
        Cell::Labels(silence.annotations.clone()),
    ]
}
