//! SLOs: those of recording rules and those of definitions, all measured at one moment with as few queries as can be.

mod alerting;
mod assembly;
mod batch;
mod coverage;
mod discovery;
mod increases;
mod live;
mod names;
mod query_cache;
mod registry;
mod subquery;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::call::QuestionRequests;
use super::kept::{DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX, DISCOVERY_INTERVAL_NO_SIGNAL, Kept};
use super::rules;
use crate::model::labels::Text;
use crate::model::slo::{GroupReading, MeasuredRatio, Slo, SloBoard, SloReading, Window};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;
use assembly::RoundAnswers;
use query_cache::QueryCache;
use registry::{NumberSource, RegisteredSlo, SloRegistry};
use subquery::Subquery;

/// Most queries of one round that tell closely when data ended.
const MAX_END_QUERIES: usize = 8;

/// The SLOs of one server.
pub(super) struct ServerSlos {
    discover: bool,
    definitions: Vec<Arc<Slo>>,
    slo_registry: Mutex<Option<Kept<Arc<SloRegistry>>>>,
    cache: Mutex<QueryCache>,
}

impl ServerSlos {
    /// `discover`: also those that no definition names.
    pub(super) fn new(discover: bool, definitions: &[Arc<Slo>]) -> Self {
        Self {
            discover,
            definitions: definitions.to_vec(),
            slo_registry: Mutex::new(None),
            cache: Mutex::new(QueryCache::default()),
        }
    }

    /// Whether there may be any.
    pub(super) fn may_have_slos(&self) -> bool {
        self.discover || !self.definitions.is_empty()
    }

    /// How many there are.
    ///
    /// # Errors
    /// Whatever keeps them from being found.
    pub(super) async fn count(
        &self,
        call: &QuestionRequests<'_>,
        rules: &rules::RuleReader<'_>,
    ) -> Result<usize, SourceError> {
        let slo_registry = self.slo_registry(call, rules).await?;
        slo_registry.trouble.clone().map_or(Ok(slo_registry.entries.len()), Err)
    }

    /// Which there are, found out once in a while. If that fails later on, what was found last still holds.
    async fn slo_registry(
        &self,
        call: &QuestionRequests<'_>,
        rules: &rules::RuleReader<'_>,
    ) -> Result<Arc<SloRegistry>, SourceError> {
        let mut kept = self.slo_registry.lock().await;
        if let Some(slo_registry) = Kept::known(kept.as_ref(), call) {
            return Ok(slo_registry);
        }
        // what was said beside its answers holds as long as the catalogue does
        let finding = call.separate();
        let found = self.find(&finding, rules, kept.is_some()).await;
        call.add_cost_of(&finding);
        let warnings = finding.warnings();
        let (slo_registry, lasts) = match (found, kept.as_ref()) {
            (Ok(slo_registry), _) if warnings.iter().any(Warning::is_missing_data) => {
                (slo_registry, DISCOVERY_INTERVAL_NO_SIGNAL)
            }
            (Ok(slo_registry), before) => {
                let lasts = before.map_or(DISCOVERY_INTERVAL_FIRST, |kept| kept.lasts.saturating_mul(2));
                (slo_registry, lasts.clamp(DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX))
            }
            (Err(error), _) if error.trouble.is_source_wide() => return Err(error),
            // it is looked for again with the next question
            (Err(_), Some(old)) => return Ok(old.clone().put(&mut kept, call)),
            (Err(error), None) => {
                let mut slo_registry = SloRegistry::make(&self.definitions, &[], false);
                let warning = format!("SLOs cannot be found by their rules: {}", error.trouble);
                slo_registry.warnings.push(Warning::missing(warning));
                slo_registry.trouble = Some(error);
                (slo_registry, DISCOVERY_INTERVAL_NO_SIGNAL)
            }
        };
        Ok(Kept::new(Arc::new(slo_registry), lasts, warnings).put(&mut kept, call))
    }

    /// `is_again`: rather nothing new than less than was known.
    async fn find(
        &self,
        call: &QuestionRequests<'_>,
        reading: &rules::RuleReader<'_>,
        is_again: bool,
    ) -> Result<SloRegistry, SourceError> {
        let is_recorded = self.definitions.iter().any(|slo| slo.recorded.is_some());
        if !self.discover && !is_recorded {
            return Ok(SloRegistry::make(&self.definitions, &[], false));
        }
        let raw = discovery::ask(call).await?;
        if raw.is_empty() {
            return Ok(SloRegistry::make(&self.definitions, &[], self.discover));
        }
        // without rules what the series say must do
        let rules = match rules::board(call, reading).await {
            Ok(board) => board.rules,
            Err(SourceError {
                trouble: ErrorKind::NotOffered { .. } | ErrorKind::Forbidden { .. }, ..
            }) => Vec::new(),
            Err(error) if is_again || error.trouble.is_source_wide() => return Err(error),
            Err(_) => Vec::new(),
        };
        let (mut found, lacking) = discovery::found(&raw, &rules, &self.definitions);
        discovery::add_errors(call, &mut found, &self.definitions).await;
        let mut slo_registry = SloRegistry::make(&self.definitions, &found, self.discover);
        if self.discover {
            slo_registry.warnings.extend(lacking);
        }
        Ok(slo_registry)
    }

    /// All SLOs, measured at `at`, or at `now` if that is none. With it comes what recognises the same answer next time.
    ///
    /// # Errors
    /// If the source as a whole is in trouble. What else fails is said of the SLO.
    pub(super) async fn board(
        &self,
        call: &QuestionRequests<'_>,
        rules: &rules::RuleReader<'_>,
        at: Option<Timestamp>,
        timeout: Duration,
    ) -> Result<(SloBoard, u64), SourceError> {
        let slo_registry = self.slo_registry(call, rules).await?;
        if let (Some(trouble), true) = (&slo_registry.trouble, slo_registry.entries.is_empty()) {
            return Err(trouble.clone());
        }
        let moment = at.unwrap_or_else(|| call.server.quirks.skew.there(rules.now));
        // the API takes whole seconds, and all queries must mean the same one
        let moment = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        let (mut present, mut past);
        let cache = if at.is_none() {
            present = self.cache.lock().await;
            &mut *present
        } else {
            // the past need not wait for the present
            past = self.cache.try_lock().map(|cache| cache.for_another_time()).unwrap_or_default();
            &mut past
        };
        let mut subqueries = subqueries(&slo_registry, moment);
        // all of it must fit into what the runtime grants a question: one and a half time-outs
        cache.fill(call, &subqueries, moment, timeout * 9 / 10).await?;
        let mut board = read(&slo_registry, cache, &subqueries, moment, &[]);
        let more = extra_subqueries(&slo_registry, &board);
        if !more.is_empty() {
            cache.fill(call, &more, moment, timeout * 2 / 10).await?;
            subqueries.extend(more);
            let closer = closer(&slo_registry, cache, &subqueries, moment);
            let last: Vec<Arc<Subquery>> = closer
                .iter()
                .flatten()
                .flat_map(|number_source| number_source.subqueries().into_iter().cloned())
                .collect();
            if !last.is_empty() {
                cache.fill(call, &last, moment, timeout / 10).await?;
                subqueries.extend(last);
            }
            board = read(&slo_registry, cache, &subqueries, moment, &closer);
        }
        if at.is_none() {
            cache.keep_only(&subqueries);
        }
        call.note(slo_registry.warnings.clone());
        if let Some(warning) = refused(&slo_registry, &board) {
            call.warn(warning);
        }
        let digest = digest(&board);
        Ok((board, digest))
    }
}

/// That some SLOs could not be measured; each of them says so, too. A definition that cannot be asked for is another matter.
fn refused(slo_registry: &SloRegistry, board: &SloBoard) -> Option<Warning> {
    let both = slo_registry.entries.iter().zip(&board.readings);
    let mut troubles = both
        .filter(|(entry, _)| entry.trouble.is_none())
        .filter_map(|(_, reading)| Some((&reading.slo.id, reading.trouble.as_ref()?)));
    let (id, why) = troubles.next()?;
    let more = match troubles.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(Warning::part(format!("SLO {id} is not measured whole{more}: {why}")))
}

/// All that is asked for in a round, whether it is due or not.
fn subqueries(slo_registry: &SloRegistry, at: Timestamp) -> Vec<Arc<Subquery>> {
    let of = |entry: &RegisteredSlo| {
        let window = entry.window(at);
        let number_sources =
            entry.recent.iter().map(|(_, number_source)| number_source).chain([&window, &entry.looks.seen]);
        number_sources
            .flat_map(|number_source| number_source.subqueries().into_iter().cloned())
            .collect::<Vec<_>>()
    };
    slo_registry.entries.iter().flat_map(of).collect()
}

/// What is asked besides where there are data for a part of the window alone, and where there are none now.
fn extra_subqueries(slo_registry: &SloRegistry, board: &SloBoard) -> Vec<Arc<Subquery>> {
    let of = |(entry, reading): (&RegisteredSlo, &SloReading)| {
        let is_gone = |group: &GroupReading| group.recent.iter().any(|(_, m)| *m == MeasuredRatio::Absent);
        let is_partial = reading.groups.iter().any(|group| group.extent.is_some());
        let last = entry.looks.last.iter().filter(|_| reading.groups.iter().any(is_gone));
        let number_sources = last.chain(
            entry.looks.past_ranges.iter().filter(|_| is_partial).map(|(_, number_source)| number_source),
        );
        number_sources
            .flat_map(|number_source| number_source.subqueries().into_iter().cloned())
            .collect::<Vec<_>>()
    };
    slo_registry.entries.iter().zip(&board.readings).flat_map(of).collect()
}

/// Of each SLO whose data ended at a time that is known from afar alone a way to know it closely. Where many of a family ended at
/// as many times, only the first are asked for.
fn closer(
    slo_registry: &SloRegistry,
    cache: &QueryCache,
    subqueries: &[Arc<Subquery>],
    at: Timestamp,
) -> Vec<Option<NumberSource>> {
    let shown = cache.shown(subqueries, at);
    let answers = RoundAnswers::new(&shown, subqueries);
    let mut asked: BTreeSet<Text> = BTreeSet::new();
    let mut of = |entry: &RegisteredSlo| {
        let number_source = entry.closer(answers.last_seen_coarsely(entry)?, at)?;
        let keys: Vec<Text> =
            number_source.subqueries().into_iter().map(|subquery| subquery.key.clone()).collect();
        let is_room = asked.len() < MAX_END_QUERIES || keys.iter().all(|key| asked.contains(key));
        asked.extend(keys.into_iter().filter(|_| is_room));
        Some(number_source).filter(|_| is_room)
    };
    slo_registry.entries.iter().map(&mut of).collect()
}

fn read(
    slo_registry: &SloRegistry,
    cache: &QueryCache,
    subqueries: &[Arc<Subquery>],
    at: Timestamp,
    closer: &[Option<NumberSource>],
) -> SloBoard {
    let shown = cache.shown(subqueries, at);
    let answers = RoundAnswers::new(&shown, subqueries);
    let entries = slo_registry.entries.iter().enumerate();
    let closer = |number: usize| closer.get(number).and_then(Option::as_ref);
    let readings = entries.map(|(number, entry)| answers.reading(entry, at, closer(number))).collect();
    SloBoard { at, readings }
}

/// Over what is shown. Of a calendar window also how much of it has passed, by the minute.
fn digest(board: &SloBoard) -> u64 {
    let mut hasher = DefaultHasher::new();
    for reading in &board.readings {
        (Arc::as_ptr(&reading.slo), &reading.trouble, &reading.remark).hash(&mut hasher);
        if matches!(reading.slo.window, Window::Calendar(_)) {
            (board.at.as_second() / 60).hash(&mut hasher);
        }
        for group in &reading.groups {
            // what grows with the clock alone is told anew by the minute
            let extent = group.extent.as_ref().map(|extent| (extent.known.as_secs() / 60, extent.at_most));
            (&group.labels, extent, group.newest).hash(&mut hasher);
            for measured in group.recent.iter().map(|(_, measured)| measured).chain([&group.window]) {
                std::mem::discriminant(measured).hash(&mut hasher);
                (measured.error().map(f64::to_bits), measured.events().map(f64::to_bits)).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
