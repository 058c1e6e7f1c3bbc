//! Timeline events of silences.

use jiff::Timestamp;

use super::{EventLog, EventLogInput, LogEvent, LogEventKind, LogEventSubject};
use crate::app::place::Place;
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{Matcher, Operator};
use crate::model::silence::Silence;

/// Adds events for silences that begin and end. A silence that disappears before its end was expired by a user.
pub(super) fn write(telling: &EventLogInput<'_>, event_log: &mut EventLog, now: Timestamp) {
    let reported: Vec<_> = telling.world.silences().cloned().collect();
    for silence in &reported {
        let subject = LogEventSubject::Named(silence.id.clone(), "".into());
        if silence.starts_at <= now {
            event_log.add((silence.starts_at, LogEventKind::Silenced, subject.clone()), || {
                of_silence(telling, silence, true)
            });
        }
        if silence.ends_at <= now {
            event_log.in_force.remove(&silence.id);
            event_log.add((silence.ends_at, LogEventKind::Unsilenced, subject), || {
                of_silence(telling, silence, false)
            });
        } else if silence.starts_at <= now {
            let entry = of_silence(telling, silence, false);
            event_log.in_force.insert(silence.id.clone(), (silence.ends_at, entry));
        }
    }
    // a failing source has not ended any silence
    let is_whole = telling.world.sources().all(|(_, held)| held.silences().failure().is_none());
    if !is_whole {
        return;
    }
    let gone: Vec<Text> = event_log.in_force.keys().cloned().collect();
    for id in gone.into_iter().filter(|id| !reported.iter().any(|silence| silence.id == *id)) {
        if let Some((until, entry)) = event_log.in_force.remove(&id) {
            event_log.add(
                (until.min(now), LogEventKind::Unsilenced, LogEventSubject::Named(id, "".into())),
                || entry,
            );
        }
    }
}

fn of_silence(telling: &EventLogInput<'_>, silence: &Silence, begins: bool) -> LogEvent {
    let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    let named = telling.world.health_policy.service_labels.iter().find_map(|label| {
        let is_it = |matcher: &&Matcher| matcher.name() == label && matcher.operator() == Operator::Equal;
        silence.matchers.iter().find(is_it)
    });
    let by = if begins { format!(" by {}: {}", silence.created_by, silence.comment) } else { String::new() };
    LogEvent {
        service: named.map(|matcher| matcher.value().into()),
        words: format!("{{{}}}{by}", matchers.join(", ")).into(),
        labels: Labels::from_iter([("by", &*silence.created_by), ("source", silence.source.as_str())]),
        flaps: None,
        severity: None,
        place: Some(Place::Silences),
    }
}
