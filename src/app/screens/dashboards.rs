//! The list of dashboards: title, folder, tags.

use crate::app::columns::compare;
use crate::app::filter::FilterFields;
use crate::app::identity::{DashboardKey, DashboardTarget};
use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::prelude::*;
use crate::app::subjects::dashboard;
use crate::model::dashboard::DashboardEntry;

pub mod columns;

use columns::{DashboardItem, ORDERS};

/// A row: a group header or a dashboard. The key of a group is the folder or the source by which the list is grouped.
pub type Row = crate::app::grouped::Row<DashboardKey, Text>;

#[derive(Debug, Default)]
pub struct DashboardScreen {
    pub rows: GroupedList<DashboardKey, Text>,
    /// The number of dashboards, and of those that match the filter.
    counts: (usize, usize),
}

/// The texts of dashboards that a filter can use.
pub fn haystack(all: &[DashboardItem]) -> Haystack {
    const FIELDS: FilterFields =
        FilterFields { words: &["title", "folder", "source"], numbers: &[], flags: &[] };
    let none = Labels::default();
    let sources: Vec<Text> = all.iter().map(|item| item.source.as_str().into()).collect();
    Haystack::with_fields(
        FIELDS,
        all.iter().zip(&sources).map(|(item, source)| {
            let entry = &item.entry;
            let words = [Some(entry.title.clone()), entry.folder.clone(), Some(source.clone())];
            (&none, entry.tags.iter().chain([&entry.uid]), words, [])
        }),
    )
}

/// The property by which the list can be grouped, of one dashboard.
fn value_of(item: &DashboardItem, by: &str) -> Text {
    match by {
        "folder" => item.entry.folder.clone().unwrap_or_else(|| "".into()),
        "source" => item.source.as_str().into(),
        _ => "".into(),
    }
}

impl Item for DashboardKey {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Dashboard(Arc::new(DashboardTarget::of(self.clone()))))
    }

    fn selection(_shared: &Shared, _chosen: Vec<Self>) -> Selection {
        Selection::Nothing
    }

    /// The title and the page.
    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        let entry = self.entry(&shared.world)?;
        Some(match &entry.url {
            Some(url) => format!("{} {url}", entry.title),
            None => entry.title.to_string(),
        })
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        let url = self.entry(&shared.world).and_then(|entry| entry.url.clone());
        url.into_iter().map(|url| ("dashboard".to_owned(), url)).collect()
    }
}

impl Screen for DashboardScreen {
    offers! { [List, Groups]: Open, Filter, Sort, Group, Links, Back }

    drawn_as_list!();

    fn wants(&self, shared: &Shared, _now: Timestamp) -> Vec<Want> {
        dashboard::list_wants(shared)
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let mut all = dashboard::listed(&shared.world);
        let order = self.rows.order;
        all.sort_by(|a, b| compare(&ORDERS, order, |by| by(a, b)).then_with(|| a.key().cmp(&b.key())));
        let revision = shared.world.revision();
        let passes = self.rows.found.select(revision, is_typing, || haystack(&all));
        let shown: Vec<DashboardItem> = passing(all.iter().cloned(), passes.as_deref()).collect();
        self.counts = (all.len(), shown.len());
        let by = self.rows.grouped_by().unwrap_or_default().to_owned();
        self.rows.set(&shown, DashboardItem::key, |item| value_of(item, &by));
    }

    fn to_top(&mut self) {
        self.rows.list.to_top();
    }

    lists_rows!(rows);

    fn orders(&self) -> Vec<NamedOrder> {
        named(&ORDERS)
    }

    fn groupings(&self, _shared: &Shared) -> Vec<(String, Grouping)> {
        Grouping::by_each(["folder", "source"].map(str::to_owned))
    }
}

impl ListScreen for DashboardScreen {
    lists!(Row);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Dashboards];
    const NOUN: &'static str = "dashboard";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: &[AskKind::Dashboards],
        no_source: ("No source of dashboards is configured: add", "."),
        source: "source of dashboards",
        loading: "dashboards",
        one: Some("dashboard"),
    });

    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let mut runs = list_screen::titled("Dashboards", count(self.counts.1, self.counts.0));
        let notes = dashboard::list_notes(cx.world);
        runs.extend(notes.into_iter().map(|note| StyledRun::new(format!("  {note}"), Role::Stale)));
        runs.extend(list_screen::grouped(&self.rows));
        runs.extend(list_screen::ordered(self));
        runs.extend(self.rows.found.title_runs());
        runs
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, Row>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key: row, .. } = of;
        let key = match row {
            Row::Group(value) => {
                let nouns = ("dashboard", "dashboards");
                let head = list_screen::group_head(cx, &self.rows, (value, Role::Title), nouns);
                return Some(Line::Heading(head));
            }
            Row::Item(key) => key,
        };
        let entry: &Arc<DashboardEntry> = key.entry(cx.world)?;
        let item = DashboardItem { source: key.source.clone(), entry: Arc::clone(entry) };
        let role = if entry.is_starred { Role::Accent } else { Role::Muted };
        let is_stale = stale.contains(&key.source);
        Some(Line::Item(ListRow { is_stale, ..self.row(cx, item, role) }))
    }

    fn has_items(&self, _world: &World) -> bool {
        self.counts.0 > 0
    }

    fn none(&self, _cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        vec![("No source has a dashboard that may be read.".to_owned(), Role::Muted)]
    }
}
