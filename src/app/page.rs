//! A page of text that is wrapped to its area and scrolls: titles, paragraphs, name-value pairs, list rows.

use std::fmt::Display;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::display_settings::{Charset, Cx};
use crate::app::list::List;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, StyledRun};

#[derive(Debug, Clone, Default)]
pub struct PageContent {
    pub lines: Vec<Vec<StyledRun<'static>>>,
    /// The width in cells to which text is wrapped.
    pub width: u16,
    /// The list rows among the lines, which the cursor can be on.
    pub rows: Vec<PageRow>,
    /// The panels that are sections of the text, with the lines of their titles.
    sections: Vec<(usize, usize)>,
    /// The panel with the focus, and the index of its list's cursor.
    focus: (usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRow {
    pub panel: usize,
    /// The index in the list; 0 if the panel is this row alone.
    pub index: usize,
    pub line: usize,
}

impl PageContent {
    pub fn new(width: u16) -> Self {
        Self { width, ..Self::default() }
    }

    /// An empty page on which the cursor is in this panel, at this index of its list.
    pub fn focused(width: u16, focus: (usize, usize)) -> Self {
        Self { focus, ..Self::new(width) }
    }

    /// Adds one line.
    pub fn line(&mut self, runs: Vec<StyledRun<'static>>) {
        self.lines.push(runs);
    }

    /// Adds a row of a list, with the cursor symbol if the cursor is on it.
    pub fn row(
        &mut self,
        cx: &Cx<'_>,
        (panel, index): (usize, usize),
        runs: impl IntoIterator<Item = StyledRun<'static>>,
    ) {
        let sign = if self.focus == (panel, index) { cx.symbol(Role::Selected) } else { " " };
        self.rows.push(PageRow { panel, index, line: self.lines.len() });
        self.line(std::iter::once(StyledRun::new(sign, Role::Accent)).chain(runs).collect());
    }

    /// Adds the rows of a list. A row that no longer exists is empty, so that the number of lines is the number of rows.
    pub fn list<K: Clone + Ord>(
        &mut self,
        cx: &Cx<'_>,
        (panel, list): (usize, &List<K>),
        runs: impl Fn(&K) -> Option<Vec<StyledRun<'static>>>,
    ) {
        for (index, key) in list.rows().iter().enumerate() {
            self.row(cx, (panel, index), runs(key).unwrap_or_default());
        }
    }

    /// The line of a list row.
    pub fn line_of(&self, panel: usize, index: usize) -> Option<usize> {
        let found = self.rows.iter().find(|row| (row.panel, row.index) == (panel, index));
        found.map(|row| row.line)
    }

    /// The list row on a line, if the line is one.
    pub fn row_on(&self, line: usize) -> Option<PageRow> {
        self.rows.iter().find(|row| row.line == line).copied()
    }

    /// Adds a title, with an empty line before it.
    pub fn title(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![StyledRun::new(format!(" {title}"), Role::Title)]);
    }

    /// Adds the title of a section that can have the focus.
    pub fn section(&mut self, cx: &Cx<'_>, panel: usize, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.sections.push((panel, self.lines.len()));
        let is_focused = self.focus.0 == panel;
        let sign = if is_focused { cx.symbol(Role::Selected) } else { " " };
        let role = if is_focused { Role::Accent } else { Role::Title };
        self.lines.push(vec![StyledRun::new(sign, Role::Accent), StyledRun::new(title.to_owned(), role)]);
    }

    /// The line of the title of a section.
    pub fn section_line(&self, panel: usize) -> Option<usize> {
        self.sections.iter().find(|(known, _)| *known == panel).map(|(_, line)| *line)
    }

    /// Adds text, wrapped to the page's width.
    pub fn paragraph(&mut self, words: &str, role: Role) {
        for line in text::wrap(words, self.width.saturating_sub(2)) {
            self.lines.push(vec![StyledRun::new(format!(" {line}"), role)]);
        }
    }

    /// Adds a paragraph that begins with the symbol of its role.
    pub fn remark(&mut self, cx: &Cx<'_>, words: impl Display, role: Role) {
        self.paragraph(&format!("{} {words}", cx.symbol(role)), role);
    }

    /// Adds a name and its values, if there are any.
    pub fn names<'n>(&mut self, name: &str, values: impl IntoIterator<Item = &'n str>, role: Role) {
        let values: Vec<&str> = values.into_iter().collect();
        if !values.is_empty() {
            self.pair(name, &values.join(", "), role);
        }
    }

    /// As [`Self::pair`], with less room for the name.
    pub fn fact(&mut self, name: &str, value: &str, role: Role) {
        self.lines.extend(text::beside(&format!("  {name:<12} "), value, self.width, role));
    }

    /// Adds a name and its value; a long value is wrapped below itself.
    pub fn pair(&mut self, name: &str, value: &str, role: Role) {
        let indent = 18.min(self.width / 3);
        let name = text::pad(name, indent.saturating_sub(1), Charset::Unicode);
        self.lines.extend(text::beside(&format!("  {name} "), value, self.width, role));
    }

    /// Draws the lines from `scroll` on, with the row under the cursor highlighted.
    pub fn render(&self, cx: &Cx<'_>, scroll: u16, area: Rect, buf: &mut Buffer) {
        let (panel, index) = self.focus;
        let current = self.line_of(panel, index);
        let hidden = self.lines.len().saturating_sub(usize::from(scroll) + usize::from(area.height));
        let more = format!(" {hidden} more lines {} ", cx.charset.pick("↓", "v"));
        let more_cells = if hidden > 0 { text::width(&more).min(area.width) } else { 0 };
        let last = area.bottom().saturating_sub(1);
        let shown = self.lines.iter().enumerate().skip(usize::from(scroll));
        for (y, (index, line)) in (area.top()..area.bottom()).zip(shown) {
            let place = Rect { y, height: 1, ..area };
            // a cut number would be read as another number: text with no room beside the count gets an ellipsis
            let room = if y == last { area.width - more_cells } else { area.width };
            text::runs(cx, line, Rect { width: room, ..place }, buf);
            if current == Some(index) {
                buf.set_style(place, cx.style(Role::Selected));
            }
        }
        if hidden > 0 {
            text::right(buf, area.right() - more_cells, last, more_cells, &more, cx.style(Role::Key));
        }
    }

    /// The largest scroll position for an area of this height.
    pub fn last_scroll(&self, height: u16) -> u16 {
        u16::try_from(self.lines.len()).unwrap_or(u16::MAX).saturating_sub(height)
    }
}

/// The scroll position nearest to the present one at which this line is visible.
pub fn scroll_to(line: usize, scroll: u16, height: u16) -> u16 {
    let line = u16::try_from(line).unwrap_or(u16::MAX);
    // the last visible line may be covered by the count of the lines below
    let lowest = line.saturating_add(2).saturating_sub(height).min(line);
    scroll.clamp(lowest, line)
}
