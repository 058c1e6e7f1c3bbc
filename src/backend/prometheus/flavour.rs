//! The flavour of the server: Prometheus, or a compatible system, recognised by its answers.

use std::sync::atomic::Ordering;

use super::call::QuestionRequests;
use super::external_labels::ExternalLabels;
use super::rules;
use crate::backend::kit::lenient::{LenientString, LenientText, wire};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::words::words;

words! {
    /// A system with the Prometheus API, and its name for display.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Flavour: name {
        Prometheus = "Prometheus",
        Thanos = "Thanos",
        Mimir = "Mimir",
        VictoriaMetrics = "VictoriaMetrics",
        /// Cortex, vmalert or a proxy: the system cannot be recognised.
        Unknown = "Prometheus API",
    }
}

#[derive(Debug, Clone)]
pub(super) struct ServerIdentity {
    pub(super) flavour: Flavour,
    pub(super) version: Text,
    /// The number of alerting rules, or the reason why it is not known.
    pub(super) rules: Result<usize, ErrorKind>,
}

wire! {
    #[serde(rename_all = "camelCase")]
    struct BuildInfo {
        application: LenientString,
        version: LenientString,
        revision: LenientString,
        go_version: LenientString,
    }

    struct Configuration<'a> {
        yaml: LenientText<'a>,
    }
}

impl ServerIdentity {
    /// Finds out the flavour, version and rules, and sets the quirks of the server that follow from them.
    ///
    /// # Errors
    /// Only errors of the whole source; an endpoint that the server does not have is not an error.
    pub(super) async fn ask(call: &QuestionRequests<'_>) -> Result<Self, SourceError> {
        let (info, rules) = tokio::join!(build_info(call), rules::snapshot(call));
        let info = info?;
        let (mut flavour, version) = flavour_of(info.as_ref());
        // Thanos has the same build info as Prometheus, but only Thanos has this endpoint
        if flavour == Flavour::Prometheus && call.get("api/v1/stores", &[]).await.is_ok() {
            flavour = Flavour::Thanos;
        }
        let external_labels = if flavour == Flavour::Prometheus {
            external_labels(call).await
        } else {
            ExternalLabels::default()
        };
        let rules = match rules {
            Ok(snapshot) => Ok(snapshot.rules.len()),
            Err(error) if error.kind.is_source_wide() => return Err(error),
            Err(error) => Err(error.kind),
        };
        let quirks = &call.server.quirks;
        quirks.set_external_labels(external_labels);
        quirks.is_victoria.store(flavour == Flavour::VictoriaMetrics, Ordering::Relaxed);
        Ok(Self { flavour, version: call.server.reader.text(version), rules })
    }
}

/// The changes to the labels of alerts in the configuration; none if the server does not return it.
async fn external_labels(call: &QuestionRequests<'_>) -> ExternalLabels {
    let Ok(body) = call.get("api/v1/status/config", &[]).await else { return ExternalLabels::default() };
    let Ok(config) = call.open::<Configuration<'_>>(&body) else { return ExternalLabels::default() };
    ExternalLabels::read(&config.yaml.0, &call.server.reader)
}

/// The build information; `None` if the server does not offer it.
async fn build_info(call: &QuestionRequests<'_>) -> Result<Option<BuildInfo>, SourceError> {
    let body = match call.get("api/v1/status/buildinfo", &[]).await {
        Ok(body) => body,
        // 400 or 404: vmalert, Cortex or a proxy; 403: the credentials only allow queries
        Err(SourceError {
            kind:
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
    // VictoriaMetrics sends no build details, or a constant made for Grafana
    if info.revision.0.is_empty() && info.go_version.0.is_empty() {
        return (Flavour::VictoriaMetrics, "");
    }
    (Flavour::Prometheus, &info.version.0)
}
