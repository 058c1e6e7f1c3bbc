//! When alerts fired: each firing with its beginning and end, none joined with another.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::labels::Labels;
use super::slo::TimeRange;

/// An alert flaps if it begins to fire so often ...
const FLAPPING_STARTS: usize = 3;
/// ... within this time.
pub const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The alert's labels, as its source sends them.
    pub labels: Labels,
    /// When it began to fire; it may be before the time that was asked about.
    pub from: Timestamp,
    /// When it was over: its last evaluation and the time to the next one. For one that is not over, how far it is known.
    pub to: Timestamp,
    /// Whether it fired to the end of the time that was asked about.
    pub is_open: bool,
    /// Its beginning or end is known only about.
    pub is_about: bool,
}

impl Firing {
    pub fn bounds(&self) -> TimeRange {
        TimeRange { start: self.from, end: self.to.max(self.from) }
    }

    /// How long of this time it fired.
    pub fn within(&self, time: TimeRange) -> Duration {
        let (start, end) = (self.from.max(time.start), self.to.min(time.end));
        Duration::try_from(end.duration_since(start)).unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub struct FiringBoard {
    pub looked_at: TimeRange,
    /// In the order of their labels, then of time.
    pub firings: Vec<Firing>,
    /// Whether these are all; else there were too many to be told apart, and there may be more.
    pub is_whole: bool,
}

/// Whether an alert that began to fire at these moments, in the order of time, flaps: three times or more within an hour.
pub fn is_flapping(beginnings: &[Timestamp]) -> bool {
    beginnings.windows(FLAPPING_STARTS).any(|some| match (some.first(), some.last()) {
        (Some(first), Some(last)) => last.duration_since(*first) <= FLAPPING_WITHIN,
        _ => false,
    })
}

/// The firings of one alert out of what several servers tell that evaluate the same rule, such as a pair: each once, in the
/// order of time.
///
/// They see the same condition some seconds apart, and one may have been away. Where their firings touch, the one that saw most
/// of it is believed; if several saw about as much, the one that tells it in the fewest pieces: it did not begin anew meanwhile.
pub fn merge_servers(told: Vec<Vec<Firing>>) -> Vec<Firing> {
    let mut servers: Vec<Vec<Firing>> = told.into_iter().filter(|its| !its.is_empty()).collect();
    if servers.len() < 2 {
        return servers.pop().unwrap_or_default();
    }
    let mut all: Vec<(usize, Firing)> = servers
        .into_iter()
        .enumerate()
        .flat_map(|(at, its)| its.into_iter().map(move |one| (at, one)))
        .collect();
    all.sort_by_key(|(at, firing)| (firing.from, firing.to, *at));
    let mut out = Vec::new();
    let mut overlapping: Vec<(usize, Firing)> = Vec::new();
    let mut end = Timestamp::MIN;
    for (at, firing) in all {
        if firing.from > end {
            out.extend(from_best_server(std::mem::take(&mut overlapping)));
        }
        end = end.max(firing.to);
        overlapping.push((at, firing));
    }
    out.extend(from_best_server(overlapping));
    out
}

/// What one of the servers says of this time.
fn from_best_server(overlapping: Vec<(usize, Firing)>) -> Vec<Firing> {
    /// Servers that saw this much less saw about as much.
    const ABOUT: Duration = Duration::from_secs(60);
    let time = |server: usize| -> Duration {
        overlapping.iter().filter(|(at, _)| *at == server).map(|(_, firing)| firing.bounds().length()).sum()
    };
    let pieces = |server: usize| overlapping.iter().filter(|(at, _)| *at == server).count();
    let mut servers: Vec<usize> = overlapping.iter().map(|(at, _)| *at).collect();
    servers.sort_unstable();
    servers.dedup();
    let most = servers.iter().map(|server| time(*server)).max().unwrap_or_default();
    let near =
        servers.into_iter().filter(|server| time(*server) + ABOUT >= most && time(*server) * 2 >= most);
    let chosen = near.min_by_key(|server| pieces(*server));
    overlapping.into_iter().filter(|(at, _)| Some(*at) == chosen).map(|(_, firing)| firing).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn firings(all: &[(i64, i64)]) -> Vec<Firing> {
        let one = |(from, to): &(i64, i64)| Firing {
            labels: Labels::default(),
            from: at(*from),
            to: at(*to),
            is_open: false,
            is_about: false,
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn what_begins_three_times_within_an_hour_flaps() {
        for (minutes, flaps) in [
            (&[0, 10, 59][..], true),
            (&[0, 10, 60], true),
            (&[0, 10, 61], false),
            (&[0, 10], false),
            (&[], false),
            (&[0, 50, 100, 110, 120], true),
        ] {
            let moments: Vec<Timestamp> = minutes.iter().map(|minute| at(minute * 60)).collect();
            assert_eq!(is_flapping(&moments), flaps, "{minutes:?}");
        }
    }

    #[test]
    fn a_firing_that_a_pair_of_servers_tells_counts_once() {
        for (one, other, expected) in [
            // some seconds apart
            (&[(0, 90), (240, 330)][..], &[(7, 97), (247, 337)][..], &[(0, 90), (240, 330)][..]),
            // one was away for the second
            (&[(0, 90)], &[(7, 97), (247, 337)], &[(0, 90), (247, 337)]),
            // one began anew meanwhile
            (&[(0, 3000), (3010, 7000)], &[(7, 7007)], &[(7, 7007)]),
            // one saw little of it
            (&[(0, 7000)], &[(6900, 7000)], &[(0, 7000)]),
            (&[], &[(5, 10)], &[(5, 10)]),
            (&[], &[], &[]),
        ] {
            assert_eq!(
                merge_servers(vec![firings(one), firings(other)]),
                firings(expected),
                "{one:?} {other:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn of_a_pair_nothing_is_told_twice_and_no_firing_is_lost(
            gaps in prop::collection::vec((60..4000_i64, 10..4000_i64), 0..20), shift in 0..9_i64,
        ) {
            let mut from = 0;
            let spans: Vec<(i64, i64)> = gaps.into_iter().map(|(gap, length)| {
                let start = from + gap;
                from = start + length;
                (start, from)
            }).collect();
            let shifted: Vec<(i64, i64)> = spans.iter().map(|(from, to)| (from + shift, to + shift)).collect();
            let told = merge_servers(vec![firings(&spans), firings(&shifted)]);
            prop_assert_eq!(&told, &firings(&spans));
            prop_assert_eq!(merge_servers(vec![told.clone(), Vec::new()]), told);
        }
    }
}
