//! Creates, edits, extends and expires silences by the API v2.
//!
//! Creating a silence twice would create two, so an unclear result is read back and never sent again; the other requests set
//! a state. The requests work with all Alertmanager versions since 0.16, and with Grafana's.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::alerts::silences;
use crate::backend::kit::http::{Body, WriteRequest, segment};
use crate::backend::kit::lenient::{LenientList, RequiredList};
use crate::backend::writes::{
    Check, DONE, Plan, Planned, Planning, Precheck, Read, ReadAnswer, Refusal, SLACK, SentTrace, Shape,
    VerifyStep, Write, Writer,
};
use crate::model::action::{ActionError, ActionResult, Operation, SilenceDraft, Verification, WriteContext};
use crate::model::labels::Text;
use crate::model::matcher::Matcher;
use crate::model::silence::Silence;
use crate::model::source::{ErrorKind, SourceError};

/// The fields of a stored silence that are sent back when it is changed.
const KEPT: [&str; 6] = ["id", "matchers", "startsAt", "createdBy", "comment", "annotations"];
/// A placeholder in request previews for fields that only the server knows.
const AS_STORED: &str = "<unchanged>";

/// A silence as the server stores it, unparsed.
type Stored = Map<String, Value>;

/// Where a source has the API v2.
pub(crate) trait SilencePath: 'static {
    /// The path of the API below the source's address, without a slash at its end.
    const API: &'static str;
}

/// The plans of the operations on silences at sources of this kind.
pub(crate) const fn plans<P: SilencePath>() -> [Plan; 4] {
    [
        Plan::Silence(|planning, draft| creation::<P>(planning, draft)),
        Plan::Edit(|planning, draft, seen| change::<P>(planning, draft, *seen)),
        Plan::Extend(|planning, until| longer::<P>(planning, *until)),
        Plan::Expire(|planning| expiry::<P>(planning)),
    ]
}

fn creation<'a, P: SilencePath>(planning: Planning<'a>, draft: &'a SilenceDraft) -> Planned<'a> {
    let starts_at = draft.starts_at.or(Some(planning.cx.now));
    let request = edition::<P>(Stored::new(), &SilenceDraft { starts_at, ..draft.clone() }, planning.cx);
    // the newest silence with this content that was created after the request
    let step = alike::<P>(planning, draft, |silence, trace| {
        silence.starts_at >= trace.sent_at.saturating_sub(SLACK).unwrap_or(Timestamp::MIN)
    });
    Ok(Write { verify: vec![step], ..Write::of(planning, request) })
}

fn change<'a, P: SilencePath>(
    planning: Planning<'a>,
    draft: &'a SilenceDraft,
    seen: Option<Timestamp>,
) -> Planned<'a> {
    let cx = planning.cx;
    let check = checked::<P>(planning, move |stored, ends_at| {
        let changed_at = text(stored, "updatedAt").parse::<Timestamp>().ok();
        if is_over(stored) {
            conflict(over(ends_at))
        } else if let Some(changed_at) = changed_at.filter(|at| seen.is_some_and(|seen| seen != *at)) {
            let at = here(cx, changed_at).unwrap_or(changed_at).strftime("%H:%M:%S UTC");
            let who = text(stored, "createdBy");
            conflict(format!("it was changed at {at}; created by {who}").into())
        } else {
            Precheck::SendInstead(edition::<P>(stored.clone(), draft, cx))
        }
    });
    // the edited silence may have a new id
    let step = alike::<P>(planning, draft, |silence, trace| {
        is_same(&trace.cx, Some(silence.ends_at), draft.ends_at)
    });
    let request = edition::<P>(as_stored(planning), draft, cx);
    Ok(Write { check: Some(check), verify: vec![step], ..Write::of(planning, request) })
}

fn longer<P: SilencePath>(planning: Planning<'_>, until: Timestamp) -> Planned<'_> {
    let cx = planning.cx;
    let check = checked::<P>(planning, move |stored, ends_at| {
        if is_over(stored) {
            conflict(over(ends_at))
        } else if is_same(cx, ends_at, until) {
            already("it ends at that time".into())
        } else {
            Precheck::SendInstead(extension::<P>(stored.clone(), cx.there(until)))
        }
    });
    let step = found::<P>(planning, move |stored, trace| {
        !is_over(stored) && is_same(&trace.cx, ends_at(&trace.cx, stored), until)
    });
    let request = extension::<P>(as_stored(planning), cx.there(until));
    Ok(Write { check: Some(check), verify: vec![step], ..Write::of(planning, request) })
}

fn expiry<P: SilencePath>(planning: Planning<'_>) -> Planned<'_> {
    let judge = |stored: &Stored, ends_at| {
        if is_over(stored) { already(over(ends_at)) } else { Precheck::GoOn }
    };
    let (check, step) = (checked::<P>(planning, judge), found::<P>(planning, |stored, _| is_over(stored)));
    // servers before 0.26 give the same answer to a repeated DELETE, and status 500 for an unknown silence
    let request = WriteRequest::delete(one::<P>(planning).path);
    Ok(Write { check: Some(check), verify: vec![step], ..Write::of(planning, request) })
}

/// Reads the silence before; `judge` gets it, and its end by this machine's clock.
fn checked<'a, P: SilencePath>(
    planning: Planning<'a>,
    judge: impl Fn(&Stored, Option<Timestamp>) -> Precheck + Send + Sync + 'a,
) -> Check<'a> {
    let judge = move |answer: &Value| match answer.as_object() {
        Some(stored) => judge(stored, ends_at(planning.cx, stored)),
        None => Precheck::Stop(gone()),
    };
    Check { read: one::<P>(planning), is_first: true, judge: Box::new(judge) }
}

/// Reads the silence back: whether it is in the wanted state.
fn found<'a, P: SilencePath>(
    planning: Planning<'a>,
    is_so: impl Fn(&Stored, &SentTrace) -> bool + Send + Sync + 'a,
) -> VerifyStep<'a> {
    VerifyStep::new(
        move |_| one::<P>(planning),
        move |answers, trace| {
            Some(match answers.last()?.as_object() {
                None => Verification::Unknown { words: GONE.into() },
                Some(stored) if is_so(stored, trace) => DONE,
                Some(_) => Verification::NotDone,
            })
        },
    )
}

/// Finds the newest silence with the matchers, creator and comment of the draft that `fits`.
fn alike<'a, P: SilencePath>(
    planning: Planning<'a>,
    draft: &'a SilenceDraft,
    fits: impl Fn(&Silence, &SentTrace) -> bool + Send + Sync + 'a,
) -> VerifyStep<'a> {
    VerifyStep::new(
        |_| Read::of(format!("{}/silences", P::API), Shape::List),
        move |answers, trace| {
            let list = LenientList::deserialize(answers.last()?).ok()?;
            let (all, _) = silences(&list, &planning.action.source, trace.cx.clock_ahead);
            // servers sort matchers
            let has_all = |some: &[Matcher], others: &[Matcher]| some.iter().all(|one| others.contains(one));
            let is_it = |silence: &&Arc<Silence>| {
                (&silence.created_by, &silence.comment) == (&draft.created_by, &draft.comment)
                    && has_all(&silence.matchers, &draft.matchers)
                    && has_all(&draft.matchers, &silence.matchers)
                    && fits(silence, trace)
            };
            let newest = all.iter().filter(is_it).max_by_key(|silence| silence.starts_at);
            newest.map(|silence| Verification::Done { id: Some(Text::clone(&silence.id)) })
        },
    )
}

/// The request that creates a silence, or replaces its content.
fn edition<P: SilencePath>(mut stored: Stored, draft: &SilenceDraft, cx: &WriteContext) -> WriteRequest {
    stored.retain(|key, _| KEPT.contains(&&**key));
    let starts_at = draft.starts_at.map(|start| ("startsAt", instant(cx.there(start)).into()));
    let drafted: [(&str, Value); 4] = [
        ("matchers", draft.matchers.iter().map(matcher).collect()),
        ("endsAt", instant(cx.there(draft.ends_at)).into()),
        ("createdBy", (&*draft.created_by).into()),
        ("comment", (&*draft.comment).into()),
    ];
    stored.extend(drafted.into_iter().chain(starts_at).map(|(key, value)| (key.to_owned(), value)));
    post::<P>(stored)
}

/// The request that changes only the end. With another start or other matchers Alertmanager would create a second silence.
fn extension<P: SilencePath>(mut stored: Stored, until: Timestamp) -> WriteRequest {
    stored.retain(|key, _| KEPT.contains(&&**key));
    for matcher in stored.get_mut("matchers").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(matcher) = matcher.as_object_mut() {
            // versions before 0.22 have no `isEqual`; some later ones read a missing one as `false`
            matcher.entry("isEqual").or_insert(true.into());
        }
    }
    stored.insert("endsAt".into(), instant(until).into());
    post::<P>(stored)
}

fn post<P: SilencePath>(silence: Stored) -> WriteRequest {
    WriteRequest::post(format!("{}/silences", P::API), Value::Object(silence))
}

/// Placeholders for the fields of a silence that only the server knows, for request previews.
fn as_stored(planning: Planning<'_>) -> Stored {
    let mut stored = Map::from_iter(KEPT.map(|key| (key.to_owned(), AS_STORED.into())));
    stored.remove("annotations");
    stored.insert("id".into(), planning.id().into());
    stored
}

fn one<P: SilencePath>(planning: Planning<'_>) -> Read {
    Read::of(format!("{}/silence/{}", P::API, segment(planning.id())), Shape::Object)
}

/// Reads a silence or the list of silences. A silence that the server does not know is null.
///
/// # Errors
/// If the source cannot be read, or its answer is no silence.
pub(crate) async fn read<S: Writer>(source: &S, read: &Read) -> Result<ReadAnswer, SourceError> {
    let value = match read.shape {
        Shape::Object => match source.http().get(&read.path, &[]).await {
            Err(error) if is_missing(&error.kind) => Value::Null,
            body => Value::Object(body?.json()?),
        },
        Shape::List | Shape::Pages(_) => {
            let body = source.http().get(&read.path, &[]).await?;
            Value::Array(body.json::<RequiredList<Value>>()?.0.all)
        }
    };
    Ok(ReadAnswer { value, date: None })
}

/// Reads the id from the answer to a request: it can differ from the one that was sent.
///
/// # Errors
/// If the answer has no id.
pub(crate) fn judge_answer<S: Writer>(
    source: &S,
    write: &Write<'_>,
    body: &Body,
) -> Result<ActionResult, ActionError> {
    if matches!(write.planning.action.operation, Operation::Expire) {
        return Ok(ActionResult::Done { id: None });
    }
    // some Grafana versions return `id`
    let answer: Value = body.json().unwrap_or_default();
    let id = ["silenceID", "silenceId", "id"].into_iter().find_map(|key| answer.get(key)?.as_str());
    let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
        let error = source.http().error(ErrorKind::Garbled { reason: "no `silenceID` in the answer".into() });
        ActionError { error, is_unclear: true }
    })?;
    Ok(ActionResult::Done { id: Some(id.into()) })
}

/// Interprets a refused request; `is_grafana`: explains a 403 of Grafana, which does not name the missing permission.
pub(crate) fn judge_refusal<S: Writer>(
    source: &S,
    write: &Write<'_>,
    error: ActionError,
    is_grafana: bool,
) -> Refusal {
    if write.check.is_some() && is_missing(&error.error.kind) {
        return Refusal::Is(gone());
    }
    let Some(message) = error.error.kind.refused(403).filter(|_| is_grafana) else {
        return Refusal::Final(error);
    };
    let message = format!(
        "{message}; without the right to create alert silences everywhere (`alert.instances:create`) Grafana takes only \
         silences with the matcher `__alert_rule_uid__=<uid of the rule>`"
    );
    let error = source.http().error(ErrorKind::Refused { status: 403, message });
    Refusal::Final(ActionError { error, is_unclear: false })
}

/// A timestamp of the server, converted to this machine's clock.
fn here(cx: &WriteContext, there: Timestamp) -> Option<Timestamp> {
    there.checked_sub(cx.clock_ahead).ok()
}

/// The end of a silence by this machine's clock.
fn ends_at(cx: &WriteContext, stored: &Stored) -> Option<Timestamp> {
    text(stored, "endsAt").parse().ok().and_then(|there| here(cx, there))
}

/// Whether both are the same time: servers store fewer digits, and the clock difference is known in whole seconds.
fn is_same(cx: &WriteContext, stored: Option<Timestamp>, wanted: Timestamp) -> bool {
    let slack = if cx.clock_ahead.is_zero() { SignedDuration::from_secs(1) } else { SLACK };
    stored.is_some_and(|stored| stored.duration_since(wanted).abs() < slack)
}

fn conflict(words: Text) -> Precheck {
    Precheck::Stop(ActionResult::Conflict { words })
}

fn already(words: Text) -> Precheck {
    Precheck::Stop(ActionResult::Already { words })
}

/// A matcher in the form of the API.
pub(crate) fn matcher(matcher: &Matcher) -> Value {
    let operator = matcher.operator();
    json!({ "name": matcher.name(), "value": matcher.value(),
            "isRegex": operator.is_regex(), "isEqual": operator.is_equal() })
}

fn text<'a>(stored: &'a Stored, key: &str) -> &'a str {
    stored.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_over(stored: &Stored) -> bool {
    stored.get("status").and_then(|status| status.get("state")?.as_str()) == Some("expired")
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn over(ended_at: Option<Timestamp>) -> Text {
    match ended_at {
        Some(at) => format!("it expired at {}", at.strftime("%H:%M:%S UTC")).into(),
        None => "expired".into(),
    }
}

const GONE: &str = "the silence no longer exists";

fn gone() -> ActionResult {
    ActionResult::Conflict { words: GONE.into() }
}

/// Whether the server does not know the silence: 404 since 0.26, and 500 before.
fn is_missing(failure: &ErrorKind) -> bool {
    failure.refused(404).is_some()
        || failure.refused(500).is_some_and(|message| message.contains("not found"))
}
