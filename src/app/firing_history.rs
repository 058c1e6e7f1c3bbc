//! Which alerts fired over a stretch of time, as the rules' own series tell it: for handoffs, reviews, statistics, and one
//! alert's own past. All of them count alike.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::range::Range;
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::{Firing, FiringBoard, is_flapping, merge_servers};
use crate::model::labels::{Labels, Text};
use crate::model::remote::{Remote, age};
use crate::model::slo::TimeRange;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::world::World;

/// What was looked at up to so long before the end is taken for the whole: time goes on while it is asked for and shown.
const COMPLETE_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// How far back the past of one alert is looked at.
pub const PAST: Duration = Duration::from_secs(7 * 24 * 3600);
/// As many servers are asked for the past of one alert.
const SERVERS: usize = 4;

/// Alerts of one name and service that fired.
#[derive(Debug, Clone, PartialEq)]
pub struct FiringHistory {
    /// The alert's name.
    pub name: Text,
    /// The service that it is about, if it names one.
    pub service: Option<Text>,
    /// Each firing, in the order of time; they may have several sets of labels.
    pub firings: Vec<Firing>,
    /// Whether one of these alerts flaps.
    pub is_flapping: bool,
}

impl FiringHistory {
    /// For how long of this time in all.
    pub fn time(&self, within: TimeRange) -> Duration {
        time(&self.firings, within)
    }

    /// Whether that is known only about.
    pub fn is_about(&self) -> bool {
        self.firings.iter().any(|firing| firing.is_about)
    }
}

/// For how long of this time in all.
pub fn time(firings: &[Firing], within: TimeRange) -> Duration {
    firings.iter().map(|firing| firing.within(within)).sum()
}

/// How long a firing lasted, in words: what is not over lasts on.
pub fn lasted(firing: &Firing) -> String {
    let length = duration::short(firing.bounds().length());
    match (firing.is_open, firing.is_about) {
        (true, false) => format!("{length} so far"),
        (true, true) => format!("about {length} so far"),
        (false, true) => format!("about {length}"),
        (false, false) => length,
    }
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FiringSummary {
    /// By name and service, what fired most often first.
    pub fired: Vec<FiringHistory>,
    /// Whether all sources that could tell have done so.
    pub is_whole: bool,
}

/// By what the firings of all alerts over about so long are kept: what is shown over an hour and over a week is asked for apart, and
/// a time that grows stays the same for long.
pub(super) fn of_all(length: Duration) -> Fingerprint {
    let minutes = length.as_secs().div_ceil(60).clamp(1, 1 << 40).next_power_of_two();
    Fingerprint::of(&Labels::from_iter([("minutes", minutes.to_string().as_str())]))
}

pub(super) fn asked(sources: &[SourceInfo]) -> impl Iterator<Item = &SourceInfo> {
    sources
        .iter()
        .filter(|source| [AskKind::Firings, AskKind::Rules].iter().all(|kind| source.answers.contains(kind)))
}

fn remote<'a>(world: &'a World, source: &SourceId, alert: Fingerprint) -> Option<&'a Remote<FiringBoard>> {
    world.cache(source)?.firings().get(&alert)
}

/// What fired over the time that the timeline shows, as it was told last.
pub fn latest(world: &World, sources: &[SourceInfo], range: &Range) -> Option<FiringSummary> {
    let (length, boards) = (of_all(shown(range)), asked(sources));
    let boards = boards.filter_map(|source| remote(world, &source.id, length)?.value());
    let looked_at = boards.map(|board| board.looked_at).max_by_key(|looked_at| looked_at.end)?;
    Some(between(world, sources, looked_at.start, looked_at.end))
}

/// How far the firings are told that the timeline shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryCoverage {
    /// No source keeps them.
    NotRecorded,
    /// No source has told them yet.
    NotLoaded,
    /// Not all of them are known.
    Incomplete,
    /// All are.
    Whole,
}

/// How far the firings are told that the timeline shows.
pub fn history_coverage(world: &World, sources: &[SourceInfo], range: &Range) -> HistoryCoverage {
    match latest(world, sources, range) {
        Some(noise) if noise.is_whole => HistoryCoverage::Whole,
        Some(_) => HistoryCoverage::Incomplete,
        None if asked(sources).next().is_none() => HistoryCoverage::NotRecorded,
        None => HistoryCoverage::NotLoaded,
    }
}

/// How much of the past is asked for where all of it is shown.
pub(super) fn shown(range: &Range) -> Duration {
    range.length.min(PAST)
}

/// What fired between two moments, as far as it was told.
pub fn between(world: &World, sources: &[SourceInfo], from: Timestamp, until: Timestamp) -> FiringSummary {
    let covers = |board: &&FiringBoard| {
        let looked_at = board.looked_at;
        looked_at.start.duration_since(from) <= COMPLETE_WITHIN
            && until.duration_since(looked_at.end) <= COMPLETE_WITHIN
    };
    let all = of_all(age(from, until));
    let told: Vec<Option<&FiringBoard>> = asked(sources)
        .map(|source| remote(world, &source.id, all).and_then(Remote::value).filter(covers))
        .collect();
    let is_whole = !told.is_empty() && told.iter().all(|board| board.is_some_and(|board| board.is_whole));
    // of a pair of servers both tell of it
    let mut by_labels: BTreeMap<&Labels, Vec<Vec<Firing>>> = BTreeMap::new();
    for board in told.into_iter().flatten() {
        for its in board.firings.chunk_by(|one, other| one.labels == other.labels) {
            let Some(first) = its.first() else { continue };
            let within = its.iter().filter(|firing| firing.to > from && firing.from < until);
            by_labels.entry(&first.labels).or_default().push(within.cloned().collect());
        }
    }
    let mut by_name: BTreeMap<(Text, Option<Text>), FiringHistory> = BTreeMap::new();
    let known = AlertsByRule::new(world);
    for (labels, told) in by_labels {
        let alert = known.alert(labels);
        let mut firings = merged_since(merge_servers(told), alert.and_then(|alert| routed_since(alert)));
        if let Some(alert) = alert {
            extend_open_firing(&mut firings, alert, until);
        }
        let name = labels.value("alertname");
        if name.is_empty() || firings.is_empty() || world.is_watchdog(name) {
            continue;
        }
        let (name, service) = (Text::from(name), world.service_of(labels).cloned());
        let beginnings: Vec<Timestamp> = firings.iter().map(|firing| firing.from).collect();
        let fired = by_name.entry((name.clone(), service.clone())).or_insert_with(|| FiringHistory {
            name,
            service,
            firings: Vec::new(),
            is_flapping: false,
        });
        fired.is_flapping |= is_flapping(&beginnings);
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

/// The alerts that are known, by their names.
pub struct AlertsByRule<'a>(HashMap<&'a str, Vec<&'a Arc<Alert>>>);

impl<'a> AlertsByRule<'a> {
    /// Those that are known now.
    pub fn new(world: &'a World) -> Self {
        let mut by_name: HashMap<&str, Vec<&Arc<Alert>>> = HashMap::new();
        for alert in world.alerts() {
            by_name.entry(alert.name()).or_default().push(alert);
        }
        Self(by_name)
    }

    /// The alert with these labels, or the only one that has more: those that are added on the way to an Alertmanager.
    pub fn alert(&self, labels: &Labels) -> Option<&'a Arc<Alert>> {
        let named = self.0.get(labels.value("alertname"))?;
        let same = named.iter().find(|alert| alert.labels == *labels);
        let mut within = named.iter().filter(|alert| labels.is_within(&alert.labels));
        let only = || within.next().filter(|_| within.next().is_none());
        same.or_else(only).copied()
    }
}

fn fires(alert: &Alert) -> bool {
    match alert.state {
        AlertState::Firing | AlertState::Silenced | AlertState::Inhibited => true,
        AlertState::Pending | AlertState::Resolved => false,
    }
}

/// Since when an alert fires by an Alertmanager's word, if it does.
fn routed_since(alert: &Alert) -> Option<Timestamp> {
    (fires(alert) && !alert.receivers.is_empty()).then_some(alert.starts_at)
}

/// The last firing is not over where the alert is told to fire since before its last sample: an evaluation was late.
fn extend_open_firing(firings: &mut [Firing], alert: &Alert, until: Timestamp) {
    if let Some(last) = firings.last_mut().filter(|last| fires(alert) && alert.starts_at < last.to) {
        (last.is_open, last.to) = (true, last.to.max(until));
    }
}

/// What an Alertmanager knows to fire since a moment is one firing, in however many pieces its rule tells it: a server that was
/// started anew has forgotten when it began, unless it has a long `for`.
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

/// The servers that can tell the past of an alert: those whose rules hold it.
pub(super) fn history_sources<'a>(
    world: &'a World,
    sources: &'a [SourceInfo],
    alert: &'a Alert,
) -> impl Iterator<Item = &'a SourceInfo> {
    let runs = world.rule_of(&alert.labels).map(|(source, _)| source);
    let can = sources.iter().filter(|source| source.answers.contains(&AskKind::Firings));
    can.filter(move |source| alert.sources.contains(&source.id) || runs == Some(&source.id)).take(SERVERS)
}

/// The past of one alert.
#[derive(Debug, Clone, PartialEq)]
pub enum AlertHistory {
    /// Nobody can tell it.
    NotRecorded,
    /// It is asked for, or it was refused for this reason.
    Unknown(Option<String>),
    /// As it was told, with its present firing, in the order of time.
    Known {
        /// Each firing.
        firings: Vec<Firing>,
        /// Whether these are all.
        is_whole: bool,
    },
}

/// When one alert fired within a week, as far as it was told, and since when it fires now.
pub fn of_alert(world: &World, sources: &[SourceInfo], alert: &Alert, now: Timestamp) -> AlertHistory {
    let remotes: Vec<_> = history_sources(world, sources, alert)
        .map(|source| remote(world, &source.id, alert.fingerprint))
        .collect();
    if remotes.is_empty() {
        return AlertHistory::NotRecorded;
    }
    let boards: Vec<&FiringBoard> = remotes.iter().flatten().filter_map(|remote| remote.value()).collect();
    if boards.is_empty() {
        let trouble = remotes.iter().flatten().find_map(|remote| remote.trouble());
        return AlertHistory::Unknown(trouble.map(|error| error.trouble.to_string()));
    }
    let firings = merge_servers(boards.iter().map(|board| board.firings.clone()).collect());
    let mut firings = merged_since(firings, routed_since(alert));
    extend_open_firing(&mut firings, alert, now);
    let fires = fires(alert);
    match firings.last_mut() {
        // the alert is asked for more often than its past
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
    let is_whole = boards.iter().all(|board| board.is_whole);
    AlertHistory::Known { firings, is_whole }
}

/// Whether these firings flap.
pub fn are_flapping(firings: &[Firing]) -> bool {
    let beginnings: Vec<Timestamp> = firings.iter().map(|firing| firing.from).collect();
    is_flapping(&beginnings)
}
