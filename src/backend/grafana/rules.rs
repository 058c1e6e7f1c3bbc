//! Grafana-managed alert rules: which are firing, pending or broken, and their instances, within a bound of bytes for each poll.
//!
//! A poll first reads the active rules without instances. From their totals follows how many instances of each rule fit, and
//! these are read then. What is not loaded is counted and said.

mod pages;
mod read;
mod snapshot;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Grafana;
use super::rights::RULES_READ;
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered};
use crate::model::source::{ErrorKind, SourceError};
use pages::{Collected, PageRequest};
pub(super) use read::{FoundRule, RULE_UID};

/// The most bytes for the list of active rules without instances.
const RULE_BYTES: usize = 250_000;
/// The most bytes for the list with instances.
const INSTANCE_BYTES: usize = 400_000;
/// The most bytes for the list of broken rules.
const BROKEN_BYTES: usize = 100_000;
/// The size of an instance until some were seen, in bytes.
const USUAL_INSTANCE: usize = 800;
/// How often broken rules are listed.
const BROKEN_EVERY: Duration = Duration::from_secs(60);
/// How long a poll serves the other question that needs it.
const SHARED_FOR: Duration = Duration::from_secs(4);
/// The states of the instances that are asked for; versions before 12 do not know the last one.
const STATES: [&str; 3] = ["firing", "pending", "recovering"];

/// What the last poll found.
#[derive(Debug, Default)]
pub(super) struct RulePoll {
    /// The rules with firing or pending instances.
    pub(super) active: Vec<FoundRule>,
    /// The rules whose last evaluation failed or had no data.
    pub(super) broken: Vec<FoundRule>,
    /// What was not loaded.
    pub(super) gaps: Vec<String>,
    /// Whether the list of active rules has its end: else there may be more firing instances than are counted.
    pub(super) is_whole: bool,
    /// The number of elements that could not be read.
    pub(super) lost: usize,
}

impl RulePoll {
    /// The numbers of firing and pending instances of the listed rules, loaded or not.
    pub(super) fn active_instances(&self) -> u64 {
        self.active.iter().map(FoundRule::active).sum()
    }

    /// The most alerts that the Alertmanager may list for these rules.
    pub(super) fn notifying(&self) -> u64 {
        self.active.iter().chain(&self.broken).map(|rule| rule.firing + rule.broken).sum()
    }

    fn loaded(&self) -> u64 {
        self.active.iter().map(|rule| rule.instances.len() as u64).sum()
    }
}

/// What is kept between polls.
#[derive(Default)]
pub(super) struct RulePolls {
    last: Option<(Instant, Arc<RulePoll>)>,
    /// The broken rules and when they were listed.
    broken: Option<(Instant, Collected)>,
    /// The server refused the state `recovering`.
    is_without_recovering: bool,
    /// The mean size of an instance in the last list, in bytes.
    instance_bytes: usize,
}

impl Grafana {
    /// Answers the question for rules.
    pub(super) async fn rules(&self, known: Option<u64>) -> Answered {
        let poll = self.polled().await?;
        let mut parts = AnswerParts::default();
        let all: Vec<&FoundRule> = poll.active.iter().chain(&poll.broken).collect();
        let definitions = self.definitions_of(&all, &mut parts).await?;
        let snapshot = snapshot::of(&poll, &definitions, self);
        snapshot::warn(&poll, &mut parts);
        let digest = snapshot::digest(&snapshot, &parts.warnings);
        Ok(parts.reply_if_new(Answer::Rules(snapshot), digest, known))
    }

    /// The present rules: from a poll of the last seconds, or a new one.
    pub(super) async fn polled(&self) -> Result<Arc<RulePoll>, SourceError> {
        let mut polls = self.polls.lock().await;
        if let Some((at, poll)) = polls.last.as_ref().filter(|(at, _)| at.elapsed() < SHARED_FOR) {
            tracing::trace!(age = ?at.elapsed(), "rules of the last poll");
            return Ok(Arc::clone(poll));
        }
        let poll = Arc::new(self.poll(&mut polls).await.map_err(|error| self.lacking(error, RULES_READ))?);
        polls.last = Some((Instant::now(), Arc::clone(&poll)));
        Ok(poll)
    }

    async fn poll(&self, polls: &mut RulePolls) -> Result<RulePoll, SourceError> {
        let listed = self.active(polls, 0, RULE_BYTES).await?;
        let mut poll = RulePoll { is_whole: !listed.is_cut, lost: listed.lost, ..RulePoll::default() };
        poll.gaps.extend(listed.gap("with firing or pending alerts"));
        poll.gaps.extend(listed.large_groups);
        let (listed_bytes, totals) = (listed.bytes, listed.totals);
        poll.active = listed.rules;
        let instance_bytes = if polls.instance_bytes == 0 {
            USUAL_INSTANCE
        } else {
            polls.instance_bytes.max(USUAL_INSTANCE / 2)
        };
        let counts: Vec<u64> = poll.active.iter().map(FoundRule::active).collect();
        let limit = limit_for(&counts, INSTANCE_BYTES.saturating_sub(listed_bytes) / instance_bytes);
        if counts.iter().any(|count| *count > 0) {
            // if not even one of each fits, those of the first rules are read
            let with = self.active(polls, limit.max(1), INSTANCE_BYTES).await?;
            let count: usize = with.rules.iter().map(|rule| rule.instances.len()).sum();
            if let Some(bytes) = with.bytes.saturating_sub(listed_bytes).checked_div(count) {
                polls.instance_bytes = bytes.max(1);
            }
            poll.lost = poll.lost.max(with.lost);
            put_instances(&mut poll.active, with.rules);
        }
        let (all, loaded) = (poll.active_instances(), poll.loaded());
        if loaded < all {
            poll.gaps.push(format!(
                "{loaded} of {all} firing and pending alerts of Grafana's rules are loaded: a poll reads at most 1 MB"
            ));
        }
        let broken = self.broken(polls, &totals).await;
        poll.gaps.extend(broken.gap("without result"));
        poll.broken = broken.rules;
        Ok(poll)
    }

    /// Reads the active rules, each with at most `limit` instances.
    async fn active(
        &self,
        polls: &mut RulePolls,
        limit: usize,
        bytes: usize,
    ) -> Result<Collected, SourceError> {
        let asked = |is_without: bool| PageRequest {
            filters: STATES
                .iter()
                .take(if is_without { 2 } else { 3 })
                .map(|state| ("state", *state))
                .collect(),
            limit,
            bytes,
        };
        let read = self.collect(asked(polls.is_without_recovering)).await;
        match read {
            Err(error) if !polls.is_without_recovering && is_unknown_state(&error.kind) => {
                polls.is_without_recovering = true;
                self.collect(asked(true)).await
            }
            read => read,
        }
    }

    /// The rules whose last evaluation failed or had no data, at a slower pace. Versions without the filter `health` list all rules:
    /// then those of the first pages are found, and the totals tell how many there are.
    async fn broken(&self, polls: &mut RulePolls, totals: &pages::RuleTotals) -> Collected {
        let fresh = polls.broken.as_ref().filter(|(at, _)| at.elapsed() < BROKEN_EVERY);
        if let Some((_, kept)) = fresh {
            return kept.clone();
        }
        let mut found = match totals.broken() {
            // the list would be empty
            Some(0) => Collected::default(),
            // the server has no pages and no filter
            Some(count) if totals.rules() > 400 => {
                Collected { is_cut: true, expected: Some(count), ..Collected::default() }
            }
            _ => {
                let filters = vec![("health", "error"), ("health", "nodata")];
                let read = self.collect(PageRequest { filters, limit: 0, bytes: BROKEN_BYTES }).await;
                // the active rules are known: that these are not is said
                read.unwrap_or_else(|_| Collected { is_cut: true, ..Collected::default() })
            }
        };
        found.rules.retain(|rule| rule.failure.is_some() && !rule.is_paused);
        found.expected = totals.broken().or(found.expected);
        polls.broken = Some((Instant::now(), found.clone()));
        found
    }

    /// The time of the server's rules.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The greatest number of instances of each rule with which at most `most` instances are listed; 0 if not even one of each fits.
fn limit_for(counts: &[u64], most: usize) -> usize {
    let most = most as u64;
    let listed = |limit: u64| counts.iter().map(|count| (*count).min(limit)).sum::<u64>();
    let (mut fits, mut exceeds) = (0, counts.iter().max().copied().unwrap_or(0) + 1);
    while exceeds - fits > 1 {
        let middle = fits + (exceeds - fits) / 2;
        if listed(middle) <= most {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    usize::try_from(fits).unwrap_or(usize::MAX)
}

/// Moves the instances to the rules that were listed without them; rules that became active since then are added.
fn put_instances(active: &mut Vec<FoundRule>, with: Vec<FoundRule>) {
    for newer in with {
        let is_same = |rule: &&mut FoundRule| {
            if newer.uid.is_empty() {
                (&rule.title, &rule.group, &rule.folder) == (&newer.title, &newer.group, &newer.folder)
            } else {
                rule.uid == newer.uid
            }
        };
        match active.iter_mut().find(is_same) {
            Some(rule) => *rule = newer,
            None => active.push(newer),
        }
    }
}

/// Whether the server refused a state that it does not know.
fn is_unknown_state(kind: &ErrorKind) -> bool {
    kind.said().contains("unknown state")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_limit_is_the_greatest_with_which_the_instances_fit(
            counts in prop::collection::vec(0..60_u64, 0..40), most in 0..400_usize,
        ) {
            let limit = limit_for(&counts, most) as u64;
            let listed = |limit: u64| counts.iter().map(|count| (*count).min(limit)).sum::<u64>();
            prop_assert!(listed(limit) <= most as u64);
            let all = counts.iter().max().copied().unwrap_or(0);
            prop_assert!(limit == all || listed(limit + 1) > most as u64, "{limit} of {counts:?}");
        }
    }
}
