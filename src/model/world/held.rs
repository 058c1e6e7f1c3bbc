//! What one source last said: one place for each answer, which takes what comes back for the question.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::AlertBoard;
use crate::model::ask::{Answer, Ask, AskKind, Question};
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::FiringBoard;
use crate::model::incident::{IncidentBoard, IncidentDetail, StepBoard};
use crate::model::labels::Text;
use crate::model::oncall::OnCallBoard;
use crate::model::remote::{AnswerState, Remote};
use crate::model::rule::RuleBoard;
use crate::model::runbook::{Search, Wanted};
use crate::model::series::Matrix;
use crate::model::service::{Detail, ServiceBoard, Trends};
use crate::model::silence::Silence;
use crate::model::slo::SloBoard;
use crate::model::source::{Offer, SourceError, Trouble};
use crate::model::warning::Warning;

use super::lost::Lost;

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
    /// Firings by alert; those of all alerts by how long is looked back.
    pub firings: BTreeMap<Fingerprint, Remote<FiringBoard>>,
    /// Runbooks by what was wanted.
    pub runbooks: BTreeMap<Arc<Wanted>, Remote<Search>>,
    /// Which of its services came and went lately.
    pub(super) lost: Lost,
    /// Whether the services that it told last are those of now.
    is_live: bool,
}

/// What becomes of the place of an answer, whatever is kept there.
pub(super) trait Place {
    /// The question went out.
    fn asked(&mut self);
    /// What was said beside the answer.
    fn warned(&mut self, warnings: Vec<Warning>);
    /// What it holds is still so.
    fn confirmed(&mut self, now: Timestamp);
    /// No answer came that could be read.
    fn failed(&mut self, error: SourceError);
}

impl<T> Place for Remote<T> {
    fn asked(&mut self) {
        self.asked();
    }

    fn warned(&mut self, warnings: Vec<Warning>) {
        self.warned(warnings);
    }

    fn confirmed(&mut self, now: Timestamp) {
        self.confirmed(now);
    }

    fn failed(&mut self, error: SourceError) {
        self.failed(error);
    }
}

impl Held {
    /// How every answer stands, also those about one thing, each with its kind. What is added to this struct and forgotten here
    /// does not compile.
    pub fn answers(&self) -> impl Iterator<Item = (AskKind, AnswerState<'_>)> {
        let Self {
            probe,
            services,
            trends,
            alerts,
            rules,
            silences,
            slos,
            incidents,
            steps,
            on_call,
            incident_details,
            details,
            series,
            firings,
            runbooks,
            lost: _,
            is_live: _,
        } = self;
        let boards = [
            (AskKind::Probe, probe.state()),
            (AskKind::Services, services.state()),
            (AskKind::Trends, trends.state()),
            (AskKind::Alerts, alerts.state()),
            (AskKind::Rules, rules.state()),
            (AskKind::Silences, silences.state()),
            (AskKind::Slos, slos.state()),
            (AskKind::Incidents, incidents.state()),
            (AskKind::Steps, steps.state()),
            (AskKind::OnCall, on_call.state()),
        ];
        boards
            .into_iter()
            .chain(each(AskKind::Incident, incident_details))
            .chain(each(AskKind::Detail, details))
            .chain(each(AskKind::Series, series))
            .chain(each(AskKind::Firings, firings))
            .chain(each(AskKind::Runbook, runbooks))
    }

    /// How the answer to a kind of question of which there is one for each source stands; `None` for the other kinds.
    pub fn board(&self, kind: AskKind) -> Option<AnswerState<'_>> {
        if kind.is_about_one() {
            return None;
        }
        self.answers().find(|(other, _)| *other == kind).map(|(_, state)| state)
    }

    /// How the answer to a question stands; `None` if it was never asked.
    pub fn answer_to(&self, ask: &Ask) -> Option<AnswerState<'_>> {
        match ask {
            Ask::Probe => Some(self.probe.state()),
            Ask::Services { .. } => Some(self.services.state()),
            Ask::Trends(_) => Some(self.trends.state()),
            Ask::Alerts => Some(self.alerts.state()),
            Ask::Rules => Some(self.rules.state()),
            Ask::Silences => Some(self.silences.state()),
            Ask::Slos { .. } => Some(self.slos.state()),
            Ask::Incidents => Some(self.incidents.state()),
            Ask::Steps { .. } => Some(self.steps.state()),
            Ask::OnCall => Some(self.on_call.state()),
            Ask::Incident { id } => self.incident_details.get(id).map(Remote::state),
            Ask::Detail { service, .. } => self.details.get(service).map(Remote::state),
            Ask::Series { query, .. } => self.series.get(query).map(Remote::state),
            Ask::Firings { fingerprint, .. } => self.firings.get(fingerprint).map(Remote::state),
            Ask::Runbook(wanted) => self.runbooks.get(wanted).map(Remote::state),
        }
    }

    /// What was said beside the answers of these kinds, each once.
    pub fn warnings(&self, kinds: &[AskKind]) -> Vec<&Warning> {
        let mut all: Vec<&Warning> = Vec::new();
        let asked = self.answers().filter(|(kind, _)| kinds.contains(kind));
        for warning in asked.flat_map(|(_, state)| state.warnings) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }

    /// Where the answer to a question goes.
    pub(super) fn place(&mut self, ask: &Ask) -> &mut dyn Place {
        match ask {
            Ask::Probe => &mut self.probe,
            Ask::Services { .. } => &mut self.services,
            Ask::Trends(_) => &mut self.trends,
            Ask::Alerts => &mut self.alerts,
            Ask::Rules => &mut self.rules,
            Ask::Silences => &mut self.silences,
            Ask::Slos { .. } => &mut self.slos,
            Ask::Incidents => &mut self.incidents,
            Ask::Steps { .. } => &mut self.steps,
            Ask::OnCall => &mut self.on_call,
            Ask::Incident { id } => kept(&mut self.incident_details, id),
            Ask::Detail { service, .. } => kept(&mut self.details, service),
            Ask::Series { query, .. } => kept(&mut self.series, query),
            Ask::Firings { fingerprint, .. } => kept(&mut self.firings, fingerprint),
            Ask::Runbook(wanted) => kept(&mut self.runbooks, wanted),
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
            (Ask::Services { at }, Ok(Answer::Services(board))) => {
                let is_live = at.is_none();
                if is_live {
                    let before = self.services.value().filter(|_| self.is_live);
                    self.lost.follow(before.map(|board| board.readings.as_slice()), &board.readings, now);
                }
                self.is_live = is_live;
                self.services.arrived(board, digest, now);
            }
            (Ask::Alerts, Ok(Answer::Alerts(board))) => self.alerts.arrived(board, digest, now),
            (Ask::Rules, Ok(Answer::Rules(board))) => self.rules.arrived(board, digest, now),
            (Ask::Silences, Ok(Answer::Silences(list))) => self.silences.arrived(list, digest, now),
            (Ask::Slos { .. }, Ok(Answer::Slos(board))) => self.slos.arrived(board, digest, now),
            (Ask::Incidents, Ok(Answer::Incidents(board))) => self.incidents.arrived(board, digest, now),
            (Ask::OnCall, Ok(Answer::OnCall(board))) => self.on_call.arrived(board, digest, now),
            (Ask::Incident { id }, Ok(Answer::Incident(detail))) => {
                kept(&mut self.incident_details, id).arrived(detail, digest, now);
            }
            (Ask::Trends(stretch), Ok(Answer::Trends(tail))) => {
                lengthen(&mut self.trends, tail, now, |trends, tail| trends.extend(tail, stretch.window));
            }
            (Ask::Detail { service, stretch }, Ok(Answer::Detail(tail))) => {
                let remote = kept(&mut self.details, service);
                lengthen(remote, tail, now, |detail, tail| detail.extend(tail, stretch.window));
            }
            (Ask::Series { query, stretch }, Ok(Answer::Series(tail))) => {
                let remote = kept(&mut self.series, query);
                lengthen(remote, tail, now, |matrix, tail| matrix.extend(tail, stretch.window));
            }
            (Ask::Steps { .. }, Ok(Answer::Steps(board))) => {
                lengthen(&mut self.steps, board, now, StepBoard::extend);
            }
            (Ask::Firings { fingerprint, .. }, Ok(Answer::Firings(board))) => {
                kept(&mut self.firings, fingerprint).arrived(board, None, now);
            }
            (Ask::Runbook(wanted), Ok(Answer::Runbook(search))) => {
                kept(&mut self.runbooks, wanted).arrived(search, digest, now);
            }
            (ask, Ok(Answer::Unchanged)) => self.place(ask).confirmed(now),
            (ask, Ok(_)) => {
                let reason = format!("another answer than to {}", ask.kind().word());
                let error = SourceError::new(question.source.clone(), Trouble::Garbled { reason });
                self.place(ask).failed(error);
            }
            (ask, Err(error)) => self.place(ask).failed(error),
        }
    }
}

fn each<K, T>(
    kind: AskKind,
    map: &BTreeMap<K, Remote<T>>,
) -> impl Iterator<Item = (AskKind, AnswerState<'_>)> {
    map.values().map(move |remote| (kind, remote.state()))
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

/// Puts a tail to what is known already; without that it is all there is.
fn lengthen<T>(remote: &mut Remote<T>, tail: T, now: Timestamp, extend: impl FnOnce(&mut T, T)) {
    match remote.value_mut() {
        Some(known) => {
            extend(known, tail);
            remote.confirmed(now);
        }
        None => remote.arrived(tail, None, now),
    }
}
