//! Open incidents of any age, and recently resolved ones. Resolved incidents are kept between answers, so that an update
//! needs only one or two pages.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::wire::Reference;
use super::{INCLUDED, PagerDuty, fresh, wire};
use crate::backend::kit::cost::{Cost, digest};
use crate::backend::kit::lenient::unreadable_warning;
use crate::backend::kit::paging::PagedList;
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered};
use crate::model::incident::{Incident, IncidentSnapshot, Priority};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// Resolved incidents are shown for this long.
const RESOLVED_SHOWN_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often all recently resolved incidents are read again; in between, only the latest page.
const FULL_READ_INTERVAL: SignedDuration = SignedDuration::from_mins(10);
/// The maximum number of pages of resolved incidents.
const RESOLVED_PAGES: usize = 20;
/// The maximum number of single lookups at once, of incidents that are neither in the open list nor in the resolved list.
const MAX_LOOKUPS: usize = 10;
/// How long an account's priorities are kept before they are read again.
const RANKS_KEPT: SignedDuration = SignedDuration::from_mins(10);

/// An account's priorities by id.
pub(super) type Priorities = HashMap<Text, Priority>;

/// The account's priorities, and when they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct PriorityCache {
    by_id: Arc<Priorities>,
    /// The number of priorities that could not be read.
    unread: usize,
}

/// The incidents that are kept between answers.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Incidents that were open at the last update, and lost ones.
    open: BTreeMap<Text, Incident>,
    /// Recently resolved incidents.
    pub(super) resolved: BTreeMap<Text, Incident>,
    /// Resolved incidents for which the log was searched for acknowledgements, also if there was none.
    pub(super) searched_in_log: BTreeSet<Text>,
    /// A warning about the part of the log that could not be read.
    pub(super) gap: Option<Text>,
    /// Incidents that left the open list and whose present state is not known yet.
    lost: BTreeSet<Text>,
    /// When all recently resolved incidents were last read; `None` if the next update must read all of them.
    last_full_read: Option<Timestamp>,
    /// Incidents that were resolved before this time are too many to be read.
    truncated_before: Option<Timestamp>,
}

impl History {
    /// Adds a resolved incident. PagerDuty lists acknowledgements and assignments only while an incident is open, so they are
    /// kept from before.
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

    /// Replaces the open incidents, and notes which ones left the list. If the list is truncated, no incident counts as
    /// having left.
    fn take_open(&mut self, open: BTreeMap<Text, Incident>, is_whole: bool) {
        self.resolved.retain(|id, _| !open.contains_key(id));
        self.lost.retain(|id| !open.contains_key(id));
        if is_whole {
            let gone =
                self.open.keys().filter(|id| !open.contains_key(*id) && !self.resolved.contains_key(*id));
            self.lost.extend(gone.cloned());
        }
        // a lost incident keeps its last known data until it is looked up
        let kept = self.lost.iter().filter_map(|id| Some((id.clone(), self.open.get(id)?.clone())));
        let kept: Vec<_> = kept.collect();
        self.open = open;
        self.open.extend(kept);
    }
}

impl PagerDuty {
    /// Reads the incidents.
    pub(super) async fn incidents(&self, known: Option<u64>) -> Answered {
        let now = self.clock.now();
        let (open, ranks, recent) = tokio::join!(self.open(), self.ranks(now), self.resolved(now));
        let mut parts = AnswerParts::default();
        let open = open?;
        let cut = "there are too many open incidents to read: the oldest are not shown";
        parts.add_list(&open, "open incidents", cut);
        let PriorityCache { by_id: ranks, unread } =
            parts.take_priced("priorities", ranks)?.unwrap_or_default();
        parts.warnings.extend(unreadable_warning(unread, "priorities"));
        let (recent, is_full_read) = parts.take("resolved incidents", recent)?.unwrap_or_default();
        // a truncated list gets its warning in `snapshot`; here the flag only matters if all were requested
        parts.cost.add(recent.cost);
        parts.warnings.extend(recent.unreadable_warning("resolved incidents"));
        let is_full_read_truncated = is_full_read.then_some(recent.is_cut);
        self.take(now, &open, &recent.items, is_full_read_truncated, &ranks);
        if recent.broken.is_some() {
            // read all resolved incidents again at the next update
            self.kept().history.last_full_read = None;
        }
        let lost = self.look_up_lost(&ranks).await.map(|cost| ((), cost));
        parts.take_priced("incidents that are no longer open", lost)?;
        if is_full_read {
            parts.cost.add(self.look_up_acknowledged().await);
        }
        let snapshot = self.snapshot(now, &mut parts.warnings);
        let digest = digest(&snapshot);
        Ok(parts.reply_if_new(Answer::Incidents(snapshot), digest, known))
    }

    /// Reads all open incidents: without `date_range=all`, incidents older than a month would be missing.
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

    /// Reads the latest resolved incidents: one page, or all pages if the last complete reading is too old or if the whole
    /// page is new. The flag says whether all pages were read.
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

    /// The account's priorities, and the cost of reading them. An account without priorities (402, 404) has none.
    async fn ranks(&self, now: Timestamp) -> Result<(PriorityCache, Cost), SourceError> {
        if let Some(ranks) = fresh(self.kept().ranks.as_ref(), now, RANKS_KEPT) {
            return Ok((ranks, Cost::default()));
        }
        let pages = match self.pages::<Reference>("priorities", &[], 2).await {
            Ok(pages) => pages,
            Err(error) if [402, 404].iter().any(|status| error.kind.refused(*status).is_some()) => {
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

    /// Updates the history. `is_full_read_truncated` is `None` unless all resolved incidents were read; else whether that
    /// list is truncated.
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
            // incidents on the pages that failed keep their last known state
            for (id, incident) in &history.open {
                listed.entry(id.clone()).or_insert_with(|| incident.clone());
            }
        }
        history.take_open(listed, !open.is_cut);
        history.resolved.retain(|_, incident| now.duration_since(incident.changed_at) < RESOLVED_SHOWN_FOR);
    }

    /// Looks up incidents that left the open list but are not in the resolved one: the list of resolved ones does not go back
    /// that far, or they moved to another page while the pages were read.
    async fn look_up_lost(&self, ranks: &Priorities) -> Result<Cost, SourceError> {
        let lost: Vec<Text> = self.kept().history.lost.iter().take(MAX_LOOKUPS).cloned().collect();
        let mut cost = Cost::default();
        let answers =
            join_all(lost.iter().map(
                async |id| match self.get(&format!("incidents/{id}"), &INCLUDED).await {
                    Ok(body) => {
                        let incident: wire::Incident = self.object(&body, "incident")?;
                        Ok((Some(incident), Cost::of(&body)))
                    }
                    Err(error) if error.kind.refused(404).is_some() => Ok((None, Cost::REFUSED)),
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

    /// All known incidents, sorted by id, and the warnings about missing ones.
    fn snapshot(&self, now: Timestamp, warnings: &mut Vec<Warning>) -> IncidentSnapshot {
        let kept = self.kept();
        let history = &kept.history;
        let truncated_before =
            history.truncated_before.filter(|cut| now.duration_since(*cut) < RESOLVED_SHOWN_FOR);
        if let Some(cut) = truncated_before {
            warnings.push(Warning::missing(format!(
                "there are too many resolved incidents to read: those resolved before {} are not shown",
                instant(cut)
            )));
        }
        warnings.extend(history.gap.clone().map(Warning::missing));
        let mut all = history.resolved.clone();
        all.extend(history.open.clone());
        let mut priorities: Vec<Priority> =
            kept.ranks.iter().flat_map(|(_, ranks)| ranks.by_id.values().cloned()).collect();
        priorities.sort_by_key(|priority| priority.rank);
        IncidentSnapshot { incidents: all.into_values().collect(), priorities }
    }
}

/// A time in the format of the API; in UTC, because a time without a zone would be in the zone of the account.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
