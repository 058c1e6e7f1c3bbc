//! The systems that burnwatch asks, one module for each kind: wire types, client, mapping to the model's words.
//!
//! The only room with a socket. Texts are kept as they come.
#![warn(missing_docs)]

mod alertmanager;
mod clock;
pub mod demo;
#[cfg(test)]
pub(crate) mod double;
mod handlers;
pub(crate) mod http;
mod lenient;
pub mod packs;
mod pagerduty;
mod prometheus;
mod runbooks;
mod unfit;

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

pub use clock::Clock;
pub use http::{Received, Receiving, Server, Transport};

use crate::config::settings::{Settings, SourceKind, SourceSettings};
use crate::model::action::{ActError, Action, Call, Found, Outcome};
use crate::model::ask::{Answered, Ask, AskKind};
use crate::model::labels::Text;
use crate::model::slo::Slo;
use crate::model::source::{Kind, SourceError, SourceId, SourceInfo, Trouble};
use packs::Pack;

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

    /// The calls that an action would make, in their order, without making any; reads that only look before are left out.
    /// Empty: the source does not do such things.
    fn calls(&self, _action: &Action) -> Vec<Call> {
        Vec::new()
    }

    /// Does it, once: looks first whether the target still is as it was seen where that matters, then sends. Never sends a
    /// second time by itself. Dropping it half-way leaves the outcome unclear.
    fn act<'a>(&'a self, action: &'a Action) -> Acting<'a> {
        let what = format!("to {}", action.deed.kind().name());
        let error = SourceError::new(self.info().id.clone(), Trouble::NotOffered { what });
        Box::pin(ready(Err(ActError { error, is_unclear: false })))
    }

    /// Finds out by reading whether an action that went out at `sent_at` or later, with an unclear outcome, was done.
    fn look_back<'a>(&'a self, _action: &'a Action, _sent_at: Timestamp) -> LookingBack<'a> {
        let words = "this source cannot be asked for it".into();
        Box::pin(ready(Ok(Found::Unknown { words })))
    }
}

/// What came of an action, on its way.
pub type Acting<'a> = Pin<Box<dyn Future<Output = Result<Outcome, ActError>> + Send + 'a>>;

/// What was found when an action was read back, on its way.
pub type LookingBack<'a> = Pin<Box<dyn Future<Output = Result<Found, SourceError>> + Send + 'a>>;

/// What a source is connected with.
#[derive(Clone, Copy)]
pub struct Means<'a> {
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

impl<'a> Means<'a> {
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

type Connect = fn(&SourceId, &SourceSettings, Means<'_>) -> Result<Arc<dyn Source>, SourceError>;

/// A kind that a configuration can name.
struct KindRow {
    kind: SourceKind,
    /// What every source of it can be asked.
    answers: &'static [AskKind],
    connect: Connect,
}

const KINDS: [KindRow; 3] = [
    KindRow {
        kind: SourceKind::Prometheus,
        answers: prometheus::ANSWERS,
        connect: |id, source, means| Ok(Arc::new(prometheus::Prometheus::new(id, source, means)?)),
    },
    KindRow {
        kind: SourceKind::Alertmanager,
        answers: alertmanager::ANSWERS,
        connect: |id, source, means| Ok(Arc::new(alertmanager::Alertmanager::new(id, source, means)?)),
    },
    KindRow {
        kind: SourceKind::PagerDuty,
        answers: pagerduty::ANSWERS,
        connect: |id, source, means| Ok(Arc::new(pagerduty::PagerDuty::new(id, source, means)?)),
    },
];

/// The kinds of source that can be asked this, as the configuration calls them.
pub fn kinds_that_tell(kind: AskKind) -> Vec<&'static str> {
    let telling = KINDS.iter().filter(|row| row.answers.contains(&kind));
    telling.map(|row| Kind::from(row.kind).name()).collect()
}

/// A source of the configuration, ready to be asked. Nothing is sent and no secret is read before the first question. One that
/// cannot be made answers every question with the reason.
pub fn connect(id: &SourceId, source: &SourceSettings, means: Means<'_>) -> Arc<dyn Source> {
    let row = KINDS.iter().find(|row| row.kind == source.kind);
    let made = row.map_or_else(
        || {
            let what = format!("kind = {:?}", Kind::from(source.kind).name());
            Err(SourceError::new(id.clone(), Trouble::NotOffered { what }))
        },
        |row| (row.connect)(id, source, means),
    );
    made.unwrap_or_else(|error| {
        Arc::new(unfit::Unfit::new(source, row.map_or(&[], |row| row.answers), error))
    })
}
