//! One SLO: how its budget went and will go, how fast it burns, which conditions hold, what ate it, and how it is defined.

use std::time::Duration;

use jiff::Timestamp;

use crate::app::due::Want;
use crate::app::list::List;
use crate::app::place::Place;
use crate::app::screens::alerts::badness;
use crate::app::state::State;
use crate::app::want;
use crate::model::ask::{AskKind, SeriesKey};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::remote::Remote;
use crate::model::series::{Matrix, Span};
use crate::model::slo::history::{self, Slots};
use crate::model::slo::{BASIS, Bounds, Burn, Slo, SloStatus, Standing, Window};
use crate::model::source::SourceId;

mod course;
mod page;
mod view;

pub use view::{chart_at, last_scroll, render, row_at, scroll_to_cursor, text_area};

/// The panel of the budget's course. Here and on the next one arrows scroll the page.
pub const BUDGET: usize = 0;
/// The panel of the burn over time.
pub const BURN: usize = 1;
/// The groups; the charts show the one under the cursor.
pub const GROUPS: usize = 2;
/// Alerts of the SLO.
pub const ALERTS: usize = 3;
/// Its queries.
pub const QUERIES: usize = 4;
/// How many panels there are.
pub const PANELS: usize = 5;

/// Points of the chart of burns.
const POINTS: u16 = 240;
/// Most slots of a window: a year in slots of six hours is below, and so is 90 days in hours.
const MOST_SLOTS: u16 = 2400;
/// What is asked for slots changes slowly.
const SLOTS_INTERVAL: Duration = Duration::from_secs(300);
const HOUR: Duration = Duration::from_secs(3600);

/// The burns that are told whatever is chosen.
const BASES: [Duration; 3] = [Duration::from_secs(300), BASIS, Duration::from_secs(6 * 3600)];

/// What the person does on the open SLO.
#[derive(Debug)]
pub struct Open {
    /// Its groups.
    pub groups: List<Labels>,
    /// Its alerts.
    pub alerts: List<Fingerprint>,
    /// Its queries, by their place.
    pub queries: List<usize>,
    basis: Duration,
}

impl Default for Open {
    fn default() -> Self {
        let (groups, alerts, queries) = (List::default(), List::default(), List::default());
        Self { groups, alerts, queries, basis: BASIS }
    }
}

impl Open {
    /// The lookback whose burn the forecast goes by.
    pub fn basis(&self) -> Duration {
        self.basis
    }

    /// All cursors to their first rows, as for another SLO.
    #[expect(clippy::wrong_self_convention, reason = "it moves, it converts nothing")]
    pub fn to_top(&mut self) {
        self.groups.to_top();
        self.alerts.to_top();
        self.queries.to_top();
    }
}

/// The group that the charts show: the one under the cursor, else the worst.
fn shown<'a>(state: &State, status: &'a SloStatus) -> Option<&'a Standing> {
    let chosen = state.slo.groups.current();
    let chosen = chosen.and_then(|labels| status.groups.iter().find(|group| group.labels == *labels));
    chosen.or_else(|| status.worst())
}

/// Lets the forecast of the open SLO go by the next longer lookback that is measured, after the longest by the shortest.
/// `None` if none is measured.
pub fn next_basis(state: &mut State) -> Option<Duration> {
    let Place::Slo { source, id } = state.place().clone() else { return None };
    let status = state.world.slo(&source, &id)?;
    let next = following(shown(state, status)?, state.slo.basis)?;
    state.slo.basis = next;
    Some(next)
}

fn following(standing: &Standing, basis: Duration) -> Option<Duration> {
    let present = standing.burn_near(basis)?.lookback;
    let known = || standing.burns.iter().filter(|burn| burn.rate.is_some()).map(|burn| burn.lookback);
    known().filter(|lookback| *lookback > present).min().or_else(|| known().min())
}

/// The burns that tell when the budget is gone, as far as they are measured, the shortest first: the usual ones and the one
/// that the forecast goes by.
fn bases(standing: &Standing, chosen: Duration) -> Vec<&Burn> {
    let usual = BASES.iter().chain([&chosen]).filter_map(|basis| standing.burn_near(*basis));
    let mut burns: Vec<&Burn> = usual.collect();
    burns.sort_by_key(|burn| burn.lookback);
    burns.dedup_by_key(|burn| burn.lookback);
    burns
}

/// Which lookbacks the chart of burns shows: of the first pair both, of the next one the long one.
fn charted(slo: &Slo) -> Vec<Duration> {
    let mut lookbacks = Vec::new();
    let pairs = slo.pairs.iter().take(2).flat_map(|pair| [pair.long, pair.short]).take(3);
    for lookback in pairs {
        if !lookbacks.contains(&lookback) {
            lookbacks.push(lookback);
        }
    }
    if lookbacks.is_empty() { vec![HOUR] } else { lookbacks }
}

/// The slots of the window up to a moment; the first point is where the first slot begins.
fn slots_span(window: &Window, moment: Timestamp) -> Span {
    let elapsed = window.elapsed(moment);
    let least = if window.nominal() < 12 * HOUR { HOUR / 12 } else { HOUR };
    Span::ending(moment, elapsed.max(least), MOST_SLOTS, least)
}

/// The queries of the charts, with what they are asked over.
struct Asks {
    /// Errors by slots.
    slots: Option<Slots>,
    /// The same counted, where the window's ratio is a mean over time and a definition can do better.
    events: Option<Slots>,
    /// Error ratios by lookback.
    burns: Vec<(Duration, String)>,
    /// What fired in the slots.
    firing: String,
    /// The slots.
    span: Span,
    /// How long the window is.
    range: Duration,
}

impl Asks {
    /// What tells the answer to one of the queries by slots from others.
    fn slots_key(&self, query: &str) -> SeriesKey {
        SeriesKey { query: query.into(), range: self.range, step: self.span.step() }
    }
}

fn asks(status: &SloStatus, moment: Timestamp) -> Asks {
    let (slo, evaluation) = (&*status.slo, status.evaluation);
    let span = slots_span(&slo.window, moment);
    let is_time_weighted = status.groups.iter().any(|group| group.is_time_weighted);
    let slots = history::slots(slo, evaluation, span.step());
    let events =
        history::events(slo, span.step()).filter(|events| is_time_weighted && Some(events) != slots.as_ref());
    let burns = charted(slo).into_iter();
    let burns =
        burns.filter_map(|lookback| Some((lookback, history::error_ratio(slo, evaluation, lookback)?)));
    Asks {
        slots,
        events,
        burns: burns.collect(),
        firing: history::firing(slo, status.service.as_deref(), span.step()),
        span,
        range: slo.window.nominal(),
    }
}

/// Its queries in words and as they are asked, for reading and for copying.
fn queries(status: &SloStatus, moment: Timestamp) -> Vec<(String, String)> {
    let asks = asks(status, moment);
    let slot = crate::model::duration::short(asks.span.step());
    let mut all: Vec<(String, String)> = Vec::new();
    for (lookback, query) in asks.burns {
        all.push((format!("error ratio over {}", crate::model::duration::short(lookback)), query));
    }
    let window = status.slo.window.nominal();
    if let Some(query) = history::over_window(&status.slo, status.evaluation) {
        all.push((format!("error ratio over {}", crate::model::duration::short(window)), query));
    }
    let mut slots = |name: &str, slots: Option<Slots>| match slots {
        Some(Slots::Ratio(query)) => all.push((format!("{name}, each {slot}"), query)),
        Some(Slots::Events { part, total, .. }) => {
            all.push((format!("{name}, each {slot}: part"), part));
            all.push((format!("{name}, each {slot}: total"), total));
        }
        None => {}
    };
    slots("what ate the budget", asks.slots);
    slots("counted events", asks.events);
    all.push((format!("what fired, each {slot}"), asks.firing));
    // the shortest lookback may be the slot's
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(_, query)| seen.insert(query.clone()));
    all
}

/// The charts of the SLO, from the source that knows it: at most eight queries.
pub fn wants(state: &State, source: &SourceId, id: &str, now: Timestamp) -> Vec<Want> {
    let Some((status, asks)) = asked(state, source, id, now) else { return Vec::new() };
    let burns = asks.burns.iter();
    let burns = burns.map(|(_, query)| {
        want::series(state, &status.source, want::chart(state, &query.as_str().into(), POINTS, now))
    });
    let firing = slots_want(state, status, &asks, &asks.firing);
    burns.chain(slot_wants(state, status, &asks)).chain([firing]).collect()
}

/// Only what tells what each slot of the window spent of the budget: at most four queries.
pub fn spending_wants(state: &State, source: &SourceId, id: &str, now: Timestamp) -> Vec<Want> {
    asked(state, source, id, now)
        .map_or_else(Vec::new, |(status, asks)| slot_wants(state, status, &asks).collect())
}

/// What is to be asked of an SLO, if its source can be asked.
fn asked<'a>(state: &'a State, source: &SourceId, id: &str, now: Timestamp) -> Option<(&'a SloStatus, Asks)> {
    let can = |kind| state.sources.iter().any(|s| s.id == *source && s.answers.contains(&kind));
    let status = state.world.slo(source, id).filter(|_| can(AskKind::Series))?;
    Some((status, asks(status, state.range.end.unwrap_or(now))))
}

fn slot_wants<'a>(
    state: &'a State,
    status: &'a SloStatus,
    asks: &'a Asks,
) -> impl Iterator<Item = Want> + 'a {
    let slots = asks.slots.iter().chain(&asks.events).flat_map(|slots| match slots {
        Slots::Ratio(query) => vec![query],
        Slots::Events { part, total, .. } => vec![part, total],
    });
    slots.map(|query| slots_want(state, status, asks, query))
}

fn slots_want(state: &State, status: &SloStatus, asks: &Asks, query: &str) -> Want {
    let want = want::series(state, &status.source, (asks.slots_key(query), asks.span));
    Want { interval: SLOTS_INTERVAL, ..want }
}

/// The values of one of its queries by slots.
fn slots_of<'a>(
    state: &'a State,
    status: &SloStatus,
    asks: &Asks,
    query: &str,
) -> Option<&'a Remote<Matrix>> {
    state.world.held(&status.source)?.series().get(&asks.slots_key(query))
}

/// The error ratio that this query tells over the range that is shown.
fn burns_key(state: &State, query: &str, now: Timestamp) -> SeriesKey {
    want::chart(state, &query.into(), POINTS, now).0
}

/// What the slots spent in which a stretch of time fell, as a share of the window's budget, and from when to when these
/// slots were. `None` as long as that is not known.
pub fn spent_between(state: &State, status: &SloStatus, stretch: Bounds) -> Option<(f64, Bounds)> {
    let course = course::Course::of(state, status, status.worst()?)?;
    course.spent_between(stretch)
}

/// Brings its groups, alerts and queries into their order again.
pub fn reorder(state: &mut State, source: &SourceId, id: &str) {
    let State { world, slo: open, .. } = state;
    let Some(status) = world.slo(source, id) else {
        (open.groups, open.alerts, open.queries) = (List::default(), List::default(), List::default());
        return;
    };
    let is_split = status.groups.len() > 1;
    let groups = status.groups.iter().filter(|_| is_split).map(|group| group.labels.clone()).collect();
    let mut alerts: Vec<_> = status.alerts.iter().filter_map(|alert| world.alert(*alert)).collect();
    alerts.sort_by_key(|alert| badness(alert));
    let alerts = alerts.into_iter().map(|alert| alert.fingerprint).collect();
    let queries = (0..queries(status, status.at).len()).collect();
    open.groups.set_rows(groups);
    open.alerts.set_rows(alerts);
    open.queries.set_rows(queries);
    if !has_panel(state, state.panel) {
        state.panel = BUDGET;
    }
}

/// Whether there is something in a panel.
pub fn has_panel(state: &State, panel: usize) -> bool {
    match panel {
        GROUPS => !state.slo.groups.rows().is_empty(),
        ALERTS => !state.slo.alerts.rows().is_empty(),
        QUERIES => !state.slo.queries.rows().is_empty(),
        _ => true,
    }
}

/// What Enter opens: the alert under the cursor, else its service.
pub fn target(state: &State, source: &SourceId, id: &str) -> Option<Place> {
    if state.panel == ALERTS {
        return state.slo.alerts.current().copied().map(Place::Alert);
    }
    let name = state.world.slo(source, id)?.service.as_ref()?;
    state.world.service(name).map(|service| Place::Service(service.name.clone()))
}

/// What Enter opens, in a word.
pub fn opens(state: &State) -> &'static str {
    if state.panel == ALERTS { "alert" } else { "service" }
}

/// What copying takes: the query or the alert under the cursor, else the name.
pub fn copied(state: &State, source: &SourceId, id: &str) -> Option<String> {
    let status = state.world.slo(source, id);
    match state.panel {
        QUERIES => {
            let at = *state.slo.queries.current()?;
            queries(status?, status?.at).into_iter().nth(at).map(|(_, query)| query)
        }
        ALERTS => {
            let alert = state.slo.alerts.current().copied()?;
            state.world.alert(alert).map(|alert| alert.labels.to_string())
        }
        _ => Some(id.to_owned()),
    }
}

#[cfg(test)]
mod tests;
