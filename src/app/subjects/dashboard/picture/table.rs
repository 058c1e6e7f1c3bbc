//! Tables: columns with their cells as text, sorted as the dashboard says.

use std::cmp::Ordering;

use super::fields::{self, ShownField};
use super::{PaintedValue, PanelInput, PanelPicture, TableColumn, TablePicture, painted};
use crate::app::theme::Role;
use crate::app::widgets::spark;
use crate::model::dashboard::field::{CellKind, ColumnAlign, Reducer};
use crate::model::dashboard::panel::SortDirection;
use crate::model::dashboard::reduce::reduce;
use crate::model::frame::FrameCell;
use crate::model::labels::Text;

/// Rows that are kept at most.
const MOST: usize = 2000;
/// Pixels of the dashboard for a cell of the terminal.
const PIXELS: u16 = 8;

/// Sort column and direction, reducers of the footer, whether there is a header.
type TableOptions<'a> = (Option<&'a (Text, SortDirection)>, &'a [Reducer], bool);

/// The first frame as a table.
pub(super) fn picture(
    input: &PanelInput<'_>,
    (sort, footer, has_header): TableOptions<'_>,
) -> Option<PanelPicture> {
    let with_rows = input.frames.iter().position(|frame| frame.rows() > 0);
    let shown = with_rows.or_else(|| input.frames.iter().position(|frame| !frame.fields.is_empty()))?;
    let frame = input.frames.get(shown)?;
    let all = fields::fields(input);
    let columns: Vec<&ShownField<'_>> = all
        .iter()
        .filter(|field| {
            field.frame == shown && field.options.is_hidden != Some(true) && field.is_in_picture()
        })
        .collect();
    if columns.is_empty() {
        return None;
    }
    let total = frame.rows();
    let mut order: Vec<usize> = (0..total).collect();
    let by = sort.and_then(|(name, direction)| {
        let column = columns.iter().position(|column| column.name == **name)?;
        Some((column, *direction == SortDirection::Descending))
    });
    if let Some((column, is_descending)) = by
        && let Some(field) = columns.get(column)
    {
        order.sort_by(|a, b| {
            let ordering = compared(&field.field.values.cell(*a), &field.field.values.cell(*b));
            if is_descending { ordering.reverse() } else { ordering }
        });
    }
    let row = |row: &usize| columns.iter().map(|column| cell(column, *row)).collect();
    let rows: Vec<Vec<PaintedValue>> = order.iter().take(MOST).map(row).collect();
    let named = input.frames.len();
    let note = (named > 1).then(|| format!("table {} of {named}", shown + 1));
    Some(PanelPicture::Table(TablePicture {
        columns: columns.iter().map(|column| head(column)).collect(),
        rows,
        total,
        has_header,
        footer: footer_of(&columns, footer),
        sort: by,
        note,
    }))
}

fn head(column: &ShownField<'_>) -> TableColumn {
    let options = &column.options;
    let natural = if column.is_number() { ColumnAlign::Right } else { ColumnAlign::Left };
    TableColumn {
        name: column.name.clone(),
        align: options.align.unwrap_or(natural),
        cell: options.cell.unwrap_or(CellKind::Automatic),
        width: options.width.map(|pixels| (pixels / PIXELS).max(3)),
    }
}

fn cell(column: &ShownField<'_>, row: usize) -> PaintedValue {
    let cell = column.field.values.cell(row);
    let value = painted(&column.display, &cell, Role::Text);
    match column.options.cell {
        // a list of numbers, which a transformation has made of a series
        Some(CellKind::Sparkline) if value.number.is_none() => {
            let numbers: Vec<f64> =
                value.text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
            if numbers.is_empty() { value } else { PaintedValue { text: spark::text(&numbers, 20), ..value } }
        }
        Some(
            CellKind::ColouredText | CellKind::ColouredBackground | CellKind::Gauge | CellKind::Sparkline,
        ) => value,
        Some(CellKind::Automatic | CellKind::Json | CellKind::Other) | None => {
            // a value mapping colours the text also where the column has no colours
            let is_mapped = !column.options.mappings.is_empty();
            PaintedValue { role: if is_mapped { value.role } else { Role::Text }, ..value }
        }
    }
}

/// Numbers by size, everything else as text; missing values are last.
fn compared(a: &FrameCell, b: &FrameCell) -> Ordering {
    let rank = |cell: &FrameCell| u8::from(*cell == FrameCell::Nothing);
    let by_value = match (a.number(), b.number()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (Some(_) | None, _) => a.plain().to_lowercase().cmp(&b.plain().to_lowercase()),
    };
    rank(a).cmp(&rank(b)).then(by_value)
}

/// The footer: the reduced values of number columns, the name of the reducer in the first column that is none.
fn footer_of(columns: &[&ShownField<'_>], reducers: &[Reducer]) -> Vec<String> {
    let Some(reducer) = reducers.first() else { return Vec::new() };
    let mut is_named = false;
    let text = |column: &&ShownField<'_>| {
        if column.is_number() {
            let cell = reduce(&column.field.values, *reducer);
            return if reducer.keeps_unit() { column.display.cell(&cell).whole() } else { cell.plain() };
        }
        if std::mem::replace(&mut is_named, true) { String::new() } else { reducer.title() }
    };
    columns.iter().map(text).collect()
}
