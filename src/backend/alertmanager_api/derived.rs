//! Determines which alerts are silenced if Alertmanager does not report it: matches the active silences as Alertmanager does.
//!
//! Cortex and Mimir never fill in `silencedBy`; any Alertmanager leaves `silencedBy` empty in the first seconds of an alert.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::alert::{Alert, AlertSnapshot, AlertState};
use crate::model::labels::Text;
use crate::model::silence::{Silence, SilenceState};
use crate::model::warning::Warning;

/// Whether the server did not report for some of these alerts whether they are silenced.
pub(crate) fn is_wanted(snapshot: &AlertSnapshot) -> bool {
    snapshot.alerts.iter().any(|alert| alert.is_derived)
}

/// Marks alerts as silenced that an active silence matches, if the server did not report their status. Returns a warning if a
/// matcher cannot be evaluated here.
pub(crate) fn apply(
    snapshot: &mut AlertSnapshot,
    silences: &[Arc<Silence>],
    now: Timestamp,
) -> Option<Warning> {
    let is_in_force = |silence: &&Arc<Silence>| {
        silence.state == SilenceState::Active && silence.ends_at > now && !silence.matchers.is_empty()
    };
    let in_force: Vec<&Arc<Silence>> = silences.iter().filter(is_in_force).collect();
    for alert in snapshot.alerts.iter_mut().filter(|alert| alert.is_derived) {
        let its = in_force.iter().filter(|silence| silence.matches(&alert.labels));
        let silenced_by: Vec<Text> = its.map(|silence| silence.id.clone()).collect();
        if !silenced_by.is_empty() {
            let state = AlertState::Silenced;
            *alert = Arc::new(Alert { state, silenced_by: silenced_by.into(), ..(**alert).clone() });
        }
    }
    let unevaluated =
        in_force.iter().flat_map(|silence| &silence.matchers).find(|one| !one.can_be_evaluated())?;
    Some(Warning::missing(format!(
        "the server does not report which alerts are silenced, and burnwatch cannot evaluate this matcher: {unevaluated}"
    )))
}

/// The digest of the alerts together with their silences: silences start and end while the list of alerts stays unchanged.
pub(crate) fn digest(of_alerts: u64, snapshot: &AlertSnapshot, warnings: &[Warning]) -> u64 {
    let mut hasher = DefaultHasher::new();
    of_alerts.hash(&mut hasher);
    warnings.hash(&mut hasher);
    for alert in &snapshot.alerts {
        alert.silenced_by.hash(&mut hasher);
    }
    hasher.finish()
}
