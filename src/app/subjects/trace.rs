//! Traces, for all screens: which source has a trace, the traces of a service, links, and why there is nothing to show.

use std::collections::BTreeMap;

use crate::app::prelude::*;
use crate::app::subjects::link::is_link;
use crate::config::kind;
use crate::model::remote::AnswerState;
use crate::model::trace::{Trace, TraceId, TraceSnapshot, TraceSummary};
use crate::model::warning::WarningKind;

/// The trace, at the source that has the most of its spans.
pub fn found(shared: &Shared, id: TraceId) -> Option<(&SourceId, &Arc<Trace>)> {
    let all = shared.answering(AskKind::Trace).filter_map(|source| {
        let search = shared.world.cache(&source.id)?.traces().get(&id)?.value()?;
        Some((&source.id, search.found.as_ref()?))
    });
    all.reduce(|most, other| if other.1.nodes.len() > most.1.nodes.len() { other } else { most })
}

/// The answers about the traces of a service, each with its source.
pub fn snapshots<'a>(
    shared: &'a Shared,
    service: &'a str,
) -> impl Iterator<Item = (&'a SourceId, &'a TraceSnapshot)> {
    shared.answering(AskKind::Traces).filter_map(move |source| {
        let remote = shared.world.cache(&source.id)?.service_traces().get(service)?;
        Some((&source.id, remote.value()?))
    })
}

/// The traces of a service, each with the first source that lists it.
pub fn listed(shared: &Shared, service: &str) -> BTreeMap<TraceId, (SourceId, Arc<TraceSummary>)> {
    let mut all = BTreeMap::new();
    for (source, snapshot) in snapshots(shared, service) {
        for trace in &snapshot.traces {
            all.entry(trace.id).or_insert_with(|| (source.clone(), Arc::clone(trace)));
        }
    }
    all
}

/// The pages of a trace in the user interfaces of its sources, and those that its root span names.
pub fn links(shared: &Shared, id: TraceId) -> Vec<(String, Text)> {
    let of_source = |source: &SourceId| {
        let cache = shared.world.cache(source)?;
        let whole = cache.traces().get(&id).and_then(|remote| remote.value()?.found.as_ref()?.link.clone());
        whole.or_else(|| {
            let lists = cache.service_traces().values().filter_map(|remote| remote.value());
            lists.flat_map(|list| &list.traces).find(|trace| trace.id == id)?.link.clone()
        })
    };
    let sources = shared.answering(AskKind::Trace);
    let links =
        sources.filter_map(|source| Some((format!("trace at {}", source.id), of_source(&source.id)?)));
    links.filter(|(_, link)| is_link(link)).collect()
}

/// Why there is nothing to show of an answer to a question with a key: no source, loading, an error, or `none` of the sources
/// has it. `states` are the answers of the sources that were asked.
pub fn lack<'a>(
    shared: &Shared,
    asked: AskKind,
    states: impl Fn(&SourceId) -> Option<&'a AnswerState>,
    none: &str,
) -> Vec<(String, Role)> {
    let sources: Vec<&SourceId> = shared.answering(asked).map(|source| &source.id).collect();
    if sources.is_empty() {
        let add = kind::sources_to_add(shared.kinds, &[asked]);
        let words = format!("No source of traces is configured: add {add} to the context.");
        return vec![(words, Role::Muted)];
    }
    let mut lines = Vec::new();
    let mut has_answered = 0;
    for source in &sources {
        let state = states(source);
        let traffic = shared.scheduler.traffic(source);
        match state.and_then(AnswerState::failure).or(traffic.failure()) {
            Some(error) => lines.push((format!("{error}. {}", error.kind.advice()), Role::Trouble)),
            None if state.is_some_and(|state| state.at.is_some()) => has_answered += 1,
            None => lines.push((format!("{source}: {}", shared.waiting()), Role::Muted)),
        }
        let notices = state.into_iter().flat_map(|state| &state.warnings);
        let notices = notices.filter(|warning| warning.kind == WarningKind::Notice);
        lines.extend(notices.map(|warning| (format!("{source}: {warning}"), Role::Info)));
    }
    if has_answered > 0 {
        let at = match (has_answered, sources.len()) {
            (answered, all) if answered < all => {
                format!(" at the {answered} of {all} sources that have answered")
            }
            _ => String::new(),
        };
        lines.insert(0, (format!("{none}{at}."), Role::Unknown));
    }
    lines
}

impl Item for TraceId {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        Some(Place::Trace(*self))
    }

    fn selection(_shared: &Shared, _chosen: Vec<Self>) -> Selection {
        Selection::Nothing
    }

    fn copied(&self, _shared: &Shared, _now: Timestamp) -> Option<String> {
        Some(self.to_string())
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        links(shared, *self)
    }
}

/// The symbols of services, in the order of their shares; with more services they repeat.
const SYMBOLS: [(&str, &str); 8] =
    [("■", "A"), ("●", "B"), ("▲", "C"), ("◆", "D"), ("□", "E"), ("○", "F"), ("△", "G"), ("◇", "H")];

/// The symbol of a service, by its index.
pub fn symbol(cx: &Cx<'_>, service: usize) -> &'static str {
    let (unicode, ascii) = SYMBOLS.get(service % SYMBOLS.len()).copied().unwrap_or_default();
    cx.charset.pick(unicode, ascii)
}
