//! How the list of SLOs looks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Cells, Row as Line, Slos};
use crate::app::doubt::doubts;
use crate::app::layout;
use crate::app::list::Order;
use crate::app::look::Cx;
use crate::app::number::UNKNOWN;
use crate::app::number::count;
use crate::app::shared::Shared;
use crate::app::subjects::slo::{self, words};
use crate::app::theme::Role;
use crate::app::widgets::bar::Gauge;
use crate::app::widgets::table::{self, Cell, Column, Row, Sort, Table};
use crate::app::widgets::text::{self, Run};
use crate::config::definitions::{Finding, Level};
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::labels::Text;
use crate::model::slo::{SloState, SloStatus, Standing};
use crate::model::source::SourceId;

/// What the screen is drawn from.
pub(super) const USED: [AskKind; 1] = [AskKind::Slos];

/// The lookbacks that have a column, with their titles and how important they are.
const BURNS: [(&str, u64, u8); 5] =
    [("5m", 300, 4), ("30m", 1800, 10), ("1h", 3600, 2), ("6h", 21_600, 6), ("3d", 259_200, 11)];

/// Budget, burn and what follows from them come first; how it was agreed can be read on the SLO's own screen.
fn columns(screen: &Slos, sources: usize, width: u16) -> Vec<Column<'static>> {
    let Cells { name, service, sli } = screen.widest.cells();
    let is_shared = screen.is_shared;
    let longest = screen.states.keys().map(|state| text::width(state.word())).max().unwrap_or(0).max(10);
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

/// The column of the table that shows an order of [`slo::ORDERS`].
const SHOWN_BY: [usize; 7] = [2, 3, 7, 10, 1, 12, 14];

/// Draws the list.
pub(super) fn render(screen: &Slos, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room =
        layout::heading(&cx, &title(screen, shared, &cx), &layout::doubt_runs(shared, &USED, now), area, buf);
    let (room, below) = parts(shared, room);
    findings(shared, &cx, below, buf);
    if screen.rows.list.rows().is_empty() {
        empty(screen, shared, &cx, room, buf);
        return;
    }
    let doubts = doubts(shared, &USED, now);
    let stale: BTreeSet<&SourceId> = doubts.iter().map(|doubt| &doubt.source).collect();
    let height = usize::from(table::body(room).height);
    let top = screen.rows.list.shown(height).next().map_or(0, |(index, _)| index);
    let sources = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos)).count();
    let rows = screen.rows.list.shown(height).map(|(_, line)| {
        let row = match line {
            Line::Group(value) => Row::heading(heading(screen, shared, &cx, value)),
            Line::Item(key) => match key.status(&shared.world) {
                Some(status) => {
                    let mut row = Row::new(cells(screen, &cx, status, sources));
                    row.over = stale.contains(&status.source).then_some(Role::Stale);
                    row
                }
                None => Row::new(Vec::new()),
            },
        };
        Row { marked: screen.rows.list.marks().contains(line), ..row }
    });
    let columns = columns(screen, sources, room.width);
    let selected = screen.rows.list.index().checked_sub(top);
    let table = Table { columns: &columns, sort: Some(sort(screen.rows.order)), selected, focused: true };
    table::render(&table, rows, &cx, room, buf);
}

fn sort(order: Order) -> Sort {
    let descending = matches!(order.column, 0 | 2 | 5) != order.reversed;
    Sort { column: SHOWN_BY.get(order.column).copied().unwrap_or(2), descending }
}

/// The room of the table, and below it that of what could not be read; half of it at most, and none where there is little.
fn parts(shared: &Shared, room: Rect) -> (Rect, Rect) {
    let wanted = u16::try_from(shared.findings.len()).unwrap_or(u16::MAX).saturating_add(2);
    let height = match shared.findings.len() {
        0 => 0,
        _ if room.height < 8 => 0,
        _ => wanted.min(room.height / 3).max(3),
    };
    let table = Rect { height: room.height - height, ..room };
    (table, Rect { y: table.bottom(), height, ..room })
}

/// Where the rows stand.
pub(super) fn list_area(shared: &Shared, body: Rect) -> Rect {
    table::body(parts(shared, layout::below_heading(body)).0)
}

/// What could not be read, the worst first: file, line and reason.
fn findings(shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let errors = shared.findings.iter().filter(|finding| finding.level == Level::Error).count();
    let others = shared.findings.len() - errors;
    let mut title = vec![Run::new(" Definitions: ", Role::Title)];
    if errors > 0 {
        title.push(Run::new(format!("{} {errors} not run  ", cx.symbol(Role::Trouble)), Role::Trouble));
    }
    if others > 0 {
        title.push(Run::new(format!("{} {others} doubtful", cx.symbol(Role::Warning)), Role::Warning));
    }
    let line = |y| Rect { y, height: 1, ..area };
    text::runs(cx, &title, line(area.y + 1), buf);
    let mut all: Vec<&Finding> = shared.findings.iter().collect();
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
fn title(screen: &Slos, shared: &Shared, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs = vec![
        Run::new(" SLOs ", Role::Title),
        Run::new(count(screen.passing, shared.world.slos().len()), Role::Text),
    ];
    runs.extend(words::tally(&screen.states));
    if let Some(by) = screen.rows.grouped_by() {
        runs.push(Run::new(format!("  grouped by {by}"), Role::Muted));
    }
    let broken = shared.findings.iter().filter(|finding| finding.level == Level::Error).count();
    if broken > 0 {
        let sign = cx.symbol(Role::Trouble);
        runs.push(Run::new(format!("  {sign} {broken} could not be read"), Role::Trouble));
    }
    // the head of a group is no SLO
    let marked = screen.rows.list.marks().iter().filter(|row| !matches!(row, Line::Group(_))).count();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if screen.rows.order != Order::default() {
        let name = slo::ORDERS.get(screen.rows.order.column).copied().unwrap_or_default();
        let reversed = if screen.rows.order.reversed { ", reversed" } else { "" };
        runs.push(Run::new(format!("  by {name}{reversed}"), Role::Muted));
    }
    runs.extend(screen.rows.found.told());
    if let Some(end) = shared.range.end {
        let measured = shared.world.slos().first().map_or(end, |status| status.at);
        runs.push(words::as_of(cx, end, measured));
    }
    runs
}

/// The head of a group: how many it has, and how many are in which state.
fn heading(screen: &Slos, shared: &Shared, cx: &Cx<'_>, value: &Text) -> Vec<Run<'static>> {
    let members = screen.rows.members(value);
    let mut states: BTreeMap<SloState, usize> = BTreeMap::new();
    for status in members.iter().filter_map(|key| key.status(&shared.world)) {
        *states.entry(status.state()).or_default() += 1;
    }
    let sign =
        if screen.rows.is_folded(value) { cx.charset.pick("▸", ">") } else { cx.charset.pick("▾", "v") };
    let by = screen.rows.grouped_by().unwrap_or_default();
    let name = if value.is_empty() { format!("without {by}") } else { value.to_string() };
    let all = members.len();
    let role = states.keys().next().map_or(Role::Title, |state| Role::of_slo(*state));
    let role = if matches!(role, Role::Healthy | Role::Info) { Role::Title } else { role };
    let mut runs = vec![
        Run::new(format!("{sign} "), Role::Muted),
        Run::new(name, role),
        Run::new(format!("  {all} {}", if all == 1 { "SLO" } else { "SLOs" }), Role::Muted),
    ];
    runs.extend(words::tally(&states));
    runs
}

fn cells<'a>(screen: &'a Slos, cx: &Cx<'_>, status: &'a SloStatus, sources: usize) -> Vec<Cell<'a>> {
    let slo = &*status.slo;
    let role = Role::of_slo(status.state());
    let worst = status.worst();
    let name_role = if matches!(role, Role::Healthy | Role::Info) { Role::Text } else { role };
    let mut cells = vec![
        Cell::symbol(cx, role),
        Cell::Runs(screen.rows.found.lit(&slo.id, name_role)),
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
fn empty(screen: &Slos, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let place = Rect { x: area.x + 3, width: area.width.saturating_sub(3), ..area };
    let lines = reasons(screen, shared).into_iter().flat_map(|(words, role)| {
        let lines = text::wrap(&words, place.width.min(100));
        lines.into_iter().map(move |line| (line, role))
    });
    for (y, (line, role)) in (place.top()..place.bottom()).zip(lines) {
        text::put(buf, place.x, y, place.width, &line, cx.style(role));
    }
}

fn reasons(screen: &Slos, shared: &Shared) -> Vec<(String, Role)> {
    let filter = screen.rows.found.text();
    if !filter.is_empty() && !shared.world.slos().is_empty() {
        return vec![(screen.rows.found.nothing("SLO"), Role::Muted)];
    }
    let can = shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos));
    let held: Vec<_> = can.filter_map(|source| shared.world.held(&source.id)).collect();
    let one = |words: &str, role| vec![(words.to_owned(), role)];
    if held.is_empty() {
        let add = kind::to_add(shared.kinds, &[AskKind::Slos]);
        return one(&format!("No source that knows SLOs: add {add}."), Role::Muted);
    }
    let is_told = held.iter().any(|held| held.slos().value().is_some());
    if !is_told && held.iter().all(|held| held.slos().trouble().is_some()) {
        return one("No source has answered yet. See Sources (9) for what is wrong.", Role::Stale);
    }
    if !is_told && shared.paused.is_some() {
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
