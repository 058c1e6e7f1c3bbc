//! Writes as data: how a source plans an operation, and the common way to execute it. The target is read first if somebody else
//! may have changed it; the request is sent once; without a clear answer the effect is looked for by reading.

use std::future::{Future, ready};
use std::time::Duration;

use jiff::Timestamp;

use super::Source;
use super::kit::http::{Body, Http, WriteRequest, not_executed};
use crate::model::action::{
    Action, ActionError, ActionResult, ActionTarget, EntityRef, Operation, OperationKind, RequestPreview,
    SilenceDraft, Verification, WriteContext,
};
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::operation::operations;
use crate::model::source::{ErrorKind, SourceError};

/// The requests of an operation at a source.
pub(super) struct Write<J> {
    /// The read before the write, if somebody else may have changed the target.
    pub(super) precheck: Option<Read>,
    /// The request.
    pub(super) request: WriteRequest,
    /// The first read if the answer to the request is not clear.
    pub(super) verify: Read,
    /// The input of the source's evaluation functions.
    pub(super) judge: J,
}

/// A read request. Parts of the path that come from outside have passed [`segment`](super::kit::http::segment).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) shape: Shape,
}

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One object.
    Object,
    /// A complete list.
    List,
    /// A paginated list, with the maximum number of pages.
    Pages(usize),
}

impl Read {
    pub(super) fn of(path: impl Into<String>, shape: Shape) -> Self {
        Self { path: path.into(), query: Vec::new(), shape }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(super) fn query(&self) -> Vec<(&str, &str)> {
        self.query.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// The result of the precheck.
pub(super) enum Precheck {
    /// The target has not changed: send the request.
    GoOn,
    /// Send this request, which contains data that only the server had.
    SendInstead(WriteRequest),
    /// Send nothing: the target is already in the wanted state, or somebody else has changed it.
    Stop(ActionResult),
}

/// How a refused request is interpreted.
pub(super) enum Refusal {
    /// The action failed with this error.
    Final(ActionError),
    /// The action has this result, because somebody else has changed the target.
    Is(ActionResult),
    /// Somebody else may have changed the target: read it; if that explains nothing, the action failed with the error.
    ReadAgain(Read, ActionError),
}

/// The result of verifying an action from the answers read so far.
pub(super) enum VerifyStep {
    Is(Verification),
    /// This must be read, too.
    Look(Read),
}

/// The input of a plan.
#[derive(Clone, Copy)]
pub(super) struct Planning<'a> {
    pub(super) target: &'a ActionTarget,
    pub(super) cx: &'a WriteContext,
}

/// The requests of an operation, or the reason why it is not possible.
pub(super) type Planned<J> = Result<Write<J>, String>;

macro_rules! plans {
    ($(
        $(#[doc = $doc:literal])*
        $Kind:ident $name:literal $($earlier:literal)? $({
            $($(#[$meta:meta])* $field:ident : $Field:ty = $param:expr),*
        })? => $target:ident { $($attributes:tt)* }
    )*) => {
        /// How a source executes one kind of operation: a function of the target, the context and the parameters.
        pub(super) enum Plan<J: 'static> {
            $($(#[doc = $doc])* $Kind(fn(Planning<'_> $($(, &$Field)*)?) -> Planned<J>),)*
        }

        impl<J> Plan<J> {
            const fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$Kind(_) => OperationKind::$Kind,)*
                }
            }

            /// The requests of the operation; `None` if this plan is for another kind.
            fn of(&self, operation: &Operation, planning: Planning<'_>) -> Option<Planned<J>> {
                match operation {
                    $(Operation::$Kind $({ $($field),* })? => {
                        let Self::$Kind(plan) = self else { return None };
                        Some(plan(planning $($(, $field)*)?))
                    })*
                }
            }
        }
    };
}

operations!(plans);

/// The kinds of operations of these plans, in order.
pub(super) const fn kinds<J, const COUNT: usize>(plans: &[Plan<J>; COUNT]) -> [OperationKind; COUNT] {
    let mut kinds = [OperationKind::Acknowledge; COUNT];
    let (mut left, mut free): (&[Plan<J>], &mut [OperationKind]) = (plans, &mut kinds);
    while let ([plan, others @ ..], [kind, rest @ ..]) = (left, free) {
        *kind = plan.kind();
        (left, free) = (others, rest);
    }
    kinds
}

/// The requests of an action; `None` if the source does not support the operation.
fn plan<J>(plans: &[Plan<J>], action: &Action, cx: &WriteContext) -> Option<Planned<J>> {
    let planning = Planning { target: &action.target, cx };
    plans.iter().find_map(|plan| plan.of(&action.operation, planning))
}

/// The requests of an action as shown to the user; empty if the source does not support the operation.
///
/// # Errors
/// The reason why the action is not possible.
pub(super) fn preview<J>(
    plans: &[Plan<J>],
    action: &Action,
    address: &str,
    cx: &WriteContext,
) -> Result<Vec<RequestPreview>, String> {
    let write = plan(plans, action, cx).transpose()?;
    Ok(write.map(|write| write.request.preview(address)).into_iter().collect())
}

/// A source with writes. Its evaluation functions are pure: they use only the answers.
pub(super) trait Writer: Source {
    /// The input of the evaluation functions for one write.
    type Judge: Send + Sync + 'static;
    /// The answer to a [`Read`].
    type Answer: Send + Sync;

    /// The plans of the operations that the source supports.
    fn plans(&self) -> &'static [Plan<Self::Judge>];

    fn http(&self) -> &Http;

    /// The context for a plan, as far as it is known without I/O.
    fn context(&self) -> WriteContext;

    /// Finds out the acting user, for sources that send it.
    fn identify(&self, _action: &Action) -> impl Future<Output = Result<WriteContext, ActionError>> + Send {
        ready(Ok(self.context()))
    }

    /// Finds out the acting user, to read back an action.
    fn recognise(&self, _action: &Action) -> impl Future<Output = Result<WriteContext, SourceError>> + Send {
        ready(Ok(self.context()))
    }

    fn read(&self, read: &Read) -> impl Future<Output = Result<Self::Answer, SourceError>> + Send;

    /// Evaluates the state of the target before anything is sent.
    ///
    /// # Errors
    /// If the target could not be read; nothing is sent then.
    fn judge_precheck(
        &self,
        job: &Job<'_, Self>,
        answer: Result<Self::Answer, SourceError>,
    ) -> Result<Precheck, SourceError>;

    /// Evaluates the answer to the request.
    ///
    /// # Errors
    /// If the answer is an error or cannot be understood.
    fn judge_answer(&self, job: &Job<'_, Self>, body: &Body) -> Result<ActionResult, ActionError>;

    /// Interprets a refused or failed request.
    fn judge_refusal(&self, job: &Job<'_, Self>, error: ActionError) -> Refusal;

    /// Evaluates what was read after a refusal; `None` if it does not explain the refusal.
    fn judge_again(&self, _job: &Job<'_, Self>, _answer: Self::Answer) -> Option<ActionResult> {
        None
    }

    /// Decides from the answers so far whether the action was executed; the first answer is that of [`Write::verify`].
    ///
    /// # Errors
    /// If an answer could not be read.
    fn judge_verification(
        &self,
        job: &Job<'_, Self>,
        sent_at: Timestamp,
        answers: &[Result<Self::Answer, SourceError>],
    ) -> Result<VerifyStep, SourceError>;
}

/// The methods of a [`Source`] that executes actions: all of them go through its [`Writer`].
macro_rules! by_plans {
    () => {
        fn requests(&self, action: &Action) -> Vec<RequestPreview> {
            let address = self.http.address();
            writes::preview(self.plans(), action, address, &self.context()).unwrap_or_default()
        }

        fn execute<'a>(&'a self, action: &'a Action) -> Executing<'a> {
            Box::pin(writes::execute(self, action))
        }

        fn verify<'a>(&'a self, action: &'a Action, sent_at: Timestamp) -> Verifying<'a> {
            Box::pin(writes::verify(self, action, sent_at))
        }
    };
}
pub(super) use by_plans;

/// An action that is being executed.
pub(super) struct Job<'a, S: Writer + ?Sized> {
    pub(super) action: &'a Action,
    pub(super) cx: WriteContext,
    pub(super) judge: S::Judge,
}

/// Executes an action once.
///
/// # Errors
/// Why the action was not executed, or that its result is unclear.
pub(super) async fn execute<S: Writer>(source: &S, action: &Action) -> Result<ActionResult, ActionError> {
    let made = |cx: &WriteContext| {
        let planned = plan(source.plans(), action, cx).ok_or_else(|| {
            let what = format!("to {}", action.operation.kind().name());
            ErrorKind::NotOffered { what }
        });
        let planned = planned.and_then(|planned| planned.map_err(|reason| ErrorKind::Unfit { reason }));
        planned.map_err(|failure| not_executed(source.http().error(failure)))
    };
    // fails early: an impossible action must not cause a request for the acting user
    drop(made(&source.context())?);
    let cx = source.identify(action).await?;
    let Write { precheck, mut request, judge, .. } = made(&cx)?;
    let job = Job { action, cx, judge };
    if let Some(read) = &precheck {
        match source.judge_precheck(&job, source.read(read).await).map_err(not_executed)? {
            Precheck::GoOn => {}
            Precheck::SendInstead(whole) => request = whole,
            Precheck::Stop(result) => return Ok(result),
        }
    }
    let error = match source.http().send(&request).await {
        Ok(body) => return source.judge_answer(&job, &body),
        Err(error) => error,
    };
    match source.judge_refusal(&job, error) {
        Refusal::Final(error) => Err(error),
        Refusal::Is(result) => Ok(result),
        Refusal::ReadAgain(read, error) => {
            let answer = source.read(&read).await.ok();
            answer.and_then(|answer| source.judge_again(&job, answer)).ok_or(error)
        }
    }
}

/// Reads back whether an action that was sent at `sent_at` was executed.
///
/// # Errors
/// If the source cannot be read now.
pub(super) async fn verify<S: Writer>(
    source: &S,
    action: &Action,
    sent_at: Timestamp,
) -> Result<Verification, SourceError> {
    let unknown = |words: String| Ok(Verification::Unknown { words: words.into() });
    let cx = source.recognise(action).await?;
    let write = match plan(source.plans(), action, &cx) {
        None => return unknown(format!("it does not offer to {}", action.operation.kind().name())),
        Some(Err(reason)) => return unknown(reason),
        Some(Ok(write)) => write,
    };
    let job = Job { action, cx, judge: write.judge };
    let mut next = write.verify;
    let mut answers = Vec::new();
    loop {
        answers.push(source.read(&next).await);
        match source.judge_verification(&job, sent_at, &answers)? {
            VerifyStep::Is(verification) => return Ok(verification),
            VerifyStep::Look(read) => next = read,
        }
    }
}
