//! Draws lines as dots: eight per cell in octants and braille, two in half blocks, else one character per cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::symbols::pixel::OCTANTS;

/// Lines that may be two dots high at most, and the rows that a plot needs for them.
const THICK_LINES: usize = 3;
const THICK_ROWS: u16 = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dots {
    /// 2 by 4 blocks per cell.
    Octant,
    /// 2 by 4 braille dots per cell.
    Braille,
    /// 1 by 2 blocks per cell.
    Half,
    /// The series' own character in each cell.
    Signs,
}

impl Dots {
    /// The dots of a cell: across, down.
    const fn size(self) -> (u16, u16) {
        match self {
            Self::Octant | Self::Braille => (2, 4),
            Self::Half => (1, 2),
            Self::Signs => (1, 1),
        }
    }

    /// The bit of a dot in [`DotCell::bits`].
    const fn bit(self, x: u16, y: u16) -> u8 {
        match self {
            // row by row
            Self::Octant => 1 << (2 * y + x),
            Self::Braille => braille(x, y),
            Self::Half => 1 << y,
            Self::Signs => 1,
        }
    }

    /// The character with these dots; `sign` is that of the series.
    fn symbol(self, bits: u8, sign: char) -> char {
        match (self, bits) {
            (Self::Octant, _) => OCTANTS.get(usize::from(bits)).copied().unwrap_or('█'),
            (Self::Braille, _) => char::from_u32(0x2800 + u32::from(bits)).unwrap_or('⣿'),
            (Self::Half, 1) => '▀',
            (Self::Half, 2) => '▄',
            (Self::Half, _) => '█',
            (Self::Signs, _) => sign,
        }
    }
}

/// The extent of a line in a column without dots.
const NO_DOTS: (u16, u16) = (u16::MAX, 0);

/// The dots of a cell, and the series drawn there last.
#[derive(Debug, Clone, Copy, Default)]
struct DotCell {
    bits: u8,
    line: u16,
}

/// A grid of cells for drawing lines.
#[derive(Debug)]
pub(super) struct Plot {
    columns: u16,
    rows: u16,
    dots: Dots,
    /// Whether lines are two dots high.
    is_thick: bool,
    cells: Vec<DotCell>,
    /// For each line and column, the highest and the lowest dot of the line, counted from the top; none: [`NO_DOTS`].
    extents: Vec<(u16, u16)>,
}

impl Plot {
    /// An empty plot for this many lines.
    pub(super) fn new((columns, rows): (u16, u16), dots: Dots, lines: usize) -> Self {
        // few lines in a tall plot are easier to see, and do not cover each other
        let is_thick = dots.size() == (2, 4) && (1..=THICK_LINES).contains(&lines) && rows >= THICK_ROWS;
        Self {
            columns,
            rows,
            dots,
            is_thick,
            cells: vec![DotCell::default(); usize::from(columns) * usize::from(rows)],
            extents: vec![NO_DOTS; usize::from(columns) * lines],
        }
    }

    pub(super) fn size(&self) -> (u16, u16) {
        (self.columns, self.rows)
    }

    /// Draws values that are evenly distributed from the left to the right edge.
    ///
    /// `share` gives the height of a value, 0 to 1. A missing value (NaN) breaks the line; a value without neighbours
    /// becomes a thick dot.
    pub(super) fn line(&mut self, line: usize, values: &[f64], share: impl Fn(f64) -> f64) {
        let (x, y) = self.dots.size();
        let (across, down) = (i32::from(self.columns) * i32::from(x), i32::from(self.rows) * i32::from(y));
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

    /// Draws values as bars from zero, each as wide as the room between two points takes, with a gap where there is room for one.
    pub(super) fn bars(&mut self, line: usize, values: &[f64], share: impl Fn(f64) -> f64) {
        let (x, y) = self.dots.size();
        let (across, down) = (i32::from(self.columns) * i32::from(x), i32::from(self.rows) * i32::from(y));
        let count = i32::try_from(values.len()).unwrap_or(i32::MAX);
        if across == 0 || down == 0 || count == 0 {
            return;
        }
        let zero = dot(1.0 - share(0.0), down - 1);
        let edge =
            |i: i32| i32::try_from(i64::from(across) * i64::from(i) / i64::from(count)).unwrap_or(across);
        for (i, value) in (0_i32..).zip(values).filter(|(_, value)| !value.is_nan()) {
            let (left, right) = (edge(i), edge(i + 1));
            let gap = if right - left > 3 { i32::from(x).min(2) } else { 0 };
            let top = dot(1.0 - share(*value), down - 1);
            for at in left..(right - gap).max(left + 1) {
                for height in top.min(zero)..=top.max(zero) {
                    self.set(line, at, height);
                }
            }
        }
    }

    /// Draws each value as a dot, without lines between them.
    pub(super) fn points(&mut self, line: usize, values: &[f64], share: impl Fn(f64) -> f64) {
        let (x, y) = self.dots.size();
        let (across, down) = (i32::from(self.columns) * i32::from(x), i32::from(self.rows) * i32::from(y));
        if across == 0 || down == 0 {
            return;
        }
        let steps = values.len().saturating_sub(1).max(1);
        for (i, value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            let here = (dot(i as f64 / steps as f64, across - 1), dot(1.0 - share(*value), down - 1));
            self.stroke(line, here, here);
            self.thicken(line, Some(here));
        }
    }

    /// Enlarges a single small dot to 2 by 2 dots, so that a lone value is visible.
    fn thicken(&mut self, line: usize, dot: Option<(i32, i32)>) {
        let Some((x, y)) = dot.filter(|_| self.dots.size() == (2, 4)) else { return };
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
        // the second row of dots is below the first, at the lower edge above it
        let lowest = i32::from(self.rows) * i32::from(self.dots.size().1) - 1;
        loop {
            self.set(line, x, y);
            if self.is_thick {
                self.set(line, x, if y < lowest { y + 1 } else { y - 1 });
            }
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
        let (Ok(x), Ok(y), Ok(series)) = (u16::try_from(x), u16::try_from(y), u16::try_from(line)) else {
            return;
        };
        let (across, down) = self.dots.size();
        let (column, row) = (x / across, y / down);
        if column >= self.columns {
            return;
        }
        let columns = usize::from(self.columns);
        if let Some(cell) = self.cells.get_mut(usize::from(row) * columns + usize::from(column)) {
            cell.bits |= self.dots.bit(x % across, y % down);
            cell.line = series;
        }
        if let Some((highest, lowest)) = self.extents.get_mut(line * columns + usize::from(column)) {
            (*highest, *lowest) = (y.min(*highest), y.max(*lowest));
        }
    }

    pub(super) fn is_free(&self, column: u16, row: u16) -> bool {
        let at = usize::from(row) * usize::from(self.columns) + usize::from(column);
        column < self.columns && self.cells.get(at).is_some_and(|cell| cell.bits == 0)
    }

    /// The first row of the area below a line in a column: the row of its middle dot if more than half of that cell is below
    /// the dot, else the next one; in a low plot always the next one. `None` where the line has a gap.
    pub(super) fn area_top(&self, line: usize, column: u16) -> Option<u16> {
        let at = line * usize::from(self.columns) + usize::from(column);
        let extent =
            self.extents.get(at).copied().filter(|extent| column < self.columns && *extent != NO_DOTS);
        let (highest, lowest) = extent?;
        let middle = highest.midpoint(lowest);
        let down = self.dots.size().1;
        // in few rows, a step of the area within the cell of the line would look like one of the line
        let is_upper_half = middle % down < down / 2 && self.rows >= THICK_ROWS;
        Some(middle / down + u16::from(!is_upper_half))
    }

    /// Writes the cells that have dots; `looks` has the style and the character of each series.
    pub(super) fn render(&self, looks: &[(Style, char)], area: Rect, buf: &mut Buffer) {
        let rows = self.cells.chunks(usize::from(self.columns).max(1));
        for (y, row) in (area.top()..area.bottom()).zip(rows) {
            for (x, dots) in (area.left()..area.right()).zip(row).filter(|(_, dots)| dots.bits != 0) {
                let Some((style, sign)) = looks.get(usize::from(dots.line)) else { continue };
                if let Some(cell) = buf.cell_mut((x, y)) {
                    cell.set_char(self.dots.symbol(dots.bits, *sign)).set_style(*style);
                }
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
    use proptest::prelude::*;

    use super::*;
    use crate::app::widgets::probe::{drawn, lines};

    fn shown(dots: Dots, width: u16, height: u16, values: &[f64]) -> Vec<String> {
        let mut plot = Plot::new((width, height), dots, 1);
        plot.line(0, values, |value| value);
        lines(&drawn(width, height, |area, buf| plot.render(&[(Style::new(), '*')], area, buf)))
    }

    const GAP: f64 = f64::NAN;

    #[test]
    fn a_line_goes_from_the_lower_left_to_the_upper_right() {
        assert_eq!(shown(Dots::Braille, 4, 2, &[0.0, 1.0]), ["  ⡠⠊", "⡠⠊"]);
        // the same dots as above: the lower, then the upper half of a diagonal
        let (low, high) = (octant(&[5, 6]), octant(&[1, 2]));
        assert_eq!(
            shown(Dots::Octant, 4, 2, &[0.0, 1.0]),
            [format!("  {low}{high}"), format!("{low}{high}")]
        );
        assert_eq!(shown(Dots::Half, 4, 2, &[0.0, 1.0]), ["  ▄▀", "▄▀"]);
        assert_eq!(shown(Dots::Signs, 4, 4, &[0.0, 1.0]), ["   *", "  *", " *", "*"]);
    }

    /// The octant with these dots, counted from 0 row by row.
    fn octant(dots: &[u8]) -> String {
        OCTANTS[usize::from(dots.iter().fold(0_u8, |bits, dot| bits | 1 << dot))].to_string()
    }

    #[test]
    fn a_gap_stays_a_gap_and_a_lone_value_is_seen() {
        assert_eq!(shown(Dots::Braille, 9, 1, &[0.0, 0.0, GAP, 1.0, GAP, 0.0, 0.0]), ["⣀⣀  ⠛  ⣀⣀"]);
        assert_eq!(shown(Dots::Octant, 9, 1, &[0.0, 0.0, GAP, 1.0, GAP, 0.0, 0.0]), ["▂▂  ▀  ▂▂"]);
        assert_eq!(shown(Dots::Half, 7, 1, &[0.0, 0.0, GAP, 1.0, GAP, 0.0, 0.0]), ["▄▄ ▀ ▄▄"]);
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

    #[test]
    fn the_area_below_a_line_begins_where_more_than_half_of_a_cell_is_below_it() {
        let top = |dots, rows, value| {
            // four lines: each is one dot high
            let mut plot = Plot::new((1, rows), dots, 4);
            plot.line(0, &[value, value], |value| value);
            plot.area_top(0, 0)
        };
        // the upper eight of twenty dots above each other
        let tops: Vec<_> = (12..20).map(|dot| top(Dots::Braille, 5, f64::from(dot) / 19.0)).collect();
        assert_eq!(tops, [2, 2, 1, 1, 1, 1, 0, 0].map(Some));
        let tops: Vec<_> = (0..8).map(|dot| top(Dots::Braille, 2, f64::from(dot) / 7.0)).collect();
        assert_eq!(tops, [2, 2, 2, 2, 1, 1, 1, 1].map(Some));
        assert_eq!([0.0, 1.0].map(|value| top(Dots::Signs, 2, value)), [Some(2), Some(1)]);
        assert_eq!(top(Dots::Braille, 2, GAP), None);
    }

    proptest! {
        /// A larger value is never drawn lower, and its area never begins lower.
        #[test]
        fn larger_is_not_lower(
            a in 0.0..1.0_f64, b in 0.0..1.0_f64, (columns, rows) in (1..9_u16, 1..12_u16),
            dots in prop::sample::select(vec![Dots::Octant, Dots::Braille, Dots::Half, Dots::Signs]),
        ) {
            let tops = |value| {
                let mut plot = Plot::new((columns, rows), dots, 1);
                plot.line(0, &[value; 3], |value| value);
                let first = (0..rows).find(|row| !plot.is_free(0, *row)).unwrap();
                (first, plot.area_top(0, 0).unwrap())
            };
            let (low, high) = (tops(a.min(b)), tops(a.max(b)));
            prop_assert!(high.0 <= low.0 && high.1 <= low.1);
        }

        /// Between two neighbouring values the line has a dot in every column and no empty row between those of two columns.
        #[test]
        fn lines_are_connected(
            values in prop::collection::vec(0.0..1.0_f64, 2..40), (columns, rows) in (1..30_u16, 1..12_u16),
            dots in prop::sample::select(vec![Dots::Octant, Dots::Braille, Dots::Half, Dots::Signs]),
        ) {
            let mut plot = Plot::new((columns, rows), dots, 1);
            plot.line(0, &values, |value| value);
            let extent = |column: u16| {
                let all: Vec<u16> = (0..rows).filter(|row| !plot.is_free(column, *row)).collect();
                prop_assert!(!all.is_empty());
                Ok((all[0], all[all.len() - 1], all.len()))
            };
            let mut last = None;
            for column in 0..columns {
                let (top, bottom, count) = extent(column)?;
                prop_assert_eq!(usize::from(bottom - top) + 1, count);
                if let Some((above, below)) = last.replace((top, bottom)) {
                    prop_assert!(top <= below + 1 && above <= bottom + 1);
                }
            }
        }
    }
}
