//! Draws the on-call screen.

use std::collections::BTreeSet;

use super::columns::{COLUMNS, LevelRow, Widths};
use super::{OnCall, calendar, words};
use crate::app::identity::{LevelKey, PolicyKey};
use crate::app::list_screen::{self, EmptyState, NO_PAGING};
use crate::app::prelude::*;
use crate::app::staleness::doubtful;
use crate::app::widgets::table;

/// The kinds of answers that the screen uses.
const USED: [AskKind; 1] = [AskKind::OnCall];
/// Rows of the week calendar if there is room for all of it.
const WEEK: u16 = 12;
/// From this height on, the user's own shifts are shown.
const TALL: u16 = 26;
/// Rows of the user's own shifts.
const OWN: u16 = 7;

/// The areas of the table, the week calendar and the user's own shifts.
struct Layout {
    table: Rect,
    week: Rect,
    own: Rect,
}

fn parts(screen: &OnCall, shared: &Shared, body: Rect) -> Layout {
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

/// The area of the table's rows.
pub(super) fn list_area(screen: &OnCall, shared: &Shared, body: Rect) -> Rect {
    table::body(parts(screen, shared, body).table)
}

/// Draws the screen.
pub(super) fn render(screen: &OnCall, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let parts = parts(screen, shared, area);
    let list = &screen.rows.list;
    layout::doubtful_heading(shared, &cx, &title(screen, shared, &cx), &USED, area, buf);
    if list.rows().is_empty() {
        let (words, role) = empty(screen, shared);
        layout::paragraphs(&cx, [(words.as_str(), role)], parts.table, buf);
        return;
    }
    let stale = doubtful(shared, &USED, now);
    let sources = shared.answering(AskKind::OnCall).count();
    let mut above: Option<&PolicyKey> = None;
    let widths = Widths { width: parts.table.width, is_shared: sources > 1 };
    ListTable::new(COLUMNS, &widths).render(
        &cx,
        (list, None),
        |key| {
            let LevelKey { policy, level } = key;
            let is_first = above.replace(policy) != Some(policy);
            policy.policy(&shared.world).map_or(Line::Gone, |(snapshot, known)| Line::Item {
                row: LevelRow {
                    shared,
                    cx,
                    found: &screen.rows.found,
                    key,
                    snapshot,
                    policy: known,
                    on_call_at: snapshot.on_call_at(&policy.id, *level, now),
                    is_first,
                },
                is_new: false,
                is_stale: stale.contains(&policy.source),
            })
        },
        parts.table,
        buf,
    );
    if let Some(key) = list.current().filter(|_| parts.week.height > 0) {
        calendar::render(shared, &cx, key, parts.week, buf);
    }
    if parts.own.height > 0 {
        own(shared, &cx, parts.own, buf);
    }
}

/// The title: "On-call 3 policies", and as an alarm how many policies have nobody on call.
fn title(screen: &OnCall, shared: &Shared, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let shown: BTreeSet<&PolicyKey> = screen.rows.list.rows().iter().map(|key| &key.policy).collect();
    let all: usize = shared.world.on_call().map(|(_, snapshot)| snapshot.policies.len()).sum();
    let mut runs = vec![
        StyledRun::new(" On-call ", Role::Title),
        StyledRun::new(
            format!("{} {}", count(shown.len(), all), if all == 1 { "policy" } else { "policies" }),
            Role::Text,
        ),
    ];
    let uncovered = words::uncovered(shared, cx.now);
    if uncovered > 0 {
        let words = format!("  {} {uncovered} with nobody on call", cx.symbol(Role::Down));
        runs.push(StyledRun::new(words, Role::Down));
    }
    runs.extend(list_screen::marked(screen.rows.list.marks().len()));
    runs.extend(screen.rows.found.title_runs());
    if shared.range.end.is_some() {
        runs.push(StyledRun::new("  current schedule", Role::Stale));
    }
    let warning = shared.world.sources().find_map(|(_, cache)| cache.on_call().warnings.first());
    if let Some(warning) = warning {
        runs.push(StyledRun::new(format!("  {} {warning}", cx.symbol(Role::Warning)), Role::Warning));
    }
    runs
}

/// The current and coming shifts of the user.
fn own(shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let line = |y: u16| Rect { y, height: 1, ..area };
    let turns = shared.world.on_call().flat_map(|(source, snapshot)| {
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

/// Why the list is empty.
fn empty(screen: &OnCall, shared: &Shared) -> (String, Role) {
    let filter = screen.rows.found.text();
    if !filter.is_empty() && shared.world.on_call().any(|(_, snapshot)| !snapshot.policies.is_empty()) {
        return (screen.rows.found.nothing("policy"), Role::Muted);
    }
    let has_unknown = EmptyState {
        kinds: &USED,
        no_source: NO_PAGING,
        source: "paging source",
        loading: "the on-call schedule",
        one: None,
    };
    let unseen = "The source has no escalation policies, or the API token has no access to them.";
    has_unknown.words(shared).unwrap_or_else(|| (unseen.to_owned(), Role::Warning))
}
