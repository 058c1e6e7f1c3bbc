//! Keys: the cursor goes from panel to panel as they stand, rows fold, a panel takes the whole screen.

use super::{OpenDashboard, PlacedItem, draw, view};
use crate::app::prelude::*;

/// The largest first line.
pub(super) fn last_top(items: &[PlacedItem], height: u16) -> u16 {
    let bottom = items.iter().map(|item| item.bottom()).max().unwrap_or(0);
    u16::try_from(bottom.saturating_sub(u32::from(height))).unwrap_or(u16::MAX)
}

/// Where the cursor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Up,
    Down,
    Left,
    Right,
    Next,
    Previous,
    Pages(i32),
    First,
    Last,
}

impl OpenDashboard {
    /// Runs a command in the way of this screen; `false`: as everywhere.
    pub(super) fn move_cursor(&mut self, shared: &mut Shared, command: Command, now: Timestamp) -> bool {
        let has_cursor = shared.charts.has_cursor();
        if command == Command::Back && self.open.is_some() && !has_cursor {
            self.open = None;
            self.open_scroll = 0;
            return true;
        }
        if command == Command::Open {
            return self.open_current(shared, now);
        }
        if matches!(command, Command::Left | Command::Right) && has_cursor {
            return false;
        }
        let step = if command == Command::Up {
            Step::Up
        } else if command == Command::Down {
            Step::Down
        } else if command == Command::Left {
            Step::Left
        } else if command == Command::Right {
            Step::Right
        } else if command == Command::NextPanel {
            Step::Next
        } else if command == Command::PreviousPanel {
            Step::Previous
        } else if command == Command::PageDown {
            Step::Pages(1)
        } else if command == Command::PageUp {
            Step::Pages(-1)
        } else if command == Command::Top {
            Step::First
        } else if command == Command::Bottom {
            Step::Last
        } else {
            return false;
        };
        if self.open.is_some() {
            self.step_in_panel(shared, step);
        } else {
            self.step(shared, step);
        }
        true
    }

    /// Folds or unfolds the section, or gives the panel the whole screen.
    fn open_current(&mut self, shared: &mut Shared, now: Timestamp) -> bool {
        if self.open.is_some() {
            return note_way_back(shared, now);
        }
        let Some(item) = self.item() else { return false };
        if let Some(panel) = self.panel_of(item) {
            self.open = Some(panel.key.clone());
            self.open_scroll = 0;
        } else if let Some(section) = self.sections.get(item.section) {
            let is_folded = self.is_folded(section);
            self.folded.insert(section.key.clone(), !is_folded);
        }
        true
    }

    /// In a panel on the whole screen: Up and Down scroll it, Left and Right show the panel before and after.
    fn step_in_panel(&mut self, shared: &Shared, step: Step) {
        let page = layout::areas(shared.size).body.height.saturating_sub(4).max(1);
        let scroll = self.open_scroll;
        match step {
            Step::Up => self.open_scroll = scroll.saturating_sub(1),
            Step::Down => self.open_scroll = scroll.saturating_add(1),
            Step::Pages(by) if by < 0 => self.open_scroll = scroll.saturating_sub(page),
            Step::Pages(_) => self.open_scroll = scroll.saturating_add(page),
            Step::First => self.open_scroll = 0,
            Step::Last => self.open_scroll = u16::MAX / 2,
            Step::Left | Step::Previous => self.open_other(shared, false),
            Step::Right | Step::Next => self.open_other(shared, true),
        }
        let most = self.most_lines().saturating_sub(page);
        self.open_scroll = self.open_scroll.min(most);
    }

    /// The lines of the open panel's content, about.
    fn most_lines(&self) -> u16 {
        let made = self.open.as_ref().and_then(|key| self.pictures.get(key));
        let lines = made.map_or(1000, |made| draw::lines(&made.picture));
        u16::try_from(lines).unwrap_or(u16::MAX)
    }

    fn open_other(&mut self, shared: &Shared, is_next: bool) {
        let panels: Vec<usize> = (0..self.items.len())
            .filter(|at| self.items.get(*at).is_some_and(|item| item.panel.is_some()))
            .collect();
        let at = panels.iter().position(|index| *index == self.scroll_position.panel).unwrap_or(0);
        let to = crate::app::list::wrapped(at, if is_next { 1 } else { -1 }, panels.len());
        if let Some(index) = panels.get(to) {
            self.go_to(shared, *index);
            self.open = self.item().and_then(|item| self.panel_of(item)).map(|panel| panel.key.clone());
            self.open_scroll = 0;
        }
    }

    /// Moves the cursor, and the part that is visible with it.
    fn step(&mut self, shared: &Shared, step: Step) {
        let at = self.scroll_position.panel;
        let last = self.items.len().saturating_sub(1);
        let height = self.height(shared);
        let to = match step {
            Step::Up => self.above(at),
            Step::Down => self.below(at),
            Step::Left => self.beside(at, false),
            Step::Right => self.beside(at, true),
            Step::Next => Some(crate::app::list::wrapped(at, 1, self.items.len())),
            Step::Previous => Some(crate::app::list::wrapped(at, -1, self.items.len())),
            Step::First => Some(0),
            Step::Last => Some(last),
            Step::Pages(by) => self.page(at, by, height),
        };
        match to {
            Some(to) => self.go_to(shared, to),
            // at the edge, what is beyond the cursor can still be scrolled to
            None if step == Step::Up => {
                self.scroll_position.scroll = self.scroll_position.scroll.saturating_sub(3);
            }
            None if step == Step::Down => {
                let most = last_top(&self.items, height);
                self.scroll_position.scroll = self.scroll_position.scroll.saturating_add(3).min(most);
            }
            None => {}
        }
    }

    fn height(&self, shared: &Shared) -> u16 {
        view::grid_area(self, shared, layout::areas(shared.size).body).height
    }

    fn go_to(&mut self, shared: &Shared, index: usize) {
        let Some(item) = self.items.get(index).copied() else { return };
        self.scroll_position.panel = index;
        self.cursor = self.key_at(index);
        let height = u32::from(self.height(shared));
        let top = u32::from(self.scroll_position.scroll);
        let lowest = item.bottom().saturating_sub(height);
        let top = top.max(lowest).min(item.y);
        self.scroll_position.scroll =
            u16::try_from(top).unwrap_or(u16::MAX).min(last_top(&self.items, self.height(shared)));
    }

    /// The nearest item below, of several the one that has most columns in common.
    fn below(&self, at: usize) -> Option<usize> {
        let from = self.items.get(at)?;
        let below = |item: &PlacedItem| item.y >= from.bottom();
        self.nearest(from, below, |item| item.y - from.bottom())
    }

    fn above(&self, at: usize) -> Option<usize> {
        let from = self.items.get(at)?;
        let above = |item: &PlacedItem| item.bottom() <= from.y;
        self.nearest(from, above, |item| from.y - item.bottom())
    }

    fn nearest(
        &self,
        from: &PlacedItem,
        is_there: impl Fn(&PlacedItem) -> bool,
        distance: impl Fn(&PlacedItem) -> u32,
    ) -> Option<usize> {
        let in_common = |item: &PlacedItem| {
            (item.x + item.width).min(from.x + from.width).saturating_sub(item.x.max(from.x))
        };
        let there = self.items.iter().enumerate().filter(|(_, item)| is_there(item));
        let best = there.min_by_key(|(_, item)| {
            let common = in_common(item);
            (distance(item) + if common > 0 { 0 } else { 1000 }, u16::MAX - common, item.x)
        });
        best.map(|(index, _)| index)
    }

    /// The item beside it on the same lines; else the one before or after it.
    fn beside(&self, at: usize, is_right: bool) -> Option<usize> {
        let from = self.items.get(at)?;
        let is_level = |item: &PlacedItem| item.y < from.bottom() && item.bottom() > from.y;
        let beside = self.items.iter().enumerate().filter(|(_, item)| is_level(item)).filter(|(_, item)| {
            if is_right { item.x >= from.x + from.width } else { item.x + item.width <= from.x }
        });
        let distance = |item: &PlacedItem| {
            let across = if is_right { item.x - from.x } else { from.x - item.x };
            (across, item.y.abs_diff(from.y))
        };
        let found = beside.min_by_key(|(_, item)| distance(item)).map(|(index, _)| index);
        let next = if is_right { at.checked_add(1) } else { at.checked_sub(1) };
        found.or(next.filter(|next| *next < self.items.len()))
    }

    /// The first item about one screen further.
    fn page(&self, at: usize, by: i32, height: u16) -> Option<usize> {
        let from = self.items.get(at)?;
        let page = u32::from(height.max(2) - 1);
        let found = if by > 0 {
            let wanted = from.y.saturating_add(page);
            self.items.iter().position(|item| item.y >= wanted).unwrap_or(self.items.len().saturating_sub(1))
        } else {
            let wanted = from.y.saturating_sub(page);
            self.items.iter().position(|item| item.y >= wanted).unwrap_or(0)
        };
        Some(found)
    }
}

/// In a panel on the whole screen there is nothing more to open.
fn note_way_back(shared: &mut Shared, now: Timestamp) -> bool {
    let key = shared.key(Command::Back);
    shared.messages.note(format!("{key} returns to the dashboard"), now);
    true
}
