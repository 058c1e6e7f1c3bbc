//! One dashboard: its panels on a grid, its variables in one line. A panel can take the whole screen.

use std::collections::BTreeMap;

use crate::app::explore_choice::ChartQuery;
use crate::app::identity::DashboardTarget;
use crate::app::key::Key;
use crate::app::line_editor::LineEditor;
use crate::app::menu::{ListedChoices, Menu, MenuChoice, VariableChoice};
use crate::app::prelude::*;
use crate::app::range::Range;
use crate::app::subjects::dashboard::layout::PlacedItem;
use crate::app::subjects::dashboard::picture::PanelPicture;
use crate::app::subjects::dashboard::queries::{self, PanelQuestions};
use crate::app::subjects::dashboard::repeat::{PanelKey, PlacedPanel, ShownSection};
use crate::app::subjects::dashboard::variables::{ChosenValues, ResolvedVariables};
use crate::app::subjects::dashboard::{self as subject, values};
use crate::model::dashboard::Dashboard;

mod arrange;
mod draw;
mod navigate;
mod report;
mod status;
mod variables;
mod view;

pub use report::PanelReport;

/// A section's title, or a panel of it.
type ItemKey = ((usize, Option<Text>), Option<PanelKey>);

/// The picture of a panel, and the answers that it was made of.
#[derive(Debug)]
struct MadePicture {
    /// When each answer arrived, and where its data are.
    stamp: Vec<Option<(Option<Timestamp>, usize)>>,
    picture: PanelPicture,
    /// What could not be done.
    notes: Vec<Text>,
}

#[derive(Debug, Default)]
pub struct OpenDashboard {
    pub(super) subject: Option<Arc<DashboardTarget>>,
    /// The dashboard that everything below is about.
    shown: Option<Arc<DashboardTarget>>,
    chosen: ChosenValues,
    /// The sections that the user has folded or unfolded.
    folded: BTreeMap<(usize, Option<Text>), bool>,
    variables: ResolvedVariables,
    sections: Vec<ShownSection>,
    /// What is left out.
    note: Option<String>,
    items: Vec<PlacedItem>,
    cursor: Option<ItemKey>,
    /// The panel that takes the whole screen.
    open: Option<PanelKey>,
    /// How far the content of that panel is scrolled down.
    open_scroll: u16,
    /// The questions of the panels that are visible or near.
    questions: BTreeMap<PanelKey, PanelQuestions>,
    pictures: BTreeMap<PanelKey, MadePicture>,
    /// The text box that is being filled in.
    editing: Option<(Text, LineEditor)>,
    /// Whether variables or folds have changed.
    is_dirty: bool,
    /// The range for which variables are resolved.
    range: Option<Range>,
    /// The dashboard whose own time range was taken.
    range_of: Option<Arc<DashboardTarget>>,
    /// The index of the item under the cursor, and the first line that is visible.
    scroll_position: ScrollPosition,
}

impl OpenDashboard {
    /// The dashboard, as far as it has been read.
    fn dashboard<'a>(&self, shared: &'a Shared) -> Option<&'a Arc<Dashboard>> {
        subject::definition(shared, &self.subject.as_ref()?.key)?.value()
    }

    fn item(&self) -> Option<PlacedItem> {
        self.items.get(self.scroll_position.panel).copied()
    }

    fn panel_of(&self, item: PlacedItem) -> Option<&PlacedPanel> {
        self.sections.get(item.section)?.panels.get(item.panel?)
    }

    /// The panel on the whole screen, else the one under the cursor.
    fn current(&self) -> Option<&PlacedPanel> {
        match &self.open {
            Some(key) => self.panels().find(|panel| panel.key == *key),
            None => self.panel_of(self.item()?),
        }
    }

    fn panels(&self) -> impl Iterator<Item = &PlacedPanel> {
        self.sections.iter().flat_map(|section| &section.panels)
    }

    /// The title of a panel with the values of its variables.
    fn title_of(&self, panel: &PlacedPanel) -> String {
        queries::with_time(&self.variables, &panel.scope).title(&panel.panel.title)
    }
}

impl SubjectScreen for OpenDashboard {
    type Subject = Arc<DashboardTarget>;
    const TAB: Option<Tab> = None;

    fn title(target: &Arc<DashboardTarget>, shared: &Shared) -> String {
        subject::title(shared, &target.key)
            .map_or_else(|| target.key.uid.to_string(), |title| title.to_string())
    }
}

impl Screen for OpenDashboard {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Time, Scope::Charts, Scope::Dashboard]
    }

    fn hints(&self) -> Vec<Hint> {
        if self.open.is_some() {
            return hints![
                Back "dashboard", Explore "explore", Copy, CursorBack "values", Variables, Range, Earlier, Links
            ];
        }
        let open = if self.item().is_some_and(|item| item.panel.is_none()) { "fold" } else { "panel" };
        hints![Open open, Variables, Explore "explore", Range, Earlier, CursorBack "values", Links, Copy, Back]
    }

    drawn_by_view!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        let Some(target) = &self.subject else { return Vec::new() };
        let mut wants: Vec<Want> = subject::definition_want(shared, &target.key).into_iter().collect();
        wants.extend(subject::source_wants(shared, &target.key));
        if self.shown != self.subject {
            return wants;
        }
        if self
            .panels()
            .any(|panel| matches!(panel.panel.kind, crate::model::dashboard::panel::PanelKind::DashboardList))
        {
            wants.extend(subject::list_wants(shared));
        }
        wants.extend(self.variables.asked.iter().map(|asked| asked.want(shared)));
        let asked = self.questions.values().flat_map(|questions| &questions.asked);
        for want in asked.map(|asked| asked.want(shared)) {
            // panels with the same queries are asked once
            let topic = want.ask.topic();
            if !wants.iter().any(|known| known.source == want.source && known.ask.topic() == topic) {
                wants.push(want);
            }
        }
        wants
    }

    fn lay_out(&mut self, shared: &Shared, is_news: bool, now: Timestamp) {
        self.arrange(shared, is_news, now);
    }

    fn wanted_range(&mut self, shared: &Shared) -> Option<Duration> {
        self.take_range(shared)
    }

    fn to_top(&mut self) {
        self.cursor = None;
        self.scroll_position = ScrollPosition::default();
    }

    fn change_context(&mut self, _shared: &Shared) {
        *self = Self::default();
    }

    fn scroll_position(&self) -> ScrollPosition {
        self.scroll_position
    }

    fn set_scroll_position(&mut self, scroll_position: ScrollPosition) {
        if scroll_position.panel != self.scroll_position.panel {
            self.cursor = self.key_at(scroll_position.panel);
        }
        self.scroll_position = scroll_position;
    }

    fn panels(&self) -> usize {
        self.items.len().max(1)
    }

    fn panel_at(&self, shared: &Shared, body: Rect, cell: (u16, u16)) -> Option<usize> {
        if self.open.is_some() {
            return None;
        }
        let grid = view::grid_area(self, shared, body);
        self.items.iter().position(|item| view::on_screen(self, *item, grid).contains(cell.into()))
    }

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(view::grid_area(self, shared, body))
    }

    fn last_scroll(&self, _shared: &Shared, area: Rect) -> u16 {
        navigate::last_top(&self.items, area.height)
    }

    fn run(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        self.move_cursor(shared, command, now)
    }

    fn menu(&self, shared: &Shared, command: Command, now: Timestamp) -> Option<Menu> {
        (command == Command::Variables).then(|| self.variables_menu(shared, now)).flatten()
    }

    fn choose_variable(
        &mut self,
        shared: &mut Shared,
        choice: VariableChoice,
        now: Timestamp,
    ) -> Option<ListedChoices> {
        self.choose_value(shared, choice, now)
    }

    fn is_editing(&self) -> bool {
        self.editing.is_some()
    }

    fn edit(&mut self, shared: &mut Shared, key: Key, now: Timestamp) {
        self.type_value(shared, key, now);
    }

    fn paste(&mut self, _shared: &Shared, text: &str) {
        if let Some((_, line)) = &mut self.editing {
            line.insert(text);
        }
    }

    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        let panel = self.current()?;
        let title = self.title_of(panel);
        let picture = self.pictures.get(&panel.key).map(|made| &made.picture)?;
        Some(values::as_text(&shared.cx(now), &title, picture))
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let Some(panel) = self.current() else { return Vec::new() };
        let scope = queries::with_time(&self.variables, &panel.scope);
        let own = panel.panel.links.iter().map(|link| {
            let title = if link.title.is_empty() { "link".to_owned() } else { scope.title(&link.title) };
            (title, Text::from(scope.link(&link.url)))
        });
        let page = self.dashboard(shared).and_then(|dashboard| dashboard.entry.url.clone()).map(|url| {
            let sign = if url.contains('?') { '&' } else { '?' };
            ("panel in Grafana".to_owned(), Text::from(format!("{url}{sign}viewPanel={}", panel.panel.id)))
        });
        let is_safe = |(_, url): &(String, Text)| url.starts_with("https://") || url.starts_with("http://");
        page.into_iter().chain(own).filter(is_safe).collect()
    }

    fn chart_queries(&self, shared: &Shared, _now: Timestamp) -> Vec<ChartQuery> {
        let (Some(target), Some(panel)) = (&self.subject, self.current()) else { return Vec::new() };
        let Some(dashboard) = self.dashboard(shared) else { return Vec::new() };
        let scope = queries::with_time(&self.variables, &panel.scope);
        queries::chart_queries(shared, &target.key, dashboard, (&panel.panel, &scope), &self.title_of(panel))
    }

    fn charted(&self, shared: &Shared, now: Timestamp) -> Option<ChartedTime> {
        self.dashboard(shared)?;
        Some(ChartedTime { grid: shared.range.span(now, 240, shared.interval), event: None })
    }
}
