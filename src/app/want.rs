//! What a screen wants to know, as a question for the scheduler.

use jiff::Timestamp;

use super::due::Want;
use super::range;
use super::state::State;
use crate::model::ask::{AskKind, Moment, Query, SeriesKey};
use crate::model::labels::Text;
use crate::model::series::Span;
use crate::model::source::{SourceId, SourceInfo};

/// The sources that can be asked this.
pub fn sources(state: &State, kind: AskKind) -> impl Iterator<Item = &SourceInfo> {
    state.sources.iter().filter(move |source| source.answers.contains(&kind))
}

/// The question about the moment that is shown, or about now where it has no past.
pub fn of(state: &State, source: &SourceId, query: Query) -> Want {
    let moment = query.kind().moment(state.range.moment());
    at(state, source, query, moment)
}

/// The question about a moment that is not the one that is shown.
pub fn at(state: &State, source: &SourceId, query: Query, moment: Moment) -> Want {
    let interval = query.refresh().interval(state.interval);
    let ask = query.at(moment);
    let known = state.world.held(source).and_then(|held| held.answer_to(&ask)?.digest);
    Want { source: source.clone(), ask, known, interval }
}

/// An expression over the range that is shown, in at most so many points.
pub fn chart(state: &State, query: &Text, points: u16, now: Timestamp) -> (SeriesKey, Span) {
    let window = state.range.span(now, points, state.interval);
    (SeriesKey { query: query.clone(), range: state.range.length, step: window.step() }, window)
}

/// The question for what is missing of a series over this time.
pub fn series(state: &State, source: &SourceId, (series, window): (SeriesKey, Span)) -> Want {
    let known = state.world.held(source).and_then(|held| held.series().get(&series)?.whole());
    let stretch = range::stretch(window, known.map(|matrix| matrix.span));
    of(state, source, Query::Series { series, stretch })
}

/// What is asked whatever is on the screen: the counts of line 2 and the state of the sources depend on it.
pub fn vital(state: &State) -> impl Iterator<Item = Want> {
    state.sources.iter().flat_map(move |source| {
        let queries = source.answers.iter().filter_map(|kind| kind.vital());
        queries.map(move |query| of(state, &source.id, query))
    })
}
