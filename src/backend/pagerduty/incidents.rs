//! Incidents that are open, however old, and those that were resolved lately; the latter are remembered, so that each look
//! costs a page or two.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::wire::Thing;
use super::{INCLUDED, PagerDuty, fresh, wire};
use crate::backend::kit::cost::{Cost, digest};
use crate::backend::kit::lenient::{object, unreadable_warning};
use crate::backend::kit::paging::PagedList;
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered};
use crate::model::incident::{Incident, IncidentBoard, Priority};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// How long ago an incident may have been resolved to be shown.
const RESOLVED_SHOWN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often all that were resolved lately are asked for again; in between only the latest page.
const FULL_READ_INTERVAL: SignedDuration = SignedDuration::from_mins(10);
/// Pages of resolved incidents at most.
const RESOLVED_PAGES: usize = 20;
/// Incidents that left the open list without coming to the resolved ones, looked up one by one at once.
const MAX_LOOKUPS: usize = 10;
/// How long an account's priorities are taken for what they were.
const RANKS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// An account's priorities by their ids.
pub(super) type Priorities = HashMap<Text, Priority>;

#[derive(Debug, Clone, Default)]
pub(super) struct PriorityCache {
    by_id: Arc<Priorities>,
    /// How many could not be read.
    unread: usize,
}

/// What is known of incidents from one answer to the next.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Open at the last look.
    open: BTreeMap<Text, Incident>,
    pub(super) resolved: BTreeMap<Text, Incident>,
    /// Resolved ones of which the log has told who acknowledged them, be it nobody.
    pub(super) searched_in_log: BTreeSet<Text>,
    /// What the log has not told, in words.
    pub(super) gap: Option<Text>,
    /// No longer open, but nobody has told yet what became of them.
    lost: BTreeSet<Text>,
    last_full_read: Option<Timestamp>,
    /// Those that were resolved before are too many to be asked for.
    truncated_before: Option<Timestamp>,
}

impl History {
    /// Takes in what came. Who acknowledged an incident its list tells only while it is open, so that is remembered.
    fn take_resolved(&mut self, mut incident: Incident) {
        let before = self.open.get(&incident.id).or_else(|| self.resolved.get(&incident.id));
        if let Some(before) = before {
            if incident.acknowledged.is_empty() {
                incident.acknowledged.clone_from(&before.acknowledged);
            }
            if incident.assigned.is_empty() {
                incident.assigned.clone_from(&before.assigned);
            }
        }
        self.lost.remove(&incident.id);
        self.resolved.insert(incident.id.clone(), incident);
    }

    /// Takes the open list as it is now, and notes which ones left it. Of a list with an end missing nobody can tell.
    fn take_open(&mut self, open: BTreeMap<Text, Incident>, is_whole: bool) {
        self.resolved.retain(|id, _| !open.contains_key(id));
        self.lost.retain(|id| !open.contains_key(id));
        if is_whole {
            let gone =
                self.open.keys().filter(|id| !open.contains_key(*id) && !self.resolved.contains_key(*id));
            self.lost.extend(gone.cloned());
        }
        // one that is lost keeps what was known of it until it is found
        let kept = self.lost.iter().filter_map(|id| Some((id.clone(), self.open.get(id)?.clone())));
        let kept: Vec<_> = kept.collect();
        self.open = open;
        self.open.extend(kept);
    }
}

impl PagerDuty {
    pub(super) async fn incidents(&self, known: Option<u64>) -> Answered {
        let now = self.clock.now();
        let (open, ranks, recent) = tokio::join!(self.open(), self.ranks(now), self.resolved(now));
        let mut parts = AnswerParts::default();
        let open = open?;
        let cut = "there are more open incidents than can be read: the oldest are not shown";
        parts.add_list(&open, "open incidents", cut);
        let PriorityCache { by_id: ranks, unread } =
            parts.take_priced("the ranks of priorities", ranks)?.unwrap_or_default();
        parts.warnings.extend(unreadable_warning(unread, "priorities"));
        let (recent, is_full_read) = parts.take("resolved incidents", recent)?.unwrap_or_default();
        // that there are more is told with the whole, and looked at here only where it was asked for
        parts.cost.add(recent.cost);
        parts.warnings.extend(recent.unreadable_warning("resolved incidents"));
        let is_full_read_truncated = is_full_read.then_some(recent.is_cut);
        self.take(now, &open, &recent.items, is_full_read_truncated, &ranks);
        if recent.broken.is_some() {
            // the rest is asked for with the next look
            self.kept().history.last_full_read = None;
        }
        let lost = self.look_up_lost(&ranks).await.map(|cost| ((), cost));
        parts.take_priced("incidents that are no longer open", lost)?;
        if is_full_read {
            parts.cost.add(self.look_up_acknowledged().await);
        }
        let board = self.board(now, &mut parts.warnings);
        let digest = digest(&board);
        Ok(parts.reply_if_new(Answer::Incidents(board), digest, known))
    }

    /// All that are open: without `date_range=all` one that is older than a month would not be seen.
    async fn open(&self) -> Result<PagedList<wire::Incident>, SourceError> {
        let query = self.of_incidents(&[
            ("date_range", "all"),
            ("statuses[]", "triggered"),
            ("statuses[]", "acknowledged"),
            ("sort_by", "created_at:desc"),
        ]);
        let mut pages: PagedList<wire::Incident> = self.pages("incidents", &query, usize::MAX).await?;
        let count = pages.items.len();
        pages.items.retain(|incident| !incident.id.0.trim().is_empty());
        pages.lost += count - pages.items.len();
        Ok(pages)
    }

    /// Those resolved last: one page, or all of them when it is time, or when there is a page of new ones. Whether it
    /// was all of them.
    async fn resolved(&self, now: Timestamp) -> Result<(PagedList<wire::Incident>, bool), SourceError> {
        let (since, until) =
            (instant(now - RESOLVED_SHOWN_FOR), instant(now + SignedDuration::from_hours(1)));
        let query = self.of_incidents(&[
            ("statuses[]", "resolved"),
            ("since", &since),
            ("until", &until),
            ("sort_by", "resolved_at:desc"),
        ]);
        let last_full_read = self.kept().history.last_full_read;
        let mut is_full_read = last_full_read
            .is_none_or(|last_full_read| now.duration_since(last_full_read) >= FULL_READ_INTERVAL);
        let most = if is_full_read { RESOLVED_PAGES } else { 1 };
        let mut pages: PagedList<wire::Incident> = self.pages("incidents", &query, most).await?;
        let is_new = |incident: &wire::Incident| !self.kept().history.resolved.contains_key(&*incident.id.0);
        if !is_full_read && pages.is_cut && pages.items.iter().all(is_new) {
            let cost = pages.cost;
            pages = self.pages("incidents", &query, RESOLVED_PAGES).await?;
            pages.cost.add(cost);
            is_full_read = true;
        }
        Ok((pages, is_full_read))
    }

    /// The account's priorities, and what it cost to ask. An account without priorities (402, 404) has no ranks.
    async fn ranks(&self, now: Timestamp) -> Result<(PriorityCache, Cost), SourceError> {
        if let Some(ranks) = fresh(self.kept().ranks.as_ref(), now, RANKS_KEPT) {
            return Ok((ranks, Cost::default()));
        }
        let pages = match self.pages::<Thing>("priorities", &[], 2).await {
            Ok(pages) => pages,
            Err(error) if [402, 404].iter().any(|status| error.trouble.refused(*status).is_some()) => {
                PagedList { cost: Cost::REFUSED, ..PagedList::default() }
            }
            Err(error) => return Err(error),
        };
        let by_id = self.read(|reader| {
            let ranked = pages.items.iter().zip(1..).map(|(thing, rank)| {
                let named = reader.named(thing);
                (named.id.clone(), Priority { named, rank: Some(rank) })
            });
            Arc::new(ranked.collect())
        });
        let ranks = PriorityCache { by_id, unread: pages.lost };
        self.kept().ranks = Some((now, ranks.clone()));
        Ok((ranks, pages.cost))
    }

    fn take(
        &self,
        now: Timestamp,
        open: &PagedList<wire::Incident>,
        resolved: &[wire::Incident],
        is_full_read_truncated: Option<bool>,
        ranks: &Priorities,
    ) {
        let (resolved, listed) = self.read(|reader| {
            let mut all = |wire: &[wire::Incident]| -> Vec<_> {
                wire.iter().filter_map(|wire| reader.incident(wire, ranks)).collect()
            };
            (all(resolved), all(&open.items))
        });
        let history = &mut self.kept().history;
        if let Some(is_cut) = is_full_read_truncated {
            history.last_full_read = Some(now);
            let oldest = resolved.iter().filter_map(|incident| incident.resolved_at).min();
            history.truncated_before = oldest.filter(|_| is_cut);
        }
        for incident in resolved.into_iter().filter(|incident| !incident.is_open()) {
            history.take_resolved(incident);
        }
        let mut listed: BTreeMap<_, _> =
            listed.into_iter().map(|incident| (incident.id.clone(), incident)).collect();
        if open.broken.is_some() {
            // those of the pages that did not come are what they were
            for (id, incident) in &history.open {
                listed.entry(id.clone()).or_insert_with(|| incident.clone());
            }
        }
        history.take_open(listed, !open.is_cut);
        history.resolved.retain(|_, incident| now.duration_since(incident.changed_at) < RESOLVED_SHOWN_FOR);
    }

    /// What became of those that left the open list: too old for the list of resolved ones, or slipped from one page to
    /// another while the pages were read.
    async fn look_up_lost(&self, ranks: &Priorities) -> Result<Cost, SourceError> {
        let lost: Vec<Text> = self.kept().history.lost.iter().take(MAX_LOOKUPS).cloned().collect();
        let mut cost = Cost::default();
        let answers =
            join_all(lost.iter().map(
                async |id| match self.get(&format!("incidents/{id}"), &INCLUDED).await {
                    Ok(body) => {
                        let incident = object::<wire::Incident>(body.json()?, "incident");
                        Ok((Some(incident.ok_or_else(|| self.odd("no `incident` in it"))?), Cost::of(&body)))
                    }
                    Err(error) if error.trouble.refused(404).is_some() => Ok((None, Cost::REFUSED)),
                    Err(error) => Err(error),
                },
            ));
        let mut failure = None;
        for (id, answer) in lost.iter().zip(answers.await) {
            let (wire, spent) = match answer {
                Ok(found) => found,
                Err(error) => {
                    failure = Some(error);
                    continue;
                }
            };
            cost.add(spent);
            let incident = wire.and_then(|wire| self.read(|reader| reader.incident(&wire, ranks)));
            let history = &mut self.kept().history;
            match incident {
                Some(incident) if incident.is_open() => {
                    history.open.insert(incident.id.clone(), incident);
                }
                Some(incident) => {
                    history.take_resolved(incident);
                    history.open.remove(id);
                }
                None => drop(history.open.remove(id)),
            }
            history.lost.remove(id);
        }
        failure.map_or(Ok(cost), Err)
    }

    fn board(&self, now: Timestamp, warnings: &mut Vec<Warning>) -> IncidentBoard {
        let kept = self.kept();
        let history = &kept.history;
        let truncated_before =
            history.truncated_before.filter(|cut| now.duration_since(*cut) < RESOLVED_SHOWN_FOR);
        if let Some(cut) = truncated_before {
            warnings.push(Warning::missing(format!(
                "so many were resolved lately that those before {} are not shown",
                instant(cut)
            )));
        }
        warnings.extend(history.gap.clone().map(Warning::missing));
        let mut all = history.resolved.clone();
        all.extend(history.open.clone());
        let mut priorities: Vec<Priority> =
            kept.ranks.iter().flat_map(|(_, ranks)| ranks.by_id.values().cloned()).collect();
        priorities.sort_by_key(|priority| priority.rank);
        IncidentBoard { incidents: all.into_values().collect(), priorities }
    }
}

/// A moment as PagerDuty reads it: without a zone it would take it for the account's.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
