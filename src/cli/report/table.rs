//! The table format for terminals: columns aligned by the width of their texts in cells.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{ListLayout, ReportColumn, ReportDocument, ReportList};
use crate::app::display_settings::Charset;
use crate::app::widgets::text;
use crate::model::text::clean;

/// The last column holds sentences and is cut first, but not below this width in cells.
const MIN_LAST_COLUMN: u16 = 24;
/// Verbs print Unicode; the printer replaces it where the terminal does not accept it.
const UNICODE: Charset = Charset::Unicode;
/// The gap between two columns, in cells.
const GAP: u16 = 2;

/// The whole document: facts, lists, then notes. For a terminal of `width` cells texts are cut so that no row wraps; without a
/// width, for pipes and files, nothing is cut.
pub(in crate::cli) fn render_within(document: &ReportDocument, width: Option<u16>) -> String {
    let mut out = String::new();
    let facts = || document.facts.iter().filter(|fact| !fact.title.is_empty());
    let widest = facts().map(|fact| text::width(&fact.title)).max().unwrap_or(0);
    for fact in facts() {
        let title = text::pad(&fact.title, widest, UNICODE);
        line(&mut out, &format!("{title}  {}", fact.value.shown(document.as_of)));
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

fn rows(out: &mut String, list: &ReportList, now: Timestamp, width: Option<u16>) {
    let shown = list.shown();
    let texts: Vec<Vec<String>> = list
        .rows
        .iter()
        .map(|row| {
            let cells = shown.iter().map(|(place, _)| row.get(*place));
            cells.map(|cell| cell.map_or_else(String::new, |cell| cell.shown(now))).collect()
        })
        .collect();
    let titles = shown.iter().map(|(_, column)| column.title.to_owned()).collect();
    let lines: Vec<Vec<String>> = std::iter::once(titles).chain(texts).collect();
    let widest = |i: usize| lines.iter().filter_map(|row| row.get(i)).map(|text| text::width(text)).max();
    let mut widths: Vec<u16> = (0..shown.len()).map(|i| widest(i).unwrap_or(0)).collect();
    if let Some(width) = width {
        let columns: Vec<&ReportColumn> = shown.iter().map(|(_, column)| *column).collect();
        fit(&mut widths, &columns, width);
    }
    for row in lines {
        let cells = row.iter().zip(&widths).zip(&shown).map(|((text, width), (_, column))| {
            if column.is_number { right_aligned(text, *width) } else { text::pad(text, *width, UNICODE) }
        });
        let row = cells.collect::<Vec<_>>().join(&" ".repeat(GAP.into()));
        line(out, &text::fit(row.trim_end(), width.unwrap_or(u16::MAX), UNICODE));
    }
}

/// Narrows columns of text until the row fits: the last one first, then the widest. Columns of numbers stay, and no column
/// becomes narrower than its title.
fn fit(widths: &mut [u16], columns: &[&ReportColumn], width: u16) {
    let total = |widths: &[u16]| {
        let gaps = widths.iter().skip(1).map(|_| GAP);
        widths.iter().copied().chain(gaps).fold(0, u16::saturating_add)
    };
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
            *column_width = (*column_width).min(most.max(text::width(column.title)));
        }
    }
}

fn blocks(out: &mut String, list: &ReportList, now: Timestamp) {
    let shown = |column: &ReportColumn| !column.title.is_empty();
    let widest =
        list.columns.iter().skip(1).filter(|c| shown(c)).map(|c| text::width(c.title)).max().unwrap_or(0);
    for (i, row) in list.rows.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (j, (column, cell)) in list.columns.iter().zip(row).enumerate().filter(|(_, (c, _))| shown(c)) {
            if j == 0 {
                line(out, &cell.shown(now));
                continue;
            }
            for (k, words) in cell.lines(now).iter().enumerate() {
                let title = if k == 0 { column.title } else { "" };
                line(out, &format!("  {}  {words}", text::pad(title, widest, UNICODE)));
            }
        }
    }
}

/// Adds one line of output, without control characters.
fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", clean(text).trim_end()).expect("writing to a String cannot fail");
}

fn right_aligned(text: &str, width: u16) -> String {
    let text = text::fit(text, width, UNICODE);
    format!("{}{text}", " ".repeat(width.saturating_sub(text::width(&text)).into()))
}

/// As a pipe gets it.
#[cfg(test)]
pub(in crate::cli) fn render(document: &ReportDocument) -> String {
    render_within(document, None)
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
            let shown = render_within(&document, Some(width));
            let table = shown.lines().skip_while(|line| !line.starts_with("SERVICE")).take(3);
            table.for_each(|line| assert!(text::width(line) <= width, "{width}: {line}"));
            assert!(shown.contains("決…"), "{shown}");
        }
        let wide = render_within(&document, Some(5000));
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
