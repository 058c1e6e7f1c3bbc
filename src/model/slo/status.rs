//! The state of an SLO, computed from measured values, and its order by urgency.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::fingerprint::Fingerprint;
use super::super::labels::{Labels, Text};
use super::super::source::SourceId;
use super::burn_condition::{BurnCondition, BurnSeverity};
use super::definition::Slo;
use super::exhaustion::{CurrentPeriod, Exhaustion};
use super::reading::{DataExtent, Evaluation, GroupReading, InvalidRatio, MeasuredRatio, SloReading};
use super::window::Window;
use crate::model::words::words;

/// If there are data for less than this share of the window, and for less than the longest lookback of a condition, the budget is
/// not computed.
const MIN_DATA_SHARE: f64 = 0.05;
/// A lookback counts as covered if at least this share of it has data.
const COVERED_SHARE: f64 = 0.9;

/// The lookback that decides whether an SLO is burning; also the default basis of the time to exhaustion.
pub const BASIS: Duration = Duration::from_secs(3600);

/// The lookback that orders SLOs with equal burn rates over [`BASIS`].
pub const RECENT: Duration = Duration::from_secs(300);

words! {
    /// The state of an SLO, the worst first. Rows are sorted by [`GroupStatus::by_urgency`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum SloState: word {
        /// A burn-rate condition with severity page holds.
        Page = "page",
        /// A burn-rate condition with severity ticket holds.
        Ticket = "ticket",
        /// The whole budget is spent.
        Exhausted = "exhausted",
        /// The burn rate over the last hour is above 1.
        Burning = "burning",
        NoData = "no data",
        /// The data cover too little time.
        Insufficient = "insufficient data",
        Fine = "ok",
        /// No events, neither good nor bad.
        Quiet = "no traffic",
    }
}

/// Why a number is missing.
#[derive(Debug, Clone, PartialEq)]
pub enum MissingReason {
    Unknown,
    /// No data in the whole time that was queried.
    NeverHadData,
    /// The last data are from this time.
    NoDataSince(Timestamp),
    /// The query over this lookback returned something that is not an error ratio.
    Odd(InvalidRatio, Duration),
    /// There are no data for this lookback, though others have data.
    Missing(Duration),
    /// The number cannot be computed, for this reason.
    Because(Text),
    /// The error message of the server.
    Refused(Text),
    /// The definition has no query for this source.
    NoQuery,
}

/// The burn rate over one lookback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnReading {
    pub lookback: Duration,
    pub measured: MeasuredRatio,
    /// The burn rate, a multiple of 1, never NaN; `None` without an error ratio.
    pub rate: Option<f64>,
}

/// A burn-rate condition, and whether it holds now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnConditionState {
    pub pair: BurnCondition,
    /// The burn rate over the long lookback.
    pub long: Option<f64>,
    /// The burn rate over the short lookback.
    pub short: Option<f64>,
    /// Whether the condition holds; `None` if a burn rate is unknown. Without traffic it does not hold, and the alert does not
    /// fire either.
    pub holds: Option<bool>,
}

/// The state of one group of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupStatus {
    /// The values of the grouping labels.
    pub labels: Labels,
    pub state: SloState,
    /// Why a number is missing, if one is.
    pub doubt: Option<MissingReason>,
    /// The error ratio over the window, or since the start of a calendar window.
    pub window: MeasuredRatio,
    /// Whether `window` is a mean over time instead of a mean over events.
    pub is_time_weighted: bool,
    /// The share of the whole window's budget that is spent, above 1 if overspent; `None` if it is unknown, or if the data cover
    /// too small a part of the window.
    pub spent: Option<f64>,
    /// The burn rates by lookback, ascending.
    pub burns: Vec<BurnReading>,
    /// The burn-rate conditions of the SLO with their current states.
    pub pairs: Vec<BurnConditionState>,
    /// The earliest exhaustion at the burn rate over the lookback nearest to [`BASIS`]; `None` if the burn rate or the budget is
    /// unknown.
    pub exhaustion: Option<Exhaustion>,
    /// The share of the window with data, 0 to 1, if not all of it has data.
    pub covered: Option<f64>,
    /// Whether `covered` is only an upper bound.
    pub covered_at_most: bool,
}

/// The state of one SLO of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct SloStatus {
    pub slo: Arc<Slo>,
    /// The source of the numbers.
    pub source: SourceId,
    /// Whether the numbers come from recording rules or live queries.
    pub evaluation: Evaluation,
    /// The error message of its queries, if one failed.
    pub failure: Option<Text>,
    /// A limitation of its numbers.
    pub remark: Option<Text>,
    /// Its groups, the worst first.
    pub groups: Vec<GroupStatus>,
    /// The name of its service, as in the service list.
    pub service: Option<Text>,
    /// Alerts of this SLO that fire or are pending.
    pub alerts: Vec<Fingerprint>,
    /// The evaluation time.
    pub at: Timestamp,
}

impl SloStatus {
    /// Computes the states of an SLO from a source's values. The caller, `World`, adds the service and the alerts.
    pub fn of(reading: &SloReading, source: &SourceId, at: Timestamp) -> Self {
        let evaluated = reading.groups.iter().map(|group| GroupStatus::of(reading, group, at));
        let mut groups: Vec<GroupStatus> = evaluated.collect();
        groups.sort_by(GroupStatus::by_urgency);
        Self {
            slo: Arc::clone(&reading.slo),
            source: source.clone(),
            evaluation: reading.evaluation,
            failure: reading.failure.clone(),
            remark: reading.remark.clone(),
            groups,
            service: None,
            alerts: Vec::new(),
            at,
        }
    }

    /// The worst group, which decides the state of the SLO.
    pub fn worst(&self) -> Option<&GroupStatus> {
        self.groups.first()
    }

    /// Whether an alert of this SLO belongs to this group: no grouping label of the alert has another value. A missing label
    /// matches any group.
    pub fn is_about(&self, group: &GroupStatus, alert: &Labels) -> bool {
        let mut names = self.groups.iter().flat_map(|group| group.labels.iter()).map(|(name, _)| name);
        names.all(|name| alert.get(name).is_none_or(|value| **value == *group.labels.value(name)))
    }

    /// The state of the worst group.
    pub fn state(&self) -> SloState {
        self.worst().map_or(SloState::NoData, |worst| worst.state)
    }

    /// The order by [`GroupStatus::by_urgency`] of the worst groups, then by id and source.
    pub fn by_urgency(&self, other: &Self) -> Ordering {
        let by_worst = match (self.worst(), other.worst()) {
            (Some(mine), Some(theirs)) => mine.by_urgency(theirs),
            // an SLO without groups sorts after all others that have no data
            (mine, theirs) => self.state().cmp(&other.state()).then(mine.is_none().cmp(&theirs.is_none())),
        };
        by_worst.then_with(|| self.slo.id.cmp(&other.slo.id)).then_with(|| self.source.cmp(&other.source))
    }
}

impl GroupStatus {
    /// Computes the state of one group of an SLO at the evaluation time `at`.
    pub fn of(reading: &SloReading, group: &GroupReading, at: Timestamp) -> Self {
        let slo = &reading.slo;
        let budget = slo.objective.budget();
        // with few data, a lookback that is only partly covered gives no burn rate
        let sparse = group.extent.as_ref().filter(|extent| has_sparse_data(slo, extent, at));
        let is_covered = |lookback: Duration| {
            let known = sparse.and_then(|extent| extent.within(lookback));
            known.is_none_or(|known| known.as_secs_f64() >= lookback.as_secs_f64() * COVERED_SHARE)
        };
        let burns = group.recent.iter().map(|(lookback, measured)| {
            let rate = measured.error().filter(|_| is_covered(*lookback)).map(|error| error / budget);
            BurnReading { lookback: *lookback, measured: *measured, rate }
        });
        let burns: Vec<BurnReading> = burns.collect();
        let pairs =
            slo.pairs.iter().map(|pair| BurnConditionState::of(*pair, group, budget, is_covered(pair.long)));
        let pairs: Vec<BurnConditionState> = pairs.collect();
        let basis = nearest(&burns, BASIS).and_then(|burn| burn.rate);
        let average = group.window.error().filter(|_| sparse.is_none()).map(|error| error / budget);
        let spent = average.and_then(|average| spent(&slo.window, average, at));
        let elapsed = slo.window.elapsed(at);
        let state = state(&pairs, spent, basis, group, sparse.is_some(), is_covered);
        Self {
            labels: group.labels.clone(),
            state,
            doubt: doubt(reading, group),
            window: group.window,
            is_time_weighted: group.is_time_weighted,
            spent,
            // a burn rate from before the data ended gives no forecast
            exhaustion: basis
                .zip(spent)
                .filter(|_| !group.has_ended())
                .and_then(|(burn, spent)| exhaustion(&slo.window, spent, burn, at)),
            covered: group.extent.as_ref().and_then(|extent| covered(extent, elapsed)),
            covered_at_most: group.extent.as_ref().is_some_and(|extent| extent.at_most),
            burns,
            pairs,
        }
    }

    /// The share of the budget that is left, below 0 if overspent.
    pub fn left(&self) -> Option<f64> {
        self.spent.map(|spent| 1.0 - spent)
    }

    /// The burn rate over exactly this lookback.
    pub fn burn(&self, lookback: Duration) -> Option<f64> {
        self.burns.iter().find(|burn| burn.lookback == lookback)?.rate
    }

    /// The burn rate over the nearest lookback: not every set of conditions has the usual lookbacks.
    pub fn burn_near(&self, lookback: Duration) -> Option<&BurnReading> {
        nearest(&self.burns, lookback)
    }

    /// The earliest exhaustion at this burn rate; `None` if the remaining budget is unknown.
    pub fn exhaustion_at(&self, window: &Window, burn: f64, at: Timestamp) -> Option<Exhaustion> {
        exhaustion(window, self.spent?, burn, at)
    }

    /// The burn rate over exactly this time up to now, interpolated between the nearest lookbacks: errors between two lookbacks
    /// count as evenly spread. Below the shortest and above the longest lookback, the rate of that lookback is used.
    pub fn burn_within(&self, time: Duration) -> Option<f64> {
        let known = self.burns.iter().filter_map(|burn| Some((burn.lookback.as_secs_f64(), burn.rate?)));
        let time = time.as_secs_f64();
        let mut before: Option<(f64, f64)> = None;
        for (lookback, rate) in known {
            // a longer lookback contains the shorter one, so it has at least the errors of the shorter one
            let sum = (rate * lookback).max(before.map_or(0.0, |(_, sum)| sum));
            if lookback >= time {
                return Some(match before {
                    Some((from, until)) if time > 0.0 => {
                        (until + (sum - until) * (time - from) / (lookback - from)) / time
                    }
                    _ => rate,
                });
            }
            before = Some((lookback, sum));
        }
        before.map(|(lookback, sum)| sum / lookback)
    }

    /// Orders by state, then by burn rate over an hour and over five minutes, the fastest first, then by remaining budget. For
    /// SLOs within their budget the burn rate is rounded to tenths, so that rows do not move at every refresh.
    pub fn by_urgency(&self, other: &Self) -> Ordering {
        let is_within_budget = self.state > SloState::NoData;
        let negative_rate = |group_status: &Self, lookback| {
            let rate = group_status.burn_near(lookback).and_then(|burn| burn.rate);
            -rate
                .map_or(f64::NEG_INFINITY, |rate| if is_within_budget { (rate * 10.0).round() } else { rate })
        };
        let faster = |lookback| negative_rate(self, lookback).total_cmp(&negative_rate(other, lookback));
        let left = |group_status: &Self| group_status.left().unwrap_or(f64::INFINITY);
        self.state
            .cmp(&other.state)
            .then_with(|| faster(BASIS))
            .then_with(|| if is_within_budget { Ordering::Equal } else { faster(RECENT) })
            .then_with(|| left(self).total_cmp(&left(other)))
    }
}

impl BurnConditionState {
    fn of(pair: BurnCondition, group: &GroupReading, budget: f64, is_covered: bool) -> Self {
        let (long, short) = (group.over(pair.long), group.over(pair.short));
        let burn = |measured: MeasuredRatio| measured.error().map(|error| error / budget);
        let holds = match (burn(long), burn(short)) {
            _ if !is_covered => None,
            (Some(long), Some(short)) => Some(pair.holds(long, short)),
            // NaN > x is false: without traffic the alert cannot fire
            _ if long == MeasuredRatio::NoTraffic || short == MeasuredRatio::NoTraffic => Some(false),
            _ => None,
        };
        Self { pair, long: burn(long).filter(|_| is_covered), short: burn(short), holds }
    }
}

/// Whether the data cover too little time to compute the budget of the window.
fn has_sparse_data(slo: &Slo, extent: &DataExtent, at: Timestamp) -> bool {
    let longest = slo.pairs.iter().map(|pair| pair.long).max();
    extent.known.as_secs_f64() < slo.window.length(at).as_secs_f64() * MIN_DATA_SHARE
        && longest.is_none_or(|longest| extent.known < longest)
}

/// Decides the state; where data are sparse, `is_covered` returns whether a lookback has enough of them.
fn state(
    pairs: &[BurnConditionState],
    spent: Option<f64>,
    basis: Option<f64>,
    group: &GroupReading,
    is_sparse: bool,
    is_covered: impl Fn(Duration) -> bool,
) -> SloState {
    let of = |severity| pairs.iter().filter(move |now| now.pair.severity == severity);
    let holds = |severity| of(severity).any(|now| now.holds == Some(true));
    let known = group.recent.iter().map(|(_, measured)| *measured).chain([group.window]);
    let is_known = known.clone().any(|measured| measured.error().is_some());
    let is_broken = |lookback| {
        let measured = group.over(lookback);
        measured.odd().is_some() && measured.error().is_none()
    };
    // the state may only be `Fine` if the paging conditions could be evaluated
    let has_invalid_page_ratio =
        of(BurnSeverity::Page).any(|now| is_broken(now.pair.long) || is_broken(now.pair.short));
    let is_page_evaluated =
        of(BurnSeverity::Page).count() > 0 && of(BurnSeverity::Page).all(|now| is_covered(now.pair.long));
    if holds(BurnSeverity::Page) {
        SloState::Page
    } else if holds(BurnSeverity::Ticket) {
        SloState::Ticket
    } else if spent.is_some_and(|spent| spent >= 1.0) {
        SloState::Exhausted
    } else if !is_known && known.clone().any(|measured| measured == MeasuredRatio::NoTraffic) {
        SloState::Quiet
    } else if !is_known || group.window.error().is_none() || group.has_ended() || has_invalid_page_ratio {
        SloState::NoData
    } else if is_sparse && !is_page_evaluated {
        SloState::Insufficient
    } else if basis.is_some_and(|burn| burn > 1.0) {
        SloState::Burning
    } else {
        SloState::Fine
    }
}

impl GroupReading {
    /// The known values of lookbacks up to an hour, the shortest first.
    fn last_hour(&self) -> impl Iterator<Item = MeasuredRatio> {
        let last_hour = self.recent.iter().filter(|(lookback, _)| *lookback <= BASIS);
        last_hour.map(|(_, measured)| *measured).filter(|measured| *measured != MeasuredRatio::Unknown)
    }

    /// Whether the last hour has no data.
    pub fn is_silent(&self) -> bool {
        let mut last_hour = self.last_hour().peekable();
        last_hour.peek().is_some() && last_hour.all(|measured| measured == MeasuredRatio::Absent)
    }

    /// Whether the data ended recently: a value over a longer lookback then describes the past only.
    fn has_ended(&self) -> bool {
        self.is_silent() || self.newest.is_some() && self.last_hour().next() == Some(MeasuredRatio::Absent)
    }
}

fn doubt(reading: &SloReading, group: &GroupReading) -> Option<MissingReason> {
    let slo = &reading.slo;
    let window = (slo.window.nominal(), group.window);
    let mut measured = std::iter::once(&window).chain(&group.recent);
    if let Some((odd, over)) = measured.find_map(|(over, measured)| Some((measured.odd()?, *over))) {
        return Some(MissingReason::Odd(odd, over));
    }
    if let Some(said) = &reading.failure {
        return Some(MissingReason::Refused(said.clone()));
    }
    let has_data = group.recent.iter().any(|(_, measured)| measured.error().is_some());
    match group.window {
        MeasuredRatio::Absent if has_data && !group.has_ended() => Some(MissingReason::Missing(window.0)),
        MeasuredRatio::Absent => {
            Some(group.newest.map_or(MissingReason::NeverHadData, MissingReason::NoDataSince))
        }
        MeasuredRatio::Unknown if slo.sli.is_none() && slo.recorded.is_none() => Some(MissingReason::NoQuery),
        MeasuredRatio::Unknown => {
            Some(reading.remark.clone().map_or(MissingReason::Unknown, MissingReason::Because))
        }
        // the window has a ratio, so there were data; only the time of the last sample may be unknown
        MeasuredRatio::Ratio { .. } if group.has_ended() => {
            Some(group.newest.map_or(MissingReason::Unknown, MissingReason::NoDataSince))
        }
        MeasuredRatio::Ratio { .. } => {
            let lookbacks = slo.pairs.iter().flat_map(|pair| [pair.short, pair.long]);
            lookbacks
                .filter(|lookback| group.over(*lookback) == MeasuredRatio::Absent)
                .min()
                .map(MissingReason::Missing)
        }
        MeasuredRatio::NoTraffic | MeasuredRatio::Odd(_) => None,
    }
}

/// The known burn rate over the lookback nearest to the given one, compared by ratio: half is as far as double.
fn nearest(burns: &[BurnReading], lookback: Duration) -> Option<&BurnReading> {
    let distance = |burn: &BurnReading| {
        let ratio = burn.lookback.as_secs_f64() / lookback.as_secs_f64();
        ratio.max(1.0 / ratio)
    };
    burns.iter().filter(|burn| burn.rate.is_some()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The share of the whole window's budget that is spent. In a calendar window only the elapsed time can have spent budget; a
/// rolling window has always elapsed completely.
fn spent(window: &Window, average: f64, at: Timestamp) -> Option<f64> {
    match window {
        Window::Rolling(_) => Some(average),
        Window::Calendar(_) => Some(CurrentPeriod::new(average, window.bounds(at), at)?.spent()),
    }
}

/// When a budget with this spent share is exhausted at this burn rate.
fn exhaustion(window: &Window, spent: f64, burn: f64, at: Timestamp) -> Option<Exhaustion> {
    match window {
        Window::Rolling(length) => Exhaustion::earliest(1.0 - spent, burn, *length),
        Window::Calendar(_) => {
            let (length, elapsed) = (window.length(at).as_secs_f64(), window.elapsed(at).as_secs_f64());
            CurrentPeriod::new(spent * length / elapsed, window.bounds(at), at)?.exhaustion(burn)
        }
    }
}

fn covered(extent: &DataExtent, elapsed: Duration) -> Option<f64> {
    // the first sample can be one or two scrapes late, which is not a gap
    let share = extent.known.as_secs_f64() / elapsed.as_secs_f64();
    (share.is_finite() && share < 0.99).then(|| share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
