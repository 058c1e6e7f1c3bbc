//! The columns of dashboards: on the screen, in `burnwatch dashboards` and in its JSON.

use super::DashboardScreen;
use crate::app::columns::{ThingOrder, ascending};
use crate::app::identity::DashboardKey;
use crate::app::prelude::*;
pub use crate::app::subjects::dashboard::DashboardItem;

impl Listed for DashboardScreen {
    type Item<'a> = DashboardItem;
    type Widths = ();
}

impl DashboardItem {
    pub fn key(&self) -> DashboardKey {
        DashboardKey { source: self.source.clone(), uid: self.entry.uid.clone() }
    }
}

/// Starred ones come first, then by folder and title.
pub const ORDERS: [ThingOrder<DashboardItem>; 3] = [
    ascending("starred, folder and title", "folder", |a, b| {
        let rank = |item: &DashboardItem| (!item.entry.is_starred, folder(item), lower(item));
        rank(a).cmp(&rank(b))
    }),
    ascending("title", "title", |a, b| lower(a).cmp(&lower(b))),
    ascending("source", "source", |a, b| a.source.cmp(&b.source).then_with(|| lower(a).cmp(&lower(b)))),
];

fn lower(item: &DashboardItem) -> String {
    item.entry.title.to_lowercase()
}

fn folder(item: &DashboardItem) -> String {
    item.entry.folder.as_deref().unwrap_or_default().to_lowercase()
}

type Column = ListColumn<DashboardScreen>;

/// The title comes first.
pub const COLUMNS: &[Column] = &[
    Column::text("starred", "", |item| Value::Switch(item.entry.is_starred)).on_screen(
        (0, "", Size::words(1, 1, 5)),
        |row| {
            let star = if row.entry.is_starred { row.cx.charset.pick("★", "*") } else { " " };
            Cell::text(star, row.role)
        },
    ),
    Column::text("title", "TITLE", |item| Value::words(item.entry.title.to_string()))
        .on_screen((1, "title", Size::words(16, 60, 0)), |row| row.highlighted(&row.entry.title, Role::Text)),
    Column::text("folder", "FOLDER", |item| Value::optional(item.entry.folder.as_ref()))
        .on_screen((2, "folder", Size::words(8, 32, 1)), |row| {
            row.highlighted(row.entry.folder.as_deref().unwrap_or_default(), Role::Muted)
        }),
    Column::text("tags", "TAGS", |item| Value::texts(item.entry.tags.iter()))
        .on_screen((3, "tags", Size::words(8, 40, 3)), |row| {
            Cell::text(row.entry.tags.join(", "), Role::Muted)
        }),
    Column::text("uid", "UID", |item| Value::Text(item.entry.uid.to_string())),
    Column::hidden("url", |item| Value::optional(item.entry.url.as_ref())),
    Column::distinguishing("source", "SOURCE", |item| Value::Text(item.source.to_string()))
        .on_screen((4, "source", Size::words(6, 16, 4)), |row| {
            Cell::text(row.source.to_string(), Role::Muted)
        }),
];
