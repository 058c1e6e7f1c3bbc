//! Writes as data: how a source plans an operation, and the common way to execute it. The target is read first if somebody else
//! may have changed it; the request is sent once; without a clear answer the effect is looked for by reading.

use std::future::{Future, ready};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::handlers::{Handler, answer_by};
use super::kit::http::{Body, Http, WriteRequest, not_executed};
use super::{Answering, Executing, Source, Verifying};
use crate::model::action::{
    Action, ActionError, ActionResult, EntityRef, Operation, OperationKind, RequestPreview, SilenceDraft,
    Verification, WriteContext,
};
use crate::model::ask::Ask;
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::operation::operations;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::source_info::SourceInfo;

/// Clocks are compared in whole seconds, and a request takes some time.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The verification of an executed operation that creates no object.
pub(super) const DONE: Verification = Verification::Done { id: None };

/// The requests of an operation at a source, and how their answers are evaluated.
pub(super) struct Write<'a> {
    pub(super) planning: Planning<'a>,
    /// The check of the target, if somebody else may have changed it.
    pub(super) check: Option<Check<'a>>,
    pub(super) request: WriteRequest,
    /// The key of the changed object in the answer to the request; empty if the answer has another form.
    pub(super) part: &'static str,
    /// The status codes of a refusal that may mean a missing object, and the text for that.
    pub(super) missing: Option<(&'static [u16], String)>,
    /// The reads if the answer to the request is not clear, in order, until one of them decides.
    pub(super) verify: Vec<VerifyStep<'a>>,
}

impl<'a> Write<'a> {
    pub(super) fn of(planning: Planning<'a>, request: WriteRequest) -> Self {
        Self { planning, check: None, request, part: "", missing: None, verify: Vec::new() }
    }
}

/// Reads the target, and decides whether the request is sent.
pub(super) struct Check<'a> {
    pub(super) read: Read,
    /// Whether the target is read before the request; else only if the request is refused.
    pub(super) is_first: bool,
    pub(super) judge: Box<dyn Fn(&Value) -> Precheck + Send + Sync + 'a>,
}

/// Evaluates the answers so far; `None` if they do not tell.
type JudgeStep<'a> = Box<dyn Fn(&[Value], &SentTrace) -> Option<Verification> + Send + Sync + 'a>;

/// Reads something to find out whether the operation was executed.
pub(super) struct VerifyStep<'a> {
    read: Box<dyn Fn(&SentTrace) -> Read + Send + Sync + 'a>,
    judge: JudgeStep<'a>,
}

impl<'a> VerifyStep<'a> {
    /// `judge` gets all answers so far, this one last; `None` if they do not tell.
    pub(super) fn new(
        read: impl Fn(&SentTrace) -> Read + Send + Sync + 'a,
        judge: impl Fn(&[Value], &SentTrace) -> Option<Verification> + Send + Sync + 'a,
    ) -> Self {
        Self { read: Box::new(read), judge: Box::new(judge) }
    }
}

/// When and by whom an action was sent, to find it when it is read back.
pub(super) struct SentTrace {
    /// The present context; its actor is `None` if the acting user is not known.
    pub(super) cx: WriteContext,
    pub(super) sent_at: Timestamp,
    /// The server's time in the first answer.
    date: Option<Timestamp>,
}

impl SentTrace {
    /// The earliest time of the effect, by the server's clock, with some tolerance.
    pub(super) fn since(&self) -> Timestamp {
        let behind = self.date.map_or(0, |date| date.as_second() - self.cx.now.as_second()).min(0);
        self.sent_at.saturating_add(SignedDuration::from_secs(behind) - SLACK).unwrap_or(Timestamp::MIN)
    }
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

/// The answer to a [`Read`].
pub(super) struct ReadAnswer {
    /// The object or the list; null if the object does not exist.
    pub(super) value: Value,
    /// The server's time.
    pub(super) date: Option<Timestamp>,
}

/// The result of the check.
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
    /// Somebody else may have changed the target: check it; if that explains nothing, the action failed with the error.
    CheckAgain(ActionError),
}

/// The input of a plan.
#[derive(Clone, Copy)]
pub(super) struct Planning<'a> {
    pub(super) action: &'a Action,
    pub(super) cx: &'a WriteContext,
}

impl<'a> Planning<'a> {
    /// The id of the target.
    pub(super) fn id(self) -> &'a str {
        &self.action.target.id
    }
}

/// The requests of an operation, or the reason why it is not possible.
pub(super) type Planned<'a> = Result<Write<'a>, String>;

macro_rules! plans {
    ($(
        $(#[doc = $doc:literal])*
        $Kind:ident $name:literal $($earlier:literal)? $({
            $($(#[$meta:meta])* $field:ident : $Field:ty = $param:expr),*
        })? => $target:ident { $($attributes:tt)* }
    )*) => {
        /// How a source executes one kind of operation: a function of the target, the context and the parameters.
        pub(super) enum Plan {
            $($(#[doc = $doc])* $Kind(for<'a> fn(Planning<'a> $($(, &'a $Field)*)?) -> Planned<'a>),)*
        }

        impl Plan {
            const fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$Kind(_) => OperationKind::$Kind,)*
                }
            }

            /// The requests of the operation; `None` if this plan is for another kind.
            fn of<'a>(&self, planning: Planning<'a>) -> Option<Planned<'a>> {
                match &planning.action.operation {
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
pub(super) const fn kinds<const COUNT: usize>(plans: &[Plan]) -> [OperationKind; COUNT] {
    let mut kinds = [OperationKind::Acknowledge; COUNT];
    let (mut left, mut free): (&[Plan], &mut [OperationKind]) = (plans, &mut kinds);
    while let ([plan, others @ ..], [kind, rest @ ..]) = (left, free) {
        *kind = plan.kind();
        (left, free) = (others, rest);
    }
    kinds
}

/// The requests of an action; `None` if the source does not support the operation.
fn plan<'a>(plans: &[Plan], action: &'a Action, cx: &'a WriteContext) -> Option<Planned<'a>> {
    plans.iter().find_map(|plan| plan.of(Planning { action, cx }))
}

/// The requests of an action as shown to the user; empty if the source does not support the operation.
///
/// # Errors
/// The reason why the action is not possible.
pub(super) fn preview(
    plans: &[Plan],
    action: &Action,
    address: &str,
    cx: &WriteContext,
) -> Result<Vec<RequestPreview>, String> {
    let write = plan(plans, action, cx).transpose()?;
    Ok(write.map(|write| write.request.preview(address)).into_iter().collect())
}

/// A source with writes. Its evaluation functions are pure: they use only the answers.
pub(super) trait Writer: Send + Sync + Sized + 'static {
    /// The questions that the source answers.
    const HANDLERS: &'static [Handler<Self>];
    /// The plans of the operations that the source supports.
    const PLANS: &'static [Plan];

    fn info(&self) -> &SourceInfo;

    fn http(&self) -> &Http;

    /// Explains an error of a question.
    fn explain(&self, error: SourceError) -> SourceError {
        error
    }

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

    fn read(&self, read: &Read) -> impl Future<Output = Result<ReadAnswer, SourceError>> + Send;

    /// Evaluates the answer to the request.
    ///
    /// # Errors
    /// If the answer is an error or cannot be understood.
    fn judge_answer(&self, write: &Write<'_>, body: &Body) -> Result<ActionResult, ActionError>;

    /// Interprets a refused or failed request.
    fn judge_refusal(&self, write: &Write<'_>, error: ActionError) -> Refusal;
}

impl<W: Writer> Source for W {
    fn info(&self) -> &SourceInfo {
        Writer::info(self)
    }

    fn load(&self) -> Option<Text> {
        self.http().load()
    }

    fn answer<'a>(&'a self, ask: &'a Ask, known: Option<u64>) -> Answering<'a> {
        let answer = answer_by(self, W::HANDLERS, ask, known);
        Box::pin(async { answer.await.map_err(|error| self.explain(error)) })
    }

    fn requests(&self, action: &Action) -> Vec<RequestPreview> {
        preview(W::PLANS, action, self.http().address(), &self.context()).unwrap_or_default()
    }

    fn execute<'a>(&'a self, action: &'a Action) -> Executing<'a> {
        Box::pin(execute(self, action))
    }

    fn verify<'a>(&'a self, action: &'a Action, sent_at: Timestamp) -> Verifying<'a> {
        Box::pin(verify(self, action, sent_at))
    }
}

/// Executes an action once.
///
/// # Errors
/// Why the action was not executed, or that its result is unclear.
async fn execute<S: Writer>(source: &S, action: &Action) -> Result<ActionResult, ActionError> {
    // fails early: an impossible action must not cause a request for the acting user
    drop(planned(source, action, &source.context())?);
    let cx = source.identify(action).await?;
    let mut write = planned(source, action, &cx)?;
    if let Some(check) = write.check.as_ref().filter(|check| check.is_first) {
        let answer = source.read(&check.read).await.map_err(not_executed)?;
        match (check.judge)(&answer.value) {
            Precheck::GoOn => {}
            Precheck::SendInstead(whole) => write.request = whole,
            Precheck::Stop(result) => return Ok(result),
        }
    }
    let error = match source.http().send(&write.request).await {
        Ok(body) => return source.judge_answer(&write, &body),
        Err(error) => error,
    };
    match (source.judge_refusal(&write, error), &write.check) {
        (Refusal::Is(result), _) => Ok(result),
        (Refusal::CheckAgain(error), Some(check)) => {
            let judged = source.read(&check.read).await.map(|answer| (check.judge)(&answer.value));
            if let Ok(Precheck::Stop(result)) = judged { Ok(result) } else { Err(error) }
        }
        (Refusal::Final(error) | Refusal::CheckAgain(error), _) => Err(error),
    }
}

/// The requests of an action, or the error that it is not possible.
fn planned<'a, S: Writer>(
    source: &S,
    action: &'a Action,
    cx: &'a WriteContext,
) -> Result<Write<'a>, ActionError> {
    let what = || ErrorKind::NotOffered { what: format!("to {}", action.operation.kind().name()) };
    let planned = plan(S::PLANS, action, cx).ok_or_else(what);
    let planned = planned.and_then(|planned| planned.map_err(|reason| ErrorKind::Unfit { reason }));
    planned.map_err(|failure| not_executed(source.http().error(failure)))
}

/// Reads back whether an action that was sent at `sent_at` was executed.
///
/// # Errors
/// If the source cannot be read now.
async fn verify<S: Writer>(
    source: &S,
    action: &Action,
    sent_at: Timestamp,
) -> Result<Verification, SourceError> {
    let unknown = |words: String| Ok(Verification::Unknown { words: words.into() });
    let cx = source.recognise(action).await?;
    let write = match plan(S::PLANS, action, &cx) {
        None => return unknown(format!("it does not offer to {}", action.operation.kind().name())),
        Some(Err(reason)) => return unknown(reason),
        Some(Ok(write)) => write,
    };
    let (mut answers, mut date) = (Vec::new(), None);
    // an answer may change what is known about the server's clock
    let trace =
        |date| SentTrace { cx: WriteContext { actor: cx.actor.clone(), ..source.context() }, sent_at, date };
    for step in &write.verify {
        let answer = source.read(&(step.read)(&trace(date))).await?;
        date = date.or(answer.date);
        answers.push(answer.value);
        if let Some(verification) = (step.judge)(&answers, &trace(date)) {
            return Ok(verification);
        }
    }
    Ok(Verification::NotDone)
}
