//! Changes, for all screens: queries, what is known about them, marks, texts, columns.

use jiff::SignedDuration;

use crate::app::filter::FilterFields;
use crate::app::prelude::*;
use crate::app::widgets::chart::ChartMark;
use crate::model::change::{Change, ChangeKind, ChangeState};
use crate::model::series::TimeGrid;
use crate::model::source_info::SourceInfo;
use crate::model::world::AnswerCache;

/// How far back changes are read at least.
pub const LOOKBACK: Duration = Duration::from_secs(24 * 3600);
/// How far back they are read at most.
const MAX_LOOKBACK: Duration = Duration::from_secs(7 * 86_400);
/// A later answer begins this long before the end of the known one: sources see changes late, and know more about them later.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// Changes this long before an alert or an incident are shown with it ...
const BEFORE: SignedDuration = SignedDuration::from_mins(60);
/// ... and this long after it: the times of both are not exact.
const AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Most changes beside an alert or an incident.
const MAX_BESIDE: usize = 5;
/// Most marks on a chart, the newest first.
const MAX_MARKS: usize = 24;
/// Why there are no changes if no source can tell of them.
pub const NO_SOURCE: &str = "No source of changes is configured (version metrics, files, exec).";

/// The queries for changes over the displayed range, and at least the last day.
pub fn wants(shared: &Shared, now: Timestamp) -> Vec<Want> {
    wants_since(shared, shared.range.length, now)
}

/// The queries for changes over this length, that ends at the displayed moment: first all of it, then only what is new.
pub fn wants_since(shared: &Shared, length: Duration, now: Timestamp) -> Vec<Want> {
    let start = start(shared, length, now);
    let want = |source: &SourceId| {
        let known = shared.world.cache(source).and_then(|cache| cache.changes().value());
        let known = known.filter(|known| known.wanted <= start && known.until >= start);
        let since = known.and_then(|known| known.until.checked_sub(OVERLAP).ok()).unwrap_or(start);
        want::of(shared, source, Query::Changes { since: since.max(start) })
    };
    shared.answering(AskKind::Changes).map(|source| want(&source.id)).collect()
}

/// The start of the time range that is read.
fn start(shared: &Shared, length: Duration, now: Timestamp) -> Timestamp {
    let end = shared.range.end.unwrap_or(now).min(now);
    let length = length.clamp(LOOKBACK, MAX_LOOKBACK);
    let earliest = now.checked_sub(MAX_LOOKBACK).unwrap_or(now);
    // whole minutes: the same answer serves the screens that are opened one after the other
    let start = end.checked_sub(length).unwrap_or(earliest).max(earliest);
    Timestamp::from_second(start.as_second().div_euclid(60) * 60).unwrap_or(start)
}

/// What is known about the changes of a time range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeCoverage {
    /// No source can tell of changes.
    NoSource,
    /// No source has answered yet.
    NotLoaded,
    /// No source answers: the reason of the first.
    Failed(String),
    /// Some source has answered; the changes are complete from then on.
    Since(Timestamp),
}

impl ChangeCoverage {
    /// Why an empty list does not mean that nothing changed; `None` if it does, from `from` on.
    pub fn doubt(&self, from: Timestamp, cx: &ScreenCx<'_>) -> Option<String> {
        match self {
            Self::NoSource => Some(NO_SOURCE.to_owned()),
            Self::NotLoaded => Some(cx.shared.waiting().to_owned()),
            Self::Failed(why) => Some(format!("changes unknown: {why}")),
            Self::Since(since) if *since > from => {
                Some(format!("changes are known since {}", moment(*since, cx.now, cx.zone)))
            }
            Self::Since(_) => None,
        }
    }
}

/// What the sources have answered so far. A source that has nothing that tells of changes counts as none.
pub fn coverage(world: &World, sources: &[SourceInfo]) -> ChangeCoverage {
    let mut coverage = ChangeCoverage::NoSource;
    for source in sources.iter().filter(|source| source.answers.contains(&AskKind::Changes)) {
        let remote = world.cache(&source.id).map(AnswerCache::changes);
        let known = remote.and_then(|remote| remote.value());
        match (known, remote.and_then(|remote| remote.failure()), &coverage) {
            (Some(known), ..) if known.covers.is_empty() => {}
            (Some(known), _, ChangeCoverage::Since(since)) => {
                coverage = ChangeCoverage::Since(known.since.max(*since));
            }
            (Some(known), ..) => coverage = ChangeCoverage::Since(known.since),
            (None, _, ChangeCoverage::Since(_))
            | (None, None, ChangeCoverage::NotLoaded | ChangeCoverage::Failed(_)) => {}
            (None, Some(error), _) => coverage = ChangeCoverage::Failed(error.to_string()),
            (None, None, ChangeCoverage::NoSource) => coverage = ChangeCoverage::NotLoaded,
        }
    }
    coverage
}

/// The last change of a service, up to the displayed moment.
pub fn last<'a>(shared: &'a Shared, service: &str) -> Option<&'a Arc<Change>> {
    let end = shared.range.end.unwrap_or(Timestamp::MAX);
    shared.world.changes_of(service).find(|change| change.at <= end)
}

/// The role of a change.
pub fn role(change: &Change) -> Role {
    match (change.state, change.kind) {
        (ChangeState::Failed, _) | (_, ChangeKind::OutOfMemory) => Role::Warning,
        (ChangeState::Running, _) => Role::Sending,
        (ChangeState::Done, _) => Role::Accent,
    }
}

/// The changes of a service as marks of a chart over this time.
pub fn marks(cx: &ScreenCx<'_>, service: &str, span: TimeGrid) -> Vec<ChartMark<'static>> {
    let symbol = cx.charset.pick("▲", "^");
    let shown = |change: &&Arc<Change>| (span.start()..=span.end()).contains(&change.at);
    let changes = cx.world.changes_of(service).filter(shown).take(MAX_MARKS);
    changes.map(|change| ChartMark { at: change.at, symbol, role: role(change) }).collect()
}

/// Where it happened, if that is less than everywhere: `eu-west-1`.
fn place(change: &Change) -> String {
    let names = ["region", "cluster", "zone", "pod", "instance"];
    let values: Vec<&str> =
        names.iter().filter_map(|name| change.labels.get(name)).map(|text| &**text).collect();
    values.join(", ")
}

/// The time of a change relative to an event: `4m before`.
pub fn relative(change: &Change, event: Timestamp) -> String {
    if change.at <= event {
        format!("{} before", duration::short(age(change.at, event)))
    } else {
        format!("{} after", duration::short(age(event, change.at)))
    }
}

/// The changes around the begin of an alert or an incident: those of its service first, then the others, each nearest first.
pub fn beside<'a>(world: &'a World, service: Option<&str>, event: Timestamp) -> Vec<&'a Arc<Change>> {
    let is_near = |change: &&Arc<Change>| {
        let before = event.duration_since(change.at);
        before <= BEFORE && -before <= AFTER
    };
    let mut near: Vec<&Arc<Change>> = world.changes().iter().filter(is_near).collect();
    let is_other = |change: &Change| service.is_none_or(|service| !change.is_of(service));
    near.sort_by_key(|change| (is_other(change), event.duration_since(change.at).abs()));
    near
}

/// Writes the changes around an event onto a page, or why none are known.
pub fn write_beside(
    cx: &ScreenCx<'_>,
    (event, word): (Timestamp, &str),
    service: Option<&str>,
    page: &mut PageContent,
) {
    let coverage = coverage(cx.world, &cx.shared.sources);
    if coverage == ChangeCoverage::NoSource {
        return page.pair("changed", NO_SOURCE, Role::Muted);
    }
    let near = beside(cx.world, service, event);
    for change in near.iter().take(MAX_BESIDE) {
        let its = change.service.as_deref().filter(|its| Some(*its) != service);
        let its = its.map(|its| format!("{its} ")).unwrap_or_default();
        let place = Some(place(change)).filter(|place| !place.is_empty());
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        let words = format!("{} the {word}: {its}{}{place}", relative(change, event), change.sentence());
        let is_its = service.is_some_and(|service| change.is_of(service));
        page.pair("changed", &words, if is_its { role(change) } else { Role::Muted });
    }
    if near.len() > MAX_BESIDE {
        let more = format!("{} more changes in that hour; see the timeline", near.len() - MAX_BESIDE);
        page.pair("changed", &more, Role::Muted);
    }
    let from = event.checked_sub(BEFORE).unwrap_or(event);
    match coverage.doubt(from, cx) {
        Some(doubt) => page.pair("changed", &doubt, Role::Muted),
        None if near.is_empty() => {
            page.pair("changed", &format!("nothing in the hour before the {word}"), Role::Muted);
        }
        None => {}
    }
}

/// The changes of the list of the command line.
pub struct ChangeColumns;

/// A change and the moment of the list.
pub struct ChangeItem<'a> {
    pub change: &'a Change,
}

impl Listed for ChangeColumns {
    type Item<'a> = ChangeItem<'a>;
    type Widths = ();
}

type Column = ListColumn<ChangeColumns>;

/// The columns of `burnwatch changes` and of its JSON.
pub const COLUMNS: &[Column] = &[
    Column::text("at", "AGE", |item| Value::Since(item.change.at)),
    Column::text("service", "SERVICE", |item| Value::optional(item.change.service.as_ref())),
    Column::text("kind", "KIND", |item| Value::Text(item.change.kind.word().to_owned())),
    Column::text("title", "CHANGE", |item| Value::words(&*item.change.title)),
    Column::hidden("from", |item| Value::optional(item.change.from.as_ref())),
    Column::hidden("to", |item| Value::optional(item.change.to.as_ref())),
    Column::distinguishing("state", "STATE", |item| Value::Text(item.change.state.word().to_owned())),
    Column::text("who", "BY", |item| Value::optional(item.change.who.as_ref())),
    Column::hidden("made_at", |item| item.change.made_at.map_or(Value::Nothing, Value::Since)),
    Column::hidden("is_about", |item| Value::Switch(item.change.is_about)),
    Column::hidden("labels", |item| Value::Labels(item.change.labels.clone())),
    Column::hidden("id", |item| Value::optional(item.change.id.as_ref())),
    Column::hidden("link", |item| Value::optional(item.change.link.as_ref())),
    Column::text("sources", "SOURCES", |item| Value::texts(item.change.sources.iter())),
];

/// The haystack of these changes for a filter.
pub fn haystack<'a>(changes: impl Iterator<Item = &'a Arc<Change>>, now: Timestamp) -> Haystack {
    const FIELDS: FilterFields =
        FilterFields { words: &["service", "kind", "state"], numbers: &["age"], flags: &[] };
    let rows: Vec<(Labels, &Text, f64)> = changes
        .map(|change| (change.filter_labels(), &change.title, age(change.at, now).as_secs_f64()))
        .collect();
    let rows = rows.iter().map(|(labels, title, age)| {
        let words = ["service", "kind", "state"].map(|name| labels.get(name).cloned());
        (labels, [*title], words, [*age])
    });
    Haystack::with_fields(FIELDS, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ask::{Answer, Question, Reply};
    use crate::model::change::ChangeSnapshot;
    use crate::model::fixtures;
    use crate::model::source::{ErrorKind, SourceError};
    use crate::model::world::HealthPolicy;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn source(id: &str, answers: Vec<AskKind>) -> SourceInfo {
        fixtures::source(id, "toy", answers)
    }

    fn answered(world: &mut World, id: &str, answer: Result<ChangeSnapshot, ErrorKind>) {
        let ask = Query::Changes { since: at(-3600) }.now();
        let question = Question { context: 0, source: SourceId::new(id), ask, known: None };
        let answer = answer.map(|snapshot| Reply::free(Answer::Changes(snapshot)));
        world.asked(&question);
        world.apply(&question, answer.map_err(|kind| SourceError::new(SourceId::new(id), kind)), at(0));
    }

    fn snapshot(since: i64, covers: &[&str], changes: Vec<Change>) -> ChangeSnapshot {
        ChangeSnapshot::new(changes, at(since), at(0), covers.iter().map(|word| Text::from(*word)).collect())
    }

    #[test]
    fn no_source_no_answer_and_no_change_are_three_things() {
        let sources = [
            source("file", vec![AskKind::Changes]),
            source("prom", vec![AskKind::Changes]),
            source("am", vec![AskKind::Alerts]),
        ];
        let mut world = World::new(sources.iter().map(|source| source.id.clone()), HealthPolicy::default());
        assert_eq!(coverage(&world, &sources[2..]), ChangeCoverage::NoSource);
        assert_eq!(coverage(&world, &sources), ChangeCoverage::NotLoaded);
        // a server without such metrics proves nothing
        answered(&mut world, "prom", Ok(snapshot(-3600, &[], Vec::new())));
        assert_eq!(coverage(&world, &sources[1..]), ChangeCoverage::NoSource);
        assert_eq!(coverage(&world, &sources), ChangeCoverage::NotLoaded);
        answered(&mut world, "file", Err(ErrorKind::TimedOut { after: Duration::from_secs(1) }));
        let failed = "file: no complete answer within 1s".to_owned();
        assert_eq!(coverage(&world, &sources), ChangeCoverage::Failed(failed));
        answered(&mut world, "file", Ok(snapshot(-600, &["file"], Vec::new())));
        assert_eq!(coverage(&world, &sources), ChangeCoverage::Since(at(-600)));
    }

    #[test]
    fn beside_an_alert_stand_the_changes_of_the_hour_before_its_own_service_first() {
        let change = |second, service: &str| Change {
            service: Some(service.into()),
            ..Change::new(at(second), ChangeKind::Restart, "restarted", SourceId::new("file"))
        };
        let all = vec![
            change(-3700, "pay"),
            change(-3000, "pay"),
            change(-60, "cart"),
            change(200, "pay"),
            change(400, "pay"),
        ];
        let mut world = World::new([SourceId::new("file")], HealthPolicy::default());
        answered(&mut world, "file", Ok(snapshot(-7200, &["file"], all)));
        let near = beside(&world, Some("pay"), at(0));
        let told: Vec<String> = near
            .iter()
            .map(|change| format!("{} {}", change.service.as_deref().unwrap(), relative(change, at(0))))
            .collect();
        assert_eq!(told, ["pay 3m20s after", "pay 50m before", "cart 1m before"]);
        assert_eq!(world.changes_of("pay").count(), 4);
    }
}
