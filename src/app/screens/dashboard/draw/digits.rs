//! Large numbers, three lines high, that are read from a distance.

use crate::app::prelude::*;

/// The lines of a character; `None` for those that are not drawn large.
fn glyph(c: char) -> Option<[&'static str; 3]> {
    Some(match c {
        '0' => ["█▀█", "█ █", "▀▀▀"],
        '1' => ["▀█ ", " █ ", "▀▀▀"],
        '2' => ["▀▀█", "█▀▀", "▀▀▀"],
        '3' => ["▀▀█", " ▀█", "▀▀▀"],
        '4' => ["█ █", "▀▀█", "  ▀"],
        '5' => ["█▀▀", "▀▀█", "▀▀▀"],
        '6' => ["█▀▀", "█▀█", "▀▀▀"],
        '7' => ["▀▀█", "  █", "  ▀"],
        '8' => ["█▀█", "█▀█", "▀▀▀"],
        '9' => ["█▀█", "▀▀█", "▀▀▀"],
        '.' => [" ", " ", "▀"],
        ',' => [" ", " ", "▗"],
        ':' => [" ", "▀", "▀"],
        '-' => ["  ", "▀▀", "  "],
        _ => return None,
    })
}

/// A number in large characters, and its unit in small ones.
pub(super) struct LargeText {
    lines: [String; 3],
    unit: String,
}

impl LargeText {
    /// The number at the beginning of a text; `None` if it begins with another character.
    pub(super) fn of(text: &str) -> Option<Self> {
        let number: String = text.chars().take_while(|c| glyph(*c).is_some()).collect();
        if !number.chars().any(|c| c.is_ascii_digit()) {
            return None;
        }
        let unit = text.strip_prefix(number.as_str())?.trim().to_owned();
        let glyphs: Vec<[&str; 3]> = number.chars().filter_map(glyph).collect();
        let line = |at: usize| {
            let parts: Vec<&str> = glyphs.iter().filter_map(|glyph| glyph.get(at).copied()).collect();
            parts.join(" ")
        };
        Some(Self { lines: [line(0), line(1), line(2)], unit })
    }

    pub(super) fn width(&self) -> u16 {
        let unit = if self.unit.is_empty() { 0 } else { text::width(&self.unit) + 1 };
        text::width(&self.lines[0]) + unit
    }

    /// Draws it in the middle of an area that is high and wide enough.
    pub(super) fn render(&self, cx: &ScreenCx<'_>, role: Role, area: Rect, buf: &mut Buffer) {
        let x = area.x + area.width.saturating_sub(self.width()) / 2;
        let top = area.y + area.height.saturating_sub(3) / 2;
        let mut right = x;
        for (y, line) in (top..area.bottom()).zip(&self.lines) {
            right = x + text::put(buf, x, y, area.right().saturating_sub(x), line, cx.style(role));
        }
        if !self.unit.is_empty() {
            let y = (top + 2).min(area.bottom().saturating_sub(1));
            text::put(buf, right + 1, y, area.right().saturating_sub(right + 1), &self.unit, cx.style(role));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_of_a_number_are_equally_wide_and_the_unit_stays_small() {
        let large = LargeText::of("-1,234,567,890.5 ms").unwrap();
        let widths: Vec<u16> = large.lines.iter().map(|line| text::width(line)).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{widths:?}");
        assert_eq!(large.unit, "ms");
        assert_eq!(large.width(), widths[0] + 3);
        assert!(
            LargeText::of("healthy").is_none() && LargeText::of("").is_none() && LargeText::of("-").is_none()
        );
    }
}
