//! Time series on a regular grid, for charts and sparklines.

use std::time::Duration;

use jiff::Timestamp;

use super::labels::Labels;

/// A time range divided into steps. Both ends are multiples of the step, so that the points of a later query fit those already
/// stored.
///
/// `count()` points, the first at `start`, the last at `end`. `step` is at least one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimeGrid {
    start: i64,
    end: i64,
    step: i64,
}

impl TimeGrid {
    /// The time range of length `range` that ends at `end`, with at most about `points` points, aligned to the step.
    ///
    /// The step is a whole number of seconds, and at least `at_least` (the scrape interval).
    pub fn ending(end: Timestamp, range: Duration, points: u16, at_least: Duration) -> Self {
        let seconds = i64::try_from(range.as_secs()).unwrap_or(i64::MAX / 4).max(1);
        let points = i64::from(points.max(2));
        let least = i64::try_from(at_least.as_secs()).unwrap_or(1).max(1);
        let step = round_step((seconds / points).max(least));
        Self::stepped(end, range, Duration::from_secs(step.unsigned_abs()))
    }

    /// The time range of length `range` that ends at `end`, with this step of whole seconds, aligned to the step.
    pub fn stepped(end: Timestamp, range: Duration, step: Duration) -> Self {
        let whole = |length: Duration| i64::try_from(length.as_secs()).unwrap_or(i64::MAX / 4).max(1);
        let (seconds, step) = (whole(range), whole(step));
        let end = end.as_second().div_euclid(step) * step;
        Self { start: end - (seconds / step) * step, end, step }
    }

    /// The end of this grid, starting at `from` rounded down to a step; for fetching only new points.
    #[must_use]
    pub fn tail_from(self, from: Timestamp) -> Self {
        let from = from.as_second().div_euclid(self.step) * self.step;
        Self { start: from.clamp(self.start, self.end), ..self }
    }

    /// This grid extended backwards by `time`, rounded up to a step, and the number of added points.
    #[must_use]
    pub fn with_lead(self, time: Duration) -> (Self, usize) {
        let more = time.as_secs().div_ceil(self.step.unsigned_abs().max(1));
        let start = self.start.saturating_sub(i64::try_from(more).unwrap_or(0).saturating_mul(self.step));
        (Self { start, ..self }, usize::try_from(more).unwrap_or(0))
    }

    /// The time of the first point.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.start).unwrap_or(Timestamp::MIN)
    }

    /// The time of the last point.
    pub fn end(self) -> Timestamp {
        Timestamp::from_second(self.end).unwrap_or(Timestamp::MAX)
    }

    /// The time between two points.
    pub fn step(self) -> Duration {
        Duration::from_secs(self.step.unsigned_abs())
    }

    /// The number of points.
    pub fn count(self) -> usize {
        usize::try_from((self.end - self.start) / self.step).unwrap_or(0) + 1
    }

    /// The index of the point at or just before `second` (Unix time, may be fractional); `None` outside the grid.
    pub fn index(self, second: f64) -> Option<usize> {
        let steps = ((second - self.start as f64) / self.step as f64 + 1e-6).floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within the span"
        )]
        let index = (0.0..self.count() as f64).contains(&steps).then_some(steps as usize);
        index
    }

    /// The points within a part of time, as a grid of its own and by their indexes in this one; the whole grid if the part has
    /// fewer than two of its points.
    pub fn part(self, from: Timestamp, to: Timestamp) -> (Self, std::ops::Range<usize>) {
        let first = from.as_second().saturating_sub(self.start).max(0);
        let first = first.saturating_add(self.step - 1).div_euclid(self.step);
        let last = to.as_second().min(self.end).saturating_sub(self.start).div_euclid(self.step);
        match (usize::try_from(first), usize::try_from(last)) {
            (Ok(from), Ok(to)) if from < to => {
                let at = |index: i64| self.start + index * self.step;
                (Self { start: at(first), end: at(last), ..self }, from..to + 1)
            }
            _ => (self, 0..self.count()),
        }
    }

    /// The index of the point nearest to a moment; `None` more than half a step outside the grid.
    pub fn nearest(self, at: Timestamp) -> Option<usize> {
        self.index(at.as_second() as f64 + self.step as f64 / 2.0)
    }

    /// The time of the point with this index.
    pub fn at(self, index: usize) -> Timestamp {
        let offset = i64::try_from(index).unwrap_or(0).saturating_mul(self.step);
        Timestamp::from_second(self.start.saturating_add(offset)).unwrap_or(Timestamp::MAX)
    }
}

/// The next "round" step at or above `seconds`, so that the grid stays the same while the range moves.
fn round_step(seconds: i64) -> i64 {
    const ROUND: [i64; 17] =
        [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400];
    ROUND.into_iter().find(|round| *round >= seconds).unwrap_or(seconds)
}

/// One series of a [`Matrix`]: a value for each point of the grid, NaN where there is none.
#[derive(Debug, Clone)]
pub struct Series {
    pub labels: Labels,
    /// One value for each point of the grid.
    pub values: Vec<f64>,
}

impl Series {
    /// The newest finite value.
    pub fn last(&self) -> Option<f64> {
        self.values.iter().rev().copied().find(|value| value.is_finite())
    }
}

/// Several series on one grid, sorted by labels.
#[derive(Debug, Clone)]
pub struct Matrix {
    pub span: TimeGrid,
    pub lines: Vec<Series>,
}

impl Matrix {
    /// A matrix without series.
    pub fn empty(span: TimeGrid) -> Self {
        Self { span, lines: Vec::new() }
    }

    /// The series with exactly these labels.
    pub fn line(&self, labels: &Labels) -> Option<&Series> {
        let at = self.lines.binary_search_by(|line| line.labels.cmp(labels)).ok()?;
        self.lines.get(at)
    }

    /// Moves the matrix to `window` and adds the points of `tail`; missing points are NaN.
    ///
    /// If the step changes, the old points are dropped. Series with only NaN are removed.
    pub fn extend(&mut self, tail: Self, window: TimeGrid) {
        self.slide(window);
        if tail.span.step == window.step {
            self.overlay(tail);
        }
        self.lines.retain(|line| line.values.iter().any(|value| !value.is_nan()));
    }

    fn slide(&mut self, window: TimeGrid) {
        let old = std::mem::replace(&mut self.span, window);
        if old.step != window.step {
            self.lines.clear();
        }
        let steps = (window.start - old.start) / window.step;
        let shift = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
        for Series { values, .. } in &mut self.lines {
            if steps < 0 {
                values.splice(..0, std::iter::repeat_n(f64::NAN, shift.min(window.count())));
            } else {
                values.drain(..shift.min(values.len()));
            }
            values.resize(window.count(), f64::NAN);
        }
    }

    fn overlay(&mut self, part: Self) {
        // the series of a tail are mostly the existing ones, in the same order
        let mut next = 0;
        for line in part.lines {
            let is_next = self.lines.get(next).is_some_and(|mine| mine.labels == line.labels);
            let place = || self.lines.binary_search_by(|mine| mine.labels.cmp(&line.labels));
            let at = match if is_next { Ok(next) } else { place() } {
                Ok(at) => at,
                Err(at) => {
                    let values = vec![f64::NAN; self.span.count()];
                    self.lines.insert(at, Series { labels: line.labels.clone(), values });
                    at
                }
            };
            next = at + 1;
            let shift = (part.span.start - self.span.start) / self.span.step;
            let Some(mine) = self.lines.get_mut(at) else { continue };
            for (i, value) in line.values.iter().enumerate() {
                let target = i64::try_from(i).ok().and_then(|i| usize::try_from(i + shift).ok());
                if let Some(cell) = target.and_then(|target| mine.values.get_mut(target)) {
                    *cell = *value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn line(name: &str, values: &[f64]) -> Series {
        Series { labels: Labels::from_iter([("service", name)]), values: values.to_vec() }
    }

    #[test]
    fn a_span_is_aligned_and_has_a_round_step() {
        let span = TimeGrid::ending(at(1_000_007), Duration::from_secs(3600), 60, Duration::from_secs(1));
        assert_eq!((span.step(), span.end(), span.count()), (Duration::from_secs(60), at(999_960), 61));
        assert_eq!(span.index(999_961.0), Some(60));
        assert_eq!(span.index(1.0), None);
        assert_eq!(span.at(60), span.end());
        let coarse = TimeGrid::ending(at(1_000_000), Duration::from_secs(60), 60, Duration::from_secs(15));
        assert_eq!(coarse.step(), Duration::from_secs(15));
    }

    #[test]
    fn a_tail_replaces_the_last_point_and_slides_the_window() {
        let first = TimeGrid { start: 0, end: 30, step: 10 };
        let mut matrix = Matrix { span: first, lines: vec![line("a", &[0.0, 1.0, 2.0, 3.0])] };
        let window = TimeGrid { start: 20, end: 50, step: 10 };
        let tail = window.tail_from(at(30));
        assert_eq!(tail.count(), 3);
        matrix.extend(
            Matrix { span: tail, lines: vec![line("a", &[3.5, 4.0, 5.0]), line("b", &[f64::NAN, 1.0, 1.0])] },
            window,
        );
        assert_eq!(matrix.line(&Labels::from_iter([("service", "a")])).unwrap().values, [2.0, 3.5, 4.0, 5.0]);
        assert!(matrix.lines[1].values[..2].iter().all(|v| v.is_nan()));
        assert_eq!(matrix.lines[1].last(), Some(1.0));
    }

    #[test]
    fn a_window_slides_both_ways_and_takes_lines_in_any_order() {
        let window = |start| TimeGrid { start, end: start + 20, step: 10 };
        let mut matrix = Matrix { span: window(0), lines: vec![line("b", &[0.0, 1.0, 2.0])] };
        let tail = TimeGrid { start: 10, end: 10, step: 10 };
        let lines = ["c", "a", "b"].map(|name| line(name, &[7.0])).into();
        matrix.extend(Matrix { span: tail, lines }, window(-10));
        assert_eq!(matrix.line(&Labels::from_iter([("service", "b")])).unwrap().values[1..], [0.0, 7.0]);
        assert!(matrix.lines[1].values[0].is_nan());
        assert_eq!(matrix.lines.iter().map(Series::last).collect::<Vec<_>>(), [Some(7.0); 3]);
        assert!(matrix.lines.is_sorted_by(|a, b| a.labels < b.labels));
        for far in [i64::MIN / 4, i64::MAX / 4].map(|start| start / 10 * 10) {
            let mut matrix = Matrix { span: window(0), lines: vec![line("b", &[0.0, 1.0, 2.0])] };
            matrix.extend(Matrix::empty(window(far)), window(far));
            assert!(matrix.lines.is_empty());
        }
    }

    #[test]
    fn another_step_starts_afresh_and_dead_lines_go() {
        let mut matrix =
            Matrix { span: TimeGrid { start: 0, end: 10, step: 10 }, lines: vec![line("a", &[1.0, 2.0])] };
        let window = TimeGrid { start: 0, end: 40, step: 20 };
        matrix.extend(Matrix { span: window, lines: vec![line("b", &[1.0, 2.0, 3.0])] }, window);
        assert_eq!(matrix.lines.len(), 1);
        let later = TimeGrid { start: 400, end: 440, step: 20 };
        matrix.extend(Matrix::empty(later), later);
        assert!(matrix.lines.is_empty());
    }
}
