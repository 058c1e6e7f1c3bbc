//! One server that stores log lines, as sources reach it.

use jiff::Timestamp;
use reqwest::header::HeaderValue;
use serde_json::Value;

use super::LogStoreState;
use crate::backend::SourceDeps;
use crate::backend::kit::http::{Body, Http};
use crate::config::settings::SourceSettings;
use crate::model::ask::Weight;
use crate::model::query_language::QueryLanguage;
use crate::model::source::{ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;

/// The address of a server, the HTTP client, and what is kept between answers.
pub(crate) struct LogServer {
    pub(crate) info: SourceInfo,
    pub(crate) http: Http,
    pub(crate) state: LogStoreState,
}

impl LogServer {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`crate::model::source::ErrorKind::Unreachable`] if the address is invalid.
    pub(crate) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let http = Http::new(id, source, deps)?;
        let info = crate::backend::info(id, source, http.address());
        Ok(Self { info, http, state: LogStoreState::new(deps.clock) })
    }

    /// The server with the language of the queries that users write for it.
    pub(crate) fn speaking(mut self, language: QueryLanguage) -> Self {
        self.info.language = language;
        self
    }

    /// Sends GET with additional headers, and compares the clocks.
    pub(crate) async fn get(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Body, SourceError> {
        Ok(self.followed(self.http.get_with(weight, path, query, headers).await?))
    }

    /// Sends a question as a JSON body, and compares the clocks.
    pub(crate) async fn post(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Body, SourceError> {
        Ok(self.followed(self.http.post_question(weight, path, query, body).await?))
    }

    fn followed(&self, body: Body) -> Body {
        self.state.skew.follow(body.date, self.state.clock.now());
        body
    }

    /// Adds the offset of the server's clock to a report.
    pub(crate) fn report_clock(&self, report: &mut ProbeReport, date: Option<Timestamp>) {
        report.clock(date, self.state.clock.now(), "times of log lines differ from those of other sources");
    }
}
