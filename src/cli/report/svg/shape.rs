//! Lines, blocks, shades and braille as shapes: fonts leave gaps between their cells, or do not have them at all.

use super::CELL;
use super::paths::{Ink, Paths, Pen};

/// Where the lines of a cell cross; half a unit, so that a line of one unit is sharp.
const CENTRE: (f64, f64) = (4.5, 9.5);
const DOT: f64 = 1.8;
/// Column and row of each bit of braille.
const DOTS: [(f64, f64); 8] =
    [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (0.0, 3.0), (1.0, 3.0)];

/// What a character is drawn as.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// Left, top, width and height as parts of the cell.
    Block(f64, f64, f64, f64),
    /// The whole cell, so many per cent opaque.
    Shade(u16),
    /// Bits as Unicode numbers them.
    Braille(u32),
    /// Units of thickness to the left, right, up and down.
    Arms([u8; 4]),
    /// From one side to the next in a bow: to the left or right, up or down.
    Bow { is_left: bool, is_up: bool },
    /// So many dashes in place of a line.
    Dashes { count: u8, is_upright: bool },
}

impl Shape {
    /// `None` for what letters are for.
    pub(super) fn of(symbol: &str) -> Option<Self> {
        let mut chars = symbol.chars();
        let c = chars.next().filter(|_| chars.next().is_none())?;
        let code = u32::from(c);
        let eighths = |from: u32| f64::from(code - from) / 8.0;
        Some(match c {
            '▀' => Self::Block(0.0, 0.0, 1.0, 0.5),
            '▁'..='█' => Self::Block(0.0, 1.0 - eighths(0x2580), 1.0, eighths(0x2580)),
            '▉'..='▏' => Self::Block(0.0, 0.0, 1.0 - eighths(0x2588), 1.0),
            '▐' => Self::Block(0.5, 0.0, 0.5, 1.0),
            '▔' => Self::Block(0.0, 0.0, 1.0, 0.125),
            '░' => Self::Shade(25),
            '▒' => Self::Shade(50),
            '▓' => Self::Shade(75),
            '\u{2800}'..='\u{28ff}' => Self::Braille(code - 0x2800),
            '─' => Self::Arms([1, 1, 0, 0]),
            '━' => Self::Arms([2, 2, 0, 0]),
            '│' => Self::Arms([0, 0, 1, 1]),
            '┃' => Self::Arms([0, 0, 2, 2]),
            '┌' => Self::Arms([0, 1, 0, 1]),
            '┐' => Self::Arms([1, 0, 0, 1]),
            '└' => Self::Arms([0, 1, 1, 0]),
            '┘' => Self::Arms([1, 0, 1, 0]),
            '┏' => Self::Arms([0, 2, 0, 2]),
            '┓' => Self::Arms([2, 0, 0, 2]),
            '┗' => Self::Arms([0, 2, 2, 0]),
            '┛' => Self::Arms([2, 0, 2, 0]),
            '├' => Self::Arms([0, 1, 1, 1]),
            '┤' => Self::Arms([1, 0, 1, 1]),
            '┬' => Self::Arms([1, 1, 0, 1]),
            '┴' => Self::Arms([1, 1, 1, 0]),
            '┼' => Self::Arms([1, 1, 1, 1]),
            '╭' => Self::Bow { is_left: false, is_up: false },
            '╮' => Self::Bow { is_left: true, is_up: false },
            '╰' => Self::Bow { is_left: false, is_up: true },
            '╯' => Self::Bow { is_left: true, is_up: true },
            '┄' => Self::Dashes { count: 3, is_upright: false },
            '┊' => Self::Dashes { count: 4, is_upright: true },
            _ => return None,
        })
    }

    /// Whether several of it side by side are one long one.
    pub(super) fn runs_on(self) -> bool {
        match self {
            Self::Block(_, _, width, _) => width >= 1.0,
            Self::Shade(_) => true,
            Self::Arms([left, right, up, down]) => left == right && up + down == 0,
            Self::Braille(_) | Self::Bow { .. } | Self::Dashes { .. } => false,
        }
    }

    /// Draws it into a cell, or into several side by side if it [runs on](Self::runs_on).
    pub(super) fn draw(self, paths: &mut Paths, (left, top): (f64, f64), cells: f64, ink: Ink) {
        let (x, y) = (left + CENTRE.0, top + CENTRE.1);
        let (right, foot) = (CELL.0.mul_add(cells, left), top + CELL.1);
        match self {
            Self::Block(from, down, width, height) => {
                let corner = (CELL.0.mul_add(from, left), CELL.1.mul_add(down, top));
                paths.rect(Pen::Block, ink, corner, (CELL.0 * cells * width, CELL.1 * height));
            }
            Self::Shade(share) => {
                let percent = ink.percent * share / 100;
                paths.rect(Pen::Block, Ink { percent, ..ink }, (left, top), (right - left, CELL.1));
            }
            Self::Braille(bits) => {
                for (bit, (column, row)) in DOTS.into_iter().enumerate() {
                    if bits >> bit & 1 == 1 {
                        let x = CELL.0.mul_add((2.0 * column + 1.0) / 4.0, left);
                        let y = CELL.1.mul_add((2.0 * row + 1.0) / 8.0, top);
                        paths.rect(Pen::Dot, ink, (x - DOT / 2.0, y - DOT / 2.0), (DOT, DOT));
                    }
                }
            }
            Self::Arms([to_left, to_right, up, down]) => {
                if to_left == to_right && to_left > 0 {
                    paths.line(to_left, ink, (left, y), (right, y));
                } else {
                    paths.line(to_left, ink, (left, y), (x, y));
                    paths.line(to_right, ink, (x, y), (right, y));
                }
                if up == down && up > 0 {
                    paths.line(up, ink, (x, top), (x, foot));
                } else {
                    // up to the outer edge of the line that it meets
                    let half = f64::from(to_left.max(to_right)) / 2.0;
                    paths.line(up, ink, (x, top), (x, y + half));
                    paths.line(down, ink, (x, y - half), (x, foot));
                }
            }
            Self::Bow { is_left, is_up } => {
                let (side, end) = (if is_left { left } else { right }, if is_up { top } else { foot });
                paths.add(Pen::Line(1), ink, format_args!("M{side} {y}Q{x} {y} {x} {end}"));
            }
            Self::Dashes { count, is_upright } => {
                let length = if is_upright { CELL.1 } else { CELL.0 } / f64::from(count);
                for from in (0..count).map(|dash| length * f64::from(dash)) {
                    let to = length.mul_add(0.6, from);
                    if is_upright {
                        paths.line(1, ink, (x, top + from), (x, top + to));
                    } else {
                        paths.line(1, ink, (left + from, y), (left + to, y));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Ink = Ink { rgb: (1, 2, 3), percent: 100 };

    fn drawn(symbol: &str, cells: f64) -> String {
        let mut paths = Paths::default();
        Shape::of(symbol).unwrap().draw(&mut paths, (0.0, 0.0), cells, INK);
        let mut out = String::new();
        paths.write(&mut out);
        out
    }

    #[test]
    fn what_stands_side_by_side_is_one_shape() {
        assert!(drawn("─", 3.0).contains("d=\"M0 9.5L27 9.5\""), "{}", drawn("─", 3.0));
        assert!(drawn("▄", 3.0).contains("d=\"M0 10h27v10h-27z\""), "{}", drawn("▄", 3.0));
        assert!(drawn("▒", 3.0).contains("fill-opacity=\"0.5\""), "{}", drawn("▒", 3.0));
        assert!(!Shape::of("▌").unwrap().runs_on() && !Shape::of("┼").unwrap().runs_on());
    }

    #[test]
    fn a_corner_meets_its_neighbours_at_the_edges_of_its_cell() {
        let corner = drawn("┗", 1.0);
        assert!(
            corner.contains("M4.5 9.5L9 9.5M4.5 0L4.5 10.5") && corner.contains("stroke-width=\"2\""),
            "{corner}"
        );
        assert!(drawn("╭", 1.0).contains("M9 9.5Q4.5 9.5 4.5 20"));
    }

    #[test]
    fn each_bit_of_braille_is_a_dot_in_its_place() {
        assert_eq!(drawn("⣿", 1.0).matches('z').count(), 8);
        assert!(drawn("⠁", 1.0).contains("M1.35 1.6h1.8v1.8h-1.8z"), "{}", drawn("⠁", 1.0));
        assert!(drawn("⢀", 1.0).contains("M5.85 16.6h"), "{}", drawn("⢀", 1.0));
    }

    #[test]
    fn letters_are_for_the_font() {
        assert_eq!([Shape::of("a"), Shape::of("決"), Shape::of("●"), Shape::of("")], [None; 4]);
    }
}
