//! Changes as data: how a source plans an operation, and the one way in which all of them are made: looked at first where
//! somebody else may have been faster, sent once, and found again by reading where no clear answer.

use std::future::{Future, ready};
use std::time::Duration;

use jiff::Timestamp;

use super::Source;
use super::kit::http::{Body, Http, WriteRequest, surely_not};
use crate::model::action::{
    Action, ActionError, ActionResult, ActionTarget, EntityRef, Operation, OperationKind, RequestPreview,
    SilenceDraft, Verification, WriteContext,
};
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::operation::operations;
use crate::model::source::{ErrorKind, SourceError};

/// What an operation takes at a source.
pub(super) struct Write<J> {
    /// How the target is read before anything is sent, where somebody else may have changed it meanwhile.
    pub(super) precheck: Option<Read>,
    /// The one request.
    pub(super) request: WriteRequest,
    /// What is read first where no clear answer.
    pub(super) verify: Read,
    /// What the judges of the source have to know of it.
    pub(super) judge: J,
}

/// Something to read; what comes from outside has passed [`segment`](super::kit::http::segment).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Read {
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) shape: Shape,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One object.
    Object,
    /// A list that comes in one piece.
    List,
    /// A list in pages, so many of them at most.
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

/// What is to be done after the look at the target.
pub(super) enum Precheck {
    /// It stands as the person saw it.
    GoOn,
    /// It does, and this is the request with what only the server knew of it.
    GoOnWith(WriteRequest),
    /// Nothing is to be sent: it is so already, or somebody else has changed it.
    Stop(ActionResult),
}

/// What a refusal means.
pub(super) enum Refusal {
    /// It was refused, for this reason.
    Final(ActionError),
    /// Somebody else was faster.
    Is(ActionResult),
    /// Somebody else may have been faster: that is read, and if it tells nothing it was refused.
    LookAgain(Read, ActionError),
}

/// What can be told of an action from what was read so far.
pub(super) enum Verdict {
    Is(Verification),
    /// This has to be read, too.
    Look(Read),
}

/// For whom, when and to what something is planned.
#[derive(Clone, Copy)]
pub(super) struct Planning<'a> {
    pub(super) target: &'a ActionTarget,
    pub(super) cx: &'a WriteContext,
}

/// A plan, or why it would not be taken.
pub(super) type Planned<J> = Result<Write<J>, String>;

macro_rules! plans {
    ($(
        $(#[doc = $doc:literal])*
        $Kind:ident $name:literal $($earlier:literal)? $({
            $($(#[$meta:meta])* $field:ident : $Field:ty = $param:expr),*
        })? => $target:ident { $($attributes:tt)* }
    )*) => {
        /// How a source does one kind of operation: by its target, what is known, and its parameters.
        pub(super) enum Plan<J: 'static> {
            $($(#[doc = $doc])* $Kind(fn(Planning<'_> $($(, &$Field)*)?) -> Planned<J>),)*
        }

        impl<J> Plan<J> {
            const fn kind(&self) -> OperationKind {
                match self {
                    $(Self::$Kind(_) => OperationKind::$Kind,)*
                }
            }

            /// What the operation takes, if it is of its kind.
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

/// The kinds of operation that these plan, in their order.
pub(super) const fn kinds<J, const COUNT: usize>(plans: &[Plan<J>; COUNT]) -> [OperationKind; COUNT] {
    let mut kinds = [OperationKind::Acknowledge; COUNT];
    let (mut left, mut free): (&[Plan<J>], &mut [OperationKind]) = (plans, &mut kinds);
    while let ([plan, others @ ..], [kind, rest @ ..]) = (left, free) {
        *kind = plan.kind();
        (left, free) = (others, rest);
    }
    kinds
}

/// What an action takes, by the plans of a source; `None`: the source has no such thing.
fn plan<J>(plans: &[Plan<J>], action: &Action, cx: &WriteContext) -> Option<Planned<J>> {
    let planning = Planning { target: &action.target, cx };
    plans.iter().find_map(|plan| plan.of(&action.operation, planning))
}

/// The requests of an action at a source of this address, as they may be shown, or why it would not be taken.
pub(super) fn preview<J>(
    plans: &[Plan<J>],
    action: &Action,
    address: &str,
    cx: &WriteContext,
) -> Result<Vec<RequestPreview>, String> {
    let write = plan(plans, action, cx).transpose()?;
    Ok(write.map(|write| write.request.preview(address)).into_iter().collect())
}

/// A source that changes something by plans. Its judges are pure: what they go by is in the answers.
pub(super) trait Writer: Source {
    /// What the judges have to know of a write.
    type Judge: Send + Sync + 'static;
    /// What comes of a [`Read`].
    type Answer: Send + Sync;

    /// Its plans.
    fn plans(&self) -> &'static [Plan<Self::Judge>];

    fn http(&self) -> &Http;

    /// What a plan depends on, as far as it is known without asking.
    fn context(&self) -> WriteContext;

    /// Finds out who acts, if that is said with what is sent.
    fn identify(&self, _action: &Action) -> impl Future<Output = Result<WriteContext, ActionError>> + Send {
        ready(Ok(self.context()))
    }

    /// Finds out whose action is looked for.
    fn recognise(&self, _action: &Action) -> impl Future<Output = Result<WriteContext, SourceError>> + Send {
        ready(Ok(self.context()))
    }

    fn read(&self, read: &Read) -> impl Future<Output = Result<Self::Answer, SourceError>> + Send;

    /// Judges how the target stands before anything is sent.
    ///
    /// # Errors
    /// If it could not be read: then nothing is sent.
    fn judge_precheck(
        &self,
        job: &Job<'_, Self>,
        answer: Result<Self::Answer, SourceError>,
    ) -> Result<Precheck, SourceError>;

    /// Judges the answer to the request.
    ///
    /// # Errors
    /// If it says no, or if it is no answer to it.
    fn judge_answer(&self, job: &Job<'_, Self>, body: &Body) -> Result<ActionResult, ActionError>;

    /// Judges why the request was not taken.
    fn judge_refusal(&self, job: &Job<'_, Self>, error: ActionError) -> Refusal;

    /// Judges what was read after a refusal, if it tells more than that.
    fn judge_again(&self, _job: &Job<'_, Self>, _answer: Self::Answer) -> Option<ActionResult> {
        None
    }

    /// Judges whether it was done, from all that was read so far; the first of it is what the plan says.
    ///
    /// # Errors
    /// If something could not be read.
    fn judge_verification(
        &self,
        job: &Job<'_, Self>,
        sent_at: Timestamp,
        answers: &[Result<Self::Answer, SourceError>],
    ) -> Result<Verdict, SourceError>;
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

/// An action on its way, as the judges see it.
pub(super) struct Job<'a, S: Writer + ?Sized> {
    pub(super) action: &'a Action,
    pub(super) cx: WriteContext,
    pub(super) judge: S::Judge,
}

/// Does an action, once.
///
/// # Errors
/// The comment: why it was not taken, or that nobody knows whether it was.
pub(super) async fn execute<S: Writer>(source: &S, action: &Action) -> Result<ActionResult, ActionError> {
    let made = |cx: &WriteContext| {
        let planned = plan(source.plans(), action, cx).ok_or_else(|| {
            let what = format!("to {}", action.operation.kind().name());
            ErrorKind::NotOffered { what }
        });
        let planned = planned.and_then(|planned| planned.map_err(|reason| ErrorKind::Unfit { reason }));
        planned.map_err(|trouble| surely_not(source.http().error(trouble)))
    };
    // nobody is asked about what will not be taken
    drop(made(&source.context())?);
    let cx = source.identify(action).await?;
    let Write { precheck, mut request, judge, .. } = made(&cx)?;
    let job = Job { action, cx, judge };
    if let Some(read) = &precheck {
        match source.judge_precheck(&job, source.read(read).await).map_err(surely_not)? {
            Precheck::GoOn => {}
            Precheck::GoOnWith(whole) => request = whole,
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
        Refusal::LookAgain(read, error) => {
            let answer = source.read(&read).await.ok();
            answer.and_then(|answer| source.judge_again(&job, answer)).ok_or(error)
        }
    }
}

/// Finds out by reading whether an action that went out at `sent_at` or later was done.
///
/// # Errors
/// If it cannot be read now.
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
            Verdict::Is(verification) => return Ok(verification),
            Verdict::Look(read) => next = read,
        }
    }
}
