//! A drawn screen as text with SGR escape sequences for colours, for `cat` and chat tools.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::grid::{self, RunStyle};
use crate::app::sgr;

/// The screen's rows; each ends with a reset of colours and attributes, if it has any, and a line break.
pub(in crate::cli) fn render(buf: &Buffer) -> String {
    let mut out = String::new();
    for row in grid::rows(buf) {
        let mut look = RunStyle::PLAIN;
        for glyph in grid::trimmed(&row) {
            if glyph.look != look {
                look = glyph.look;
                write!(out, "\x1b[{}m", codes(look)).expect("writing to a String cannot fail");
            }
            out.push_str(glyph.symbol);
        }
        if look != RunStyle::PLAIN {
            out.push_str("\x1b[0m");
        }
        out.push('\n');
    }
    out
}

/// The parameters of the SGR sequence for this style: a reset, then attributes and colours.
fn codes(look: RunStyle) -> String {
    const MODIFIERS: [(Modifier, &str); 7] = [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::ITALIC, "3"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::SLOW_BLINK, "5"),
        (Modifier::REVERSED, "7"),
        (Modifier::CROSSED_OUT, "9"),
    ];
    let mut codes = vec!["0".to_owned()];
    codes.extend(MODIFIERS.iter().filter(|(m, _)| look.has(*m)).map(|(_, code)| (*code).to_owned()));
    let colour_layers =
        [(look.fg, 30), (look.bg, 40)].into_iter().filter(|(colour, _)| *colour != Color::Reset);
    codes.extend(colour_layers.map(|(colour, base)| sgr::code(colour, base)));
    codes.join(";")
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

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
