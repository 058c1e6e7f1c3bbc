//! Who answers: Prometheus itself or one of its kin, told apart by what they say of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::call::QuestionRequests;
use super::external_labels::ExternalLabels;
use super::rules;
use crate::backend::kit::lenient::{LenientString, wire};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};

/// What speaks the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Prometheus,
    Thanos,
    Mimir,
    VictoriaMetrics,
    /// Cortex, vmalert, a proxy: something that does not tell.
    Unknown,
}

impl Flavour {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Prometheus => "Prometheus",
            Self::Thanos => "Thanos",
            Self::Mimir => "Mimir",
            Self::VictoriaMetrics => "VictoriaMetrics",
            Self::Unknown => "Prometheus API",
        }
    }
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub(super) struct ServerIdentity {
    pub(super) flavour: Flavour,
    pub(super) version: Text,
    /// How many alerting rules it runs, or why it does not tell.
    pub(super) rules: Result<usize, ErrorKind>,
    /// What happens to its alerts on their way to an Alertmanager.
    pub(super) external_labels: Arc<ExternalLabels>,
}

wire! {
    #[serde(rename_all = "camelCase")]
    struct BuildInfo {
        application: LenientString,
        version: LenientString,
        revision: LenientString,
        go_version: LenientString,
        #[serde(flatten)]
        _rest: BTreeMap<String, Value>,
    }
}

impl ServerIdentity {
    /// Asks who it is.
    ///
    /// # Errors
    /// Only trouble of the whole source: what a server does not know is not held against it.
    pub(super) async fn ask(
        call: &QuestionRequests<'_>,
        reading: &rules::RuleReader<'_>,
    ) -> Result<Self, SourceError> {
        let (info, rules) = tokio::join!(build_info(call), rules::board(call, reading));
        let info = info?;
        let (mut flavour, version) = flavour_of(info.as_ref());
        // Thanos answers as Prometheus does, but alone has stores
        if flavour == Flavour::Prometheus && call.get("api/v1/stores", &[]).await.is_ok() {
            flavour = Flavour::Thanos;
        }
        let external_labels = if flavour == Flavour::Prometheus {
            ExternalLabels::ask(call).await
        } else {
            ExternalLabels::default()
        };
        let rules = match rules {
            Ok(board) => Ok(board.rules.len()),
            Err(error) if error.trouble.is_source_wide() => return Err(error),
            Err(error) => Err(error.trouble),
        };
        Ok(Self {
            flavour,
            version: call.server.reader.text(version),
            rules,
            external_labels: Arc::new(external_labels),
        })
    }
}

async fn build_info(call: &QuestionRequests<'_>) -> Result<Option<BuildInfo>, SourceError> {
    let body = match call.get("api/v1/status/buildinfo", &[]).await {
        Ok(body) => body,
        // 400 or 404: vmalert, Cortex, a proxy; 403: only queries are let through
        Err(SourceError {
            trouble:
                ErrorKind::Refused { status: 404 | 405 | 501, .. }
                | ErrorKind::BadQuery { .. }
                | ErrorKind::Forbidden { .. },
            ..
        }) => return Ok(None),
        Err(error) => return Err(error),
    };
    call.open(&body).map(Some)
}

fn flavour_of(info: Option<&BuildInfo>) -> (Flavour, &str) {
    let Some(info) = info else { return (Flavour::Unknown, "") };
    if info.application.0.contains("Mimir") {
        return (Flavour::Mimir, &info.version.0);
    }
    // VictoriaMetrics has nothing to say, or a constant made for Grafana
    if info.revision.0.is_empty() && info.go_version.0.is_empty() {
        return (Flavour::VictoriaMetrics, "");
    }
    (Flavour::Prometheus, &info.version.0)
}
