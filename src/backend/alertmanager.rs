//! Alertmanager (API v2), also the one of Mimir or Grafana below a path prefix: alerts with their groups and receivers,
//! silences, and the status of the cluster.

mod act;
mod kind;
mod wire;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::IgnoredAny;

use super::alertmanager_api::alerts::{AlertListShape, AlertReader, SharedTexts, read_silences};
use super::alertmanager_api::derived;
pub(super) use super::alertmanager_api::silences::matcher as wire_matcher;
use super::handlers::{Handler, kinds};
use super::kit::http::{Body, Http, of_absence};
use super::kit::lenient::{LenientList, RequiredList, unreadable_warning};
use super::kit::parts::AnswerParts;
use super::kit::probe;
use super::kit::skew::Skew;
use super::{Clock, SourceDeps};
use crate::config::settings::SourceSettings;
use crate::model::alert::{AlertSnapshot, SeverityMap};
use crate::model::ask::{Answer, Answered, AskKind, Reply};
use crate::model::source::{ErrorKind, ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;
use crate::model::warning::Warning;
pub(super) use kind::SPEC;

/// A multiplier (2^64 divided by the golden ratio) that spreads the clock offset over all bits of a digest.
const CLOCK: u64 = 0x9e37_79b9_7f4a_7c15;

/// One Alertmanager; each member of a cluster is a separate source.
pub(super) struct Alertmanager {
    info: SourceInfo,
    http: Http,
    clock: Clock,
    severities: Arc<SeverityMap>,
    shared: Arc<Mutex<SharedTexts>>,
    /// The server has no `alerts/groups`; only the flat list `alerts` is requested.
    is_flat: AtomicBool,
    /// The number of silences in the last list that could not be read.
    lost_silences: AtomicUsize,
    skew: Skew,
}

/// The kinds of questions that every Alertmanager answers.
const ANSWERS: &[AskKind] = &kinds::<_, { HANDLERS.len() }>(HANDLERS);

const HANDLERS: &[Handler<Alertmanager>] = &[
    Handler::Probe(|source, _| Box::pin(source.probe())),
    Handler::Alerts(|source, put| Box::pin(source.alerts(put.known))),
    Handler::Silences(|source, put| Box::pin(source.silences(put.known))),
];

impl Alertmanager {
    /// Checks the address; sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Unreachable`] if the address is invalid.
    pub(super) fn new(
        id: &SourceId,
        source: &SourceSettings,
        deps: SourceDeps<'_>,
    ) -> Result<Self, SourceError> {
        let http = Http::new(id, source, deps)?;
        let info = super::info(id, source, http.address());
        let (severities, shared) = (Arc::new(deps.settings.severity_map()), Arc::default());
        Ok(Self {
            info,
            http,
            clock: deps.clock,
            severities,
            shared,
            is_flat: AtomicBool::new(false),
            lost_silences: AtomicUsize::new(0),
            skew: Skew::default(),
        })
    }

    /// Answers a probe: version, cluster status, receivers and clock offset.
    async fn probe(&self) -> Answered {
        // both requests at once: on a slow connection, two requests in sequence could take so long that cached data counts as
        // stale
        let (body, receivers) = tokio::join!(self.get("status", &[]), self.get("receivers", &[]));
        let body = body?;
        let about: wire::About<'_> = self.json(&body)?;
        let mut probe_report = probe::probe_report("Alertmanager", &*about.version_info.version.0);
        add_cluster_facts(&about, &mut probe_report);
        probe_report.clock(body.date, self.clock.now(), "one of the two clocks is wrong");
        match receivers.and_then(|body| self.receivers(&body)) {
            Ok(names) => probe_report.fact("receivers", names),
            Err(error) => probe_report.warn(format!("the receivers could not be read: {}", error.kind)),
        }
        Ok(Reply::free(Answer::Probe(probe_report)))
    }

    /// The names of the receivers, separated by commas.
    fn receivers(&self, body: &Body) -> Result<String, SourceError> {
        let receivers: LenientList<wire::ReceiverItem<'_>> = self.json::<RequiredList<_>>(body)?.0;
        let names: Vec<_> = receivers.all.iter().map(|receiver| &*receiver.name.0).collect();
        Ok(names.join(", "))
    }

    /// Reads the alerts, from `alerts/groups` if the server has it, else from `alerts`.
    async fn alerts(&self, known: Option<u64>) -> Answered {
        let mut parts = AnswerParts::default();
        let (body, shape) = if self.is_flat.load(Ordering::Relaxed) {
            (self.get("alerts", &[]).await?, AlertListShape::Flat)
        } else {
            match self.http.get("api/v2/alerts/groups", &[]).await {
                Err(error) if error.kind.refused(404).is_some() => {
                    let body = self.get("alerts", &[]).await?;
                    self.is_flat.store(true, Ordering::Relaxed);
                    (body, AlertListShape::Flat)
                }
                body => (body.map_err(|error| self.explain_error(error))?, AlertListShape::Groups),
            }
        };
        self.skew.follow(body.date, self.clock.now());
        let (severities, shared) = (Arc::clone(&self.severities), Arc::clone(&self.shared));
        let id = self.info.id.clone();
        // decoding ten thousand alerts takes so long that it would delay other tasks on this thread
        let decoded = tokio::task::spawn_blocking(move || {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let read = AlertReader::new(&mut shared, &severities, &id).read(&body.bytes, shape, known);
            read.map_err(|error| garbled(&id, &body, &error))
        });
        let read = decoded
            .await
            .map_err(|error| self.http.error(ErrorKind::Internal { reason: error.to_string() }))??;
        parts.warnings.extend(unreadable_warning(read.lost, "alerts"));
        Ok(match read.snapshot {
            Some(snapshot) if derived::is_wanted(&snapshot) => {
                self.derived(snapshot, read.digest, parts, known).await
            }
            snapshot => {
                let answer = snapshot.map_or(Answer::Unchanged, Answer::Alerts);
                parts.reply_if_new(answer, read.digest, None)
            }
        })
    }

    /// Adds the silences to alerts whose status the server did not report; adds a warning if the silences cannot be read.
    async fn derived(
        &self,
        mut snapshot: AlertSnapshot,
        of_alerts: u64,
        mut parts: AnswerParts,
        known: Option<u64>,
    ) -> Reply {
        match self.silences(None).await {
            Ok(Reply { answer, warnings, .. }) => {
                parts.warnings.extend(warnings);
                if let Answer::Silences(silences) = answer {
                    parts.warnings.extend(derived::apply(&mut snapshot, &silences, self.clock.now()));
                }
            }
            Err(error) => {
                parts.warnings.push(Warning::missing(format!(
                    "the server does not report which alerts are silenced, and its silences could not be read: {}",
                    error.kind
                )));
            }
        }
        let digest = derived::digest(of_alerts, &snapshot, &parts.warnings);
        parts.reply_if_new(Answer::Alerts(snapshot), digest, known)
    }

    /// Reads the silences, with times converted to the local clock.
    async fn silences(&self, known: Option<u64>) -> Answered {
        let body = self.get("silences", &[]).await.map_err(|error| self.explain_matcher_sets(error))?;
        let ahead = self.skew.ahead();
        // with another clock offset, the same list has other times
        let digest = body.digest() ^ ahead.as_secs().unsigned_abs().wrapping_mul(CLOCK);
        let answer = if known == Some(digest) {
            Answer::Unchanged
        } else {
            let read = read_silences(&body.bytes, &self.info.id, ahead);
            let (all, lost) = read.map_err(|error| garbled(&self.info.id, &body, &error))?;
            self.lost_silences.store(lost, Ordering::Relaxed);
            Answer::Silences(all)
        };
        // an unchanged list still has the unreadable silences of the previous answer
        let lost = self.lost_silences.load(Ordering::Relaxed);
        let mut parts = AnswerParts::default();
        parts.warnings.extend(unreadable_warning(lost, "silences"));
        Ok(parts.reply_if_new(answer, digest, None))
    }

    /// Sends GET below `api/v2`, and records the clock offset.
    async fn get(&self, what: &str, query: &[(&str, &str)]) -> Result<Body, SourceError> {
        let body = self.http.get(&format!("api/v2/{what}"), query).await;
        let body = body.map_err(|error| self.explain_error(error))?;
        self.skew.follow(body.date, self.clock.now());
        Ok(body)
    }

    /// Since Alertmanager 0.32 a silence can have several sets of matchers. The API v2 cannot represent such a silence and
    /// answers 500 to the whole list.
    fn explain_matcher_sets(&self, error: SourceError) -> SourceError {
        let message = error.kind.refused(500);
        let is_of_sets =
            |message: &&str| message.to_lowercase().replace(['_', ' '], "").contains("matcherset");
        let Some(message) = message.filter(is_of_sets) else { return error };
        let message = format!(
            "{message}; a silence has several sets of matchers, which this API cannot list. Alerts show whether they \
             are silenced, but burnwatch cannot show the silences: open the Alertmanager's web page"
        );
        self.http.error(ErrorKind::Refused { status: 500, message })
    }

    /// Explains a 404 or 410 as a wrong address.
    fn explain_error(&self, error: SourceError) -> SourceError {
        if let Some(message) = error.kind.refused(404) {
            return self.http.error(of_absence("Alertmanager API v2", message));
        }
        if error.kind.refused(410).is_some() {
            let reason = "410: only the removed API v1 is below this address".into();
            return self.http.error(ErrorKind::Garbled { reason });
        }
        error
    }

    /// Decodes the body.
    fn json<'b, T: serde::Deserialize<'b>>(&self, body: &'b Body) -> Result<T, SourceError> {
        serde_json::from_slice(&body.bytes).map_err(|error| garbled(&self.info.id, body, &error))
    }
}

/// The error for a body that cannot be decoded: HTML, truncated JSON, or JSON of another API.
fn garbled(id: &SourceId, body: &Body, error: &serde_json::Error) -> SourceError {
    if let Err(no_json) = body.json::<IgnoredAny>() {
        return no_json;
    }
    let reason = format!("not an answer of an Alertmanager: {}", clean(&error.to_string()));
    SourceError::new(id.clone(), ErrorKind::Garbled { reason })
}

/// Adds the cluster status, the peers and the start time to a probe report.
fn add_cluster_facts(about: &wire::About<'_>, probe_report: &mut ProbeReport) {
    let status = &*about.cluster.status.0;
    let addresses: Vec<_> = about.cluster.peers.all.iter().map(|peer| &*peer.address.0).collect();
    probe_report.fact("cluster", status);
    if !addresses.is_empty() {
        probe_report.fact("peers", format!("{}: {}", addresses.len(), addresses.join(", ")));
    }
    probe_report.fact("up since", &*about.uptime.0);
    if !matches!(status, "ready" | "disabled" | "") {
        probe_report.warn(format!("the cluster is {status}: silences of other members may be missing here"));
    }
}

#[cfg(test)]
mod tests;
