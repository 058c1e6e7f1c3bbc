//! A drawn screen as rows of glyphs with their styles: the input of the snapshot formats.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use crate::app::sgr::{self, CellStyle};

/// The content of one cell, or of two for a wide character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph<'b> {
    pub(super) column: u16,
    /// Width in cells.
    pub(super) width: u16,
    pub(super) symbol: &'b str,
    pub(super) look: CellStyle,
}

/// The rows of the screen. The second cell of a wide character is left out.
pub(super) fn rows(buf: &Buffer) -> impl Iterator<Item = Vec<Glyph<'_>>> {
    let area = buf.area;
    (area.top()..area.bottom()).map(move |y| {
        let mut glyphs = Vec::with_capacity(usize::from(area.width));
        let mut x = area.left();
        while let Some(cell) = (x < area.right()).then(|| buf.cell((x, y))).flatten() {
            let wanted = u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
            let width = wanted.min(area.right() - x);
            let look = CellStyle::of(cell);
            // a wide character that the right edge cuts becomes a space
            let symbol = if width < wanted || look.attributes.contains(Modifier::HIDDEN) {
                " "
            } else {
                cell.symbol()
            };
            glyphs.push(Glyph { column: x - area.left(), width, symbol, look });
            x += width;
        }
        glyphs
    })
}

/// The row without invisible spaces at its end.
pub(super) fn trimmed<'g, 'b>(row: &'g [Glyph<'b>]) -> &'g [Glyph<'b>] {
    let end = row
        .iter()
        .rposition(|glyph| glyph.symbol != " " || glyph.look.shows_on_space())
        .map_or(0, |last| last + 1);
    row.get(..end).unwrap_or_default()
}

/// The red, green and blue of a colour; `None` for the terminal's default colour.
pub(super) fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        other => sgr::number(other).map(|index| sgr::rgb(index, &SIXTEEN).into()),
    }
}

/// The first sixteen colours of xterm's palette, legible on the dark background of snapshots.
const SIXTEEN: [[u8; 3]; 16] = [
    [0x1c, 0x1f, 0x26],
    [0xe0, 0x5f, 0x65],
    [0x78, 0xb8, 0x5c],
    [0xd9, 0xa9, 0x4a],
    [0x5c, 0x9c, 0xf0],
    [0xc0, 0x78, 0xdd],
    [0x4d, 0xb5, 0xbd],
    [0xc8, 0xcc, 0xd4],
    [0x7a, 0x82, 0x90],
    [0xff, 0x7b, 0x80],
    [0x98, 0xd8, 0x78],
    [0xf5, 0xc9, 0x6a],
    [0x82, 0xb8, 0xff],
    [0xd8, 0x9b, 0xf0],
    [0x70, 0xd5, 0xdd],
    [0xff, 0xff, 0xff],
];

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn a_wide_character_takes_two_cells_and_hides_the_second() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 5, 1));
        buf.set_string(0, 0, "決a", Style::new());
        let row = rows(&buf).next().unwrap();
        let seen: Vec<_> = row.iter().map(|glyph| (glyph.column, glyph.width, glyph.symbol)).collect();
        assert_eq!(seen, [(0, 2, "決"), (2, 1, "a"), (3, 1, " "), (4, 1, " ")]);
        assert_eq!(trimmed(&row).len(), 2);
    }

    #[test]
    fn half_a_wide_character_at_the_edge_is_a_space() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 1, 1));
        buf.cell_mut((0, 0)).unwrap().set_symbol("決");
        assert_eq!(rows(&buf).next().unwrap()[0].symbol, " ");
    }

    #[test]
    fn the_palette_is_xterms() {
        assert_eq!(rgb(Color::Indexed(16)), Some((0, 0, 0)));
        assert_eq!(rgb(Color::Indexed(231)), Some((255, 255, 255)));
        assert_eq!(rgb(Color::Indexed(208)), Some((255, 135, 0)));
        assert_eq!(rgb(Color::Indexed(255)), Some((238, 238, 238)));
        assert_eq!(rgb(Color::Reset), None);
    }
}
