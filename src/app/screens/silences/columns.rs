//! The columns of silences: on the screen, in `burnwatch silences` and in its JSON.

use super::{Silences, comment_with_annotations, ends_soon};
use crate::app::planner::silence_label;
use crate::app::prelude::*;
use crate::model::silence::{Silence, SilenceState};

pub struct SilenceItem {
    pub silence: Arc<Silence>,
    /// How many alerts the silence affects now.
    pub hides: usize,
}

impl Listed for Silences {
    type Item<'a> = SilenceItem;
    type Widths = ();
}

type Column = ListColumn<Silences>;

/// The matchers and the end come first.
pub const COLUMNS: &[Column] = &[
    Column::symbol(0),
    Column::text("id", "ID", |item| Value::Text(item.silence.id.to_string()))
        .on_screen((8, "id", Size::words(8, 8, 6)), |row| {
            Cell::text(row.silence.id.chars().take(8).collect::<String>(), Role::Muted)
        }),
    Column::text("state", "STATE", |item| Value::Text(item.silence.state.word().to_owned())).on_screen(
        (2, "state", Size::words(9, 18, 3)),
        |row| {
            let word = row.silence.state.word();
            match row.progress() {
                Some(progress) => Cell::text(format!("{word} {progress}"), Role::Sending),
                None => Cell::text(word, row.role),
            }
        },
    ),
    Column::text("ends_at", "ENDS", |item| Value::Moment(item.silence.ends_at))
        .on_screen((4, "until", Size::words(16, 16, 5)), |row| {
            Cell::text(moment(row.silence.ends_at, row.cx.now, row.cx.zone), Role::Muted)
        }),
    Column::drawn((3, "ends in", Size::words(9, 9, 0)), |row| {
        let left = duration::short(age(row.cx.now, row.silence.ends_at));
        let is_over = row.silence.state == SilenceState::Expired;
        let left = match (is_over, ends_soon(&row.silence, row.cx.now)) {
            (true, _) => "expired".to_owned(),
            (false, true) => format!("{left}!"),
            (false, false) => left,
        };
        Cell::text(left, row.role)
    }),
    Column::hidden("starts_at", |item| Value::Since(item.silence.starts_at)),
    Column::number("alerts", "ALERTS", |item| Value::count(item.hides))
        .on_screen((5, "alerts", Size::numbers(6, 1)), |row| Cell::text(row.hides.to_string(), row.plain)),
    Column::text("created_by", "BY", |item| Value::words(item.silence.created_by.to_string()))
        .on_screen((6, "by", Size::words(8, 16, 4)), |row| Cell::text(&*row.silence.created_by, Role::Muted)),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.silence.source.to_string())),
    Column::text("matchers", "MATCHERS", |item| Value::texts(item.silence.matchers.iter()))
        .on_screen((1, "matchers", Size::BY_ROWS), |row| {
            Cell::Runs(vec![StyledRun::new(silence_label(&row.silence).to_string(), row.plain)])
        })
        .sized_by(|(), width| Some(Size::words((width / 4).clamp(16, 40), (width / 2).max(16), 0))),
    Column::text("comment", "COMMENT", |item| Value::words(item.silence.comment.to_string()))
        .on_screen((7, "comment", Size::words(14, 60, 2)), |row| {
            Cell::text(comment_with_annotations(&row.silence).to_string(), row.plain)
        }),
    Column::hidden("annotations", |item| Value::Labels(item.silence.annotations.clone())),
];
