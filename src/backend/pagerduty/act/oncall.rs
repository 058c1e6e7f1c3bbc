//! Shifts taken over: an override in the schedule.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{PagerDuty, segment};
use crate::backend::http::{Change, surely_not};
use crate::backend::pagerduty::incidents::instant;
use crate::backend::pagerduty::map::moment;
use crate::backend::pagerduty::wire;
use crate::model::action::{ActError, Action, EntityRef, Found, Outcome};
use crate::model::source::{SourceError, Trouble};

impl PagerDuty {
    pub(super) async fn take_shift(&self, action: &Action, change: &Change) -> Result<Outcome, ActError> {
        let answer = self.send(change, None, "").await.map_err(|error| ActError {
            error: Self::gone(&action.operation, error.error),
            is_unclear: error.is_unclear,
        })?;
        // a list with a status of its own for each; one alone before there could be several
        let first = answer.get(0).unwrap_or(&answer);
        let status = first.get("status").and_then(Value::as_u64).unwrap_or(201);
        let errors = first.get("errors").and_then(Value::as_array).into_iter().flatten();
        let errors: Vec<&str> = errors.filter_map(Value::as_str).collect();
        if status >= 300 {
            let message = errors.join("; ");
            let trouble = Trouble::Refused { status: u16::try_from(status).unwrap_or(400), message };
            return Err(surely_not(self.http.error(trouble)));
        }
        let Some(id) = first.get("override").and_then(|made| made.get("id")?.as_str()) else {
            let error = self.odd("no `override` in it");
            return Err(ActError { error, is_unclear: true });
        };
        Ok(Outcome::Done { id: Some(id.into()) })
    }

    /// Whether this person stands in for that time.
    pub(super) async fn stands_in(
        &self,
        schedule: &str,
        person: &EntityRef,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<Found, SourceError> {
        let (since, until) = (instant(start), instant(end));
        let query = [("since", &*since), ("until", &*until), ("overflow", "true")];
        let path = format!("schedules/{}/overrides", segment(schedule));
        let overrides = self.list::<wire::Override>(&path, &query).await?;
        let near = |word: &wire::Word, wanted: Timestamp| {
            moment(word).is_some_and(|at| at.duration_since(wanted).abs() < SignedDuration::from_secs(60))
        };
        let is_it = |made: &&wire::Override| {
            let user = made.turn.user.0.as_ref();
            user.is_some_and(|user| *user.id.0 == *person.id)
                && near(&made.turn.start, start)
                && near(&made.turn.end, end)
        };
        let found = overrides.items.iter().find(is_it);
        Ok(found.map_or(Found::NotDone, |made| Found::Done { id: Some(made.id.0.as_str().into()) }))
    }
}
