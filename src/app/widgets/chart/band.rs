//! A range of values over time, drawn as an area behind the lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::plot::Plot;
use super::super::scale::ValueScale;
use super::super::text;
use crate::app::display_settings::Cx;
use crate::app::theme::Role;

/// The lowest and the highest value at each point of the chart's grid; NaN where there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChartBand<'a> {
    pub low: &'a [f64],
    pub high: &'a [f64],
}

impl ChartBand<'_> {
    /// Draws the area in the cells of the plot that no line needs.
    pub(super) fn render(&self, cx: &Cx<'_>, scale: &ValueScale, plot: &Plot, area: Rect, buf: &mut Buffer) {
        let last = self.low.len().min(self.high.len()).saturating_sub(1);
        for column in 0..area.width {
            let share = f64::from(column) / f64::from(area.width.saturating_sub(1).max(1));
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of the last index"
            )]
            let index = (share * last as f64).round() as usize;
            let (Some(low), Some(high)) = (self.low.get(index), self.high.get(index)) else { continue };
            if low.is_nan() || high.is_nan() || *high < scale.low || *low > scale.high {
                continue;
            }
            let (top, bottom) =
                (scale.row(high.min(scale.high), area.height), scale.row(low.max(scale.low), area.height));
            for row in (top..=bottom).filter(|row| plot.is_free(column, *row)) {
                let sign = cx.charset.pick("░", ":");
                text::put(buf, area.x + column, area.y + row, 1, sign, cx.style(Role::Border));
            }
        }
    }
}
