//! A source whose reaction to each action is chosen by the test; it counts its calls.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::sleep;

use crate::backend::{Answering, Executing, Source, Verifying};
use crate::model::action::{
    Action, ActionError, ActionResult, OperationKind, RequestPreview, Verification, WriteSupport,
};
use crate::model::ask::{Answer, Ask, Reply};
use crate::model::fixtures;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::source_info::SourceInfo;

/// The reaction to the next action.
pub(super) enum Act {
    Does,
    DoesAfter(Duration),
    Finds(ActionResult),
    Refuses(ErrorKind, Option<Duration>),
    IsUnclear,
    Hangs,
    Panics,
}

/// The answer to the next reading back.
#[derive(Clone)]
pub(super) enum Look {
    Sees(Verification),
    Fails,
    Panics,
}

pub(super) struct ScriptedSource {
    pub(super) info: SourceInfo,
    acts: Mutex<VecDeque<Act>>,
    pub(super) looks: Mutex<VecDeque<Look>>,
    pub(super) acted: AtomicUsize,
    pub(super) looked: AtomicUsize,
    in_flight: AtomicUsize,
    pub(super) most: AtomicUsize,
}

pub(super) fn doer(
    acts: impl IntoIterator<Item = Act>,
    looks: impl IntoIterator<Item = Look>,
) -> Arc<ScriptedSource> {
    let writes = WriteSupport { kinds: OperationKind::ALL, ..WriteSupport::NONE };
    let info = SourceInfo { writes, ..fixtures::source("pager", "toy", vec![]) };
    Arc::new(ScriptedSource {
        info,
        acts: Mutex::new(acts.into_iter().collect()),
        looks: Mutex::new(looks.into_iter().collect()),
        acted: AtomicUsize::new(0),
        looked: AtomicUsize::new(0),
        in_flight: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    })
}

impl ScriptedSource {
    fn error(&self, failure: ErrorKind) -> SourceError {
        SourceError::new(self.info.id.clone(), failure)
    }
}

impl Source for ScriptedSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, _: &'a Ask, _: Option<u64>) -> Answering<'a> {
        Box::pin(async { Ok(Reply::free(Answer::Unchanged)) })
    }

    fn requests(&self, action: &Action) -> Vec<RequestPreview> {
        let address = format!("fake/{}", action.target.id);
        vec![RequestPreview { method: "PUT".into(), address: address.into(), body: None }]
    }

    fn execute<'a>(&'a self, _: &'a Action) -> Executing<'a> {
        self.acted.fetch_add(1, SeqCst);
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Does);
        Box::pin(async move {
            let now = self.in_flight.fetch_add(1, SeqCst) + 1;
            self.most.fetch_max(now, SeqCst);
            let done = || Ok(ActionResult::Done { id: Some("N1".into()) });
            let acted = match act {
                Act::Does => done(),
                Act::DoesAfter(wait) => {
                    sleep(wait).await;
                    done()
                }
                Act::Finds(outcome) => Ok(outcome),
                Act::Refuses(failure, retry_after) => {
                    let error = SourceError { retry_after, ..self.error(failure) };
                    Err(ActionError { error, is_unclear: false })
                }
                Act::IsUnclear => {
                    let error = self.error(ErrorKind::Unreachable { reason: "reset".into() });
                    Err(ActionError { error, is_unclear: true })
                }
                Act::Hangs => std::future::pending().await,
                Act::Panics => panic!("a bug in a source"),
            };
            self.in_flight.fetch_sub(1, SeqCst);
            acted
        })
    }

    fn verify<'a>(&'a self, _: &'a Action, _: Timestamp) -> Verifying<'a> {
        self.looked.fetch_add(1, SeqCst);
        let look = self.looks.lock().unwrap().pop_front().unwrap_or(Look::Fails);
        Box::pin(async move {
            match look {
                Look::Sees(found) => Ok(found),
                Look::Fails => Err(self.error(ErrorKind::Unreachable { reason: "refused".into() })),
                Look::Panics => panic!("a bug in a source"),
            }
        })
    }
}
