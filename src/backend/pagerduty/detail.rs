//! The details of one incident: timeline, notes, alerts, and similar past incidents. A part that cannot be read leads to a
//! warning.

use jiff::Timestamp;
use serde_json::Value;

use super::map::TextReader;
use super::{PagerDuty, wire};
use crate::backend::kit::cost::digest;
use crate::backend::kit::firing_text;
use crate::backend::kit::paging::ListResult;
use crate::backend::kit::parts::AnswerParts;
use crate::backend::kit::time::Rfc3339;
use crate::model::ask::{Answer, Answered};
use crate::model::incident::{IncidentAlert, IncidentDetail, IncidentEvent, Note, SimilarIncident};
use crate::model::labels::{Labels, Text};
use crate::model::source::{ErrorKind, SourceError};

/// The maximum number of pages of log entries and of alerts.
const PAGES: usize = 10;
/// The maximum number of details of one alert.
const DETAILS: usize = 200;
/// The maximum length of a link's name within a text, in bytes.
const LINK_NAME: usize = 32;
/// The number of similar past incidents to request.
const PAST: &str = "10";

impl PagerDuty {
    /// Reads the details of an incident.
    pub(super) async fn incident(&self, id: &str, known: Option<u64>) -> Answered {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || !id.chars().all(is_plain) {
            return Err(self
                .http
                .error(ErrorKind::BadQuery { message: format!("{id:?} is not a valid incident id") }));
        }
        let path = |part: &str| format!("incidents/{id}/{part}");
        let (steps, notes, alerts, past) =
            (path("log_entries"), path("notes"), path("alerts"), path("past_incidents"));
        let steps_query = [("is_overview", "true"), ("time_zone", "UTC")];
        let alerts_query = [("sort_by", "created_at:asc")];
        let past_query = [("limit", PAST)];
        let (steps, notes, alerts, past) = tokio::join!(
            self.pages::<wire::LogEntry>(&steps, &steps_query, PAGES),
            self.list::<wire::Note>(&notes, &[]),
            self.pages::<wire::Alert>(&alerts, &alerts_query, PAGES),
            self.list::<wire::PastIncident>(&past, &past_query),
        );
        let mut parts = AnswerParts::default();
        let steps = part(&mut parts, "timeline", steps)?;
        let notes = part(&mut parts, "notes", notes)?;
        let alerts = part(&mut parts, "alerts", alerts)?;
        let past = part(&mut parts, "similar past incidents", past)?;
        parts.require_any()?;
        let mut detail = self.read(|reader| IncidentDetail {
            steps: steps.iter().rev().map(|entry| reader.step(entry)).collect(),
            notes: notes.iter().map(|note| reader.note(note)).collect(),
            alerts: alerts.iter().map(|alert| reader.incident_alert(alert)).collect(),
            past: past.iter().filter_map(|past| reader.past(past, id)).collect(),
        });
        detail.steps.sort_by_key(|step| step.at);
        detail.notes.sort_by_key(|note| note.at);
        detail.alerts.sort_by_key(|alert| alert.created_at);
        detail.past.sort_by_key(|past| std::cmp::Reverse(past.created_at));
        let digest = digest(&format!("{detail:?}"));
        Ok(parts.reply_if_new(Answer::Incident(detail), digest, known))
    }
}

/// The items of a part; empty, with a warning, if the part could not be read.
fn part<T>(parts: &mut AnswerParts, what: &str, pages: ListResult<T>) -> Result<Vec<T>, SourceError> {
    let Some(pages) = parts.take(what, pages)? else { return Ok(Vec::new()) };
    let cut = format!("{what}: only the first {} are shown", pages.items.len());
    Ok(parts.items(pages, &format!("entries ({what})"), &cut))
}

impl TextReader<'_> {
    /// Maps an entry of the log.
    pub(super) fn step(&mut self, wire: &wire::LogEntry) -> IncidentEvent {
        let kind = self.text(wire.kind());
        let reported = wire.user.0.iter().chain(&wire.assignees.all);
        let reported: Vec<Text> = reported.map(|thing| self.name(thing)).collect();
        let agent = wire.agent.0.as_ref();
        let did = agent.filter(|agent| agent.is("user") || reported.is_empty()).map(|agent| self.name(agent));
        let who = match &*kind {
            "notify" | "assign" if !reported.is_empty() => Some(self.text(&reported.join(", "))),
            _ => did.or_else(|| (!reported.is_empty()).then(|| self.text(&reported.join(", ")))),
        };
        let channel = wire.channel.0.as_ref();
        let channel = channel.and_then(|channel| {
            let notified = channel.notification.0.as_ref().map(|reported| &reported.kind);
            let notified = notified.filter(|kind| !kind.0.is_empty());
            self.some(notified.unwrap_or(&channel.kind))
        });
        let changes: Vec<_> = wire.changeset.iter().map(String::as_str).collect();
        let summary = match (wire.summary.0.trim(), changes.join("; ")) {
            (summary, changes) if changes.is_empty() => self.text(summary),
            ("", changes) => self.text(&changes),
            (summary, changes) => self.text(&format!("{summary}: {changes}")),
        };
        IncidentEvent {
            at: at(wire.created_at),
            kind,
            who: who.filter(|who| !who.is_empty()),
            channel,
            summary,
        }
    }

    /// Maps a note.
    fn note(&mut self, wire: &wire::Note) -> Note {
        Note {
            at: at(wire.created_at),
            who: wire.user.0.as_ref().map_or_else(|| "somebody".into(), |user| self.name(user)),
            content: self.text(&wire.content.0),
        }
    }

    /// Maps a similar past incident; `None` if it is the incident `id` itself.
    fn past(&mut self, wire: &wire::PastIncident, id: &str) -> Option<SimilarIncident> {
        let incident = wire.incident.0.as_ref().filter(|incident| incident.id.0 != id)?;
        Some(SimilarIncident {
            id: self.some(&incident.id)?,
            title: self.first(&[&incident.title, &incident.summary, &incident.id]),
            created_at: at(incident.created_at),
            likeness: wire.score.0.parse().ok().filter(|score: &f64| score.is_finite()).unwrap_or(0.0),
            url: self.some(&incident.html_url),
        })
    }

    /// Maps an alert, with the labels and links in its details.
    pub(super) fn incident_alert(&mut self, wire: &wire::Alert) -> IncidentAlert {
        let nothing = wire::AlertBody::default();
        let body = wire.body.0.as_ref().unwrap_or(&nothing);
        let inner = body.cef_details.0.as_deref().unwrap_or(&nothing);
        let details = if body.details.is_null() { &inner.details } else { &body.details };
        let firing = firing_text::of_details(details, self.interner);
        let mut links = Vec::new();
        for body in [body, inner] {
            for context in &body.contexts.all {
                let name = self.first(&[&context.text, &context.alt]);
                let image = self.some(&context.src);
                let usual = if image.is_some() { "image" } else { "link" };
                let address = self.some(&context.href).or(image);
                links.extend(address.map(|address| (named(name, usual), address)));
            }
            let client = self.text(body.client.0.trim());
            links.extend(self.some(&body.client_url).map(|url| (named(client, "client"), url)));
        }
        let all_details = self.pairs(details);
        links.extend(firing.source.iter().map(|url| ("source".into(), Text::clone(url))));
        for (name, value) in firing.annotations.iter().chain(all_details.iter()) {
            links.push((name.clone(), value.clone()));
            if &**name == "firing" {
                continue; // contained in `firing.labels` and `firing.annotations`
            }
            // links in a text of several lines: `runbook: https://...`
            let pairs = value.lines().filter_map(|line| line.trim().split_once(": "));
            let pairs = pairs.filter(|(name, _)| name.len() <= LINK_NAME && !name.contains('='));
            links.extend(pairs.map(|(name, url)| (self.text(name), self.text(url.trim()))));
        }
        links.extend(self.some(&wire.html_url).map(|url| ("alert".into(), url)));
        let is_page = |url: &str| {
            ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
                && !url.contains(char::is_whitespace)
        };
        let mut seen = std::collections::HashSet::new();
        links.retain(|(_, url)| is_page(url) && seen.insert(url.clone()));
        IncidentAlert {
            id: self.text(&wire.id.0),
            is_resolved: wire.status.0 == "resolved",
            summary: self.first(&[&wire.summary, &wire.key, &wire.id]),
            severity: self.some(&wire.severity),
            created_at: at(wire.created_at),
            key: self.some(&wire.key),
            labels: firing.labels,
            firing: firing.each,
            generator: firing.source,
            details: all_details,
            links,
        }
    }

    /// The fields of an object as pairs; texts unchanged, other values as JSON. Anything else than an object is one pair
    /// named `details`.
    fn pairs(&mut self, value: &Value) -> Labels {
        let written = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let pairs = match value {
            Value::Object(fields) => {
                let pairs = fields.iter().take(DETAILS);
                pairs.map(|(name, value)| (self.text(name), self.text(&written(value)))).collect()
            }
            other => vec![("details".into(), self.text(&written(other)))],
        };
        Labels::new(pairs)
    }
}

/// The name, or `usual` if it is empty.
fn named(name: Text, usual: &str) -> Text {
    if name.is_empty() { usual.into() } else { name }
}

/// The time in a field; the epoch if it cannot be read, because that is obviously wrong on the screen, but a guess would look
/// right.
fn at(reported: Rfc3339) -> Timestamp {
    reported.0.unwrap_or(Timestamp::UNIX_EPOCH)
}
