//! Draws lines as dots: eight per cell in braille, else one character per cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dots {
    /// 2 by 4 braille dots per cell.
    Braille,
    /// The series' own character in each cell.
    Signs,
}

/// The dots of a cell, and the series drawn there last.
#[derive(Debug, Clone, Copy, Default)]
struct DotCell {
    bits: u8,
    line: usize,
}

/// A grid of cells for drawing lines.
#[derive(Debug)]
pub(super) struct Plot {
    columns: u16,
    rows: u16,
    dots: Dots,
    spots: Vec<DotCell>,
}

impl Plot {
    pub(super) fn new(columns: u16, rows: u16, dots: Dots) -> Self {
        Self {
            columns,
            rows,
            dots,
            spots: vec![DotCell::default(); usize::from(columns) * usize::from(rows)],
        }
    }

    /// The number of dots, horizontally and vertically.
    fn size(&self) -> (i32, i32) {
        let (x, y) = match self.dots {
            Dots::Braille => (2, 4),
            Dots::Signs => (1, 1),
        };
        (i32::from(self.columns) * x, i32::from(self.rows) * y)
    }

    /// Draws values that are evenly distributed from the left to the right edge.
    ///
    /// `share` gives the height of a value, 0 to 1. A missing value (NaN) breaks the line; a value without neighbours
    /// becomes a thick dot.
    pub(super) fn line(&mut self, line: usize, values: &[f64], share: impl Fn(f64) -> f64) {
        let (across, down) = self.size();
        if across == 0 || down == 0 {
            return;
        }
        let steps = values.len().saturating_sub(1);
        let place = |i: usize, value: f64| {
            let along = if steps == 0 { 1.0 } else { i as f64 / steps as f64 };
            (dot(along, across - 1), dot(1.0 - share(value), down - 1))
        };
        let mut last: Option<(i32, i32)> = None;
        let mut is_alone = false;
        for (i, value) in values.iter().enumerate() {
            if value.is_nan() {
                self.thicken(line, last.take().filter(|_| is_alone));
                continue;
            }
            let here = place(i, *value);
            is_alone = last.is_none();
            self.stroke(line, last.unwrap_or(here), here);
            last = Some(here);
        }
        self.thicken(line, last.filter(|_| is_alone));
    }

    /// Enlarges a single braille dot to 2 by 2 dots, so that a lone value is visible.
    fn thicken(&mut self, line: usize, dot: Option<(i32, i32)>) {
        let Some((x, y)) = dot.filter(|_| self.dots == Dots::Braille) else { return };
        let (x, y) = (x & !1, y & !1);
        self.stroke(line, (x, y), (x + 1, y));
        self.stroke(line, (x, y + 1), (x + 1, y + 1));
    }

    /// Draws a straight line of dots (Bresenham's algorithm).
    fn stroke(&mut self, line: usize, from: (i32, i32), to: (i32, i32)) {
        let (mut x, mut y) = from;
        let (dx, dy) = ((to.0 - x).abs(), -(to.1 - y).abs());
        let (sx, sy) = ((to.0 - x).signum(), (to.1 - y).signum());
        let mut error = dx + dy;
        loop {
            self.set(line, x, y);
            if (x, y) == to {
                return;
            }
            let twice = 2 * error;
            if twice >= dy {
                error += dy;
                x += sx;
            }
            if twice <= dx {
                error += dx;
                y += sy;
            }
        }
    }

    fn set(&mut self, line: usize, x: i32, y: i32) {
        let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else { return };
        let (column, row, bit) = match self.dots {
            Dots::Braille => (x / 2, y / 4, braille(x % 2, y % 4)),
            Dots::Signs => (x, y, 1),
        };
        if column >= self.columns {
            return;
        }
        if let Some(scroll_position) =
            self.spots.get_mut(usize::from(row) * usize::from(self.columns) + usize::from(column))
        {
            scroll_position.bits |= bit;
            scroll_position.line = line;
        }
    }

    pub(super) fn is_free(&self, column: u16, row: u16) -> bool {
        let at = usize::from(row) * usize::from(self.columns) + usize::from(column);
        column < self.columns && self.spots.get(at).is_some_and(|scroll_position| scroll_position.bits == 0)
    }

    /// Writes the cells that have dots; `look` gives the style and the character of a series.
    pub(super) fn render<'a>(&self, look: impl Fn(usize) -> (Style, &'a str), area: Rect, buf: &mut Buffer) {
        for (at, scroll_position) in
            self.spots.iter().enumerate().filter(|(_, scroll_position)| scroll_position.bits != 0)
        {
            let (column, row) = (at % usize::from(self.columns), at / usize::from(self.columns));
            let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else { continue };
            let (style, sign) = look(scroll_position.line);
            let mut bytes = [0; 4];
            let sign = match self.dots {
                Dots::Braille => char::from_u32(0x2800 + u32::from(scroll_position.bits))
                    .unwrap_or('⣿')
                    .encode_utf8(&mut bytes),
                Dots::Signs => sign,
            };
            if column < area.width && row < area.height {
                text::put(buf, area.x + column, area.y + row, 1, sign, style);
            }
        }
    }
}

/// The bit of a dot in U+2800..U+28FF: the upper three rows have the lower bits, the fourth row was added later.
const fn braille(x: u16, y: u16) -> u8 {
    match (x, y) {
        (0, 3) => 0x40,
        (_, 3) => 0x80,
        (0, y) => 1 << y,
        (_, y) => 8 << y,
    }
}

/// The index of the dot at a share of the axis.
fn dot(share: f64, last: i32) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and `last`")]
    let dot = (share.clamp(0.0, 1.0) * f64::from(last)).round() as i32;
    dot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::widgets::probe::{drawn, lines};

    fn shown(dots: Dots, width: u16, height: u16, values: &[f64]) -> Vec<String> {
        let mut plot = Plot::new(width, height, dots);
        plot.line(0, values, |value| value);
        lines(&drawn(width, height, |area, buf| plot.render(|_| (Style::new(), "*"), area, buf)))
    }

    const GAP: f64 = f64::NAN;

    #[test]
    fn a_line_goes_from_the_lower_left_to_the_upper_right() {
        assert_eq!(shown(Dots::Braille, 4, 2, &[0.0, 1.0]), ["  ⡠⠊", "⡠⠊"]);
        assert_eq!(shown(Dots::Signs, 4, 4, &[0.0, 1.0]), ["   *", "  *", " *", "*"]);
    }

    #[test]
    fn a_gap_stays_a_gap_and_a_lone_value_is_seen() {
        assert_eq!(shown(Dots::Braille, 9, 1, &[0.0, 0.0, GAP, 1.0, GAP, 0.0, 0.0]), ["⣀⣀  ⠛  ⣀⣀"]);
        assert_eq!(shown(Dots::Signs, 7, 1, &[0.0, 0.0, GAP, 0.0, GAP, 0.0, 0.0]), ["** * **"]);
        assert_eq!(shown(Dots::Braille, 3, 1, &[0.0]), ["  ⣤"]);
        assert_eq!(shown(Dots::Braille, 3, 1, &[GAP, GAP]), [""]);
    }

    #[test]
    fn every_spike_among_more_values_than_cells_is_drawn() {
        let mut values = vec![0.0; 500];
        values[250] = 1.0;
        assert_eq!(shown(Dots::Signs, 5, 3, &values)[0], "  *");
    }
}
