//! Which alerts fired in a period, from the rules' series (`ALERTS`): for handoff reports, postmortems, statistics and the
//! history of one alert. All of them count firings in the same way.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::range::Range;
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::{Firing, FiringSnapshot, is_flapping, merge_servers};
use crate::model::labels::{Labels, Text};
use crate::model::remote::{Remote, age};
use crate::model::slo::TimeRange;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::World;

/// A query that ends up to this much earlier counts as complete, because time passes until its answer is shown.
const COMPLETE_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// The length of the history of one alert.
pub const PAST: Duration = Duration::from_secs(7 * 24 * 3600);
/// Most servers that are queried for the history of one alert.
const SERVERS: usize = 4;

/// The firings of the alerts with one name and service.
#[derive(Debug, Clone, PartialEq)]
pub struct FiringHistory {
    pub name: Text,
    /// The service of the alerts, if they have one.
    pub service: Option<Text>,
    /// The firings, sorted by time; their labels may differ.
    pub firings: Vec<Firing>,
    /// Whether one of these alerts flaps.
    pub is_flapping: bool,
}

impl FiringHistory {
    pub fn time(&self, within: TimeRange) -> Duration {
        time(&self.firings, within)
    }

    /// Whether the times are approximate.
    pub fn is_about(&self) -> bool {
        self.firings.iter().any(|firing| firing.is_about)
    }
}

pub fn time(firings: &[Firing], within: TimeRange) -> Duration {
    firings.iter().map(|firing| firing.within(within)).sum()
}

/// The duration of a firing as text; an open firing gets "so far".
pub fn lasted(firing: &Firing) -> String {
    let length = duration::short(firing.bounds().length());
    match (firing.is_open, firing.is_about) {
        (true, false) => format!("{length} so far"),
        (true, true) => format!("about {length} so far"),
        (false, true) => format!("about {length}"),
        (false, false) => length,
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct FiringSummary {
    /// By name and service, most frequent first.
    pub fired: Vec<FiringHistory>,
    /// Whether all sources have answered completely.
    pub is_whole: bool,
}

/// The cache key of the firings of all alerts over about this length, rounded up to a power of two in minutes. Different lengths
/// are cached separately, and a growing period keeps its key for long.
pub(super) fn of_all(length: Duration) -> Fingerprint {
    let minutes = length.as_secs().div_ceil(60).clamp(1, 1 << 40).next_power_of_two();
    Fingerprint::of(&Labels::from_iter([("minutes", minutes.to_string().as_str())]))
}

pub(super) fn asked(sources: &[SourceInfo]) -> impl Iterator<Item = &SourceInfo> {
    sources
        .iter()
        .filter(|source| [AskKind::Firings, AskKind::Rules].iter().all(|kind| source.answers.contains(kind)))
}

fn remote<'a>(world: &'a World, source: &SourceId, alert: Fingerprint) -> Option<&'a Remote<FiringSnapshot>> {
    world.cache(source)?.firings().get(&alert)
}

/// The newest known firings over the time range of the Timeline.
pub fn latest(world: &World, sources: &[SourceInfo], range: &Range) -> Option<FiringSummary> {
    let (length, snapshots) = (of_all(shown(range)), asked(sources));
    let snapshots = snapshots.filter_map(|source| remote(world, &source.id, length)?.value());
    let looked_at = snapshots.map(|snapshot| snapshot.looked_at).max_by_key(|looked_at| looked_at.end)?;
    Some(between(world, sources, looked_at.start, looked_at.end))
}

/// How much of the firing history of the Timeline is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryCoverage {
    /// No source has the history.
    NotRecorded,
    /// No source has answered yet.
    NotLoaded,
    Incomplete,
    Whole,
}

/// How much of the firing history of the Timeline is known.
pub fn history_coverage(world: &World, sources: &[SourceInfo], range: &Range) -> HistoryCoverage {
    match latest(world, sources, range) {
        Some(noise) if noise.is_whole => HistoryCoverage::Whole,
        Some(_) => HistoryCoverage::Incomplete,
        None if asked(sources).next().is_none() => HistoryCoverage::NotRecorded,
        None => HistoryCoverage::NotLoaded,
    }
}

/// The length of history that is queried for a time range.
pub(super) fn shown(range: &Range) -> Duration {
    range.length.min(PAST)
}

/// The firings between two moments, from the answers so far.
pub fn between(world: &World, sources: &[SourceInfo], from: Timestamp, until: Timestamp) -> FiringSummary {
    let covers = |snapshot: &&FiringSnapshot| {
        let looked_at = snapshot.looked_at;
        looked_at.start.duration_since(from) <= COMPLETE_WITHIN
            && until.duration_since(looked_at.end) <= COMPLETE_WITHIN
    };
    let all = of_all(age(from, until));
    let reported: Vec<Option<&FiringSnapshot>> = asked(sources)
        .map(|source| remote(world, &source.id, all).and_then(Remote::value).filter(covers))
        .collect();
    let is_whole = !reported.is_empty()
        && reported.iter().all(|snapshot| snapshot.is_some_and(|snapshot| snapshot.is_whole));
    // both servers of a redundant pair report the same firings
    let mut by_labels: BTreeMap<&Labels, Vec<Vec<Firing>>> = BTreeMap::new();
    for snapshot in reported.into_iter().flatten() {
        for its in snapshot.firings.chunk_by(|one, other| one.labels == other.labels) {
            let Some(first) = its.first() else { continue };
            let within = its.iter().filter(|firing| firing.to > from && firing.from < until);
            by_labels.entry(&first.labels).or_default().push(within.cloned().collect());
        }
    }
    let mut by_name: BTreeMap<(Text, Option<Text>), FiringHistory> = BTreeMap::new();
    let known = AlertsByRule::new(world);
    for (labels, reported) in by_labels {
        let alert = known.alert(labels);
        let mut firings = merged_since(merge_servers(reported), alert.and_then(|alert| routed_since(alert)));
        if let Some(alert) = alert {
            extend_open_firing(&mut firings, alert, until);
        }
        let name = labels.value("alertname");
        if name.is_empty() || firings.is_empty() || world.is_watchdog(name) {
            continue;
        }
        let (name, service) = (Text::from(name), world.service_of(labels).cloned());
        let fired = by_name.entry((name.clone(), service.clone())).or_insert_with(|| FiringHistory {
            name,
            service,
            firings: Vec::new(),
            is_flapping: false,
        });
        fired.is_flapping |= are_flapping(&firings);
        fired.firings.extend(firings);
    }
    let mut fired: Vec<FiringHistory> = by_name.into_values().collect();
    for one in &mut fired {
        one.firings.sort_by_key(|firing| (firing.from, firing.to));
    }
    let window = TimeRange { start: from, end: until };
    fired.sort_by_key(|fired| std::cmp::Reverse((fired.firings.len(), fired.time(window))));
    FiringSummary { fired, is_whole }
}

pub struct AlertsByRule<'a>(HashMap<&'a str, Vec<&'a Arc<Alert>>>);

impl<'a> AlertsByRule<'a> {
    /// An index of the alerts that are known now.
    pub fn new(world: &'a World) -> Self {
        let mut by_name: HashMap<&str, Vec<&Arc<Alert>>> = HashMap::new();
        for alert in world.alerts() {
            by_name.entry(alert.name()).or_default().push(alert);
        }
        Self(by_name)
    }

    /// The alert with these labels, or the only one that has them and more: Alertmanager's version has external labels, too.
    pub fn alert(&self, labels: &Labels) -> Option<&'a Arc<Alert>> {
        let named = self.0.get(labels.value("alertname"))?;
        let same = named.iter().find(|alert| alert.labels == *labels);
        let mut within = named.iter().filter(|alert| labels.is_within(&alert.labels));
        let only = || within.next().filter(|_| within.next().is_none());
        same.or_else(only).copied()
    }
}

/// Whether an alert's rule is firing, also if the alert is silenced or inhibited.
fn fires(alert: &Alert) -> bool {
    match alert.state {
        AlertState::Firing | AlertState::Silenced | AlertState::Inhibited => true,
        AlertState::Pending | AlertState::Resolved => false,
    }
}

/// When a firing alert started according to Alertmanager; None if no Alertmanager reports it.
fn routed_since(alert: &Alert) -> Option<Timestamp> {
    (fires(alert) && !alert.receivers.is_empty()).then_some(alert.starts_at)
}

/// Continues the last firing until now if the alert has fired since before the last sample: the last evaluation was only late.
fn extend_open_firing(firings: &mut [Firing], alert: &Alert, until: Timestamp) {
    if let Some(last) = firings.last_mut().filter(|last| fires(alert) && alert.starts_at < last.to) {
        (last.is_open, last.to) = (true, last.to.max(until));
    }
}

/// Joins all firings since `since` into one: Alertmanager knows that the alert fired without a break. A restarted Prometheus
/// loses the start time of a firing unless the rule has a long `for`.
fn merged_since(mut firings: Vec<Firing>, since: Option<Timestamp>) -> Vec<Firing> {
    let Some(since) = since else { return firings };
    let at = firings.iter().position(|firing| firing.to > since).unwrap_or(firings.len());
    let mut pieces = firings.split_off(at).into_iter();
    if let Some(first) = pieces.next() {
        let is_about = first.is_about;
        let whole = Firing { from: first.from.min(since), ..first };
        firings.push(pieces.fold(whole, |whole, piece| Firing {
            to: whole.to.max(piece.to),
            is_open: piece.is_open,
            is_about: is_about || piece.is_about && !piece.is_open,
            ..whole
        }));
    }
    firings
}

/// The servers that have the history of an alert: those whose rules produce it.
pub(super) fn history_sources<'a>(
    world: &'a World,
    sources: &'a [SourceInfo],
    alert: &'a Alert,
) -> impl Iterator<Item = &'a SourceInfo> {
    let runs = world.rule_of(&alert.labels).map(|(source, _)| source);
    let can = sources.iter().filter(|source| source.answers.contains(&AskKind::Firings));
    can.filter(move |source| alert.sources.contains(&source.id) || runs == Some(&source.id)).take(SERVERS)
}

#[derive(Debug, Clone, PartialEq)]
pub enum AlertHistory {
    /// No source has it.
    NotRecorded,
    /// Loading (None), or failed with this error.
    Unknown(Option<String>),
    /// The firings, the present one included.
    Known { firings: Vec<Firing>, is_whole: bool },
}

/// The firings of one alert within the last week, with the present firing.
pub fn of_alert(world: &World, sources: &[SourceInfo], alert: &Alert, now: Timestamp) -> AlertHistory {
    let remotes: Vec<_> = history_sources(world, sources, alert)
        .map(|source| remote(world, &source.id, alert.fingerprint))
        .collect();
    if remotes.is_empty() {
        return AlertHistory::NotRecorded;
    }
    let snapshots: Vec<&FiringSnapshot> =
        remotes.iter().flatten().filter_map(|remote| remote.value()).collect();
    if snapshots.is_empty() {
        let failure = remotes.iter().flatten().find_map(|remote| remote.failure());
        return AlertHistory::Unknown(failure.map(|error| error.kind.to_string()));
    }
    let firings = merge_servers(snapshots.iter().map(|snapshot| snapshot.firings.clone()).collect());
    let mut firings = merged_since(firings, routed_since(alert));
    extend_open_firing(&mut firings, alert, now);
    let fires = fires(alert);
    match firings.last_mut() {
        // the alert itself is queried more often than its history
        Some(last) if last.is_open && fires => last.to = last.to.max(now),
        Some(last) if last.is_open => {
            last.to = alert.resolved_at.unwrap_or(last.to).max(last.from);
            last.is_open = false;
        }
        _ => {}
    }
    let is_told = |last: &Firing| last.is_open || last.to > alert.starts_at;
    if fires && !firings.last().is_some_and(is_told) {
        let (labels, from) = (alert.labels.clone(), alert.starts_at);
        firings.push(Firing { labels, from, to: now.max(from), is_open: true, is_about: false });
    }
    let is_whole = snapshots.iter().all(|snapshot| snapshot.is_whole);
    AlertHistory::Known { firings, is_whole }
}

pub fn are_flapping(firings: &[Firing]) -> bool {
    let beginnings: Vec<Timestamp> = firings.iter().map(|firing| firing.from).collect();
    is_flapping(&beginnings)
}
