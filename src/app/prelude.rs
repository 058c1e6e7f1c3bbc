//! Re-exports for screens.

pub(super) use super::chart_control::ChartedTime;
pub(super) use super::column_widths::ColumnWidths;
pub(super) use super::columns::{Line, ListColumn, ListRow, Listed, NamedOrder, Size, named};
pub(super) use super::commands::{Command, Scope};
pub(super) use super::display_settings::Cx;
pub(super) use super::filter::Haystack;
pub(super) use super::grid::Grid;
pub(super) use super::grouped::{FilteredList, GroupedList};
pub(super) use super::identity::{IncidentKey, SloKey};
pub(super) use super::items::{Item, ItemList};
pub(super) use super::list::{Cursor, Grouping, List, SortOrder};
pub(super) use super::list_filter::{ListFilter, passing};
pub(super) use super::number::{ago, count, moment};
pub(super) use super::page::PageContent;
pub(super) use super::place::{Place, ScrollPosition, Tab};
pub(super) use super::scheduler::Want;
pub(super) use super::screen::{
    Badge, Hint, Opened, Screen, SubjectScreen, drawn_by_view, hints, keeps_scroll_position, lists_panels,
    lists_rows, offers,
};
pub(super) use super::selection::{Handled, Selection};
pub(super) use super::shared::{ScreenCx, Shared};
pub(super) use super::staleness::stale_sources;
pub(super) use super::theme::Role;
pub(super) use super::widgets::table::Cell;
pub(super) use super::widgets::text::{self, StyledRun};
pub(super) use super::{layout, want};
pub(super) use crate::model::alert::{Alert, AlertState};
pub(super) use crate::model::ask::{AskKind, Query, Topic};
pub(super) use crate::model::duration;
pub(super) use crate::model::fingerprint::Fingerprint;
pub(super) use crate::model::labels::{Labels, Text};
pub(super) use crate::model::remote::{Remote, age};
pub(super) use crate::model::runbook::RunbookQuery;
pub(super) use crate::model::slo::SloStatus;
pub(super) use crate::model::source::SourceId;
pub(super) use crate::model::value::Value;
pub(super) use crate::model::world::{IncidentView, World};
pub(super) use jiff::Timestamp;
pub(super) use ratatui::buffer::Buffer;
pub(super) use ratatui::layout::Rect;
pub(super) use std::sync::Arc;
pub(super) use std::time::Duration;
