//! The firings of alerts, each with its start and end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::labels::Labels;
use super::slo::TimeRange;

/// How many times an alert must start to fire to count as flapping ...
const FLAPPING_STARTS: usize = 3;
/// ... within this time.
pub const FLAPPING_WITHIN: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The alert's labels, as its source reports them.
    pub labels: Labels,
    /// When it started to fire; may be before the queried time range.
    pub from: Timestamp,
    /// When it ended: the last evaluation plus the time to the next one. For an ongoing firing the end of the known time.
    pub to: Timestamp,
    /// Whether it was still firing at the end of the queried time range.
    pub is_open: bool,
    /// Whether its start or end is only known approximately.
    pub is_about: bool,
}

impl Firing {
    pub fn bounds(&self) -> TimeRange {
        TimeRange { start: self.from, end: self.to.max(self.from) }
    }

    /// How long it fired within this time range.
    pub fn within(&self, time: TimeRange) -> Duration {
        let (start, end) = (self.from.max(time.start), self.to.min(time.end));
        Duration::try_from(end.duration_since(start)).unwrap_or_default()
    }
}

/// The firings that one source reports.
#[derive(Debug, Clone)]
pub struct FiringSnapshot {
    /// The queried time range.
    pub looked_at: TimeRange,
    /// Sorted by labels, then by time.
    pub firings: Vec<Firing>,
    /// Whether the list is complete; otherwise there were too many firings.
    pub is_whole: bool,
}

/// Whether an alert with these start times, ascending, flaps: three or more starts within an hour.
pub fn is_flapping(beginnings: &[Timestamp]) -> bool {
    beginnings.windows(FLAPPING_STARTS).any(|some| match (some.first(), some.last()) {
        (Some(first), Some(last)) => last.duration_since(*first) <= FLAPPING_WITHIN,
        _ => false,
    })
}

/// Merges the firings of one alert from several servers that evaluate the same rule, such as a highly available pair: each once,
/// sorted by time.
///
/// The servers evaluate some seconds apart, and one may have been down. Where their firings overlap, the server with the longest
/// total is used; of servers with about equal totals, the one with the fewest firings, since a restart splits a firing.
pub fn merge_servers(reported: Vec<Vec<Firing>>) -> Vec<Firing> {
    let mut servers: Vec<Vec<Firing>> = reported.into_iter().filter(|its| !its.is_empty()).collect();
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

/// The firings of the server that is used for this time range.
fn from_best_server(overlapping: Vec<(usize, Firing)>) -> Vec<Firing> {
    /// Totals that differ by less than this count as about equal.
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
            // evaluated some seconds apart
            (&[(0, 90), (240, 330)][..], &[(7, 97), (247, 337)][..], &[(0, 90), (240, 330)][..]),
            // one server was down during the second firing
            (&[(0, 90)], &[(7, 97), (247, 337)], &[(0, 90), (247, 337)]),
            // one server was restarted in between
            (&[(0, 3000), (3010, 7000)], &[(7, 7007)], &[(7, 7007)]),
            // one server saw only a short part
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
            let reported = merge_servers(vec![firings(&spans), firings(&shifted)]);
            prop_assert_eq!(&reported, &firings(&spans));
            prop_assert_eq!(merge_servers(vec![reported.clone(), Vec::new()]), reported);
        }
    }
}
