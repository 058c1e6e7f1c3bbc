//! Who answers: Prometheus itself or one of its kin, told apart by what they say of themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::call::Call;
use super::rules;
use super::sent::Sent;
use crate::backend::kit::lenient::{OwnedWord, wire};
use crate::model::labels::Text;
use crate::model::source::{SourceError, Trouble};

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
pub(super) struct Identity {
    pub(super) flavour: Flavour,
    pub(super) version: Text,
    /// How many alerting rules it runs, or why it does not tell.
    pub(super) rules: Result<usize, Trouble>,
    /// What happens to its alerts on their way to an Alertmanager.
    pub(super) sent: Arc<Sent>,
}

wire! {
    #[serde(rename_all = "camelCase")]
    struct BuildInfo {
        application: OwnedWord,
        version: OwnedWord,
        revision: OwnedWord,
        go_version: OwnedWord,
        #[serde(flatten)]
        _rest: BTreeMap<String, Value>,
    }
}

impl Identity {
    /// Asks who it is.
    ///
    /// # Errors
    /// Only trouble of the whole source: what a server does not know is not held against it.
    pub(super) async fn ask(call: &Call<'_>, reading: &rules::Reading<'_>) -> Result<Self, SourceError> {
        let (info, rules) = tokio::join!(build_info(call), rules::board(call, reading));
        let info = info?;
        let (mut flavour, version) = told(info.as_ref());
        // Thanos answers as Prometheus does, but alone has stores
        if flavour == Flavour::Prometheus && call.get("api/v1/stores", &[]).await.is_ok() {
            flavour = Flavour::Thanos;
        }
        let sent = if flavour == Flavour::Prometheus { Sent::ask(call).await } else { Sent::default() };
        let rules = match rules {
            Ok(board) => Ok(board.rules.len()),
            Err(error) if error.trouble.is_source_wide() => return Err(error),
            Err(error) => Err(error.trouble),
        };
        Ok(Self { flavour, version: call.server.reader.text(version), rules, sent: Arc::new(sent) })
    }
}

async fn build_info(call: &Call<'_>) -> Result<Option<BuildInfo>, SourceError> {
    let body = match call.get("api/v1/status/buildinfo", &[]).await {
        Ok(body) => body,
        // 400 or 404: vmalert, Cortex, a proxy; 403: only queries are let through
        Err(SourceError {
            trouble:
                Trouble::Refused { status: 404 | 405 | 501, .. }
                | Trouble::BadQuery { .. }
                | Trouble::Forbidden { .. },
            ..
        }) => return Ok(None),
        Err(error) => return Err(error),
    };
    call.open(&body).map(Some)
}

fn told(info: Option<&BuildInfo>) -> (Flavour, &str) {
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
