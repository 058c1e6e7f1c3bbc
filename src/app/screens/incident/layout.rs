//! Where the parts of the incident page are: the head, the panels beside each other or a few brief lines, and the text.

use super::panel::CockpitPanel;
use super::panels::{PANELS, PanelSpec};
use crate::app::layout::below_heading;
use crate::app::prelude::*;

/// The least room below the head for panels in two columns.
const USUAL_FROM: (u16, u16) = (100, 22);
/// From this room on there are three columns with all panels.
const WIDE_FROM: (u16, u16) = (160, 36);
/// The widths of the columns, in per cent.
const WIDE_COLUMNS: [u16; 3] = [42, 29, 29];
const USUAL_COLUMNS: [u16; 2] = [60, 40];
/// The least rows below the head for the brief lines with a chart, and without.
const CHART_FROM: u16 = 15;
const BRIEF_FROM: u16 = 4;
/// Rows of the chart in a small terminal, with its border.
const SMALL_CHART: u16 = 6;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CockpitLayout {
    /// Two lines that never scroll: what it is, and who has it.
    pub(super) head: [Rect; 2],
    /// The panels with borders.
    pub(super) panels: Vec<(CockpitPanel, Rect)>,
    /// Without panels: the lines about causes, the line about the last change, and the chart.
    pub(super) brief: Option<BriefLayout>,
    /// The text that scrolls.
    pub(super) text: Rect,
}

impl CockpitLayout {
    /// Whether a panel has a place of its own.
    pub(super) fn has(&self, panel: CockpitPanel) -> bool {
        self.panels.iter().any(|(shown, _)| *shown == panel)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BriefLayout {
    pub(super) causes: Rect,
    pub(super) change: Rect,
    /// Height 0 if there is no room.
    pub(super) chart: Rect,
}

/// The areas of an incident's page; the focused list of alerts gets more rows.
pub(super) fn layout(body: Rect, focus: CockpitPanel) -> CockpitLayout {
    let first = Rect { height: 1.min(body.height), ..body };
    let rest = below_heading(body);
    let head = [first, Rect { height: 1.min(rest.height), ..rest }];
    let room = below_heading(rest);
    let has = |(width, height): (u16, u16)| room.width >= width && room.height >= height;
    if has(WIDE_FROM) {
        return with_panels(head, room, focus, (&WIDE_COLUMNS, |spec| spec.wide));
    }
    if has(USUAL_FROM) {
        return with_panels(head, room, focus, (&USUAL_COLUMNS, |spec| spec.usual));
    }
    let rows = |y, height| Rect { y, height, ..room };
    let (causes, chart) = match room.height {
        CHART_FROM.. => (2, SMALL_CHART),
        BRIEF_FROM.. => (1, 0),
        _ => return CockpitLayout { head, text: room, ..CockpitLayout::default() },
    };
    let causes = rows(room.y, causes);
    let change = rows(causes.bottom(), 1);
    let chart = rows(change.bottom(), chart);
    let text = rows(chart.bottom(), room.bottom() - chart.bottom());
    CockpitLayout { head, panels: Vec::new(), brief: Some(BriefLayout { causes, change, chart }), text }
}

/// The column of a panel and its share of the rows.
type PlaceOf = fn(&PanelSpec) -> Option<(usize, u16)>;

fn with_panels(
    head: [Rect; 2],
    room: Rect,
    focus: CockpitPanel,
    (columns, place): (&[u16], PlaceOf),
) -> CockpitLayout {
    let text_height =
        if focus == CockpitPanel::Alerts { room.height * 2 / 5 } else { (room.height / 4).max(7) };
    let above = Rect { height: room.height - text_height, ..room };
    let text = Rect { y: above.bottom(), height: text_height, ..room };
    let mut panels = Vec::new();
    let mut x = above.x;
    for (index, share) in columns.iter().enumerate() {
        let is_last = index + 1 == columns.len();
        let width = if is_last { above.right() - x } else { above.width * share / 100 };
        let its = PANELS.iter().filter_map(|spec| {
            let (column, weight) = place(spec)?;
            (column == index).then_some((spec.panel, weight))
        });
        panels.extend(stacked(Rect { x, width, ..above }, &its.collect::<Vec<_>>()));
        x += width;
    }
    CockpitLayout { head, panels, brief: None, text }
}

/// Divides an area into rows by these weights.
fn stacked(area: Rect, parts: &[(CockpitPanel, u16)]) -> Vec<(CockpitPanel, Rect)> {
    let total: u16 = parts.iter().map(|(_, weight)| weight).sum();
    let mut before = 0;
    let edge = |weight: u16| area.y + area.height * weight / total.max(1);
    let part = |(panel, weight): &(CockpitPanel, u16)| {
        let top = edge(before);
        before += weight;
        (*panel, Rect { y: top, height: edge(before) - top, ..area })
    };
    parts.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_lie_within_the_page_and_do_not_overlap(
            x in 0..5_u16, y in 0..5_u16, width in 0..300_u16, height in 0..100_u16, focus in 0..14_usize,
        ) {
            let body = Rect { x, y, width, height };
            let cockpit = layout(body, CockpitPanel::at(focus));
            let mut parts = vec![cockpit.text];
            parts.extend(cockpit.head);
            parts.extend(cockpit.panels.iter().map(|(_, area)| *area));
            parts.extend(cockpit.brief.into_iter().flat_map(|brief| [brief.causes, brief.change, brief.chart]));
            parts.retain(|part| !part.is_empty());
            for (index, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.intersection(body), *part);
                for other in parts.iter().skip(index + 1) {
                    prop_assert!(part.intersection(*other).is_empty(), "{part:?} {other:?}");
                }
            }
            let cells: u32 = parts.iter().map(|part| part.area()).sum();
            prop_assert_eq!(cells, body.area(), "no cell is left over");
        }
    }

    #[test]
    fn what_decides_never_scrolls_at_any_usual_size() {
        for (size, panels) in [((200, 47), 10), ((120, 33), 5), ((80, 21), 0), ((40, 7), 0)] {
            let cockpit = layout(Rect { x: 0, y: 2, width: size.0, height: size.1 }, CockpitPanel::Page);
            assert_eq!(cockpit.panels.len(), panels, "{size:?}");
            assert_eq!(cockpit.brief.is_some(), panels == 0, "{size:?}");
            assert!(cockpit.text.height >= 3, "{size:?}");
        }
    }
}
