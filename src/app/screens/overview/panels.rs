//! Where the panels of the overview stand, and what their lists have in common.

use super::{ALERTS, INCIDENTS, Overview, SLOS as SLO_PANEL};
use crate::app::prelude::*;
use crate::app::staleness::StaleSource;
use crate::app::widgets::bar;

/// Cells that a tile wants besides its name: signs, signals and the shape of one of them.
const TILE: u16 = 44;

/// From this width on the alerts stand beside the services, else below.
const SIDE_BY_SIDE: u16 = 100;

/// Rows of SLOs that are shown at most.
const SLOS: u16 = 6;

/// From this height on there is room for SLOs beside the rest.
const TALL: u16 = 28;

/// Below this height there is no room for incidents besides services and alerts.
const SHORT: u16 = 16;

/// The panels of services, of alerts, of SLOs, and of what is broken.
pub(super) struct Panels {
    pub(super) services: Rect,
    pub(super) alerts: Rect,
    /// Without height where there is no room or none is known.
    pub(super) slos: Rect,
    /// As the one of SLOs.
    pub(super) incidents: Rect,
    pub(super) summary: Rect,
}

/// The panels of this state.
pub(super) fn panels_of(screen: &Overview, body: Rect) -> Panels {
    panels(body, screen.slos.rows().len(), screen.incidents.rows().len())
}

fn panels(body: Rect, slos: usize, incidents: usize) -> Panels {
    let incidents = u16::try_from(incidents).unwrap_or(u16::MAX);
    let most = if body.width >= SIDE_BY_SIDE && body.height >= TALL { (body.height / 6).max(3) } else { 2 };
    let incidents_height = if incidents == 0 || body.height < SHORT { 0 } else { incidents.min(most) + 2 };
    let summary_height = if body.height >= 20 { 6 } else { 0 };
    let slos_height = match u16::try_from(slos).unwrap_or(u16::MAX) {
        1.. if body.height < TALL => 0,
        0 => 0,
        slos => slos.min(SLOS.max(body.height / 5)) + 2,
    };
    if body.width >= SIDE_BY_SIDE {
        let right = (body.width * 2 / 5).min(70);
        let left = Rect { width: body.width - right, ..body };
        let side = Rect { x: left.right(), width: right, ..body };
        let above = summary_height + incidents_height + slos_height;
        Panels {
            services: left,
            summary: Rect { height: summary_height, ..side },
            incidents: Rect { y: side.y + summary_height, height: incidents_height, ..side },
            slos: Rect { y: side.y + summary_height + incidents_height, height: slos_height, ..side },
            alerts: Rect { y: side.y + above, height: side.height - above, ..side },
        }
    } else {
        let alerts = (body.height / 3).max(3).min(body.height);
        let services = Rect { height: body.height - alerts - incidents_height, ..body };
        let incidents = Rect { y: services.bottom(), height: incidents_height, ..body };
        Panels {
            services,
            summary: Rect { height: 0, ..body },
            slos: Rect { height: 0, ..body },
            alerts: Rect { y: incidents.bottom(), height: alerts, ..body },
            incidents,
        }
    }
}

/// The room inside a panel, as [`panel`](crate::app::widgets::bar::panel) leaves it.
pub(super) fn inside(area: Rect) -> Rect {
    if area.height < 2 || area.width < 2 {
        area
    } else if area.height < 5 || area.width < 10 {
        Rect { y: area.y + 1, height: area.height - 1, ..area }
    } else {
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }
}

/// Where the rows of a panel stand. Where all have room with two lines each, they have two.
pub(super) fn grid(screen: &Overview, body: Rect, of: usize) -> Grid {
    let panels = panels_of(screen, body);
    if matches!(of, SLO_PANEL | INCIDENTS) {
        let area = if of == SLO_PANEL { panels.slos } else { panels.incidents };
        return Grid::list(if area.height == 0 { Rect::default() } else { inside(area) });
    }
    let (area, columns, rows) = if of == ALERTS {
        (inside(panels.alerts), 1, screen.alerts.rows().len())
    } else {
        let area = inside(panels.services);
        let wanted = screen.widest.cells().clamp(8, 32) + TILE;
        (area, usize::from((area.width / wanted).max(1)), screen.services.rows().len())
    };
    let double = 2 * rows.div_ceil(columns) <= usize::from(area.height);
    Grid { area, columns, lines: if double { 2 } else { 1 } }
}

/// Says on the lower border which rows of how many are shown, if not all of them.
fn position(cx: &Cx<'_>, grid: Grid, first: usize, rows: usize, buf: &mut Buffer) {
    let shown = grid.room().min(rows);
    if shown < rows && grid.area.width > 20 {
        let words = format!(" {}-{} of {rows} ", first + 1, (first + shown).min(rows));
        text::right(buf, grid.area.x, grid.area.bottom(), grid.area.width, &words, cx.style(Role::Muted));
    }
}

/// A panel of the overview: what is drawn of its list.
pub(super) struct ListPanel<'a, K> {
    pub(super) panel: usize,
    pub(super) list: &'a List<K>,
    /// The parts of the title, each after two blanks.
    pub(super) title: Vec<String>,
    /// The kinds of answers that the rows are from.
    pub(super) kinds: &'a [AskKind],
}

impl<K: Clone + Ord> ListPanel<'_, K> {
    /// Draws the border with the title and the first source in doubt, and the rows that have room: `row` draws one, and returns
    /// whether its data are among those in doubt; then its mark, the cursor, and which rows of how many are shown. Returns the
    /// area inside.
    pub(super) fn render(
        self,
        screen: &Overview,
        cx: &ScreenCx<'_>,
        area: Rect,
        buf: &mut Buffer,
        row: impl Fn(&K, Rect, &mut Buffer, &[StaleSource]) -> bool,
    ) -> Rect {
        let Self { panel, list, mut title, kinds } = self;
        let is_focused = screen.scroll_position.panel == panel;
        let stale_sources = stale_sources(cx.shared, kinds, cx.now);
        if let Some(doubt) = stale_sources.first() {
            title.push(format!("{} {}", cx.symbol(Role::Stale), doubt.sentence(cx.now)));
        }
        let inner = bar::panel(cx, &title.join("  "), is_focused, area, buf);
        let grid = Grid { area: inner, ..grid(screen, layout::areas(cx.shared.size).body, panel) };
        let first = list.shown(grid.room()).next().map_or(0, |(index, _)| index);
        for (place, (index, key)) in list.shown(grid.room()).enumerate() {
            let cell = grid.cell(place);
            let cell = Rect { width: cell.width.saturating_sub(u16::from(grid.columns > 1)), ..cell };
            if row(key, cell, buf, &stale_sources) {
                buf.set_style(cell, cx.style(Role::Stale));
            }
            if list.marks().contains(key) {
                text::put(buf, cell.x + 2, cell.y, 1, cx.symbol(Role::Marked), cx.style(Role::Marked));
            }
            if index == list.index() && is_focused {
                text::select(cx, cell, buf);
            }
        }
        if inner.bottom() < area.bottom() {
            position(cx, grid, first, list.rows().len(), buf);
        }
        inner
    }
}
