//! A pattern of the usage that repeats every day or every week.

use super::points::{UsagePoint, median};
use crate::model::words::words;

words! {
    /// The length of a season.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SeasonKind: word {
        Daily = "daily",
        Weekly = "weekly",
    }
}

impl SeasonKind {
    const fn days(self) -> f64 {
        match self {
            Self::Daily => 1.0,
            Self::Weekly => 7.0,
        }
    }

    /// The number of parts into which the season is divided: of two hours for a day, of six hours for a week.
    const fn parts(self) -> usize {
        match self {
            Self::Daily => 12,
            Self::Weekly => 28,
        }
    }
}

/// A season must explain at least this share of the variance around the trend, after a correction for the number of its parts.
const EXPLAINS: f64 = 0.5;
/// A weekly season that explains hardly more than the daily one is the daily one.
const MORE: f64 = 0.05;
/// The history must cover so many periods.
const PERIODS: f64 = 2.0;
/// Into how many steps a period is divided in the search for the moment when a limit is reached.
const STEPS: u32 = 96;

/// How far the usage is above or below its trend in each part of a period; the median is 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    pub kind: SeasonKind,
    parts: Vec<f64>,
}

impl Season {
    /// Whether this much history is enough to recognise a season of this length.
    pub(super) fn is_covered(&self, days: f64) -> bool {
        days >= PERIODS * self.kind.days()
    }

    /// The season of the points around a trend with this slope, or a rough one, if there is a season that explains enough. `now` is
    /// the evaluation in days of Unix time.
    pub(super) fn find(points: &[UsagePoint], days: f64, slope: Option<f64>, now: f64) -> Option<Self> {
        let slope = slope.unwrap_or_else(|| rough_slope(points));
        let plain: Vec<UsagePoint> = points.iter().map(|(x, y)| (now + x, y - slope * x)).collect();
        let found = |kind: SeasonKind| {
            (days >= PERIODS * kind.days() - 1e-6).then(|| Self::of(kind, &plain)).flatten()
        };
        let (daily, weekly) = (found(SeasonKind::Daily), found(SeasonKind::Weekly));
        let best = match (daily, weekly) {
            (Some(daily), Some(weekly)) if weekly.1 < daily.1 + MORE => Some(daily),
            (daily, weekly) => weekly.or(daily),
        };
        best.filter(|(_, explains)| *explains >= EXPLAINS).map(|(season, _)| season)
    }

    /// The season of values without trend, and the share of the variance that it explains. Each part of the period needs two
    /// points.
    fn of(kind: SeasonKind, points: &[UsagePoint]) -> Option<(Self, f64)> {
        let count = kind.parts();
        let mut parts: Vec<Vec<f64>> = vec![Vec::new(); count];
        for (x, y) in points {
            if let Some(part) = parts.get_mut(part_of(kind, *x)) {
                part.push(*y);
            }
        }
        // coarse points leave parts empty; those are filled from their neighbours
        let filled = parts.iter().filter(|part| !part.is_empty()).count();
        if filled < 4 || parts.iter().any(|part| part.len() == 1) {
            return None;
        }
        let middle = median(points.iter().map(|(_, y)| *y).collect());
        let known: Vec<Option<f64>> =
            parts.into_iter().map(|part| (!part.is_empty()).then(|| median(part) - middle)).collect();
        let season = Self { kind, parts: interpolated(&known) };
        let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
        let before = squares(&mut points.iter().map(|(_, y)| y - middle));
        let after = squares(&mut points.iter().map(|(x, y)| y - middle - season.at(*x)));
        let (all, free) = (points.len() as f64, points.len() as f64 - filled as f64);
        if before <= 0.0 || free <= 0.0 {
            return None;
        }
        Some((season, 1.0 - after / before * (all - 1.0) / free))
    }

    /// The distance from the trend at a time in days of Unix time; between the middles of two parts it changes evenly.
    pub(super) fn at(&self, day: f64) -> f64 {
        let count = self.parts.len();
        let place = (day.rem_euclid(self.kind.days()) / self.kind.days()) * count as f64 - 0.5;
        let below = place.floor();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 0 by the shift, and small"
        )]
        let first = (below + count as f64) as usize;
        let value = |at: usize| self.parts.get(at % count.max(1)).copied().unwrap_or(0.0);
        let share = place - below;
        value(first) * (1.0 - share) + value(first + 1) * share
    }

    /// When a trend with this slope per day closes the gap to the limit, in days from `now` (days of Unix time): with the season on
    /// top.
    pub(super) fn reaches(&self, gap: f64, slope: f64, now: f64) -> Option<f64> {
        let highest = self.parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let first = if gap <= highest {
            0.0
        } else if slope > 0.0 {
            (gap - highest) / slope
        } else {
            return None;
        };
        // the season has its peak within one period from then on
        let step = self.kind.days() / f64::from(STEPS);
        let times = (0..=STEPS).map(|step_number| first + f64::from(step_number) * step);
        let mut reached = times.filter(|after| slope * after + self.at(now + after) >= gap);
        let end = (slope >= 0.0).then_some(first + self.kind.days());
        reached.next().or(end.filter(|_| slope > 0.0))
    }
}

fn part_of(kind: SeasonKind, day: f64) -> usize {
    let share = day.rem_euclid(kind.days()) / kind.days();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of the number of parts"
    )]
    let part = (share * kind.parts() as f64 + 1e-9) as usize;
    part % kind.parts()
}

/// The values with unknown ones replaced: evenly between the known neighbours in the circle.
fn interpolated(known: &[Option<f64>]) -> Vec<f64> {
    let count = known.len();
    let near = |at: usize, step: usize| {
        (0..count).find_map(|away| {
            let place = (at + away * step) % count;
            known.get(place).copied().flatten().map(|value| (away as f64, value))
        })
    };
    let value = |at: usize| match (near(at, count - 1), near(at, 1)) {
        (Some((below, low)), Some((above, high))) if below + above > 0.0 => {
            (low * above + high * below) / (below + above)
        }
        (Some((_, value)), _) | (None, Some((_, value))) => value,
        (None, None) => 0.0,
    };
    (0..count).map(value).collect()
}

/// The slope between the medians of the first and the last third, enough to remove the trend before a season is looked for.
fn rough_slope(points: &[UsagePoint]) -> f64 {
    let third = points.len() / 3;
    let middle = |part: &[UsagePoint]| {
        (median(part.iter().map(|(x, _)| *x).collect()), median(part.iter().map(|(_, y)| *y).collect()))
    };
    let first = middle(points.get(..third).unwrap_or_default());
    let last = middle(points.get(points.len() - third..).unwrap_or_default());
    if last.0 > first.0 { (last.1 - first.1) / (last.0 - first.0) } else { 0.0 }
}
