//! Finer points for the part of the time range that charts are zoomed to.

use std::time::Duration;

use jiff::Timestamp;

use super::chart_control::ChartedTime;
use super::range;
use super::scheduler::Want;
use super::shared::Shared;
use super::want;
use super::widgets::chart::ChartView;
use crate::model::ask::{Moment, Query, SeriesKey};
use crate::model::labels::Text;
use crate::model::remote::age;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::source::SourceId;

/// The finer grid of a part of the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoomedGrid {
    pub grid: TimeGrid,
    /// The moment that it is asked about: the end of the part if that is not the end of the range.
    pub moment: Moment,
    /// The step of the grid of the whole range.
    step: Duration,
}

impl ZoomedGrid {
    /// The grid of the part that the user has chosen, with at most so many points; `None` if there is none, if that has enough
    /// points for the width of the terminal, or if no finer ones can be had. Where charts open at an event by themselves, the
    /// points of the whole range tell when that began.
    pub fn of(shared: &Shared, time: ChartedTime, points: u16, now: Timestamp) -> Option<Self> {
        let (from, to) = shared.charts.view(time).part.filter(|_| shared.charts.is_zoomed())?;
        let is_enough =
            time.grid.part(from, to).1.len() >= usize::from(shared.size.0).min(usize::from(points));
        let is_at_end = to == time.grid.end();
        let end = if is_at_end { shared.range.end.unwrap_or(now) } else { to };
        let grid = TimeGrid::ending(end, age(from, to), points, shared.interval);
        let step = time.grid.step();
        let moment = if is_at_end { shared.range.moment() } else { Moment::At(grid.end()) };
        (!is_enough && grid.step() < step).then_some(Self { grid, moment, step })
    }

    /// What charts with points of this grid show of it: all.
    pub fn view(view: ChartView) -> ChartView {
        ChartView { part: None, ..view }
    }

    /// The question for a series on this grid.
    pub fn series_want(self, shared: &Shared, source: &SourceId, query: &Text) -> Want {
        let known = self.series(shared, source, query).map(|matrix| matrix.span);
        let series = SeriesKey::over(query.clone(), self.grid);
        let time_range = range::time_range(self.grid, known);
        want::at(shared, source, Query::Series { series, time_range }, self.moment)
    }

    /// The answer to it, if it has arrived and is about the same part of time.
    pub fn series<'a>(self, shared: &'a Shared, source: &SourceId, query: &Text) -> Option<&'a Matrix> {
        let answers = shared.world.cache(source)?.at(self.moment);
        let matrix = answers.series.get(&SeriesKey::over(query.clone(), self.grid))?.value()?;
        self.fits(matrix.span).then_some(matrix)
    }

    /// Whether points of another grid belong to the same part of time: at the end of the range, that moves on.
    pub fn fits(self, span: TimeGrid) -> bool {
        let apart = span.end().duration_since(self.grid.end()).unsigned_abs();
        span.step() == self.grid.step() && apart <= 2 * self.step
    }
}
