//! Signals whose value is unknown, which is neither zero nor the same as a missing signal.

use std::fmt;
use std::sync::Arc;

use super::labels::Text;
use super::words::words;

words! {
    /// A signal that contributes to the health of a service.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Signal: word {
        Targets = "targets",
        Requests = "requests",
        Errors = "errors",
        Latency = "latency",
        Apdex = "Apdex",
        Saturation = "saturation",
        /// The servers that are only monitored through an exporter.
        Servers = "servers",
        /// Named signals from metric packs, such as replication lag and deadlocks.
        Named = "other signals",
    }
}

/// A signal that exists but is unknown now: rejected, truncated, without answer, or with too few data yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnknownSignal {
    pub signal: Signal,
    pub why: Text,
}

impl fmt::Display for UnknownSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.signal.word(), self.why)
    }
}

/// The unknown signals of a service, each once, in the order of [`Signal`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnknownSignals(Arc<[UnknownSignal]>);

impl UnknownSignals {
    /// From these signals; of several reasons for one signal the first counts.
    pub fn new(all: impl IntoIterator<Item = UnknownSignal>) -> Self {
        let mut all: Vec<UnknownSignal> = all.into_iter().collect();
        all.sort_by_key(|unknown| unknown.signal);
        all.dedup_by_key(|unknown| unknown.signal);
        Self(all.into())
    }

    /// Whether this signal is unknown.
    pub fn contains(&self, signal: Signal) -> bool {
        self.0.iter().any(|unknown| unknown.signal == signal)
    }

    pub fn iter(&self) -> impl Iterator<Item = &UnknownSignal> {
        self.0.iter()
    }

    /// The reasons, each once, with their signals.
    pub fn by_reason(&self) -> Vec<(&Text, Vec<Signal>)> {
        let mut reasons: Vec<(&Text, Vec<Signal>)> = Vec::new();
        for UnknownSignal { signal, why } in self.iter() {
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, signals)) => signals.push(*signal),
                None => reasons.push((why, vec![*signal])),
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(signal: Signal, why: &str) -> UnknownSignal {
        UnknownSignal { signal, why: why.into() }
    }

    #[test]
    fn each_signal_is_unknown_once_and_those_with_one_reason_stand_together() {
        let all = [
            unknown(Signal::Latency, "422"),
            unknown(Signal::Targets, "timeout"),
            unknown(Signal::Errors, "422"),
            unknown(Signal::Errors, "503"),
        ];
        let unknowns = UnknownSignals::new(all);
        let (refused, late) = (Text::from("422"), Text::from("timeout"));
        let expected =
            vec![(&late, vec![Signal::Targets]), (&refused, vec![Signal::Errors, Signal::Latency])];
        assert_eq!(unknowns.by_reason(), expected);
        assert!(unknowns.contains(Signal::Errors) && !unknowns.contains(Signal::Apdex));
        assert_eq!(UnknownSignals::default().iter().count(), 0);
    }
}
