//! Merges what several sources say about one service.

use std::sync::Arc;

use super::{ScrapeTargets, ServiceReading, Signals};
use crate::model::host::{self, Host};
use crate::model::labels::Labels;
use crate::model::signal::{Signal, UnknownSignal, UnknownSignals};

/// A reading with the state of its source.
#[derive(Debug, Clone, Copy)]
pub struct SourcedReading<'a> {
    pub reading: &'a ServiceReading,
    /// Whether the source currently answers without errors.
    pub is_current: bool,
}

/// Merges several readings of one service. The second result are the indexes of the readings that its charts are taken from.
///
/// Sources that scrape the same targets form a group. In a group only sources that currently answer count, and of each signal the
/// worst value, so that a problem which only one of them sees is shown; the first of them provides the charts. Groups have
/// different targets: their rates and targets are added, ratios and Apdex are averaged with the request rates as weights, and of
/// latencies and saturation the worst value counts, since quantiles cannot be added. Within a group a signal is known if one
/// source knows it; across groups it is unknown if it is unknown in one of them. A single reading is returned unchanged.
pub fn merge(sourced: &[SourcedReading<'_>]) -> (ServiceReading, Vec<usize>) {
    if let [only] = sourced {
        return (only.reading.clone(), vec![0]);
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, one) in sourced.iter().enumerate() {
        let is_same = |group: &Vec<usize>| {
            group
                .iter()
                .filter_map(|at| sourced.get(*at))
                .any(|other| one.reading.is_replica_of(other.reading))
        };
        match groups.iter_mut().find(|group| is_same(group)) {
            Some(group) => group.push(at),
            None => groups.push(vec![at]),
        }
    }
    let mut chart_sources = Vec::with_capacity(groups.len());
    let mut parts = Vec::with_capacity(groups.len());
    for group in groups {
        let all: Vec<(usize, SourcedReading<'_>)> =
            group.iter().filter_map(|at| Some((*at, *sourced.get(*at)?))).collect();
        let current: Vec<_> = all.iter().filter(|(_, one)| one.is_current).copied().collect();
        let taken = if current.is_empty() { all } else { current };
        chart_sources.extend(taken.first().map(|(at, _)| *at));
        parts.push(worst_of(&taken.iter().map(|(_, one)| one.reading).collect::<Vec<_>>()));
    }
    (sum_of(&parts.iter().collect::<Vec<_>>()), chart_sources)
}

fn largest(readings: &[&ServiceReading], signal: fn(&Signals) -> Option<f64>) -> Option<f64> {
    readings.iter().filter_map(|r| signal(&r.signals)).max_by(f64::total_cmp)
}

/// Labels for which no reading has a different value.
fn agreed(readings: &[&ServiceReading]) -> Labels {
    let all = readings.iter().flat_map(|r| r.labels.iter());
    all.filter(|(name, value)| readings.iter().all(|r| r.labels.get(name).is_none_or(|v| v == *value)))
        .collect()
}

/// Merges readings of the same targets: the worst value of each signal.
fn worst_of(readings: &[&ServiceReading]) -> ServiceReading {
    let [first, rest @ ..] = readings else { return ServiceReading::default() };
    if rest.is_empty() {
        return (*first).clone();
    }
    let serious = |r: &&&ServiceReading| (r.targets.total.saturating_sub(r.targets.up), r.targets.total);
    let knows_targets = |r: &&&ServiceReading| !r.unknown.contains(Signal::Targets);
    let targets = readings.iter().filter(knows_targets).max_by_key(serious).or(readings.first());
    // a signal is known if one of the sources knows it
    let nobody_knows = |one: &&UnknownSignal| readings.iter().all(|r| r.unknown.contains(one.signal));
    ServiceReading {
        targets: targets.map(|r| r.targets.clone()).unwrap_or_default(),
        unknown: UnknownSignals::new(first.unknown.iter().filter(nobody_knows).cloned()),
        servers: host::servers(readings.iter().flat_map(|r| &r.servers), |known, other| {
            if other.count > known.count {
                *known = other.clone();
            }
        }),
        scraped: Arc::clone(&first.scraped),
        ..joined(readings)
    }
}

/// Merges readings of different targets of one service.
fn sum_of(readings: &[&ServiceReading]) -> ServiceReading {
    if let [only] = readings {
        return (*only).clone();
    }
    let weighted = |signal: fn(&Signals) -> Option<f64>| {
        let known: Vec<_> =
            readings.iter().filter_map(|r| Some((r.signals.request_rate?, signal(&r.signals)?))).collect();
        let weight: f64 = known.iter().map(|(rate, _)| rate).sum();
        if weight > 0.0 {
            Some(known.iter().map(|(rate, value)| rate * value).sum::<f64>() / weight)
        } else {
            largest(readings, signal)
        }
    };
    let unknown = UnknownSignals::new(readings.iter().flat_map(|r| r.unknown.iter()).cloned());
    let rates: Vec<f64> = readings.iter().filter_map(|r| r.signals.request_rate).collect();
    // a sum with a missing part would be too low
    let is_whole = !rates.is_empty() && !unknown.contains(Signal::Requests);
    let joined = joined(readings);
    ServiceReading {
        signals: Signals {
            request_rate: is_whole.then(|| rates.iter().sum()),
            error_ratio: weighted(|s| s.error_ratio),
            apdex: weighted(|s| s.apdex),
            ..joined.signals
        },
        targets: ScrapeTargets {
            up: readings.iter().map(|r| r.targets.up).sum(),
            total: readings.iter().map(|r| r.targets.total).sum(),
            down: readings.iter().flat_map(|r| r.targets.down.iter().cloned()).collect(),
        },
        unknown,
        servers: host::servers(readings.iter().flat_map(|r| &r.servers), |known, other| {
            known.total = known.total.saturating_add(other.total);
            known.count = known.count.saturating_add(other.count);
            known.down.extend(other.down.iter().cloned());
        }),
        ..joined
    }
}

/// What is the same whether several readings are of the same targets or of different ones; of each signal the worst.
fn joined(readings: &[&ServiceReading]) -> ServiceReading {
    ServiceReading {
        name: readings.first().map(|r| r.name.clone()).unwrap_or_default(),
        labels: agreed(readings),
        signals: Signals {
            request_rate: largest(readings, |s| s.request_rate),
            error_ratio: largest(readings, |s| s.error_ratio),
            p50: largest(readings, |s| s.p50),
            p95: largest(readings, |s| s.p95),
            p99: largest(readings, |s| s.p99),
            apdex: readings.iter().filter_map(|r| r.signals.apdex).min_by(f64::total_cmp),
            saturation: largest(readings, |s| s.saturation),
        },
        named_by: readings.iter().find_map(|r| r.named_by.clone()),
        hosts: host::joined(readings.iter().flat_map(|r| r.hosts.iter()), Host::merge_higher_usage),
        named: host::signals(readings.iter().flat_map(|r| &r.named)),
        ..ServiceReading::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rate: f64, errors: f64, scraped: &[u64]) -> ServiceReading {
        ServiceReading {
            name: "cart".into(),
            signals: Signals {
                request_rate: Some(rate),
                error_ratio: Some(errors),
                p95: Some(0.1),
                ..Signals::default()
            },
            targets: ScrapeTargets { up: 2, total: 2, down: vec![] },
            scraped: scraped.into(),
            ..ServiceReading::default()
        }
    }

    fn merged(readings: &[(&ServiceReading, bool)]) -> (ServiceReading, Vec<usize>) {
        let sourced: Vec<_> = readings
            .iter()
            .map(|(reading, is_current)| SourcedReading { reading, is_current: *is_current })
            .collect();
        merge(&sourced)
    }

    #[test]
    fn two_regions_of_one_service_are_one_service() {
        let mut eu = part(90.0, 0.0, &[1, 2]);
        let us = part(10.0, 0.5, &[3, 4]);
        eu.signals.p95 = Some(0.4);
        let (both, chart_sources) = merged(&[(&eu, true), (&us, true)]);
        assert_eq!((both.signals.request_rate, chart_sources), (Some(100.0), vec![0, 1]));
        assert!((both.signals.error_ratio.unwrap() - 0.05).abs() < 1e-12);
        assert_eq!(both.signals.p95, Some(0.4));
        assert_eq!(both.signals.apdex, None);
        assert_eq!(both.targets.total, 4);
        assert_eq!(merged(&[(&eu, false)]), (eu, vec![0]));
    }

    #[test]
    fn what_two_servers_scrape_of_the_same_targets_is_not_added_up_and_the_worst_of_it_shows() {
        let one = part(100.0, 0.01, &[1, 2, 3]);
        let mut other = part(98.0, 0.04, &[2, 3, 4]);
        other.targets = ScrapeTargets { up: 1, total: 2, down: vec![] };
        let (both, chart_sources) = merged(&[(&one, true), (&other, true)]);
        assert_eq!((both.signals.request_rate, both.signals.error_ratio), (Some(100.0), Some(0.04)));
        assert_eq!((both.targets.up, both.targets.total, chart_sources), (1, 2, vec![0]));
    }

    #[test]
    fn of_a_pair_the_one_that_still_answers_speaks() {
        let dead = part(100.0, 0.9, &[1, 2]);
        let well = part(98.0, 0.0, &[1, 2]);
        let elsewhere = part(5.0, 0.0, &[7]);
        let (both, chart_sources) = merged(&[(&dead, false), (&well, true), (&elsewhere, false)]);
        assert_eq!((both.signals.request_rate, both.signals.error_ratio), (Some(103.0), Some(0.0)));
        assert_eq!(chart_sources, [1, 2]);
        assert_eq!(merged(&[(&dead, false), (&well, false)]).1, [0]);
    }

    #[test]
    fn what_one_of_a_pair_knows_is_known_and_what_a_part_does_not_tell_is_not_known_of_the_whole() {
        let refused = |reading: ServiceReading| ServiceReading {
            unknown: UnknownSignals::new(
                [Signal::Requests, Signal::Targets].map(|signal| UnknownSignal { signal, why: "422".into() }),
            ),
            signals: Signals { request_rate: None, ..reading.signals },
            ..reading
        };
        let (asked, twin, other) =
            (refused(part(90.0, 0.0, &[1, 2])), part(80.0, 0.0, &[1, 2]), part(10.0, 0.2, &[7]));
        let (pair, _) = merged(&[(&asked, true), (&twin, true)]);
        assert_eq!((pair.signals.request_rate, pair.unknown.iter().count()), (Some(80.0), 0));
        let (both, _) = merged(&[(&asked, true), (&other, true)]);
        assert_eq!((both.signals.request_rate, both.signals.error_ratio), (None, Some(0.2)));
        assert!(both.unknown.contains(Signal::Requests) && both.unknown.contains(Signal::Targets));
    }

    #[test]
    fn a_stray_target_in_common_or_none_known_makes_no_pair() {
        let many = part(1.0, 0.0, &[1, 2, 3, 4, 5]);
        assert!(!many.is_replica_of(&part(1.0, 0.0, &[5, 6, 7, 8])));
        assert!(many.is_replica_of(&part(1.0, 0.0, &[5, 6])));
        assert!(!part(1.0, 0.0, &[]).is_replica_of(&part(1.0, 0.0, &[])));
    }
}
