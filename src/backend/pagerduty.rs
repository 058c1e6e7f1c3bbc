//! PagerDuty (REST API v2): incidents with their timeline and the actions on them, and who is on call.

mod act;
mod detail;
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

use jiff::{SignedDuration, Timestamp};

use super::handlers::{Handler, kinds};
use super::kit::http::Http;
use super::{Clock, SourceDeps};
use crate::config::settings::SourceSettings;
use crate::model::ask::AskKind;
use crate::model::incident::Person;
use crate::model::labels::Interner;
use crate::model::source::{SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use incidents::{History, PriorityCache};
pub(super) use kind::SPEC;
use kind::Settings;

/// The `Accept` header for API version 2; without it, the server may answer with an older version.
const API_VERSION_2: &str = "application/vnd.pagerduty+json;version=2";

/// What comes with an incident only if it is asked for.
const INCLUDED: [(&str, &str); 2] =
    [("include[]", "conference_bridge"), ("include[]", "first_trigger_log_entries")];

/// One account, restricted to the data that its API key can read.
pub(super) struct PagerDuty {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    /// The time-out of a request; also limits how long further pages of a list are requested.
    list_timeout: Duration,
    settings: Settings,
    kept: Mutex<AccountCache>,
}

/// Data that is kept between answers.
#[derive(Default)]
struct AccountCache {
    /// The owner of the API key, and when that was read.
    interner: Interner,
    key: Aged<who::KeyOwner>,
    me: Aged<Person>,
    ranks: Aged<PriorityCache>,
    history: History,
}

/// A rarely changing value with the time when it was read.
type Aged<T> = Option<(Timestamp, T)>;

/// The value, unless it is older than `lasts`.
fn fresh<T: Clone>(aged: Option<&(Timestamp, T)>, now: Timestamp, lasts: SignedDuration) -> Option<T> {
    aged.filter(|(since, _)| now.duration_since(*since) < lasts).map(|(_, value)| value.clone())
}

/// The kinds of questions that every PagerDuty account answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<PagerDuty>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Incidents(|source, put| Box::pin(source.incidents(put.known))),
    Handler::Incident(|source, put, id| Box::pin(source.incident(id, put.known))),
    Handler::Steps(|source, _, since| Box::pin(source.steps(*since))),
    Handler::OnCall(|source, put| Box::pin(source.on_call(put.known))),
];

impl PagerDuty {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let http = Http::new(id, source, deps)?.accepting(API_VERSION_2);
        Ok(Self {
            info: super::info(id, source, http.address()),
            http,
            clock: deps.clock,
            list_timeout: deps.settings.limits.timeout.0,
            settings: super::own(id, source)?,
            kept: Mutex::default(),
        })
    }

    fn kept(&self) -> MutexGuard<'_, AccountCache> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Maps an answer with a reader that shares the interned texts.
    fn read<T>(&self, work: impl FnOnce(&mut map::TextReader<'_>) -> T) -> T {
        work(&mut map::TextReader { interner: &mut self.kept().interner, source: &self.info.id })
    }

    /// The query parameters that select the configured teams.
    fn of_teams<'a>(&'a self, query: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let teams = self.settings.teams.iter().map(|team| ("team_ids[]", team.as_str()));
        query.iter().copied().chain(teams).collect()
    }

    /// The same for incidents: also selects the configured services, and includes the details that screens show.
    fn of_incidents<'a>(&'a self, query: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let services = self.settings.services.iter().map(|service| ("service_ids[]", service.as_str()));
        self.of_teams(&[query, &INCLUDED].concat()).into_iter().chain(services).collect()
    }
}

#[cfg(test)]
mod tests;
