//! The queries of an SLO's page: error ratios by lookback, budget spent per slot of the window, alerts that fired.

use std::collections::BTreeSet;

use crate::app::prelude::*;
use crate::app::zoomed_grid::ZoomedGrid;
use crate::model::ask::SeriesKey;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::slo::history;
use crate::model::slo::query::RatioQuery;
use crate::model::slo::{Slo, Window};

/// Most slots of a window. A year in slots of six hours has fewer, and so have 90 days in hours.
const MAX_WINDOW_SLOTS: u16 = 2400;

/// How often the queries by slot are sent; their results change slowly.
const SLOTS_INTERVAL: Duration = Duration::from_secs(300);

const HOUR: Duration = Duration::from_secs(3600);

pub const POINTS: u16 = 240;

/// The lookbacks of the burn-rate chart: both of the first burn-rate condition, and the long one of the second.
fn chart_lookbacks(slo: &Slo) -> Vec<Duration> {
    let mut lookbacks = Vec::new();
    let pairs = slo.pairs.iter().take(2).flat_map(|pair| [pair.long, pair.short]).take(3);
    for lookback in pairs {
        if !lookbacks.contains(&lookback) {
            lookbacks.push(lookback);
        }
    }
    if lookbacks.is_empty() { vec![HOUR] } else { lookbacks }
}

/// The slots of the window up to a moment; the first point is the start of the first slot.
fn slots_span(window: &Window, moment: Timestamp) -> TimeGrid {
    let elapsed = window.elapsed(moment);
    let least = if window.nominal() < 12 * HOUR { HOUR / 12 } else { HOUR };
    TimeGrid::ending(moment, elapsed.max(least), MAX_WINDOW_SLOTS, least)
}

/// The queries of the charts of an SLO, and their time grid.
pub struct ChartQueries {
    pub slots: Option<RatioQuery>,
    /// The same from counted events, if the window's ratio is a time-weighted average and the definition allows counting.
    pub events: Option<RatioQuery>,
    /// The error ratio for each lookback.
    pub burns: Vec<(Duration, String)>,
    /// The alerts that fired in each slot.
    pub firing: String,
    pub span: TimeGrid,
    /// The nominal length of the window.
    range: Duration,
}

impl ChartQueries {
    /// The key under which the answer to a query by slots is cached.
    pub fn slots_key(&self, query: &str) -> SeriesKey {
        SeriesKey { query: query.into(), range: self.range, step: self.span.step() }
    }
}

/// The queries of an SLO's charts at a moment.
pub fn chart_queries(status: &SloStatus, moment: Timestamp) -> ChartQueries {
    let (slo, evaluation) = (&*status.slo, status.evaluation);
    let span = slots_span(&slo.window, moment);
    let is_time_weighted = status.groups.iter().any(|group| group.is_time_weighted);
    let slots = history::slots(slo, evaluation, span.step());
    let events =
        history::events(slo, span.step()).filter(|events| is_time_weighted && Some(events) != slots.as_ref());
    let burns = chart_lookbacks(slo).into_iter();
    let burns =
        burns.filter_map(|lookback| Some((lookback, history::error_ratio(slo, evaluation, lookback)?)));
    ChartQueries {
        slots,
        events,
        burns: burns.collect(),
        firing: history::firing(slo, status.service.as_deref(), span.step()),
        span,
        range: slo.window.nominal(),
    }
}

/// The queries with a description each, to read and to copy.
pub fn queries(status: &SloStatus, moment: Timestamp) -> Vec<(String, String)> {
    let chart_queries = chart_queries(status, moment);
    let slot = duration::short(chart_queries.span.step());
    let mut all: Vec<(String, String)> = Vec::new();
    for (lookback, query) in chart_queries.burns {
        all.push((format!("error ratio over {}", duration::short(lookback)), query));
    }
    let window = status.slo.window.nominal();
    if let Some(query) = history::over_window(&status.slo, status.evaluation) {
        all.push((format!("error ratio over {}", duration::short(window)), query));
    }
    let mut slots = |name: &str, slots: Option<RatioQuery>| match slots {
        Some(RatioQuery::Ratio(query)) => all.push((format!("{name}, each {slot}"), query)),
        Some(RatioQuery::Counts { part, total, .. }) => {
            all.push((format!("{name}, each {slot}: part"), part));
            all.push((format!("{name}, each {slot}: total"), total));
        }
        None => {}
    };
    slots("budget spent per slot", chart_queries.slots);
    slots("counted events", chart_queries.events);
    all.push((format!("alerts fired, each {slot}"), chart_queries.firing));
    // a lookback may be as long as a slot and have the same query
    let mut seen = BTreeSet::new();
    all.retain(|(_, query)| seen.insert(query.clone()));
    all
}

/// The queries for all charts of the SLO, to the source that has it: at most eight.
pub fn wants(shared: &Shared, key: &SloKey, now: Timestamp) -> Vec<Want> {
    let Some((status, chart_queries)) = asked(shared, key, now) else { return Vec::new() };
    let burns = chart_queries.burns.iter();
    let burns = burns.map(|(_, query)| {
        want::series(shared, &status.source, want::chart(shared, &query.as_str().into(), POINTS, now))
    });
    let firing = slots_want(shared, status, &chart_queries, &chart_queries.firing);
    burns.chain(slot_wants(shared, status, &chart_queries)).chain([firing]).collect()
}

/// The queries for finer points of the burn rates, while their chart is zoomed.
pub fn finer_wants(shared: &Shared, key: &SloKey, time: ChartedTime, now: Timestamp) -> Vec<Want> {
    let zoomed = ZoomedGrid::of(shared, time, POINTS, now);
    let (Some((status, chart_queries)), Some(zoomed)) = (asked(shared, key, now), zoomed) else {
        return Vec::new();
    };
    let burns = chart_queries.burns.iter();
    burns.map(|(_, query)| zoomed.series_want(shared, &status.source, &query.as_str().into())).collect()
}

/// The queries for the budget spent per slot alone: at most four.
pub fn spending_wants(shared: &Shared, key: &SloKey, now: Timestamp) -> Vec<Want> {
    asked(shared, key, now)
        .map_or_else(Vec::new, |(status, chart_queries)| slot_wants(shared, status, &chart_queries).collect())
}

/// The SLO and its queries; None if the SLO is unknown or its source does not answer range queries.
fn asked<'a>(shared: &'a Shared, key: &SloKey, now: Timestamp) -> Option<(&'a SloStatus, ChartQueries)> {
    let can = shared.answering(AskKind::Series).any(|source| source.id == key.source);
    let status = key.status(&shared.world).filter(|_| can)?;
    Some((status, chart_queries(status, shared.range.end.unwrap_or(now))))
}

/// The queries for the budget spent per slot.
fn slot_wants<'a>(
    shared: &'a Shared,
    status: &'a SloStatus,
    chart_queries: &'a ChartQueries,
) -> impl Iterator<Item = Want> + 'a {
    let slots = chart_queries.slots.iter().chain(&chart_queries.events).flat_map(RatioQuery::queries);
    slots.map(|query| slots_want(shared, status, chart_queries, query))
}

/// The query for the series of one expression by slot.
fn slots_want(shared: &Shared, status: &SloStatus, chart_queries: &ChartQueries, query: &str) -> Want {
    let want = want::series(shared, &status.source, (chart_queries.slots_key(query), chart_queries.span));
    Want { interval: SLOTS_INTERVAL, ..want }
}

/// The cached answer to one of the queries by slot.
pub fn slots_of<'a>(
    shared: &'a Shared,
    status: &SloStatus,
    chart_queries: &ChartQueries,
    query: &str,
) -> Option<&'a Remote<Matrix>> {
    shared.world.cache(&status.source)?.series().get(&chart_queries.slots_key(query))
}

/// The cache key of a burn-rate query over the current time range.
pub fn burns_key(shared: &Shared, query: &str, now: Timestamp) -> SeriesKey {
    want::chart(shared, &query.into(), POINTS, now).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_hours_of_all_usual_windows_and_never_too_many() {
        let now: Timestamp = "2026-01-14T02:52:07Z".parse().unwrap();
        for (days, seconds, count) in [(7, 3600, 168), (30, 3600, 720), (90, 3600, 2160), (365, 21_600, 1460)]
        {
            let span = slots_span(&Window::Rolling(Duration::from_secs(days * 86_400)), now);
            assert_eq!((span.step().as_secs(), span.count() - 1), (seconds, count), "{days} days");
        }
        let short = slots_span(&Window::Rolling(HOUR), now);
        assert_eq!((short.step().as_secs(), short.count() - 1), (300, 12));
    }
}
