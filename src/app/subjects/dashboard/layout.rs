//! The places of a dashboard's panels on the terminal. A pure function of the grid of 24 columns and of the terminal's size.
//!
//! Where every panel has its least width, the columns are those of the dashboard. Elsewhere the panels of a band, which are beside
//! each other on the dashboard, flow into as many lines as needed, in the same order.

use crate::model::dashboard::GRID_COLUMNS;
use crate::model::dashboard::panel::GridPlace;

/// Lines of the terminal for this many rows of the grid: `LINES.0` for `LINES.1`.
const LINES: (u32, u32) = (7, 4);

/// A panel before it has a place on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanelBox {
    pub place: GridPlace,
    /// The least cells and lines in which it can be read, with its frame.
    pub least: (u16, u16),
}

/// A section: a title that folds, and the panels below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SectionBoxes {
    pub has_title: bool,
    pub is_folded: bool,
    pub panels: Vec<PanelBox>,
}

/// The place of a section's title or of a panel, in cells from the top left of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedItem {
    pub section: usize,
    /// The index of the panel in its section; `None`: the title of the section.
    pub panel: Option<usize>,
    pub x: u16,
    pub y: u32,
    pub width: u16,
    pub height: u16,
}

impl PlacedItem {
    pub fn bottom(self) -> u32 {
        self.y + u32::from(self.height)
    }
}

/// The places of all titles and panels, each after those above it and at its left. No two overlap. `screen` are the columns and
/// lines that are visible at once; a panel is never higher.
pub fn arrange(sections: &[SectionBoxes], screen: (u16, u16)) -> Vec<PlacedItem> {
    let (width, height) = (screen.0.max(1), screen.1.max(1));
    let mut all = Vec::new();
    let mut y = 0_u32;
    for (section, boxes) in sections.iter().enumerate() {
        if boxes.has_title {
            all.push(PlacedItem { section, panel: None, x: 0, y, width, height: 1 });
            y += 1;
        }
        if boxes.is_folded && boxes.has_title {
            continue;
        }
        let tiles = tiles(&boxes.panels, (width, height));
        let mut placed: Vec<PlacedItem> = tiles.iter().map(|tile| tile.placed(section, y)).collect();
        placed.sort_by_key(|item| (item.y, item.x));
        y = placed.iter().map(|item| item.bottom()).max().unwrap_or(y);
        all.extend(placed);
    }
    all
}

/// A panel between lines of a grid that are not at their places on the terminal yet.
#[derive(Debug, Clone, Copy)]
struct Tile {
    panel: usize,
    /// The cells from the left, and the width.
    cells: (u16, u16),
    /// The grid's lines above and below.
    lines: (u32, u32),
    /// The lines of the terminal that it needs.
    needed: u32,
    /// The lines of the terminal above and below.
    at: (u32, u32),
}

impl Tile {
    fn placed(self, section: usize, y: u32) -> PlacedItem {
        let height = u16::try_from(self.at.1 - self.at.0).unwrap_or(u16::MAX);
        let (x, width) = self.cells;
        PlacedItem { section, panel: Some(self.panel), x, y: y + self.at.0, width, height }
    }
}

/// The panels of one section.
fn tiles(panels: &[PanelBox], (width, height): (u16, u16)) -> Vec<Tile> {
    let packed = packed(panels);
    let mut tiles = match in_columns(panels, &packed, width) {
        Some(tiles) => tiles,
        None => flowing(panels, &packed, width),
    };
    for tile in &mut tiles {
        let Some(own) = panels.get(tile.panel) else { continue };
        let (most, rows) = (u32::from(height), u32::from(own.place.height.max(1)));
        let wanted = (rows * LINES.0).div_ceil(LINES.1).max(u32::from(own.least.1));
        tile.needed = wanted.clamp(1, most.max(1));
    }
    stretch(&mut tiles);
    tiles
}

/// The panels with their lines on the grid, without overlaps and gaps: as Grafana does, a panel moves up to the ones above, and
/// down where two claim one place. The order is from the top, then from the left.
fn packed(panels: &[PanelBox]) -> Vec<(usize, GridPlace, u32)> {
    let mut order: Vec<usize> = (0..panels.len()).collect();
    let place = |index: usize| panels.get(index).map(|panel| panel.place).unwrap_or_default();
    order.sort_by_key(|index| (place(*index).y, place(*index).x));
    let mut ends = [0_u32; GRID_COLUMNS as usize];
    let mut all = Vec::with_capacity(panels.len());
    for index in order {
        let own = place(index);
        let x = own.x.min(GRID_COLUMNS - 1);
        let width = own.width.clamp(1, GRID_COLUMNS - x);
        let columns = ends.get_mut(usize::from(x)..usize::from(x + width)).unwrap_or_default();
        let top = columns.iter().copied().max().unwrap_or(0);
        columns.fill(top + u32::from(own.height.max(1)));
        all.push((index, GridPlace { x, width, ..own }, top));
    }
    all.sort_by_key(|(_, place, top)| (*top, place.x));
    all
}

/// The panels in the columns of the dashboard; `None` if one of them would be too narrow.
fn in_columns(panels: &[PanelBox], packed: &[(usize, GridPlace, u32)], width: u16) -> Option<Vec<Tile>> {
    let edge = |column: u16| {
        let cells = u32::from(width) * u32::from(column) / u32::from(GRID_COLUMNS);
        u16::try_from(cells).unwrap_or(width)
    };
    let tile = |(panel, place, top): &(usize, GridPlace, u32)| {
        let (left, right) = (edge(place.x), edge(place.x + place.width));
        let least = panels.get(*panel)?.least.0.max(1);
        let lines = (*top, top + u32::from(place.height.max(1)));
        let tile = Tile { panel: *panel, cells: (left, right - left), lines, needed: 1, at: (0, 0) };
        (right - left >= least).then_some(tile)
    };
    packed.iter().map(tile).collect()
}

/// The panels in lines of their own, as many beside each other as have room.
fn flowing(panels: &[PanelBox], packed: &[(usize, GridPlace, u32)], width: u16) -> Vec<Tile> {
    let wanted = |(panel, place, _): &(usize, GridPlace, u32)| {
        let share = u32::from(width) * u32::from(place.width) / u32::from(GRID_COLUMNS);
        let least = panels.get(*panel).map_or(1, |panel| panel.least.0);
        u16::try_from(share).unwrap_or(width).max(least).clamp(1, width)
    };
    let mut tiles = Vec::with_capacity(packed.len());
    for (line, row) in (0_u32..).zip(bands(packed).flat_map(|band| lines_of(band, width, &wanted))) {
        let cells: Vec<u32> = row.iter().map(|one| u32::from(wanted(one))).collect();
        let sum: u32 = cells.iter().sum::<u32>().max(1);
        let mut used = 0;
        for ((panel, ..), own) in row.iter().zip(&cells) {
            let edge = |cells: u32| u16::try_from(u32::from(width) * cells / sum).unwrap_or(width);
            let (left, right) = (edge(used), edge(used + own));
            used += own;
            let cells = (left, right.saturating_sub(left).max(1));
            tiles.push(Tile { panel: *panel, cells, lines: (line, line + 1), needed: 1, at: (0, 0) });
        }
    }
    tiles
}

type Packed = (usize, GridPlace, u32);

/// The panels that are beside each other: a band ends where all further panels are below it.
fn bands(packed: &[Packed]) -> impl Iterator<Item = &[Packed]> {
    let mut rest = packed;
    std::iter::from_fn(move || {
        let mut end = 0;
        let mut count = 0;
        for (_, place, top) in rest {
            if count > 0 && *top >= end {
                break;
            }
            end = end.max(top + u32::from(place.height.max(1)));
            count += 1;
        }
        let (band, others) = rest.split_at_checked(count)?;
        rest = others;
        (!band.is_empty()).then_some(band)
    })
}

/// A band in lines that have room for their panels, about equally many in each.
fn lines_of<'a>(band: &'a [Packed], width: u16, wanted: &impl Fn(&Packed) -> u16) -> Vec<&'a [Packed]> {
    let split = |most: usize| {
        let mut lines: Vec<&[Packed]> = Vec::new();
        let (mut start, mut used) = (0, 0_u32);
        for (index, one) in band.iter().enumerate() {
            let cells = u32::from(wanted(one));
            if index > start && (used + cells > u32::from(width) || index - start >= most) {
                lines.extend(band.get(start..index));
                (start, used) = (index, 0);
            }
            used += cells;
        }
        lines.extend(band.get(start..));
        lines
    };
    let count = split(usize::MAX).len().max(1);
    let balanced = split(band.len().div_ceil(count).max(1));
    if balanced.len() == count { balanced } else { split(usize::MAX) }
}

/// Moves the lines of the grid to the lines of the terminal, so that each panel has the lines that it needs, and panels that
/// end at the same line of the grid end together.
fn stretch(tiles: &mut [Tile]) {
    let mut lines: Vec<u32> = tiles.iter().flat_map(|tile| [tile.lines.0, tile.lines.1]).collect();
    lines.sort_unstable();
    lines.dedup();
    let place = |line: u32, lines: &[u32]| lines.binary_search(&line).unwrap_or(0);
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); lines.len()];
    for (index, tile) in tiles.iter().enumerate() {
        if let Some(ending) = ends.get_mut(place(tile.lines.1, &lines)) {
            ending.push(index);
        }
    }
    let mut at = vec![0_u32; lines.len()];
    for line in 0..lines.len() {
        let above = line.checked_sub(1).and_then(|above| at.get(above)).copied().unwrap_or(0);
        let ending = ends.get(line).into_iter().flatten().filter_map(|index| tiles.get(*index));
        let needed = ending.map(|tile| {
            at.get(place(tile.lines.0, &lines)).copied().unwrap_or(0).saturating_add(tile.needed)
        });
        let own = needed.max().unwrap_or(above).max(above);
        if let Some(cell) = at.get_mut(line) {
            *cell = own;
        }
    }
    for tile in tiles {
        let edge = |line: u32| at.get(place(line, &lines)).copied().unwrap_or(0);
        tile.at = (edge(tile.lines.0), edge(tile.lines.1));
    }
}

#[cfg(test)]
mod tests;
