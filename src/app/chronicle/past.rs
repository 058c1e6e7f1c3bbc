//! Firings that nobody heard, as the series of the rules tell them: so that what was over before burnwatch looked is there, too.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Chronicle, Entry, Key, Kind, RETOLD_WITHIN, Subject, Telling};
use crate::app::fired::{self, Known};
use crate::app::place::Place;
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::{FLAPS_WITHIN, Firing, is_flapping};
use crate::model::world::World;

/// Takes note of what the series of the rules tell of the time that the timeline shows.
pub(super) fn write(chronicle: &mut Chronicle, telling: &Telling<'_>) {
    let known = Known::new(telling.world);
    let noise = fired::latest(telling.world, telling.sources, &telling.range);
    let mut by_alert: BTreeMap<Fingerprint, Vec<&Firing>> = BTreeMap::new();
    for firing in noise.iter().flat_map(|noise| &noise.fired).flat_map(|fired| &fired.firings) {
        let labels = known.alert(&firing.labels).map_or(&firing.labels, |alert| &alert.labels);
        by_alert.entry(Fingerprint::of(labels)).or_default().push(firing);
    }
    let mut told = BTreeMap::new();
    for (alert, firings) in by_alert {
        for (at, kind, firing) in chronicle.unheard(alert, &firings) {
            told.insert((at, kind, Subject::Alert(alert)), entry(telling.world, &known, firing));
        }
    }
    chronicle.take_past(told);
}

fn entry(world: &World, known: &Known<'_>, firing: &Firing) -> Entry {
    let alert = known.alert(&firing.labels);
    let labels = alert.map_or(&firing.labels, |alert| &alert.labels);
    Entry {
        service: world.service_of(labels).cloned(),
        words: labels.value("alertname").into(),
        flaps: None,
        labels: labels.clone(),
        severity: Some(alert.map_or_else(|| world.severity_of(labels), |alert| alert.severity)),
        place: alert.map(|alert| Place::Alert(alert.fingerprint)),
    }
}

impl Chronicle {
    fn heard_of(&self, alert: Fingerprint, of: Kind) -> Vec<Timestamp> {
        let is_its = |key: &&Key| key.1 == of && key.2 == Subject::Alert(alert) && !self.past.contains(*key);
        self.entries.keys().filter(is_its).map(|key| key.0).collect()
    }

    /// The beginnings and ends of these firings of an alert, in the order of time, that were not heard.
    fn unheard<'a>(&self, alert: Fingerprint, firings: &[&'a Firing]) -> Vec<(Timestamp, Kind, &'a Firing)> {
        let (begun, ended) = (self.heard_of(alert, Kind::Fired), self.heard_of(alert, Kind::Resolved));
        // each beginning that was heard is that of the firing that begins nearest to it
        let heard: BTreeSet<usize> = begun
            .iter()
            .filter_map(|at| {
                let apart = |firing: &Firing| firing.from.duration_since(*at).abs();
                let (place, nearest) = firings.iter().enumerate().min_by_key(|(_, firing)| apart(firing))?;
                let is_its = apart(nearest) <= RETOLD_WITHIN || nearest.from <= *at && *at <= nearest.to;
                is_its.then_some(place)
            })
            .collect();
        let mut unheard = Vec::new();
        for (place, firing) in firings.iter().enumerate() {
            if !heard.contains(&place) {
                unheard.push((firing.from, Kind::Fired, *firing));
            }
            let next = firings.get(place + 1).map(|next| next.from);
            let is_heard = ended.iter().any(|at| firing.from < *at && next.is_none_or(|next| *at <= next));
            if !firing.is_open && !is_heard {
                unheard.push((firing.to, Kind::Resolved, *firing));
            }
        }
        unheard
    }

    /// A source tells now what happened to an alert: it need not be told by the past as well.
    pub(super) fn hears(&mut self, alert: Fingerprint, kind: Kind, at: Timestamp) {
        let is_told = |(then, its, subject): &Key| {
            (*its, subject) == (kind, &Subject::Alert(alert))
                && then.duration_since(at).abs() <= RETOLD_WITHIN
        };
        let told: Vec<Key> = self.past.iter().filter(|known| is_told(known)).cloned().collect();
        for known in told {
            self.past.remove(&known);
            self.entries.remove(&known);
            if let (Kind::Fired, Some(begun)) = (kind, self.beginnings.get_mut(&alert)) {
                begun.retain(|then| *then != known.0);
            }
        }
    }

    /// Notes when a firing was over.
    pub(super) fn ends(&mut self, alert: Fingerprint, at: Timestamp) {
        if self.ended.len() > super::MOST {
            self.ended.clear();
        }
        self.ended.insert(alert, at);
    }

    /// Puts this in the place of what the past told before.
    fn take_past(&mut self, told: BTreeMap<Key, Entry>) {
        if !self.past.iter().eq(told.keys()) {
            for key in std::mem::take(&mut self.past) {
                self.entries.remove(&key);
            }
            for (key, entry) in told {
                if !self.entries.contains_key(&key) {
                    self.past.insert(key.clone());
                    self.add(key, || entry);
                }
            }
            self.revision += 1;
        }
        self.count_beginnings();
    }

    /// How often each alert that fired had done so within the hour before.
    fn count_beginnings(&mut self) {
        let mut begun: BTreeMap<Fingerprint, Vec<Timestamp>> = BTreeMap::new();
        for ((at, kind, subject), entry) in &mut self.entries {
            let (Kind::Fired, Subject::Alert(alert)) = (kind, subject) else { continue };
            let its = begun.entry(*alert).or_default();
            its.retain(|before| at.duration_since(*before) <= FLAPS_WITHIN);
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
