//! The systems that burnwatch queries, one module for each kind: wire types, client, and mapping to the types of `model`.
//!
//! The only room with a socket. Texts of servers are kept unchanged; they are sanitised where they are drawn or printed.
#![warn(missing_docs)]

mod alertmanager;
mod alertmanager_api;
mod clock;
mod dashboards;
pub mod demo;
mod elasticsearch;
mod exec;
mod file;
mod grafana;
mod handlers;
mod jaeger;
mod kit;
pub mod listen;
mod logs;
mod loki;
pub mod packs;
mod pagerduty;
mod panels;
mod prometheus;
mod runbooks;
mod tempo;
mod traces;
mod unfit;
mod victorialogs;
mod writes;

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;

pub use clock::Clock;
pub use kit::http::{LocalServer, Received, Receiving, Transport};

use crate::config::is_exposed;
use crate::config::kind::{KindSpec, OwnSettings};
use crate::config::settings::{Settings, SourceSettings};
use crate::model::action::{Action, ActionError, ActionResult, RequestPreview, Verification};
use crate::model::ask::{Answered, Ask};
use crate::model::labels::Text;
use crate::model::query_language::QueryLanguage;
use crate::model::slo::Slo;
use crate::model::source::{ErrorKind, Kind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;
use alertmanager::Alertmanager;
use dashboards::DashboardFolder;
use elasticsearch::Elasticsearch;
use exec::Exec;
use file::ChangeFile;
use grafana::Grafana;
use jaeger::Jaeger;
use loki::Loki;
use packs::Pack;
use pagerduty::PagerDuty;
use prometheus::Prometheus;
use tempo::Tempo;
use victorialogs::VictoriaLogs;

/// The future of an answer; dropping it cancels the question.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

/// A configured system that answers questions and executes actions.
pub trait Source: Send + Sync {
    /// Name, kind, address, and the supported questions and actions.
    fn info(&self) -> &SourceInfo;

    /// Answers a question; every source implements this with [`handlers::answer_by`]. `known` is the digest of the answer
    /// that the caller already has: if the answer has not changed, the source may return `Answer::Unchanged`. The future can
    /// be dropped at any time. Time-outs, retries and concurrency limits are up to the caller.
    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a>;

    /// The current limit of concurrent requests to the server and its reason; `None` if requests are not limited.
    fn load(&self) -> Option<Text> {
        None
    }

    /// The requests that an action would make, in their order, without making any; reads before it are left out. Empty if the
    /// source does not support the action.
    fn requests(&self, _action: &Action) -> Vec<RequestPreview> {
        Vec::new()
    }

    /// Executes an action once: where it matters, first checks that the target has not changed since the user saw it, then sends
    /// the request, never a second time by itself. Dropping it half-way leaves the result unclear. [`writes::Writer`] implements
    /// it for every source.
    fn execute<'a>(&'a self, action: &'a Action) -> Executing<'a> {
        let what = format!("to {}", action.operation.kind().name());
        let error = SourceError::new(self.info().id.clone(), ErrorKind::NotOffered { what });
        Box::pin(ready(Err(ActionError { error, is_unclear: false })))
    }

    /// Finds out by reading whether an action that was sent at `sent_at` or later, with an unclear result, was done.
    /// [`writes::Writer`] implements it for every source.
    fn verify<'a>(&'a self, _action: &'a Action, _sent_at: Timestamp) -> Verifying<'a> {
        let words = "this source cannot check whether the action was executed".into();
        Box::pin(ready(Ok(Verification::Unknown { words })))
    }
}

/// The future of an action's outcome.
pub type Executing<'a> = Pin<Box<dyn Future<Output = Result<ActionResult, ActionError>> + Send + 'a>>;

/// The future of a [`Verification`].
pub type Verifying<'a> = Pin<Box<dyn Future<Output = Result<Verification, SourceError>> + Send + 'a>>;

/// The dependencies of a source.
#[derive(Clone, Copy)]
pub struct SourceDeps<'a> {
    /// The whole configuration.
    pub settings: &'a Settings,
    /// The metric packs of the user.
    pub packs: &'a [Pack],
    /// The SLOs from definition files.
    pub slos: &'a [Arc<Slo>],
    /// The clock.
    pub clock: Clock,
    /// The network, or a simulated server.
    pub transport: &'a Transport,
}

impl<'a> SourceDeps<'a> {
    /// With the network as transport, the built-in packs, and no SLOs from files.
    pub fn new(settings: &'a Settings, clock: Clock) -> Self {
        static NETWORK: Transport = Transport::Network;
        Self { settings, packs: &[], slos: &[], clock, transport: &NETWORK }
    }
}

/// The source that finds runbooks, for every context.
pub fn runbooks(settings: &Settings, transport: &Transport) -> Arc<dyn Source> {
    Arc::new(runbooks::Runbooks::new(settings, transport))
}

/// Creates a source; sends nothing.
type Connect = fn(&SourceId, &SourceSettings, SourceDeps<'_>) -> Result<Arc<dyn Source>, SourceError>;

/// Every kind of source that a configuration can name, in the order of the documentation.
static REGISTRY: &[(&KindSpec, Connect)] = &[
    (&prometheus::SPEC, |id, source, deps| shared(Prometheus::new(id, source, deps))),
    (&alertmanager::SPEC, |id, source, deps| shared(Alertmanager::new(id, source, deps))),
    (&pagerduty::SPEC, |id, source, deps| shared(PagerDuty::new(id, source, deps))),
    (&file::SPEC, |id, source, deps| shared(ChangeFile::new(id, source, deps))),
    (&dashboards::SPEC, |id, source, deps| shared(DashboardFolder::new(id, source, deps))),
    (&exec::SPEC, |id, source, deps| shared(Exec::new(id, source, deps))),
    (&loki::SPEC, |id, source, deps| shared(Loki::new(id, source, deps))),
    (&victorialogs::SPEC, |id, source, deps| shared(VictoriaLogs::new(id, source, deps))),
    (&elasticsearch::SPEC, |id, source, deps| shared(Elasticsearch::new(id, source, deps))),
    (&tempo::SPEC, |id, source, deps| shared(Tempo::new(id, source, deps))),
    (&jaeger::SPEC, |id, source, deps| shared(Jaeger::new(id, source, deps))),
    (&grafana::SPEC, |id, source, deps| shared(Grafana::new(id, source, deps))),
];

fn shared<S: Source + 'static>(made: Result<S, SourceError>) -> Result<Arc<dyn Source>, SourceError> {
    Ok(Arc::new(made?))
}

/// Every kind of source that a configuration can name.
pub static KINDS: LazyLock<Vec<&'static KindSpec>> =
    LazyLock::new(|| REGISTRY.iter().map(|(kind, _)| *kind).collect());

/// The kind with this name, for example `prometheus`.
///
/// # Panics
/// If there is no such kind.
pub fn kind(name: &str) -> &'static KindSpec {
    let kind = KINDS.iter().find(|kind| kind.name == name);
    kind.expect("a kind of this name")
}

/// Creates a source from its configuration. Nothing is sent and no secret is read before the first question. If the source
/// cannot be created, the result answers every question with the error.
pub fn connect(id: &SourceId, source: &SourceSettings, deps: SourceDeps<'_>) -> Arc<dyn Source> {
    let connect = REGISTRY.iter().find(|(kind, _)| *kind == source.kind).map(|(_, connect)| connect);
    let made = connect.map_or_else(
        || Err(SourceError::new(id.clone(), ErrorKind::NotOffered { what: format!("{:?}", source.kind) })),
        |connect| connect(id, source, deps),
    );
    made.unwrap_or_else(|error| Arc::new(unfit::Unfit::new(source, error)))
}

/// The description of a source with this address.
fn info(id: &SourceId, source: &SourceSettings, address: &str) -> SourceInfo {
    SourceInfo {
        id: id.clone(),
        kind: Kind::new(source.kind.name),
        address: address.into(),
        tenant: source.tenant.as_deref().map(|tenant| clean(tenant).into()),
        is_exposed: is_exposed(source),
        answers: source.kind.answers.to_vec(),
        language: QueryLanguage::PromQl,
        writes: source.kind.writes,
    }
}

/// The options that are specific to the kind of the source.
fn own<T: OwnSettings>(id: &SourceId, source: &SourceSettings) -> Result<T, SourceError> {
    let unfit = |error: toml::de::Error| ErrorKind::Unfit { reason: clean(error.message()).into_owned() };
    source.own().map_err(|error| SourceError::new(id.clone(), unfit(error)))
}

#[cfg(test)]
mod tests;
