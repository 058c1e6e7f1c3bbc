//! PagerDuty (REST API v2): incidents with what happened to them and what is done about them, and who is on call.

mod act;
mod detail;
mod firing;
mod incidents;
mod kind;
mod log;
mod map;
mod oncall;
mod paging;
mod who;
mod wire;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::handlers::{Handler, answer_by, kinds};
use super::http::{Body, Http, of_absence};
use super::writes::{self, Writer};
use super::{Answering, Clock, Executing, Means, Source, Verifying};
use crate::config::settings::SourceSettings;
use crate::model::action::{Action, RequestPreview};
use crate::model::ask::{Ask, AskKind};
use crate::model::incident::Person;
use crate::model::labels::{Interner, Text};
use crate::model::source::{SourceError, SourceId, SourceInfo, Trouble};
use incidents::{History, Ranks};
pub(super) use kind::SPEC;
use kind::Settings;

/// Without this form an older version of the API would answer.
const FORM: &str = "application/vnd.pagerduty+json;version=2";

/// One account, as far as its key may look into it.
pub(super) struct PagerDuty {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    patience: Duration,
    settings: Settings,
    kept: Mutex<Kept>,
}

/// What is known from one answer to the next.
#[derive(Default)]
struct Kept {
    interner: Interner,
    key: Option<(Timestamp, who::Key)>,
    me: Option<(Timestamp, Person)>,
    ranks: Option<Ranks>,
    history: History,
}

/// What every PagerDuty account can be asked.
const ANSWERS: &[AskKind] = &kinds(&HANDLERS);

const HANDLERS: [Handler<PagerDuty>; 5] = [
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Incidents(|source, put| Box::pin(source.incidents(put.known))),
    Handler::Incident(|source, put, id| Box::pin(source.incident(id, put.known))),
    Handler::Steps(|source, _, since| Box::pin(source.steps(*since))),
    Handler::OnCall(|source, put| Box::pin(source.on_call(put.known))),
];

impl PagerDuty {
    /// Checks the address; nothing is sent.
    ///
    /// # Errors
    /// [`Trouble::Unreachable`] if the address is none.
    pub(super) fn new(id: &SourceId, source: &SourceSettings, means: Means<'_>) -> Result<Self, SourceError> {
        let http = Http::new(id, source, means)?.accepting(FORM);
        Ok(Self {
            info: super::info(id, source, http.address()),
            http,
            clock: means.clock,
            patience: means.settings.limits.timeout.0,
            settings: super::own(id, source)?,
            kept: Mutex::default(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a reader take in what came.
    fn read<T>(&self, work: impl FnOnce(&mut map::Reader<'_>) -> T) -> T {
        work(&mut map::Reader { interner: &mut self.kept().interner, source: &self.info.id })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        self.http.get(path, query).await
    }

    /// The wish to see only some teams and services.
    fn only<'a>(&'a self, query: &mut Vec<(&'a str, &'a str)>) {
        query.extend(self.settings.teams.iter().map(|team| ("team_ids[]", team.as_str())));
        query.extend(self.settings.services.iter().map(|service| ("service_ids[]", service.as_str())));
    }
}

impl Source for PagerDuty {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn load(&self) -> Option<Text> {
        self.http.load()
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        Box::pin(async move {
            answer_by(self, &HANDLERS, ask, known).await.map_err(|error| self.explained(error))
        })
    }

    fn requests(&self, action: &Action) -> Vec<RequestPreview> {
        writes::preview(self.plans(), action, self.http.address(), &self.context()).unwrap_or_default()
    }

    fn execute<'a>(&'a self, action: &'a Action) -> Executing<'a> {
        Box::pin(writes::execute(self, action))
    }

    fn verify<'a>(&'a self, action: &'a Action, sent_at: Timestamp) -> Verifying<'a> {
        Box::pin(writes::verify(self, action, sent_at))
    }
}

impl PagerDuty {
    fn explained(&self, error: SourceError) -> SourceError {
        match &error.trouble {
            // its own words are "Not Found", too
            Trouble::Refused { status: 404, message }
                if message.is_empty() || message.contains("page not found") =>
            {
                self.http.error(of_absence("PagerDuty REST API", message))
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests;
