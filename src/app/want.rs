//! What a screen wants to know, as a question for the scheduler.

use jiff::Timestamp;

use super::due::Want;
use super::range;
use super::shared::Shared;
use crate::model::ask::{Moment, Query, SeriesKey};
use crate::model::labels::Text;
use crate::model::series::Span;
use crate::model::source::SourceId;

/// The question about the moment that is shown, or about now where it has no past.
pub fn of(shared: &Shared, source: &SourceId, query: Query) -> Want {
    let moment = query.kind().moment(shared.range.moment());
    at(shared, source, query, moment)
}

/// The question about a moment that is not the one that is shown.
pub fn at(shared: &Shared, source: &SourceId, query: Query, moment: Moment) -> Want {
    let interval = query.refresh().interval(shared.interval);
    let ask = query.at(moment);
    let known = shared.world.held(source).and_then(|held| held.answer_to(&ask)?.digest);
    Want { source: source.clone(), ask, known, interval }
}

/// An expression over the range that is shown, in at most so many points.
pub fn chart(shared: &Shared, query: &Text, points: u16, now: Timestamp) -> (SeriesKey, Span) {
    let window = shared.range.span(now, points, shared.interval);
    (SeriesKey { query: query.clone(), range: shared.range.length, step: window.step() }, window)
}

/// The question for what is missing of a series over this time.
pub fn series(shared: &Shared, source: &SourceId, (series, window): (SeriesKey, Span)) -> Want {
    let known = shared.world.held(source).and_then(|held| held.series().get(&series)?.whole());
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
