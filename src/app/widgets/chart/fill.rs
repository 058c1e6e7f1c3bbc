//! The areas below the lines of a chart: a background in the line's colour that fades downwards, or a pattern where the terminal
//! has no such colours.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::app::display_settings::{Charset, Cx};
use crate::app::theme::Role;
use crate::app::widgets::plot::{Dots, Plot};

/// Lines whose areas are drawn at most.
const MOST: usize = 16;
/// Steps from the top of the plot to the bottom.
const STEPS: usize = 8;
/// The share of the line's colour at the top and at the bottom of the plot.
const FADING: (f64, f64) = (0.34, 0.10);
/// The same for parts of a whole, which are areas more than lines.
const STACKED: (f64, f64) = (0.55, 0.55);

/// How the areas of a chart are drawn.
pub(super) struct Areas {
    looks: Vec<Look>,
    /// The background of the shade.
    shade: Option<Color>,
}

/// The background at each step, on the plain ground and on the shade; or a character.
enum Look {
    Tints([Color; STEPS], [Color; STEPS]),
    Pattern(char, Style),
    /// No area.
    Line,
}

impl Areas {
    /// The areas below these lines, if they help to read them: of up to three lines, of a single one where there are only
    /// patterns, of all if they are stacked.
    pub(super) fn of(cx: &Cx<'_>, roles: &[Role], dots: Dots, is_stacked: bool) -> Option<Self> {
        let looks: Vec<Look> =
            roles.iter().take(MOST).map(|role| Look::of(cx, *role, dots, is_stacked)).collect();
        let has_patterns = looks.iter().any(|look| matches!(look, Look::Pattern(..)));
        let most = if is_stacked {
            MOST
        } else if has_patterns {
            1
        } else {
            3
        };
        let areas = looks.iter().filter(|look| !matches!(look, Look::Line)).count();
        let has_areas = (1..=most).contains(&areas) && (is_stacked || roles.len() <= 3) && !cx.is_slow_link;
        has_areas.then(|| Self { looks, shade: cx.style(Role::Shade).bg })
    }

    /// Draws the areas. What is between two lines belongs to the upper one.
    pub(super) fn draw(&self, plot: &Plot, area: Rect, buf: &mut Buffer) {
        let (columns, rows) = plot.size();
        let mut tops = [(0_u16, 0_usize); MOST];
        for column in 0..columns {
            let mut count = 0;
            for line in (0..self.looks.len()).rev() {
                if let (Some(row), Some(top)) = (plot.area_top(line, column), tops.get_mut(count)) {
                    *top = (row, line);
                    count += 1;
                }
            }
            // of two at the same height, the first series is in front: it comes last
            let tops = tops.get_mut(..count).unwrap_or_default();
            tops.sort_by_key(|(row, _)| *row);
            for (i, (top, line)) in tops.iter().enumerate() {
                let end = tops.get(i + 1).map_or(rows, |(next, _)| *next);
                let Some(look) = self.looks.get(*line) else { continue };
                for row in *top..end {
                    self.paint(look, plot, (column, row), area, buf);
                }
            }
        }
    }

    fn paint(&self, look: &Look, plot: &Plot, (column, row): (u16, u16), area: Rect, buf: &mut Buffer) {
        let Some(cell) = buf.cell_mut((area.x.saturating_add(column), area.y.saturating_add(row))) else {
            return;
        };
        match look {
            Look::Line => {}
            Look::Tints(plain, shaded) => {
                let tints = if self.shade == Some(cell.bg) { shaded } else { plain };
                let step = usize::from(row) * STEPS / usize::from(plot.size().1).max(1);
                if let Some(tint) = tints.get(step) {
                    cell.bg = *tint;
                }
            }
            Look::Pattern(symbol, style) => {
                if plot.is_free(column, row) {
                    cell.set_char(*symbol).set_style(*style);
                }
            }
        }
    }
}

impl Look {
    fn of(cx: &Cx<'_>, role: Role, dots: Dots, is_stacked: bool) -> Self {
        // the line of a threshold or of an ideal is not an amount
        if !role.name().starts_with("series-") {
            return Self::Line;
        }
        let (top, bottom) = if is_stacked { STACKED } else { FADING };
        let tints = |ground: Role| {
            let mut tints = [Color::Reset; STEPS];
            for (step, tint) in tints.iter_mut().enumerate() {
                let depth = if cx.theme.has_gradients() { step as f64 / (STEPS - 1) as f64 } else { 0.5 };
                *tint = cx.theme.tint(role, ground, top + (bottom - top) * depth)?;
            }
            Some(tints)
        };
        if let (Some(plain), Some(shaded)) = (tints(Role::Text), tints(Role::Shade)) {
            return Self::Tints(plain, shaded);
        }
        let pattern = match (cx.charset, dots) {
            // without colours, a part of a whole is known by the character of its series
            (_, Dots::Signs) if is_stacked => role.ascii().chars().next().unwrap_or('.'),
            (Charset::Ascii, _) => '.',
            (Charset::Unicode, _) => '░',
        };
        Self::Pattern(pattern, cx.style(role))
    }
}
