//! What one source last said: one place for each answer, which takes what comes back for the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{AlertBoard, Firing};
use crate::model::ask::{Answer, Ask, Question};
use crate::model::fingerprint::Fingerprint;
use crate::model::incident::{IncidentBoard, IncidentDetail, StepBoard};
use crate::model::labels::Text;
use crate::model::oncall::OnCallBoard;
use crate::model::remote::Remote;
use crate::model::rule::RuleBoard;
use crate::model::runbook::{Search, Wanted};
use crate::model::series::Matrix;
use crate::model::service::{Detail, ServiceBoard, Trends};
use crate::model::silence::Silence;
use crate::model::slo::SloBoard;
use crate::model::source::{Offer, SourceError, Trouble};

/// How many charts, details and firings are kept for each source.
pub(super) const DETAILS_KEPT: usize = 12;

/// Everything that one source last said.
#[derive(Debug, Default)]
pub struct Held {
    /// Who it is.
    pub probe: Remote<Offer>,
    /// Its services.
    pub services: Remote<ServiceBoard>,
    /// Their short histories.
    pub trends: Remote<Trends>,
    /// Its alerts.
    pub alerts: Remote<AlertBoard>,
    /// Its rules.
    pub rules: Remote<RuleBoard>,
    /// Its silences.
    pub silences: Remote<Vec<Arc<Silence>>>,
    /// Its SLOs.
    pub slos: Remote<SloBoard>,
    /// Its incidents.
    pub incidents: Remote<IncidentBoard>,
    /// What happened to all of them, as far as it was asked for.
    pub steps: Remote<StepBoard>,
    /// Who is on call.
    pub on_call: Remote<OnCallBoard>,
    /// What is known of an incident beyond the list, by its id.
    pub incident_details: BTreeMap<Text, Remote<IncidentDetail>>,
    /// Golden signals by service.
    pub details: BTreeMap<Text, Remote<Detail>>,
    /// Charts by expression.
    pub series: BTreeMap<Text, Remote<Matrix>>,
    /// Earlier firings by alert.
    pub firings: BTreeMap<Fingerprint, Remote<Vec<Firing>>>,
    /// Runbooks by what was wanted.
    pub runbooks: BTreeMap<Arc<Wanted>, Remote<Search>>,
}

impl Held {
    /// Notes that a question went out.
    pub(super) fn asked(&mut self, ask: &Ask) {
        match ask {
            Ask::Probe => self.probe.asked(),
            Ask::Services { .. } => self.services.asked(),
            Ask::Trends(_) => self.trends.asked(),
            Ask::Alerts => self.alerts.asked(),
            Ask::Rules => self.rules.asked(),
            Ask::Silences => self.silences.asked(),
            Ask::Slos { .. } => self.slos.asked(),
            Ask::Incidents => self.incidents.asked(),
            Ask::Steps { .. } => self.steps.asked(),
            Ask::OnCall => self.on_call.asked(),
            Ask::Incident { id } => kept(&mut self.incident_details, id).asked(),
            Ask::Detail { service, .. } => kept(&mut self.details, service).asked(),
            Ask::Series { query, .. } => kept(&mut self.series, query).asked(),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint).asked(),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted).asked(),
        }
    }

    /// Takes what came back for a question; a failure leaves the last good value where it is.
    pub(super) fn take(
        &mut self,
        question: &Question,
        answer: Result<Answer, SourceError>,
        digest: Option<u64>,
        now: Timestamp,
    ) {
        match (&question.ask, answer) {
            (Ask::Probe, Ok(Answer::Probe(offer))) => self.probe.arrived(offer, digest, now),
            (Ask::Services { .. }, Ok(Answer::Services(board))) => self.services.arrived(board, digest, now),
            (Ask::Alerts, Ok(Answer::Alerts(board))) => self.alerts.arrived(board, digest, now),
            (Ask::Rules, Ok(Answer::Rules(board))) => self.rules.arrived(board, digest, now),
            (Ask::Silences, Ok(Answer::Silences(list))) => self.silences.arrived(list, digest, now),
            (Ask::Slos { .. }, Ok(Answer::Slos(board))) => self.slos.arrived(board, digest, now),
            (Ask::Incidents, Ok(Answer::Incidents(board))) => self.incidents.arrived(board, digest, now),
            (Ask::OnCall, Ok(Answer::OnCall(board))) => self.on_call.arrived(board, digest, now),
            (Ask::Incident { id }, Ok(Answer::Incident(detail))) => {
                kept(&mut self.incident_details, id).arrived(detail, digest, now);
            }
            (Ask::Trends(stretch), Ok(Answer::Trends(tail))) => match self.trends.value_mut() {
                Some(trends) => {
                    trends.extend(tail, stretch.window);
                    self.trends.confirmed(now);
                }
                None => self.trends.arrived(tail, None, now),
            },
            (Ask::Detail { service, stretch }, Ok(Answer::Detail(tail))) => {
                let remote = kept(&mut self.details, service);
                match remote.value_mut() {
                    Some(detail) => {
                        detail.extend(tail, stretch.window);
                        remote.confirmed(now);
                    }
                    None => remote.arrived(tail, None, now),
                }
            }
            (Ask::Series { query, stretch }, Ok(Answer::Series(tail))) => {
                let remote = kept(&mut self.series, query);
                match remote.value_mut() {
                    Some(matrix) => {
                        matrix.extend(tail, stretch.window);
                        remote.confirmed(now);
                    }
                    None => remote.arrived(tail, None, now),
                }
            }
            (Ask::Steps { .. }, Ok(Answer::Steps(board))) => match self.steps.value_mut() {
                Some(known) => {
                    known.extend(board);
                    self.steps.confirmed(now);
                }
                None => self.steps.arrived(board, None, now),
            },
            (Ask::Firings { fingerprint, .. }, Ok(Answer::Firings(list))) => {
                kept(&mut self.firings, fingerprint).arrived(list, None, now);
            }
            (Ask::Runbook(wanted), Ok(Answer::Runbook(search))) => {
                kept(&mut self.runbooks, wanted).arrived(search, digest, now);
            }
            (ask, Ok(Answer::Unchanged)) => self.confirmed(ask, now),
            (ask, Ok(_)) => {
                let reason = format!("another answer than to {}", ask.kind().word());
                let error = SourceError::new(question.source.clone(), Trouble::Garbled { reason });
                self.failed(ask, error);
            }
            (ask, Err(error)) => self.failed(ask, error),
        }
    }

    /// What it said before still holds.
    fn confirmed(&mut self, ask: &Ask, now: Timestamp) {
        match ask {
            Ask::Probe => self.probe.confirmed(now),
            Ask::Services { .. } => self.services.confirmed(now),
            Ask::Trends(_) => self.trends.confirmed(now),
            Ask::Alerts => self.alerts.confirmed(now),
            Ask::Rules => self.rules.confirmed(now),
            Ask::Silences => self.silences.confirmed(now),
            Ask::Slos { .. } => self.slos.confirmed(now),
            Ask::Incidents => self.incidents.confirmed(now),
            Ask::Steps { .. } => self.steps.confirmed(now),
            Ask::OnCall => self.on_call.confirmed(now),
            Ask::Incident { id } => kept(&mut self.incident_details, id).confirmed(now),
            Ask::Detail { service, .. } => kept(&mut self.details, service).confirmed(now),
            Ask::Series { query, .. } => kept(&mut self.series, query).confirmed(now),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint).confirmed(now),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted).confirmed(now),
        }
    }

    /// It could not be asked, or did not answer.
    fn failed(&mut self, ask: &Ask, error: SourceError) {
        match ask {
            Ask::Probe => self.probe.failed(error),
            Ask::Services { .. } => self.services.failed(error),
            Ask::Trends(_) => self.trends.failed(error),
            Ask::Alerts => self.alerts.failed(error),
            Ask::Rules => self.rules.failed(error),
            Ask::Silences => self.silences.failed(error),
            Ask::Slos { .. } => self.slos.failed(error),
            Ask::Incidents => self.incidents.failed(error),
            Ask::Steps { .. } => self.steps.failed(error),
            Ask::OnCall => self.on_call.failed(error),
            Ask::Incident { id } => kept(&mut self.incident_details, id).failed(error),
            Ask::Detail { service, .. } => kept(&mut self.details, service).failed(error),
            Ask::Series { query, .. } => kept(&mut self.series, query).failed(error),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint).failed(error),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted).failed(error),
        }
    }
}

/// The entry of `key`, made if need be; the one that was answered longest ago gives way.
fn kept<'a, K: Ord + Clone, T>(map: &'a mut BTreeMap<K, Remote<T>>, key: &K) -> &'a mut Remote<T> {
    if !map.contains_key(key) && map.len() >= DETAILS_KEPT {
        let oldest = map.iter().min_by_key(|(_, remote)| remote.at()).map(|(key, _)| key.clone());
        if let Some(oldest) = oldest {
            map.remove(&oldest);
        }
    }
    map.entry(key.clone()).or_default()
}
