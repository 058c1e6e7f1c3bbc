//! Joins the reports of several sources about one change.
//!
//! Two reports are about the same change if they are about the same service and the same family of kinds (a deployment and a
//! rollback are one family), do not name different places, and
//! - have the same id, within [`SAME_ID_WITHIN`], and do not name different targets; or
//! - name the same target (version, commit, image, value), within [`SAME_TARGET_WITHIN`], with no change to another target
//!   between them; or
//! - one of them names no target, they are from different sources, and within [`ANY_TARGET_WITHIN`]. It joins the nearest one.
//!
//! The result does not depend on the order of the reports, and merging it again changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Change, ChangeKind};
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceId;

/// A deployment may wait for an approval between its first and its last report.
const SAME_ID_WITHIN: SignedDuration = SignedDuration::from_hours(6);
/// A rollout replaces its instances one after the other.
const SAME_TARGET_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Without a target only the time shows that two reports belong together.
const ANY_TARGET_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// An approximate time is used instead of an exact one if it is earlier by more than this: sources look at least this often.
const APPROXIMATE_WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// How many of the latest changes of a service are compared with a report.
const COMPARED: usize = 24;
/// Labels that name a place: reports with different values are about different changes.
const PLACES: [&str; 6] = ["cluster", "region", "zone", "namespace", "flag", "configmap"];
/// Labels that name what was deployed, beside [`Change::to`].
const TARGETS: [&str; 5] = ["version", "commit", "revision", "image", "hash"];

/// The kinds of changes that may be one change, reported differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ChangeFamily {
    Version,
    Process,
    Scale,
    Config,
    Flag,
    Other,
}

impl ChangeFamily {
    const fn of(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Deploy | ChangeKind::Rollback => Self::Version,
            ChangeKind::Restart | ChangeKind::OutOfMemory => Self::Process,
            ChangeKind::Scale => Self::Scale,
            ChangeKind::Config => Self::Config,
            ChangeKind::Flag => Self::Flag,
            ChangeKind::Other => Self::Other,
        }
    }
}

/// Reports about one change, as far as they are joined.
struct Reports {
    all: Vec<Change>,
    targets: BTreeSet<String>,
    first: Timestamp,
    last: Timestamp,
}

impl Reports {
    fn of(report: Change) -> Self {
        Self { targets: targets(&report), first: report.at, last: report.at, all: vec![report] }
    }

    fn add(&mut self, report: Change, its: BTreeSet<String>) {
        self.targets.extend(its);
        self.first = self.first.min(report.at);
        self.last = self.last.max(report.at);
        self.all.push(report);
    }

    fn ids(&self) -> impl Iterator<Item = &Text> {
        self.all.iter().filter_map(|report| report.id.as_ref())
    }

    /// How far this time is from the reports; zero between them.
    fn distance(&self, at: Timestamp) -> SignedDuration {
        if at < self.first {
            self.first.duration_since(at)
        } else if at > self.last {
            at.duration_since(self.last)
        } else {
            SignedDuration::ZERO
        }
    }

    fn is_elsewhere(&self, report: &Change) -> bool {
        self.all.iter().any(|other| differ(&other.labels, &report.labels))
    }

    fn shares_source(&self, report: &Change) -> bool {
        self.all.iter().flat_map(|other| &other.sources).any(|source| report.sources.contains(source))
    }

    /// Whether a source of the report already reported this change under another id.
    fn has_other_id(&self, report: &Change) -> bool {
        let Some(id) = &report.id else { return false };
        let same_source =
            |other: &&Change| other.sources.iter().any(|source| report.sources.contains(source));
        self.all.iter().filter(same_source).any(|other| other.id.as_ref().is_some_and(|other| other != id))
    }

    fn has_id_of(&self, report: &Change, its: &BTreeSet<String>) -> bool {
        let Some(id) = &report.id else { return false };
        let agrees = self.targets.is_empty() || its.is_empty() || shares_target(&self.targets, its);
        agrees && self.distance(report.at) <= SAME_ID_WITHIN && self.ids().any(|other| other == id)
    }
}

/// Whether the reports name different places.
fn differ(one: &Labels, other: &Labels) -> bool {
    let both = |name: &&str| Some((one.get(name)?, other.get(name)?));
    PLACES.iter().filter_map(both).any(|(one, other)| one != other)
}

/// What the change leads to, in comparable form: versions without `v`, tags without the image's name, on and off.
fn targets(report: &Change) -> BTreeSet<String> {
    let labels = TARGETS.iter().filter_map(|name| report.labels.get(name));
    let mut all: BTreeSet<String> =
        report.to.iter().chain(labels).map(|value| comparable(report.kind, value)).collect();
    all.remove("");
    all
}

/// One target in comparable form.
pub(super) fn comparable(kind: ChangeKind, value: &str) -> String {
    let value = value.trim();
    if kind == ChangeKind::Flag {
        // the flag itself is a place
        let value = value.rsplit_once('=').map_or(value, |(_, value)| value);
        return match value.to_ascii_lowercase().as_str() {
            "1" | "true" | "on" | "enabled" => "on".to_owned(),
            "0" | "false" | "off" | "disabled" => "off".to_owned(),
            other => other.to_owned(),
        };
    }
    let value = value.split_once('@').map_or(value, |(image, _)| image);
    let tag = value.rsplit_once('/').map_or(value, |(_, name)| name);
    let tag = tag.rsplit_once(':').map_or(tag, |(_, tag)| tag);
    let is_version = |text: &&str| text.starts_with(|first: char| first.is_ascii_digit());
    tag.strip_prefix(['v', 'V']).filter(is_version).unwrap_or(tag).to_ascii_lowercase()
}

/// Whether both name the same target; a short commit is the same as a long one.
fn shares_target(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let is_commit = |text: &str| text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    one.iter().any(|a| {
        other.contains(a)
            || is_commit(a)
                && other
                    .iter()
                    .any(|b| is_commit(b) && (a.starts_with(b.as_str()) || b.starts_with(a.as_str())))
    })
}

/// Joins reports about the same change; the newest change first.
pub fn merged(reports: impl IntoIterator<Item = Change>) -> Vec<Change> {
    let mut changes: Vec<Change> = reports.into_iter().collect();
    loop {
        let before = changes.len();
        changes = pass(changes);
        if changes.len() == before {
            changes.reverse();
            return changes;
        }
    }
}

/// Joins what belongs together; the oldest first. A joined change may be near another one that its reports were not near to.
fn pass(mut reports: Vec<Change>) -> Vec<Change> {
    reports.sort_unstable();
    reports.dedup();
    let mut groups: BTreeMap<(ChangeFamily, Option<Text>), Vec<Change>> = BTreeMap::new();
    for report in reports {
        groups.entry((ChangeFamily::of(report.kind), report.service.clone())).or_default().push(report);
    }
    let mut changes: Vec<Change> = groups.into_values().flat_map(of_one_service).collect();
    changes.sort_unstable();
    changes
}

/// The changes of one service and one family.
fn of_one_service(reports: Vec<Change>) -> Vec<Change> {
    let mut joined: Vec<Reports> = Vec::new();
    let mut bare: Vec<Change> = Vec::new();
    for report in reports {
        let its = targets(&report);
        match place(&joined, &report, &its) {
            Some(at) => {
                if let Some(reports) = joined.get_mut(at) {
                    reports.add(report, its);
                }
            }
            None if its.is_empty() => bare.push(report),
            None => joined.push(Reports::of(report)),
        }
    }
    for report in bare {
        let is_same = |reports: &&mut Reports| {
            let has_id = reports.has_id_of(&report, &BTreeSet::new());
            let is_near = report.service.is_some()
                && reports.distance(report.at) <= ANY_TARGET_WITHIN
                && !reports.shares_source(&report);
            !reports.is_elsewhere(&report) && (has_id || is_near)
        };
        let nearest = joined
            .iter_mut()
            .filter(is_same)
            .min_by_key(|reports| (reports.distance(report.at), reports.first));
        match nearest {
            Some(reports) => reports.add(report, BTreeSet::new()),
            None => joined.push(Reports::of(report)),
        }
    }
    joined.into_iter().filter_map(|reports| joined_change(reports.all)).collect()
}

/// The index of the change that the report belongs to by its id or its target.
fn place(joined: &[Reports], report: &Change, its: &BTreeSet<String>) -> Option<usize> {
    let here = || {
        let latest = joined.iter().enumerate().rev().take(COMPARED);
        latest.filter(|(_, reports)| !reports.is_elsewhere(report))
    };
    let by_id = here().find(|(_, reports)| reports.has_id_of(report, its));
    // only the latest change: after one to another target, the same target is another change
    let by_target = || {
        here().next().filter(|(_, reports)| {
            shares_target(&reports.targets, its)
                && reports.distance(report.at) <= SAME_TARGET_WITHIN
                && !reports.has_other_id(report)
        })
    };
    by_id.or_else(by_target).map(|(at, _)| at)
}

/// One change out of its reports.
fn joined_change(mut reports: Vec<Change>) -> Option<Change> {
    if reports.len() < 2 {
        return reports.pop();
    }
    reports.sort_unstable();
    let earliest = reports.first()?.at;
    let exact = reports
        .iter()
        .find(|report| !report.is_about && report.at.duration_since(earliest) <= APPROXIMATE_WITHIN);
    let timed = exact.or(reports.first())?.clone();
    // what says most about the change comes first
    let mut by_detail: Vec<&Change> = reports.iter().collect();
    by_detail.sort_by_key(|report| std::cmp::Reverse((report.to.is_some(), report.from.is_some())));
    let best = *by_detail.first()?;
    let first =
        |field: fn(&Change) -> &Option<Text>| by_detail.iter().find_map(|report| field(report).clone());
    let others: BTreeSet<&SourceId> = reports.iter().flat_map(|report| &report.sources).collect();
    let mut sources = timed.sources.clone();
    sources.truncate(1);
    sources.extend(
        others.into_iter().filter(|source| !timed.sources.iter().take(1).any(|one| one == *source)).cloned(),
    );
    let has = |kind| reports.iter().any(|report| report.kind == kind);
    let kind = [ChangeKind::Rollback, ChangeKind::OutOfMemory].into_iter().find(|kind| has(*kind));
    let state = reports.iter().map(|report| report.state).max()?;
    let kind = kind.unwrap_or(best.kind);
    let is_made =
        |report: &Change| *report.title == *report.kind.title(report.from.as_deref(), report.to.as_deref());
    let own = by_detail.iter().find(|report| report.kind == kind && !is_made(report));
    let title = match own {
        _ if kind == best.kind => best.title.clone(),
        Some(own) => own.title.clone(),
        None if is_made(best) => kind.title(best.from.as_deref(), best.to.as_deref()),
        None => best.title.clone(),
    };
    Some(Change {
        at: timed.at,
        made_at: reports.iter().filter_map(|report| report.made_at).min(),
        is_about: timed.is_about,
        kind,
        state,
        service: first(|report| &report.service),
        labels: by_detail.iter().rev().fold(Labels::default(), |all, report| all.merged_with(&report.labels)),
        title,
        from: best.from.clone().or_else(|| first(|report| &report.from)),
        to: best.to.clone(),
        who: first(|report| &report.who),
        link: first(|report| &report.link),
        id: first(|report| &report.id),
        times: reports.iter().map(|report| report.times).max()?,
        sources,
    })
}
