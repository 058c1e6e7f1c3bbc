//! Open incidents of any age, and recently resolved ones. Resolved incidents are kept between answers, so that an update
//! needs only one or two pages.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::wire::Reference;
use super::{INCLUDED, PagerDuty, fresh, wire};
use crate::backend::kit::cost::digest;
use crate::backend::kit::lenient::unreadable_warning;
use crate::backend::kit::paging::{ListResult, PagedList};
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

/// The account's priorities, the highest first.
#[derive(Debug, Clone, Default)]
pub(super) struct PriorityCache {
    pub(super) all: Arc<[Priority]>,
    /// The number of priorities that could not be read.
    unread: usize,
}

/// The incidents that are kept between answers.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Open incidents, also those that are lost, in their last known state; and recently resolved ones.
    pub(super) known: BTreeMap<Text, Incident>,
    /// Resolved incidents for which the log was searched for acknowledgements, also if there was none.
    pub(super) searched_in_log: BTreeSet<Text>,
    /// A warning about the part of the log that could not be read.
    pub(super) gap: Option<Text>,
    /// Incidents that left the list of open ones and whose present state is not known yet.
    lost: BTreeSet<Text>,
    /// When all recently resolved incidents were last read; `None` if the next update must read all of them.
    last_full_read: Option<Timestamp>,
    /// Incidents that were resolved before this time are too many to be read.
    truncated_before: Option<Timestamp>,
}

impl History {
    /// Adds an incident. PagerDuty lists acknowledgements and assignments only while an incident is open, so those of a
    /// resolved one are kept from before.
    fn put(&mut self, mut incident: Incident) {
        if let Some(before) = self.known.get(&incident.id).filter(|_| !incident.is_open()) {
            if incident.acknowledged.is_empty() {
                incident.acknowledged.clone_from(&before.acknowledged);
            }
            if incident.assigned.is_empty() {
                incident.assigned.clone_from(&before.assigned);
            }
        }
        self.lost.remove(&incident.id);
        self.known.insert(incident.id.clone(), incident);
    }

    /// Replaces the open incidents, and notes which ones left the list. If the list is truncated, no incident counts as
    /// having left.
    fn replace_open(&mut self, open: Vec<Incident>, is_whole: bool) {
        let listed: BTreeSet<&Text> = open.iter().map(|incident| &incident.id).collect();
        if is_whole {
            let known = self.known.values().filter(|incident| incident.is_open());
            self.lost.extend(known.map(|incident| incident.id.clone()).filter(|id| !listed.contains(id)));
        }
        self.known.retain(|id, incident| !incident.is_open() || self.lost.contains(id));
        for incident in open {
            self.put(incident);
        }
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
        let PriorityCache { all: ranks, unread } = parts.take("priorities", ranks)?.unwrap_or_default();
        parts.warnings.extend(unreadable_warning(unread, "priorities"));
        let (recent, is_full_read) = parts.take("resolved incidents", recent)?.unwrap_or_default();
        // a truncated list gets its warning in `snapshot`; here the flag only matters if all were requested
        parts.warnings.extend(recent.unreadable_warning("resolved incidents"));
        let is_full_read_truncated = is_full_read.then_some(recent.is_cut);
        self.take(now, &open, &recent.items, is_full_read_truncated, &ranks);
        if recent.broken.is_some() {
            // read all resolved incidents again at the next update
            self.kept().history.last_full_read = None;
        }
        parts.take("incidents that are no longer open", self.look_up_lost(&ranks).await)?;
        if is_full_read {
            self.look_up_acknowledged().await;
        }
        let snapshot = self.snapshot(now, &mut parts.warnings);
        let digest = digest(&snapshot);
        Ok(parts.reply_if_new(Answer::Incidents(snapshot), digest, known))
    }

    /// Reads all open incidents: without `date_range=all`, incidents older than a month would be missing.
    async fn open(&self) -> ListResult<wire::Incident> {
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
        let is_known = |incident: &wire::Incident| {
            let kept = self.kept();
            kept.history.known.get(&*incident.id.0).is_some_and(|known| !known.is_open())
        };
        if !is_full_read && pages.is_cut && !pages.items.iter().any(is_known) {
            pages = self.pages("incidents", &query, RESOLVED_PAGES).await?;
            is_full_read = true;
        }
        Ok((pages, is_full_read))
    }

    /// The account's priorities. An account without priorities (402, 404) has none.
    async fn ranks(&self, now: Timestamp) -> Result<PriorityCache, SourceError> {
        if let Some(ranks) = fresh(self.kept().ranks.as_ref(), now, RANKS_KEPT) {
            return Ok(ranks);
        }
        let pages = match self.pages::<Reference>("priorities", &[], 2).await {
            Err(error) if [402, 404].iter().any(|status| error.kind.refused(*status).is_some()) => {
                PagedList::default()
            }
            pages => pages?,
        };
        let all = self.read(|reader| {
            let ranked = pages.items.iter().zip(1..);
            ranked.map(|(thing, rank)| Priority { named: reader.named(thing), rank: Some(rank) }).collect()
        });
        let ranks = PriorityCache { all, unread: pages.lost };
        self.kept().ranks = Some((now, ranks.clone()));
        Ok(ranks)
    }

    /// Updates the history. `is_full_read_truncated` is `None` unless all resolved incidents were read; else whether that
    /// list is truncated.
    fn take(
        &self,
        now: Timestamp,
        open: &PagedList<wire::Incident>,
        resolved: &[wire::Incident],
        is_full_read_truncated: Option<bool>,
        ranks: &[Priority],
    ) {
        let (resolved, mut listed) = self.read(|reader| {
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
        if open.broken.is_some() {
            // incidents on the pages that failed keep their last known state
            let known = history.known.values().filter(|incident| incident.is_open());
            listed.splice(0..0, known.cloned());
        }
        resolved
            .into_iter()
            .filter(|incident| !incident.is_open())
            .for_each(|incident| history.put(incident));
        history.replace_open(listed, !open.is_cut);
        let is_shown = |incident: &Incident| now.duration_since(incident.changed_at) < RESOLVED_SHOWN_FOR;
        history.known.retain(|_, incident| incident.is_open() || is_shown(incident));
    }

    /// Looks up incidents that left the open list but are not in the resolved one: the list of resolved ones does not go back
    /// that far, or they moved to another page while the pages were read.
    async fn look_up_lost(&self, ranks: &[Priority]) -> Result<(), SourceError> {
        let lost: Vec<Text> = self.kept().history.lost.iter().take(MAX_LOOKUPS).cloned().collect();
        let look_up = async |id: &Text| match self.http.get(&format!("incidents/{id}"), &INCLUDED).await {
            Err(error) if error.kind.refused(404).is_some() => Ok(None),
            body => self.object::<wire::Incident>(&body?, "incident").map(Some),
        };
        let answers = join_all(lost.iter().map(look_up)).await;
        let mut failure = None;
        for (id, answer) in lost.iter().zip(answers) {
            match answer {
                Ok(wire) => {
                    let incident = wire.and_then(|wire| self.read(|reader| reader.incident(&wire, ranks)));
                    let history = &mut self.kept().history;
                    if incident.as_ref().is_none_or(|incident| incident.id != *id) {
                        history.known.remove(id);
                    }
                    history.lost.remove(id);
                    if let Some(incident) = incident {
                        history.put(incident);
                    }
                }
                Err(error) => failure = Some(error),
            }
        }
        failure.map_or(Ok(()), Err)
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
        let priorities = kept.ranks.iter().flat_map(|(_, ranks)| ranks.all.iter().cloned()).collect();
        IncidentSnapshot { incidents: history.known.values().cloned().collect(), priorities }
    }
}

/// A time in the format of the API; in UTC, because a time without a zone would be in the zone of the account.
pub(super) fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
