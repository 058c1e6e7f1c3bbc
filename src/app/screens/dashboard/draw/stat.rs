//! Draws single values: stats with their history, gauges.

use super::Canvas;
use super::digits::LargeText;
use crate::app::display_settings::Charset;
use crate::app::prelude::*;
use crate::app::subjects::dashboard::picture::NamedValue;
use crate::app::widgets::bar::Gauge;
use crate::app::widgets::spark::Sparkline;
use crate::model::dashboard::panel::{StatColour, StatText};
use ratatui::style::{Modifier, Style};

/// Cells and lines of a value at least.
const LEAST: (u16, u16) = (13, 2);

impl Canvas<'_, '_> {
    pub(super) fn stats(
        &self,
        values: &[NamedValue],
        (colour, text, has_sparkline): (StatColour, StatText, bool),
        area: Rect,
        buf: &mut Buffer,
    ) {
        let (tiles, hidden) = tiles(values.len(), LEAST, area);
        for (value, tile) in values.iter().zip(&tiles) {
            let role = match colour {
                StatColour::None => Role::Text,
                StatColour::Value | StatColour::Background => value.value.role,
            };
            let mut place = *tile;
            let tint = self.cx.theme.tint(role, Role::Text, 0.4);
            if let (StatColour::Background, Some(tint)) = (colour, tint) {
                let ground = Rect { width: place.width.saturating_sub(u16::from(tiles.len() > 1)), ..place };
                buf.set_style(ground.intersection(buf.area), Style::new().bg(tint));
            }
            let known = value.history.iter().filter(|value| value.is_finite()).count() > 1;
            if has_sparkline && known && place.height >= 3 {
                let rows = (place.height / 3).clamp(1, 4);
                let spark = Rect { y: place.bottom() - rows, height: rows, ..place };
                let role = if role == Role::Text { Role::Series1 } else { role };
                Sparkline { values: &value.history, max: None, role }.render(self.cx, spark, buf);
                place.height -= rows;
            }
            self.value(value, (text, values.len() > 1), role, place, buf);
        }
        self.more(hidden, area, buf);
    }

    /// A value with its name: large if there is room.
    fn value(
        &self,
        value: &NamedValue,
        (shown, has_several): (StatText, bool),
        role: Role,
        area: Rect,
        buf: &mut Buffer,
    ) {
        let (has_value, has_name) = match shown {
            StatText::Automatic => (true, has_several),
            StatText::Value => (true, false),
            StatText::ValueAndName => (true, true),
            StatText::Name => (false, true),
            StatText::None => (false, false),
        };
        let mut place = area;
        if has_name && (place.height > 1 || !has_value) {
            let name = text::fit(&value.name, place.width, self.cx.charset).into_owned();
            let x = place.x + place.width.saturating_sub(text::width(&name)) / 2;
            text::put(buf, x, place.y, place.width, &name, self.cx.style(Role::Muted));
            place = Rect { y: place.y + 1, height: place.height.saturating_sub(1), ..place };
        }
        if !has_value || place.height == 0 {
            return;
        }
        let words = &value.value.text;
        let large = LargeText::of(words).filter(|_| self.cx.charset == Charset::Unicode);
        if let Some(large) = large.filter(|large| place.height >= 3 && large.width() <= place.width) {
            return large.render(self.cx, role, place, buf);
        }
        let y = place.y + (place.height - 1) / 2;
        let width = text::width(words);
        let style = self.cx.style(role).add_modifier(Modifier::BOLD);
        if width > place.width && value.value.number.is_some() {
            // a cut number would be read as another one
            text::right(buf, place.x, y, place.width, words, style);
            return;
        }
        let words = text::fit(words, place.width, self.cx.charset);
        let x = place.x + place.width.saturating_sub(width) / 2;
        text::put(buf, x, y, place.width, &words, style);
    }

    /// A value above a bar from the least to the greatest value.
    pub(super) fn gauges(&self, values: &[NamedValue], area: Rect, buf: &mut Buffer) {
        let (tiles, hidden) = tiles(values.len(), (16, 3), area);
        for (value, tile) in values.iter().zip(tiles) {
            let role = value.value.role;
            let has_bounds = tile.height >= 5 && value.bounds.is_some();
            let rows = if tile.height >= 7 { 2 } else { 1 }.min(tile.height.saturating_sub(1));
            let below = rows + u16::from(has_bounds);
            let head = Rect { height: tile.height - below, ..tile };
            self.value(value, (StatText::Automatic, values.len() > 1), role, head, buf);
            let bar =
                Rect { x: tile.x + 1, y: head.bottom(), width: tile.width.saturating_sub(2), height: rows };
            let share = value.value.share.unwrap_or(f64::NAN);
            Gauge { share, role }.render(self.cx, bar, buf);
            if let Some((least, greatest)) = value.bounds.as_ref().filter(|_| has_bounds) {
                let style = self.cx.style(Role::Muted);
                let width = text::put(buf, bar.x, bar.bottom(), bar.width / 2, least, style);
                let rest = bar.width.saturating_sub(width + 1);
                if text::width(greatest) <= rest {
                    text::right(buf, bar.x + width + 1, bar.bottom(), rest, greatest, style);
                }
            }
        }
        self.more(hidden, area, buf);
    }
}

/// Places for so many values beside and below each other, and how many have none.
fn tiles(count: usize, least: (u16, u16), area: Rect) -> (Vec<Rect>, usize) {
    if count == 0 || area.is_empty() {
        return (Vec::new(), count);
    }
    let wanted = u16::try_from(count).unwrap_or(u16::MAX);
    let most = (area.width / least.0).max(1);
    let lines = (area.height / least.1).max(1);
    // few values in a narrow, tall area are below each other
    let columns = wanted.min(most);
    let rows = wanted.div_ceil(columns).min(lines);
    let columns = wanted.div_ceil(rows).min(most);
    let edge = |i: u16, of: u16, length: u16| {
        u16::try_from(u32::from(length) * u32::from(i) / u32::from(of.max(1))).unwrap_or(length)
    };
    let mut tiles = Vec::new();
    for place in 0..wanted.min(rows * columns) {
        let (row, column) = (place / columns, place % columns);
        let (left, right) = (edge(column, columns, area.width), edge(column + 1, columns, area.width));
        let (top, bottom) = (edge(row, rows, area.height), edge(row + 1, rows, area.height));
        tiles.push(Rect { x: area.x + left, y: area.y + top, width: right - left, height: bottom - top });
    }
    let hidden = count - tiles.len();
    (tiles, hidden)
}
