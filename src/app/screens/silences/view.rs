//! How the list of silences looks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{commented, ends_soon};
use crate::app::commands::Command;
use crate::app::doubt::{doubts, none};
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::number::moment;
use crate::app::planner::silence_called;
use crate::app::screens::silences::Silences;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::table::{self, Cell, Column, Row, Table};
use crate::app::widgets::text::{self, Run};
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::remote::age;
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;
use crate::model::world::Stage;

/// What the screen is drawn from.
const USED: [AskKind; 2] = [AskKind::Silences, AskKind::Alerts];

fn columns(width: u16) -> [Column<'static>; 9] {
    [
        Column::words("", 1, 1, 0),
        Column::words("matchers", (width / 4).clamp(16, 40), (width / 2).max(16), 0),
        Column::words("state", 9, 18, 3),
        Column::words("ends in", 9, 9, 0),
        Column::words("until", 16, 16, 5),
        Column::numbers("hides", 5, 1),
        Column::words("by", 8, 16, 4),
        Column::words("comment", 14, 60, 2),
        Column::words("id", 8, 8, 6),
    ]
}

/// Draws the list.
pub(super) fn render(screen: &Silences, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    if screen.list.rows().is_empty() {
        let (words, role) = empty(screen, shared, now);
        text::put(buf, room.x + 3, room.y, room.width.saturating_sub(3), &words, cx.style(role));
        return;
    }
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let height = usize::from(table::body(room).height);
    let top = screen.list.shown(height).next().map_or(0, |(index, _)| index);
    let all: Vec<_> = shared.world.shown_silences().collect();
    let rows = screen.list.shown(height).map(|(_, key)| {
        let known = all.iter().find(|(one, _)| one.id == key.id && one.source == key.source);
        let mut row = Row::new(known.map_or_else(Vec::new, |(one, stage)| cells(screen, &cx, one, *stage)));
        row.marked = screen.list.marks().contains(key);
        row.over = stale.contains(&key.source).then_some(Role::Stale);
        row
    });
    let selected = screen.list.index().checked_sub(top);
    let table = Table { columns: &columns(room.width), sort: None, selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn role(silence: &Silence, now: Timestamp) -> Role {
    match silence.state {
        SilenceState::Active if ends_soon(silence, now) => Role::Warning,
        SilenceState::Active => Role::Silenced,
        SilenceState::Pending => Role::Pending,
        SilenceState::Expired => Role::Muted,
    }
}

fn cells(screen: &Silences, cx: &Cx<'_>, silence: &Silence, stage: Option<Stage>) -> Vec<Cell<'static>> {
    let role = role(silence, cx.now);
    let is_over = silence.state == SilenceState::Expired;
    let plain = if is_over { Role::Muted } else { Role::Text };
    let left = duration::short(age(cx.now, silence.ends_at));
    let left = match (is_over, ends_soon(silence, cx.now)) {
        (true, _) => "ended".to_owned(),
        (false, true) => format!("{left}!"),
        (false, false) => left,
    };
    let word = match stage {
        Some(stage) => {
            let ellipsis = text::ellipsis(cx.charset);
            Cell::text(format!("{} {ellipsis}{}", silence.state.word(), stage.word()), Role::Sending)
        }
        None => Cell::text(silence.state.word(), role),
    };
    let hides = screen.hides.get(&silence.id).copied().unwrap_or(0);
    let id: String = silence.id.chars().take(8).collect();
    vec![
        Cell::symbol(cx, role),
        Cell::Runs(vec![Run::new(silence_called(silence).to_string(), plain)]),
        word,
        Cell::text(left, role),
        Cell::text(moment(silence.ends_at, cx.now, cx.zone), Role::Muted),
        Cell::text(hides.to_string(), plain),
        Cell::text(silence.created_by.to_string(), Role::Muted),
        Cell::text(commented(silence).to_string(), plain),
        Cell::text(id, Role::Muted),
    ]
}

fn title(screen: &Silences, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs =
        vec![Run::new(" Silences ", Role::Title), Run::new(screen.list.rows().len().to_string(), Role::Text)];
    let all = shared.world.silences();
    let soon = all.filter(|silence| ends_soon(silence, cx.now)).count();
    if soon > 0 {
        let verb = if soon == 1 { "ends" } else { "end" };
        let words = format!("  {} {soon} {verb} within 1h", cx.symbol(Role::Warning));
        runs.push(Run::new(words, Role::Warning));
    }
    if screen.hidden > 0 {
        let key = shared.key(Command::Fold);
        runs.push(Run::new(format!("  folded away: {} ended ({key} shows)", screen.hidden), Role::Muted));
    }
    let marked = screen.list.marks().len();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    runs.extend(screen.found.told());
    runs
}

/// Why there is nothing. That nothing is silenced is neither good nor bad news.
fn empty(screen: &Silences, shared: &Shared, now: Timestamp) -> (String, Role) {
    let filter = screen.found.text();
    if !filter.is_empty() {
        return (screen.found.nothing("silence"), Role::Muted);
    }
    let can = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Silences));
    let held: Vec<_> = can.filter_map(|source| shared.world.held(&source.id)).collect();
    let answered = held.iter().filter(|held| held.silences().value().is_some()).count();
    let is_troubled = held.iter().any(|held| held.silences().trouble().is_some());
    let words = if held.is_empty() {
        format!("No source of silences: add {}.", kind::to_add(shared.kinds, &[AskKind::Silences]))
    } else if answered == 0 && is_troubled {
        return (
            "No source of silences has answered yet. See Sources (9) for what is wrong.".into(),
            Role::Stale,
        );
    } else if answered == 0 {
        "Asking for silences...".to_owned()
    } else if answered < held.len() {
        format!("No silence at the {answered} of {} sources that have answered.", held.len())
    } else {
        let (words, role) = none(shared, &USED, "silence is in force", now);
        return (words, if role == Role::Healthy { Role::Muted } else { role });
    };
    (words, Role::Muted)
}
