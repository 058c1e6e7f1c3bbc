//! Entries for which discovery failed: the previous result stays in use; without one, the signals of the entry count as
//! unknown.

use std::collections::HashSet;

use super::{DiscoveredEntry, LatencyHistogram, MetricDiscovery, RequestCounter};
use crate::backend::packs::{OwnSignal, Saturation, Up};
use crate::backend::prometheus::call::QuestionRequests;
use crate::model::labels::Text;
use crate::model::signal::Signal;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// A signal for which discovery failed, although some services may have it.
#[derive(Debug, Clone)]
pub(in crate::backend::prometheus) struct Gap {
    pub(in crate::backend::prometheus) signal: Signal,
    pub(in crate::backend::prometheus) why: Text,
    /// The services whose signal is unknown; `None`: every service without the signal.
    pub(in crate::backend::prometheus) services: Option<HashSet<Text>>,
}

/// The result of looking up an entry: found, found without its optional part (with the error), or failed.
pub(super) type LookupResult<T> = Result<(DiscoveredEntry<T>, Option<SourceError>), SourceError>;

/// A discovered entry that is kept from one discovery to the next.
pub(super) trait CachedEntry: Clone {
    /// The signals that the entry provides.
    const SIGNALS: &'static [Signal];

    /// The name that identifies the entry.
    fn name(&self) -> &str;

    /// Whether both are results for the same entry of a pack.
    fn is_same(&self, other: &Self) -> bool;

    /// Copies the optional part from the previous result.
    fn take_part(&mut self, _before: &Self) {}

    /// Whether it only adds data to services that other entries find.
    fn only_adds(&self) -> bool {
        false
    }
}

impl CachedEntry for RequestCounter {
    const SIGNALS: &'static [Signal] = &[Signal::Requests, Signal::Errors];

    fn name(&self) -> &str {
        &self.requests.metric
    }

    fn is_same(&self, other: &Self) -> bool {
        self.requests == other.requests
    }

    fn take_part(&mut self, before: &Self) {
        self.codes.clone_from(&before.codes);
        self.without_outcome_label.clone_from(&before.without_outcome_label);
    }
}

impl CachedEntry for LatencyHistogram {
    const SIGNALS: &'static [Signal] = &[Signal::Latency, Signal::Apdex];

    fn name(&self) -> &str {
        &self.latency.histogram
    }

    fn is_same(&self, other: &Self) -> bool {
        self.latency == other.latency
    }

    fn take_part(&mut self, before: &Self) {
        self.apdex.clone_from(&before.apdex);
    }
}

macro_rules! entry_without_parts {
    ($($Type:ty { $name:ident } $signal:ident;)*) => {
        $(impl CachedEntry for $Type {
            const SIGNALS: &'static [Signal] = &[Signal::$signal];

            fn name(&self) -> &str {
                &self.$name
            }

            fn is_same(&self, other: &Self) -> bool {
                self == other
            }

            fn only_adds(&self) -> bool {
                self.only_known
            }
        })*
    };
}

entry_without_parts! {
    Saturation { resource } Saturation;
    Up { metric } Servers;
    OwnSignal { name } Named;
}

impl MetricDiscovery {
    /// Combines new results with those of the discovery `before`: a failed lookup is replaced by the previous result, or
    /// recorded as a gap. Each result comes with an empty entry, to find its predecessor.
    pub(super) fn kept<T: CachedEntry>(
        &mut self,
        call: &QuestionRequests<'_>,
        looked: Vec<(T, LookupResult<T>)>,
        before: Option<&[DiscoveredEntry<T>]>,
    ) -> Vec<DiscoveredEntry<T>> {
        let mut kept = Vec::new();
        for (blank, looked) in looked {
            let old = before.unwrap_or_default().iter().find(|old| old.entry.is_same(&blank));
            match (looked, old) {
                (Ok((found, None)), _) => kept.push(found),
                (Ok((mut found, Some(error))), Some(old)) => {
                    tell(call, &blank, &error);
                    found.entry.take_part(&old.entry);
                    kept.push(found);
                }
                (Ok((found, Some(error))), None) => {
                    let why = tell(call, &blank, &error);
                    let services: HashSet<Text> = found
                        .selector_groups
                        .iter()
                        .flat_map(|selector_group| selector_group.services.iter().cloned())
                        .collect();
                    let gap = |signal: &Signal| Gap { signal: *signal, why, services: Some(services) };
                    self.gaps.extend(T::SIGNALS.last().map(gap));
                    kept.push(found);
                }
                (Err(error), Some(old)) => {
                    tell(call, &blank, &error);
                    kept.push(old.clone());
                }
                (Err(error), None) => {
                    let why = tell(call, &blank, &error);
                    let gap = |signal: &Signal| Gap { signal: *signal, why: why.clone(), services: None };
                    // with a previous discovery, no server had this entry then
                    if before.is_none() {
                        self.gaps.extend(T::SIGNALS.iter().map(gap));
                    }
                }
            }
        }
        kept
    }
}

/// Adds a warning that looking up an entry failed; returns the reason.
fn tell<T: CachedEntry>(call: &QuestionRequests<'_>, entry: &T, error: &SourceError) -> Text {
    let what = T::SIGNALS.first().map_or("", |signal| signal.word());
    let name = entry.name();
    call.warn(Warning::part(format!("{what} ({name}) could not be discovered: {}", error.kind)));
    error.kind.to_string().into()
}
