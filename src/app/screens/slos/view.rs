//! How the list of SLOs looks.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cells, Row as Line, words};
use crate::app::doubt::doubts;
use crate::app::frame;
use crate::app::look::Cx;
use crate::app::number::UNKNOWN;
use crate::app::screens::Order;
use crate::app::screens::services::count;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::bar::Gauge;
use crate::app::widgets::table::{self, Cell, Column, Row, Sort, Table};
use crate::app::widgets::text::{self, Run};
use crate::config::definitions::{Finding, Level};
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::labels::Text;
use crate::model::slo::{SloStatus, Standing};
use crate::model::source::SourceId;

/// What the screen is drawn from.
pub(super) const USED: [AskKind; 1] = [AskKind::Slos];

/// The lookbacks that have a column, with their titles and how important they are.
const BURNS: [(&str, u64, u8); 5] =
    [("5m", 300, 4), ("30m", 1800, 10), ("1h", 3600, 2), ("6h", 21_600, 6), ("3d", 259_200, 11)];

/// Budget, burn and what follows from them come first; how it was agreed can be read on the SLO's own screen.
fn columns(state: &State, sources: usize, width: u16) -> Vec<Column<'static>> {
    let Cells { name, service, sli } = state.slos.widest.cells();
    let is_shared = state.slos.is_shared;
    let longest = state.slos.states.keys().map(|state| text::width(state.word())).max().unwrap_or(0).max(10);
    let least = name.clamp(8, (width * 3 / 10).clamp(8, 30));
    let mut columns = vec![
        Column::words("", 1, 1, 0),
        Column::words("SLO", least, name.clamp(least, 48), 0),
        Column::words("state", 10, longest, 3),
        Column::numbers("left", 6, 1),
        Column::words("budget", 8, 16, 5),
    ];
    columns.extend(BURNS.map(|(title, _, priority)| Column::numbers(title, 7, priority)));
    columns.extend([
        Column::numbers("gone in", 7, 2),
        Column::numbers("SLI", sli.max(9), 4),
        Column::numbers("objective", 9, 7),
        Column::words("window", 6, 22, 9),
        Column::words("service", service.clamp(7, 12), service.clamp(7, 24), 8),
        Column::words("notes", 15, 70, 5),
    ]);
    if sources > 1 {
        columns.push(Column::words("source", 7, 16, if is_shared { 3 } else { 12 }));
    }
    columns
}

/// The column of the table that shows an order of [`super::ORDERS`].
const SHOWN_BY: [usize; 7] = [2, 3, 7, 10, 1, 12, 14];

/// Draws the list.
pub fn render(state: &State, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let screen = &state.slos;
    let room = frame::heading(&cx, &title(state, &cx), &frame::doubt_runs(state, &USED, now), area, buf);
    let (room, below) = parts(state, room);
    findings(state, &cx, below, buf);
    if screen.list.rows().is_empty() {
        empty(state, &cx, room, buf);
        return;
    }
    let doubts = doubts(state, &USED, now);
    let stale: BTreeSet<&SourceId> = doubts.iter().map(|doubt| &doubt.source).collect();
    let height = usize::from(table::body(room).height);
    let top = screen.list.shown(height).next().map_or(0, |(index, _)| index);
    let sources = state.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos)).count();
    let rows = screen.list.shown(height).map(|(_, line)| {
        let row = match line {
            Line::Group(value) => Row::heading(heading(state, &cx, value)),
            Line::Slo(key) => match key.status(&state.world) {
                Some(status) => {
                    let mut row = Row::new(cells(state, &cx, status, sources));
                    row.over = stale.contains(&status.source).then_some(Role::Stale);
                    row
                }
                None => Row::new(Vec::new()),
            },
        };
        Row { marked: screen.list.marks().contains(line), ..row }
    });
    let columns = columns(state, sources, room.width);
    let selected = screen.list.index().checked_sub(top);
    let table = Table { columns: &columns, sort: Some(sort(screen.order)), selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn sort(order: Order) -> Sort {
    let descending = matches!(order.column, 0 | 2 | 5) != order.reversed;
    Sort { column: SHOWN_BY.get(order.column).copied().unwrap_or(2), descending }
}

/// The room of the table, and below it that of what could not be read; half of it at most, and none where there is little.
fn parts(state: &State, room: Rect) -> (Rect, Rect) {
    let wanted = u16::try_from(state.findings.len()).unwrap_or(u16::MAX).saturating_add(2);
    let height = match state.findings.len() {
        0 => 0,
        _ if room.height < 8 => 0,
        _ => wanted.min(room.height / 3).max(3),
    };
    let table = Rect { height: room.height - height, ..room };
    (table, Rect { y: table.bottom(), height, ..room })
}

/// Where the rows stand.
pub fn list_area(state: &State, body: Rect) -> Rect {
    table::body(parts(state, frame::below_heading(body)).0)
}

/// What could not be read, the worst first: file, line and reason.
fn findings(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let errors = state.findings.iter().filter(|finding| finding.level == Level::Error).count();
    let others = state.findings.len() - errors;
    let mut title = vec![Run::new(" Definitions: ", Role::Title)];
    if errors > 0 {
        title.push(Run::new(format!("{} {errors} not run  ", cx.symbol(Role::Trouble)), Role::Trouble));
    }
    if others > 0 {
        title.push(Run::new(format!("{} {others} doubtful", cx.symbol(Role::Warning)), Role::Warning));
    }
    let line = |y| Rect { y, height: 1, ..area };
    text::runs(cx, &title, line(area.y + 1), buf);
    let mut all: Vec<&Finding> = state.findings.iter().collect();
    all.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    for (y, finding) in (area.y + 2..area.bottom()).zip(&all) {
        let role = if finding.level == Level::Error { Role::Trouble } else { Role::Warning };
        let runs =
            [Run::new(format!("   {} ", cx.symbol(role)), role), Run::new(finding.to_string(), Role::Text)];
        text::runs(cx, &runs, line(y), buf);
    }
    let hidden = all.len().saturating_sub(usize::from(area.height.saturating_sub(2)));
    if hidden > 0 {
        let words = format!("+{hidden} more: burnwatch slo validate ");
        text::right(buf, area.x, area.y + 1, area.width, &words, cx.style(Role::Muted));
    }
}

/// "SLOs 40: 1 page 2 burning", the order and the filter.
fn title(state: &State, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let screen = &state.slos;
    let mut runs = vec![
        Run::new(" SLOs ", Role::Title),
        Run::new(count(screen.passing, state.world.slos().len()), Role::Text),
    ];
    runs.extend(words::tally(&screen.states));
    if let Some(by) = &screen.grouping {
        runs.push(Run::new(format!("  grouped by {by}"), Role::Muted));
    }
    let broken = state.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if broken > 0 {
        let sign = cx.symbol(Role::Trouble);
        runs.push(Run::new(format!("  {sign} {broken} could not be read"), Role::Trouble));
    }
    // the head of a group is no SLO
    let marked = screen.list.marks().iter().filter(|row| !matches!(row, Line::Group(_))).count();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if screen.order != Order::default() {
        let name = super::ORDERS.get(screen.order.column).copied().unwrap_or_default();
        let reversed = if screen.order.reversed { ", reversed" } else { "" };
        runs.push(Run::new(format!("  by {name}{reversed}"), Role::Muted));
    }
    runs.extend(screen.found.told());
    if let Some(end) = state.range.end {
        let measured = state.world.slos().first().map_or(end, |status| status.at);
        runs.push(words::as_of(cx, end, measured));
    }
    runs
}

/// The head of a group: how many it has, and how many are in which state.
fn heading(state: &State, cx: &Cx<'_>, value: &Text) -> Vec<Run<'static>> {
    let Some(group) = state.slos.groups.get(value) else { return Vec::new() };
    let sign = if group.folded { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") };
    let by = state.slos.grouping.as_deref().unwrap_or_default();
    let name = if value.is_empty() { format!("without {by}") } else { value.to_string() };
    let all: usize = group.states.values().sum();
    let role = group.states.keys().next().map_or(Role::Title, |state| Role::of_slo(*state));
    let role = if matches!(role, Role::Healthy | Role::Info) { Role::Title } else { role };
    let mut runs = vec![
        Run::new(format!("{sign} "), Role::Muted),
        Run::new(name, role),
        Run::new(format!("  {all} {}", if all == 1 { "SLO" } else { "SLOs" }), Role::Muted),
    ];
    runs.extend(words::tally(&group.states));
    runs
}

fn cells<'a>(state: &'a State, cx: &Cx<'_>, status: &'a SloStatus, sources: usize) -> Vec<Cell<'a>> {
    let slo = &*status.slo;
    let role = Role::of_slo(status.state());
    let worst = status.worst();
    let name_role = if matches!(role, Role::Healthy | Role::Info) { Role::Text } else { role };
    let mut cells = vec![
        Cell::symbol(cx, role),
        Cell::Runs(state.slos.found.lit(&slo.id, name_role)),
        Cell::text(status.state().word(), role),
        Cell::Text(words::left(worst)),
        worst
            .and_then(Standing::left)
            .map_or(Cell::Empty, |left| Cell::Gauge(Gauge { share: left, role: words::bar_role(status) })),
    ];
    let unknown = || Cell::text(UNKNOWN, Role::Muted);
    for (_, seconds, _) in BURNS {
        let burn = worst.map(|worst| words::burn(slo, worst, Duration::from_secs(seconds)));
        cells.push(burn.map_or_else(unknown, Cell::Text));
    }
    let (sli, exhaustion) = (
        worst.map(|worst| words::sli(slo, worst.window)),
        worst.map(|worst| words::exhaustion(status, worst)),
    );
    cells.extend([
        exhaustion.map_or_else(unknown, Cell::Text),
        sli.map_or_else(unknown, Cell::Text),
        Cell::text(format!("{}%", slo.objective.percent_text()), Role::Text),
        Cell::text(slo.window.to_string(), Role::Text),
        status.service.as_deref().map_or(Cell::Empty, |service| Cell::text(service, Role::Text)),
        Cell::Runs(words::joined(words::notes(status, cx))),
    ]);
    if sources > 1 {
        cells.push(Cell::text(status.source.as_str(), Role::Muted));
    }
    cells
}

/// Why there is nothing, and what to do about it.
fn empty(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let place = Rect { x: area.x + 3, width: area.width.saturating_sub(3), ..area };
    let lines = reasons(state).into_iter().flat_map(|(words, role)| {
        let lines = text::wrap(&words, place.width.min(100));
        lines.into_iter().map(move |line| (line, role))
    });
    for (y, (line, role)) in (place.top()..place.bottom()).zip(lines) {
        text::put(buf, place.x, y, place.width, &line, cx.style(role));
    }
}

fn reasons(state: &State) -> Vec<(String, Role)> {
    let filter = state.slos.found.text();
    if !filter.is_empty() && !state.world.slos().is_empty() {
        return vec![(state.slos.found.nothing("SLO"), Role::Muted)];
    }
    let can = state.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos));
    let held: Vec<_> = can.filter_map(|source| state.world.held(&source.id)).collect();
    let one = |words: &str, role| vec![(words.to_owned(), role)];
    if held.is_empty() {
        let add = kind::to_add(state.kinds, &[AskKind::Slos]);
        return one(&format!("No source that knows SLOs: add {add}."), Role::Muted);
    }
    let is_told = held.iter().any(|held| held.slos().value().is_some());
    if !is_told && held.iter().all(|held| held.slos().trouble().is_some()) {
        return one("No source has answered yet. See Sources (9) for what is wrong.", Role::Stale);
    }
    if !is_told && state.paused.is_some() {
        return one("Not asked: everything is held still.", Role::Muted);
    }
    if !is_told {
        return one("Asking for SLOs...", Role::Muted);
    }
    let advice = "SLOs come from recording rules that Sloth, Pyrra or Grafana left in a Prometheus (found by \
                  themselves), or from files that [slo] in the configuration names: OpenSLO, Sloth, Pyrra, or \
                  our own short form. docs/slos.md tells how; `burnwatch slo validate FILE` checks a file.";
    vec![("No SLO is known.".to_owned(), Role::Text), (advice.to_owned(), Role::Muted)]
}
