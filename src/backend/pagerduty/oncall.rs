//! Escalation policies, and who is on call over the next seven days. A level without an on-call person is a coverage gap and
//! is shown as such.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::incidents::instant;
use super::map::TextReader;
use super::{PagerDuty, wire};
use crate::backend::kit::cost::digest;
use crate::backend::kit::lenient::unreadable_warning;
use crate::backend::kit::paging::{ListResult, PagedList};
use crate::backend::kit::parts::AnswerParts;
use crate::model::ask::{Answer, Answered};
use crate::model::oncall::{EscalationLevel, EscalationPolicy, EscalationTarget, OnCallSnapshot, Shift};
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// How far into the future shifts are requested.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The maximum number of policies in the query of one request; with more policies, the shifts of all policies are requested.
const NAMED: usize = 40;
/// The maximum number of pages of policies and of schedules.
const PAGES: usize = 50;

/// The overrides of each schedule by id: user id, start and end.
type ScheduleOverrides = HashMap<String, Vec<(String, Timestamp, Timestamp)>>;

impl PagerDuty {
    /// Reads policies, shifts, overrides and the current user.
    pub(super) async fn on_call(&self, known: Option<u64>) -> Answered {
        // rounded to full hours, so that an unchanged answer has the same digest
        let now = self.clock.now().as_second();
        let from = Timestamp::from_second(now - now.rem_euclid(3600)).unwrap_or(Timestamp::UNIX_EPOCH);
        let until = from + AHEAD + SignedDuration::from_hours(1);
        let range = [instant(from), instant(until)];
        let range = [("since", &*range[0]), ("until", &*range[1]), ("time_zone", "UTC")];
        let (policies_and_turns, overrides, me) =
            tokio::join!(self.policies_and_turns(&range), self.overrides(&range), self.who());
        let (policies, turns) = policies_and_turns?;
        let mut parts = AnswerParts::default();
        let cut = "there are too many escalation policies to read: some are missing";
        let policies = parts.items(policies, "escalation policies", cut);
        let cut = "there are too many on-call shifts to read: some are missing";
        let turns = parts.items(turns, "on-call shifts", cut);
        let schedules = parts.take("overrides", overrides)?;
        let overrides = schedules.map(|schedules| overrides_of(schedules, &mut parts)).unwrap_or_default();
        let me = parts.take("your user", me)?.flatten();
        let mut snapshot = OnCallSnapshot { me, from, until, ..OnCallSnapshot::default() };
        self.read(|reader| {
            for policy in &policies {
                snapshot.policies.extend(reader.policy(policy, &mut parts.warnings));
            }
            snapshot.policies.sort_by(|a, b| (&a.named.name, &a.named.id).cmp(&(&b.named.name, &b.named.id)));
            snapshot.policies.dedup_by(|a, b| a.named.id == b.named.id);
            let is_ours: BTreeSet<&str> = snapshot.policies.iter().map(|policy| &*policy.named.id).collect();
            let ours = turns.iter().filter_map(|turn| reader.shift(turn, &overrides, (from, until)));
            snapshot.shifts = ours.filter(|shift| is_ours.contains(&*shift.policy)).collect();
        });
        let order = |shift: &Shift| {
            let place = shift.schedule.as_ref().map(|schedule| schedule.id.clone());
            (shift.policy.clone(), shift.level, shift.start, place, shift.person.id.clone())
        };
        snapshot.shifts.sort_by_cached_key(order);
        // pages overlap if a schedule changes while they are read
        snapshot.shifts.dedup();
        let digest = digest(&(&snapshot.policies, &snapshot.shifts, &snapshot.me, snapshot.from));
        Ok(parts.reply_if_new(Answer::OnCall(snapshot), digest, known))
    }

    /// Reads policies and shifts. If teams or services are configured, only the shifts of their policies are requested.
    async fn policies_and_turns(
        &self,
        range: &[(&str, &str)],
    ) -> Result<(PagedList<wire::Policy>, PagedList<wire::OnCall>), SourceError> {
        if self.settings.teams.is_empty() && self.settings.services.is_empty() {
            let (policies, turns) = tokio::join!(self.policies(), self.turns(range, &[]));
            return Ok((policies?, turns?));
        }
        let policies = self.policies().await?;
        let ids: Vec<&str> = policies.items.iter().map(|policy| policy.thing.id.0.as_str()).collect();
        let turns = match ids.len() {
            0 => PagedList::default(),
            1..=NAMED => self.turns(range, &ids).await?,
            _ => self.turns(range, &[]).await?,
        };
        Ok((policies, turns))
    }

    /// Reads the escalation policies; only those of the configured teams and services.
    async fn policies(&self) -> ListResult<wire::Policy> {
        let query = self.of_teams(&[("sort_by", "name")]);
        let mut pages: PagedList<wire::Policy> = self.pages("escalation_policies", &query, PAGES).await?;
        if !self.settings.services.is_empty() {
            let is_ours = |service: &wire::Reference| self.settings.services.contains(&service.id.0);
            pages.items.retain(|policy| policy.services.all.iter().any(is_ours));
        }
        Ok(pages)
    }

    /// Reads the on-call shifts of these policies; of all policies if the list is empty.
    async fn turns(&self, range: &[(&str, &str)], policies: &[&str]) -> ListResult<wire::OnCall> {
        let mut query = [range, &[("include[]", "users")]].concat();
        query.extend(policies.iter().map(|id| ("escalation_policy_ids[]", *id)));
        self.pages("oncalls", &query, usize::MAX).await
    }

    /// Reads all schedules with their overrides, because the shifts do not say whether they are overrides.
    async fn overrides(&self, range: &[(&str, &str)]) -> ListResult<wire::Schedule> {
        let query = [range, &[("include[]", "overrides_subschedule")]].concat();
        let query = self.of_teams(&query);
        self.pages("schedules", &query, PAGES).await
    }
}

/// The overrides of all schedules; adds warnings for unreadable ones.
fn overrides_of(schedules: PagedList<wire::Schedule>, parts: &mut AnswerParts) -> ScheduleOverrides {
    let cut = "there are too many schedules to read: some overrides may be missing";
    let (mut overrides, mut unread) = (ScheduleOverrides::default(), 0);
    for schedule in parts.items(schedules, "schedules", cut) {
        let entries = schedule.overrides_subschedule.0.unwrap_or_default().rendered_schedule_entries;
        let count = entries.all.len() + entries.lost;
        let turns = entries.all.into_iter();
        let turns = turns.filter_map(|turn| Some((turn.user.0?.id.0, turn.start.0?, turn.end.0?)));
        let turns: Vec<_> = turns.collect();
        unread += count - turns.len();
        if !turns.is_empty() {
            overrides.insert(schedule.id.0, turns);
        }
    }
    parts.warnings.extend(unreadable_warning(unread, "overrides"));
    overrides
}

impl TextReader<'_> {
    /// Maps a policy with its levels; `None` if it has no id.
    fn policy(&mut self, wire: &wire::Policy, warnings: &mut Vec<Warning>) -> Option<EscalationPolicy> {
        let named = Some(self.named(&wire.thing)).filter(|named| !named.id.is_empty())?;
        let mut levels = Vec::new();
        for (rule, number) in wire.escalation_rules.all.iter().zip(1..) {
            let mut targets = Vec::new();
            for target in &rule.targets.all {
                if target.is("user") {
                    targets.push(EscalationTarget::Person(self.person(target)));
                } else if target.is("schedule") {
                    targets.push(EscalationTarget::Schedule(self.named(target)));
                } else {
                    let kind = self.text(&target.kind.0);
                    let name = &named.name;
                    let warning =
                        format!("level {number} of {name} has a target of an unknown type ({kind})");
                    warnings.push(Warning::notice(warning));
                }
            }
            let minutes = rule.escalation_delay_in_minutes.0;
            levels.push(EscalationLevel {
                number,
                delay: Duration::from_secs(minutes.saturating_mul(60)),
                targets,
            });
        }
        Some(EscalationPolicy {
            teams: self.all_named(&wire.teams.all),
            services: self.all_named(&wire.services.all),
            levels,
            repeats: wire.num_loops.saturating(),
            named,
        })
    }

    /// Maps a shift; `None` if its user or its policy is not known.
    fn shift(
        &mut self,
        wire: &wire::OnCall,
        overrides: &ScheduleOverrides,
        (from, until): (Timestamp, Timestamp),
    ) -> Option<Shift> {
        let user = wire.user.0.as_ref().filter(|user| !user.id.0.is_empty())?;
        let policy = self.some(&wire.escalation_policy.0.as_ref()?.id)?;
        let (start, end) = (wire.start.0, wire.end.0);
        // overrides are cut at the ends of the requested range, so the shift must be cut the same way
        let within = (start.map(|start| start.max(from)), end.map(|end| end.min(until)));
        let schedule = wire.schedule.0.as_ref();
        let stand_ins = schedule.and_then(|schedule| overrides.get(&schedule.id.0)).into_iter().flatten();
        let is_override = stand_ins.into_iter().any(|(person, since, to)| {
            let is_within = |(start, end): (Timestamp, Timestamp)| *since <= start && end <= *to;
            *person == user.id.0 && within.0.zip(within.1).is_some_and(is_within)
        });
        Some(Shift {
            policy,
            level: wire.escalation_level.saturating().max(1),
            person: self.person(user),
            schedule: schedule.map(|schedule| self.named(schedule)),
            start,
            end,
            is_override,
        })
    }
}
