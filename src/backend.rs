//! The systems that burnwatch asks, one module for each kind: wire types, client, mapping to the model's words.
//!
//! The only room with a socket. Texts are kept as they come.
#![warn(missing_docs)]

mod alertmanager;
mod clock;
pub mod demo;
mod handlers;
mod kit;
pub mod packs;
mod pagerduty;
mod prometheus;
mod runbooks;
mod unfit;
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
use crate::model::slo::Slo;
use crate::model::source::{ErrorKind, Kind, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;
use alertmanager::Alertmanager;
use packs::Pack;
use pagerduty::PagerDuty;
use prometheus::Prometheus;

/// An answer on its way; dropping it gives the question up.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Answered> + Send + 'a>>;

/// A system that can be asked.
pub trait Source: Send + Sync {
    /// Name, kind, address and the questions it can be asked.
    fn info(&self) -> &SourceInfo;

    /// Puts the question; by [`handlers::answer_by`] in every source. `known` is the digest of the answer that the asker has: if the answer is still the same, the
    /// source may say so instead. Safe to drop half-way; time-outs, retries and caps are the caller's.
    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a>;

    /// How many requests it is sent at a time and why, where it had no room for more; `None`: as many as there are.
    fn load(&self) -> Option<Text> {
        None
    }

    /// The requests that an action would make, in their order, without making any; reads that only look before are left out.
    /// Empty: the source does not do such things.
    fn requests(&self, _action: &Action) -> Vec<RequestPreview> {
        Vec::new()
    }

    /// Does it, once: looks first whether the target still is as it was seen where that matters, then sends. Never sends a
    /// second time by itself. Dropping it half-way leaves the result unclear. By [`writes::execute`] in every source.
    fn execute<'a>(&'a self, action: &'a Action) -> Executing<'a> {
        let what = format!("to {}", action.operation.kind().name());
        let error = SourceError::new(self.info().id.clone(), ErrorKind::NotOffered { what });
        Box::pin(ready(Err(ActionError { error, is_unclear: false })))
    }

    /// Finds out by reading whether an action that went out at `sent_at` or later, with an unclear result, was done. By
    /// [`writes::verify`] in every source.
    fn verify<'a>(&'a self, _action: &'a Action, _sent_at: Timestamp) -> Verifying<'a> {
        let words = "this source cannot be asked for it".into();
        Box::pin(ready(Ok(Verification::Unknown { words })))
    }
}

/// What came of an action, on its way.
pub type Executing<'a> = Pin<Box<dyn Future<Output = Result<ActionResult, ActionError>> + Send + 'a>>;

/// What was found when an action was read back, on its way.
pub type Verifying<'a> = Pin<Box<dyn Future<Output = Result<Verification, SourceError>> + Send + 'a>>;

/// What a source is connected with.
#[derive(Clone, Copy)]
pub struct SourceDeps<'a> {
    /// The whole configuration.
    pub settings: &'a Settings,
    /// The person's own packs.
    pub packs: &'a [Pack],
    /// The SLOs that were read from files.
    pub slos: &'a [Arc<Slo>],
    /// The time.
    pub clock: Clock,
    /// How its requests are answered.
    pub transport: &'a Transport,
}

impl<'a> SourceDeps<'a> {
    /// Over the network, with the built-in packs and without SLOs of files.
    pub fn new(settings: &'a Settings, clock: Clock) -> Self {
        static NETWORK: Transport = Transport::Network;
        Self { settings, packs: &[], slos: &[], clock, transport: &NETWORK }
    }
}

/// What finds runbooks for every context.
pub fn runbooks(settings: &Settings, transport: &Transport) -> Arc<dyn Source> {
    Arc::new(runbooks::Runbooks::new(settings, transport))
}

/// Makes a source; nothing is sent.
type Connect = fn(&SourceId, &SourceSettings, SourceDeps<'_>) -> Result<Arc<dyn Source>, SourceError>;

/// Every kind of source that a configuration can name, in the order in which they are told of.
static REGISTRY: &[(&KindSpec, Connect)] = &[
    (&prometheus::SPEC, |id, source, deps| shared(Prometheus::new(id, source, deps))),
    (&alertmanager::SPEC, |id, source, deps| shared(Alertmanager::new(id, source, deps))),
    (&pagerduty::SPEC, |id, source, deps| shared(PagerDuty::new(id, source, deps))),
];

fn shared<S: Source + 'static>(made: Result<S, SourceError>) -> Result<Arc<dyn Source>, SourceError> {
    Ok(Arc::new(made?))
}

/// Every kind of source that a configuration can name.
pub static KINDS: LazyLock<Vec<&'static KindSpec>> =
    LazyLock::new(|| REGISTRY.iter().map(|(kind, _)| *kind).collect());

/// The kind of this name.
///
/// # Panics
/// If there is none.
#[cfg_attr(only_program, expect(dead_code, reason = "the program gets its kinds from a configuration"))]
pub fn kind(name: &str) -> &'static KindSpec {
    let kind = KINDS.iter().find(|kind| kind.name == name);
    kind.expect("a kind of this name")
}

/// A source of the configuration, ready to be asked. Nothing is sent and no secret is read before the first question. One that
/// cannot be made answers every question with the reason.
pub fn connect(id: &SourceId, source: &SourceSettings, deps: SourceDeps<'_>) -> Arc<dyn Source> {
    let connect = REGISTRY.iter().find(|(kind, _)| *kind == source.kind).map(|(_, connect)| connect);
    let made = connect.map_or_else(
        || Err(SourceError::new(id.clone(), ErrorKind::NotOffered { what: format!("{:?}", source.kind) })),
        |connect| connect(id, source, deps),
    );
    made.unwrap_or_else(|error| Arc::new(unfit::Unfit::new(source, error)))
}

/// A source at this address as the screens know it.
fn info(id: &SourceId, source: &SourceSettings, address: &str) -> SourceInfo {
    SourceInfo {
        id: id.clone(),
        kind: Kind::new(source.kind.name),
        address: address.into(),
        tenant: source.tenant.as_deref().map(|tenant| clean(tenant).into()),
        is_exposed: is_exposed(source),
        answers: source.kind.answers.to_vec(),
        writes: source.kind.writes,
    }
}

/// The options of a source that only its kind has.
fn own<T: OwnSettings>(id: &SourceId, source: &SourceSettings) -> Result<T, SourceError> {
    let unfit = |error: toml::de::Error| ErrorKind::Unfit { reason: clean(error.message()).into_owned() };
    source.own().map_err(|error| SourceError::new(id.clone(), unfit(error)))
}

#[cfg(test)]
mod tests;
