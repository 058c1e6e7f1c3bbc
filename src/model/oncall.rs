//! Who gets woken: escalation policies, their levels, and whose turn it is when.

use std::time::Duration;

use jiff::Timestamp;

use super::incident::{PagerRef, Person};
use super::labels::Text;
pub use calendar::{CalendarDay, Coverage, CoverageSlot, OnCallAt, is_night};

mod calendar;

/// Who is woken in which order.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct EscalationPolicy {
    pub named: PagerRef,
    pub teams: Vec<PagerRef>,
    pub services: Vec<PagerRef>,
    /// The levels, the first one first.
    pub levels: Vec<EscalationLevel>,
    /// How many times it begins anew after the last level.
    pub repeats: u32,
}

/// Those who are woken at the same time.
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct EscalationLevel {
    /// Counted from 1.
    pub number: u32,
    /// How long before the next level is woken.
    pub delay: Duration,
    pub targets: Vec<EscalationTarget>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EscalationTarget {
    Person(Person),
    Schedule(PagerRef),
}

/// Somebody's turn at a level of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Shift {
    pub policy: Text,
    pub level: u32,
    pub person: Person,
    /// By which schedule; none: always.
    pub schedule: Option<PagerRef>,
    /// From when; none: always was.
    pub start: Option<Timestamp>,
    /// Until when; none: no end is known.
    pub end: Option<Timestamp>,
    /// Whether it stands in for somebody else's turn.
    pub is_override: bool,
}

impl Shift {
    /// Whether it is this person's turn at a moment. The start belongs to it, the end does not.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at < end)
    }
}

/// Who is on call at one source, over the days that were asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OnCallBoard {
    /// All policies that may be seen, in the order of their names.
    pub policies: Vec<EscalationPolicy>,
    /// Turns from `from` to `until`, in the order of policy, level and start.
    pub shifts: Vec<Shift>,
    /// The person at the keyboard, if that is known.
    pub me: Option<Person>,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl OnCallBoard {
    /// Whose turn it is at a level at a moment, each once. Nobody: a gap, of which the paging system goes on to the next level.
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
