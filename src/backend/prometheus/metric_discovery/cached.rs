//! Entries for which discovery failed: the previous result stays in use; without one, the signals of the entry count as
//! unknown.

use std::collections::HashSet;

use super::{DiscoveredEntry, DiscoveryRun, MetricDiscovery};
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

/// How looking up an entry ended.
pub(super) enum LookupResult {
    Found,
    /// The selector groups were found, but not the details.
    WithoutDetails(SourceError),
    Failed(SourceError),
}

impl MetricDiscovery {
    /// Combines new results with those of the previous discovery: a failed lookup is replaced by the previous result, or recorded
    /// as a gap.
    pub(super) fn with_previous(
        &mut self,
        DiscoveryRun { call, before, .. }: DiscoveryRun<'_>,
        looked_up: Vec<(DiscoveredEntry, LookupResult)>,
    ) -> Vec<DiscoveredEntry> {
        let mut combined = Vec::new();
        for (mut found, result) in looked_up {
            let (error, has_groups) = match result {
                LookupResult::Found => {
                    combined.push(found);
                    continue;
                }
                LookupResult::WithoutDetails(error) => (error, true),
                LookupResult::Failed(error) => (error, false),
            };
            let (name, signals) = (found.entry.name(), found.entry.signals());
            let what = signals.first().map_or("", |signal| signal.word());
            call.warn(Warning::part(format!("{what} ({name}) could not be discovered: {}", error.kind)));
            let why: Text = error.kind.to_string().into();
            let old = before.and_then(|before| before.entries.iter().find(|old| old.entry == found.entry));
            match old {
                Some(old) if has_groups => {
                    found.details = old.details.clone();
                    combined.push(found);
                }
                Some(old) => combined.push(old.clone()),
                None if has_groups => {
                    let services: HashSet<Text> = found.services().cloned().collect();
                    let gap = |signal: &Signal| Gap { signal: *signal, why, services: Some(services) };
                    self.gaps.extend(signals.last().map(gap));
                    combined.push(found);
                }
                None => {
                    let gap = |signal: &Signal| Gap { signal: *signal, why: why.clone(), services: None };
                    // with a previous discovery, no server had this entry then
                    self.gaps.extend(signals.iter().filter(|_| before.is_none()).map(gap));
                }
            }
        }
        combined
    }
}
