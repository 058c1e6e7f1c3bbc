//! When incidents were detected, for statistics, pages and reports: the question to the sources, and what their answers say.

use std::collections::BTreeMap;

use super::firing_history::{self, FiringHistory};
use super::prelude::*;
use crate::model::detection::{Detected, Detections, Onset, OnsetQuery, Undetected, detected};
use crate::model::slo::TimeRange;

/// The most incidents that are asked about, the latest first.
const MAX_INCIDENTS: usize = 200;
/// How often the alerts before one incident are read again.
const REFRESH: Duration = Duration::from_secs(300);

/// The question about an incident; `None` if no monitored service belongs to it.
fn question(view: &IncidentView) -> Option<OnsetQuery> {
    Some(OnsetQuery::new(view.service.clone()?, &view.incident))
}

/// The sources that have the signals of a service.
fn sources<'a>(shared: &'a Shared, service: &str) -> impl Iterator<Item = &'a SourceId> {
    let known = shared.world.service(service).map_or(&[][..], |service| &service.chart_sources);
    shared.answering(AskKind::Onsets).map(|source| &source.id).filter(|source| known.contains(source))
}

/// One question to each source, about all these incidents whose service it has.
pub fn wants<'a>(shared: &Shared, incidents: impl IntoIterator<Item = &'a IncidentView>) -> Vec<Want> {
    let mut latest: Vec<OnsetQuery> = incidents.into_iter().filter_map(question).collect();
    latest.sort_by(|a, b| (b.triggered, a).cmp(&(a.triggered, b)));
    latest.dedup();
    latest.truncate(MAX_INCIDENTS);
    let mut by_source: BTreeMap<&SourceId, Vec<OnsetQuery>> = BTreeMap::new();
    for one in latest {
        for source in sources(shared, &one.service) {
            by_source.entry(source).or_default().push(one.clone());
        }
    }
    let want = |(source, wanted): (&SourceId, Vec<OnsetQuery>)| {
        want::of(shared, source, Query::Onsets { wanted: wanted.into() })
    };
    by_source.into_iter().map(want).collect()
}

/// The questions about one incident: its signals, and which alerts fired then.
pub fn wants_of_one(shared: &Shared, view: &IncidentView) -> Vec<Want> {
    let mut wants = wants(shared, [view]);
    if let Some(wanted) = question(view).filter(|_| !wants.is_empty()) {
        let firings = want::firings(shared, wanted.until, age(wanted.since(), wanted.until));
        wants.extend(firings.into_iter().map(|want| Want { interval: REFRESH, ..want }));
    }
    wants
}

/// The detection of one incident, from the answers to [`wants_of_one`].
///
/// # Errors
/// Why it is not measured.
pub fn of_one(shared: &Shared, view: &IncidentView) -> Result<Detected, Undetected> {
    let fired = question(view).map(|wanted| {
        firing_history::between(&shared.world, &shared.sources, wanted.since(), wanted.until).fired
    });
    of(shared, view, &fired.unwrap_or_default())
}

/// The incidents created in a period.
pub fn within(world: &World, period: TimeRange) -> impl Iterator<Item = &IncidentView> {
    let is_within = move |view: &&IncidentView| {
        let at = view.incident.created_at;
        at >= period.start && at < period.end
    };
    world.incidents().iter().filter(is_within)
}

/// The best answer about an incident so far: of several sources with the service, the one that saw it become bad first.
fn onset(shared: &Shared, wanted: &OnsetQuery) -> Option<Onset> {
    let rank = |onset: &Onset| match onset {
        Onset::At(at, _) => (0, Some(*at)),
        Onset::NothingChanged => (1, None),
        Onset::Failed => (2, None),
        Onset::NotRead => (3, None),
        Onset::NoData => (4, None),
    };
    let answers = shared.world.sources().flat_map(|(_, cache)| cache.onsets().values());
    answers.filter_map(|remote| remote.value()?.onsets.get(wanted)).copied().min_by_key(rank)
}

/// Whether a source was asked about the incident and has failed.
fn has_failed(shared: &Shared, wanted: &OnsetQuery) -> bool {
    let asked = shared.world.sources().flat_map(|(_, cache)| cache.onsets());
    asked.filter(|(key, _)| key.contains(wanted)).any(|(_, remote)| remote.failure().is_some())
}

/// The detection of an incident, by the alerts of its service in this history or by the page.
///
/// # Errors
/// Why it is not measured.
pub fn of(shared: &Shared, view: &IncidentView, fired: &[FiringHistory]) -> Result<Detected, Undetected> {
    let wanted = question(view).ok_or(Undetected::NoService)?;
    let Some(onset) = onset(shared, &wanted) else {
        return Err(match sources(shared, &wanted.service).next() {
            None => Undetected::NoData,
            Some(_) if has_failed(shared, &wanted) => Undetected::Failed,
            Some(_) => Undetected::NotAnswered,
        });
    };
    let its = fired.iter().filter(|fired| fired.service == view.service);
    let firings = its.flat_map(|fired| fired.firings.iter().map(|firing| firing.from));
    let linked =
        view.alerts.iter().filter_map(|alert| shared.world.alert(*alert)).map(|alert| alert.starts_at);
    detected(onset, wanted.triggered, firings.chain(linked))
}

/// The detections of the incidents in a period.
pub fn all(shared: &Shared, period: TimeRange, fired: &[FiringHistory]) -> Detections {
    within(&shared.world, period).map(|view| (&view.incident, of(shared, view, fired))).collect()
}

/// The detection as one sentence: "2m30s after the errors began at 02:48:00", or why it is not measured.
pub fn sentence(found: &Result<Detected, Undetected>, time: impl FnOnce(Timestamp) -> String) -> String {
    match found {
        Ok(detected) => format!(
            "about {} after {} ({})",
            duration::short(detected.time()),
            detected.signal.began(),
            time(detected.onset)
        ),
        Err(Undetected::NotAnswered) => "not known yet".to_owned(),
        Err(why) => format!("not measured: {}", why.words()),
    }
}

/// Why incidents are not measured: "2 incidents: no monitored service belongs to the incident".
pub fn reasons(undetected: &BTreeMap<Undetected, usize>) -> Vec<String> {
    undetected.iter().map(|(why, count)| format!("{count}: {}", why.words())).collect()
}
