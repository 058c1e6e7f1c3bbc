//! Changes of services: deployments, restarts, configuration.

use std::collections::BTreeMap;

use super::{EventLog, LogEvent, LogEventKey, LogEventKind, LogEventSubject};
use crate::app::place::Place;
use crate::model::labels::Text;
use crate::model::world::World;

/// Logs the changes that the sources know now. What is known about a change may change later, such as its time, so that those
/// that are no longer reported as before are removed.
pub(super) fn write(event_log: &mut EventLog, world: &World) {
    let mut reported: BTreeMap<LogEventKey, LogEvent> = BTreeMap::new();
    for change in world.changes() {
        let words: Text = change.sentence().into();
        let service = change.service.clone();
        let subject = LogEventSubject::Named(service.clone().unwrap_or_default(), words.clone());
        let place = service.as_ref().filter(|name| world.service(name).is_some());
        let event = LogEvent {
            place: place.map(|name| Place::Service(name.clone())),
            service,
            words,
            flaps: None,
            labels: change.filter_labels(),
            severity: None,
        };
        reported.insert((change.at, LogEventKind::Changed, subject), event);
    }
    let before = event_log.entries.len();
    event_log.entries.retain(|key, _| key.1 != LogEventKind::Changed || reported.contains_key(key));
    if event_log.entries.len() < before {
        event_log.revision += 1;
    }
    for (key, event) in reported {
        event_log.add(key, || event);
    }
}
