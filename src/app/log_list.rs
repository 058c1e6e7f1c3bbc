//! The list of log lines: the cursor stays on its line while lines come and go, lines may take several rows, and only lines in
//! sight are laid out.

pub mod view;

use std::collections::BTreeSet;
use std::sync::Arc;

use super::list::Cursor;
use super::log_filter::LogFilter;
use super::log_format::{self, LineLayout};
use crate::model::log::{LogLine, LogLineKey};

/// From this width on, the time of a line has milliseconds, and its severity is a word, too.
const WIDE: u16 = 70;
/// A line that was looked for has this many lines above it.
const ABOVE: usize = 8;

/// The cells before the text of a line: sign of the cursor, time, severity.
pub const fn head_width(width: u16) -> u16 {
    if width < WIDE { 12 } else { 23 }
}

#[derive(Debug, Default)]
pub struct LogList {
    /// In the order of the screen.
    lines: Vec<Arc<LogLine>>,
    pub filter: LogFilter,
    pub layout: LineLayout,
    /// Whether the newest line comes first.
    pub is_newest_first: bool,
    /// Whether the user has moved the cursor away from the newest line.
    is_moved: bool,
    index: usize,
    /// The first line in sight.
    top: usize,
    open: BTreeSet<LogLineKey>,
    marks: BTreeSet<LogLineKey>,
    /// The line that the cursor is moved to when it is loaded, until the user moves it.
    pub seek: Option<LogLineKey>,
}

impl LogList {
    /// Replaces the lines, which are in the order of time.
    pub fn set(&mut self, mut lines: Vec<Arc<LogLine>>) {
        if self.is_newest_first {
            lines.reverse();
        }
        let chosen = self.seek.or_else(|| self.current().map(|line| line.key()).filter(|_| self.is_moved));
        let offset = self.index.saturating_sub(self.top);
        self.lines = lines;
        let found = chosen.and_then(|key| self.lines.iter().position(|line| line.key() == key));
        self.index = match found {
            Some(at) => at,
            None if self.is_moved => self.index.min(self.lines.len().saturating_sub(1)),
            None => self.newest(),
        };
        self.top = self.index.saturating_sub(offset);
        if found.is_some() && self.seek.is_some() {
            (self.is_moved, self.top) = (true, self.index.saturating_sub(ABOVE));
        }
        if self.lines.is_empty() {
            self.is_moved = false;
        }
    }

    /// Forgets what belongs to the lines of another subject.
    pub fn clear(&mut self) {
        let Self { layout, is_newest_first, .. } = *self;
        *self = Self { layout, is_newest_first, ..Self::default() };
    }

    pub fn lines(&self) -> &[Arc<LogLine>] {
        &self.lines
    }

    pub fn current(&self) -> Option<&Arc<LogLine>> {
        self.lines.get(self.index)
    }

    /// The index of the newest line.
    fn newest(&self) -> usize {
        if self.is_newest_first { 0 } else { self.lines.len().saturating_sub(1) }
    }

    /// Whether the cursor stays on the newest line when lines come.
    pub fn is_at_newest(&self) -> bool {
        !self.is_moved
    }

    /// How many lines are newer than the one under the cursor.
    pub fn newer(&self) -> usize {
        self.index.abs_diff(self.newest())
    }

    /// How many lines are older than the one under the cursor.
    pub fn older(&self) -> usize {
        self.lines.len().saturating_sub(1).saturating_sub(self.newer())
    }

    pub fn follow_newest(&mut self) {
        (self.index, self.is_moved, self.seek) = (self.newest(), false, None);
    }

    /// Unfolds the line under the cursor, or folds it.
    pub fn toggle_open(&mut self) {
        if let Some(key) = self.current().map(|line| line.key())
            && !self.open.remove(&key)
        {
            self.open.insert(key);
        }
    }

    pub fn is_open(&self, line: &LogLine) -> bool {
        !self.open.is_empty() && self.open.contains(&line.key())
    }

    pub fn is_marked(&self, line: &LogLine) -> bool {
        !self.marks.is_empty() && self.marks.contains(&line.key())
    }

    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// The marked lines in the order of time, else the one under the cursor.
    pub fn chosen(&self) -> Vec<&Arc<LogLine>> {
        if self.marks.is_empty() {
            return self.current().into_iter().collect();
        }
        let mut marked: Vec<&Arc<LogLine>> = self.lines.iter().filter(|line| self.is_marked(line)).collect();
        marked.sort_by_key(|line| line.at);
        marked
    }

    /// Reverses the order; the cursor stays on its line.
    pub fn reverse(&mut self) {
        self.is_newest_first = !self.is_newest_first;
        self.lines.reverse();
        self.index = self.lines.len().saturating_sub(1).saturating_sub(self.index);
        self.top = self.index;
    }

    fn height(&self, at: usize) -> usize {
        let Some(line) = self.lines.get(at) else { return 0 };
        log_format::height(line, &self.filter, self.layout, head_width(self.layout.width), self.is_open(line))
            .max(1)
    }

    /// The lines in sight of a window of this height, each with its index.
    pub fn shown(&self, height: usize) -> impl Iterator<Item = (usize, &Arc<LogLine>)> {
        let mut used = 0;
        self.lines.iter().enumerate().skip(self.top).take_while(move |(at, _)| {
            let is_seen = used < height;
            used += self.height(*at);
            is_seen
        })
    }

    /// The first line of a window of this height whose last line is `last`, seen as a whole if it fits.
    fn top_for(&self, last: usize, height: usize) -> usize {
        let mut used = self.height(last);
        let mut top = last;
        while top > 0 {
            used += self.height(top - 1);
            if used > height {
                break;
            }
            top -= 1;
        }
        top
    }
}

impl Cursor for LogList {
    fn len(&self) -> usize {
        self.lines.len()
    }

    fn index(&self) -> usize {
        self.index
    }

    /// By one line, or by so many rows.
    fn move_by(&mut self, rows: isize) {
        let last = self.lines.len().saturating_sub(1);
        let steps = rows.unsigned_abs();
        let to = if steps <= 1 || steps > last {
            self.index.saturating_add_signed(rows).min(last)
        } else {
            let (mut at, mut used) = (self.index, 0);
            while used < steps && (rows > 0 && at < last || rows < 0 && at > 0) {
                used += self.height(at);
                at = at.saturating_add_signed(rows.signum());
            }
            at
        };
        if rows != 0 {
            self.move_to(to);
        }
    }

    fn move_to(&mut self, index: usize) {
        self.index = index.min(self.lines.len().saturating_sub(1));
        (self.is_moved, self.seek) = (self.index != self.newest(), None);
    }

    fn to_top(&mut self) {
        (self.index, self.top, self.seek) = (0, 0, None);
        self.is_moved = self.index != self.newest();
    }

    fn follow(&mut self, height: usize) {
        let last_top = self.top_for(self.lines.len().saturating_sub(1), height);
        self.top = self
            .top
            .clamp(self.top_for(self.index, height), self.index)
            .min(last_top.max(self.top_for(self.index, height)));
    }

    fn scroll(&mut self, rows: isize, height: usize) {
        let last_top = self.top_for(self.lines.len().saturating_sub(1), height);
        self.top = self.top.saturating_add_signed(rows).min(last_top);
        let last = self.shown(height).last().map_or(self.top, |(at, _)| at);
        // a line that is cut at the lower border is not where the cursor can stay
        let last = if self.top_for(last, height) > self.top { last.saturating_sub(1) } else { last };
        self.move_to(self.index.clamp(self.top, last.max(self.top)));
    }

    fn row_at(&self, line: usize, height: usize) -> Option<usize> {
        let mut used = 0;
        self.shown(height).find_map(|(at, _)| {
            used += self.height(at);
            (line < used).then_some(at)
        })
    }

    fn toggle_mark(&mut self) {
        if let Some(key) = self.current().map(|line| line.key()) {
            if !self.marks.remove(&key) {
                self.marks.insert(key);
            }
            self.move_by(1);
        }
    }

    fn toggle_all(&mut self) {
        let all: BTreeSet<LogLineKey> = self.lines.iter().map(|line| line.key()).collect();
        self.marks = if self.marks == all { BTreeSet::new() } else { all };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::labels::Labels;

    fn line(n: usize) -> Arc<LogLine> {
        let at = jiff::Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
        let text = format!("{n} {}", "long text ".repeat(n % 7));
        Arc::new(LogLine::new(at, Labels::default(), Labels::default(), text.as_bytes()))
    }

    fn list(count: usize) -> LogList {
        let mut list = LogList { layout: LineLayout { width: 60, is_wrapped: true }, ..LogList::default() };
        list.set((0..count).map(line).collect());
        list
    }

    fn second(list: &LogList) -> i64 {
        list.current().unwrap().at.as_second()
    }

    #[test]
    fn the_cursor_follows_the_newest_line_until_it_is_moved() {
        let mut list = list(10);
        assert_eq!(second(&list), 9);
        list.set((0..12).map(line).collect());
        assert_eq!((second(&list), list.is_at_newest()), (11, true));
        for _ in 0..3 {
            list.move_by(-1);
        }
        list.set((2..20).map(line).collect());
        assert_eq!((second(&list), list.newer(), list.older()), (8, 11, 6));
        list.follow_newest();
        list.set((2..25).map(line).collect());
        assert_eq!(second(&list), 24);
    }

    #[test]
    fn the_order_can_be_reversed_under_the_cursor() {
        let mut list = list(10);
        list.move_by(-2);
        list.reverse();
        assert_eq!((second(&list), list.index(), list.newer()), (7, 2, 2));
        list.set((0..12).map(line).collect());
        assert_eq!((second(&list), list.index()), (7, 4));
        list.follow_newest();
        assert_eq!((second(&list), list.index()), (11, 0));
    }

    #[test]
    fn a_line_that_is_sought_is_found_when_it_is_loaded() {
        let mut list = LogList { seek: Some(line(5).key()), ..LogList::default() };
        list.set((10..20).map(line).collect());
        assert_eq!(second(&list), 19);
        list.set((0..20).map(line).collect());
        assert_eq!((second(&list), list.is_at_newest()), (5, false));
    }

    #[test]
    fn marked_lines_are_chosen_in_the_order_of_time() {
        let mut list = list(5);
        list.reverse();
        list.to_top();
        list.toggle_mark();
        list.toggle_mark();
        let chosen: Vec<i64> = list.chosen().iter().map(|line| line.at.as_second()).collect();
        assert_eq!(chosen, [3, 4]);
        list.toggle_all();
        assert_eq!(list.marked(), 5);
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_in_sight(
            count in 0..40_usize,
            moves in prop::collection::vec(-25..25_isize, 0..20),
            height in 1..20_usize,
            is_open in any::<bool>(),
        ) {
            let mut list = list(count);
            list.follow(height);
            for (i, step) in moves.into_iter().enumerate() {
                if i % 3 == 0 { list.scroll(step, height) } else { list.move_by(step) }
                if is_open && i % 4 == 0 {
                    list.toggle_open();
                }
                list.follow(height);
                let shown: Vec<usize> = list.shown(height).map(|(at, _)| at).collect();
                prop_assert!(count == 0 || shown.contains(&list.index()), "{:?} {}", shown, list.index());
                prop_assert!(shown.len() <= height);
                for (row, at) in (0..height).filter_map(|row| Some((row, list.row_at(row, height)?))) {
                    prop_assert!(shown.contains(&at), "row {}", row);
                }
            }
        }
    }
}
