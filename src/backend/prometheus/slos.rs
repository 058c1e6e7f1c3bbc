//! SLOs from definitions and from recording rules, all measured at the same time with as few queries as possible.

mod alerting;
mod assembly;
mod batch;
mod coverage;
mod discovery;
mod increases;
mod live;
mod names;
mod number_source;
mod query_cache;
mod registry;
mod subquery;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::cached::{Cached, DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX, DISCOVERY_INTERVAL_NO_SIGNAL};
use super::call::QuestionRequests;
use super::rules;
use crate::model::labels::Text;
use crate::model::slo::{GroupReading, MeasuredRatio, Slo, SloReading, SloSnapshot, Window};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;
use assembly::RoundAnswers;
use number_source::NumberSource;
use query_cache::QueryCache;
use registry::{RegisteredSlo, SloRegistry};
use subquery::Subquery;

/// The maximum number of queries in one round that find the exact end of data.
const MAX_END_QUERIES: usize = 8;

pub(super) struct ServerSlos {
    discover: bool,
    definitions: Vec<Arc<Slo>>,
    slo_registry: Mutex<Option<Cached<Arc<SloRegistry>>>>,
    cache: Mutex<QueryCache>,
}

impl ServerSlos {
    /// `discover`: also finds SLOs without a definition, by their recorded series.
    pub(super) fn new(discover: bool, definitions: &[Arc<Slo>]) -> Self {
        Self {
            discover,
            definitions: definitions.to_vec(),
            slo_registry: Mutex::new(None),
            cache: Mutex::new(QueryCache::default()),
        }
    }

    /// Whether SLOs are configured or discovered.
    pub(super) fn may_have_slos(&self) -> bool {
        self.discover || !self.definitions.is_empty()
    }

    pub(super) async fn count(&self, call: &QuestionRequests<'_>) -> Result<usize, SourceError> {
        let slo_registry = self.slo_registry(call).await?;
        slo_registry.failure.clone().map_or(Ok(slo_registry.entries.len()), Err)
    }

    /// The registry of SLOs, cached. If a later discovery fails, the last registry stays in use.
    async fn slo_registry(&self, call: &QuestionRequests<'_>) -> Result<Arc<SloRegistry>, SourceError> {
        let mut kept = self.slo_registry.lock().await;
        if let Some(slo_registry) = Cached::known(kept.as_ref(), call) {
            return Ok(slo_registry);
        }
        // the warnings of these requests are valid as long as the registry
        let finding = call.separate();
        let found = self.find(&finding, kept.is_some()).await;
        let warnings = finding.warnings();
        let (slo_registry, lasts) = match (found, kept.as_ref()) {
            (Ok(slo_registry), _) if warnings.iter().any(Warning::is_missing_data) => {
                (slo_registry, DISCOVERY_INTERVAL_NO_SIGNAL)
            }
            (Ok(slo_registry), before) => {
                let lasts = before.map_or(DISCOVERY_INTERVAL_FIRST, |kept| kept.lasts.saturating_mul(2));
                (slo_registry, lasts.clamp(DISCOVERY_INTERVAL_FIRST, DISCOVERY_INTERVAL_MAX))
            }
            (Err(error), _) if error.kind.is_source_wide() => return Err(error),
            // it is looked for again with the next question
            (Err(_), Some(old)) => return Ok(old.clone().put(&mut kept, call)),
            (Err(error), None) => {
                let mut slo_registry = SloRegistry::make(&self.definitions, &[], false);
                let warning = format!("SLOs could not be discovered from their rules: {}", error.kind);
                slo_registry.warnings.push(Warning::missing(warning));
                slo_registry.failure = Some(error);
                (slo_registry, DISCOVERY_INTERVAL_NO_SIGNAL)
            }
        };
        Ok(Cached::new(Arc::new(slo_registry), lasts, warnings).put(&mut kept, call))
    }

    /// Discovers the SLOs. `is_again`: any failure is an error, because a registry with fewer SLOs must not replace the last
    /// one.
    async fn find(&self, call: &QuestionRequests<'_>, is_again: bool) -> Result<SloRegistry, SourceError> {
        let is_recorded = self.definitions.iter().any(|slo| slo.recorded.is_some());
        if !self.discover && !is_recorded {
            return Ok(SloRegistry::make(&self.definitions, &[], false));
        }
        let raw = discovery::ask(call).await?;
        if raw.is_empty() {
            return Ok(SloRegistry::make(&self.definitions, &[], self.discover));
        }
        // without the rules, the series alone must be enough
        let rules = match rules::snapshot(call).await {
            Ok(snapshot) => snapshot.rules,
            Err(SourceError { kind: ErrorKind::NotOffered { .. } | ErrorKind::Forbidden { .. }, .. }) => {
                Vec::new()
            }
            Err(error) if is_again || error.kind.is_source_wide() => return Err(error),
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

    /// All SLOs, measured at `at`, or now if `at` is `None`; and a digest of the answer.
    ///
    /// # Errors
    /// Errors of the whole source, or if nothing was answered in time. Any other failure is reported with its SLO.
    pub(super) async fn snapshot(
        &self,
        call: &QuestionRequests<'_>,
        at: Option<Timestamp>,
    ) -> Result<(SloSnapshot, u64), SourceError> {
        let timeout = call.server.timeout;
        let slo_registry = self.slo_registry(call).await?;
        if let (Some(failure), true) = (&slo_registry.failure, slo_registry.entries.is_empty()) {
            return Err(failure.clone());
        }
        let moment = at.unwrap_or_else(|| call.server.now());
        // the API has whole seconds, and all queries must be evaluated at the same time
        let moment = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        let (mut present, mut past);
        let cache = if at.is_none() {
            present = self.cache.lock().await;
            &mut *present
        } else {
            // a question about the past does not wait for the cache of the present
            past = self.cache.try_lock().map(|cache| cache.for_another_time()).unwrap_or_default();
            &mut past
        };
        let mut subqueries = subqueries(&slo_registry, moment);
        // together at most 1.2 time-outs: the runtime allows a question one and a half
        cache.fill(call, &subqueries, moment, timeout * 9 / 10).await?;
        let mut snapshot = read(&slo_registry, cache, &subqueries, moment, &[]);
        let more = extra_subqueries(&slo_registry, &snapshot);
        if !more.is_empty() {
            cache.fill(call, &more, moment, timeout * 2 / 10).await?;
            subqueries.extend(more);
            let fine_check = fine_check(&slo_registry, cache, &subqueries, moment);
            let last: Vec<Arc<Subquery>> =
                fine_check.iter().flatten().flat_map(NumberSource::subqueries).collect();
            if !last.is_empty() {
                cache.fill(call, &last, moment, timeout / 10).await?;
                subqueries.extend(last);
            }
            snapshot = read(&slo_registry, cache, &subqueries, moment, &fine_check);
        }
        if at.is_none() {
            cache.keep_only(&subqueries);
        }
        call.note(slo_registry.warnings.clone());
        if let Some(warning) = refused(&slo_registry, &snapshot) {
            call.warn(warning);
        }
        let digest = digest(&snapshot);
        Ok((snapshot, digest))
    }
}

/// A warning that some SLOs could not be measured; each of them has its own error, too. Definitions that cannot be queried at
/// all are not counted.
fn refused(slo_registry: &SloRegistry, snapshot: &SloSnapshot) -> Option<Warning> {
    let both = slo_registry.entries.iter().zip(&snapshot.readings);
    let mut failures = both
        .filter(|(entry, _)| entry.failure.is_none())
        .filter_map(|(_, reading)| Some((&reading.slo.id, reading.failure.as_ref()?)));
    let (id, why) = failures.next()?;
    let more = match failures.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(Warning::part(format!("SLO {id} could not be measured completely{more}: {why}")))
}

/// All queries of a round, whether they are due or not.
fn subqueries(slo_registry: &SloRegistry, at: Timestamp) -> Vec<Arc<Subquery>> {
    let of = |entry: &RegisteredSlo| {
        let window = entry.window(at);
        let number_sources =
            entry.recent.iter().map(|(_, number_source)| number_source).chain([&window, &entry.looks.seen]);
        number_sources.flat_map(NumberSource::subqueries).collect::<Vec<_>>()
    };
    slo_registry.entries.iter().flat_map(of).collect()
}

/// Additional queries for SLOs with data in only a part of the window, and for SLOs without current data.
fn extra_subqueries(slo_registry: &SloRegistry, snapshot: &SloSnapshot) -> Vec<Arc<Subquery>> {
    let of = |(entry, reading): (&RegisteredSlo, &SloReading)| {
        let is_gone = |group: &GroupReading| group.recent.iter().any(|(_, m)| *m == MeasuredRatio::Absent);
        let is_partial = reading.groups.iter().any(|group| group.extent.is_some());
        let last = entry.looks.last.iter().filter(|_| reading.groups.iter().any(is_gone));
        let number_sources = last.chain(
            entry.looks.past_ranges.iter().filter(|_| is_partial).map(|(_, number_source)| number_source),
        );
        number_sources.flat_map(NumberSource::subqueries).collect::<Vec<_>>()
    };
    slo_registry.entries.iter().zip(&snapshot.readings).flat_map(of).collect()
}

/// For each SLO whose end of data is only known coarsely, a query for the exact time. If many SLOs ended at different times,
/// only the first ones are queried.
fn fine_check(
    slo_registry: &SloRegistry,
    cache: &QueryCache,
    subqueries: &[Arc<Subquery>],
    at: Timestamp,
) -> Vec<Option<NumberSource>> {
    let shown = cache.shown(subqueries, at);
    let answers = RoundAnswers::new(&shown, subqueries);
    let mut asked: BTreeSet<Text> = BTreeSet::new();
    let mut of = |entry: &RegisteredSlo| {
        let number_source = entry.fine_check(answers.last_seen_coarsely(entry)?, at)?;
        let keys: Vec<Text> =
            number_source.subqueries().iter().map(|subquery| subquery.key.clone()).collect();
        let is_room = asked.len() < MAX_END_QUERIES || keys.iter().all(|key| asked.contains(key));
        asked.extend(keys.into_iter().filter(|_| is_room));
        Some(number_source).filter(|_| is_room)
    };
    slo_registry.entries.iter().map(&mut of).collect()
}

/// The readings of all SLOs from the cached answers.
fn read(
    slo_registry: &SloRegistry,
    cache: &QueryCache,
    subqueries: &[Arc<Subquery>],
    at: Timestamp,
    fine_check: &[Option<NumberSource>],
) -> SloSnapshot {
    let shown = cache.shown(subqueries, at);
    let answers = RoundAnswers::new(&shown, subqueries);
    let entries = slo_registry.entries.iter().enumerate();
    let fine_check = |number: usize| fine_check.get(number).and_then(Option::as_ref);
    let readings = entries.map(|(number, entry)| answers.reading(entry, at, fine_check(number))).collect();
    SloSnapshot { at, readings }
}

/// A digest of the parts that are displayed; for calendar windows also the minute, because their elapsed time grows.
fn digest(snapshot: &SloSnapshot) -> u64 {
    let mut hasher = DefaultHasher::new();
    for reading in &snapshot.readings {
        (Arc::as_ptr(&reading.slo), &reading.failure, &reading.remark).hash(&mut hasher);
        if matches!(reading.slo.window, Window::Calendar(_)) {
            (snapshot.at.as_second() / 60).hash(&mut hasher);
        }
        for group in &reading.groups {
            // values that grow with the clock only change the digest once a minute
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
