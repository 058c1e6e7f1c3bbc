//! The columns of silences: on the screen, in `burnwatch silences` and in its JSON.

use std::sync::Arc;

use super::{Silences, comment_with_annotations, ends_soon};
use crate::app::planner::silence_label;
use crate::app::prelude::*;
use crate::model::silence::{Silence, SilenceState};
use crate::model::world::OptimisticStage;

pub enum SilenceList {}

pub struct SilenceItem<'a> {
    pub silence: &'a Silence,
    /// How many alerts the silence affects now.
    pub hides: usize,
}

/// A silence as the screen shows it.
pub struct SilenceRow<'a> {
    silence: Arc<Silence>,
    /// The optimistic state of an action in progress.
    stage: Option<OptimisticStage>,
    hides: usize,
    role: Role,
    /// The role of the less important cells.
    plain: Role,
    cx: ScreenCx<'a>,
}

impl Listed for SilenceList {
    type Item<'a> = SilenceItem<'a>;
    type Row<'a> = SilenceRow<'a>;
    /// The width of the table, in cells.
    type Widths = u16;
}

type Column = ListColumn<SilenceList>;

/// The matchers and the end come first.
pub const COLUMNS: &[Column] = &[
    Column::drawn(0, "", Size::words(1, 1, 0), |row| Cell::symbol(&row.cx, row.role)),
    Column::text("id", "ID", |item| Value::Text(item.silence.id.to_string())).on_screen(
        8,
        "id",
        Size::words(8, 8, 6),
        |row| Cell::text(row.silence.id.chars().take(8).collect::<String>(), Role::Muted),
    ),
    Column::text("state", "STATE", |item| Value::Text(item.silence.state.word().to_owned())).on_screen(
        2,
        "state",
        Size::words(9, 18, 3),
        |row| {
            let word = row.silence.state.word();
            match row.stage {
                Some(stage) => {
                    let words = format!("{word} {}{}", text::ellipsis(row.cx.charset), stage.word());
                    Cell::text(words, Role::Sending)
                }
                None => Cell::text(word, row.role),
            }
        },
    ),
    Column::text("ends_at", "ENDS", |item| Value::Moment(item.silence.ends_at)).on_screen(
        4,
        "until",
        Size::words(16, 16, 5),
        |row| Cell::text(moment(row.silence.ends_at, row.cx.now, row.cx.zone), Role::Muted),
    ),
    Column::drawn(3, "ends in", Size::words(9, 9, 0), |row| {
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
    Column::number("alerts", "ALERTS", |item| Value::count(item.hides)).on_screen(
        5,
        "alerts",
        Size::numbers(6, 1),
        |row| Cell::text(row.hides.to_string(), row.plain),
    ),
    Column::text("created_by", "BY", |item| Value::words(item.silence.created_by.to_string())).on_screen(
        6,
        "by",
        Size::words(8, 16, 4),
        |row| Cell::text(&*row.silence.created_by, Role::Muted),
    ),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.silence.source.to_string())),
    Column::text("matchers", "MATCHERS", |item| {
        Value::Texts(item.silence.matchers.iter().map(ToString::to_string).collect())
    })
    .on_screen_by(
        1,
        "matchers",
        |width| Some(Size::words((width / 4).clamp(16, 40), (width / 2).max(16), 0)),
        |row| Cell::Runs(vec![StyledRun::new(silence_label(&row.silence).to_string(), row.plain)]),
    ),
    Column::text("comment", "COMMENT", |item| Value::words(item.silence.comment.to_string())).on_screen(
        7,
        "comment",
        Size::words(14, 60, 2),
        |row| Cell::text(comment_with_annotations(&row.silence).to_string(), row.plain),
    ),
    Column::hidden("annotations", |item| Value::Labels(item.silence.annotations.clone())),
];

impl<'a> SilenceRow<'a> {
    /// A silence with the state of the screen.
    pub(super) fn new(
        screen: &Silences,
        cx: ScreenCx<'a>,
        silence: Arc<Silence>,
        stage: Option<OptimisticStage>,
    ) -> Self {
        let is_over = silence.state == SilenceState::Expired;
        Self {
            stage,
            hides: screen.hides.get(&silence.id).copied().unwrap_or(0),
            role: role(&silence, cx.now),
            plain: if is_over { Role::Muted } else { Role::Text },
            silence,
            cx,
        }
    }
}

fn role(silence: &Silence, now: Timestamp) -> Role {
    match silence.state {
        SilenceState::Active if ends_soon(silence, now) => Role::Warning,
        SilenceState::Active => Role::Silenced,
        SilenceState::Pending => Role::Pending,
        SilenceState::Expired => Role::Muted,
    }
}
