//! What a screen wants to know, as a question for the scheduler.

use std::time::Duration;

use jiff::Timestamp;

use super::firing_history::{self, PAST};
use super::range;
use super::scheduler::Want;
use super::shared::Shared;
use crate::model::alert::Alert;
use crate::model::ask::{Moment, Query, SeriesKey};
use crate::model::labels::{Labels, Text};
use crate::model::remote::age;
use crate::model::series::TimeGrid;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;

/// The question about the moment that is shown, or about now where it has no past.
pub fn of(shared: &Shared, source: &SourceId, query: Query) -> Want {
    let moment = query.kind().moment(shared.range.moment());
    at(shared, source, query, moment)
}

/// The question about a moment that is not the one that is shown.
pub fn at(shared: &Shared, source: &SourceId, query: Query, moment: Moment) -> Want {
    let interval = query.refresh().interval(shared.interval);
    let ask = query.at(moment);
    let known = shared.world.cache(source).and_then(|cache| cache.answer_to(&ask)?.digest);
    Want { source: source.clone(), ask, known, interval }
}

/// An expression over the range that is shown, in at most so many points.
pub fn chart(shared: &Shared, query: &Text, points: u16, now: Timestamp) -> (SeriesKey, TimeGrid) {
    let window = shared.range.span(now, points, shared.interval);
    (SeriesKey { query: query.clone(), range: shared.range.length, step: window.step() }, window)
}

/// The question for what is missing of a series over this time.
pub fn series(shared: &Shared, source: &SourceId, (series, window): (SeriesKey, TimeGrid)) -> Want {
    let known = shared.world.cache(source).and_then(|cache| cache.series().get(&series)?.whole());
    let stretch = range::stretch(window, known.map(|matrix| matrix.span));
    of(shared, source, Query::Series { series, stretch })
}

/// What is asked whatever is on the screen: the counts of line 2 and the state of the sources depend on it.
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
