//! What happened to silences.

use jiff::Timestamp;

use super::{Chronicle, Entry, Kind, Subject, Telling};
use crate::app::place::Place;
use crate::model::labels::{Labels, Text};
use crate::model::matcher::{Matcher, Operator};
use crate::model::silence::Silence;

/// Takes note of silences that begin and end; one that is gone before its time was ended by somebody.
pub(super) fn write(telling: &Telling<'_>, chronicle: &mut Chronicle, now: Timestamp) {
    let told: Vec<_> = telling.world.silences().cloned().collect();
    for silence in &told {
        let subject = Subject::Named(silence.id.clone(), "".into());
        if silence.starts_at <= now {
            chronicle.add((silence.starts_at, Kind::Silenced, subject.clone()), || {
                of_silence(telling, silence, true)
            });
        }
        if silence.ends_at <= now {
            chronicle.in_force.remove(&silence.id);
            chronicle
                .add((silence.ends_at, Kind::Unsilenced, subject), || of_silence(telling, silence, false));
        } else if silence.starts_at <= now {
            let entry = of_silence(telling, silence, false);
            chronicle.in_force.insert(silence.id.clone(), (silence.ends_at, entry));
        }
    }
    // a source that is in trouble has not ended anything
    let is_whole = telling.world.sources().all(|(_, held)| held.silences().trouble().is_none());
    if !is_whole {
        return;
    }
    let gone: Vec<Text> = chronicle.in_force.keys().cloned().collect();
    for id in gone.into_iter().filter(|id| !told.iter().any(|silence| silence.id == *id)) {
        if let Some((until, entry)) = chronicle.in_force.remove(&id) {
            chronicle.add((until.min(now), Kind::Unsilenced, Subject::Named(id, "".into())), || entry);
        }
    }
}

fn of_silence(telling: &Telling<'_>, silence: &Silence, begins: bool) -> Entry {
    let matchers: Vec<String> = silence.matchers.iter().map(ToString::to_string).collect();
    let named = telling.service_labels.iter().find_map(|label| {
        let is_it = |matcher: &&Matcher| matcher.name() == label && matcher.operator() == Operator::Equal;
        silence.matchers.iter().find(is_it)
    });
    let by = if begins { format!(" by {}: {}", silence.created_by, silence.comment) } else { String::new() };
    Entry {
        service: named.map(|matcher| matcher.value().into()),
        words: format!("{{{}}}{by}", matchers.join(", ")).into(),
        labels: Labels::from_iter([("by", &*silence.created_by), ("source", silence.source.as_str())]),
        flaps: None,
        severity: None,
        place: Some(Place::Silences),
    }
}
