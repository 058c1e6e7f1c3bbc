//! The columns of the levels of escalation policies: on the screen, in `burnwatch oncall` and in its JSON.

use std::collections::BTreeSet;

use super::{OnCall, words};
use crate::app::prelude::*;
use crate::model::oncall::{Coverage, EscalationPolicy, OnCallAt, OnCallSnapshot};

pub struct LevelItem<'a> {
    pub source: &'a SourceId,
    /// The on-call data of the source.
    pub snapshot: &'a OnCallSnapshot,
    pub policy: &'a EscalationPolicy,
    pub number: u32,
    /// Who is on call now, and who is next.
    pub on_call_at: OnCallAt,
    /// Whether this is the first shown row of its policy, which has the cells of the whole policy.
    pub is_first: bool,
}

impl Listed for OnCall {
    type Item<'a> = LevelItem<'a>;
    /// Whether several sources have on-call data.
    type Widths = bool;
}

type Column = ListColumn<OnCall>;

/// Who is on call now, and who is next.
pub const COLUMNS: &[Column] = &[
    Column::text("policy", "POLICY", |item| Value::Text(item.policy.named.name.to_string()))
        .on_screen((0, "policy", Size::BY_ROWS), |row| {
            if row.is_first { row.highlighted(&row.policy.named.name, Role::Title) } else { Cell::Empty }
        })
        .sized_by(|_, width| {
            let name = (width / 5).clamp(12, 34);
            Some(Size::words(name, name, 0))
        }),
    Column::number("level", "LEVEL", |item| Value::Count(item.number.into()))
        .on_screen((1, "level", Size::words(5, 5, 2)), |row| {
            Cell::text(format!("L{}", row.number), Role::Muted)
        }),
    Column::text("now", "ON CALL", |item| people(&item.on_call_at.now))
        .on_screen((2, "on call now", Size::words(14, 38, 0)), |row| {
            Cell::Text(words::on_call_names(&row.cx, row.source, &row.on_call_at.now))
        }),
    Column::text("until", "UNTIL", |item| {
        item.on_call_at.next.as_ref().map_or(Value::Nothing, |(at, _)| Value::Moment(*at))
    })
    .on_screen((3, "until", Size::words(12, 12, 3)), |row| {
        if let Some((at, _)) = &row.on_call_at.next {
            Cell::text(words::when(*at, row.cx.now, row.cx.zone), Role::Text)
        } else {
            let known = duration::short(age(row.cx.now, row.snapshot.until));
            Cell::text(format!("over {known}"), Role::Muted)
        }
    }),
    Column::drawn((4, "in", Size::numbers(6, 5)), |row| {
        let left = row.on_call_at.next.as_ref().map(|(at, _)| words::left(*at, row.cx.now));
        Cell::text(left.unwrap_or_default(), Role::Text)
    }),
    Column::text("next", "NEXT", |item| {
        item.on_call_at.next.as_ref().map_or(Value::Nothing, |(_, cover)| people(cover))
    })
    .on_screen((5, "next", Size::words(12, 34, 4)), |row| match &row.on_call_at.next {
        Some((_, Coverage::Nobody)) => Cell::Text(StyledRun::new("nobody", Role::Down)),
        Some((_, cover)) => {
            Cell::Text(StyledRun::new(words::names(row.cx.shared, row.source, cover), Role::Text))
        }
        None => Cell::Empty,
    }),
    Column::hidden("is_covered", |item| Value::Switch(!item.on_call_at.now.on_duty().is_empty())),
    Column::hidden("is_me", |item| {
        let now: BTreeSet<_> =
            item.on_call_at.now.on_duty().iter().map(|person_on_duty| &person_on_duty.person.id).collect();
        Value::Switch(item.snapshot.me.as_ref().is_some_and(|me| now.contains(&me.id)))
    }),
    Column::hidden("is_double", |item| Value::Switch(item.on_call_at.now.is_double_booked())),
    Column::hidden("delay_seconds", |item| {
        let level = item.policy.levels.iter().find(|level| level.number == item.number);
        level.map_or(Value::Nothing, |level| Value::Count(level.delay.as_secs()))
    }),
    Column::hidden("policy_id", |item| Value::Text(item.policy.named.id.to_string())),
    Column::hidden("teams", |item| Value::texts(item.policy.teams.iter().map(|team| &team.name))).on_screen(
        (6, "teams", Size::words(12, 30, 7)),
        |row| {
            let teams: Vec<&str> =
                row.policy.teams.iter().map(|team| &*team.name).filter(|_| row.is_first).collect();
            Cell::text(teams.join(", "), Role::Muted)
        },
    ),
    Column::hidden("url", |item| Value::optional(item.policy.named.url.as_ref())),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.source.to_string()))
        .on_screen((7, "source", Size::BY_ROWS), |row| Cell::text(row.source.as_str(), Role::Muted))
        .sized_by(|is_shared, _| is_shared.then(|| Size::words(8, 14, 8))),
];

/// The people on call as a list; empty: nobody; `Nothing`: unknown.
fn people(cover: &Coverage) -> Value {
    match cover {
        Coverage::Unknown => Value::Nothing,
        Coverage::Nobody | Coverage::People(_) => {
            Value::texts(cover.on_duty().iter().map(|person_on_duty| &person_on_duty.person.name))
        }
    }
}
