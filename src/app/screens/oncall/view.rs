//! The areas of the on-call screen, and the user's own shifts.

use super::{OnCall, words};
use crate::app::prelude::*;

/// Rows of the week calendar if there is room for all of it.
const WEEK: u16 = 12;
/// From this height on, the user's own shifts are shown.
const TALL: u16 = 26;
/// Rows of the user's own shifts.
const OWN: u16 = 7;

/// The areas of the table, the week calendar and the user's own shifts.
pub(super) struct Layout {
    pub(super) table: Rect,
    pub(super) week: Rect,
    pub(super) own: Rect,
}

pub(super) fn parts(screen: &OnCall, shared: &Shared, body: Rect) -> Layout {
    let room = layout::below_heading(body);
    let rows = u16::try_from(screen.rows.list.rows().len()).unwrap_or(u16::MAX).saturating_add(1);
    let is_known = rows > 1;
    let week = match room.height {
        _ if !is_known => 0,
        0..12 => 0,
        height => (height / 2).clamp(6, WEEK),
    };
    let has_own = shared.world.on_call().any(|(_, snapshot)| snapshot.me.is_some());
    let own = if is_known && has_own && room.height >= TALL { OWN } else { 0 };
    let table = if week == 0 { room.height } else { rows.min(room.height - week - own - 1) };
    let gap = u16::from(week > 0);
    let table = Rect { height: table, ..room };
    let week = Rect { y: table.bottom() + gap, height: week, ..room };
    let own = Rect { y: week.bottom(), height: own, ..room };
    Layout { table, week, own }
}

/// The current and coming shifts of the user.
pub(super) fn own(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let line = |y: u16| Rect { y, height: 1, ..area };
    let turns = cx.world.on_call().flat_map(|(source, snapshot)| {
        let mine = snapshot.me.as_ref().map(|me| snapshot.shifts_of(me, cx.now)).unwrap_or_default();
        mine.into_iter().map(move |shift| (source, snapshot, shift))
    });
    let turns: Vec<_> = turns.collect();
    let title = [
        StyledRun::new(" Your shifts ", Role::Title),
        StyledRun::new(turns.len().to_string(), Role::Text),
        StyledRun::new(if turns.is_empty() { ": none in the loaded days" } else { "" }, Role::Muted),
    ];
    text::runs(cx, &title, line(area.y), buf);
    let names = turns.iter().map(|(_, snapshot, shift)| {
        snapshot.policies.iter().find(|p| p.named.id == shift.policy).map_or(&shift.policy, |p| &p.named.name)
    });
    let widest = names.clone().map(|name| text::width(name)).max().unwrap_or(0).min(30);
    for (y, ((_, snapshot, shift), name)) in (area.y + 1..area.bottom()).zip(turns.iter().zip(names)) {
        let is_now = shift.covers(cx.now);
        let from = match shift.start {
            _ if is_now => "now".to_owned(),
            Some(start) => words::when(start, cx.now, cx.zone),
            None => "always".to_owned(),
        };
        let until = shift.end.map_or_else(|| "no end".to_owned(), |end| words::when(end, cx.now, cx.zone));
        let (start, end) = (shift.start.unwrap_or(snapshot.from), shift.end.unwrap_or(snapshot.until));
        let night = shift.person.night(start.max(cx.now), end).filter(|night| !night.is_zero());
        let night = night.map(|night| format!("  {} {}", words::night_symbol(cx), duration::short(night)));
        let stands_in =
            if shift.is_override { format!("  {} override", words::stands_in(cx)) } else { String::new() };
        let runs = [
            StyledRun::new(
                format!("   {from:<13} to {until:<13} "),
                if is_now { Role::Accent } else { Role::Text },
            ),
            StyledRun::new(text::pad(name, widest, cx.charset), Role::Text),
            StyledRun::new(
                format!("  level {}{stands_in}{}", shift.level, night.unwrap_or_default()),
                Role::Muted,
            ),
        ];
        text::runs(cx, &runs, line(y), buf);
    }
}
