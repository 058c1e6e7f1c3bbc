//! How an SLO stands: from what was measured to what a person must know, worst first.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::super::fingerprint::Fingerprint;
use super::super::labels::{Labels, Text};
use super::super::source::SourceId;
use super::burn_condition::{BurnCondition, Severity};
use super::definition::Slo;
use super::exhaustion::{CurrentPeriod, Exhaustion};
use super::reading::{DataExtent, Evaluation, GroupReading, InvalidRatio, MeasuredRatio, SloReading};
use super::window::Window;
use crate::model::words::words;

/// Where there are data for less than this share of the window, and for less than the longest lookback of a condition, nothing is
/// said of the budget.
const MIN_DATA_SHARE: f64 = 0.05;
/// A lookback counts as covered from this share of it on.
const COVERED_SHARE: f64 = 0.9;

/// Burning is what this lookback says; also the basis of the time to exhaustion unless another one is chosen.
pub const BASIS: Duration = Duration::from_secs(3600);

/// The lookback that tells apart what burns equally fast over [`BASIS`].
pub const RECENT: Duration = Duration::from_secs(300);

words! {
    /// How an SLO is, the worst first. Rows stand in the order of [`GroupStatus::by_urgency`].
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum SloState: word {
        /// A pair that wakes someone holds.
        Page = "page",
        /// A pair that waits for the morning holds.
        Ticket = "ticket",
        /// All of the budget is spent.
        Exhausted = "exhausted",
        /// Over the last hour faster than sustainable.
        Burning = "burning",
        NoData = "no data",
        /// There are data for too little time to say.
        Insufficient = "insufficient data",
        Fine = "ok",
        /// Nothing happened that could be good or bad.
        Quiet = "no traffic",
    }
}

/// The comment: why there is no number.
#[derive(Debug, Clone, PartialEq)]
pub enum MissingReason {
    Unknown,
    /// There never was a series, as far back as was looked.
    NeverHadData,
    NoDataSince(Timestamp),
    /// The query over a lookback says something that is no error ratio.
    Odd(InvalidRatio, Duration),
    /// There is none over this lookback, though there are others.
    Missing(Duration),
    /// It cannot be had, for this reason.
    Because(Text),
    /// What the server said instead.
    Refused(Text),
    /// The definition has no query that this source could answer.
    NoQuery,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnReading {
    pub lookback: Duration,
    pub measured: MeasuredRatio,
    /// A multiple of what is sustainable, never NaN; none if there is no error ratio.
    pub rate: Option<f64>,
}

/// A pair of lookbacks, and whether its condition holds now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnConditionState {
    pub pair: BurnCondition,
    pub long: Option<f64>,
    pub short: Option<f64>,
    /// Whether it holds; none if one of the two is not known. No traffic: it does not, as the alert's does not.
    pub holds: Option<bool>,
}

/// One group of an SLO, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupStatus {
    pub labels: Labels,
    pub state: SloState,
    /// The comment: why a number is missing, if one is.
    pub doubt: Option<MissingReason>,
    /// The error ratio over the window, or since the start of a calendar window.
    pub window: MeasuredRatio,
    /// Whether that is a mean over time and not over events.
    pub is_time_weighted: bool,
    /// The share of the whole window's budget that is spent, above 1 if overspent; none where there are data for a tiny part of
    /// the window alone.
    pub spent: Option<f64>,
    /// The burns by lookback, ascending.
    pub burns: Vec<BurnReading>,
    pub pairs: Vec<BurnConditionState>,
    /// When the budget is gone at the burn nearest to [`BASIS`], at the earliest; none if one of the two is not known.
    pub exhaustion: Option<Exhaustion>,
    /// The share of the window for which there are data, 0 to 1, if not all of it.
    pub covered: Option<f64>,
    /// Whether that may be less.
    pub covered_at_most: bool,
}

/// One SLO of one source, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct SloStatus {
    pub slo: Arc<Slo>,
    pub source: SourceId,
    pub evaluation: Evaluation,
    /// What went wrong with its queries, if something did.
    pub trouble: Option<Text>,
    /// What must be known about how its numbers were had.
    pub remark: Option<Text>,
    /// Its groups, the worst first.
    pub groups: Vec<GroupStatus>,
    /// The service that it is about, as the services call it.
    pub service: Option<Text>,
    /// Alerts of this SLO that fire or are pending.
    pub alerts: Vec<Fingerprint>,
    pub at: Timestamp,
}

impl SloStatus {
    /// Judges what a source says of an SLO. Service and alerts are for the world to fill in.
    pub fn of(reading: &SloReading, source: &SourceId, at: Timestamp) -> Self {
        let evaluated = reading.groups.iter().map(|group| GroupStatus::of(reading, group, at));
        let mut groups: Vec<GroupStatus> = evaluated.collect();
        groups.sort_by(GroupStatus::by_urgency);
        Self {
            slo: Arc::clone(&reading.slo),
            source: source.clone(),
            evaluation: reading.evaluation,
            trouble: reading.trouble.clone(),
            remark: reading.remark.clone(),
            groups,
            service: None,
            alerts: Vec::new(),
            at,
        }
    }

    /// Its worst group, by which the whole is judged.
    pub fn worst(&self) -> Option<&GroupStatus> {
        self.groups.first()
    }

    /// Whether an alert of this SLO tells of this group: of the labels that tell the groups apart none says otherwise.
    pub fn is_about(&self, group: &GroupStatus, alert: &Labels) -> bool {
        let mut names = self.groups.iter().flat_map(|group| group.labels.iter()).map(|(name, _)| name);
        names.all(|name| alert.get(name).is_none_or(|value| **value == *group.labels.value(name)))
    }

    /// How it is: as its worst group.
    pub fn state(&self) -> SloState {
        self.worst().map_or(SloState::NoData, |worst| worst.state)
    }

    /// As [`GroupStatus::by_urgency`] of their worst groups, then by name.
    pub fn by_urgency(&self, other: &Self) -> Ordering {
        let by_worst = match (self.worst(), other.worst()) {
            (Some(mine), Some(theirs)) => mine.by_urgency(theirs),
            (None, None) => Ordering::Equal,
            // without a group there are no data either, and not even a trace of them
            (None, Some(theirs)) => SloState::NoData.cmp(&theirs.state).then(Ordering::Greater),
            (Some(mine), None) => mine.state.cmp(&SloState::NoData).then(Ordering::Less),
        };
        by_worst.then_with(|| self.slo.id.cmp(&other.slo.id)).then_with(|| self.source.cmp(&other.source))
    }
}

impl GroupStatus {
    /// Judges one group of an SLO as it was measured at `at`.
    pub fn of(reading: &SloReading, group: &GroupReading, at: Timestamp) -> Self {
        let slo = &reading.slo;
        let budget = slo.objective.budget();
        // a lookback of which there is a part alone says what that part does, not more
        let sparse = group.extent.as_ref().filter(|extent| has_sparse_data(slo, extent, at));
        let is_covered = |lookback: Duration| {
            let known = sparse.and_then(|extent| extent.within(lookback));
            known.is_none_or(|known| known.as_secs_f64() >= lookback.as_secs_f64() * COVERED_SHARE)
        };
        let burns: Vec<BurnReading> = group
            .recent
            .iter()
            .map(|(lookback, measured)| BurnReading {
                lookback: *lookback,
                measured: *measured,
                rate: measured.error().filter(|_| is_covered(*lookback)).map(|error| error / budget),
            })
            .collect();
        let pairs =
            slo.pairs.iter().map(|pair| BurnConditionState::of(*pair, group, budget, is_covered(pair.long)));
        let pairs: Vec<BurnConditionState> = pairs.collect();
        let basis = nearest(&burns, BASIS).and_then(|burn| burn.rate);
        let average = group.window.error().map(|error| error / budget);
        let average = average.filter(|_| sparse.is_none());
        let spent = average.and_then(|average| spent(&slo.window, average, at));
        let elapsed = slo.window.elapsed(at);
        let covers: &dyn Fn(Duration) -> bool = &is_covered;
        let state = state(&pairs, spent, basis, group, sparse.map(|_| covers));
        Self {
            labels: group.labels.clone(),
            state,
            doubt: doubt(reading, group),
            window: group.window,
            is_time_weighted: group.is_time_weighted,
            spent,
            // what burned before the data ended says nothing of what is to come
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

    pub fn burn(&self, lookback: Duration) -> Option<f64> {
        self.burns.iter().find(|burn| burn.lookback == lookback)?.rate
    }

    /// The burn over the lookback that is nearest to this one: not every set of pairs has the usual lookbacks.
    pub fn burn_near(&self, lookback: Duration) -> Option<&BurnReading> {
        nearest(&self.burns, lookback)
    }

    /// When the budget is gone at this burn, at the earliest; `None` if it is not known how much is left.
    pub fn exhaustion_at(&self, window: &Window, burn: f64, at: Timestamp) -> Option<Exhaustion> {
        exhaustion(window, self.spent?, burn, at)
    }

    /// The burn over just this time up to now, from the lookbacks next to it: errors between two of them are taken as spread
    /// evenly. Over less than the shortest lookback it is that one's burn, over more than the longest that one's.
    pub fn burn_within(&self, time: Duration) -> Option<f64> {
        let known = self.burns.iter().filter_map(|burn| Some((burn.lookback.as_secs_f64(), burn.rate?)));
        let time = time.as_secs_f64();
        let mut before: Option<(f64, f64)> = None;
        for (lookback, rate) in known {
            // what a longer lookback saw, the shorter ones within it cannot have seen more of
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

    /// By state; within one the fastest burn first, over an hour, then over five minutes. Equals by what is left. Of what is
    /// within its budget only tenths of the burn count: rows would change places at every look.
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
            // NaN > x is false: without traffic no alert can fire
            _ if long == MeasuredRatio::NoTraffic || short == MeasuredRatio::NoTraffic => Some(false),
            _ => None,
        };
        Self { pair, long: burn(long).filter(|_| is_covered), short: burn(short), holds }
    }
}

/// Whether there are data for so little time that the window's budget cannot be told.
fn has_sparse_data(slo: &Slo, extent: &DataExtent, at: Timestamp) -> bool {
    let longest = slo.pairs.iter().map(|pair| pair.long).max();
    extent.known.as_secs_f64() < slo.window.length(at).as_secs_f64() * MIN_DATA_SHARE
        && longest.is_none_or(|longest| extent.known < longest)
}

/// `sparse`: there are data for a tiny part of the window alone, and whether they cover a lookback.
fn state(
    pairs: &[BurnConditionState],
    spent: Option<f64>,
    basis: Option<f64>,
    group: &GroupReading,
    sparse: Option<&dyn Fn(Duration) -> bool>,
) -> SloState {
    let of = |severity| pairs.iter().filter(move |now| now.pair.severity == severity);
    let holds = |severity| of(severity).any(|now| now.holds == Some(true));
    let known = group.recent.iter().map(|(_, measured)| *measured).chain([group.window]);
    let is_known = known.clone().any(|measured| measured.error().is_some());
    let is_broken = |lookback| matches!(group.over(lookback), measured @ MeasuredRatio::Odd(_) if measured.error().is_none());
    // what pages must be judged before all is said to be well
    let has_invalid_page_ratio =
        of(Severity::Page).any(|now| is_broken(now.pair.long) || is_broken(now.pair.short));
    let is_page_evaluated = |is_covered: &dyn Fn(Duration) -> bool| {
        let mut paging = of(Severity::Page).peekable();
        paging.peek().is_some() && paging.all(|now| is_covered(now.pair.long))
    };
    if holds(Severity::Page) {
        SloState::Page
    } else if holds(Severity::Ticket) {
        SloState::Ticket
    } else if spent.is_some_and(|spent| spent >= 1.0) {
        SloState::Exhausted
    } else if !is_known && known.clone().any(|measured| measured == MeasuredRatio::NoTraffic) {
        SloState::Quiet
    } else if !is_known || group.window.error().is_none() || group.has_ended() || has_invalid_page_ratio {
        SloState::NoData
    } else if sparse.is_some_and(|is_covered| !is_page_evaluated(is_covered)) {
        SloState::Insufficient
    } else if basis.is_some_and(|burn| burn > 1.0) {
        SloState::Burning
    } else {
        SloState::Fine
    }
}

impl GroupReading {
    /// What is known of the lookbacks of the last hour, the shortest first.
    fn last_hour(&self) -> impl Iterator<Item = MeasuredRatio> {
        let last_hour = self.recent.iter().filter(|(lookback, _)| *lookback <= BASIS);
        last_hour.map(|(_, measured)| *measured).filter(|measured| *measured != MeasuredRatio::Unknown)
    }

    /// Whether the last hour has no data at all.
    pub fn is_silent(&self) -> bool {
        let mut last_hour = self.last_hour().peekable();
        last_hour.peek().is_some() && last_hour.all(|measured| measured == MeasuredRatio::Absent)
    }

    /// Whether data came until lately, but come no more: what a longer lookback still says is the past.
    fn has_ended(&self) -> bool {
        self.is_silent() || self.newest.is_some() && self.last_hour().next() == Some(MeasuredRatio::Absent)
    }
}

fn doubt(reading: &SloReading, group: &GroupReading) -> Option<MissingReason> {
    let slo = &reading.slo;
    let window = (slo.window.nominal(), group.window);
    let odd =
        std::iter::once(window).chain(group.recent.iter().copied()).find_map(
            |(over, measured)| match measured {
                MeasuredRatio::Odd(odd) => Some(MissingReason::Odd(odd, over)),
                MeasuredRatio::Unknown
                | MeasuredRatio::Ratio { .. }
                | MeasuredRatio::NoTraffic
                | MeasuredRatio::Absent => None,
            },
        );
    if odd.is_some() {
        return odd;
    }
    if let Some(said) = &reading.trouble {
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
        // the window knows it, so it had data; only since when there are none is open
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

/// The burn over the lookback that is nearest to a wanted one, as ratios go.
fn nearest(burns: &[BurnReading], lookback: Duration) -> Option<&BurnReading> {
    let distance = |burn: &BurnReading| (burn.lookback.as_secs_f64() / lookback.as_secs_f64()).ln().abs();
    burns.iter().filter(|burn| burn.rate.is_some()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// What is spent of the whole window's budget: in a calendar window only what has passed can have been spent, a rolling one is
/// always whole.
fn spent(window: &Window, average: f64, at: Timestamp) -> Option<f64> {
    match window {
        Window::Rolling(_) => Some(average),
        Window::Calendar(_) => Some(CurrentPeriod::new(average, window.bounds(at), at)?.spent()),
    }
}

/// When a budget of which so much is spent is gone at this burn.
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
    // the first sample is a scrape or two late, which is no gap
    let share = extent.known.as_secs_f64() / elapsed.as_secs_f64();
    (share.is_finite() && share < 0.99).then(|| share.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
