//! The table format for terminals: columns aligned by the width of their texts in cells.

use std::fmt::Write as _;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::{ListLayout, ReportColumn, ReportDocument, ReportList};
use crate::model::text::clean;

/// The last column holds sentences and is cut first, but not below this width in cells.
const MIN_LAST_COLUMN: usize = 24;
/// The gap between two columns, in cells.
const GAP: usize = 2;

/// The whole document without cuts, for pipes and files: facts, lists, then notes.
pub(in crate::cli) fn render(document: &ReportDocument) -> String {
    formatted(document, None)
}

/// The document for a terminal of `width` cells: texts are cut so that no row wraps.
pub(in crate::cli) fn render_within(document: &ReportDocument, width: usize) -> String {
    formatted(document, Some(width))
}

fn formatted(document: &ReportDocument, width: Option<usize>) -> String {
    let mut out = String::new();
    let widest = document.facts.iter().map(|fact| fact.title.width()).max().unwrap_or(0);
    for fact in &document.facts {
        line(&mut out, &format!("{}  {}", pad(&fact.title, widest, false), fact.value.shown(document.as_of)));
    }
    let has_titles = document.lists.len() > 1 || !document.facts.is_empty();
    for list in &document.lists {
        if !out.is_empty() {
            out.push('\n');
        }
        if has_titles {
            line(&mut out, &list.title);
        }
        match list.layout {
            ListLayout::Rows | ListLayout::Blocks if list.rows.is_empty() => line(&mut out, list.empty),
            ListLayout::Rows => rows(&mut out, list, document.as_of, width),
            ListLayout::Blocks => blocks(&mut out, list, document.as_of),
        }
    }
    for (i, note) in document.notes.iter().enumerate() {
        if i == 0 && !out.is_empty() {
            out.push('\n');
        }
        line(&mut out, &format!("! {note}"));
    }
    out
}

fn rows(out: &mut String, list: &ReportList, now: Timestamp, width: Option<usize>) {
    let shown = list.shown();
    let texts: Vec<Vec<String>> = list
        .rows
        .iter()
        .map(|row| {
            let cells = shown.iter().map(|(place, _)| row.get(*place));
            cells.map(|cell| cell.map_or_else(String::new, |cell| cell.shown(now))).collect()
        })
        .collect();
    let mut widths: Vec<usize> = shown
        .iter()
        .enumerate()
        .map(|(i, (_, column))| {
            let widest = texts.iter().filter_map(|row| row.get(i)).map(|text| text.width()).max();
            widest.unwrap_or(0).max(column.title.width())
        })
        .collect();
    if let Some(width) = width {
        let columns: Vec<&ReportColumn> = shown.iter().map(|(_, column)| *column).collect();
        fit(&mut widths, &columns, width);
    }
    let titles = shown.iter().map(|(_, column)| column.title.to_owned()).collect();
    for row in std::iter::once(titles).chain(texts) {
        let cells = row
            .into_iter()
            .zip(&widths)
            .zip(&shown)
            .map(|((text, width), (_, column))| pad(&cut(text, *width), *width, column.is_number));
        let row = cells.collect::<Vec<_>>().join(&" ".repeat(GAP));
        line(out, &width.map_or_else(|| row.clone(), |width| cut(row.trim_end().to_owned(), width)));
    }
}

/// Narrows columns of text until the row fits: the last one first, then the widest. Columns of numbers stay, and no column
/// becomes narrower than its title.
fn fit(widths: &mut [usize], columns: &[&ReportColumn], width: usize) {
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let is_text = |column: &&ReportColumn| !column.is_number;
    let over = total(widths).saturating_sub(width);
    if let Some(last) = columns.iter().rposition(is_text)
        && let Some(column_width) = widths.get_mut(last)
    {
        *column_width = column_width.saturating_sub(over).max(MIN_LAST_COLUMN.min(*column_width));
    }
    let widest = widths.iter().copied().max().unwrap_or(0);
    for most in (1..widest).rev() {
        if total(widths) <= width {
            return;
        }
        for (column_width, column) in widths.iter_mut().zip(columns).filter(|(_, column)| is_text(column)) {
            *column_width = (*column_width).min(most.max(column.title.width()));
        }
    }
}

fn blocks(out: &mut String, list: &ReportList, now: Timestamp) {
    let shown = |column: &ReportColumn| !column.title.is_empty();
    let widest = list.columns.iter().skip(1).filter(|c| shown(c)).map(|c| c.title.width()).max().unwrap_or(0);
    for (i, row) in list.rows.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (j, (column, cell)) in list.columns.iter().zip(row).enumerate().filter(|(_, (c, _))| shown(c)) {
            if j == 0 {
                line(out, &cell.shown(now));
                continue;
            }
            for (k, text) in cell.lines(now).iter().enumerate() {
                let title = if k == 0 { column.title } else { "" };
                line(out, &format!("  {}  {text}", pad(title, widest, false)));
            }
        }
    }
}

/// Adds one line of output, without control characters.
fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", clean(text).trim_end()).expect("writing to a String cannot fail");
}

fn pad(text: &str, width: usize, is_right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(text.width()));
    if is_right { format!("{space}{text}") } else { format!("{text}{space}") }
}

fn cut(text: String, width: usize) -> String {
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true) {
        if short.width() + grapheme.width() >= width {
            break;
        }
        short.push_str(grapheme);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::{Cell, fixtures};

    #[test]
    fn columns_stand_below_each_other_whatever_the_script() {
        let expected = "\
Firing  2

Services
SERVICE    ERRORS    P95  FOR    WHY
決済-api    12.3%  1.50s  3m00s  12% | of *requests* fail
x\\x1b[31m       -   12ms  -      -

! am: cannot connect
";
        assert_eq!(render(&fixtures::document(ListLayout::Rows)), expected);
    }

    #[test]
    fn blocks_leave_out_what_is_not_known() {
        let text = render(&fixtures::document(ListLayout::Blocks));
        assert!(text.contains("決済-api\n  ERRORS  12.3%\n  P95     1.50s\n"), "{text}");
        assert!(text.contains("x\\x1b[31m\n  P95     12ms\n"), "{text}");
    }

    #[test]
    fn several_lines_are_one_with_a_space_between() {
        let mut document = fixtures::document(ListLayout::Rows);
        document.lists[0].rows[0][5] = Cell::Text("ready 1\n  2 pending\n".into());
        document.notes = vec!["am: no\r\norg id".into()];
        let text = render(&document);
        assert!(text.contains("  ready 1 2 pending\n") && text.contains("! am: no org id\n"), "{text}");
    }

    #[test]
    fn an_empty_list_says_so() {
        let mut document = fixtures::document(ListLayout::Rows);
        document.facts.clear();
        document.notes.clear();
        document.lists[0].rows.clear();
        assert_eq!(render(&document), "No services.\n");
    }

    #[test]
    fn on_a_terminal_a_table_fits_and_in_a_pipe_nothing_is_cut() {
        let mut document = fixtures::document(ListLayout::Rows);
        document.lists[0].rows[0][0] = Cell::Text("決".repeat(400));
        let why = document.lists[0].rows[0].len() - 1;
        document.lists[0].rows[0][why] = Cell::Text("because ".repeat(50));
        let whole = render(&document);
        assert!(whole.contains(&"決".repeat(400)) && whole.contains(&"because ".repeat(49)), "{whole}");
        assert!(!whole.contains('…'));
        for width in [20, 40, 80, 120] {
            let text = render_within(&document, width);
            let table = text.lines().skip_while(|line| !line.starts_with("SERVICE")).take(3);
            table.for_each(|line| assert!(line.width() <= width, "{width}: {line}"));
            assert!(text.contains("決…"), "{text}");
        }
        let wide = render_within(&document, 5000);
        assert_eq!(wide, whole);
    }

    #[test]
    fn a_column_that_tells_rows_apart_is_shown_where_they_differ() {
        const COLUMNS: &[ReportColumn] =
            &[ReportColumn::text("id", "SLO"), ReportColumn::distinguishing("source", "SOURCE")];
        let text = |text: &str| Cell::Text(text.to_owned());
        let mut document = fixtures::document(ListLayout::Rows);
        document.facts.clear();
        document.notes.clear();
        let list = &mut document.lists[0];
        list.columns = COLUMNS.into();
        list.rows = vec![vec![text("cart"), text("east")], vec![text("cart"), text("west")]];
        assert_eq!(render(&document), "SLO   SOURCE\ncart  east\ncart  west\n");
        assert!(super::super::markdown::render(&document).contains("| cart | west |"));
        document.lists[0].rows.pop();
        assert_eq!(render(&document), "SLO\ncart\n");
    }
}
