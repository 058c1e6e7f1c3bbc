//! Draws rows of bars.

use super::Canvas;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture::BarRow;
use crate::app::widgets::bar::Gauge;

/// Cells of a bar at least; in less room there are only names and values.
const BAR: u16 = 8;

impl Canvas<'_, '_> {
    pub(super) fn bars(&self, rows: &[BarRow], area: Rect, buf: &mut Buffer) {
        let cx = self.cx;
        let widest = |of: fn(&BarRow) -> &str| rows.iter().map(|row| text::width(of(row))).max().unwrap_or(0);
        let values = widest(|row| &row.value.value.text).min(area.width / 2);
        let notes = widest(|row| row.note.as_deref().unwrap_or_default());
        let notes = if notes > 0 && area.width >= 36 { notes + 1 } else { 0 };
        let rest = area.width.saturating_sub(values + notes + 2);
        let groups = widest(|row| &row.group).min(rest / 3);
        let groups = if groups > 0 { groups + 1 } else { 0 };
        let names = widest(|row| &row.value.name);
        let is_narrow = rest < groups + BAR + 6;
        let names =
            if is_narrow { names.min(rest.saturating_sub(groups)) } else { names.min((rest - groups) / 2) };
        let bar = if is_narrow { 0 } else { rest.saturating_sub(groups + names + 1) };
        let count = u16::try_from(rows.len()).unwrap_or(u16::MAX);
        // few bars in a tall panel are thicker
        let tall = (area.height / count.max(1)).clamp(1, 3);
        let room = usize::from(area.height / tall);
        let scroll = usize::from(self.scroll).min(rows.len().saturating_sub(room));
        for (place, row) in (0_u16..).zip(rows.iter().skip(scroll).take(room)) {
            let y = area.y + place * tall;
            let height = if tall > 1 { tall - 1 } else { 1 };
            let mut x = area.x;
            if groups > 0 {
                let group = text::fit(&row.group, groups - 1, cx.charset);
                text::put(buf, x, y, groups - 1, &group, cx.style(Role::Title));
                x += groups;
            }
            let name = text::fit(&row.value.name, names, cx.charset);
            text::put(buf, x, y, names, &name, cx.style(Role::Text));
            x += names + 1;
            if bar > 0 {
                let share = row.length.unwrap_or(f64::NAN);
                Gauge { share, role: row.value.value.role }.render(
                    cx,
                    Rect { x, y, width: bar, height },
                    buf,
                );
                x += bar + 1;
            }
            let style = cx.style(row.value.value.role);
            let value = &row.value.value;
            if value.number.is_some() {
                text::right(buf, x, y, values, &value.text, style);
            } else {
                text::put(buf, x, y, values, &text::fit(&value.text, values, cx.charset), style);
            }
            if let Some(note) = row.note.as_deref().filter(|_| notes > 0) {
                text::right(buf, x + values + 1, y, notes - 1, note, cx.style(Role::Muted));
            }
        }
        self.more(rows.len().saturating_sub(scroll + room), area, buf);
    }
}
