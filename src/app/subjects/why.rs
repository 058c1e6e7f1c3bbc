//! Causes, for the page and for the verb: the question about a subject, the queries, and what their answers say.

use crate::app::identity::{WhySubject, WhyTarget};
use crate::app::prelude::*;
use crate::model::change::{Change, merged};
use crate::model::source::SourceError;
use crate::model::source_info::SourceInfo;
use crate::model::why::{Cause, CauseContext, LOOKED_BACK, WhyAnalysis, WhyQuery, causes};
use jiff::SignedDuration;

/// Alerts that started less than this ago do not tell more than the series.
const RECENT: SignedDuration = SignedDuration::from_mins(10);

/// The question about a subject; `None` if no service belongs to it.
pub fn target(world: &World, subject: WhySubject, now: Timestamp) -> Option<WhyTarget> {
    let of_alert = |alert: &Alert| {
        let service = world.service_of(&alert.labels)?;
        let since = Some(alert.starts_at);
        Some(WhyQuery { since, until: alert.resolved_at, ..WhyQuery::of(service.clone()) })
    };
    let wanted = match &subject {
        WhySubject::Service(name) => {
            WhyQuery { since: long_since(world, name, now), ..WhyQuery::of(name.clone()) }
        }
        WhySubject::Alert(fingerprint) => of_alert(world.alert(*fingerprint)?)?,
        WhySubject::Slo(key) => {
            let status = key.status(world)?;
            let first = status.alerts.iter().filter_map(|alert| world.alert(*alert));
            let since = first.map(|alert| alert.starts_at).min();
            WhyQuery { since, ..WhyQuery::of(status.service.clone()?) }
        }
        WhySubject::Incident(key) => {
            let known = key.incident(world)?;
            let (since, until) = (Some(known.incident.created_at), known.incident.resolved_at);
            WhyQuery { since, until, ..WhyQuery::of(known.service.clone()?) }
        }
    };
    Some(WhyTarget { subject, wanted: Arc::new(wanted) })
}

/// The start of the first active alert of a service, if that is long ago.
fn long_since(world: &World, service: &str, now: Timestamp) -> Option<Timestamp> {
    let of_it = world.alerts_with_services().filter(|(alert, its)| {
        alert.state == AlertState::Firing && its.is_some_and(|name| **name == *service)
    });
    let first = of_it.map(|(alert, _)| alert.starts_at).min()?;
    (now.duration_since(first) > RECENT).then_some(first)
}

/// The question to each source that may know the service, and to those that know of changes.
pub fn wants(shared: &Shared, target: &WhyTarget, now: Timestamp) -> Vec<Want> {
    let known = shared.world.service(&target.wanted.service).map(|service| &service.chart_sources);
    let asked = shared.answering(AskKind::Why);
    let may_know =
        |source: &&SourceInfo| known.is_none_or(|known| known.is_empty() || known.contains(&source.id));
    let query = || Query::Why { wanted: Arc::clone(&target.wanted) };
    let analyses = asked.filter(may_know).map(|source| want::of(shared, &source.id, query()));
    let from = target.wanted.since.unwrap_or(now).min(now);
    let since = from.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    // a source that analyses tells the changes that it sees with the analysis
    let changes = shared.answering(AskKind::Changes).filter(|source| !source.answers.contains(&AskKind::Why));
    let changes = changes.map(|source| want::of(shared, &source.id, Query::Changes { since }));
    analyses.chain(changes).collect()
}

/// What the sources say about a target.
#[derive(Debug, Default)]
pub struct WhyFound<'a> {
    /// The analysis of the source that knows most; `None` until one has answered.
    pub analysis: Option<&'a WhyAnalysis>,
    pub source: Option<&'a SourceId>,
    pub at: Option<Timestamp>,
    pub failure: Option<&'a SourceError>,
    /// Whether a source was asked and has not answered yet.
    pub is_waiting: bool,
}

/// The best answer so far.
pub fn found<'a>(world: &'a World, target: &WhyTarget) -> WhyFound<'a> {
    let mut found = WhyFound::default();
    let rank = |analysis: &WhyAnalysis| {
        let worst = analysis.symptoms.first().map_or(-1.0, |symptom| symptom.severity);
        (analysis.is_known, worst, analysis.looked_at.len())
    };
    for (source, cache) in world.sources() {
        let Some(remote) = cache.analyses().get(&target.wanted) else { continue };
        found.failure = found.failure.or(remote.failure());
        found.is_waiting |= remote.is_waiting && remote.value().is_none();
        let Some(analysis) = remote.value() else { continue };
        let is_better = found.analysis.is_none_or(|best| rank(analysis) > rank(best));
        if is_better {
            (found.analysis, found.source, found.at) = (Some(analysis), Some(source), remote.at);
        }
    }
    found
}

/// The likely causes, the most likely first.
pub fn ranked(world: &World, target: &WhyTarget, analysis: &WhyAnalysis) -> Vec<Cause> {
    let Some(onset) = analysis.symptoms.first().map(|symptom| symptom.onset) else { return Vec::new() };
    let from = onset.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    // of thousands of alerts only those that may have been first
    let early = world.alerts_with_services().filter(|(alert, _)| (from..=onset).contains(&alert.starts_at));
    let alerts: Vec<_> = early.map(|(alert, service)| (Arc::clone(alert), service.cloned())).collect();
    let service = &*target.wanted.service;
    let changes = changes_since(world, service, analysis, from);
    causes(analysis, CauseContext { service, changes: &changes, alerts: &alerts })
}

/// The changes of the service, and those of no service, since then, the newest first: what all sources of changes report, and what
/// the analysis itself saw, each once.
pub fn changes_since(
    world: &World,
    service: &str,
    analysis: &WhyAnalysis,
    from: Timestamp,
) -> Vec<Arc<Change>> {
    let is_meant =
        |change: &&Change| change.at >= from && (change.service.is_none() || change.is_of(service));
    let known = world.changes().iter().map(|change| &**change);
    let reports = known.chain(&analysis.changes).filter(is_meant).cloned();
    merged(reports).into_iter().map(Arc::new).collect()
}

/// What no cause explains: "6 labels looked at, nothing else stands out".
pub fn compared(analysis: &WhyAnalysis, has_causes: bool) -> String {
    let labels = analysis.labels();
    if analysis.symptoms.is_empty() {
        let words: Vec<&str> = analysis.looked_at.iter().map(|signal| signal.word()).collect();
        let looked_at =
            if words.is_empty() { String::new() } else { format!(" Looked at: {}.", words.join(", ")) };
        return format!("Nothing stands out: no signal of the service changed for the worse.{looked_at}");
    }
    let names = labels.iter().map(|label| &**label).collect::<Vec<_>>().join(", ");
    let count = match labels.len() {
        0 => "No label to compare".to_owned(),
        1 => format!("1 label looked at ({names})"),
        n => format!("{n} labels looked at ({names})"),
    };
    let rest = if has_causes {
        "nothing else stands out"
    } else {
        "nothing stands out: the change is spread evenly"
    };
    format!("{count}, {rest}.")
}
