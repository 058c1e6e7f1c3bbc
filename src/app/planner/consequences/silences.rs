//! The consequences of actions on silences: which alerts are silenced, which may notify again, and which clock counts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Consequence, Situation, plain, serious};
use crate::app::number::{moment, plural};
use crate::app::planner::Planner;
use crate::model::action::{Action, Operation, SilenceDraft};
use crate::model::alert::Alert;
use crate::model::duration;
use crate::model::fingerprint::Fingerprint;
use crate::model::matcher::Matcher;
use crate::model::silence::{Silence, SilencePreview, SilenceState, preview};
use crate::model::source::SourceId;
use crate::model::world::World;

/// The difference between two clocks, in seconds, up to which no warning is shown.
const SKEW: u64 = 5;

/// The alerts that these actions would silence now, each at the source of its action.
pub fn hidden<'a>(world: &World, actions: impl IntoIterator<Item = &'a Action>) -> SilencePreview {
    let none = BTreeSet::new();
    let mut all =
        SilencePreview { all: preview([], world.alerts().iter(), &none).all, ..SilencePreview::default() };
    let mut seen = BTreeSet::new();
    for action in actions {
        let Some(draft) = action.operation.draft() else { continue };
        let found = preview_of(world, &action.source, draft);
        all.each.push(found.hidden.len());
        all.unevaluated = all.unevaluated.or(found.unevaluated);
        all.hidden.extend(found.hidden.into_iter().filter(|alert| seen.insert(alert.fingerprint)));
    }
    all
}

/// The alerts that silences with these matchers would affect at these sources now.
pub fn preview_at<'a>(
    world: &World,
    at: &[SourceId],
    lists: impl IntoIterator<Item = &'a [Matcher]>,
    marked: &BTreeSet<Fingerprint>,
) -> SilencePreview {
    let is_there = |alert: &&Arc<Alert>| {
        alert.receivers.is_empty() || alert.sources.iter().any(|source| at.contains(source))
    };
    preview(lists, world.alerts().iter().filter(is_there), marked)
}

/// The alerts that a silence would affect at a source now.
fn preview_of(world: &World, source: &SourceId, draft: &SilenceDraft) -> SilencePreview {
    let at = std::slice::from_ref(source);
    preview_at(world, at, [draft.matchers.as_slice()], &BTreeSet::new())
}

/// The combined effect of all silences of a plan.
pub(super) fn together(situation: Situation<'_>, actions: &[Action]) -> Vec<Consequence> {
    let Some(draft) = actions.iter().find_map(|action| action.operation.draft()) else { return Vec::new() };
    let found = hidden(situation.planner.world, actions);
    let until = situation.until(draft.ends_at);
    let count = plural(found.hidden.len(), "alert");
    let words = match draft.starts_at.filter(|start| *start > situation.now) {
        Some(start) => format!(
            "Begins {} and lasts until {until}; it would silence {count} that fire now.",
            situation.until(start)
        ),
        None => format!("Silences {count} until {until}: no notifications for matching alerts."),
    };
    let unevaluated = |matcher| {
        serious(format!("No preview: burnwatch cannot evaluate {matcher}. Alertmanager may silence more."))
    };
    std::iter::once(plain(words)).chain(found.unevaluated.map(unevaluated)).collect()
}

pub(super) fn of(situation: Situation<'_>, action: &Action) -> Vec<Consequence> {
    let (source, world) = (&action.source, situation.planner.world);
    let is_it = |one: &&Arc<Silence>| one.source == *source && one.id == action.target.id;
    let silence = world.silences().find(is_it).map(|silence| &**silence);
    let mut all = Vec::new();
    let mut end = action.operation.draft().map(|draft| draft.ends_at);
    if let Operation::Edit { draft, .. } = &action.operation {
        all.extend(silence.into_iter().flat_map(|silence| edited(world, source, silence, draft)));
    }
    if let Operation::Extend { until } = &action.operation {
        let hides = silence.map(|silence| format!("; {}", hides(world, silence))).unwrap_or_default();
        all.push(plain(format!("It ends {}{hides}.", situation.until(*until))));
        end = Some(*until);
    }
    if action.operation == Operation::Expire {
        all.extend(silence.map(|silence| ended(world, silence)));
    }
    all.extend(end.and_then(|end| clock_warning(situation, source, end)));
    all
}

/// The effect of an existing silence, as its Alertmanager reports it.
fn hides(world: &World, silence: &Silence) -> String {
    if silence.state == SilenceState::Pending {
        return "it has not started yet".to_owned();
    }
    match count(world, silence) {
        None => "the affected alerts are not known".to_owned(),
        Some(0) => "it affects no alert now".to_owned(),
        Some(count) => format!("it affects {} now", plural(count, "alert")),
    }
}

/// The number of alerts that a silence affects; `None` if its source has not answered with alerts yet.
fn count(world: &World, silence: &Silence) -> Option<usize> {
    world.cache(&silence.source)?.alerts().value()?;
    let count = world.hidden_by(&silence.id).count();
    let is_derived = || world.alerts().iter().any(|alert| alert.is_derived);
    let is_unsure = count == 0 && silence.matchers.iter().any(|one| !one.can_be_evaluated()) && is_derived();
    (!is_unsure).then_some(count)
}

fn ended(world: &World, silence: &Silence) -> Consequence {
    if silence.state == SilenceState::Pending {
        return plain("It has not started: expiring it now has no effect on alerts.");
    }
    match count(world, silence) {
        None => serious("The affected alerts are not known: they may notify again at once.".to_owned()),
        Some(0) => plain("It affects no alert now."),
        Some(count) => serious(format!("{} may notify again at once.", plural(count, "alert"))),
    }
}

fn edited(world: &World, source: &SourceId, silence: &Silence, draft: &SilenceDraft) -> Vec<Consequence> {
    let is_same =
        silence.matchers == draft.matchers && draft.starts_at.is_none_or(|start| start == silence.starts_at);
    let words = if is_same {
        "Alertmanager changes the silence and keeps its id."
    } else {
        "Alertmanager creates a new silence with another id and expires this one."
    };
    let mut all = vec![plain(words)];
    let after: BTreeSet<_> =
        preview_of(world, source, draft).hidden.iter().map(|alert| alert.fingerprint).collect();
    let bared = world.hidden_by(&silence.id).filter(|alert| !after.contains(&alert.fingerprint)).count();
    if bared > 0 {
        all.push(serious(format!(
            "{} that it affects now may notify again at once.",
            plural(bared, "alert")
        )));
    }
    all
}

/// A warning if the server's clock, which decides when a silence ends, differs from this machine's or is unknown.
fn clock_warning(situation: Situation<'_>, source: &SourceId, end: Timestamp) -> Option<Consequence> {
    let Situation { planner: Planner { world, .. }, zone, now } = situation;
    world.cache(source)?.probe().value()?;
    let Some(ahead) = world.clock_ahead(source) else {
        return Some(plain(format!("The clock of {source} is unknown: times are by this machine's clock.")));
    };
    if ahead.unsigned_abs() <= SKEW {
        return None;
    }
    let there = end.saturating_add(SignedDuration::from_secs(ahead)).unwrap_or(end);
    let way = if ahead > 0 { "ahead of" } else { "behind" };
    Some(serious(format!(
        "The clock of {source} is {} {way} this machine's, so one of the two is wrong: it ends at {} there, {} here.",
        duration::short(Duration::from_secs(ahead.unsigned_abs())),
        moment(there, now, zone),
        moment(end, now, zone),
    )))
}
