//! Builds the queries of a screen for the scheduler.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::firing_history::{self, PAST};
use super::range;
use super::scheduler::Want;
use super::shared::Shared;
use crate::model::alert::Alert;
use crate::model::ask::{Moment, Query, SeriesKey};
use crate::model::labels::{Labels, Text};
use crate::model::log::{LogPage, LogQuery};
use crate::model::remote::age;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;

/// A query for the moment on screen, or for now if this kind of query has no history.
pub fn of(shared: &Shared, source: &SourceId, query: Query) -> Want {
    let moment = query.kind().moment(shared.range.moment());
    at(shared, source, query, moment)
}

pub fn at(shared: &Shared, source: &SourceId, query: Query, moment: Moment) -> Want {
    let interval = query.refresh().interval(shared.interval);
    let ask = query.at(moment);
    let known = shared.world.cache(source).and_then(|cache| cache.answer_to(&ask)?.digest);
    Want { source: source.clone(), ask, known, interval }
}

/// A page of log lines. Only new lines are polled; a page that completes what is shown follows the one before at once.
pub fn log_page(
    shared: &Shared,
    source: &SourceId,
    wanted: &Arc<LogQuery>,
    page: LogPage,
    is_new: bool,
) -> Want {
    let want = of(shared, source, Query::LogLines { wanted: Arc::clone(wanted), page });
    if is_new { want } else { Want { interval: NEXT_PAGE, ..want } }
}

/// The time between two pages of log lines that complete what is shown.
const NEXT_PAGE: Duration = Duration::from_millis(250);

/// The series and the time grid of an expression over the current range, with at most `points` points.
pub fn chart(shared: &Shared, query: &Text, points: u16, now: Timestamp) -> (SeriesKey, TimeGrid) {
    let window = shared.range.span(now, points, shared.interval);
    (SeriesKey { query: query.clone(), range: shared.range.length, step: window.step() }, window)
}

/// A query for the part of the series that is not cached yet.
pub fn series(shared: &Shared, source: &SourceId, (series, window): (SeriesKey, TimeGrid)) -> Want {
    let known = shared.world.cache(source).and_then(|cache| cache.series().get(&series)?.whole());
    let time_range = range::time_range(window, known.map(|matrix| matrix.span));
    of(shared, source, Query::Series { series, time_range })
}

/// The queries sent on every screen: the counts of the tabs and the state of the sources depend on them.
pub fn vital(shared: &Shared) -> impl Iterator<Item = Want> {
    shared.sources.iter().flat_map(move |source| {
        let queries = source.answers.iter().filter_map(|kind| kind.vital());
        queries.map(move |query| of(shared, &source.id, query))
    })
}

/// What fired over a stretch of time: one question to each source that has rules and keeps series.
pub fn firings(shared: &Shared, until: Timestamp, length: Duration) -> Vec<Want> {
    let from = until.checked_sub(length).unwrap_or(Timestamp::MIN);
    let fingerprint = firing_history::of_all(age(from, until));
    let want = |source: &SourceInfo| {
        of(shared, &source.id, Query::Firings { fingerprint, labels: Labels::default(), from, until })
    };
    firing_history::asked(&shared.sources).map(want).collect()
}

/// What fired over the time that the timeline shows.
pub fn shown_firings(shared: &Shared, now: Timestamp) -> Vec<Want> {
    firings(shared, shared.range.end.unwrap_or(now), firing_history::shown(&shared.range))
}

/// The past of one alert.
pub fn firings_of(shared: &Shared, alert: &Alert, now: Timestamp) -> Vec<Want> {
    let want = |source: &SourceInfo| {
        let (fingerprint, labels) = (alert.fingerprint, alert.labels.clone());
        let from = now.checked_sub(PAST).unwrap_or(Timestamp::MIN);
        of(shared, &source.id, Query::Firings { fingerprint, labels, from, until: now })
    };
    firing_history::history_sources(&shared.world, &shared.sources, alert).map(want).collect()
}
