//! On-call data: escalation policies, their levels, and shifts.

use std::time::Duration;

use jiff::Timestamp;

use super::incident::{PagerRef, Person};
use super::labels::Text;
pub use calendar::{CalendarDay, Coverage, CoverageSlot, OnCallAt, is_night};

mod calendar;

/// An escalation policy, which defines who is paged in which order.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct EscalationPolicy {
    /// Its id, name and URL.
    pub named: PagerRef,
    pub teams: Vec<PagerRef>,
    pub services: Vec<PagerRef>,
    /// The levels, in order.
    pub levels: Vec<EscalationLevel>,
    /// How many times it restarts after the last level.
    pub repeats: u32,
}

/// A level of an escalation policy; all of its targets are paged at the same time.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct EscalationLevel {
    /// The number, from 1.
    pub number: u32,
    /// The time before the next level is paged.
    pub delay: Duration,
    /// The people and schedules.
    pub targets: Vec<EscalationTarget>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EscalationTarget {
    /// A person, always on call.
    Person(Person),
    /// A schedule: the person on call in it.
    Schedule(PagerRef),
}

/// A person's shift at a level of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shift {
    pub policy: Text,
    pub level: u32,
    pub person: Person,
    /// The schedule; `None`: the person is a direct target.
    pub schedule: Option<PagerRef>,
    /// The start; `None`: unlimited.
    pub start: Option<Timestamp>,
    /// The end; `None`: unlimited or unknown.
    pub end: Option<Timestamp>,
    /// Whether it is an override of another person's shift.
    pub is_override: bool,
}

impl Shift {
    /// Whether the shift includes this moment. The start is included, the end is not.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }
}

/// Who is on call at one source, within the queried time range.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnCallSnapshot {
    /// All visible policies, sorted by name.
    pub policies: Vec<EscalationPolicy>,
    /// The shifts between `from` and `until`, sorted by policy, level and start.
    pub shifts: Vec<Shift>,
    /// The user of burnwatch, if known.
    pub me: Option<Person>,
    /// The start of the known time range.
    pub from: Timestamp,
    /// The end of the known time range.
    pub until: Timestamp,
}

impl OnCallSnapshot {
    /// The shifts at a level at a moment, each once. Without any there is a gap, and the paging system escalates to the next
    /// level.
    pub fn on_call<'a>(
        &'a self,
        policy: &'a str,
        level: u32,
        at: Timestamp,
    ) -> impl Iterator<Item = &'a Shift> + 'a {
        let its = self.shifts.iter().filter(move |shift| *shift.policy == *policy && shift.level == level);
        its.filter(move |shift| shift.covers(at))
    }
}
