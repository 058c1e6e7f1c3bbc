//! Writes Markdown for chat, tickets and handoff reports: sections, tables, lists. Text from outside is escaped.

use std::fmt::Write as _;

use crate::model::text::clean;

/// The text on one line, with everything escaped that Markdown, HTML or a chat system would interpret. All text of a document
/// that comes from outside passes through this function.
pub fn escaped(text: &str) -> String {
    let text = clean(text);
    let mut out = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            // prevents mentions such as @everyone
            '@' => out.push_str("&#64;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

#[derive(Debug, Default)]
pub struct MarkdownWriter(String);

impl MarkdownWriter {
    /// A document with this title, which is escaped.
    pub fn titled(title: &str) -> Self {
        Self(format!("# {}\n", escaped(title)))
    }

    /// Starts a section; the title is escaped.
    pub fn section(&mut self, title: &str) {
        self.line("");
        self.line(&format!("## {}", escaped(title)));
    }

    /// Adds a paragraph of Markdown; the caller must escape text from outside.
    pub fn paragraph(&mut self, markdown: &str) {
        self.line("");
        self.line(markdown);
    }

    /// Adds a bullet list, each item in Markdown; nothing if there are no items.
    pub fn points<T: AsRef<str>>(&mut self, points: impl IntoIterator<Item = T>) {
        let mut points = points.into_iter().peekable();
        if points.peek().is_some() {
            self.line("");
        }
        for point in points {
            self.line(&format!("- {}", point.as_ref()));
        }
    }

    /// Adds a table; its cells are escaped. Nothing if there are no rows.
    pub fn table<R: AsRef<[String]>>(&mut self, head: &[&str], rows: impl IntoIterator<Item = R>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        self.line("");
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(head.len())));
        for row in rows {
            let cells: Vec<String> = row.as_ref().iter().map(|cell| escaped(cell)).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    /// Adds a code block, such as a chart.
    pub fn block(&mut self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.line("");
        self.line("```text");
        for line in lines {
            // a fence inside would end the block
            self.line(&clean(line).replace("```", "'''"));
        }
        self.line("```");
    }

    fn line(&mut self, line: &str) {
        writeln!(self.0, "{line}").expect("writing to a String cannot fail");
    }

    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_cannot_break_out() {
        assert_eq!(escaped("<img> @here"), "&lt;img&gt; &#64;here");
        assert_eq!(escaped("ready 1\r\n\n 2 pending\u{202e}\n"), "ready 1 2 pending\\\\u{202e}");
        let mut writer = MarkdownWriter::titled("Handoff: prod|eu");
        writer.section("Alerts");
        writer.table(&["Alert", "Times"], &[vec!["a|b\nc".into(), "3".into()]]);
        writer.table(&["Nothing"], Vec::<[String; 1]>::new());
        writer.points(["one", "two"]);
        writer.block(&["```".into()]);
        let text = "# Handoff: prod\\|eu\n\n## Alerts\n\n| Alert | Times |\n| --- | --- |\n| a\\|b c | 3 |\n\n- one\n- two\n\n```text\n'''\n```\n";
        assert_eq!(writer.into_text(), text);
    }
}
