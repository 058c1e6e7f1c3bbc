//! Grafana (11 to 13; OSS, Enterprise, Cloud): its data sources, its dashboards, its own alerting with silences, and its annotations
//! as changes, with one service account token.

mod act;
mod alerts;
mod annotations;
mod catalog;
mod charts;
mod dashboard;
mod definitions;
mod ds_query;
mod explore;
mod history;
mod kind;
mod log_frames;
mod probe;
mod resolution;
mod rights;
mod rules;
mod services;
#[cfg(test)]
mod tests;
mod variables;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::alertmanager_api::alerts::SharedTexts;
use super::handlers::{Handler, kinds};
use super::kit::http::{Body, Http};
use super::kit::skew::Skew;
use super::{Clock, SourceDeps, Transport};
use crate::config::settings::{SecretText, Settings as AllSettings, SourceSettings};
use crate::model::alert::SeverityMap;
use crate::model::ask::{AskKind, Weight};
use crate::model::labels::Interner;
use crate::model::query_language::QueryLanguage;
use crate::model::source::{SourceError, SourceId};
use crate::model::source_info::SourceInfo;
pub(super) use kind::SPEC;
use kind::Settings;
use resolution::KnownDataSources;
use services::ServiceQueries;

/// The header that selects another organisation than the token's own.
const ORGANISATION: &str = "X-Grafana-Org-Id";

/// One organisation of one Grafana, restricted to what its token may read.
pub(super) struct Grafana {
    info: SourceInfo,
    http: Http,
    /// The id of the organisation, if it is not the token's own.
    organisation: Option<u32>,
    clock: Clock,
    skew: Skew,
    /// The time-out of a request; also limits how long further pages of a list are requested.
    list_timeout: Duration,
    severities: Arc<SeverityMap>,
    /// The labels that name the service of a change.
    service_labels: Vec<String>,
    texts: Arc<Mutex<SharedTexts>>,
    interner: Mutex<Interner>,
    polls: tokio::sync::Mutex<rules::RulePolls>,
    definitions: tokio::sync::Mutex<definitions::DefinitionCache>,
    /// For the sources behind its proxy.
    source: SourceSettings,
    settings: AllSettings,
    transport: Transport,
    known_data_sources: KnownDataSources,
    service_queries: Vec<ServiceQueries>,
}

/// The kinds of questions that every Grafana answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Grafana>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Services(|source, put| Box::pin(source.services(put.at.past()))),
    Handler::Evaluation(|source, put, key, window| Box::pin(source.evaluation(key, *window, put.at.past()))),
    Handler::Alerts(|source, put| Box::pin(source.alerts(put.known))),
    Handler::Rules(|source, put| Box::pin(source.rules(put.known))),
    Handler::Silences(|source, put| Box::pin(source.silences(put.known))),
    Handler::Series(|source, _, series, time_range| Box::pin(source.series(series, time_range))),
    Handler::Firings(|source, _, _, labels, from, until| Box::pin(source.firings(labels, *from, *until))),
    Handler::Changes(|source, _, since| Box::pin(source.changes(*since))),
    Handler::DataSources(|source, _| Box::pin(source.data_sources())),
    Handler::Dashboards(|source, _| Box::pin(source.dashboards())),
    Handler::Dashboard(|source, _, uid| Box::pin(source.dashboard(uid))),
    Handler::PanelData(|source, put, wanted, window| Box::pin(source.panel(wanted, *window, put.at.past()))),
    Handler::VariableValues(|source, put, wanted, window| {
        Box::pin(source.variable_values(wanted, *window, put.at.past()))
    }),
];

impl Grafana {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let settings: Settings = super::own(id, source)?;
        let mut source = source.clone();
        if let Some(organisation) = settings.organisation {
            let number = SecretText::Plain(organisation.to_string());
            source.headers.insert(ORGANISATION.to_owned(), number);
        }
        let http = Http::new(id, &source, deps)?;
        let mut answers = ANSWERS.to_vec();
        answers.retain(|kind| *kind != AskKind::Services || !settings.services.is_empty());
        Ok(Self {
            info: SourceInfo {
                language: QueryLanguage::Json,
                answers,
                ..super::info(id, &source, http.address())
            },
            http,
            organisation: settings.organisation,
            clock: deps.clock,
            skew: Skew::default(),
            list_timeout: deps.settings.limits.timeout.0,
            severities: Arc::new(deps.settings.severity_map()),
            service_labels: deps.settings.services.labels.clone(),
            texts: Arc::default(),
            interner: Mutex::default(),
            polls: tokio::sync::Mutex::default(),
            definitions: tokio::sync::Mutex::default(),
            source,
            settings: deps.settings.clone(),
            transport: deps.transport.clone(),
            known_data_sources: KnownDataSources::default(),
            service_queries: settings.services,
        })
    }

    /// Sends GET below the address, and records the clock offset.
    async fn get(&self, weight: Weight, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        let body = self.http.get_as(weight, path, query).await?;
        self.skew.follow(body.date, self.clock.now());
        Ok(body)
    }

    fn interner(&self) -> MutexGuard<'_, Interner> {
        // a panic cannot leave the set of texts in an invalid state
        self.interner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
