//! The few lines of a small terminal that never scroll: the first causes, the last change, a small chart.

use super::layout::BriefLayout;
use super::panel::Cockpit;
use super::{causes, changes, charts};
use crate::app::prelude::*;

/// Below this width the lines have no labels.
const LABELLED: u16 = 60;

pub(super) fn draw(c: &Cockpit<'_>, brief: BriefLayout, buf: &mut Buffer) {
    let is_labelled = brief.causes.width >= LABELLED;
    let labelled = |name: &'static str, words: String, role: Role| {
        let label = if is_labelled { format!(" {name:<8}") } else { " ".to_owned() };
        [StyledRun::new(label, Role::Muted), StyledRun::new(words, role)]
    };
    let rows = brief.causes.top()..brief.causes.bottom();
    for (index, (y, (words, role))) in rows.zip(causes::brief(c)).enumerate() {
        let line = labelled(if index == 0 { "why" } else { "" }, words, role);
        text::runs(c.cx, &line, Rect { y, height: 1, ..brief.causes }, buf);
    }
    let (words, role) = changes::last(c);
    text::runs(c.cx, &labelled("changed", words, role), brief.change, buf);
    if brief.chart.height > 0 {
        charts::draw_main(c, brief.chart, buf);
    }
}
