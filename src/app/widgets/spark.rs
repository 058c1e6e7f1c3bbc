//! A sparkline: a small chart without axes. Zero is a low bar, missing data are a gap.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::text;
use crate::app::display_settings::Cx;
use crate::app::theme::Role;

/// Bars by eighths of a row; the first one is used for zero only.
const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII: [&str; 8] = ["_", ".", ":", "-", "=", "+", "*", "#"];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sparkline<'a> {
    /// The values, oldest first; NaN where there are no data.
    pub values: &'a [f64],
    /// The value of a full bar; None: the highest value.
    pub max: Option<f64>,
    pub role: Role,
}

impl Sparkline<'_> {
    /// Draws the sparkline with the newest value at the right edge. A cell shows the highest of its values.
    ///
    /// Bars use all rows of `area`; negative values are drawn as zero. If all values are missing, the text "no data" is drawn.
    pub fn render(&self, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
        if area.is_empty() || self.values.is_empty() {
            return;
        }
        if self.values.iter().all(|value| value.is_nan()) {
            let words = if area.width >= 7 { "no data" } else { "-" };
            text::put(buf, area.x, area.bottom() - 1, area.width, words, cx.style(Role::Muted));
            return;
        }
        let columns = resample(self.values, usize::from(area.width));
        let max = self.max.filter(|max| max.is_finite() && *max > 0.0).unwrap_or_else(|| highest(&columns));
        let first = area.right().saturating_sub(u16::try_from(columns.len()).unwrap_or(area.width));
        let signs = cx.charset.pick(&BLOCKS, &ASCII);
        let style = cx.style(self.role);
        // in one row, blocks end below its top, so that sparklines in neighbouring rows do not touch
        let top = if area.height == 1 { cx.charset.pick(7, 8) } else { area.height.saturating_mul(8) };
        for (x, value) in (first..).zip(&columns) {
            let mut eighths = level(*value, max, top);
            if cx.is_slow_link {
                eighths = coarse(eighths, top);
            }
            for y in (area.top()..area.bottom()).rev() {
                let Some(sign) = usize::from(eighths.min(8)).checked_sub(1).and_then(|i| signs.get(i)) else {
                    break;
                };
                text::put(buf, x, y, 1, sign, style);
                eighths = eighths.saturating_sub(8);
            }
        }
    }
}

/// The sparkline as text, with a space where there are no data.
pub fn text(values: &[f64], columns: usize) -> String {
    let columns = resample(values, columns);
    let max = highest(&columns);
    let sign = |value: &f64| {
        let eighths = usize::from(level(*value, max, 8));
        eighths.checked_sub(1).and_then(|at| BLOCKS.get(at)).copied().unwrap_or(" ")
    };
    columns.iter().map(sign).collect()
}

/// The height of a bar in eighths of a row: 0 without data, 1 for zero, 2 to `top` for values above.
fn level(value: f64, max: f64, top: u16) -> u16 {
    if value.is_nan() {
        return 0;
    }
    if value <= 0.0 {
        return 1;
    }
    let share = if max > 0.0 { (value / max).clamp(0.0, 1.0) } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2 and `top`")]
    let eighths = (2.0 + (share * f64::from(top.saturating_sub(2))).round()) as u16;
    eighths
}

/// The same in three steps above zero, so that most cells stay unchanged as time passes.
fn coarse(eighths: u16, top: u16) -> u16 {
    match eighths {
        0 | 1 => eighths,
        some => {
            ((some - 2).saturating_mul(3) / top.max(2).saturating_sub(1) + 1).min(3).saturating_mul(top) / 3
        }
    }
}

/// The highest finite value, at least 0.
fn highest(values: &[f64]) -> f64 {
    values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max)
}

/// At most `columns` values, each the highest of its part, so that spikes stay visible.
fn resample(values: &[f64], columns: usize) -> Vec<f64> {
    if values.len() <= columns {
        return values.to_vec();
    }
    (0..columns)
        .map(|i| {
            let part = values.get(i * values.len() / columns..(i + 1) * values.len() / columns);
            // f64::max ignores NaN, so a column is a gap only if all its values are missing
            part.unwrap_or_default().iter().copied().fold(f64::NAN, f64::max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::app::display_settings::Charset;
    use crate::app::widgets::probe::{drawn, lines, sweep, with_cx};

    const GAP: f64 = f64::NAN;

    fn shown(charset: Charset, width: u16, height: u16, values: &[f64], max: Option<f64>) -> Vec<String> {
        lines(&drawn(width, height, |area, buf| {
            with_cx(charset, |cx| Sparkline { values, max, role: Role::Series1 }.render(cx, area, buf));
        }))
    }

    #[test]
    fn zero_little_and_nothing_look_different() {
        let values = [0.0, 0.001, GAP, 4.0, 8.0];
        assert_eq!(shown(Charset::Unicode, 5, 1, &values, None), ["▁▂ ▅▇"]);
        assert_eq!(shown(Charset::Ascii, 5, 1, &values, None), ["_. =#"]);
        assert_eq!(shown(Charset::Unicode, 5, 1, &[0.0; 5], None), ["▁▁▁▁▁"]);
        assert_eq!(shown(Charset::Unicode, 9, 1, &[GAP; 5], None), ["no data"]);
        assert_eq!(shown(Charset::Unicode, 4, 1, &[GAP; 5], None), ["-"]);
        assert_eq!(shown(Charset::Unicode, 4, 1, &[], None), [""]);
    }

    #[test]
    fn over_a_slow_line_there_are_three_steps_and_none_of_them_is_zero_or_nothing() {
        let values: Vec<f64> = (0..=8).map(f64::from).chain([GAP]).collect();
        for (charset, picture) in [(Charset::Unicode, "▁▂▂▄▄▄▇▇▇"), (Charset::Ascii, "_...==###")]
        {
            let drawn = lines(&drawn(10, 1, |area, buf| {
                with_cx(charset, |cx| {
                    let cx = Cx { is_slow_link: true, ..*cx };
                    Sparkline { values: &values, max: None, role: Role::Series1 }.render(&cx, area, buf);
                });
            }));
            assert_eq!(drawn, [picture]);
        }
    }

    #[test]
    fn a_spike_is_never_averaged_away() {
        let mut values = vec![1.0; 1000];
        values[501] = 100.0;
        assert_eq!(shown(Charset::Unicode, 10, 1, &values, None), ["▂▂▂▂▂▇▂▂▂▂"]);
    }

    #[test]
    fn few_values_stand_at_the_right_edge_where_now_is() {
        assert_eq!(shown(Charset::Unicode, 6, 1, &[1.0, 2.0], Some(2.0)), ["    ▅▇"]);
    }

    #[test]
    fn bars_use_all_rows_and_what_is_too_high_fills_them() {
        assert_eq!(
            shown(Charset::Unicode, 4, 2, &[0.0, 1.0, 2.0, f64::INFINITY], Some(2.0)),
            ["  ▁██".get(1..).unwrap(), "▁███"]
        );
    }

    #[test]
    fn any_size_will_do() {
        let values: Vec<f64> = (0..60).map(|i| if i % 7 == 0 { GAP } else { f64::from(i) }).collect();
        sweep(|cx, area, buf| {
            Sparkline { values: &values, max: None, role: Role::Series1 }.render(cx, area, buf);
        });
    }

    proptest! {
        #[test]
        fn any_numbers_will_do(
            values in prop::collection::vec(any::<f64>(), 0..80),
            max in prop::option::of(any::<f64>()),
            (width, height) in (0..30_u16, 0..4_u16),
        ) {
            let picture = shown(Charset::Unicode, width, height, &values, max);
            let is_shown = picture.iter().any(|line| !line.is_empty());
            prop_assert_eq!(is_shown, width > 0 && height > 0 && !values.is_empty()
                && (values.iter().all(|v| v.is_nan()) || resample(&values, usize::from(width)).iter().any(|v| !v.is_nan())));
        }
    }
}
