//! Events from the rules' series (`ALERTS`): firings that started and ended before burnwatch was started or between two queries.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    EventLog, EventLogInput, LogEvent, LogEventKey, LogEventKind, LogEventSubject, SAME_FIRING_WITHIN,
};
use crate::app::firing_history::{self, AlertsByRule};
use crate::app::place::Place;
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::{FLAPPING_WITHIN, Firing, is_flapping};
use crate::model::world::World;

/// Logs the firings that the series of the Timeline's range contain.
pub(super) fn write(event_log: &mut EventLog, input: &EventLogInput<'_>) {
    let known = AlertsByRule::new(input.world);
    let noise = firing_history::latest(input.world, input.sources, &input.range);
    let mut by_alert: BTreeMap<Fingerprint, Vec<&Firing>> = BTreeMap::new();
    for firing in noise.iter().flat_map(|noise| &noise.fired).flat_map(|fired| &fired.firings) {
        let labels = known.alert(&firing.labels).map_or(&firing.labels, |alert| &alert.labels);
        by_alert.entry(Fingerprint::of(labels)).or_default().push(firing);
    }
    let mut reported = BTreeMap::new();
    for (alert, firings) in by_alert {
        for (at, kind, firing) in event_log.unlogged(alert, &firings) {
            reported.insert((at, kind, LogEventSubject::Alert(alert)), entry(input.world, &known, firing));
        }
    }
    event_log.replace_past_events(reported);
}

fn entry(world: &World, known: &AlertsByRule<'_>, firing: &Firing) -> LogEvent {
    let alert = known.alert(&firing.labels);
    let labels = alert.map_or(&firing.labels, |alert| &alert.labels);
    LogEvent {
        service: world.service_of(labels).cloned(),
        words: labels.value("alertname").into(),
        flaps: None,
        labels: labels.clone(),
        severity: Some(alert.map_or_else(|| world.severity_of(labels), |alert| alert.severity)),
        place: alert.map(|alert| Place::Alert(alert.fingerprint)),
    }
}

impl EventLog {
    /// When events of this type were logged for an alert from its own data, not from series.
    fn logged_times(&self, alert: Fingerprint, of: LogEventKind) -> Vec<Timestamp> {
        let is_its = |key: &&LogEventKey| {
            key.1 == of && key.2 == LogEventSubject::Alert(alert) && !self.past.contains(*key)
        };
        self.entries.keys().filter(is_its).map(|key| key.0).collect()
    }

    /// The starts and ends of these firings (sorted by time) that are not logged yet.
    fn unlogged<'a>(
        &self,
        alert: Fingerprint,
        firings: &[&'a Firing],
    ) -> Vec<(Timestamp, LogEventKind, &'a Firing)> {
        let (begun, ended) =
            (self.logged_times(alert, LogEventKind::Fired), self.logged_times(alert, LogEventKind::Resolved));
        // each logged start belongs to the firing whose start is nearest
        let heard: BTreeSet<usize> = begun
            .iter()
            .filter_map(|at| {
                let apart = |firing: &Firing| firing.from.duration_since(*at).abs();
                let (place, nearest) = firings.iter().enumerate().min_by_key(|(_, firing)| apart(firing))?;
                let is_its = apart(nearest) <= SAME_FIRING_WITHIN || nearest.from <= *at && *at <= nearest.to;
                is_its.then_some(place)
            })
            .collect();
        let mut unlogged = Vec::new();
        for (place, firing) in firings.iter().enumerate() {
            if !heard.contains(&place) {
                unlogged.push((firing.from, LogEventKind::Fired, *firing));
            }
            let next = firings.get(place + 1).map(|next| next.from);
            let is_heard = ended.iter().any(|at| firing.from < *at && next.is_none_or(|next| *at <= next));
            if !firing.is_open && !is_heard {
                unlogged.push((firing.to, LogEventKind::Resolved, *firing));
            }
        }
        unlogged
    }

    /// Removes an event that is known from series, because the alert itself now reports it.
    pub(super) fn replace_past(&mut self, alert: Fingerprint, kind: LogEventKind, at: Timestamp) {
        let is_told = |(then, its, subject): &LogEventKey| {
            (*its, subject) == (kind, &LogEventSubject::Alert(alert))
                && then.duration_since(at).abs() <= SAME_FIRING_WITHIN
        };
        let reported: Vec<LogEventKey> = self.past.iter().filter(|known| is_told(known)).cloned().collect();
        for known in reported {
            self.past.remove(&known);
            self.entries.remove(&known);
            if let (LogEventKind::Fired, Some(begun)) = (kind, self.beginnings.get_mut(&alert)) {
                begun.retain(|then| *then != known.0);
            }
        }
    }

    /// Records when a firing ended.
    pub(super) fn ends(&mut self, alert: Fingerprint, at: Timestamp) {
        if self.ended.len() > super::MAX_LOG_EVENTS {
            self.ended.clear();
        }
        self.ended.insert(alert, at);
    }

    fn replace_past_events(&mut self, reported: BTreeMap<LogEventKey, LogEvent>) {
        if !self.past.iter().eq(reported.keys()) {
            for key in std::mem::take(&mut self.past) {
                self.entries.remove(&key);
            }
            for (key, entry) in reported {
                if !self.entries.contains_key(&key) {
                    self.past.insert(key.clone());
                    self.add(key, || entry);
                }
            }
            self.revision += 1;
        }
        self.count_beginnings();
    }

    /// Counts, for each firing of each alert, the firings within the hour before it.
    fn count_beginnings(&mut self) {
        let mut begun: BTreeMap<Fingerprint, Vec<Timestamp>> = BTreeMap::new();
        for ((at, kind, subject), entry) in &mut self.entries {
            let (LogEventKind::Fired, LogEventSubject::Alert(alert)) = (kind, subject) else { continue };
            let its = begun.entry(*alert).or_default();
            its.retain(|before| at.duration_since(*before) <= FLAPPING_WITHIN);
            its.push(*at);
            let flaps = is_flapping(its).then_some(its.len());
            if entry.flaps != flaps {
                (entry.flaps, self.revision) = (flaps, self.revision + 1);
            }
        }
        for (alert, its) in begun {
            self.beginnings.insert(alert, its);
        }
    }
}
