//! The legend of a chart: the series with their last, lowest and highest value, or with their value at the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::shown::{ShownLine, ShownSeries};
use crate::app::display_settings::Cx;
use crate::app::theme::Role;
use crate::app::widgets::axis;
use crate::app::widgets::text::{self, StyledRun};

/// From this height of a chart on, the legend may be a table.
const TABLE_HEIGHT: u16 = 14;
/// Cells of a column of numbers, with the gap before it.
const NUMBER: u16 = 9;
/// Cells of a series' name at most.
const NAME: u16 = 28;
/// Cells between two entries.
const GAP: u16 = 3;

pub(super) struct Legend<'a> {
    /// The time of the value cursor.
    time: Option<String>,
    entries: Vec<LegendEntry<'a>>,
    /// Words that belong to no series: thresholds without room in the plot, the kind of scale.
    notes: Vec<StyledRun<'static>>,
}

struct LegendEntry<'a> {
    sign: &'static str,
    role: Role,
    name: &'a str,
    /// The last value or the one at the cursor; None: no numbers are wanted.
    value: Option<StyledRun<'static>>,
    /// The lowest and the highest value, if there are any.
    bounds: Option<(String, String)>,
}

/// How a legend is laid out as a table.
struct TableShape {
    name: u16,
    /// How many of value, highest, lowest have room.
    numbers: u16,
    /// Series beside each other.
    across: usize,
    /// Rows of series, below the heading.
    rows: u16,
}

impl<'a> Legend<'a> {
    /// `sign` gives the character of a series.
    pub(super) fn new(
        cx: &Cx<'_>,
        shown: &ShownSeries<'a>,
        cursor: Option<jiff::Timestamp>,
        has_numbers: bool,
        sign: impl Fn(&ShownLine<'a>) -> &'static str,
    ) -> Self {
        let point = cursor.and_then(|at| Some((at, shown.span.nearest(at)?)));
        let range = shown.span.end().as_second() - shown.span.start().as_second();
        let entries = shown.lines.iter().map(|line| {
            let value = match point {
                Some((_, point)) => Some(at_point(cx, shown, line, point, has_numbers)),
                None => has_numbers.then(|| newest(cx, shown, line)),
            };
            LegendEntry {
                sign: sign(line),
                role: line.line.role,
                name: line.line.label,
                value,
                bounds: if has_numbers { bounds(cx, shown, line) } else { None },
            }
        });
        Self {
            time: point.map(|(at, _)| axis::cursor_time(range, at, cx.zone)),
            entries: entries.collect(),
            notes: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, words: String, role: Role) {
        self.notes.push(StyledRun::new(words, role));
    }

    /// The rows that the legend takes in a chart of this size.
    pub(super) fn rows(&self, area: Rect) -> u16 {
        if area.height < 6 { 0 } else { self.table(area).map_or(1, |shape| shape.rows + 1) }
    }

    /// The shape of the table in a chart of this size; `None` if one line is enough or there is no room.
    fn table(&self, chart: Rect) -> Option<TableShape> {
        let has_numbers = self.entries.iter().all(|entry| entry.value.is_some() && entry.bounds.is_some());
        if self.entries.len() < 2 || !has_numbers || chart.height < TABLE_HEIGHT {
            return None;
        }
        let widest = self.entries.iter().map(|entry| text::width(entry.name)).max().unwrap_or(0);
        let name = widest.clamp(4, NAME);
        let most = chart.height / 3 - 1;
        let shape = |numbers: u16| {
            let wide = 2 + name + numbers * NUMBER;
            let across = usize::from((chart.width + GAP) / (wide + GAP)).min(self.entries.len());
            let wanted = self.entries.len().checked_div(across)?
                + usize::from(!self.entries.len().is_multiple_of(across));
            Some(TableShape { name, numbers, across, rows: u16::try_from(wanted).unwrap_or(u16::MAX) })
        };
        // all series with their last values come before the highest and lowest of some
        let fitting = (1..=3).rev().filter_map(shape).find(|shape| shape.rows <= most);
        fitting.or_else(|| shape(1)).map(|shape| TableShape { rows: shape.rows.min(most), ..shape })
    }

    /// Draws the legend into the rows that it wanted; `chart` is the size of the whole chart.
    pub(super) fn render(&self, cx: &Cx<'_>, chart: Rect, place: Rect, buf: &mut Buffer) {
        match self.table(chart).filter(|shape| shape.rows < place.height) {
            Some(shape) => self.render_table(cx, &shape, place, buf),
            None => {
                text::runs(cx, &self.line(place.width), Rect { height: 1, ..place }, buf);
            }
        }
    }

    fn render_table(&self, cx: &Cx<'_>, shape: &TableShape, place: Rect, buf: &mut Buffer) {
        let wide = 2 + shape.name + shape.numbers * NUMBER;
        let value = self.time.as_deref().unwrap_or("last");
        let value_role = if self.time.is_some() { Role::Accent } else { Role::Muted };
        let room = usize::from(shape.rows) * shape.across;
        let is_whole = self.entries.len() <= room;
        let shown = if is_whole { room } else { room - 1 };
        for (i, entry) in self.entries.iter().take(shown).enumerate() {
            let (row, column) = (i / shape.across, i % shape.across);
            let left = u16::try_from(column).unwrap_or(0) * (wide + GAP);
            let (x, y) = (place.x + left, place.y + 1 + u16::try_from(row).unwrap_or(0));
            let number = |index: u16, y: u16, words: &str, role: Role, buf: &mut Buffer| {
                if index < shape.numbers {
                    let at = x + 2 + shape.name + index * NUMBER + 1;
                    text::right(buf, at, y, NUMBER - 1, words, cx.style(role));
                }
            };
            if row == 0 {
                number(0, place.y, value, value_role, buf);
                number(1, place.y, "max", Role::Muted, buf);
                number(2, place.y, "min", Role::Muted, buf);
            }
            text::put(buf, x, y, 1, entry.sign, cx.style(entry.role));
            let name = text::fit(entry.name, shape.name, cx.charset);
            text::put(buf, x + 2, y, shape.name, &name, cx.style(Role::Text));
            if let (Some(run), Some((low, high))) = (&entry.value, &entry.bounds) {
                let words = if text::width(&run.text) < NUMBER { &*run.text } else { "no data" };
                number(0, y, words, run.role, buf);
                number(1, y, high, Role::Muted, buf);
                number(2, y, low, Role::Muted, buf);
            }
        }
        if !is_whole {
            let words = format!("+{} more", self.entries.len() - shown);
            let left = u16::try_from(shown % shape.across).unwrap_or(0) * (wide + GAP);
            let y = place.y + shape.rows;
            text::put(
                buf,
                place.x + left,
                y,
                place.width.saturating_sub(left),
                &words,
                cx.style(Role::Muted),
            );
        }
        // in the heading there is room beside the columns, or above the names of the first one
        let columns = u16::try_from(shape.across).unwrap_or(1).saturating_mul(wide + GAP);
        let beside = place.width.saturating_sub(columns);
        let notes = |width| fitting(self.notes.iter().map(|note| vec![note.clone()]).collect(), width);
        let first = self.notes.first().map_or(0, |note| text::width(&note.text));
        let in_last = self
            .entries
            .len()
            .min(shown)
            .saturating_sub(shape.across * usize::from(shape.rows.saturating_sub(1)));
        let used = u16::try_from(in_last).unwrap_or(u16::MAX).saturating_mul(wide + GAP);
        let behind = if is_whole { place.width.saturating_sub(used) } else { 0 };
        if first <= beside {
            let x = place.x + columns;
            text::runs(cx, &notes(beside), Rect { x, width: beside, height: 1, ..place }, buf);
        } else if first <= behind {
            let (x, y) = (place.x + used, place.y + shape.rows);
            text::runs(cx, &notes(behind), Rect { x, y, width: behind, height: 1 }, buf);
        } else {
            let above = (1 + shape.name).min(place.width);
            text::runs(cx, &notes(above), Rect { width: above, height: 1, ..place }, buf);
        }
    }

    /// The legend in one line: first with the last, lowest and highest value of each series, then without the lowest ones, then
    /// with the last alone; then as many series as fit.
    fn line(&self, width: u16) -> Vec<StyledRun<'a>> {
        let notes = || self.notes.iter().map(|note| vec![note.clone()]);
        let time = || self.time.iter().map(|time| vec![StyledRun::new(time.clone(), Role::Accent)]);
        let all = |bounds: u8| -> Vec<Vec<StyledRun<'a>>> {
            time().chain(self.entries.iter().map(|entry| entry.runs(bounds))).chain(notes()).collect()
        };
        let cells = |entries: &[Vec<StyledRun<'_>>]| {
            let own: u16 = entries.iter().map(|entry| text::runs_width(entry)).fold(0, u16::saturating_add);
            own.saturating_add(
                GAP.saturating_mul(u16::try_from(entries.len().saturating_sub(1)).unwrap_or(0)),
            )
        };
        let wider = [2, 1].into_iter().map(all).find(|entries| cells(entries) <= width);
        fitting(wider.unwrap_or_else(|| all(0)), width)
    }
}

impl<'a> LegendEntry<'a> {
    /// `─ p95 124ms`, with none, the highest, or both of its bounds.
    fn runs(&self, bounds: u8) -> Vec<StyledRun<'a>> {
        let mut runs = vec![StyledRun::new(format!("{} ", self.sign), self.role)];
        if !self.name.is_empty() {
            let gap = if self.value.is_some() { " " } else { "" };
            runs.push(StyledRun::new(format!("{}{gap}", self.name), Role::Muted));
        }
        runs.extend(self.value.clone());
        match (&self.bounds, bounds) {
            (None, _) | (Some(_), 0) => {}
            (Some((_, high)), 1) => runs.push(StyledRun::new(format!(" max {high}"), Role::Muted)),
            (Some((low, high)), _) => {
                runs.push(StyledRun::new(format!(" min {low} max {high}"), Role::Muted));
            }
        }
        runs
    }
}

/// The lowest and the highest value of a series as text.
fn bounds(cx: &Cx<'_>, shown: &ShownSeries<'_>, line: &ShownLine<'_>) -> Option<(String, String)> {
    let finite = || line.values.iter().copied().filter(|value| value.is_finite());
    let words = |value| shown.unit.text(value, cx.charset);
    Some((words(finite().reduce(f64::min)?), words(finite().reduce(f64::max)?)))
}

/// The value of a series at a point; beside a name that may have the present value in it (`!has_numbers`), with a word.
fn at_point(
    cx: &Cx<'_>,
    shown: &ShownSeries<'_>,
    line: &ShownLine<'_>,
    point: usize,
    has_numbers: bool,
) -> StyledRun<'static> {
    let here = if has_numbers { "" } else { "here " };
    match line.values.get(point).filter(|value| !value.is_nan()) {
        Some(value) => StyledRun::new(format!("{here}{}", shown.unit.text(*value, cx.charset)), Role::Text),
        None => StyledRun::new("no data", Role::Muted),
    }
}

/// The newest value of a series; if the last points are missing, since when.
fn newest(cx: &Cx<'_>, shown: &ShownSeries<'_>, line: &ShownLine<'_>) -> StyledRun<'static> {
    let Some(at) = line.values.iter().rposition(|value| !value.is_nan()) else {
        return StyledRun::new("no data", Role::Muted);
    };
    if at + 3 < line.values.len() {
        let since = shown.span.at(at).to_zoned(cx.zone.clone());
        return StyledRun::new(format!("no data since {}", since.strftime("%H:%M")), Role::Stale);
    }
    let value = line.values.get(at).copied().unwrap_or(f64::NAN);
    StyledRun::new(shown.unit.text(value, cx.charset), Role::Text)
}

/// The entries that fit whole, and the number of the others: a cut number would be read as another number.
fn fitting(entries: Vec<Vec<StyledRun<'_>>>, width: u16) -> Vec<StyledRun<'_>> {
    let count = entries.len();
    let mut used = 0;
    let mut runs = Vec::new();
    for (i, entry) in entries.into_iter().enumerate() {
        let gap = if i > 0 { "   " } else { "" };
        let more = format!("{gap}+{}", count - i);
        let rest = if i + 1 < count { text::width(&more).max(5) } else { 0 };
        let wanted = text::width(gap) + text::runs_width(&entry);
        if i > 0 && used + wanted + rest > width {
            runs.push(StyledRun::new(more, Role::Muted));
            break;
        }
        used += wanted;
        runs.push(StyledRun::new(gap, Role::Text));
        runs.extend(entry);
    }
    runs
}
