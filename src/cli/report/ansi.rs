//! A drawn screen as text with SGR escape sequences for colours, for `cat` and chat tools.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;

use super::grid;
use crate::app::sgr::CellStyle;

/// The screen's rows; each ends with a reset of colours and attributes, if it has any, and a line break.
pub(in crate::cli) fn render(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in grid::rows(buf) {
        let mut look = CellStyle::PLAIN;
        for glyph in grid::trimmed(&row) {
            if glyph.look != look {
                look = glyph.look;
                let codes = CellStyle::PLAIN.change_to(look);
                let gap = if codes.is_empty() { "" } else { ";" };
                write!(out, "\x1b[0{gap}{codes}m").expect("writing to a String cannot fail");
            }
            out.push_str(glyph.symbol);
        }
        if look != CellStyle::PLAIN {
            out.push_str("\x1b[0m");
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    #[test]
    fn only_changes_of_look_are_written() {
        let mut buf = Buffer::with_lines(["ok down  "]);
        let style = Style::new().fg(Color::Rgb(1, 2, 3)).bg(Color::LightRed).add_modifier(Modifier::BOLD);
        buf.set_string(3, 0, "down", style);
        assert_eq!(render(&buf), "ok \x1b[0;1;38;2;1;2;3;101mdown\x1b[0m\n");
    }

    #[test]
    fn a_coloured_space_at_the_end_stays() {
        let mut buf = Buffer::with_lines(["    "]);
        buf.set_string(2, 0, " ", Style::new().bg(Color::Indexed(17)));
        assert_eq!(render(&buf), "  \x1b[0;48;5;17m \x1b[0m\n");
    }
}
