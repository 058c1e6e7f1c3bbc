//! The areas of the frame, and the heading line that screens have in common.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::display_settings::Cx;
use super::shared::{ScreenCx, Shared};
use super::staleness::stale_sources;
use super::theme::Role;
use super::widgets::table;
use super::widgets::text::{self, StyledRun};
use crate::model::ask::AskKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Areas {
    /// Line 1.
    pub(super) bar: Rect,
    /// Line 2.
    pub(super) tabs: Rect,
    pub(super) body: Rect,
    /// The last line.
    pub(super) footer: Rect,
}

/// The areas of the frame in a terminal of this size (columns, rows).
pub(super) fn areas((width, height): (u16, u16)) -> Areas {
    let line = |y| Rect { x: 0, y, width, height: 1.min(height) };
    Areas {
        bar: line(0),
        tabs: line(1),
        body: Rect { x: 0, y: 2, width, height: height.saturating_sub(3) },
        footer: line(height.saturating_sub(1)),
    }
}

/// The rows of a table below a heading line and the table's header.
pub(super) fn table_rows(body: Rect) -> Rect {
    table::body(below_heading(body))
}

/// The area below a heading line.
pub(super) fn below_heading(body: Rect) -> Rect {
    let line = 1.min(body.height);
    Rect { y: body.y + line, height: body.height - line, ..body }
}

/// Draws a heading line with what is to be doubted about a screen that uses answers of these kinds. Gives the room below.
pub(super) fn heading_with_staleness(
    cx: &ScreenCx<'_>,
    title: &[StyledRun<'_>],
    used: &[AskKind],
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    heading(cx, title, &staleness_runs(cx.shared, used, cx.now), area, buf)
}

/// Draws a heading line: the title, and at the right a warning about stale data. Returns the area below.
pub(super) fn heading(
    cx: &Cx<'_>,
    left: &[StyledRun<'_>],
    right: &[StyledRun<'_>],
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let line = Rect { height: 1.min(area.height), ..area };
    // the warning must be visible: it gets three fifths of the line, and more where the title needs less
    let most = (line.width * 3 / 5).max(line.width.saturating_sub(text::runs_width(left) + 2));
    let width = text::runs_width(right).min(most);
    let gap = if width > 0 { 2 } else { 0 };
    text::runs(cx, left, Rect { width: line.width.saturating_sub(width + gap), ..line }, buf);
    text::runs(cx, right, Rect { x: line.right() - width, width, ..line }, buf);
    below_heading(area)
}

/// The warning in the heading of a screen that uses answers of these kinds: which of its data are stale, and why.
pub(super) fn staleness_runs(shared: &Shared, kinds: &[AskKind], now: Timestamp) -> Vec<StyledRun<'static>> {
    // detail queries (one alert, one incident) belong to every screen: only the screen about that subject sends them
    let about_one = AskKind::ALL.into_iter().filter(|kind| kind.has_key());
    let kinds: Vec<AskKind> = kinds.iter().copied().chain(about_one).collect();
    let all = stale_sources(shared, &kinds, now);
    let Some(first) = all.first() else { return Vec::new() };
    let more = if all.len() > 1 { format!(" (+{} more, see Sources)", all.len() - 1) } else { String::new() };
    let sign = shared.look.charset.pick(Role::Stale.symbol(), Role::Stale.ascii());
    vec![StyledRun::new(format!("{sign} {}{more}", first.sentence(now)), Role::Stale)]
}
