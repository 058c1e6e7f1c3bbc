//! Maps PagerDuty's JSON to the model: people, references and incidents. Texts are kept unchanged.

use jiff::Timestamp;

use super::wire::{self, LenientObject, Reference, Word};
use crate::backend::kit::firing_text;
use crate::backend::kit::lenient::LenientList;
use crate::model::incident::{
    AlertCounts, Attribution, Incident, IncidentStatus, PagerRef, Pending, Person, Priority, Urgency,
};
use crate::model::labels::{Interner, Labels, Text};
use crate::model::source::SourceId;

/// Maps texts and objects, with interned texts.
pub(super) struct TextReader<'k> {
    pub(super) interner: &'k mut Interner,
    pub(super) source: &'k SourceId,
}

impl TextReader<'_> {
    pub(super) fn text(&mut self, text: &str) -> Text {
        self.interner.text(text)
    }

    /// The text, unless it is blank.
    pub(super) fn some(&mut self, word: &Word) -> Option<Text> {
        (!word.0.trim().is_empty()).then(|| self.text(&word.0))
    }

    /// The first text that is not blank; empty if all are.
    pub(super) fn first(&mut self, words: &[&Word]) -> Text {
        let found = words.iter().find(|word| !word.0.trim().is_empty());
        self.text(found.map_or("", |word| &word.0))
    }

    /// The display name: a complete object has a name, a reference only a summary.
    pub(super) fn name(&mut self, thing: &Reference) -> Text {
        self.first(&[&thing.name, &thing.summary, &thing.id])
    }

    /// The id, the name and the page of an object.
    pub(super) fn named(&mut self, thing: &Reference) -> PagerRef {
        PagerRef { id: self.text(&thing.id.0), name: self.name(thing), url: self.some(&thing.html_url) }
    }

    pub(super) fn maybe_named(&mut self, thing: &LenientObject<Reference>) -> Option<PagerRef> {
        thing.0.as_ref().map(|thing| self.named(thing))
    }

    pub(super) fn all_named(&mut self, things: &[Reference]) -> Vec<PagerRef> {
        things.iter().map(|thing| self.named(thing)).collect()
    }

    pub(super) fn person(&mut self, thing: &Reference) -> Person {
        Person {
            id: self.text(&thing.id.0),
            name: self.name(thing),
            email: self.some(&thing.email),
            zone: self.some(&thing.time_zone),
        }
    }

    /// Maps an incident; `None` if it has no id.
    pub(super) fn incident(&mut self, wire: &wire::Incident, ranks: &[Priority]) -> Option<Incident> {
        let id = self.some(&wire.id)?;
        // the epoch is obviously wrong on the screen, but a guess would look right
        let created_at = wire.created_at.0.unwrap_or(Timestamp::UNIX_EPOCH);
        let changed_at = wire.last_status_change_at.0.or(wire.updated_at.0).unwrap_or(created_at);
        let status = status(wire);
        let resolved_at = wire.resolved_at.0.or(Some(changed_at));
        let mut stamps = |given: &LenientList<wire::Attribution>| {
            let people = given.all.iter().filter_map(|given| {
                let who = self.person(given.who.0.as_ref()?);
                Some(Attribution { who, at: given.at.0.unwrap_or(changed_at) })
            });
            let mut stamps: Vec<_> = people.collect();
            stamps.sort_by_key(|stamp| stamp.at);
            stamps
        };
        let (assigned, acknowledged) = (stamps(&wire.assignments), stamps(&wire.acknowledgements));
        Some(Incident {
            number: wire.number.0,
            title: self.first(&[&wire.title, &wire.summary, &wire.id]),
            status,
            // an unknown urgency counts as high
            urgency: if wire.urgency.0 == "low" { Urgency::Low } else { Urgency::High },
            priority: self.maybe_named(&wire.priority).map(|named| {
                let rank =
                    ranks.iter().find(|ranked| ranked.named.id == named.id).and_then(|ranked| ranked.rank);
                Priority { named, rank }
            }),
            service: self.maybe_named(&wire.service),
            escalation_policy: self.maybe_named(&wire.escalation_policy),
            teams: self.all_named(&wire.teams.all),
            assigned,
            acknowledged,
            alerts: wire.alert_counts.0.as_ref().map_or_else(AlertCounts::default, |counts| AlertCounts {
                all: counts.all.saturating(),
                triggered: counts.triggered.saturating(),
            }),
            pending: {
                let pending = wire.pending_actions.all.iter();
                let mut pending: Vec<_> = pending
                    .filter_map(|action| Some(Pending { what: self.text(&action.kind.0), at: action.at.0? }))
                    .collect();
                pending.sort_by_key(|pending| pending.at);
                pending
            },
            created_at,
            changed_at,
            resolved_at: resolved_at.filter(|_| status == IncidentStatus::Resolved),
            key: self.some(&wire.key),
            conference: wire.conference_bridge.0.as_ref().and_then(|bridge| {
                self.some(&bridge.conference_url).or_else(|| self.some(&bridge.conference_number))
            }),
            firing: self.labels_of_trigger(wire),
            url: self.some(&wire.html_url),
            source: self.source.clone(),
            id,
        })
    }

    /// The labels of the alerts that opened an incident.
    fn labels_of_trigger(&mut self, wire: &wire::Incident) -> Vec<Labels> {
        let entry = wire.first_trigger_log_entry.0.as_ref();
        let Some(channel) = entry.and_then(|entry| entry.channel.0.as_ref()) else { return Vec::new() };
        let inner = channel.cef_details.0.as_ref().map(|inner| &inner.details);
        let reported = [Some(&channel.details), inner].into_iter().flatten();
        reported
            .map(|details| firing_text::of_details(details, self.interner).each)
            .find(|each| !each.is_empty())
            .unwrap_or_default()
    }
}

/// The status of an incident. An unknown status is derived from the other fields; `Triggered` if these say nothing.
fn status(wire: &wire::Incident) -> IncidentStatus {
    let derived = || match (wire.resolved_at.0, wire.acknowledgements.all.is_empty()) {
        (Some(_), _) => IncidentStatus::Resolved,
        (None, false) => IncidentStatus::Acknowledged,
        (None, true) => IncidentStatus::Triggered,
    };
    wire.status().unwrap_or_else(derived)
}
