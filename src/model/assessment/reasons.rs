//! Reasons that can be numerous: the worst are listed, the others only counted.

use crate::model::capacity::{CapacityReading, CapacityUse};
use crate::model::health::Health;
use crate::model::host::{Host, NamedSignal, Saturated, Usage, highest_usage, place, places};
use crate::model::labels::Text;
use crate::model::reason::Reason;
use crate::model::service::ServiceReading;

/// How many saturated resources, or signals of one name, are listed.
const NAMED: usize = 2;

/// The worst signals of each name.
pub(super) fn named(signals: &[NamedSignal]) -> Vec<(Health, Reason)> {
    let mut bad: Vec<(Health, &NamedSignal)> =
        signals.iter().filter_map(|signal| Some((signal.health?, signal))).collect();
    let places = places(signals.iter());
    bad.sort_by_key(|(health, signal)| (places.get(&signal.name).copied(), *health));
    let mut reasons = Vec::new();
    for same in bad.chunk_by(|a, b| a.1.name == b.1.name) {
        for (at, (health, signal)) in same.iter().take(NAMED).enumerate() {
            let signal = NamedSignal::clone(signal);
            reasons.push((*health, Reason::Signal { signal, more: more(same.len(), at) }));
        }
    }
    reasons
}

/// The most used resources at or above the limit.
pub(super) fn saturated(reading: &ServiceReading, limit: f64) -> Vec<Reason> {
    let unnamed = || {
        let ratio = reading.signals.saturation.filter(|ratio| *ratio >= limit)?;
        let usage = Usage { resource: Text::default(), part: Text::default(), ratio };
        Some(Reason::Saturated { full: Saturated { usage, host: Text::default() }, more: 0 })
    };
    if reading.hosts.is_empty() {
        return unnamed().into_iter().collect();
    }
    let full = highest_usage(&reading.hosts).into_iter().take_while(|(_, usage)| usage.ratio >= limit);
    let full: Vec<_> = full.collect();
    let reason = |(at, (host, usage)): (usize, &(&Host, &Usage))| Reason::Saturated {
        full: Saturated { usage: Usage::clone(usage), host: host.name.clone() },
        more: more(full.len(), at),
    };
    full.iter().take(NAMED).enumerate().map(reason).collect()
}

/// The resources that will soon be full or over, the most urgent first.
pub(super) fn soon_full(readings: &[&CapacityReading], hosts: &[Host]) -> Vec<Reason> {
    let ends = readings.iter().filter_map(|reading| Some((*reading, reading.outlook.end(reading.at)?)));
    let listed = ends.enumerate().take(NAMED).map(|(at, (reading, end))| {
        let is_deadline = matches!(reading.amount, CapacityUse::Until(_));
        let host = reading.other_name(hosts).unwrap_or_else(|| reading.host.clone());
        let (what, place) = (reading.key.resource.clone(), place(&host, &reading.key.part).into());
        let more = more(readings.len(), at);
        if is_deadline {
            Reason::Ends { what, place, at: end, more }
        } else {
            Reason::FillsUp { what, place, at: end, more }
        }
    });
    listed.collect()
}

/// How many unlisted reasons the last listed one stands for.
fn more(all: usize, at: usize) -> usize {
    if at + 1 == NAMED { all - NAMED } else { 0 }
}
