//! States over time: a row for each subject, a coloured stretch with its word for each state.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::ChartFrame;
use super::chart::ChartView;
use super::text;
use crate::app::display_settings::Cx;
use crate::app::theme::Role;
use crate::model::series::TimeGrid;

/// Subjects, each with the index of its state at each point of a grid; `None` where it is unknown.
#[derive(Debug, Clone, Copy)]
pub struct StateRows<'a> {
    pub span: TimeGrid,
    pub states: &'a [(String, Role)],
    pub rows: &'a [(String, Vec<Option<u16>>)],
    /// Whether each point is a box of its own, instead of a stretch for equal ones.
    pub is_separate: bool,
    pub view: ChartView,
}

impl StateRows<'_> {
    /// Draws the rows from `first` on, the time axis below if there is room, and returns how many rows have no room.
    pub fn render(&self, cx: &Cx<'_>, first: usize, area: Rect, buf: &mut Buffer) -> usize {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return 0;
        }
        let has_axis = area.height >= 4 && area.width >= 24;
        let room = area.height - if has_axis { 2 } else { 0 };
        let shown = self.rows.get(first..).unwrap_or_default();
        let count = u16::try_from(shown.len()).unwrap_or(u16::MAX).min(room).max(1);
        // tall rows have a blank line between them
        let tall = (room / count).clamp(1, 4);
        let widest = shown.iter().map(|(name, _)| text::width(name)).max().unwrap_or(0);
        let labels = widest.min(area.width / 3).min(28);
        let gap = u16::from(labels > 0);
        let plot = Rect {
            x: area.x + labels + gap,
            width: area.width - labels - gap,
            height: (count * tall).min(room),
            ..area
        };
        let (span, points) = match self.view.part {
            Some((from, to)) => self.span.part(from, to),
            None => (self.span, 0..self.span.count()),
        };
        for (row, (name, states)) in (0..count).zip(shown) {
            let y = plot.y + row * tall;
            let height = if tall > 1 { tall - 1 } else { 1 };
            let name = text::fit(name, labels, cx.charset);
            text::put(buf, area.x, y + (height - 1) / 2, labels, &name, cx.style(Role::Text));
            let states = states.get(points.clone()).unwrap_or_default();
            self.row(cx, states, Rect { y, height, ..plot }, buf);
        }
        if has_axis {
            let line = Rect { y: plot.bottom(), height: 1, ..plot };
            let frame = ChartFrame { legend: None, labels: Rect { width: 0, ..plot }, plot, line };
            frame.draw(cx, span, &[], self.view.cursor, buf);
            if let Some(column) = frame.cursor(span, self.view.cursor) {
                for y in plot.top()..plot.bottom() {
                    text::put(buf, plot.x + column, y, 1, cx.charset.pick("│", "|"), cx.style(Role::Accent));
                }
            }
        }
        shown.len().saturating_sub(usize::from(count))
    }

    /// The stretches of one subject.
    fn row(&self, cx: &Cx<'_>, states: &[Option<u16>], area: Rect, buf: &mut Buffer) {
        let count = states.len();
        let edge = |point: usize| {
            let cells = usize::from(area.width) * point / count.max(1);
            u16::try_from(cells).unwrap_or(area.width)
        };
        let mut from = 0;
        while from < count {
            let state = states.get(from).copied().flatten();
            let mut to = from + 1;
            while to < count
                && states.get(to).copied().flatten() == state
                // boxes that would share a cell are one
                && (!self.is_separate || edge(to) == edge(from))
            {
                to += 1;
            }
            let stretch = Rect { x: area.x + edge(from), width: edge(to) - edge(from), ..area };
            match state.and_then(|index| self.states.get(usize::from(index))) {
                Some(state) => self.stretch(cx, state, stretch, buf),
                None => {
                    for x in stretch.left()..stretch.right() {
                        let y = stretch.y + (stretch.height.max(1) - 1) / 2;
                        text::put(buf, x, y, 1, cx.charset.pick("·", "."), cx.style(Role::Border));
                    }
                }
            }
            from = to;
        }
    }

    /// A stretch: its colour as background, its word if there is room, else its symbol.
    fn stretch(&self, cx: &Cx<'_>, (word, role): &(String, Role), area: Rect, buf: &mut Buffer) {
        let style = cx.style(*role);
        let tint = cx.theme.tint(*role, Role::Text, 0.45);
        let gap = u16::from(area.width > 2 && self.is_separate);
        let width = area.width - gap;
        if let Some(tint) = tint {
            buf.set_style(Rect { width, ..area }.intersection(buf.area), Style { bg: Some(tint), ..style });
        }
        let y = area.y + (area.height.max(1) - 1) / 2;
        let has_word = text::width(word) + 1 < width;
        let sign = if role.symbol() == " " { cx.charset.pick("─", "-") } else { cx.symbol(*role) };
        for x in area.left()..area.left() + width {
            // without a background, a line shows how long the state lasts
            let is_start = x == area.left();
            let mark = match (tint, has_word) {
                (Some(_), _) => " ",
                (None, true) if is_start => sign,
                (None, true) => cx.charset.pick("─", "-"),
                (None, false) => sign,
            };
            text::put(buf, x, y, 1, mark, Style { bg: tint.or(style.bg), ..style });
        }
        if has_word {
            let style = Style { fg: cx.style(Role::Text).fg.or(style.fg), bg: tint.or(style.bg), ..style };
            let style = if tint.is_none() { cx.style(*role) } else { style };
            text::put(buf, area.x + 1, y, width - 1, word, style);
        } else if tint.is_some() && width > 0 {
            let style = Style { bg: tint, ..style };
            text::put(buf, area.x, y, 1, sign, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::display_settings::Charset;
    use crate::app::widgets::probe::{NOW, drawn, has_role, lines, sweep, with_cx};

    fn span() -> TimeGrid {
        let end = jiff::Timestamp::from_second(NOW).unwrap();
        TimeGrid::stepped(end, Duration::from_secs(600), Duration::from_secs(60))
    }

    fn states() -> Vec<(String, Role)> {
        vec![("up".to_owned(), Role::Healthy), ("down".to_owned(), Role::Critical)]
    }

    fn rows() -> Vec<(String, Vec<Option<u16>>)> {
        let cart =
            vec![Some(0), Some(0), Some(0), Some(0), Some(0), Some(1), Some(1), Some(1), None, None, Some(0)];
        vec![("cart".to_owned(), cart), ("web".to_owned(), vec![Some(0); 11])]
    }

    fn picture(charset: Charset, (width, height): (u16, u16), is_separate: bool) -> Buffer {
        let (states, rows) = (states(), rows());
        let widget =
            StateRows { span: span(), states: &states, rows: &rows, is_separate, view: ChartView::default() };
        drawn(width, height, |area, buf| {
            with_cx(charset, |cx| {
                widget.render(cx, 0, area, buf);
            });
        })
    }

    #[test]
    fn each_state_has_its_word_and_its_colour_and_a_gap_is_no_state() {
        let buf = picture(Charset::Unicode, (38, 4), false);
        let shown = lines(&buf);
        assert_eq!(shown[0], "cart ✓up────────────●down────······✓✓✓");
        assert_eq!(shown[1], "web  ✓up──────────────────────────────");
        assert!(has_role(&buf, 6, 0, Role::Healthy) && has_role(&buf, 21, 0, Role::Critical));
        assert!(has_role(&buf, 31, 0, Role::Border));
    }

    #[test]
    fn in_ascii_without_colour_states_are_told_apart_by_letters() {
        let shown = lines(&picture(Charset::Ascii, (27, 2), false));
        assert_eq!(shown[0], "cart .up-------Cdown-......");
    }

    #[test]
    fn any_size_will_do() {
        let (states, rows) = (states(), rows());
        for is_separate in [false, true] {
            let widget = StateRows {
                span: span(),
                states: &states,
                rows: &rows,
                is_separate,
                view: ChartView::default(),
            };
            sweep(|cx, area, buf| {
                widget.render(cx, 0, area, buf);
                widget.render(cx, 9, area, buf);
            });
        }
    }
}
