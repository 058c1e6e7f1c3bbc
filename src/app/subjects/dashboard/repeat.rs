//! The panels and sections of a dashboard as they are shown: repeated for the values of variables.

use std::sync::Arc;

use super::layout::{PanelBox, SectionBoxes};
use super::variables::ResolvedVariables;
use crate::model::dashboard::interpolation::VariableState;
use crate::model::dashboard::panel::{GridPlace, Panel, PanelKind};
use crate::model::dashboard::{Dashboard, DashboardSection, GRID_COLUMNS};
use crate::model::labels::Text;

/// Repeats of a panel or section, and panels of a dashboard, at most.
const MOST_REPEATS: usize = 100;
const MOST_PANELS: usize = 3000;

/// Identifies a panel on the screen: its id, and the values for which it is repeated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PanelKey {
    pub id: u32,
    pub repeated_for: Vec<Text>,
}

/// A panel on the screen.
#[derive(Debug, Clone)]
pub struct PlacedPanel {
    pub key: PanelKey,
    pub panel: Arc<Panel>,
    /// The values of the variables for which it, or its section, is repeated.
    pub scope: Vec<VariableState>,
    pub place: GridPlace,
}

/// A section on the screen.
#[derive(Debug, Clone)]
pub struct ShownSection {
    /// With the values of its variables.
    pub title: Option<String>,
    /// Its place in the dashboard, and the value for which it is repeated.
    pub key: (usize, Option<Text>),
    pub is_collapsed: bool,
    pub panels: Vec<PlacedPanel>,
}

impl ShownSection {
    /// For the layout. `is_folded`: as the user has it.
    pub fn boxes(&self, is_folded: bool) -> SectionBoxes {
        let panel = |panel: &PlacedPanel| PanelBox { place: panel.place, least: least(&panel.panel.kind) };
        SectionBoxes {
            has_title: self.title.is_some(),
            is_folded,
            panels: self.panels.iter().map(panel).collect(),
        }
    }
}

/// The sections as they are shown, and what was left out.
pub fn expand(dashboard: &Dashboard, variables: &ResolvedVariables) -> (Vec<ShownSection>, Option<String>) {
    let mut all = Vec::new();
    let mut count = 0;
    let mut is_cut = false;
    for (index, section) in dashboard.sections.iter().enumerate() {
        for value in values(variables, section.repeat.as_ref()) {
            let shown = section_of(section, (index, value), variables, &mut is_cut);
            count += shown.panels.len();
            if count > MOST_PANELS {
                return (all, Some(format!("only the first {MOST_PANELS} panels are shown")));
            }
            all.push(shown);
        }
    }
    let note = is_cut.then(|| format!("panels are repeated for the first {MOST_REPEATS} values only"));
    (all, note)
}

/// The values of a variable for which something is repeated; `None` alone: it is shown once.
fn values(variables: &ResolvedVariables, name: Option<&Text>) -> Vec<Option<VariableState>> {
    let Some(shown) = name.and_then(|name| variables.named(name)) else { return vec![None] };
    let one = |(text, value): &(Text, Text)| {
        Some(VariableState::one(shown.definition.name.clone(), text.clone(), value.clone()))
    };
    let all: Vec<_> = shown.state.chosen.iter().take(MOST_REPEATS).map(one).collect();
    if all.is_empty() { vec![None] } else { all }
}

fn section_of(
    section: &DashboardSection,
    (index, value): (usize, Option<VariableState>),
    variables: &ResolvedVariables,
    is_cut: &mut bool,
) -> ShownSection {
    let scope: Vec<VariableState> = value.into_iter().collect();
    let key = (index, value_of(&scope));
    let title = section.title.as_ref().map(|title| {
        let filled = scope.iter().fold(variables.titles.clone(), |all, one| all.with(one.clone()));
        filled.title(title)
    });
    let mut panels = Vec::new();
    for panel in &section.panels {
        let Some(repeat) = &panel.repeat else {
            panels.push(placed(panel, scope.clone(), panel.place));
            continue;
        };
        let values = values(variables, Some(&repeat.variable));
        let chosen = variables.named(&repeat.variable).map_or(0, |shown| shown.state.chosen.len());
        *is_cut |= chosen > MOST_REPEATS;
        let count = u16::try_from(values.len()).unwrap_or(1);
        let per_row = count.min(if repeat.per_row == 0 { 4 } else { repeat.per_row }).clamp(1, GRID_COLUMNS);
        let width = GRID_COLUMNS / per_row;
        for (at, value) in (0_u16..).zip(values) {
            let place = if repeat.is_vertical {
                GridPlace { y: panel.place.y.saturating_add(at), ..panel.place }
            } else if count == 1 {
                panel.place
            } else {
                // rows below each other: the layout closes gaps and moves others down
                GridPlace { x: (at % per_row) * width, width, ..panel.place }
            };
            let own: Vec<VariableState> = scope.iter().cloned().chain(value).collect();
            panels.push(placed(panel, own, place));
        }
    }
    ShownSection { title, key, is_collapsed: section.is_collapsed, panels }
}

fn placed(panel: &Arc<Panel>, scope: Vec<VariableState>, place: GridPlace) -> PlacedPanel {
    let values = scope.iter().flat_map(|state| state.chosen.iter().map(|(_, value)| value.clone()));
    let key = PanelKey { id: panel.id, repeated_for: values.collect() };
    PlacedPanel { key, panel: Arc::clone(panel), scope, place }
}

fn value_of(scope: &[VariableState]) -> Option<Text> {
    scope.first().and_then(|state| state.chosen.first()).map(|(_, value)| value.clone())
}

/// The least cells and lines in which a panel can be read, with its frame.
fn least(kind: &PanelKind) -> (u16, u16) {
    match kind {
        PanelKind::TimeSeries { .. } | PanelKind::Heatmap { .. } => (36, 10),
        PanelKind::StateTimeline { .. } | PanelKind::StatusHistory { .. } => (36, 7),
        PanelKind::BarChart { .. } | PanelKind::Histogram { .. } => (30, 8),
        PanelKind::Table { .. } | PanelKind::Logs { .. } => (36, 8),
        PanelKind::Stat { .. } => (14, 5),
        PanelKind::Gauge { .. } => (16, 6),
        PanelKind::BarGauge { .. } | PanelKind::PieChart { .. } => (26, 5),
        PanelKind::AlertList { .. } | PanelKind::DashboardList => (30, 6),
        PanelKind::Words { .. } | PanelKind::Unknown { .. } => (20, 4),
    }
}

#[cfg(test)]
mod tests;
