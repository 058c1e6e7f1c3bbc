//! Creates, edits, extends and expires silences.
//!
//! Creating a silence twice would create two, so an unclear result is read back and never sent again; the other requests set
//! a state. The requests work with all Alertmanager versions since 0.16.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Alertmanager, garbled, map, wire};
use crate::backend::kit::http::{Body, Http, WriteRequest, segment};
use crate::backend::kit::lenient::RequiredList;
use crate::backend::writes::{
    Job, Plan, Precheck, Read, Refusal, Shape, VerifyStep, Write, Writer, kinds, preview,
};
use crate::model::action::{
    ActionError, ActionResult, SilenceDraft, Verification, WriteContext, WriteSupport,
};
use crate::model::labels::Text;
use crate::model::matcher::{Matcher, Operator};
use crate::model::source::{ErrorKind, SourceError};

/// Clocks are compared in whole seconds, and a request takes some time.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// The fields of a stored silence that are sent back when it is changed.
const KEPT: [&str; 6] = ["id", "matchers", "startsAt", "createdBy", "comment", "annotations"];
/// A placeholder in request previews for fields that only the server knows.
const AS_STORED: &str = "<unchanged>";

/// A silence as the server stores it, unparsed.
type Stored = Map<String, Value>;

/// The wanted state of a silence.
pub(in crate::backend) enum TargetState {
    New(SilenceDraft),
    /// The new content; and when the silence was last changed, by the server's clock, when the user saw it.
    Edited(SilenceDraft, Option<Timestamp>),
    Until(Timestamp),
    Over,
}

/// The supported operations.
pub(super) const SUPPORT: WriteSupport = WriteSupport {
    kinds: &kinds(&PLANS),
    preview: |action, address, cx| preview(&PLANS, action, address, cx),
};

static PLANS: [Plan<TargetState>; 4] = [
    Plan::Silence(|planning, draft| {
        let cx = planning.cx;
        let request = post(json!({
            "matchers": draft.matchers.iter().map(matcher).collect::<Vec<_>>(),
            "startsAt": instant(cx.there(draft.starts_at.unwrap_or(cx.now))),
            "endsAt": instant(cx.there(draft.ends_at)),
            "createdBy": &*draft.created_by,
            "comment": &*draft.comment,
        }));
        Ok(Write { precheck: None, request, verify: all(), judge: TargetState::New(draft.clone()) })
    }),
    Plan::Edit(|planning, draft, seen| {
        let id = &planning.target.id;
        let judge = TargetState::Edited(draft.clone(), *seen);
        let request = edition(as_stored(id), draft, planning.cx);
        Ok(Write { precheck: Some(one(id)), request, verify: all(), judge })
    }),
    Plan::Extend(|planning, until| {
        let id = &planning.target.id;
        let request = extension(as_stored(id), planning.cx.there(*until));
        Ok(Write { precheck: Some(one(id)), request, verify: one(id), judge: TargetState::Until(*until) })
    }),
    Plan::Expire(|planning| {
        let id = &planning.target.id;
        let request = WriteRequest::delete(one(id).path);
        // servers before 0.26 give the same answer to a repeated DELETE, and status 500 for an unknown silence
        Ok(Write { precheck: Some(one(id)), request, verify: one(id), judge: TargetState::Over })
    }),
];

fn post(body: Value) -> WriteRequest {
    WriteRequest::post("api/v2/silences", body)
}

/// The request that replaces the content of a silence.
fn edition(mut stored: Stored, draft: &SilenceDraft, cx: &WriteContext) -> WriteRequest {
    stored.retain(|key, _| KEPT.contains(&&**key));
    let starts_at = draft.starts_at.map(|start| ("startsAt", instant(cx.there(start)).into()));
    let drafted: [(&str, Value); 4] = [
        ("matchers", draft.matchers.iter().map(matcher).collect()),
        ("endsAt", instant(cx.there(draft.ends_at)).into()),
        ("createdBy", (&*draft.created_by).into()),
        ("comment", (&*draft.comment).into()),
    ];
    stored.extend(drafted.into_iter().chain(starts_at).map(|(key, value)| (key.to_owned(), value)));
    post(Value::Object(stored))
}

/// The request that changes only the end. With another start or other matchers Alertmanager would create a second silence.
fn extension(mut stored: Stored, until: Timestamp) -> WriteRequest {
    stored.retain(|key, _| KEPT.contains(&&**key));
    for matcher in stored.get_mut("matchers").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(matcher) = matcher.as_object_mut() {
            // versions before 0.22 have no `isEqual`; some later ones read a missing one as `false`
            matcher.entry("isEqual").or_insert(true.into());
        }
    }
    stored.insert("endsAt".into(), instant(until).into());
    post(Value::Object(stored))
}

/// Placeholders for the fields of a silence that only the server knows, for request previews.
fn as_stored(id: &str) -> Stored {
    let mut stored = Map::from_iter(KEPT.map(|key| (key.to_owned(), AS_STORED.into())));
    stored.remove("annotations");
    stored.insert("id".into(), id.into());
    stored
}

fn one(id: &str) -> Read {
    Read::of(format!("api/v2/silence/{}", segment(id)), Shape::Object)
}

fn all() -> Read {
    Read::of("silences", Shape::List)
}

impl Writer for Alertmanager {
    type Judge = TargetState;
    type Answer = Body;

    fn plans(&self) -> &'static [Plan<TargetState>] {
        &PLANS
    }

    fn http(&self) -> &Http {
        &self.http
    }

    fn context(&self) -> WriteContext {
        WriteContext { clock_ahead: self.skew.ahead(), ..WriteContext::at(self.clock.now()) }
    }

    async fn read(&self, read: &Read) -> Result<Body, SourceError> {
        match read.shape {
            Shape::Object => self.http.get(&read.path, &[]).await,
            Shape::List | Shape::Pages(_) => self.get(&read.path, &[]).await,
        }
    }

    fn judge_precheck(
        &self,
        job: &Job<'_, Self>,
        answer: Result<Body, SourceError>,
    ) -> Result<Precheck, SourceError> {
        let Some(stored) = stored(answer)? else { return Ok(Precheck::Stop(gone())) };
        let (is_over, cx) = (state(&stored) == "expired", &job.cx);
        let ends_at = here(cx, text(&stored, "endsAt"));
        Ok(match &job.judge {
            TargetState::Over if is_over => Precheck::Stop(ActionResult::Already { words: over(ends_at) }),
            TargetState::New(_) | TargetState::Over => Precheck::GoOn,
            TargetState::Edited(..) | TargetState::Until(_) if is_over => conflict(over(ends_at)),
            TargetState::Until(until) if is_same(cx, ends_at, *until) => {
                Precheck::Stop(ActionResult::Already { words: "it ends at that time".into() })
            }
            TargetState::Until(until) => Precheck::SendInstead(extension(stored, cx.there(*until))),
            TargetState::Edited(draft, seen) => {
                let changed_at = text(&stored, "updatedAt").parse::<Timestamp>().ok();
                if let Some(changed_at) = changed_at.filter(|at| seen.is_some_and(|seen| seen != *at)) {
                    let at = ours(cx, Some(changed_at)).unwrap_or(changed_at).strftime("%H:%M:%S UTC");
                    let who = text(&stored, "createdBy");
                    conflict(format!("it was changed at {at}; created by {who}").into())
                } else {
                    Precheck::SendInstead(edition(stored, draft, cx))
                }
            }
        })
    }

    /// Reads the id from the answer: it can differ from the one that was sent.
    fn judge_answer(&self, job: &Job<'_, Self>, body: &Body) -> Result<ActionResult, ActionError> {
        if matches!(job.judge, TargetState::Over) {
            return Ok(ActionResult::Done { id: None });
        }
        // some Grafana versions return `id`
        let answer: Value = body.json().unwrap_or_default();
        let id = ["silenceID", "silenceId", "id"].into_iter().find_map(|key| answer.get(key)?.as_str());
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            let error = self.http.error(ErrorKind::Garbled { reason: "no `silenceID` in the answer".into() });
            ActionError { error, is_unclear: true }
        })?;
        Ok(ActionResult::Done { id: Some(id.into()) })
    }

    fn judge_refusal(&self, job: &Job<'_, Self>, error: ActionError) -> Refusal {
        if !matches!(job.judge, TargetState::New(_)) && is_missing(&error.error.kind) {
            return Refusal::Is(gone());
        }
        Refusal::Final(self.in_words(error))
    }

    fn judge_verification(
        &self,
        job: &Job<'_, Self>,
        sent_at: Timestamp,
        answers: &[Result<Body, SourceError>],
    ) -> Result<VerifyStep, SourceError> {
        let Some(answer) = answers.last() else { return Ok(VerifyStep::Look(all())) };
        // reading the answer may have updated the clock difference
        let (answer, cx) = (answer.as_ref().map_err(Clone::clone), &self.context());
        let is_so = |stored: &Stored| match &job.judge {
            TargetState::Until(until) => {
                state(stored) != "expired" && is_same(cx, here(cx, text(stored, "endsAt")), *until)
            }
            TargetState::New(_) | TargetState::Edited(..) | TargetState::Over => state(stored) == "expired",
        };
        Ok(VerifyStep::Is(match &job.judge {
            // the newest silence with this content that was created after the request
            TargetState::New(draft) => {
                let since = sent_at.saturating_sub(SLACK).unwrap_or(Timestamp::MIN);
                self.find_like(cx, answer?, draft, |starts_at, _| {
                    starts_at.is_some_and(|start| start >= since)
                })?
            }
            // the edited silence may have a new id
            TargetState::Edited(draft, _) => {
                self.find_like(cx, answer?, draft, |_, ends_at| is_same(cx, ends_at, draft.ends_at))?
            }
            TargetState::Until(_) | TargetState::Over => match stored(answer)? {
                None => Verification::Unknown { words: "the silence no longer exists".into() },
                Some(stored) if is_so(&stored) => Verification::Done { id: None },
                Some(_) => Verification::NotDone,
            },
        }))
    }
}

impl Alertmanager {
    /// The newest silence with the matchers, creator and comment of the draft, and with times that `fits` accepts.
    fn find_like(
        &self,
        cx: &WriteContext,
        body: &Body,
        draft: &SilenceDraft,
        fits: impl Fn(Option<Timestamp>, Option<Timestamp>) -> bool,
    ) -> Result<Verification, SourceError> {
        let RequiredList(silences): RequiredList<wire::Silence<'_>> =
            serde_json::from_slice(&body.bytes).map_err(|error| garbled(&self.info.id, body, &error))?;
        let wanted = conditions(
            draft
                .matchers
                .iter()
                .map(|matcher| (matcher.name(), matcher.value(), operator_flags(matcher.operator()))),
        );
        let is_it = |silence: &&wire::Silence<'_>| {
            let matchers = silence.matchers.all.iter();
            let matchers = matchers.map(|one| (&*one.name.0, &*one.value.0, one.operator_flags()));
            *silence.created_by.0 == *draft.created_by
                && *silence.comment.0 == *draft.comment
                && fits(ours(cx, silence.starts_at.0), ours(cx, silence.ends_at.0))
                && conditions(matchers) == wanted
        };
        let newest = silences.all.iter().filter(is_it).max_by_key(|silence| map::moment(&silence.starts_at));
        let done = |silence: &wire::Silence<'_>| Verification::Done { id: Some((&*silence.id.0).into()) };
        Ok(newest.map_or(Verification::NotDone, done))
    }

    /// Explains Grafana's 403, which does not name the missing permission.
    fn in_words(&self, error: ActionError) -> ActionError {
        let is_grafana = self.http.base().path().contains("/api/alertmanager/");
        let Some(message) = error.error.kind.refused(403).filter(|_| is_grafana) else { return error };
        let message = format!(
            "{message}; without the right to create alert silences everywhere (`alert.instances:create`) Grafana takes only \
             silences with the matcher `__alert_rule_uid__=<uid of the rule>`"
        );
        ActionError { error: self.http.error(ErrorKind::Refused { status: 403, message }), ..error }
    }
}

/// The stored silence; `None` if the server does not know it.
fn stored(
    answer: Result<impl std::borrow::Borrow<Body>, SourceError>,
) -> Result<Option<Stored>, SourceError> {
    match answer {
        Ok(body) => body.borrow().json().map(Some),
        Err(error) if is_missing(&error.kind) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A timestamp of the server, converted to this machine's clock.
fn here(cx: &WriteContext, there: &str) -> Option<Timestamp> {
    ours(cx, there.parse().ok())
}

/// A timestamp of the server, converted to this machine's clock.
fn ours(cx: &WriteContext, there: Option<Timestamp>) -> Option<Timestamp> {
    there?.checked_sub(cx.clock_ahead).ok()
}

/// Whether both are the same time: servers store fewer digits, and the clock difference is known in whole seconds.
fn is_same(cx: &WriteContext, stored: Option<Timestamp>, wanted: Timestamp) -> bool {
    let slack = if cx.clock_ahead.is_zero() { SignedDuration::from_secs(1) } else { SLACK };
    stored.is_some_and(|stored| stored.duration_since(wanted).abs() < slack)
}

fn conflict(words: Text) -> Precheck {
    Precheck::Stop(ActionResult::Conflict { words })
}

fn matcher(matcher: &Matcher) -> Value {
    let (is_regex, is_equal) = operator_flags(matcher.operator());
    json!({ "name": matcher.name(), "value": matcher.value(), "isRegex": is_regex, "isEqual": is_equal })
}

/// `isRegex`, `isEqual`
fn operator_flags(operator: Operator) -> (bool, bool) {
    (operator.is_regex(), operator.is_equal())
}

/// Matchers as a set: servers sort them.
fn conditions<'a>(
    matchers: impl Iterator<Item = (&'a str, &'a str, (bool, bool))>,
) -> BTreeSet<(&'a str, &'a str, (bool, bool))> {
    matchers.collect()
}

fn text<'a>(stored: &'a Stored, key: &str) -> &'a str {
    stored.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn state(stored: &Stored) -> &str {
    stored.get("status").and_then(|status| status.get("state")?.as_str()).unwrap_or_default()
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

fn gone() -> ActionResult {
    ActionResult::Conflict { words: "the silence no longer exists".into() }
}

/// Whether the server does not know the silence: 404 since 0.26, and 500 before.
fn is_missing(failure: &ErrorKind) -> bool {
    failure.refused(404).is_some()
        || failure.refused(500).is_some_and(|message| message.contains("not found"))
}

#[cfg(test)]
mod tests;
