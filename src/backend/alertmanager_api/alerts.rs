//! Maps the JSON of alerts and silences to the model, one alert at a time while parsing: the whole answer is never in memory a second
//! time.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::{Arc, LazyLock};

use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess};

use super::wire;
use crate::backend::kit::lenient::{
    Lenient, LenientList, LenientObject, LenientPairs, LenientSeed, LenientText, LenientTexts, RequiredList,
    found,
};
use crate::backend::kit::time::Rfc3339OrSeconds;
use crate::model::alert::{Alert, AlertSnapshot, AlertState, SeverityMap};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::{Interner, Labels, Text};
use crate::model::matcher::{Matcher, Operator};
use crate::model::silence::{Silence, SilenceState};
use crate::model::source::SourceId;

/// Shared copies of texts and lists that many alerts have in common; lives as long as its source.
#[derive(Default)]
pub(crate) struct SharedTexts {
    interner: Interner,
    lists: HashSet<Arc<[Text]>>,
    /// The alerts of the last answer with a change; most alerts of the next answer are equal.
    last: HashMap<Fingerprint, Arc<Alert>>,
    /// The digest of that answer.
    digest: Option<u64>,
    /// The number of elements of the last answer that could not be read.
    lost: usize,
}

impl SharedTexts {
    /// The interned text.
    fn word(&mut self, word: &LenientText<'_>) -> Text {
        self.interner.text(&word.0)
    }

    fn labels(&mut self, pairs: &LenientPairs<'_>) -> Labels {
        Labels::new(pairs.0.iter().map(|(name, value)| (self.word(name), self.word(value))).collect())
    }

    /// The shared copy of a list, sorted and without duplicates.
    fn list(&mut self, mut words: Vec<Text>) -> Arc<[Text]> {
        words.sort();
        words.dedup();
        if let Some(known) = self.lists.get(words.as_slice()) {
            return Arc::clone(known);
        }
        let new: Arc<[Text]> = words.into();
        self.lists.insert(Arc::clone(&new));
        new
    }

    fn words(&mut self, list: &LenientTexts<'_>) -> Arc<[Text]> {
        let words = list.0.iter().map(|word| self.word(word)).collect();
        self.list(words)
    }
}

/// The shape of the list of alerts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AlertListShape {
    /// `alerts/groups`: an alert is in several groups if several receivers get it.
    Groups,
    /// `alerts`
    Flat,
}

/// The result of reading a list of alerts.
pub(crate) struct AlertsRead {
    /// `None` if nothing has changed since the answer that the caller already has.
    pub(crate) snapshot: Option<AlertSnapshot>,
    /// The digest of the answer.
    pub(crate) digest: u64,
    /// The number of alerts and groups that could not be read.
    pub(crate) lost: usize,
}

/// Collects alerts without duplicates.
pub(crate) struct AlertReader<'s> {
    shared: &'s mut SharedTexts,
    severities: &'s SeverityMap,
    source: &'s SourceId,
    /// Alerts in the order of the answer.
    alerts: Vec<Alert>,
    /// The index of each alert in `alerts`.
    places: HashMap<Fingerprint, usize>,
    /// The number of alerts and groups that could not be read.
    lost: usize,
}

impl<'s> AlertReader<'s> {
    pub(crate) fn new(
        shared: &'s mut SharedTexts,
        severities: &'s SeverityMap,
        source: &'s SourceId,
    ) -> Self {
        // drop lists of silences and inhibitors that no alert uses any more
        shared.lists.retain(|list| Arc::strong_count(list) > 1);
        // reserved at once: growing in steps would fragment the heap with blocks of the size of all alerts
        let about = shared.last.len();
        let (alerts, places) = (Vec::with_capacity(about), HashMap::with_capacity(about));
        Self { shared, severities, source, alerts, places, lost: 0 }
    }

    /// Reads the alerts in `bytes`, sorted by fingerprint. The board is `None` if the answer equals the one with the digest
    /// `known`; a changed `updatedAt` alone does not count as a change.
    ///
    /// # Errors
    /// If `bytes` is not a JSON list of that shape.
    pub(crate) fn read(
        mut self,
        bytes: &[u8],
        shape: AlertListShape,
        known: Option<u64>,
    ) -> serde_json::Result<AlertsRead> {
        let digest = digest(bytes);
        if known == Some(digest) {
            return Ok(AlertsRead { snapshot: None, digest, lost: self.shared.lost });
        }
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let is_list = match shape {
            AlertListShape::Groups => !found(GroupListSeed(&mut self), &mut json)?.is_other(),
            AlertListShape::Flat => !found(AlertListSeed(&mut self), &mut json)?.is_other(),
        };
        if !is_list {
            return Err(serde_json::Error::custom("no list of alerts"));
        }
        json.end()?;
        self.shared.lost = self.lost;
        // allocated in the order in which they will be iterated
        self.alerts.sort_unstable_by_key(|alert| alert.fingerprint);
        let last = &self.shared.last;
        let mut is_news = self.alerts.len() != last.len();
        let kept = |mut alert: Alert| {
            let updated_at = alert.updated_at;
            if let Some(last) = last.get(&alert.fingerprint) {
                alert.updated_at = last.updated_at;
                if **last == alert {
                    return Arc::clone(last);
                }
            }
            is_news = true;
            Arc::new(Alert { updated_at, ..alert })
        };
        // collecting in place would keep the allocation of all alerts for a list of pointers
        let mut alerts: Vec<Arc<Alert>> = Vec::with_capacity(self.alerts.len());
        alerts.extend(self.alerts.into_iter().map(kept));
        match self.shared.digest {
            Some(last) if !is_news && known == Some(last) => {
                return Ok(AlertsRead { snapshot: None, digest: last, lost: self.lost });
            }
            _ => self.shared.digest = Some(digest),
        }
        self.shared.last = alerts.iter().map(|alert| (alert.fingerprint, Arc::clone(alert))).collect();
        Ok(AlertsRead { snapshot: Some(AlertSnapshot { alerts }), digest, lost: self.lost })
    }

    /// Adds an alert, unless the list already has it; returns its index.
    fn take(&mut self, wire: &wire::Alert<'_>) -> usize {
        let shared = &mut *self.shared;
        let sent = Fingerprint::parse(&wire.fingerprint.0);
        if let Some(place) = sent.and_then(|sent| self.places.get(&sent)) {
            return *place;
        }
        let labels = shared.labels(&wire.labels);
        let fingerprint = sent.unwrap_or_else(|| Fingerprint::of(&labels));
        let annotations = shared.labels(&wire.annotations);
        let (labels, annotations) = match shared.last.get(&fingerprint) {
            Some(last) => (same(labels, &last.labels), same(annotations, &last.annotations)),
            None => (labels, annotations),
        };
        let updated_at = wire.updated_at.0;
        let alert = Alert {
            fingerprint,
            annotations,
            state: state(&wire.status),
            severity: self.severities.of(&labels),
            labels,
            // the epoch is obviously wrong on the screen, but a guess would look right
            starts_at: wire.starts_at.0.or(updated_at).unwrap_or(Timestamp::UNIX_EPOCH),
            updated_at: updated_at.unwrap_or(Timestamp::UNIX_EPOCH),
            resolved_at: None,
            generator_url: Some(shared.word(&wire.generator_url)).filter(|url| !url.is_empty()),
            receivers: {
                let names = wire.receivers.all.iter().map(|receiver| shared.word(&receiver.name)).collect();
                shared.list(names)
            },
            group: Labels::default(),
            silenced_by: shared.words(&wire.status.silenced_by),
            inhibited_by: shared.words(&wire.status.inhibited_by),
            is_derived: !is_status_reported(&wire.status),
            value: None,
            sources: vec![self.source.clone()],
        };
        let place = self.alerts.len();
        self.alerts.push(alert);
        *self.places.entry(fingerprint).or_insert(place)
    }

    /// Sets the group of the alerts at these indexes, and adds the group's receiver.
    fn join(&mut self, places: &[usize], group: &Labels, receiver: &Text) {
        for place in places {
            let Some(alert) = self.alerts.get_mut(*place) else { continue };
            if alert.group.is_empty() {
                alert.group = group.clone();
            }
            if !receiver.is_empty() && !alert.receivers.contains(receiver) {
                let names = alert.receivers.iter().chain([receiver]).cloned().collect();
                alert.receivers = self.shared.list(names);
            }
        }
    }
}

/// The known copy, if both are equal.
fn same(new: Labels, known: &Labels) -> Labels {
    if new == *known { known.clone() } else { new }
}

/// Reads a list of groups.
struct GroupListSeed<'r, 's>(&'r mut AlertReader<'s>);

impl<'de> Lenient<'de> for GroupListSeed<'_, '_> {
    type Made = ();

    fn of_list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<()>, A::Error> {
        while let Some(group) = list.next_element_seed(LenientSeed(GroupSeed(self.0)))? {
            self.0.lost += usize::from(group.value().is_none());
        }
        Ok(Some(()))
    }
}

/// Reads a group.
struct GroupSeed<'r, 's>(&'r mut AlertReader<'s>);

impl<'de> Lenient<'de> for GroupSeed<'_, '_> {
    type Made = ();

    fn of_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<()>, A::Error> {
        // the alerts come before the labels of their group
        let (mut places, mut labels, mut receiver) = (Vec::new(), Labels::default(), Text::from(""));
        while let Some(key) = map.next_key::<LenientText<'de>>()? {
            match &*key.0 {
                "alerts" => {
                    let read = map.next_value_seed(LenientSeed(AlertListSeed(self.0)))?;
                    self.0.lost += usize::from(read.is_other());
                    places = read.value().unwrap_or_default();
                }
                "labels" => labels = self.0.shared.labels(&map.next_value()?),
                "receiver" => {
                    let receiver_of =
                        map.next_value::<LenientObject<wire::Receiver<'de>>>()?.0.unwrap_or_default();
                    receiver = self.0.shared.word(&receiver_of.name);
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.0.join(&places, &labels, &receiver);
        Ok(Some(()))
    }
}

/// Reads a list of alerts; the value is their indexes.
struct AlertListSeed<'r, 's>(&'r mut AlertReader<'s>);

impl<'de> Lenient<'de> for AlertListSeed<'_, '_> {
    type Made = Vec<usize>;

    fn of_list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<Self::Made>, A::Error> {
        let mut places = Vec::new();
        while let Some(LenientObject(alert)) = list.next_element::<LenientObject<wire::Alert<'de>>>()? {
            // an alert without labels cannot be identified
            match alert.filter(|alert| !alert.labels.0.is_empty()) {
                Some(alert) => places.push(self.0.take(&alert)),
                None => self.0.lost += 1,
            }
        }
        Ok(Some(places))
    }
}

/// Whether the server reported what silences or inhibits an alert, or that nothing does. Some servers never report it
/// (`unprocessed`), others not in the first seconds of an alert.
fn is_status_reported(status: &wire::Status<'_>) -> bool {
    matches!(&*status.state.0, "active" | "suppressed")
        || [&status.silenced_by, &status.inhibited_by, &status.muted_by].iter().any(|list| !list.0.is_empty())
}

/// The state of an alert. A mute time interval counts as a silence. Without a reported status, the alert counts as firing.
fn state(status: &wire::Status<'_>) -> AlertState {
    let is_quiet = status.state.0 != "active" && is_status_reported(status);
    if is_quiet && !(status.silenced_by.0.is_empty() && status.muted_by.0.is_empty()) {
        AlertState::Silenced
    } else if is_quiet {
        AlertState::Inhibited
    } else {
        AlertState::Firing
    }
}

/// Reads a list of silences, also expired ones; returns how many could not be read. The server's clock is `ahead` of the local one.
///
/// # Errors
/// If `bytes` is not a JSON list.
pub(crate) fn read_silences(
    bytes: &[u8],
    source: &SourceId,
    ahead: SignedDuration,
) -> serde_json::Result<(Vec<Arc<Silence>>, usize)> {
    let list: RequiredList<wire::Silence<'_>> = serde_json::from_slice(bytes)?;
    Ok(silences(&list.0, source, ahead))
}

/// Maps silences, also expired ones; returns how many could not be read. The server's clock is `ahead` of the local one.
pub(super) fn silences(
    wire: &LenientList<wire::Silence<'_>>,
    source: &SourceId,
    ahead: SignedDuration,
) -> (Vec<Arc<Silence>>, usize) {
    // without one of its matchers, a silence would match more alerts
    let is_whole =
        |silence: &&wire::Silence<'_>| silence.matchers.lost == 0 && !silence.matchers.all.is_empty();
    let whole = wire.all.iter().filter(is_whole);
    let lost = wire.lost + wire.all.len() - whole.clone().count();
    (whole.map(|silence| Arc::new(self::silence(silence, source, ahead))).collect(), lost)
}

/// Maps a silence. A silence without readable times keeps its reported state.
fn silence(wire: &wire::Silence<'_>, source: &SourceId, ahead: SignedDuration) -> Silence {
    let text = |word: &LenientText<'_>| Text::from(&*word.0);
    let here = |reported: &Rfc3339OrSeconds| reported.0.and_then(|there| there.checked_sub(ahead).ok());
    let state = match &*wire.status.state.0 {
        "expired" => SilenceState::Expired,
        "pending" => SilenceState::Pending,
        _ => SilenceState::Active,
    };
    let pairs = wire.annotations.0.iter().map(|(name, value)| (text(name), text(value)));
    Silence {
        id: text(&wire.id),
        state,
        matchers: wire.matchers.all.iter().map(matcher).collect(),
        starts_at: here(&wire.starts_at).unwrap_or(Timestamp::UNIX_EPOCH),
        ends_at: here(&wire.ends_at).unwrap_or(Timestamp::UNIX_EPOCH),
        created_by: text(&wire.created_by),
        comment: text(&wire.comment),
        annotations: Labels::new(pairs.collect()),
        updated_at: wire.updated_at.0,
        source: source.clone(),
    }
}

fn matcher(wire: &wire::Matcher<'_>) -> Matcher {
    let (is_regex, is_equal) = wire.operator_flags();
    Matcher::from_server(&*wire.name.0, Operator::of(is_regex, is_equal), &*wire.value.0)
}

/// A digest of the alerts that ignores which inhibitor each inhibited alert names.
///
/// If several inhibitors match, Alertmanager picks one at random for each answer, so the bytes differ although nothing has
/// changed (seen in 0.25). The digest leaves these lists out. The key cannot occur inside a text, because its quotes would be
/// escaped there.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    static KEY: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#""inhibitedBy":\[([^\]]*)"#).expect("a test reads it"));
    let mut hasher = DefaultHasher::new();
    let mut from = 0;
    for list in KEY.captures_iter(bytes).filter_map(|found| found.get(1)) {
        hasher.write(bytes.get(from..list.start()).unwrap_or_default());
        hasher.write_u8(u8::from(list.is_empty()));
        from = list.end();
    }
    hasher.write(bytes.get(from..).unwrap_or_default());
    hasher.finish()
}
