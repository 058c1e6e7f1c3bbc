//! Draws the list of SLOs.

use std::collections::BTreeMap;

use super::columns::{COLUMNS, SloRow, Widths};
use super::{Row as SloLine, Slos};
use crate::app::list_screen::{self, EmptyState};
use crate::app::prelude::*;
use crate::app::staleness::doubtful;
use crate::app::subjects::slo::{self, words};
use crate::app::widgets::table;
use crate::config::definitions::{Finding, FindingLevel};
use crate::model::slo::SloState;

/// The kinds of answers that the screen uses.
pub(super) const USED: [AskKind; 1] = [AskKind::Slos];

/// Draws the list.
pub(super) fn render(screen: &Slos, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let room = layout::doubtful_heading(shared, &cx, &title(screen, shared, &cx), &USED, area, buf);
    let (room, below) = parts(shared, room);
    findings(shared, &cx, below, buf);
    if screen.rows.list.rows().is_empty() {
        empty(screen, shared, &cx, room, buf);
        return;
    }
    let stale = doubtful(shared, &USED, now);
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

/// The areas of the table and, below it, of invalid definitions: at most a third of the height, none in a small terminal.
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

/// The area of the table's rows.
pub(super) fn list_area(shared: &Shared, body: Rect) -> Rect {
    table::body(parts(shared, layout::below_heading(body)).0)
}

/// Draws the errors and warnings in SLO definitions, errors first: file, line and reason.
fn findings(shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let errors = shared.findings.iter().filter(|finding| finding.level == FindingLevel::Error).count();
    let others = shared.findings.len() - errors;
    let mut title = vec![StyledRun::new(" SLO definitions: ", Role::Title)];
    if errors > 0 {
        title.push(StyledRun::new(format!("{} errors: {errors}  ", cx.symbol(Role::Trouble)), Role::Trouble));
    }
    if others > 0 {
        title.push(StyledRun::new(format!("{} warnings: {others}", cx.symbol(Role::Warning)), Role::Warning));
    }
    let line = |y| Rect { y, height: 1, ..area };
    text::runs(cx, &title, line(area.y + 1), buf);
    let mut all: Vec<&Finding> = shared.findings.iter().collect();
    all.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    for (y, finding) in (area.y + 2..area.bottom()).zip(&all) {
        let role = if finding.level == FindingLevel::Error { Role::Trouble } else { Role::Warning };
        let runs = [
            StyledRun::new(format!("   {} ", cx.symbol(role)), role),
            StyledRun::new(finding.to_string(), Role::Text),
        ];
        text::runs(cx, &runs, line(y), buf);
    }
    let hidden = all.len().saturating_sub(usize::from(area.height.saturating_sub(2)));
    if hidden > 0 {
        let words = format!("+{hidden} more, see burnwatch slo validate ");
        text::right(buf, area.x, area.y + 1, area.width, &words, cx.style(Role::Muted));
    }
}

/// The title: "SLOs 40: 1 page 2 burning", sort order and filter.
fn title(screen: &Slos, shared: &Shared, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = vec![
        StyledRun::new(" SLOs ", Role::Title),
        StyledRun::new(count(screen.passing, shared.world.slos().len()), Role::Text),
    ];
    runs.extend(words::totals(&screen.states));
    runs.extend(list_screen::grouped(&screen.rows));
    let broken = shared.findings.iter().filter(|finding| finding.level == FindingLevel::Error).count();
    if broken > 0 {
        let sign = cx.symbol(Role::Trouble);
        runs.push(StyledRun::new(format!("  {sign} errors in definitions: {broken}"), Role::Trouble));
    }
    // a group header is no SLO
    let marked = screen.rows.list.marks().iter().filter(|row| !matches!(row, SloLine::Group(_))).count();
    runs.extend(list_screen::marked(marked));
    runs.extend(list_screen::ordered(&slo::ORDERS, screen.rows.order));
    runs.extend(screen.rows.found.title_runs());
    if let Some(end) = shared.range.end {
        let measured = shared.world.slos().first().map_or(end, |status| status.at);
        runs.push(words::as_of(cx, end, measured));
    }
    runs
}

/// A group header: name, number of SLOs, number in each state.
fn heading(screen: &Slos, shared: &Shared, cx: &Cx<'_>, value: &Text) -> Vec<StyledRun<'static>> {
    let members = screen.rows.members(value);
    let mut states: BTreeMap<SloState, usize> = BTreeMap::new();
    for status in members.iter().filter_map(|key| key.status(&shared.world)) {
        *states.entry(status.state()).or_default() += 1;
    }
    let role = states.keys().next().map_or(Role::Title, |state| Role::of_slo(*state));
    let role = if matches!(role, Role::Healthy | Role::Info) { Role::Title } else { role };
    let mut runs = list_screen::group_head(cx, &screen.rows, (value, role), ("SLO", "SLOs"));
    runs.extend(words::totals(&states));
    runs
}

/// Draws why the list is empty, and what to do.
fn empty(screen: &Slos, shared: &Shared, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let reasons = reasons(screen, shared);
    layout::paragraphs(cx, reasons.iter().map(|(words, role)| (words.as_str(), *role)), area, buf);
}

fn reasons(screen: &Slos, shared: &Shared) -> Vec<(String, Role)> {
    let filter = screen.rows.found.text();
    if !filter.is_empty() && !shared.world.slos().is_empty() {
        return vec![(screen.rows.found.nothing("SLO"), Role::Muted)];
    }
    let has_unknown = EmptyState {
        kinds: &USED,
        no_source: ("No source of SLOs: add", "."),
        source: "source",
        loading: "SLOs",
        one: None,
    };
    if let Some(has_unknown) = has_unknown.words(shared) {
        return vec![has_unknown];
    }
    let advice = "SLOs are read from recording rules of Sloth, Pyrra or Grafana in Prometheus (detected \
                  automatically), or from the files listed in [slo] of the configuration: OpenSLO, Sloth, Pyrra, or \
                  burnwatch's own format. See docs/slos.md; `burnwatch slo validate FILE` checks a file.";
    vec![("No SLOs found.".to_owned(), Role::Text), (advice.to_owned(), Role::Muted)]
}
