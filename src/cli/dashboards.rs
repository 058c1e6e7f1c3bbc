//! `burnwatch dashboards`: all dashboards, or the values of the panels of one.

use std::sync::Arc;

use crate::app::columns::{ListColumn, Listed};
use crate::app::identity::DashboardTarget;
use crate::app::place::Place;
use crate::app::readiness;
use crate::app::screens::dashboard::PanelReport;
use crate::app::screens::dashboards::columns::{COLUMNS, DashboardItem};
use crate::app::screens::dashboards::haystack;
use crate::app::subjects::dashboard::values::PanelValue;
use crate::app::subjects::dashboard::variables::ShownVariable;
use crate::app::subjects::dashboard::{definition, list_notes, listed};
use crate::model::labels::Text;
use crate::model::world::World;

use super::alerts::AlertFilter;
use super::args::DashboardsArgs;
use super::needs;
use super::printer::{ExitOutcome, print, print_error, print_gaps};
use super::report::{Cell, Fact, ReportDocument, ReportList};
use super::view::WorldView;
use super::{CliContext, VerbResult, formatted};

/// The terminal on which all panels of a dashboard are visible, so that all are asked.
const WHOLE: (u16, u16) = (240, u16::MAX / 4);

enum VariableList {}

impl Listed for VariableList {
    type Item<'a> = &'a ShownVariable;
    type Widths = ();
}

const VARIABLE_COLUMNS: &[ListColumn<VariableList>] = &[
    ListColumn::text("name", "VARIABLE", |one| Cell::Text(one.definition.name.to_string())),
    ListColumn::text("shown", "VALUE", |one| Cell::words(one.words())),
    ListColumn::hidden("values", |one| Cell::texts(one.state.chosen.iter().map(|(_, value)| value))),
    ListColumn::hidden("options", |one| Cell::count(one.total)),
];

enum PanelList {}

impl Listed for PanelList {
    type Item<'a> = (&'a PanelReport, Option<&'a PanelValue>);
    type Widths = ();
}

const PANEL_COLUMNS: &[ListColumn<PanelList>] = &[
    ListColumn::number("panel_id", "PANEL", |(panel, _)| Cell::count(panel.id as usize)),
    ListColumn::text("title", "TITLE", |(panel, _)| Cell::words(panel.title.clone())),
    ListColumn::text("section", "", |(panel, _)| Cell::optional(panel.section.as_ref())),
    ListColumn::text("name", "NAME", |(_, value)| Cell::optional(value.map(|value| &value.name))),
    ListColumn::number("text", "VALUE", |(_, value)| Cell::optional(value.map(|value| &value.text))),
    ListColumn::hidden("value", |(_, value)| {
        value.and_then(|value| value.number).map_or(Cell::Nothing, Cell::Number)
    }),
    ListColumn::text("message", "MESSAGE", |(panel, _)| Cell::optional(panel.message.as_ref())),
];

/// Prints the list, or the values of one dashboard.
pub(super) fn run(cx: &CliContext<'_>, wanted: &DashboardsArgs) -> VerbResult {
    let session = cx.session(true)?;
    session.require_source_of(&needs::DASHBOARDS.required_questions())?;
    let mut state = session.state_at(Place::Dashboards);
    session.look_on(&mut state, Place::Dashboards, &needs::DASHBOARDS.kinds())?;
    let gaps = readiness::screen_gaps(&state, &needs::DASHBOARDS.kinds(), session.active.clock.now());
    let Some(name) = &wanted.dashboard else {
        let document = list_document(&session.view(&state), &AlertFilter::default(), gaps);
        return Ok(print(&formatted(&document, wanted.listing.output), outcome(&document)));
    };
    let found = named(&state.shared.world, name);
    let [item] = found.as_slice() else {
        if found.is_empty() && !gaps.is_empty() {
            // a source that did not answer may have it
            return Ok(print_gaps(&gaps));
        }
        print_error(&not_one(name, &found));
        return Ok(ExitOutcome::UsageError);
    };
    let target = Arc::new(DashboardTarget {
        key: item.key(),
        panel: wanted.panel,
        variables: variables(&wanted.var),
        is_unfolded: true,
    });
    let kinds = needs::DASHBOARD.kinds();
    state.shared.size = WHOLE;
    session.look_on(&mut state, Place::Dashboard(Arc::clone(&target)), &kinds)?;
    let now = session.active.clock.now();
    let gaps = readiness::screen_gaps(&state, &kinds, now);
    let Some(dashboard) = definition(&state.shared, &target.key).and_then(|remote| remote.value()) else {
        return Ok(print_gaps(&gaps));
    };
    let screen = &state.screens.dashboard;
    let facts = vec![
        Fact::new("uid", "Dashboard", Cell::Text(dashboard.entry.uid.to_string())),
        Fact::new("title", "Title", Cell::Text(dashboard.entry.title.to_string())),
        Fact::new("folder", "Folder", Cell::optional(dashboard.entry.folder.as_ref())),
        Fact::new("range", "Range", Cell::Text(state.shared.range.words(now))),
        Fact::new("url", "Page", Cell::optional(dashboard.entry.url.as_ref())),
        Fact::new("source", "Source", Cell::Text(target.key.source.to_string())),
    ];
    let reports = screen.reports(&state.shared, now);
    if reports.is_empty() && wanted.panel.is_some() {
        print_error(&format!(
            "{} has no panel with the id {}",
            dashboard.entry.title,
            wanted.panel.unwrap_or(0)
        ));
        return Ok(ExitOutcome::UsageError);
    }
    let notes = dashboard.notes.iter().map(ToString::to_string).collect();
    let document =
        dashboard_document(&session.view(&state), facts, (screen.shown_variables(), &reports), (gaps, notes));
    Ok(print(&formatted(&document, wanted.listing.output), outcome(&document)))
}

fn outcome(document: &ReportDocument) -> ExitOutcome {
    if document.is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine }
}

/// The dashboards with this uid, else with this title, else whose title contains it.
fn named(world: &World, name: &str) -> Vec<DashboardItem> {
    let all = listed(world);
    let lower = name.to_lowercase();
    let pick =
        |is: &dyn Fn(&DashboardItem) -> bool| all.iter().filter(|item| is(item)).cloned().collect::<Vec<_>>();
    let by_uid = pick(&|item| *item.entry.uid == *name);
    let by_title = || pick(&|item| item.entry.title.to_lowercase() == lower);
    let by_part = || pick(&|item| item.entry.title.to_lowercase().contains(&lower));
    let first = |found: Vec<DashboardItem>, other: &dyn Fn() -> Vec<DashboardItem>| {
        if found.is_empty() { other() } else { found }
    };
    first(first(by_uid, &by_title), &by_part)
}

fn not_one(name: &str, found: &[DashboardItem]) -> String {
    if found.is_empty() {
        return format!("there is no dashboard {name:?}; `burnwatch dashboards` lists all");
    }
    let some: Vec<String> =
        found.iter().take(5).map(|item| format!("{} ({})", item.entry.title, item.entry.uid)).collect();
    format!("{name:?} is the name of {} dashboards: {}; use the uid", found.len(), some.join(", "))
}

/// Values of variables: of the same name, several.
fn variables(given: &[(String, String)]) -> Vec<(Text, Vec<Text>)> {
    let mut all: Vec<(Text, Vec<Text>)> = Vec::new();
    for (name, value) in given {
        match all.iter_mut().find(|(known, _)| **known == **name) {
            Some((_, values)) => values.push(value.as_str().into()),
            None => all.push((name.as_str().into(), vec![value.as_str().into()])),
        }
    }
    all
}

/// All dashboards. `gaps` are the missing answers.
pub(super) fn list_document(view: &WorldView<'_>, filter: &AlertFilter, gaps: Vec<String>) -> ReportDocument {
    let mut all = listed(view.world);
    all.sort_by_cached_key(|item| {
        let folder = item.entry.folder.as_deref().unwrap_or_default().to_lowercase();
        (folder, item.entry.title.to_lowercase(), item.key())
    });
    let searched = haystack(&all);
    let (found, unknown) = filter.matching(&all, searched, |item| vec![item.entry.title.to_string()]);
    let list = ReportList::of(
        ("dashboards", "Dashboards", "No dashboards found."),
        COLUMNS,
        found.into_iter().cloned(),
    );
    let mut document = base(view, Vec::new(), vec![list], gaps);
    document.notes.extend(list_notes(view.world).iter().map(ToString::to_string));
    document.notes.extend(unknown);
    document
}

/// The variables of a dashboard and the values of its panels.
fn dashboard_document(
    view: &WorldView<'_>,
    facts: Vec<Fact>,
    (variables, panels): (&[ShownVariable], &[PanelReport]),
    (gaps, notes): (Vec<String>, Vec<String>),
) -> ReportDocument {
    let rows = panels.iter().flat_map(|panel| {
        let values = panel.values.iter().map(move |value| (panel, Some(value)));
        // a panel without values has a row that says why
        let none = panel.values.is_empty().then_some((panel, None));
        values.chain(none)
    });
    let shown = variables.iter().filter(|one| one.is_shown());
    let lists = vec![
        ReportList::of(("variables", "Variables", "No variables."), VARIABLE_COLUMNS, shown),
        ReportList::of(("values", "Values of the panels", "No panels."), PANEL_COLUMNS, rows),
    ];
    let mut document = base(view, facts, lists, gaps);
    document.is_partial |= panels.iter().any(|panel| panel.is_failed);
    document.notes.extend(notes);
    document
}

fn base(view: &WorldView<'_>, facts: Vec<Fact>, lists: Vec<ReportList>, gaps: Vec<String>) -> ReportDocument {
    ReportDocument {
        context: view.context.to_owned(),
        as_of: view.now,
        facts,
        lists,
        is_partial: !gaps.is_empty(),
        notes: gaps,
    }
}
