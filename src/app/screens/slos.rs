//! The list of all SLOs with budget and burn rates, worst first.

use std::collections::BTreeMap;

use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, lists};
use crate::app::prelude::*;
use crate::app::subjects::slo::{self, words};
use crate::app::widgets::table;
use crate::config::definitions::{Finding, FindingLevel};
use crate::model::slo::SloState;

pub mod columns;

use columns::{SloItem, SloWidths};

/// A row: a group header or an SLO. The key of a group is the value of the label by which the list is grouped; empty for SLOs
/// without the label.
pub type Row = crate::app::grouped::Row<SloKey, Text>;

/// The screen of all SLOs. They can be grouped by a label; `service` and `source` count as labels.
#[derive(Debug, Default)]
pub struct Slos {
    pub rows: GroupedList<SloKey, Text>,
    /// The number of SLOs that match the filter.
    passing: usize,
    /// The number of SLOs in each state, whatever the filter.
    states: BTreeMap<SloState, usize>,
    /// The widths over all SLOs, also those that are filtered out.
    widest: ColumnWidths<SloWidths>,
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

/// Draws the errors and warnings in SLO definitions, errors first: file, line and reason.
fn findings(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let errors = cx.shared.findings.iter().filter(|finding| finding.level == FindingLevel::Error).count();
    let others = cx.shared.findings.len() - errors;
    let mut title = vec![StyledRun::new(" SLO definitions: ", Role::Title)];
    if errors > 0 {
        title.push(StyledRun::new(format!("{} errors: {errors}  ", cx.symbol(Role::Trouble)), Role::Trouble));
    }
    if others > 0 {
        title.push(StyledRun::new(format!("{} warnings: {others}", cx.symbol(Role::Warning)), Role::Warning));
    }
    let line = |y| Rect { y, height: 1, ..area };
    text::runs(cx, &title, line(area.y + 1), buf);
    let mut all: Vec<&Finding> = cx.shared.findings.iter().collect();
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

/// The number of SLOs in each state, for the title of the list or of a group.
fn totals(states: &BTreeMap<SloState, usize>) -> impl Iterator<Item = StyledRun<'static>> {
    words::totals(states).map(|(total, role)| StyledRun::new(format!("  {total}"), role))
}

impl Slos {
    /// A group header: name, number of SLOs, number in each state.
    fn heading(&self, cx: &ScreenCx<'_>, value: &Text) -> Vec<StyledRun<'static>> {
        let members = self.rows.members(value).iter();
        let states = words::count_states(members.filter_map(|key| key.status(cx.world)));
        let worst = states.keys().next();
        let role = worst.map_or(Role::Title, |worst| words::role_or(*worst, Role::Title));
        let mut runs = list_screen::group_head(cx, &self.rows, (value, role), ("SLO", "SLOs"));
        runs.extend(totals(&states));
        runs
    }
}

impl Screen for Slos {
    offers! { [List, Time, Groups, AnyAction, IncidentActions]: Open, Filter, Sort, Group }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let (room, below) = parts(cx.shared, list_screen::heading(self, cx, area, buf));
        findings(cx, below, buf);
        list_screen::draw_rows(self, cx, room, buf);
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        let rows = &mut self.rows;
        let passes = rows.found.select(world.revision(), is_typing, || slo::haystack(world.slos()));
        let shown = slo::ordered(world.slos(), passes.as_deref(), rows.order);
        self.passing = shown.len();
        self.states = words::count_states(world.slos());
        let by = rows.grouped_by().unwrap_or_default().to_owned();
        rows.set(&shown, |status| SloKey::of(status), |status| slo::value_of(status, &by));
        self.widest.follow(world.revision(), || SloWidths::measure(shared));
    }

    lists_rows!(rows);

    fn has_preview(&self) -> bool {
        true
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(table::body(parts(shared, layout::below_heading(body)).0))
    }

    fn orders(&self) -> Vec<NamedOrder> {
        named(&slo::ORDERS)
    }

    fn groupings(&self, shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(slo::labels(&shared.world))
    }

    fn selection(&self, shared: &Shared) -> Selection {
        // a group header is no SLO
        let rows = self.rows.list.chosen();
        let keys = rows.iter().filter_map(|row| match row {
            Row::Item(key) => Some(key),
            Row::Group(_) => None,
        });
        Selection::of_slos(&shared.world, keys)
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let is_bad = |state: &SloState| match state {
            SloState::Page | SloState::Ticket | SloState::Exhausted | SloState::Burning => true,
            SloState::NoData | SloState::Insufficient | SloState::Fine | SloState::Quiet => false,
        };
        let bad = cx.world.slos().iter().map(SloStatus::state).filter(is_bad);
        // the number alone does not show how bad the SLOs are
        Badge {
            count: bad.clone().count(),
            worst: bad.min().map(Role::of_slo),
            newest: None,
            has_symbol: true,
        }
    }
}

impl ListScreen for Slos {
    lists!(Row);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Slos];
    const NOUN: &'static str = "SLO";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: Self::USED,
        no_source: ("No source of SLOs: add", "."),
        source: "source",
        loading: "SLOs",
        one: None,
    });

    /// The title: "SLOs 40: 1 page 2 burning", sort order and filter.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let mut runs = list_screen::titled("SLOs", count(self.passing, cx.world.slos().len()));
        runs.extend(totals(&self.states));
        runs.extend(list_screen::grouped(&self.rows));
        let broken = cx.shared.findings.iter().filter(|finding| finding.level == FindingLevel::Error).count();
        if broken > 0 {
            let sign = cx.symbol(Role::Trouble);
            runs.push(StyledRun::new(format!("  {sign} errors in definitions: {broken}"), Role::Trouble));
        }
        // a group header is no SLO
        let marked = self.rows.list.marks().iter().filter(|row| !matches!(row, Row::Group(_))).count();
        runs.extend(list_screen::marked(marked));
        runs.extend(list_screen::ordered(self));
        runs.extend(self.rows.found.title_runs());
        if let Some(end) = cx.shared.range.end {
            let measured = cx.world.slos().first().map_or(end, |status| status.at);
            runs.push(words::as_of(cx, end, measured));
        }
        runs
    }

    fn widths(&self, _shared: &Shared) -> SloWidths {
        self.widest.cells()
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Row>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key: row, .. } = of;
        let key = match row {
            Row::Group(value) => return Some(Line::Heading(self.heading(cx, value))),
            Row::Item(key) => key,
        };
        let status = key.status(cx.world)?;
        let item = SloItem { status, group: status.worst(), world: cx.world };
        let row = self.row(cx, item, Role::of_slo(status.state()));
        Some(Line::Item(ListRow { is_stale: stale.contains(&status.source), ..row }))
    }

    fn has_items(&self, world: &World) -> bool {
        !world.slos().is_empty()
    }

    fn none(&self, _cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let advice = "SLOs are read from recording rules of Sloth, Pyrra or Grafana in Prometheus (detected \
                      automatically), or from the files listed in [slo] of the configuration: OpenSLO, Sloth, Pyrra, or \
                      burnwatch's own format. See docs/slos.md; `burnwatch slo validate FILE` checks a file.";
        vec![("No SLOs found.".to_owned(), Role::Text), (advice.to_owned(), Role::Muted)]
    }
}
