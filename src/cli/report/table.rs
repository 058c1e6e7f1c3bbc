//! For people at a terminal: columns aligned by the width of what is shown.

use std::fmt::Write as _;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::{Document, Layout, List};
use crate::model::text::clean;

/// Texts in a row are cut beyond this, so that one long text does not push the others away.
const WIDEST: usize = 80;

/// The whole document; notes come last.
pub(in crate::cli) fn render(document: &Document) -> String {
    let mut out = String::new();
    let widest = document.facts.iter().map(|fact| fact.title.width()).max().unwrap_or(0);
    for fact in &document.facts {
        line(&mut out, &format!("{}  {}", pad(fact.title, widest, false), fact.value.shown(document.as_of)));
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
            _ if list.rows.is_empty() => line(&mut out, list.empty),
            Layout::Rows => rows(&mut out, list, document.as_of),
            Layout::Blocks => blocks(&mut out, list, document.as_of),
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

fn rows(out: &mut String, list: &List, now: Timestamp) {
    let shown: Vec<_> =
        list.columns.iter().enumerate().filter(|(_, column)| !column.title.is_empty()).collect();
    let texts: Vec<Vec<String>> = list
        .rows
        .iter()
        .map(|row| {
            shown
                .iter()
                .map(|(i, _)| row.get(*i).map_or_else(String::new, |cell| cut(cell.shown(now))))
                .collect()
        })
        .collect();
    let widths: Vec<usize> = shown
        .iter()
        .enumerate()
        .map(|(i, (_, column))| {
            let widest = texts.iter().filter_map(|row| row.get(i)).map(|text| text.width()).max();
            widest.unwrap_or(0).max(column.title.width())
        })
        .collect();
    let titles = shown.iter().map(|(_, column)| column.title.to_owned()).collect();
    for row in std::iter::once(titles).chain(texts) {
        let cells = row
            .iter()
            .zip(&widths)
            .zip(&shown)
            .map(|((text, width), (_, column))| pad(text, *width, column.is_number));
        line(out, &cells.collect::<Vec<_>>().join("  "));
    }
}

fn blocks(out: &mut String, list: &List, now: Timestamp) {
    let shown = |column: &super::Column| !column.title.is_empty();
    let widest = list.columns.iter().skip(1).filter(|c| shown(c)).map(|c| c.title.width()).max().unwrap_or(0);
    for (i, row) in list.rows.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (j, (column, cell)) in list.columns.iter().zip(row).enumerate().filter(|(_, (c, _))| shown(c)) {
            match cell {
                _ if j == 0 => line(out, &cell.shown(now)),
                super::Cell::Nothing => {}
                super::Cell::Texts(texts) => {
                    for (k, text) in texts.iter().enumerate() {
                        let title = if k == 0 { column.title } else { "" };
                        line(out, &format!("  {}  {text}", pad(title, widest, false)));
                    }
                }
                _ => line(out, &format!("  {}  {}", pad(column.title, widest, false), cell.shown(now))),
            }
        }
    }
}

/// One line of the output, made safe.
fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", clean(text).trim_end()).expect("writing to a String cannot fail");
}

fn pad(text: &str, width: usize, is_right: bool) -> String {
    let space = " ".repeat(width.saturating_sub(text.width()));
    if is_right { format!("{space}{text}") } else { format!("{text}{space}") }
}

fn cut(text: String) -> String {
    if text.width() <= WIDEST {
        return text;
    }
    let mut short = String::new();
    for grapheme in unicode_segmentation::UnicodeSegmentation::graphemes(text.as_str(), true) {
        if short.width() + grapheme.width() >= WIDEST {
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
        assert_eq!(render(&fixtures::document(Layout::Rows)), expected);
    }

    #[test]
    fn blocks_leave_out_what_is_not_known() {
        let text = render(&fixtures::document(Layout::Blocks));
        assert!(text.contains("決済-api\n  ERRORS  12.3%\n  P95     1.50s\n"), "{text}");
        assert!(text.contains("x\\x1b[31m\n  P95     12ms\n"), "{text}");
    }

    #[test]
    fn several_lines_are_one_with_a_space_between() {
        let mut document = fixtures::document(Layout::Rows);
        document.lists[0].rows[0][5] = Cell::Text("ready 1\n  2 pending\n".into());
        document.notes = vec!["am: no\r\norg id".into()];
        let text = render(&document);
        assert!(text.contains("  ready 1 2 pending\n") && text.contains("! am: no org id\n"), "{text}");
    }

    #[test]
    fn an_empty_list_says_so() {
        let mut document = fixtures::document(Layout::Rows);
        document.facts.clear();
        document.notes.clear();
        document.lists[0].rows.clear();
        assert_eq!(render(&document), "No services.\n");
    }

    #[test]
    fn a_long_text_is_cut_at_a_grapheme() {
        let mut document = fixtures::document(Layout::Rows);
        document.lists[0].rows[0][0] = Cell::Text("決".repeat(5000));
        let text = render(&document);
        assert!(text.lines().all(|line| line.width() < 200));
        assert!(text.contains("決…"));
    }
}
