//! Encodes the difference between two frames in few bytes: only changed cells, with the shortest cursor moves and changes of
//! style.
//!
//! At 9,600 baud a thousand bytes take a second, and more than half of a frame written cell by cell is styles and cursor
//! moves. Except for colours, only sequences of the VT100 are used.

use std::fmt::Write;
use std::iter::repeat_n;

use crate::app::sgr::{CellStyle, VISIBLE_ON_SPACE};
use ratatui::buffer::{Buffer, Cell, CellWidth};

/// The most unchanged cells that are written again instead of moving the cursor: the shortest move has four bytes.
const MAX_REWRITTEN: u16 = 4;
/// The output so far, with the terminal's cursor position and current style.
struct DiffWriter<'a> {
    out: String,
    cell_style: CellStyle,
    /// The cursor position; None if it is unknown.
    at: Option<(u16, u16)>,
    frame: &'a Buffer,
    utf8: bool,
}

/// The bytes that change a terminal from `before` to `frame`; empty if both are equal. The terminal's style is plain before
/// and after. Without UTF-8, characters that are not ASCII become a `?` for each cell.
pub(super) fn changes(before: &Buffer, frame: &Buffer, utf8: bool) -> String {
    let mut writer = DiffWriter { out: String::new(), cell_style: CellStyle::PLAIN, at: None, frame, utf8 };
    // the current line, the column after its last visible cell, and whether the rest of it is already erased
    let (mut line, mut end, mut wiped) = (None, 0, false);
    let is_wide = |buffer: &Buffer, x, y| buffer.cell((x, y)).is_some_and(|cell| cell.cell_width() > 1);
    let changed = before.diff_iter(frame).flat_map(|(x, y, cell)| {
        // when a wide character is overwritten, the second cell differs between terminals: write it, too
        let is_halved = is_wide(before, x, y) && !is_wide(frame, x, y);
        let half = frame.cell((x + 1, y)).filter(|_| is_halved).map(|half| (x + 1, y, half));
        [Some((x, y, cell)), half].into_iter().flatten()
    });
    for (x, y, cell) in changed {
        if line != Some(y) {
            (line, end, wiped) = (Some(y), end_of(frame, y), false);
        }
        if x < end {
            writer.move_cursor(x, y);
            writer.write(cell);
        } else if !wiped {
            writer.move_cursor(x, y);
            // some terminals erase with the current background colour, others with their default: use plain style
            writer.set_style(CellStyle::PLAIN);
            writer.out.push_str("\x1b[K");
            wiped = true;
        }
    }
    writer.set_style(CellStyle::PLAIN);
    writer.out
}

/// The column after the last visible cell of a line.
fn end_of(frame: &Buffer, y: u16) -> u16 {
    let is_seen = |cell: &Cell| !is_blank(cell) || CellStyle::of(cell).shows_on_space();
    let last = (0..frame.area.right()).rev().find(|x| frame.cell((*x, y)).is_some_and(is_seen));
    last.map_or(0, |x| x + 1)
}

fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " "
}

impl DiffWriter<'_> {
    /// Moves the cursor with the shortest sequence, or by writing unchanged cells again.
    fn move_cursor(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, line)) if line == y && from < x => {
                if !self.rewrite_gap(from, x, y) {
                    self.push_sequence(format_args!("\x1b[{}C", x - from));
                }
            }
            Some((_, line)) if x == 0 && line + 1 == y => self.out.push_str("\r\n"),
            _ => self.push_sequence(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
        self.at = Some((x, y));
    }

    /// Moves the cursor by writing the unchanged cells again, if they are few and ASCII in the current style. False if not.
    fn rewrite_gap(&mut self, from: u16, to: u16, y: u16) -> bool {
        let between = || (from..to).map(|x| self.frame.cell((x, y)));
        let is_cheap = |cell: &Cell| cell.symbol().len() == 1 && self.cell_style_for(cell) == self.cell_style;
        let cheap = to - from <= MAX_REWRITTEN && between().all(|cell| cell.is_some_and(is_cheap));
        if cheap {
            let text: String = between().flatten().map(Cell::symbol).collect();
            self.out.push_str(&text);
        }
        cheap
    }

    fn write(&mut self, cell: &Cell) {
        self.set_style(self.cell_style_for(cell));
        let symbol = cell.symbol();
        if self.utf8 || symbol.is_ascii() {
            self.out.push_str(symbol);
        } else {
            self.out.extend(repeat_n('?', cell.cell_width().into()));
        }
        // after other symbols, and after the last column, the cursor position differs between terminals
        let is_sure = symbol.chars().nth(1).is_none() && cell.cell_width() == 1;
        let right = self.frame.area.right();
        self.at = self.at.map(|(x, y)| (x + 1, y)).filter(|(x, _)| is_sure && *x < right);
    }

    /// The style to write a cell in: for a space, the current style if that looks the same.
    fn cell_style_for(&self, cell: &Cell) -> CellStyle {
        let wanted = CellStyle::of(cell);
        let unseen = !(wanted.attributes | self.cell_style.attributes).intersects(VISIBLE_ON_SPACE);
        if is_blank(cell) && unseen && wanted.bg == self.cell_style.bg { self.cell_style } else { wanted }
    }

    /// Changes the current style with the shorter of two sequences: a change, or a reset with the new style.
    fn set_style(&mut self, cell_style: CellStyle) {
        if cell_style == self.cell_style {
            return;
        }
        if cell_style == CellStyle::PLAIN {
            self.out.push_str("\x1b[m");
        } else {
            let (step, anew) =
                (self.cell_style.change_to(cell_style), CellStyle::PLAIN.change_to(cell_style));
            let text = if step.len() <= anew.len() + 2 { step } else { format!("0;{anew}") };
            self.push_sequence(format_args!("\x1b[{text}m"));
        }
        self.cell_style = cell_style;
    }

    fn push_sequence(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("text can be added to text");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    const SIZE: (u16, u16) = (12, 3);

    fn colours() -> impl Strategy<Value = Color> {
        prop_oneof![
            4 => Just(Color::Reset),
            1 => Just(Color::Red),
            1 => Just(Color::White),
            1 => any::<u8>().prop_map(Color::Indexed),
            1 => any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ]
    }

    fn attributes() -> impl Strategy<Value = Modifier> {
        prop::sample::subsequence(
            vec![Modifier::BOLD, Modifier::ITALIC, Modifier::UNDERLINED, Modifier::REVERSED],
            0..=3,
        )
        .prop_map(|list| list.into_iter().collect())
    }

    fn frames() -> impl Strategy<Value = Buffer> {
        let symbols =
            prop_oneof![6 => Just(" "), 3 => Just("a"), 2 => Just("b"), 1 => Just("▅"), 1 => Just("火")];
        let time_range = (symbols, 1..9_usize, colours(), colours(), attributes());
        prop::collection::vec(time_range, 0..14).prop_map(|time_ranges| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
            let places: Vec<(u16, u16)> =
                (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))).collect();
            let mut at = places.into_iter();
            for (symbol, length, fg, bg, attributes) in time_ranges {
                let style = Style::default().fg(fg).bg(bg).add_modifier(attributes);
                for (x, y) in at.by_ref().take(length) {
                    // a wide character must not start in the second cell of another
                    if symbol != "火" || x % 2 == 0 {
                        buffer.set_string(x, y, symbol, style);
                    }
                }
            }
            buffer
        })
    }

    fn seen(colour: Color) -> vt100::Color {
        match colour {
            Color::Reset => vt100::Color::Default,
            Color::Red => vt100::Color::Idx(1),
            Color::White => vt100::Color::Idx(15),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            other => panic!("{other:?} is not drawn here"),
        }
    }

    fn assert_shown(terminal: &vt100::Parser, frame: &Buffer) {
        let mut covered = false;
        for (x, y) in (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y))) {
            let (want, has) = (frame.cell((x, y)).unwrap(), terminal.screen().cell(y, x).unwrap());
            if std::mem::replace(&mut covered, want.cell_width() == 2) && x > 0 {
                continue;
            }
            let has_symbol = if has.contents().is_empty() { " " } else { has.contents() };
            assert_eq!(has_symbol, want.symbol(), "at {x},{y}");
            assert_eq!(has.bgcolor(), seen(want.bg), "at {x},{y}");
            let on = |attribute| want.modifier.contains(attribute);
            assert_eq!((has.inverse(), has.underline()), (on(Modifier::REVERSED), on(Modifier::UNDERLINED)));
            if want.symbol() != " " {
                assert_eq!(has.fgcolor(), seen(want.fg), "at {x},{y}");
                assert_eq!(
                    (has.bold(), has.italic()),
                    (on(Modifier::BOLD), on(Modifier::ITALIC)),
                    "at {x},{y}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_stood_there_the_terminal_shows_the_frame(frames in prop::collection::vec(frames(), 1..5)) {
            let mut terminal = vt100::Parser::new(SIZE.1, SIZE.0, 0);
            let mut before = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
            for frame in frames {
                terminal.process(changes(&before, &frame, true).as_bytes());
                assert_shown(&terminal, &frame);
                before = frame;
            }
        }
    }

    fn frame(lines: [&str; 2]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 2));
        for (y, line) in (0..).zip(lines) {
            buffer.set_string(0, y, line, Style::default());
        }
        buffer
    }

    #[test]
    fn steps_are_short_and_the_end_of_a_line_is_wiped_at_once() {
        let before = frame(["0123456789 checkout", "0123456789"]);
        for (after, bytes) in [
            (["0123456789 checkout", "0123456789"], ""),
            (["0123x56x89 checkout", "0123456789"], "\x1b[1;5Hx56x"),
            (["x12345678x checkout", "0123456789"], "\x1b[1;1Hx\x1b[8Cx"),
            (["0123456789 checkoux", "x123456789"], "\x1b[1;19Hx\r\nx"),
            (["0123", "0123456789"], "\x1b[1;5H\x1b[K"),
        ] {
            assert_eq!(changes(&before, &frame(after), true), bytes, "{after:?}");
        }
    }

    #[test]
    fn a_style_costs_what_differs_from_the_last() {
        let (bold, red) = (
            CellStyle { attributes: Modifier::BOLD, ..CellStyle::PLAIN },
            CellStyle { fg: Color::Red, ..CellStyle::PLAIN },
        );
        let both = CellStyle { attributes: Modifier::BOLD | Modifier::DIM, ..red };
        for (from, to, said) in [
            (CellStyle::PLAIN, bold, "1"),
            (CellStyle::PLAIN, both, "1;2;31"),
            (bold, both, "2;31"),
            (both, bold, "22;1;39"),
            (both, red, "22"),
            (red, CellStyle { bg: Color::Indexed(9), ..red }, "101"),
            (red, CellStyle { fg: Color::Indexed(200), ..red }, "38;5;200"),
        ] {
            assert_eq!(from.change_to(to), said);
        }
    }
}
