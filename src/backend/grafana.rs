//! Grafana (11 to 13; OSS, Enterprise, Cloud): its data sources, its dashboards, its own alerting with silences, and its annotations
//! as changes, with one service account token.

mod catalog;
mod ds_query;
mod frame_wire;
mod kind;
mod log_frames;
mod probe;
mod resolution;
mod variables;
mod wire;

use std::time::Duration;

use super::handlers::{Handler, kinds, reads};
use super::kit::http::{Body, Http};
use super::kit::skew::Skew;
use super::{Clock, SourceDeps};
use crate::config::settings::{SecretText, SourceSettings};
use crate::model::ask::{AskKind, Weight};
use crate::model::source::{SourceError, SourceId};
use crate::model::source_info::SourceInfo;
pub(super) use kind::SPEC;
use kind::Settings;
use resolution::KnownDataSources;

/// The header that selects another organisation than the token's own.
const ORGANISATION: &str = "X-Grafana-Org-Id";

/// One organisation of one Grafana, restricted to what its token may read.
pub(super) struct Grafana {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    skew: Skew,
    /// The time-out of a request; also limits how long further pages of a list are requested.
    list_timeout: Duration,
    known_data_sources: KnownDataSources,
}

/// The kinds of questions that every Grafana answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Grafana>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::DataSources(|source, _| Box::pin(source.data_sources())),
    Handler::Dashboards(|source, _| Box::pin(source.dashboards())),
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
        Ok(Self {
            info: super::info(id, &source, http.address()),
            http,
            clock: deps.clock,
            skew: Skew::default(),
            list_timeout: deps.settings.limits.timeout.0,
            known_data_sources: KnownDataSources::default(),
        })
    }

    /// Sends GET below the address, and records the clock offset.
    async fn get(&self, weight: Weight, path: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        let body = self.http.get_as(weight, path, query).await?;
        self.skew.follow(body.date, self.clock.now());
        Ok(body)
    }
}

reads!(Grafana);
