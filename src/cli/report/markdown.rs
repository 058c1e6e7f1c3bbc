//! The Markdown format for chat, tickets and reports: GitHub's tables, with the markup in values escaped.

use std::fmt::Write as _;

use super::{ReportDocument, ReportList};
use crate::app::markdown_writer::escaped;

/// The whole document: facts, lists, then notes as quotes.
pub(in crate::cli) fn render(document: &ReportDocument) -> String {
    let mut out = String::new();
    for fact in document.facts.iter().filter(|fact| !fact.title.is_empty()) {
        let value = escaped(&fact.value.shown(document.as_of));
        writeln!(out, "- **{}**: {value}", fact.title).expect("writing to a String cannot fail");
    }
    for list in &document.lists {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format_list(list, document));
    }
    for note in &document.notes {
        write!(out, "\n> {}\n", escaped(note)).expect("writing to a String cannot fail");
    }
    out
}

fn format_list(list: &ReportList, document: &ReportDocument) -> String {
    let mut lines = vec![format!("### {}", escaped(&list.title)), String::new()];
    if list.rows.is_empty() {
        lines.push(list.empty.to_owned());
    } else {
        let shown = list.shown();
        let titles: Vec<_> = shown.iter().map(|(_, column)| capitalised(column.title)).collect();
        let rules: Vec<_> =
            shown.iter().map(|(_, column)| if column.is_number { "---:" } else { "---" }).collect();
        lines.push(format!("| {} |", titles.join(" | ")));
        lines.push(format!("| {} |", rules.join(" | ")));
        for row in &list.rows {
            let cells = shown.iter().filter_map(|(place, _)| row.get(*place));
            let cells: Vec<_> = cells.map(|cell| escaped(&cell.shown(document.as_of))).collect();
            lines.push(format!("| {} |", cells.join(" | ")));
        }
    }
    lines.join("\n") + "\n"
}

/// `SERVICE` becomes `Service`; `P95` stays.
fn capitalised(title: &str) -> String {
    let mut chars = title.chars();
    let first = chars.next().into_iter();
    first.chain(chars.flat_map(char::to_lowercase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::report::{ListLayout, fixtures};

    #[test]
    fn what_markdown_would_obey_is_escaped() {
        let expected = "\
- **Firing**: 2

### Services

| Service | Errors | P95 | For | Why |
| --- | ---: | ---: | --- | --- |
| 決済-api | 12.3% | 1.50s | 3m00s | 12% \\| of \\*requests\\* fail |
| x\\\\x1b\\[31m | - | 12ms | - | - |

> am: cannot connect
";
        assert_eq!(render(&fixtures::document(ListLayout::Rows)), expected);
    }
}
