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
    let incident = &view.incident;
    Some(OnsetQuery::new(view.service.clone()?, incident.created_at, incident.resolved_at))
}

/// The sources that have the signals of a service.
fn sources<'a>(shared: &'a Shared, service: &str) -> impl Iterator<Item = &'a SourceId> {
    let known = shared.world.service(service).map_or(&[][..], |service| &service.chart_sources);
    shared.answering(AskKind::Onsets).map(|source| &source.id).filter(|source| known.contains(source))
}

/// One question to each source, about all these incidents whose service it has.
pub fn wants<'a>(shared: &Shared, incidents: impl IntoIterator<Item = &'a IncidentView>) -> Vec<Want> {
    wants_about(shared, incidents.into_iter().filter_map(question).collect())
}

fn wants_about(shared: &Shared, mut latest: Vec<OnsetQuery>) -> Vec<Want> {
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
    wants_of_time(shared, question(view))
}

/// The questions about one time of trouble: the signals of the service, and which alerts fired then.
pub fn wants_of_time(shared: &Shared, wanted: Option<OnsetQuery>) -> Vec<Want> {
    let mut wants = wants_about(shared, wanted.iter().cloned().collect());
    if let Some(wanted) = wanted.filter(|_| !wants.is_empty()) {
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
    let fired = question(view).map(|wanted| fired(shared, &wanted));
    of(shared, view, &fired.unwrap_or_default())
}

/// The detection of a time of trouble without an incident, from the answers to [`wants_of_time`]: by the alerts of its service.
///
/// # Errors
/// Why it is not measured.
pub fn of_time(shared: &Shared, wanted: &OnsetQuery) -> Result<Detected, Undetected> {
    let fired = fired(shared, wanted);
    about(shared, wanted, &fired, std::iter::empty())
}

fn fired(shared: &Shared, wanted: &OnsetQuery) -> Vec<FiringHistory> {
    firing_history::between(&shared.world, &shared.sources, wanted.since(), wanted.until).fired
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
    let linked =
        view.alerts.iter().filter_map(|alert| shared.world.alert(*alert)).map(|alert| alert.starts_at);
    about(shared, &wanted, fired, linked)
}

/// The detection by the alerts of the service in this history, by other alerts that began then, or by the page.
fn about(
    shared: &Shared,
    wanted: &OnsetQuery,
    fired: &[FiringHistory],
    linked: impl Iterator<Item = Timestamp>,
) -> Result<Detected, Undetected> {
    let Some(onset) = onset(shared, wanted) else {
        return Err(match sources(shared, &wanted.service).next() {
            None => Undetected::NoData,
            Some(_) if has_failed(shared, wanted) => Undetected::Failed,
            Some(_) => Undetected::NotAnswered,
        });
    };
    let its = fired.iter().filter(|fired| fired.service.as_ref() == Some(&wanted.service));
    let firings = its.flat_map(|fired| fired.firings.iter().map(|firing| firing.from));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::display_settings::{Charset, Colours, DisplaySettings};
    use crate::model::ask::{Answer, Answered, Question, Reply};
    use crate::model::detection::OnsetSnapshot;
    use crate::model::fixtures;
    use crate::model::incident::{Incident, IncidentSnapshot};
    use crate::model::service::{ServiceReading, ServiceSnapshot};
    use crate::model::source::{ErrorKind, SourceError};
    use crate::model::why::WhySignal;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn answered(shared: &mut Shared, source: &str, query: Query, answer: Answered) {
        let question = Question { context: 0, source: SourceId::new(source), ask: query.now(), known: None };
        shared.world.asked(&question);
        shared.world.apply(&question, answer, at(60));
    }

    #[expect(clippy::unnecessary_wraps, reason = "what a source gives")]
    fn reply(answer: Answer) -> Answered {
        Ok(Reply::free(answer))
    }

    /// The service `cart` in two regions, `mail` in one of them, and these incidents by service and minute.
    fn shared(incidents: &[(&str, i64)]) -> Shared {
        let of_signals = || vec![AskKind::Services, AskKind::Onsets];
        let sources = vec![
            fixtures::source("eu", "toy", of_signals()),
            fixtures::source("us", "toy", of_signals()),
            fixtures::source("pager", "toy", vec![AskKind::Incidents]),
        ];
        let look = DisplaySettings::probe(Colours::None, Charset::Ascii);
        let mut shared = Shared::new("demo", sources, look, (120, 40));
        let reading = |name: &str, target: u64| ServiceReading {
            name: name.into(),
            scraped: vec![target].into(),
            ..ServiceReading::default()
        };
        for (source, readings) in
            [("eu", vec![reading("cart", 1), reading("mail", 2)]), ("us", vec![reading("cart", 3)])]
        {
            let snapshot = ServiceSnapshot { readings, lookback: Duration::from_secs(60) };
            answered(&mut shared, source, Query::Services, reply(Answer::Services(snapshot)));
        }
        let incident = |(number, (service, minute)): (u64, &(&str, i64))| Incident {
            firing: vec![Labels::from_iter([("alertname", "Down"), ("service", *service)])],
            ..fixtures::incident(number, "fails", at(*minute), "pager")
        };
        let incidents = (1..).zip(incidents).map(incident).collect();
        let snapshot = IncidentSnapshot { incidents, priorities: Vec::new() };
        answered(&mut shared, "pager", Query::Incidents, reply(Answer::Incidents(snapshot)));
        shared
    }

    fn asked(shared: &Shared) -> BTreeMap<String, Arc<[OnsetQuery]>> {
        let wants = wants(shared, shared.world.incidents());
        let one = |want: Want| match want.ask.query {
            Query::Onsets { wanted } => (want.source.to_string(), wanted),
            other => panic!("{other:?}"),
        };
        wants.into_iter().map(one).collect()
    }

    fn onsets(shared: &mut Shared, source: &str, onset: Onset) {
        let wanted = Arc::clone(&asked(shared)[source]);
        let onsets = wanted.iter().map(|one| (one.clone(), onset)).collect();
        let answer = reply(Answer::Onsets(OnsetSnapshot { onsets }));
        answered(shared, source, Query::Onsets { wanted }, answer);
    }

    fn found(shared: &Shared) -> Result<Detected, Undetected> {
        of(shared, &shared.world.incidents()[0], &[])
    }

    #[test]
    fn each_source_is_asked_once_about_the_incidents_of_its_services_the_latest_first() {
        let shared = shared(&[("cart", 0), ("mail", 5), ("ghost", 7), ("cart", 20)]);
        let asked = asked(&shared);
        let of = |source: &str| {
            let minute = |one: &OnsetQuery| (one.triggered.as_second() - 1_800_000_000) / 60;
            asked[source].iter().map(|one| (one.service.to_string(), minute(one))).collect::<Vec<_>>()
        };
        let named =
            |all: &[(&str, i64)]| all.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect::<Vec<_>>();
        assert_eq!(of("eu"), named(&[("cart", 20), ("mail", 5), ("cart", 0)]));
        assert_eq!(of("us"), named(&[("cart", 20), ("cart", 0)]));
        assert_eq!(asked.len(), 2);
    }

    #[test]
    fn of_two_sources_the_one_that_saw_it_first_counts_and_without_answers_the_reason_is_said() {
        let mut shared = shared(&[("cart", 0)]);
        assert_eq!(found(&shared), Err(Undetected::NotAnswered));
        onsets(&mut shared, "eu", Onset::NothingChanged);
        assert_eq!(found(&shared), Err(Undetected::NothingChanged));
        onsets(&mut shared, "us", Onset::At(at(-4), WhySignal::Errors));
        assert_eq!(found(&shared).unwrap().time(), Duration::from_secs(240));
        onsets(&mut shared, "eu", Onset::At(at(-9), WhySignal::Latency));
        let detected = found(&shared);
        let words = sentence(&detected, |at| at.strftime("%H:%M").to_string());
        assert_eq!(words, "about 9m after the requests became slow (07:51)");
    }

    #[test]
    fn a_source_that_fails_and_a_service_that_nobody_knows_are_said() {
        let mut failing = shared(&[("mail", 0)]);
        let wanted = Arc::clone(&asked(&failing)["eu"]);
        let error =
            SourceError::new(SourceId::new("eu"), ErrorKind::TimedOut { after: Duration::from_secs(1) });
        answered(&mut failing, "eu", Query::Onsets { wanted }, Err(error));
        assert_eq!(found(&failing), Err(Undetected::Failed));
        let unknown = shared(&[("ghost", 0)]);
        assert_eq!(found(&unknown), Err(Undetected::NoData));
        assert!(wants_of_one(&unknown, &unknown.world.incidents()[0]).is_empty());
        let words = sentence(&found(&unknown), |_| String::new());
        assert_eq!(words, "not measured: no requests and latencies of the service are recorded");
    }
}
