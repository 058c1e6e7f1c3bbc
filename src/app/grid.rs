//! The places of a list's rows on the terminal: one below the other, or as tiles side by side.

use ratatui::layout::Rect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub area: Rect,
    /// The number of tiles side by side.
    pub columns: usize,
    /// The height of a row in lines.
    pub lines: u16,
}

impl Grid {
    /// A grid with one row per line.
    pub const fn list(area: Rect) -> Self {
        Self { area, columns: 1, lines: 1 }
    }

    /// How many rows fit one below the other.
    pub fn height(self) -> usize {
        usize::from(self.area.height / self.lines.max(1))
    }

    /// How many rows fit in total.
    pub fn room(self) -> usize {
        self.height() * self.columns
    }

    /// The area of a row; `place` is counted from the first visible row.
    pub fn cell(self, place: usize) -> Rect {
        let columns = self.columns.max(1);
        let (row, column) = (place / columns, place % columns);
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let width = self.area.width / cells(columns);
        let x = self.area.x.saturating_add(cells(column).saturating_mul(width));
        let y = self.area.y.saturating_add(cells(row).saturating_mul(self.lines));
        Rect { x, y, width, height: self.lines }
    }

    /// The place of the row at a cell, counted from the first visible row.
    pub fn place_at(self, column: u16, row: u16) -> Option<usize> {
        (0..self.room()).find(|place| self.cell(*place).contains((column, row).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_click_finds_the_tile_that_was_drawn_there() {
        let grid = Grid { area: Rect::new(2, 3, 21, 7), columns: 2, lines: 2 };
        assert_eq!((grid.height(), grid.room()), (3, 6));
        for place in 0..grid.room() {
            let cell = grid.cell(place);
            assert_eq!(grid.place_at(cell.x, cell.y + 1), Some(place));
            assert_eq!(grid.place_at(cell.right() - 1, cell.y), Some(place));
        }
        assert_eq!(grid.place_at(22, 3), None, "the odd cell at the right belongs to no tile");
        assert_eq!(grid.place_at(2, 9), None, "half a tile is not drawn");
    }

    #[test]
    fn without_room_there_are_no_rows() {
        assert_eq!(Grid::list(Rect::default()).room(), 0);
        assert_eq!(Grid { area: Rect::new(0, 0, 1, 1), columns: 3, lines: 2 }.place_at(0, 0), None);
    }
}
