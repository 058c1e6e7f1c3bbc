//! SLOs: those of recording rules and those of definitions, all measured at one moment with as few queries as can be.

mod alerting;
mod assembly;
mod batch;
mod catalogue;
mod coverage;
mod discovery;
mod increases;
mod leaf;
mod live;
mod names;
mod shelf;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

use super::call::Call;
use super::kept::{KEPT_FIRST, KEPT_LONGEST, KEPT_WITHOUT_SIGNAL, Kept};
use super::rules;
use crate::model::labels::Text;
use crate::model::slo::{GroupReading, Measured, Slo, SloBoard, SloReading, Window};
use crate::model::source::{SourceError, Trouble};
use crate::model::warning::Warning;
use assembly::Answers;
use catalogue::{Catalogue, Entry, Way};
use leaf::Leaf;
use shelf::Shelf;

/// Most queries of one round that tell closely when data ended.
const MOST_CLOSER: usize = 8;

/// The SLOs of one server.
pub(super) struct Slos {
    discover: bool,
    definitions: Vec<Arc<Slo>>,
    catalogue: Mutex<Option<Kept<Arc<Catalogue>>>>,
    shelf: Mutex<Shelf>,
}

impl Slos {
    /// `discover`: also those that no definition names.
    pub(super) fn new(discover: bool, definitions: &[Arc<Slo>]) -> Self {
        Self {
            discover,
            definitions: definitions.to_vec(),
            catalogue: Mutex::new(None),
            shelf: Mutex::new(Shelf::default()),
        }
    }

    /// Whether there may be any.
    pub(super) fn are_asked_for(&self) -> bool {
        self.discover || !self.definitions.is_empty()
    }

    /// How many there are.
    ///
    /// # Errors
    /// Whatever keeps them from being found.
    pub(super) async fn count(
        &self,
        call: &Call<'_>,
        rules: &rules::Reading<'_>,
    ) -> Result<usize, SourceError> {
        let catalogue = self.catalogue(call, rules).await?;
        catalogue.trouble.clone().map_or(Ok(catalogue.entries.len()), Err)
    }

    /// Which there are, found out once in a while. If that fails later on, what was found last still holds.
    async fn catalogue(
        &self,
        call: &Call<'_>,
        rules: &rules::Reading<'_>,
    ) -> Result<Arc<Catalogue>, SourceError> {
        let mut kept = self.catalogue.lock().await;
        if let Some(catalogue) = Kept::known(kept.as_ref(), call) {
            return Ok(catalogue);
        }
        // what was said beside its answers holds as long as the catalogue does
        let finding = call.beside();
        let found = self.find(&finding, rules, kept.is_some()).await;
        call.add_cost_of(&finding);
        let warnings = finding.warnings();
        let (catalogue, lasts) = match (found, kept.as_ref()) {
            (Ok(catalogue), _) if warnings.iter().any(Warning::is_missing_data) => {
                (catalogue, KEPT_WITHOUT_SIGNAL)
            }
            (Ok(catalogue), before) => {
                let lasts = before.map_or(KEPT_FIRST, |kept| kept.lasts.saturating_mul(2));
                (catalogue, lasts.clamp(KEPT_FIRST, KEPT_LONGEST))
            }
            (Err(error), _) if error.trouble.is_source_wide() => return Err(error),
            // it is looked for again with the next question
            (Err(_), Some(old)) => return Ok(old.clone().put(&mut kept, call)),
            (Err(error), None) => {
                let mut catalogue = Catalogue::make(&self.definitions, &[], false);
                let warning = format!("SLOs cannot be found by their rules: {}", error.trouble);
                catalogue.warnings.push(Warning::missing(warning));
                catalogue.trouble = Some(error);
                (catalogue, KEPT_WITHOUT_SIGNAL)
            }
        };
        Ok(Kept::new(Arc::new(catalogue), lasts, warnings).put(&mut kept, call))
    }

    /// `is_again`: rather nothing new than less than was known.
    async fn find(
        &self,
        call: &Call<'_>,
        reading: &rules::Reading<'_>,
        is_again: bool,
    ) -> Result<Catalogue, SourceError> {
        let is_recorded = self.definitions.iter().any(|slo| slo.recorded.is_some());
        if !self.discover && !is_recorded {
            return Ok(Catalogue::make(&self.definitions, &[], false));
        }
        let raw = discovery::ask(call).await?;
        if raw.is_empty() {
            return Ok(Catalogue::make(&self.definitions, &[], self.discover));
        }
        // without rules what the series say must do
        let rules = match rules::board(call, reading).await {
            Ok(board) => board.rules,
            Err(SourceError { trouble: Trouble::NotOffered { .. } | Trouble::Forbidden { .. }, .. }) => {
                Vec::new()
            }
            Err(error) if is_again || error.trouble.is_source_wide() => return Err(error),
            Err(_) => Vec::new(),
        };
        let (mut found, lacking) = discovery::found(&raw, &rules, &self.definitions);
        discovery::add_errors(call, &mut found, &self.definitions).await;
        let mut catalogue = Catalogue::make(&self.definitions, &found, self.discover);
        if self.discover {
            catalogue.warnings.extend(lacking);
        }
        Ok(catalogue)
    }

    /// All SLOs, measured at `at`, or at `now` if that is none. With it comes what recognises the same answer next time.
    ///
    /// # Errors
    /// If the source as a whole is in trouble. What else fails is said of the SLO.
    pub(super) async fn board(
        &self,
        call: &Call<'_>,
        rules: &rules::Reading<'_>,
        at: Option<Timestamp>,
        timeout: Duration,
    ) -> Result<(SloBoard, u64), SourceError> {
        let catalogue = self.catalogue(call, rules).await?;
        if let (Some(trouble), true) = (&catalogue.trouble, catalogue.entries.is_empty()) {
            return Err(trouble.clone());
        }
        let moment = at.unwrap_or_else(|| call.server.manners.skew.there(rules.now));
        // the API takes whole seconds, and all queries must mean the same one
        let moment = Timestamp::from_second(moment.as_second()).unwrap_or(moment);
        let (mut present, mut past);
        let shelf = if at.is_none() {
            present = self.shelf.lock().await;
            &mut *present
        } else {
            // the past need not wait for the present
            past = self.shelf.try_lock().map(|shelf| shelf.for_another_time()).unwrap_or_default();
            &mut past
        };
        let mut leaves = leaves(&catalogue, moment);
        // all of it must fit into what the runtime grants a question: one and a half time-outs
        shelf.fill(call, &leaves, moment, timeout * 9 / 10).await?;
        let mut board = read(&catalogue, shelf, &leaves, moment, &[]);
        let more = closely(&catalogue, &board);
        if !more.is_empty() {
            shelf.fill(call, &more, moment, timeout * 2 / 10).await?;
            leaves.extend(more);
            let closer = closer(&catalogue, shelf, &leaves, moment);
            let last: Vec<Arc<Leaf>> =
                closer.iter().flatten().flat_map(|way| way.leaves().into_iter().cloned()).collect();
            if !last.is_empty() {
                shelf.fill(call, &last, moment, timeout / 10).await?;
                leaves.extend(last);
            }
            board = read(&catalogue, shelf, &leaves, moment, &closer);
        }
        if at.is_none() {
            shelf.keep_only(&leaves);
        }
        call.note(catalogue.warnings.clone());
        if let Some(warning) = refused(&catalogue, &board) {
            call.warn(warning);
        }
        let digest = digest(&board);
        Ok((board, digest))
    }
}

/// That some SLOs could not be measured; each of them says so, too. A definition that cannot be asked for is another matter.
fn refused(catalogue: &Catalogue, board: &SloBoard) -> Option<Warning> {
    let both = catalogue.entries.iter().zip(&board.readings);
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
fn leaves(catalogue: &Catalogue, at: Timestamp) -> Vec<Arc<Leaf>> {
    let of = |entry: &Entry| {
        let window = entry.window(at);
        let ways = entry.recent.iter().map(|(_, way)| way).chain([&window, &entry.looks.seen]);
        ways.flat_map(|way| way.leaves().into_iter().cloned()).collect::<Vec<_>>()
    };
    catalogue.entries.iter().flat_map(of).collect()
}

/// What is asked besides where there are data for a part of the window alone, and where there are none now.
fn closely(catalogue: &Catalogue, board: &SloBoard) -> Vec<Arc<Leaf>> {
    let of = |(entry, reading): (&Entry, &SloReading)| {
        let is_gone = |group: &GroupReading| group.recent.iter().any(|(_, m)| *m == Measured::Absent);
        let is_partial = reading.groups.iter().any(|group| group.extent.is_some());
        let last = entry.looks.last.iter().filter(|_| reading.groups.iter().any(is_gone));
        let ways = last.chain(entry.looks.stretches.iter().filter(|_| is_partial).map(|(_, way)| way));
        ways.flat_map(|way| way.leaves().into_iter().cloned()).collect::<Vec<_>>()
    };
    catalogue.entries.iter().zip(&board.readings).flat_map(of).collect()
}

/// Of each SLO whose data ended at a time that is known from afar alone a way to know it closely. Where many of a family ended at
/// as many times, only the first are asked for.
fn closer(catalogue: &Catalogue, shelf: &Shelf, leaves: &[Arc<Leaf>], at: Timestamp) -> Vec<Option<Way>> {
    let shown = shelf.shown(leaves, at);
    let answers = Answers::new(&shown, leaves);
    let mut asked: BTreeSet<Text> = BTreeSet::new();
    let mut of = |entry: &Entry| {
        let way = entry.closer(answers.seen_from_afar(entry)?, at)?;
        let keys: Vec<Text> = way.leaves().into_iter().map(|leaf| leaf.key.clone()).collect();
        let is_room = asked.len() < MOST_CLOSER || keys.iter().all(|key| asked.contains(key));
        asked.extend(keys.into_iter().filter(|_| is_room));
        Some(way).filter(|_| is_room)
    };
    catalogue.entries.iter().map(&mut of).collect()
}

fn read(
    catalogue: &Catalogue,
    shelf: &Shelf,
    leaves: &[Arc<Leaf>],
    at: Timestamp,
    closer: &[Option<Way>],
) -> SloBoard {
    let shown = shelf.shown(leaves, at);
    let answers = Answers::new(&shown, leaves);
    let entries = catalogue.entries.iter().enumerate();
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
