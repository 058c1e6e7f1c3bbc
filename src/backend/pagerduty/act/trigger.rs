//! Incidents opened by hand. The key that recognises one is made once, so that the same is never opened twice.

use super::incident::status;
use super::{Actor, PagerDuty};
use crate::backend::http::Change;
use crate::backend::pagerduty::wire;
use crate::model::action::{ActError, Action, Outcome};
use crate::model::incident::IncidentStatus;
use crate::model::source::{SourceError, Trouble};

impl PagerDuty {
    pub(super) async fn trigger(
        &self,
        action: &Action,
        change: &Change,
        key: &str,
        actor: &Actor,
    ) -> Result<Outcome, ActError> {
        let error = match self.send(change, Some(actor), "incident").await {
            Ok(incident) => {
                let id = incident.get("id").and_then(serde_json::Value::as_str);
                return Ok(Outcome::Done { id: id.map(Into::into) });
            }
            Err(error) => error,
        };
        if let Trouble::Refused { status: 400 | 409, message } = &error.error.trouble
            && message.contains("already exists")
            && let Ok(known) = self.with_key(key).await
            && let Some(known) = known.iter().find(|known| is_open(known))
        {
            return Ok(Outcome::Already { words: format!("it is open as #{}", known.number.0).into() });
        }
        Err(ActError { error: Self::gone(&action.operation, error.error), ..error })
    }

    /// The incidents with this key, the newest first.
    pub(super) async fn with_key(&self, key: &str) -> Result<Vec<wire::Incident>, SourceError> {
        let query = [("incident_key", key), ("date_range", "all"), ("sort_by", "created_at:desc")];
        let mut found = self.list::<wire::Incident>("incidents", &query).await?.items;
        found.retain(|incident| incident.key.0 == key);
        Ok(found)
    }
}

pub(super) fn is_open(incident: &wire::Incident) -> bool {
    status(incident).is_some_and(|status| status != IncidentStatus::Resolved)
}
