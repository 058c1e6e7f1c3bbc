//! How the list of SLOs looks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::columns::{COLUMNS, SloRow, Widths};
use super::{Row as SloLine, Slos};
use crate::app::columns::{Line, ListTable};
use crate::app::doubt::doubts;
use crate::app::layout;
use crate::app::list::Order;
use crate::app::look::Cx;
use crate::app::number::count;
use crate::app::shared::Shared;
use crate::app::subjects::slo::{self, words};
use crate::app::theme::Role;
use crate::app::widgets::table;
use crate::app::widgets::text::{self, Run};
use crate::config::definitions::{Finding, Level};
use crate::config::kind;
use crate::model::ask::AskKind;
use crate::model::labels::Text;
use crate::model::slo::SloState;
use crate::model::source::SourceId;

/// What the screen is drawn from.
pub(super) const USED: [AskKind; 1] = [AskKind::Slos];

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
    let stale: BTreeSet<SourceId> =
        doubts(shared, &USED, now).into_iter().map(|doubt| doubt.source).collect();
    let line = |row: &SloLine| match row {
        SloLine::Group(value) => Line::Heading(heading(screen, shared, &cx, value)),
        SloLine::Item(key) => key.status(&shared.world).map_or(Line::Gone, |status| Line::Item {
            row: SloRow { status, found: &screen.rows.found, cx },
            is_new: false,
            is_stale: stale.contains(&status.source),
        }),
    };
    let table = ListTable::new(COLUMNS, &Widths::new(screen, shared, room.width));
    let sort = table.sort(&slo::ORDERS, screen.rows.order);
    table.render(&cx, (&screen.rows.list, sort), line, room, buf);
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
    let marked = screen.rows.list.marks().iter().filter(|row| !matches!(row, SloLine::Group(_))).count();
    if marked > 0 {
        runs.push(Run::new(format!("  {marked} marked"), Role::Marked));
    }
    if screen.rows.order != Order::default() {
        let name = slo::ORDERS.get(screen.rows.order.column).map_or("", |order| order.name);
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

/// Why there is nothing, and what to do about it.
fn empty(screen: &Slos, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let reasons = reasons(screen, shared);
    layout::paragraphs(cx, reasons.iter().map(|(words, role)| (words.as_str(), *role)), area, buf);
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
