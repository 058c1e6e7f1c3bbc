//! When a usage reaches its limit: the trend of the lookback that fits best, and the range of doubt.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::fit::{LEAST_DAYS, TrendFit, fit};
use super::points::UsagePoint;
use super::{FillTime, Outlook, SeasonKind, UsageLine};

/// A shorter lookback overrules a longer one only for what happens within so many times its length.
const REACH: f64 = 4.0;
/// Of two lookbacks that cover nearly the same time, the one with the shorter step counts.
const NEARLY: f64 = 0.7;
/// With less than a day of history, a usage without clear growth is unclear, and not steady, if its fastest possible growth reaches
/// the limit within so many times the history.
const TOO_SHORT: f64 = 10.0;
/// A lookback must cover so many days for its slower growth to count as a doubt: a shorter calm is usual.
const CALM_DAYS: f64 = 1.0;
/// The doubt of an extrapolation: the slope may differ by this share for each factor of e between horizon and history.
const DRIFT: f64 = 0.25;
/// Nothing is said about times further away than so many times the history ...
const HORIZON: f64 = 500.0;
/// ... and never about more than a year.
const LONGEST_DAYS: f64 = 365.0;
/// A latest time further away than this is as good as never, in days.
const NEVER_DAYS: f64 = 5.0 * 365.0;
/// A growth of less than this share of the limit until the horizon is no growth.
const MATERIAL: f64 = 0.01;

/// How a usage grows.
#[derive(Debug, Clone, PartialEq)]
pub struct GrowthTrend {
    /// The growth per day in the unit of the usage; negative if it falls.
    pub per_day: f64,
    /// The 90 % interval of the growth per day.
    pub low_per_day: f64,
    pub high_per_day: f64,
    /// The history that the trend is taken from.
    pub history: Duration,
    pub season: Option<SeasonKind>,
    /// How many times the usage was reset within the lookback.
    pub resets: usize,
    found: TrendFit,
}

impl GrowthTrend {
    fn of(found: TrendFit) -> Self {
        Self {
            per_day: found.slope,
            low_per_day: found.slope - found.half,
            high_per_day: found.slope + found.half,
            history: days(found.days),
            season: found.season.as_ref().map(|season| season.kind),
            resets: found.resets,
            found,
        }
    }

    /// The expected usage after this time from the evaluation, and the range in which it is in nine of ten cases: lowest, expected,
    /// highest. `at` is the moment of the evaluation.
    pub fn expected(&self, after: Duration, at: Timestamp) -> (f64, f64, f64) {
        let (found, time) = (&self.found, after.as_secs_f64() / 86_400.0);
        let season = found.season.as_ref().map_or(0.0, |season| season.at(unix_days(at) + time));
        let base = found.level + season;
        let ((low, high), noise) = (doubtful_slopes(found, time), found.noise_after(time));
        (base + low * time - noise, base + found.slope * time, base + high * time + noise)
    }
}

/// The bounds of the slope for a forecast of so many days.
fn doubtful_slopes(found: &TrendFit, horizon: f64) -> (f64, f64) {
    let doubt = 1.0 + DRIFT * (1.0 + horizon / found.days.max(LEAST_DAYS)).ln();
    let (low, high) = (found.slope - found.half, found.slope + found.half);
    (if low > 0.0 { low / doubt } else { low * doubt }, if high > 0.0 { high * doubt } else { high / doubt })
}

/// The trend and the outlook of a usage. `history` has the longest lookback first.
pub fn forecast(
    history: &[UsageLine],
    used: f64,
    limit: Option<f64>,
    at: Timestamp,
) -> (Option<GrowthTrend>, Outlook) {
    let limit = limit.filter(|limit| limit.is_finite() && *limit > 0.0);
    let now = unix_days(at);
    let chosen = chosen(history, limit, at);
    let trend = chosen.as_ref().ok().map(|chosen| GrowthTrend::of(chosen.found.clone()));
    let outlook = match (limit, chosen) {
        (None, _) => Outlook::WithoutLimit,
        (Some(limit), _) if used >= limit => Outlook::Full,
        (Some(_), Err(covered)) => Outlook::NeedsHistory { has: days(covered), needs: days(LEAST_DAYS) },
        (Some(limit), Ok(chosen)) => outlook(&chosen, limit, now, at),
    };
    (trend, outlook)
}

/// The trend that counts, and when it would reach the limit according to a lookback that has slowed down since.
struct ChosenTrend {
    found: TrendFit,
    /// If the growth has slowed down: when the slower growth would reach the limit, infinite if never.
    slower: Option<f64>,
}

/// The trend of the longest history, unless a shorter lookback shows that the limit is reached soon.
fn chosen(history: &[UsageLine], limit: Option<f64>, at: Timestamp) -> Result<ChosenTrend, f64> {
    let now = unix_days(at);
    // each with the number of its lookback
    let mut fits: Vec<(usize, TrendFit)> = Vec::new();
    let mut covered: f64 = 0.0;
    for (number, line) in history.iter().enumerate() {
        let all = points(line, at);
        // the last quarter of each lookback is one, too: what has begun there is a small part of the whole
        for part in [all.as_slice(), all.get(all.len() - all.len() / 4..).unwrap_or_default()] {
            let season = fits.iter().find_map(|(_, found)| found.season.clone());
            match fit(part, limit, season.as_ref(), now) {
                Ok(found) => fits.push((number, found)),
                Err(days) => covered = covered.max(days),
            }
        }
    }
    let longest = fits.iter().map(|(_, found)| found.days).fold(0.0, f64::max);
    let is_long = |found: &TrendFit| found.days >= NEARLY * longest;
    let last = fits.iter().rfind(|(_, found)| is_long(found)).map(|(number, _)| *number);
    let base =
        fits.iter().position(|(number, found)| Some(*number) == last && is_long(found)).ok_or(covered)?;
    let (_, mut chosen) = fits.get(base).cloned().ok_or(covered)?;
    // the same season is known more exactly from a lookback with a shorter step
    if let Some(season) = &chosen.season {
        let mut its = fits.iter().rev().filter_map(|(_, found)| found.season.as_ref());
        chosen.season = its.find(|other| other.kind == season.kind).cloned();
    }
    let mut slower = None;
    for (_, shorter) in fits.iter().skip(base + 1) {
        let full = limit.and_then(|limit| shorter.reaches(limit, shorter.slope, now));
        let reset = chosen.next_reset.unwrap_or(f64::INFINITY);
        let is_faster = shorter.slope - shorter.half > chosen.slope + chosen.half;
        if is_faster && full.is_some_and(|full| full <= (REACH * shorter.days).min(reset)) {
            chosen = shorter.clone();
        } else if shorter.days >= CALM_DAYS && shorter.slope + shorter.half < chosen.slope - chosen.half {
            slower = Some(full.unwrap_or(f64::INFINITY));
        }
    }
    Ok(ChosenTrend { found: chosen, slower })
}

fn outlook(chosen: &ChosenTrend, limit: f64, now: f64, at: Timestamp) -> Outlook {
    let found = &chosen.found;
    let horizon = (HORIZON * found.days).min(LONGEST_DAYS);
    let full = found.reaches(limit, found.slope, now);
    let (low, high) = doubtful_slopes(found, full.unwrap_or(horizon).min(horizon));
    let with = |slope: f64, shift: f64| {
        let shifted = TrendFit { level: found.level + shift, ..found.clone() };
        shifted.reaches(limit, slope, now)
    };
    let is_material = (found.slope * horizon).abs() > MATERIAL * limit;
    if found.slope + found.half < 0.0 && is_material && found.season.is_none() {
        return Outlook::Falling;
    }
    let fastest = || found.reaches(limit, high, now);
    let after = full.or_else(fastest).unwrap_or(horizon).min(horizon);
    let earliest = with(high, found.noise_after(after));
    let is_growth = found.slope > 0.0 && is_material;
    let unclear = |earliest: f64| later(at, earliest).map(|earliest| Outlook::Unclear { earliest });
    let Some(full) = full.filter(|_| is_growth || found.season.is_some()) else {
        let is_short = found.days < CALM_DAYS && high > 0.0;
        let earliest = earliest.filter(|earliest| is_short && *earliest <= TOO_SHORT * found.days);
        return earliest.and_then(unclear).unwrap_or(Outlook::Steady);
    };
    if full > horizon {
        return if found.certainly_grows() { Outlook::NotWithin(days(horizon)) } else { Outlook::Steady };
    }
    let earliest = earliest.unwrap_or(full).min(full);
    if !found.certainly_grows() {
        return unclear(earliest).unwrap_or(Outlook::Steady);
    }
    // the later it is, the further the usage may have strayed
    let latest = with(low, -found.noise_after(full)).and_then(|about| with(low, -found.noise_after(about)));
    let mut latest = latest.map(|latest| latest.max(full));
    if let Some(slower) = chosen.slower {
        latest = latest.map(|latest| latest.max(slower));
    }
    let latest = latest.filter(|latest| *latest <= NEVER_DAYS).and_then(|latest| later(at, latest));
    match (later(at, full), later(at, earliest)) {
        (Some(at), Some(earliest)) => Outlook::Fills(FillTime { at, earliest, latest }),
        (Some(_) | None, _) => Outlook::NotWithin(days(horizon)),
    }
}

/// The known points of a line, in days from the evaluation.
fn points(line: &UsageLine, at: Timestamp) -> Vec<UsagePoint> {
    let day = |index: usize| line.span.at(index).duration_since(at).as_secs_f64() / 86_400.0;
    let known = line.values.iter().enumerate().filter(|(_, value)| value.is_finite());
    known.map(|(index, value)| (day(index).min(0.0), *value)).collect()
}

fn unix_days(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 86_400_000.0
}

fn days(days: f64) -> Duration {
    Duration::try_from_secs_f64((days * 86_400.0).max(0.0).round()).unwrap_or(Duration::MAX)
}

fn later(at: Timestamp, after: f64) -> Option<Timestamp> {
    let after = SignedDuration::try_from_secs_f64((after * 86_400.0).round()).ok()?;
    at.checked_add(after).ok()
}
