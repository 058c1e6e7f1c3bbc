//! Draws a panel: its frame, its state, and its picture by its kind.

use super::status::PanelStatus;
use super::{OpenDashboard, PanelPicture, PlacedPanel, queries};
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture;
use crate::app::widgets::bar;
use crate::model::dashboard::panel::PanelKind;

mod bars;
mod chart;
mod digits;
mod lists;
mod stat;
mod table;

/// Where a picture is drawn.
pub(super) struct Canvas<'a, 's> {
    screen: &'a OpenDashboard,
    cx: &'a ScreenCx<'s>,
    /// Lines that are scrolled away.
    scroll: u16,
    /// Whether the panel has the whole screen.
    is_whole: bool,
}

/// Draws a panel of the grid with its frame.
pub(super) fn framed(
    screen: &OpenDashboard,
    cx: &ScreenCx<'_>,
    (panel, is_current): (&PlacedPanel, bool),
    area: Rect,
    buf: &mut Buffer,
) {
    let status = PanelStatus::of(screen, cx.shared, panel, cx.now);
    let canvas = Canvas { screen, cx, scroll: 0, is_whole: false };
    let is_bare = panel.panel.title.trim().is_empty() && area.height < 5;
    if is_bare && matches!(panel.panel.kind, PanelKind::Words { .. }) {
        // a line of text needs no frame
        let sign = if is_current { cx.symbol(Role::Selected) } else { " " };
        text::put(buf, area.x, area.y, area.width.min(1), sign, cx.style(Role::Accent));
        let cells = area.width.min(1);
        let inner = Rect { x: area.x + cells, width: area.width - cells, ..area };
        return canvas.content(panel, &status, inner, buf);
    }
    let marks = marks(cx, &status);
    let room = area.width.saturating_sub(text::runs_width(&marks) + 6);
    let title = text::fit(&screen.title_of(panel), room, cx.charset).into_owned();
    let inner = bar::panel(cx, &title, is_current, area, buf);
    let width = text::runs_width(&marks);
    if area.height >= 2 && width > 0 && width + 4 < area.width {
        let place = Rect { x: area.right() - width - 2, y: area.y, width, height: 1 };
        text::runs(cx, &marks, place, buf);
    }
    canvas.content(panel, &status, inner, buf);
}

/// Draws a panel on the whole screen: its description and notes above, its content below.
pub(super) fn whole(
    screen: &OpenDashboard,
    cx: &ScreenCx<'_>,
    panel: &PlacedPanel,
    area: Rect,
    buf: &mut Buffer,
) {
    let status = PanelStatus::of(screen, cx.shared, panel, cx.now);
    let scope = queries::with_time(&screen.variables, &panel.scope);
    let mut lines: Vec<(String, Role)> = Vec::new();
    if let Some(description) = panel.panel.description.as_deref().filter(|text| !text.trim().is_empty()) {
        let text = scope.title(description);
        lines.extend(
            text::wrap(&text, area.width.saturating_sub(2)).into_iter().map(|line| (line, Role::Muted)),
        );
    }
    if let PanelStatus::Ready { stale, notes } = &status {
        let age = stale.map(|age| format!("{} data of {} ago", cx.symbol(Role::Stale), duration::short(age)));
        let notes =
            age.into_iter().chain(notes.iter().map(|note| format!("{} {note}", cx.symbol(Role::Warning))));
        for note in notes {
            let wrapped = text::wrap(&note, area.width.saturating_sub(2));
            lines.extend(wrapped.into_iter().map(|line| (line, Role::Stale)));
        }
    }
    let most = (area.height / 4).min(6);
    lines.truncate(usize::from(most));
    let head = u16::try_from(lines.len()).unwrap_or(0);
    for (y, (line, role)) in (area.top()..area.bottom()).zip(&lines) {
        text::put(buf, area.x + 1, y, area.width.saturating_sub(1), line, cx.style(*role));
    }
    let rest = Rect { y: area.y + head, height: area.height - head, ..area };
    let canvas = Canvas { screen, cx, scroll: screen.open_scroll, is_whole: true };
    canvas.content(panel, &status, rest, buf);
}

/// The signs in the frame: old data, something missing.
fn marks(cx: &ScreenCx<'_>, status: &PanelStatus) -> Vec<StyledRun<'static>> {
    match status {
        PanelStatus::Waiting(_) => Vec::new(),
        PanelStatus::Failed(_) => {
            vec![StyledRun::new(format!(" {} ", cx.symbol(Role::Trouble)), Role::Trouble)]
        }
        PanelStatus::Ready { stale, notes } => {
            let age = stale.map(|age| {
                StyledRun::new(format!(" {} {} ", cx.symbol(Role::Stale), duration::short(age)), Role::Stale)
            });
            let notes = (!notes.is_empty())
                .then(|| StyledRun::new(format!(" {} ", cx.charset.pick("⚠", "!")), Role::Warning));
            age.into_iter().chain(notes).collect()
        }
    }
}

impl Canvas<'_, '_> {
    fn content(&self, panel: &PlacedPanel, status: &PanelStatus, area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        match status {
            PanelStatus::Waiting(words) => text::centred(cx, words, Role::Muted, area, buf),
            PanelStatus::Failed(messages) => self.message(&messages.join("; "), Role::Trouble, area, buf),
            PanelStatus::Ready { stale, notes } => {
                if let Some(own) = picture::without_data(&panel.panel) {
                    let own = self.filled(panel, own);
                    return self.draw(panel, &own, area, buf);
                }
                match self.screen.pictures.get(&panel.key).map(|made| &made.picture) {
                    None => text::centred(cx, cx.shared.waiting(), Role::Muted, area, buf),
                    // what failed explains why there is nothing
                    Some(PanelPicture::NoData(words)) if !notes.is_empty() => {
                        self.message(&format!("{words}. {}", notes.join("; ")), Role::Stale, area, buf);
                    }
                    Some(picture) => self.draw(panel, picture, area, buf),
                }
                if stale.is_some() {
                    buf.set_style(area.intersection(buf.area), cx.style(Role::Stale));
                }
            }
        }
    }

    /// Text panels have variables.
    fn filled(&self, panel: &PlacedPanel, picture: PanelPicture) -> PanelPicture {
        let scope = queries::with_time(&self.screen.variables, &panel.scope);
        match picture {
            PanelPicture::Words { content, is_markdown } => {
                PanelPicture::Words { content: scope.title(&content).into(), is_markdown }
            }
            PanelPicture::Alerts(mut options) => {
                let fill = |text: &mut Option<Text>| {
                    if let Some(text) = text {
                        *text = scope.title(text).into();
                    }
                };
                fill(&mut options.name);
                fill(&mut options.matchers);
                PanelPicture::Alerts(options)
            }
            other @ (PanelPicture::Chart(_)
            | PanelPicture::Stats { .. }
            | PanelPicture::Gauges(_)
            | PanelPicture::Bars(_)
            | PanelPicture::Table(_)
            | PanelPicture::Heat(_)
            | PanelPicture::States(_)
            | PanelPicture::Lines { .. }
            | PanelPicture::Dashboards
            | PanelPicture::NoData(_)
            | PanelPicture::Undrawable(_)) => other,
        }
    }

    fn draw(&self, panel: &PlacedPanel, picture: &PanelPicture, area: Rect, buf: &mut Buffer) {
        match picture {
            PanelPicture::Chart(chart) => self.chart(chart, area, buf),
            PanelPicture::Stats { values, colour, text, has_sparkline } => {
                self.stats(values, (*colour, *text, *has_sparkline), area, buf);
            }
            PanelPicture::Gauges(values) => self.gauges(values, area, buf),
            PanelPicture::Bars(rows) => self.bars(rows, area, buf),
            PanelPicture::Table(table) => self.table(table, area, buf),
            PanelPicture::Heat(heat) => self.heat(heat, area, buf),
            PanelPicture::States(states) => self.states(states, area, buf),
            PanelPicture::Words { content, is_markdown } => self.words(content, *is_markdown, area, buf),
            PanelPicture::Lines { .. } => self.log_lines(picture, area, buf),
            PanelPicture::Alerts(options) => self.alerts(options, panel, area, buf),
            PanelPicture::Dashboards => self.dashboards(area, buf),
            PanelPicture::NoData(words) => text::centred(self.cx, words, Role::Muted, area, buf),
            PanelPicture::Undrawable(why) => {
                self.message(&format!("Cannot be drawn here: {why}"), Role::Unknown, area, buf);
            }
        }
    }

    /// A text in the middle of a panel, wrapped.
    fn message(&self, words: &str, role: Role, area: Rect, buf: &mut Buffer) {
        let lines =
            text::wrap(&format!("{} {words}", self.cx.symbol(role)), area.width.saturating_sub(2).max(1));
        let count = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
        let top = area.y + (area.height - count) / 2;
        for (y, line) in (top..area.bottom()).zip(&lines) {
            text::put(buf, area.x + 1, y, area.width.saturating_sub(1), line, self.cx.style(role));
        }
    }

    /// Says at the bottom right how many lines are below.
    fn more(&self, hidden: usize, area: Rect, buf: &mut Buffer) {
        if hidden > 0 && area.height > 1 {
            // the last line gives way: a cut number would be read as another one
            let words = format!("+{} more", hidden + 1);
            let words = text::fit(&words, area.width, self.cx.charset).into_owned();
            let y = area.bottom() - 1;
            for x in area.left()..area.right() {
                if let Some(cell) = buf.cell_mut((x, y)) {
                    cell.set_symbol(" ");
                }
            }
            text::put(buf, area.x, y, area.width, &words, self.cx.style(Role::Muted));
        }
    }
}

/// The lines of a picture's content, about; for scrolling.
pub(super) fn lines(picture: &PanelPicture) -> usize {
    match picture {
        PanelPicture::Bars(rows) => rows.len() + 2,
        PanelPicture::Table(table) => table.rows.len() + 3,
        PanelPicture::States(states) => states.rows.len() + 3,
        PanelPicture::Lines { lines, .. } => lines.len() + 1,
        PanelPicture::Words { content, .. } => content.lines().count() * 3,
        PanelPicture::Chart(chart) => chart.series.len() + 6,
        PanelPicture::Alerts(_) | PanelPicture::Dashboards => 1000,
        PanelPicture::Stats { .. }
        | PanelPicture::Gauges(_)
        | PanelPicture::Heat(_)
        | PanelPicture::NoData(_)
        | PanelPicture::Undrawable(_) => 0,
    }
}
