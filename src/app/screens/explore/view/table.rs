//! Draws the rows: series with their labels and values, or stored queries.

use super::super::results::{LAST, MAX, MIN, ResultRow, ResultTable, short_name};
use super::super::{Explore, ExploreRow, ResultView};
use super::{role_of, unit};
use crate::app::prelude::*;
use crate::app::widgets::table::{self, Sort};
use crate::app::widgets::unit::ValueUnit;

/// The most columns for labels.
const MAX_LABEL_COLUMNS: usize = 8;

/// The value of a row: at the value cursor, else the newest.
fn value(screen: &Explore, cx: &ScreenCx<'_>, cursor: Option<Timestamp>, item: &ResultRow) -> f64 {
    let matrix = screen.shown.as_ref().and_then(|shown| shown.matrix());
    let at = cursor.zip(matrix).and_then(|(at, matrix)| {
        if let Some(finer) = screen.finer(cx.shared, cx.now) {
            return finer.line(&item.labels)?.values.get(finer.span.nearest(at)?).copied();
        }
        let line = matrix.lines.get(item.line?)?;
        line.values.get(matrix.span.index(at.as_second() as f64)?).copied()
    });
    at.unwrap_or(item.last)
}

/// Draws the series of the result: its labels that differ, and its values.
pub(super) fn series(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let ResultTable { rows: items, differing, common, .. } = &screen.items;
    let unit = screen.shown.as_ref().map_or(ValueUnit::Plain, |shown| unit(&shown.key.query));
    let is_table = screen.view == ResultView::Table;
    // one series has no labels that differ from others
    let labels: Vec<Text> = match &differing[..] {
        [] if is_table => common.iter().map(|(name, _)| name.clone()).take(MAX_LABEL_COLUMNS).collect(),
        all => all.iter().take(MAX_LABEL_COLUMNS).cloned().collect(),
    };
    let is_range = screen.shown.as_ref().is_some_and(|shown| shown.span().is_some());
    let has_words = items.iter().any(|item| item.words.is_some());
    let titles: Vec<String> = labels.iter().map(|name| name.to_uppercase()).collect();
    let widest = |name: &str| {
        let values = items.iter().take(500).map(|item| text::width(item.labels.value(name)));
        values.max().unwrap_or(0).max(text::width(name)).clamp(4, 60)
    };
    let mut columns: Vec<table::Column<'_>> = vec![("", Size::words(1, 1, 0))];
    if labels.is_empty() {
        columns.push(("SERIES", Size::words(6, 60, 1)));
    }
    for (at, (name, title)) in labels.iter().zip(&titles).enumerate() {
        let priority = u8::try_from(at).unwrap_or(u8::MAX).saturating_add(2);
        columns.push((title, Size::words(4, widest(name), priority)));
    }
    let cursor = super::cursor(screen, cx);
    let value_title = if cursor.is_some() { "VALUE" } else { LAST };
    columns.push((value_title, if has_words { Size::words(10, 60, 0) } else { Size::numbers(11, 0) }));
    if is_range {
        columns.extend([(MIN, Size::numbers(10, 20)), (MAX, Size::numbers(10, 21))]);
    }
    let rows = usize::from(table::body(area).height);
    let list = &screen.rows.list;
    let top = list.shown(rows).next().map_or(0, |(index, _)| index);
    let lines = list.shown(rows).filter_map(|(at, key)| {
        let item = screen.item(key)?;
        let role = role_of(screen, key, at);
        let is_shown = screen.is_visible(&item.labels);
        let sign = if !is_shown {
            cx.charset.pick("·", "-")
        } else if is_range {
            cx.charset.pick("━", role.ascii())
        } else {
            " "
        };
        let plain = if is_shown { Role::Text } else { Role::Muted };
        let mut cells = vec![Cell::text(sign, role)];
        if labels.is_empty() {
            cells.push(Cell::text(short_name(&item.labels, differing), plain));
        }
        let found = &screen.rows.found;
        cells.extend(labels.iter().map(|name| Cell::Runs(found.highlighted(item.labels.value(name), plain))));
        let number = |value: f64| {
            Cell::text(if value.is_nan() { "NaN".to_owned() } else { unit.text(value, cx.charset) }, plain)
        };
        cells.push(match &item.words {
            Some(words) => Cell::text(words.clone(), plain),
            None => number(value(screen, cx, cursor, item)),
        });
        if is_range {
            cells.extend([number(item.min), number(item.max)]);
        }
        Some(table::Row::new(cells))
    });
    let order = screen.rows.order;
    let sorted = match order.column {
        0 if !screen.is_sorted_by_server() => columns.iter().position(|(title, _)| *title == value_title),
        2 => columns.iter().position(|(title, _)| *title == MAX),
        _ => None,
    };
    let sort = sorted.map(|column| Sort { column, descending: !order.reversed });
    let selected = list.index().checked_sub(top);
    let drawn = table::Table { columns: &columns, sort, selected, focused: !screen.is_typing() };
    table::render(&drawn, lines, cx, area, buf);
}

/// Draws the saved views and the history.
pub(super) fn stored(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let list = &screen.rows.list;
    if list.rows().is_empty() {
        let key = cx.shared.key(Command::Explore);
        let words = if screen.rows.found.text().is_empty() {
            format!(
                "No saved views and no history yet. {key} begins a query; {key} on any chart opens its query here."
            )
        } else {
            screen.rows.found.nothing("query")
        };
        let lines = text::wrap(&words, area.width.saturating_sub(4)).into_iter();
        let lines = lines.map(|line| vec![StyledRun::new(format!("   {line}"), Role::Muted)]);
        return text::lines(cx, lines, area, buf);
    }
    let columns: [table::Column<'_>; 2] =
        [("VIEW", Size::words(6, 30, 1)), ("QUERY", Size::words(20, 300, 0))];
    let rows = usize::from(table::body(area).height);
    let top = list.shown(rows).next().map_or(0, |(index, _)| index);
    let lines = list.shown(rows).filter_map(|(_, key)| {
        let item = screen.item(key)?;
        let role = match key {
            ExploreRow::View(_) => Role::Accent,
            ExploreRow::Query(_) | ExploreRow::Series(_) => Role::Text,
        };
        let found = &screen.rows.found;
        let name = Cell::text(item.labels.value("view").to_owned(), Role::Accent);
        Some(table::Row::new(vec![name, Cell::Runs(found.highlighted(item.labels.value("query"), role))]))
    });
    let selected = list.index().checked_sub(top);
    let drawn = table::Table { columns: &columns, sort: None, selected, focused: !screen.is_typing() };
    table::render(&drawn, lines, cx, area, buf);
}
