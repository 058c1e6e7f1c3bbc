//! The consequences of actions on silences: which alerts are silenced, which may notify again, and which clock counts.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Consequence, alerts, plain, serious};
use crate::app::number::moment;
use crate::app::subjects::on_call::words::left;
use crate::model::action::{Action, Operation, SilenceDraft};
use crate::model::duration;
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
        let found = at(world, &action.source, draft);
        all.each.push(found.hidden.len());
        all.unevaluated = all.unevaluated.or(found.unevaluated);
        all.hidden.extend(found.hidden.into_iter().filter(|alert| seen.insert(alert.fingerprint)));
    }
    all
}

/// The alerts that a silence would affect at a source now.
fn at(world: &World, source: &SourceId, draft: &SilenceDraft) -> SilencePreview {
    let there = world.alerts().iter();
    let there = there.filter(|alert| alert.receivers.is_empty() || alert.sources.contains(source));
    preview([draft.matchers.as_slice()], there, &BTreeSet::new())
}

/// The combined effect of all silences of a plan.
pub(super) fn together(
    world: &World,
    actions: &[Action],
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Consequence> {
    let Some(draft) = actions.iter().find_map(|action| action.operation.draft()) else { return Vec::new() };
    let found = hidden(world, actions);
    let until = format!("{} (in {})", moment(draft.ends_at, now, zone), left(draft.ends_at, now));
    let count = alerts(found.hidden.len());
    let words = match draft.starts_at.filter(|start| *start > now) {
        Some(start) => format!(
            "Begins {} (in {}) and lasts until {until}; it would silence {count} that fire now.",
            moment(start, now, zone),
            left(start, now)
        ),
        None => format!("Silences {count} until {until}: no notifications for matching alerts."),
    };
    let mut all = vec![plain(words)];
    all.extend(found.unevaluated.map(|matcher| unevaluated(&matcher)));
    all
}

fn unevaluated(matcher: &Matcher) -> Consequence {
    serious(format!("No preview: burnwatch cannot evaluate {matcher}. Alertmanager may silence more."))
}

/// The consequences of one action on a silence.
pub(super) fn of(world: &World, action: &Action, zone: &TimeZone, now: Timestamp) -> Vec<Consequence> {
    let source = &action.source;
    let is_it = |one: &&std::sync::Arc<Silence>| one.source == *source && one.id == action.target.id;
    let silence = world.silences().find(is_it).map(|silence| &**silence);
    let mut all = Vec::new();
    let mut end = action.operation.draft().map(|draft| draft.ends_at);
    if let Operation::Edit { draft, .. } = &action.operation {
        all.extend(silence.into_iter().flat_map(|silence| edited(world, source, silence, draft)));
    }
    if let Operation::Extend { until } = &action.operation {
        let hides = silence.map(|silence| format!("; {}", hides(world, silence))).unwrap_or_default();
        let words = format!("It ends {} (in {}){hides}.", moment(*until, now, zone), left(*until, now));
        all.push(plain(words));
        end = Some(*until);
    }
    if action.operation == Operation::Expire {
        all.extend(silence.map(|silence| ended(world, silence)));
    }
    all.extend(end.and_then(|end| clock_warning(world, source, end, zone, now)));
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
        Some(count) => format!("it affects {} now", alerts(count)),
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
        Some(count) => serious(format!("{} may notify again at once.", alerts(count))),
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
    let after: BTreeSet<_> = at(world, source, draft).hidden.iter().map(|alert| alert.fingerprint).collect();
    let bared = world.hidden_by(&silence.id).filter(|alert| !after.contains(&alert.fingerprint)).count();
    if bared > 0 {
        all.push(serious(format!("{} that it affects now may notify again at once.", alerts(bared))));
    }
    all
}

/// A warning if the server's clock, which decides when a silence ends, differs from this machine's or is unknown.
fn clock_warning(
    world: &World,
    source: &SourceId,
    end: Timestamp,
    zone: &TimeZone,
    now: Timestamp,
) -> Option<Consequence> {
    let held = world.cache(source)?;
    held.probe().value()?;
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
