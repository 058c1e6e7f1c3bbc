//! Dashboards as Grafana defines them, of both schemas and all versions in one form: sections of panels on a grid of 24 columns,
//! with their queries, options, variables and transformations.
//!
//! `backend/dashboards` reads the JSON. A panel or option that cannot be drawn is kept and says why.

pub mod display;
pub mod field;
pub mod interpolation;
pub mod panel;
pub mod reduce;
pub mod transform;
pub mod transformation;
pub mod variable;

use std::sync::Arc;
use std::time::Duration;

use super::labels::Text;
use super::series::TimeGrid;
use panel::Panel;
use variable::Variable;

/// The columns of the grid on which panels are placed.
pub const GRID_COLUMNS: u16 = 24;

/// A dashboard in a list, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DashboardEntry {
    pub uid: Text,
    pub title: Text,
    /// The folder's path, parts separated by `/`; `None` at the top level.
    pub folder: Option<Text>,
    pub tags: Vec<Text>,
    /// The page in Grafana.
    pub url: Option<Text>,
    pub is_starred: bool,
}

/// The dashboards of a source.
#[derive(Debug, Clone, Default, Hash)]
pub struct DashboardList {
    pub entries: Vec<Arc<DashboardEntry>>,
    /// How many more there are than could be listed, or why some are missing.
    pub notes: Vec<Text>,
}

/// A dashboard.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    pub entry: DashboardEntry,
    pub description: Option<Text>,
    /// `schemaVersion` of the classic schema; `None` for the second schema.
    pub schema_version: Option<u32>,
    /// The default time range, in Grafana's words: `now-6h`, `now`.
    pub from: Text,
    pub to: Text,
    pub variables: Vec<Variable>,
    /// In order from the top. Panels above the first row are in a section without title.
    pub sections: Vec<DashboardSection>,
    /// What could not be read: parts of it are still shown.
    pub notes: Vec<Text>,
}

/// A row or tab of panels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DashboardSection {
    /// With variables: `Pods of $namespace`.
    pub title: Option<Text>,
    pub is_collapsed: bool,
    /// The variable whose values the section is repeated for.
    pub repeat: Option<Text>,
    pub panels: Vec<Arc<Panel>>,
}

/// A reference to a data source; both parts may hold variables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DataSourceRef {
    /// The plug-in: `prometheus`, `loki`, `cloudwatch`; `None` if only the name or uid is known, as in old dashboards.
    pub kind: Option<Text>,
    /// The uid, or the name in old dashboards; `None`: the default data source. `-- Mixed --`, `-- Grafana --` and `-- Dashboard --`
    /// are Grafana's own, `__expr__` are server-side expressions.
    pub uid: Option<Text>,
}

/// A data source that Grafana knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSource {
    pub uid: Text,
    pub name: Text,
    /// The plug-in: `prometheus`, `loki`, `cloudwatch`.
    pub kind: Text,
    pub is_default: bool,
    /// Whether the token may query it; `None` if that is not known.
    pub may_query: Option<bool>,
    /// The shortest interval between points that it is configured with: `15s`.
    pub interval: Option<Text>,
}

/// The question for the data of a panel: its visible and hidden queries with all variables replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PanelQuery {
    pub queries: Vec<PanelSubquery>,
    /// The length of the time range: results of different ranges and steps are different data.
    pub range: Duration,
    /// The time between two points.
    pub step: Duration,
}

/// One query of a panel with all variables replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PanelSubquery {
    pub ref_id: Text,
    pub data_source: DataSourceRef,
    /// The query as JSON text, as `/api/ds/query` takes it.
    pub json: Text,
}

impl Dashboard {
    /// How many panels it has.
    pub fn panels(&self) -> usize {
        self.sections.iter().map(|section| section.panels.len()).sum()
    }
}

impl PanelQuery {
    /// The question for these queries over a grid.
    pub fn over(queries: Vec<PanelSubquery>, window: TimeGrid) -> Self {
        let points = u32::try_from(window.count().saturating_sub(1)).unwrap_or(u32::MAX);
        Self { queries, range: window.step().saturating_mul(points), step: window.step() }
    }
}
