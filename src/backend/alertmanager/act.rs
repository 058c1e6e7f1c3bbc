//! Silences made, edited, extended and expired.
//!
//! Making one adds something each time it is sent, so that an unclear outcome is read back and never sent again; the others
//! say how it shall be. Servers differ: what is sent here is what all since 0.16 take.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Alertmanager, garbled, map, wire};
use crate::backend::http::{Change, segment, surely_not};
use crate::backend::kit::lenient::Whole;
use crate::model::action::{ActError, Action, Found, Operation, Outcome, RequestPreview, SilenceDraft};
use crate::model::labels::Text;
use crate::model::matcher::{Matcher, Operator};
use crate::model::source::{SourceError, Trouble};

/// Two clocks are compared by the second, and requests take a while.
const SLACK: SignedDuration = SignedDuration::from_secs(5);
/// What of a stored silence is sent back when its end is moved.
const KEPT: [&str; 6] = ["id", "matchers", "startsAt", "createdBy", "comment", "annotations"];
/// In place of what only the server knows, where a call is shown.
const AS_STORED: &str = "as it is stored";

/// The calls of an action at a server of this address, whose clock is so far ahead of ours.
pub(crate) fn calls(
    action: &Action,
    address: &str,
    now: Timestamp,
    ahead: SignedDuration,
) -> Vec<RequestPreview> {
    let change = match &action.operation {
        Operation::Silence(draft) => creation(draft, now, ahead),
        Operation::Edit { draft, .. } => edition(as_stored(&action.target.id), draft, ahead),
        Operation::Extend { until } => extension(as_stored(&action.target.id), there(*until, ahead)),
        Operation::Expire => expiry(&action.target.id),
        Operation::Acknowledge
        | Operation::Resolve
        | Operation::Assign { .. }
        | Operation::Reroute { .. }
        | Operation::Escalate { .. }
        | Operation::Snooze { .. }
        | Operation::Note { .. }
        | Operation::Priority { .. }
        | Operation::Merge { .. }
        | Operation::AddResponder { .. }
        | Operation::StatusUpdate { .. }
        | Operation::Trigger { .. }
        | Operation::TakeShift { .. } => return Vec::new(),
    };
    vec![change.shown(address)]
}

/// A moment of ours by a clock that is so far ahead.
fn there(here: Timestamp, ahead: SignedDuration) -> Timestamp {
    here.saturating_add(ahead).unwrap_or(here)
}

fn creation(draft: &SilenceDraft, now: Timestamp, ahead: SignedDuration) -> Change {
    let body = json!({
        "matchers": draft.matchers.iter().map(matcher).collect::<Vec<_>>(),
        "startsAt": instant(there(draft.starts_at.unwrap_or(now), ahead)),
        "endsAt": instant(there(draft.ends_at, ahead)),
        "createdBy": &*draft.created_by,
        "comment": &*draft.comment,
    });
    Change::post("api/v2/silences", body)
}

/// The silence again as it shall be.
fn edition(mut stored: Map<String, Value>, draft: &SilenceDraft, ahead: SignedDuration) -> Change {
    stored.retain(|key, _| KEPT.contains(&&**key));
    stored.insert("matchers".into(), draft.matchers.iter().map(matcher).collect());
    if let Some(start) = draft.starts_at {
        stored.insert("startsAt".into(), instant(there(start, ahead)).into());
    }
    stored.insert("endsAt".into(), instant(there(draft.ends_at, ahead)).into());
    stored.insert("createdBy".into(), (&*draft.created_by).into());
    stored.insert("comment".into(), (&*draft.comment).into());
    Change::post("api/v2/silences", Value::Object(stored))
}

impl Alertmanager {
    pub(super) fn calls_of(&self, action: &Action) -> Vec<RequestPreview> {
        calls(action, self.http.address(), self.clock.now(), self.skew.ahead())
    }

    pub(super) async fn do_it(&self, action: &Action) -> Result<Outcome, ActError> {
        match &action.operation {
            Operation::Silence(draft) => self.post(&self.creation(draft)).await,
            Operation::Edit { draft, seen } => self.edit(&action.target.id, draft, *seen).await,
            Operation::Extend { until } => self.extend(&action.target.id, *until).await,
            Operation::Expire => self.expire(&action.target.id).await,
            other => {
                let what = format!("to {}", other.kind().name());
                Err(surely_not(self.http.error(Trouble::NotOffered { what })))
            }
        }
    }

    pub(super) async fn found(&self, action: &Action, sent_at: Timestamp) -> Result<Found, SourceError> {
        match &action.operation {
            Operation::Silence(draft) => self.find_new(draft, sent_at).await,
            Operation::Edit { draft, .. } => self.find_edited(draft).await,
            Operation::Extend { until } => {
                let is_so = |state: &str, end| state != "expired" && self.is_same(end, *until);
                self.find(&action.target.id, is_so).await
            }
            Operation::Expire => self.find(&action.target.id, |state, _| state == "expired").await,
            other => {
                let words = format!("it does not offer to {}", other.kind().name()).into();
                Ok(Found::Unknown { words })
            }
        }
    }

    fn creation(&self, draft: &SilenceDraft) -> Change {
        creation(draft, self.clock.now(), self.skew.ahead())
    }

    /// A moment that the server tells of, by our clock.
    fn here(&self, there: &str) -> Option<Timestamp> {
        there.parse::<Timestamp>().ok()?.checked_sub(self.skew.ahead()).ok()
    }

    /// A moment by the server's clock: it is that clock that begins and ends a silence.
    fn there(&self, here: Timestamp) -> Timestamp {
        there(here, self.skew.ahead())
    }

    /// Posts it again under its id: its server keeps it where it can, else makes a new one and ends the old one.
    async fn edit(
        &self,
        id: &str,
        draft: &SilenceDraft,
        seen: Option<Timestamp>,
    ) -> Result<Outcome, ActError> {
        let Some(stored) = self.stored(id).await.map_err(surely_not)? else { return Ok(gone()) };
        if state(&stored) == "expired" {
            return Ok(Outcome::Conflict { words: over(self.here(text(&stored, "endsAt"))) });
        }
        let changed_at = text(&stored, "updatedAt").parse::<Timestamp>().ok();
        if let (Some(seen), Some(changed_at)) = (seen, changed_at)
            && seen != changed_at
        {
            let (who, at) = (text(&stored, "createdBy"), self.here(text(&stored, "updatedAt")));
            let at = at.unwrap_or(changed_at).strftime("%H:%M:%S UTC");
            return Ok(Outcome::Conflict { words: format!("it was changed at {at} and is by {who}").into() });
        }
        match self.post(&edition(stored, draft, self.skew.ahead())).await {
            Err(error) if is_missing(&error.error.trouble) => Ok(gone()),
            outcome => outcome,
        }
    }

    /// Sends a silence and takes the id from the answer: it is not always the one that was sent.
    async fn post(&self, change: &Change) -> Result<Outcome, ActError> {
        let body = self.http.send(change, &[]).await.map_err(|error| self.in_words(error))?;
        // Grafana has said `id` at times
        let answer: Value = body.json().unwrap_or_default();
        let id = ["silenceID", "silenceId", "id"].into_iter().find_map(|key| answer.get(key)?.as_str());
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            let error = self.http.error(Trouble::Garbled { reason: "no `silenceID` in the answer".into() });
            ActError { error, is_unclear: true }
        })?;
        Ok(Outcome::Done { id: Some(id.into()) })
    }

    async fn extend(&self, id: &str, until: Timestamp) -> Result<Outcome, ActError> {
        let Some(stored) = self.stored(id).await.map_err(surely_not)? else { return Ok(gone()) };
        let ends_at = self.here(text(&stored, "endsAt"));
        match state(&stored) {
            "expired" => return Ok(Outcome::Conflict { words: over(ends_at) }),
            _ if self.is_same(ends_at, until) => {
                return Ok(Outcome::Already { words: "it ends at that time".into() });
            }
            _ => {}
        }
        match self.post(&extension(stored, self.there(until))).await {
            Err(error) if is_missing(&error.error.trouble) => Ok(gone()),
            outcome => outcome,
        }
    }

    async fn expire(&self, id: &str) -> Result<Outcome, ActError> {
        // a server before 0.26 says the same to the second time, and 500 to one that it does not know
        let Some(stored) = self.stored(id).await.map_err(surely_not)? else { return Ok(gone()) };
        if state(&stored) == "expired" {
            let words = over(self.here(text(&stored, "endsAt")));
            return Ok(Outcome::Already { words });
        }
        match self.http.send(&expiry(id), &[]).await {
            Ok(_) => Ok(Outcome::Done { id: None }),
            Err(error) if is_missing(&error.error.trouble) => Ok(gone()),
            Err(error) => Err(self.in_words(error)),
        }
    }

    /// A silence as the server has it, to the letter.
    async fn stored(&self, id: &str) -> Result<Option<Map<String, Value>>, SourceError> {
        match self.http.get(&one(id), &[]).await {
            Ok(body) => Ok(Some(body.json()?)),
            Err(error) if is_missing(&error.trouble) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn find(
        &self,
        id: &str,
        is_so: impl Fn(&str, Option<Timestamp>) -> bool,
    ) -> Result<Found, SourceError> {
        let Some(stored) = self.stored(id).await? else {
            return Ok(Found::Unknown { words: "the silence is not there any more".into() });
        };
        let ends_at = self.here(text(&stored, "endsAt"));
        Ok(if is_so(state(&stored), ends_at) { Found::Done { id: None } } else { Found::NotDone })
    }

    /// Whether both are one moment: servers keep fewer digits than we send, and a difference of clocks is known by the second.
    fn is_same(&self, stored: Option<Timestamp>, wanted: Timestamp) -> bool {
        let slack = if self.skew.ahead().is_zero() { SignedDuration::from_secs(1) } else { SLACK };
        stored.is_some_and(|stored| stored.duration_since(wanted).abs() < slack)
    }

    /// The newest silence that is what was asked for, if it came about since.
    async fn find_new(&self, draft: &SilenceDraft, sent_at: Timestamp) -> Result<Found, SourceError> {
        let since = sent_at.saturating_sub(SLACK).unwrap_or(Timestamp::MIN);
        self.find_like(draft, |starts_at, _| starts_at.is_some_and(|start| start >= since)).await
    }

    /// The silence that was asked for in place of another, whether its server has kept its id or not.
    async fn find_edited(&self, draft: &SilenceDraft) -> Result<Found, SourceError> {
        self.find_like(draft, |_, ends_at| self.is_same(ends_at, draft.ends_at)).await
    }

    /// The newest silence that is what was asked for and begins and ends as it must.
    async fn find_like(
        &self,
        draft: &SilenceDraft,
        fits: impl Fn(Option<Timestamp>, Option<Timestamp>) -> bool,
    ) -> Result<Found, SourceError> {
        let body = self.get("silences", &[]).await?;
        let Whole(silences): Whole<wire::Silence<'_>> =
            serde_json::from_slice(&body.bytes).map_err(|error| garbled(&self.info.id, &body, &error))?;
        let wanted = conditions(draft.matchers.iter().map(|matcher| {
            let (is_regex, is_equal) = signs(matcher.operator());
            (matcher.name(), matcher.value(), is_regex, is_equal)
        }));
        let is_it = |silence: &&wire::Silence<'_>| {
            let matchers = silence.matchers.all.iter().map(|matcher| {
                let (is_regex, is_equal) = matcher.signs();
                (&*matcher.name.0, &*matcher.value.0, is_regex, is_equal)
            });
            *silence.created_by.0 == *draft.created_by
                && *silence.comment.0 == *draft.comment
                && fits(self.here(&silence.starts_at.0), self.here(&silence.ends_at.0))
                && conditions(matchers) == wanted
        };
        let newest = silences.all.iter().filter(is_it).max_by_key(|silence| map::moment(&silence.starts_at));
        Ok(newest.map_or(Found::NotDone, |silence| Found::Done { id: Some((&*silence.id.0).into()) }))
    }

    /// What Grafana means by a refusal that names none of its own settings.
    fn in_words(&self, error: ActError) -> ActError {
        let Trouble::Refused { status: 403, message } = &error.error.trouble else { return error };
        if !self.is_grafana() {
            return error;
        }
        let message = format!(
            "{message}; without the right to create alert silences everywhere (`alert.instances:create`) Grafana takes only \
             silences with the matcher `__alert_rule_uid__=<uid of the rule>`"
        );
        ActError { error: self.http.error(Trouble::Refused { status: 403, message }), ..error }
    }

    fn is_grafana(&self) -> bool {
        self.http.base().path().contains("/api/alertmanager/")
    }
}

/// What only the server knows of a silence, where a call is shown.
fn as_stored(id: &str) -> Map<String, Value> {
    let mut stored = Map::from_iter(KEPT.map(|key| (key.to_owned(), AS_STORED.into())));
    stored.remove("annotations");
    stored.insert("id".into(), id.into());
    stored
}

fn one(id: &str) -> String {
    format!("api/v2/silence/{}", segment(id))
}

fn expiry(id: &str) -> Change {
    Change::delete(one(id))
}

/// The silence again with another end. Another start or other matchers would make a second one of it.
fn extension(mut stored: Map<String, Value>, until: Timestamp) -> Change {
    stored.retain(|key, _| KEPT.contains(&&**key));
    for matcher in stored.get_mut("matchers").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(matcher) = matcher.as_object_mut() {
            // before 0.22 there was nothing else; some later ones take a missing one for `false`
            matcher.entry("isEqual").or_insert(true.into());
        }
    }
    stored.insert("endsAt".into(), instant(until).into());
    Change::post("api/v2/silences", Value::Object(stored))
}

fn matcher(matcher: &Matcher) -> Value {
    let (is_regex, is_equal) = signs(matcher.operator());
    json!({ "name": matcher.name(), "value": matcher.value(), "isRegex": is_regex, "isEqual": is_equal })
}

/// `isRegex`, `isEqual`
fn signs(operator: Operator) -> (bool, bool) {
    match operator {
        Operator::Equal => (false, true),
        Operator::NotEqual => (false, false),
        Operator::Matches => (true, true),
        Operator::MatchesNot => (true, false),
    }
}

/// Matchers as a set: servers sort them.
fn conditions<'a>(
    matchers: impl Iterator<Item = (&'a str, &'a str, bool, bool)>,
) -> Vec<(&'a str, &'a str, bool, bool)> {
    let mut all: Vec<_> = matchers.collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn text<'a>(stored: &'a Map<String, Value>, key: &str) -> &'a str {
    stored.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn state(stored: &Map<String, Value>) -> &str {
    stored.get("status").and_then(|status| status.get("state")?.as_str()).unwrap_or_default()
}

fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn over(ended_at: Option<Timestamp>) -> Text {
    match ended_at {
        Some(at) => format!("it expired at {}", at.strftime("%H:%M:%S UTC")).into(),
        None => "it has expired".into(),
    }
}

fn gone() -> Outcome {
    Outcome::Conflict { words: "the silence is not there any more".into() }
}

/// Whether the server does not know the silence: 404 since 0.26, and 500 before.
fn is_missing(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Refused { status: 404, .. } => true,
        Trouble::Refused { status: 500, message } => message.contains("not found"),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
