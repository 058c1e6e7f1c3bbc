//! A drawn screen as plain text.

use ratatui::buffer::Buffer;

use super::grid;

/// The screen's rows, each with a line break.
pub(in crate::cli) fn render(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in grid::rows(buf) {
        let line: String = row.iter().map(|glyph| glyph.symbol).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_lines_without_space_at_their_ends() {
        let buf = Buffer::with_lines(["決a  ", "", " b"]);
        assert_eq!(render(&buf), "決a\n\n b\n");
    }
}
