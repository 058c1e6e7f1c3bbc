//! The history of an error budget: what each slot of the window spent until now, and the forecast.

use super::queries::{chart_queries, slots_of};
use crate::app::prelude::*;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::slo::query::RatioQuery;
use crate::model::slo::{
    BudgetSpending, CurrentPeriod, EventSide, ExhaustedSince, Exhaustion, Forecast, GroupStatus, Objective,
    TimeRange, Window, exhausted_since,
};

/// The budget that each slot of the current window spent.
pub struct BudgetCourse {
    /// The spending per slot; the last slot is unfinished. Scaled so that the sum is the spent budget, if that is known;
    /// else only slots with data count.
    pub spending: BudgetSpending,
    /// The share of the whole window's budget that each slot spent; the sum is never more than the spent budget.
    shares: BudgetSpending,
    /// The start of the first slot.
    pub start: Timestamp,
    /// The time range of the slots, up to now.
    within: TimeRange,
    window: Duration,
}

/// A slot that spent much of the budget.
pub struct BudgetDrop {
    pub from: Timestamp,
    pub to: Timestamp,
    /// The share of the window's budget that it spent.
    pub share: f64,
    /// The burn rate in this slot.
    pub burn: f64,
    /// The numbers of the incidents that were open and the names of the alerts that fired in this slot, as far as known.
    pub fired: Vec<String>,
}

/// The lines of the budget chart over one grid, from the start of the window into the future.
pub struct Curves {
    pub span: TimeGrid,
    /// The remaining budget until now; NaN after that.
    pub left: Vec<f64>,
    /// A budget that is spent evenly over the window.
    pub ideal: Vec<f64>,
    /// The forecast from now on; NaN before that.
    pub forecast: Vec<f64>,
    /// The lowest remaining budget, at most 0.
    pub lowest: f64,
}

impl BudgetCourse {
    /// The history from the cached answers of the SLO's queries; `None` until they have arrived.
    pub fn of(shared: &Shared, status: &SloStatus, group_status: &GroupStatus) -> Option<Self> {
        let objective = status.slo.objective;
        let chart_queries = chart_queries(status, moment(shared, status));
        let values =
            |query: &str| values(slots_of(shared, status, &chart_queries, query)?, &group_status.labels);
        let (span, counted) = match chart_queries.slots.as_ref()? {
            RatioQuery::Ratio(query) => {
                let (span, values) = values(query)?;
                (span, SlotValues::Ratios(values))
            }
            RatioQuery::Counts { side, part, total } => {
                let (span, total) = values(total)?;
                let part = values(part).filter(|(other, _)| *other == span);
                let part = part.map_or_else(|| vec![None; total.len()], |(_, part)| part);
                (span, SlotValues::of_events(*side, &part, &total))
            }
        };
        let (slot, window) = (span.step(), status.slo.window.length(status.at));
        let running = age(span.end(), status.at);
        let error = group_status.burn_within(running).map(|burn| (burn * objective.budget()).min(1.0));
        let is_rolling = matches!(status.slo.window, Window::Rolling(_));
        let counted = counted.up_to_now(is_rolling, error, part(running, slot));
        let spending = counted.spending(slot, objective);
        let end = span.end().checked_add(slot).ok()?;
        let start = end.checked_sub(spending.length()).ok()?;
        let bounds = status.slo.window.bounds(status.at);
        let within =
            TimeRange { start: if is_rolling { start } else { bounds.start.max(start) }, end: status.at };
        let first = 1.0 - part(age(start, within.start), slot);
        let passed = passed(&status.slo.window, status.at);
        let known = counted.known(first, part(running, slot)) * part(slot, window);
        let known =
            known_share(known, part(slot, window), group_status.covered.map(|covered| covered * passed));
        let shares = counted.shares(objective.budget(), first, known, part(slot, window));
        let most = group_status.spent.map(|spent| spent * (known / passed).min(1.0));
        let by = match (group_status.spent, spending.spent()) {
            (Some(reported), spent) if spent > 0.0 => reported / spent,
            (Some(_), _) => passed,
            (None, _) => known,
        };
        let shares = BudgetSpending { slot, shares: at_most(shares, most) };
        Some(Self { spending: spending.scaled(by), shares, start, within, window })
    }

    /// The slots that spent most of the budget, largest first.
    pub fn worst_slots(&self, shared: &Shared, status: &SloStatus, most: usize) -> Vec<BudgetDrop> {
        let chart_queries = chart_queries(status, moment(shared, status));
        let firing = slots_of(shared, status, &chart_queries, &chart_queries.firing).and_then(Remote::value);
        let bite = |(place, share): (usize, f64)| {
            let TimeRange { start: from, end: to } = self.slot_at(place);
            let is_unfinished = firing.is_none_or(|firing| to > firing.span.end());
            let mut fired = match firing {
                // the answer ends before this slot; alerts that fire now are known from the alert list
                _ if is_unfinished => firing_now(shared, status),
                Some(firing) => fired(firing, to),
                None => Vec::new(),
            };
            // the SLO's own alert comes last: it is expected
            fired.sort_by_key(|name| status.slo.alerting.name.as_deref() == Some(name));
            let fired = incidents(shared, status, from, to).chain(fired).collect();
            let burn = share * self.window.as_secs_f64() / age(from, to).as_secs_f64().max(1.0);
            BudgetDrop { from, to, share, burn, fired }
        };
        self.shares.worst(most).into_iter().map(bite).collect()
    }

    /// The time range of a slot within the window; the last one ends now.
    fn slot_at(&self, place: usize) -> TimeRange {
        let at =
            |slots: usize| self.start.checked_add(times(self.spending.slot, slots)).unwrap_or(Timestamp::MAX);
        let end = if place + 1 < self.shares.shares.len() {
            at(place + 1).min(self.within.end)
        } else {
            self.within.end
        };
        TimeRange { start: at(place).max(self.within.start).min(end), end }
    }

    /// The share spent by the slots that overlap a time range, and the time range of these slots. None if no slot has data.
    pub fn spent_between(&self, time_range: TimeRange) -> Option<(f64, TimeRange)> {
        let shares = self.shares.shares.iter().enumerate().map(|(place, share)| (self.slot_at(place), share));
        let within = shares.filter(|(slot, _)| slot.start < time_range.end && slot.end > time_range.start);
        let known: Vec<(TimeRange, f64)> =
            within.filter_map(|(slot, share)| Some((slot, (*share)?))).collect();
        let (first, last) = known.first().zip(known.last())?;
        let bounds = TimeRange { start: first.0.start, end: last.0.end };
        Some((known.iter().map(|(_, share)| share).sum(), bounds))
    }

    /// The time to exhaustion at a burn rate, with the spending that leaves a rolling window in that time. None: calendar window.
    pub fn exhaustion(&self, status: &SloStatus, burn: f64) -> Option<Exhaustion> {
        matches!(status.slo.window, Window::Rolling(_)).then(|| Exhaustion::rolling(&self.spending, burn))?
    }

    /// When an exhausted rolling budget becomes positive again at this burn rate. None: not within the forecast.
    pub fn back(&self, burn: f64) -> Option<Duration> {
        let forecast = Forecast::rolling(&self.spending, burn)?;
        forecast.points.into_iter().find(|(_, left)| *left > 0.0).map(|(after, _)| after)
    }

    /// Since when the budget of a calendar period is exhausted.
    pub fn exhausted_since(&self) -> Option<ExhaustedSince> {
        let slot = self.spending.slot;
        let ends = (1..).map_while(|slots| self.start.checked_add(times(slot, slots)).ok());
        exhausted_since(&ends.zip(self.spending.burn_down()).collect::<Vec<_>>())
    }

    /// The lines of the chart: the budget until now, the ideal line, and the forecast at `burn`.
    pub fn curves(&self, status: &SloStatus, group_status: &GroupStatus, burn: Option<f64>) -> Curves {
        let slot = self.spending.slot;
        let behind = self.spending.shares.len();
        // the end of the unfinished slot is used as the current time
        let present = self.start.checked_add(times(slot, behind)).unwrap_or(status.at);
        let (to_come, whole) = match &status.slo.window {
            Window::Rolling(_) => (behind / 4, behind),
            Window::Calendar(_) => {
                let to_come = slots(status.slo.window.bounds(status.at).left(present), slot);
                (to_come, behind + to_come)
            }
        };
        let length = times(slot, behind + to_come);
        let end = self.start.checked_add(length).unwrap_or(Timestamp::MAX);
        let span = TimeGrid::ending(end, length, u16::MAX, slot);
        let mut left = vec![f64::NAN; span.count()];
        let known = self.spending.shares.iter().map(Option::is_some);
        let down = std::iter::once((1.0, true)).chain(self.spending.burn_down().into_iter().zip(known));
        for (cell, (value, is_known)) in left.iter_mut().zip(down) {
            *cell = if is_known { value } else { f64::NAN };
        }
        if let (Some(cell), Some(now)) = (left.get_mut(behind), group_status.left()) {
            *cell = now;
        }
        let lowest = left.iter().copied().fold(0.0, f64::min);
        let even = |at: usize| if at <= whole { 1.0 - at as f64 / whole.max(1) as f64 } else { f64::NAN };
        let ideal = (0..span.count()).map(even).collect();
        let forecast = burn.and_then(|burn| match &status.slo.window {
            // the earliest exhaustion, as in the list and the header
            Window::Rolling(length) => match group_status.left()? {
                left if left > 0.0 => Forecast::earliest(left, burn, *length),
                _ => Forecast::rolling(&self.spending, burn),
            },
            Window::Calendar(_) => Forecast::calendar(current_period(status, group_status)?, burn),
        });
        let mut coming = vec![f64::NAN; span.count()];
        for (ahead, cell) in coming.iter_mut().skip(behind).enumerate() {
            let unfinished = if ahead > 0 { age(status.at, present) } else { Duration::ZERO };
            let after = times(slot, ahead).saturating_add(unfinished);
            *cell = forecast.as_ref().and_then(|known| at(known, after)).unwrap_or(f64::NAN);
        }
        // the chart ends at the lowest known value: how far below zero the forecast goes has no use
        if let Some(gone) = coming.iter().position(|left| *left < lowest) {
            coming.iter_mut().skip(gone).for_each(|left| *left = f64::NAN);
            if let Some(cell) = coming.get_mut(gone) {
                *cell = lowest;
            }
        }
        Curves { span, left, ideal, forecast: coming, lowest }
    }
}

/// The share of the window's budget that the slots overlapping a time range spent, and the time range of these slots. `None`
/// until it is known.
pub fn spent_between(shared: &Shared, status: &SloStatus, time_range: TimeRange) -> Option<(f64, TimeRange)> {
    BudgetCourse::of(shared, status, status.worst()?)?.spent_between(time_range)
}

/// The moment on screen.
fn moment(shared: &Shared, status: &SloStatus) -> Timestamp {
    shared.range.end.unwrap_or(status.at)
}

/// The current period of a calendar window; None for a rolling window.
pub fn current_period(status: &SloStatus, group_status: &GroupStatus) -> Option<CurrentPeriod> {
    let Window::Calendar(_) = status.slo.window else { return None };
    let average = group_status.window.error()? / status.slo.objective.budget();
    CurrentPeriod::new(average, status.slo.window.bounds(status.at), status.at)
}

/// The event-weighted SLI over the window (good events / all events), if the events of the slots are cached.
pub fn by_events(shared: &Shared, status: &SloStatus, group_status: &GroupStatus) -> Option<f64> {
    let chart_queries = chart_queries(status, moment(shared, status));
    let RatioQuery::Counts { side, part, total } = chart_queries.events.as_ref()? else {
        return None;
    };
    let values = |query: &str| values(slots_of(shared, status, &chart_queries, query)?, &group_status.labels);
    let (_, all) = values(total)?;
    let part = values(part).map(|(_, part)| part).unwrap_or_default();
    let sum = |values: &[Option<f64>]| values.iter().flatten().sum::<f64>();
    let (part, all) = (sum(&part), sum(&all));
    let good = match side {
        EventSide::Bad => 1.0 - part / all,
        EventSide::Good => part / all,
    };
    (all > 0.0).then_some(good)
}

/// Per slot: the error ratio, or the bad and all events. None: no data.
enum SlotValues {
    Ratios(Vec<Option<f64>>),
    Events(Vec<Option<(f64, f64)>>),
}

/// The numbers of the service's incidents that were open during a slot.
fn incidents<'a>(
    shared: &'a Shared,
    status: &'a SloStatus,
    from: Timestamp,
    to: Timestamp,
) -> impl Iterator<Item = String> + 'a {
    let its = status.service.as_deref().into_iter().flat_map(|service| shared.world.incidents_of(service));
    let open = its.filter(move |known| {
        let incident = &known.incident;
        incident.created_at < to && incident.resolved_at.is_none_or(|ended| ended > from)
    });
    open.map(|known| format!("#{}", known.incident.number))
}

impl SlotValues {
    /// Combines the counts of one side with the totals into bad and all events.
    fn of_events(side: EventSide, part: &[Option<f64>], total: &[Option<f64>]) -> Self {
        let pair = |(part, total): (&Option<f64>, &Option<f64>)| {
            let (part, total) = (part.unwrap_or(0.0), total.filter(|total| *total >= 0.0)?);
            let bad = match side {
                EventSide::Bad => part,
                EventSide::Good => total - part,
            };
            Some((bad.clamp(0.0, total), total))
        };
        Self::Events(part.iter().zip(total).map(pair).collect())
    }

    /// Adds the unfinished slot, and removes the oldest slot of a rolling window, which is mostly outside of it.
    ///
    /// `part` is the share of the unfinished slot that has passed, `error` its error ratio; it is weighted by `part`.
    fn up_to_now(self, is_rolling: bool, error: Option<f64>, part: f64) -> Self {
        let out = usize::from(is_rolling);
        match self {
            Self::Ratios(mut ratios) => {
                ratios.drain(..out.min(ratios.len()));
                ratios.push(error.map(|error| error * part));
                Self::Ratios(ratios)
            }
            Self::Events(mut events) => {
                events.drain(..out.min(events.len()));
                let usual = events.iter().rev().flatten().next().map_or(0.0, |(_, all)| all * part);
                events.push(error.map(|error| (error * usual, usual)));
                Self::Events(events)
            }
        }
    }

    /// The number of slots with data, the first weighted by its share within the window, the last by its share that has passed.
    fn known(&self, first: f64, last: f64) -> f64 {
        let known: Vec<bool> = match self {
            Self::Ratios(ratios) => ratios.iter().map(Option::is_some).collect(),
            Self::Events(events) => events.iter().map(Option::is_some).collect(),
        };
        let end = known.len().saturating_sub(1);
        let part = |(at, _): (usize, &bool)| match at {
            _ if at == end => last,
            0 => first,
            _ => 1.0,
        };
        known.iter().enumerate().filter(|(_, known)| **known).map(part).sum()
    }

    /// The share of the whole window's budget that each slot spent. `known` is the share of the window that has data, `slot` the
    /// share of one slot, `first` the share of the first slot that is within the window.
    ///
    /// All events weigh the same; the part of the window without data is taken to have had as many events per time.
    fn shares(&self, budget: f64, first: f64, known: f64, slot: f64) -> Vec<Option<f64>> {
        match self {
            Self::Ratios(ratios) => {
                let end = ratios.len().saturating_sub(1);
                let part = |at: usize| if at == 0 && at != end { first } else { 1.0 };
                let share = |(at, ratio): (usize, &Option<f64>)| Some((*ratio)? / budget * slot * part(at));
                ratios.iter().enumerate().map(share).collect()
            }
            Self::Events(events) => {
                let all: f64 = events.iter().flatten().map(|(_, all)| all).sum();
                let share = |(bad, _): (f64, f64)| if all > 0.0 { bad / all * known / budget } else { 0.0 };
                events.iter().map(|events| events.map(share)).collect()
            }
        }
    }

    fn spending(&self, slot: Duration, objective: Objective) -> BudgetSpending {
        match self {
            Self::Ratios(ratios) => BudgetSpending::by_time(slot, ratios, objective),
            Self::Events(events) => BudgetSpending::by_events(slot, events, objective),
        }
    }
}

/// The values of one group at each point but the first, which is before the start of the window.
fn values(remote: &Remote<Matrix>, group: &Labels) -> Option<(TimeGrid, Vec<Option<f64>>)> {
    let matrix = remote.value()?;
    let line = line(matrix, group)?;
    let values = line.iter().skip(1).map(|value| Some(*value).filter(|value| value.is_finite()));
    Some((matrix.span, values.collect()))
}

/// The series of a group: the one whose labels contain the group's labels.
pub fn line<'a>(matrix: &'a Matrix, group: &Labels) -> Option<&'a [f64]> {
    let line = matrix.lines.iter().find(|line| group.is_within(&line.labels))?;
    Some(&line.values)
}

/// The share of the window that has passed; 1 for a rolling window.
pub fn passed(window: &Window, at: Timestamp) -> f64 {
    let (elapsed, length) = (window.elapsed(at).as_secs_f64(), window.length(at).as_secs_f64());
    if elapsed > 0.0 && length > 0.0 { (elapsed / length).min(1.0) } else { 1.0 }
}

/// The quotient of two durations; 0 if `whole` is zero.
fn part(time: Duration, whole: Duration) -> f64 {
    if whole.is_zero() { 0.0 } else { time.as_secs_f64() / whole.as_secs_f64() }
}

/// The share of the window that has data, if the data began within a slot: `covered`, but at most one slot less than the slots
/// with data say, because gaps within slots must not increase the burn rates of the others.
fn known_share(known: f64, slot: f64, covered: Option<f64>) -> f64 {
    covered.map_or(known, |covered| covered.max(known - slot).min(known))
}

/// Scales the shares so that their sum is at most `most`: the value measured over the whole window is more exact. The unfinished
/// slot is newer than that value and stays as it is.
fn at_most(mut shares: Vec<Option<f64>>, most: Option<f64>) -> Vec<Option<f64>> {
    let end = shares.len().saturating_sub(1);
    let spent: f64 = shares.iter().take(end).flatten().sum();
    if let Some(most) = most.filter(|most| spent > *most) {
        shares.iter_mut().take(end).flatten().for_each(|share| *share *= most.max(0.0) / spent);
    }
    shares
}

/// The duration of this many slots.
fn times(slot: Duration, slots: usize) -> Duration {
    slot.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
}

/// The number of slots in a duration, rounded up.
fn slots(time: Duration, slot: Duration) -> usize {
    usize::try_from(time.as_secs().div_ceil(slot.as_secs().max(1))).unwrap_or(0).min(20_000)
}

/// The names of the firing alerts of the SLO and its service; empty if the screen shows a moment in the past.
fn firing_now(shared: &Shared, status: &SloStatus) -> Vec<String> {
    if shared.range.end.is_some() {
        return Vec::new();
    }
    let service = status.service.as_ref().and_then(|name| shared.world.service(name));
    let all = service.into_iter().flat_map(|service| &service.alerts).chain(&status.alerts);
    let all = all.filter_map(|alert| shared.world.alert(*alert)).filter(|alert| alert.is_firing());
    let mut names: Vec<String> = all.map(|alert| alert.name().to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The names of the alerts that fired in the slot ending at `to`.
fn fired(firing: &Matrix, to: Timestamp) -> Vec<String> {
    let index = firing.span.index(to.as_second() as f64);
    let is_on = |values: &[f64]| index.and_then(|index| values.get(index)).is_some_and(|value| *value > 0.0);
    let names = firing.lines.iter().filter(|line| is_on(&line.values));
    let mut names: Vec<String> = names.map(|line| line.labels.value("alertname").to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The forecast after a duration, interpolated between its points; after the last point, the last value.
fn at(forecast: &Forecast, after: Duration) -> Option<f64> {
    let next = forecast.points.partition_point(|(known, _)| *known < after);
    let Some((to, high)) = forecast.points.get(next).copied() else { return forecast.at_end() };
    let Some((from, low)) = next.checked_sub(1).and_then(|before| forecast.points.get(before)).copied()
    else {
        return Some(high);
    };
    let share = after.saturating_sub(from).as_secs_f64() / to.saturating_sub(from).as_secs_f64();
    Some(low + share * (high - low))
}

#[cfg(test)]
mod tests;
