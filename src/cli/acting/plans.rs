//! From the words of the command line to actions on what the sources tell of, or the words for why there are none.

mod silences;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::app::planner::consequences::consequences;
use crate::app::planner::{self, Planner};
use crate::cli::args::{ActVerb, SilenceVerb, Wakes, Which};
use crate::cli::printer::Outcome;
use crate::cli::view::View;
use crate::config::hint;
use crate::model::action::{Action, EntityRef, Operation, OperationKind};
use crate::model::ask::AskKind;
use crate::model::incident::{IncidentStatus, Priority, Urgency};
use crate::model::labels::Text;
use crate::model::source::SourceId;
use crate::model::world::Linked;

/// What a verb needs to know.
pub(super) fn needs(verb: &ActVerb) -> &'static [AskKind] {
    const SILENCES: &[AskKind] = &[AskKind::Probe, AskKind::Alerts, AskKind::Silences];
    const ONE: &[AskKind] = &[AskKind::Probe, AskKind::Incidents];
    const PEOPLE: &[AskKind] = &[AskKind::Probe, AskKind::Incidents, AskKind::OnCall];
    match verb {
        ActVerb::Silence { .. } => SILENCES,
        ActVerb::Note { .. } | ActVerb::Priority { .. } | ActVerb::StatusUpdate { .. } => ONE,
        _ => PEOPLE,
    }
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Planned {
    /// Empty only if all is so already.
    pub(super) actions: Vec<Action>,
    /// What was wanted, too, and is left alone, with the reason.
    pub(super) left_out: Vec<Text>,
    /// What was wanted and is so already.
    pub(super) already: Vec<String>,
    /// What would be hidden, line by line.
    pub(super) preview: Vec<String>,
    /// Whether so much would be hidden that the context is to be named.
    pub(super) wants_name: bool,
}

impl From<planner::Planned> for Planned {
    fn from(planned: planner::Planned) -> Self {
        let planner::Planned { actions, left_out } = planned;
        Self { actions, left_out, ..Self::default() }
    }
}

/// Why nothing is planned, and how that ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stop {
    pub(super) words: String,
    pub(super) outcome: Outcome,
}

fn misused(words: impl Into<String>) -> Stop {
    Stop { words: words.into(), outcome: Outcome::Misused }
}

/// Nothing is left to be done to what was meant.
fn nothing(why: impl AsRef<str>) -> Stop {
    Stop { words: why.as_ref().to_owned(), outcome: Outcome::Unwell }
}

/// What plans are made from.
pub(super) struct Desk<'a> {
    pub(super) planner: Planner<'a>,
    pub(super) view: View<'a>,
    /// Who acts.
    pub(super) who: &'a Text,
    /// Labels that name the service of an alert.
    pub(super) service_labels: &'a [String],
    /// `--source`
    pub(super) source: Option<&'a str>,
}

impl Desk<'_> {
    /// What follows from the actions, in words.
    pub(super) fn consequences(&self, actions: &[Action], zone: &TimeZone) -> Vec<String> {
        let all = consequences(self.planner, actions, zone, self.view.now);
        all.into_iter()
            .map(|consequence| {
                format!("{} {}", if consequence.is_grave { "!" } else { " " }, consequence.words)
            })
            .collect()
    }

    pub(super) fn plan(&self, verb: &ActVerb) -> Result<Planned, Stop> {
        let kind = kind(verb);
        if let Some(why) = self.planner.cannot_anywhere(kind) {
            return Err(misused(&*why));
        }
        if let Some(name) = self.source
            && let Some(why) = self.planner.cannot(&SourceId::new(name), kind)
        {
            return Err(misused(&*why));
        }
        match verb {
            ActVerb::Ack(which) => self.incidents(kind, which, |_| Ok(Operation::Acknowledge)),
            ActVerb::Resolve(which) => self.incidents(kind, which, |_| Ok(Operation::Resolve)),
            ActVerb::Snooze { which, length } => {
                self.incidents(kind, which, |_| Ok(Operation::Snooze { rest: *length }))
            }
            ActVerb::Note { which, message } => {
                let content: Text = said(message)?;
                self.incidents(kind, which, |_| Ok(Operation::Note { content: Text::clone(&content) }))
            }
            ActVerb::Assign { which, to } => {
                self.incidents(kind, which, |source| Ok(Operation::Assign { to: self.person(source, to)? }))
            }
            ActVerb::Reroute { which, to } => self
                .incidents(kind, which, |source| Ok(Operation::Reroute { policy: self.policy(source, to)? })),
            ActVerb::Escalate { which, level } => {
                self.incidents(kind, which, |_| Ok(Operation::Escalate { level: *level }))
            }
            ActVerb::Priority { which, rank } => self.incidents(kind, which, |source| {
                Ok(Operation::Priority { priority: self.priority(source, rank)? })
            }),
            ActVerb::Merge { which, into } => {
                let stays = self.incident(into)?;
                let into = EntityRef { id: Text::clone(&stays.incident.id), name: planner::called(stays) };
                self.incidents(kind, which, |_| Ok(Operation::Merge { into: into.clone() }))
            }
            ActVerb::AddResponder { which, who, message } => {
                let message: Text = said(message)?;
                self.incidents(kind, which, |source| {
                    let people: Result<Vec<EntityRef>, Stop> =
                        who.iter().map(|who| self.person(source, who)).collect();
                    Ok(Operation::AddResponder { people: people?, message: Text::clone(&message) })
                })
            }
            ActVerb::StatusUpdate { which, message } => {
                let message: Text = said(message)?;
                self.incidents(kind, which, |_| {
                    Ok(Operation::StatusUpdate { message: Text::clone(&message) })
                })
            }
            ActVerb::Trigger { title, service, details, urgency, key, .. } => {
                let key = key.as_deref().map_or_else(|| self.key(title), Text::from);
                let urgency = if *urgency == Wakes::High { Urgency::High } else { Urgency::Low };
                let operation = Operation::Trigger {
                    title: said(title)?,
                    details: details.as_str().into(),
                    urgency,
                    key,
                };
                self.trigger(service, &operation)
            }
            ActVerb::TakeShift { policy, level, length, .. } => self.take_shift(policy, *level, *length),
            ActVerb::Silence { new, verb: None } => self.silence(new),
            ActVerb::Silence { verb: Some(verb), .. } => self.on_silence(verb),
        }
    }

    /// A operation on the incidents that are meant; it may depend on where they are.
    fn incidents(
        &self,
        kind: OperationKind,
        which: &Which,
        operation: impl Fn(&SourceId) -> Result<Operation, Stop>,
    ) -> Result<Planned, Stop> {
        let mut seen = BTreeSet::new();
        let mut known = Vec::new();
        for word in &which.incidents {
            let one = self.incident(word)?;
            if seen.insert((&one.incident.source, &one.incident.id)) {
                known.push(one);
            }
        }
        self.few(known.len())?;
        let mut planned = Planned::default();
        let mut reasons: Vec<Text> = Vec::new();
        for one in known {
            if let Some(how) = already(one, kind) {
                planned.already.push(how);
                continue;
            }
            match self.planner.on_incidents(&[one], &operation(&one.incident.source)?) {
                Ok(more) => {
                    planned.actions.extend(more.actions);
                    planned.left_out.extend(more.left_out);
                }
                Err(why) => reasons.push(why),
            }
        }
        if planned.actions.is_empty() && planned.already.is_empty() {
            return Err(nothing(reasons.join("; ")));
        }
        planned.left_out.extend(reasons);
        Ok(planned)
    }

    /// As the guard has it, before anything is looked up.
    fn few(&self, count: usize) -> Result<(), Stop> {
        let most = self.planner.guard.max_bulk;
        let words =
            || format!("{count} objects at once, and {most} are allowed here (contexts.NAME.max_bulk)");
        if count > most { Err(misused(words())) } else { Ok(()) }
    }

    /// An incident by its number, with or without `#`, or by its id.
    fn incident(&self, word: &str) -> Result<&Linked, Stop> {
        let number: Option<u64> = word.strip_prefix('#').unwrap_or(word).parse().ok();
        let is_there = |known: &&Linked| self.source.is_none_or(|name| *known.source().as_str() == *name);
        let all = || self.view.world.incidents().iter().filter(is_there);
        let named: Vec<&Linked> = all().filter(|known| *known.incident.id == *word).collect();
        let numbered = || all().filter(|known| Some(known.incident.number) == number).collect();
        let meant: Vec<&Linked> = if named.is_empty() { numbered() } else { named };
        match meant.as_slice() {
            [one] => Ok(one),
            [] => Err(self.missing(
                &format!("no incident {word} is known (burnwatch incidents --all)"),
                AskKind::Incidents,
            )),
            several => {
                let where_: Vec<String> = several.iter().map(|known| known.source().to_string()).collect();
                Err(misused(format!("several incidents are {word}; say --source ({})", where_.join(", "))))
            }
        }
    }

    /// What is meant is not there; if a source is in trouble, nobody knows.
    fn missing(&self, words: &str, kind: AskKind) -> Stop {
        match self.view.why_unknown(kind) {
            Some(why) => Stop { words: format!("{words}: {why}"), outcome: Outcome::Partial },
            None => misused(words),
        }
    }

    fn person(&self, source: &SourceId, word: &str) -> Result<EntityRef, Stop> {
        let people = self.planner.people(source, self.view.now);
        let me = self.planner.board(source).and_then(|board| board.me.as_ref());
        if word == "me" {
            let me = me.ok_or_else(|| {
                self.missing(&format!("{source} does not know who you are"), AskKind::OnCall)
            })?;
            return Ok(EntityRef { id: Text::clone(&me.id), name: Text::clone(&me.name) });
        }
        let is_it = |given: &str| given.eq_ignore_ascii_case(word);
        let found: Vec<EntityRef> = people
            .iter()
            .filter(|person| {
                is_it(&person.id) || is_it(&person.name) || person.email.as_deref().is_some_and(is_it)
            })
            .map(|person| EntityRef { id: Text::clone(&person.id), name: Text::clone(&person.name) })
            .collect();
        let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
        self.the_one(found, "person", word, &names)
    }

    fn policy(&self, source: &SourceId, word: &str) -> Result<EntityRef, Stop> {
        let policies = self.planner.board(source).map_or(&[][..], |board| &board.policies);
        let is_it = |given: &str| given.eq_ignore_ascii_case(word);
        let found = policies
            .iter()
            .map(|policy| &policy.named)
            .filter(|named| is_it(&named.id) || is_it(&named.name));
        let found =
            found.map(|named| EntityRef { id: Text::clone(&named.id), name: Text::clone(&named.name) });
        let names: Vec<&str> = policies.iter().map(|policy| &*policy.named.name).collect();
        self.the_one(found.collect(), "escalation policy", word, &names)
    }

    fn priority(&self, source: &SourceId, word: &str) -> Result<Option<EntityRef>, Stop> {
        if word == "none" {
            return Ok(None);
        }
        let whom = |Priority { named, .. }: &Priority| EntityRef {
            id: Text::clone(&named.id),
            name: Text::clone(&named.name),
        };
        let all: Vec<EntityRef> = self.view.world.priorities(source).into_iter().map(whom).collect();
        let is_it = |given: &str| given.eq_ignore_ascii_case(word);
        let found = all.iter().filter(|one| is_it(&one.id) || is_it(&one.name)).cloned().collect();
        let names: Vec<&str> = all.iter().map(|one| &*one.name).collect();
        self.the_one(found, "priority", word, &names).map(Some)
    }

    /// The only one found; an id that nothing is known of is taken as it is.
    fn the_one(
        &self,
        mut found: Vec<EntityRef>,
        what: &str,
        word: &str,
        names: &[&str],
    ) -> Result<EntityRef, Stop> {
        if found.len() > 1 {
            let ids: Vec<String> = found.iter().map(|one| format!("{} ({})", one.id, one.name)).collect();
            return Err(misused(format!("several are called {word}; give the id: {}", ids.join(", "))));
        }
        if let Some(one) = found.pop() {
            return Ok(one);
        }
        let is_id = word.len() >= 6 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if is_id {
            return Ok(EntityRef { id: word.into(), name: word.into() });
        }
        let hint = hint(word, names.iter().copied());
        Err(self.missing(&format!("no {what} {word} is known{hint}"), AskKind::OnCall))
    }

    /// The source that can do it: the one that is named, else the only one.
    fn place(&self, kind: OperationKind) -> Result<SourceId, Stop> {
        if let Some(name) = self.source {
            return Ok(SourceId::new(name));
        }
        let able = self.view.sources.iter().map(|info| &info.id);
        let able: Vec<&SourceId> = able.filter(|id| self.planner.cannot(id, kind).is_none()).collect();
        match able.as_slice() {
            [one] => Ok((*one).clone()),
            several => {
                let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                Err(misused(format!("several sources can do that; say --source ({})", names.join(", "))))
            }
        }
    }

    fn trigger(&self, service: &str, operation: &Operation) -> Result<Planned, Stop> {
        let source = self.place(OperationKind::Trigger)?;
        let services = self.planner.services(&source);
        let is_it = |given: &str| given.eq_ignore_ascii_case(service);
        let found = services.iter().filter(|one| is_it(&one.id) || is_it(&one.name)).cloned().collect();
        let names: Vec<&str> = services.iter().map(|one| &*one.name).collect();
        let service = self.the_one(found, "service", service, &names)?;
        self.planner.trigger(&source, &service, operation).map(Planned::from).map_err(nothing)
    }

    /// The same title, of the same person, within the same minute is the same incident.
    fn key(&self, title: &str) -> Text {
        format!("burnwatch/{}/{}/{title}", self.who, self.view.now.as_second() / 60).into()
    }

    fn take_shift(&self, policy: &str, level: u32, length: Option<Duration>) -> Result<Planned, Stop> {
        let source = self.place(OperationKind::TakeShift)?;
        let (policy, now) = (self.policy(&source, policy)?, self.view.now);
        let turn = self.planner.turn_to_take(&source, (&policy.id, level), now).map_err(nothing)?;
        let until = length.map_or(turn.end, |length| later(now, length).min(turn.end));
        Ok(Planned { actions: vec![turn.taken(&source, now, until)], ..Planned::default() })
    }
}

/// How an incident stands, if that is how it is wanted.
fn already(known: &Linked, kind: OperationKind) -> Option<String> {
    let wanted = match kind {
        OperationKind::Acknowledge => IncidentStatus::Acknowledged,
        OperationKind::Resolve => IncidentStatus::Resolved,
        _ => return None,
    };
    let who: Vec<&str> = known.holders().iter().map(|person| &*person.name).collect();
    let by = match (wanted, who.as_slice()) {
        (IncidentStatus::Acknowledged, [_, ..]) => format!(" by {}", who.join(", ")),
        _ => String::new(),
    };
    let name = planner::called(known);
    (known.incident.status == wanted).then(|| format!("{name}: {}{by}", wanted.word()))
}

fn later(than: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::ZERO);
    than.saturating_add(length).unwrap_or(than)
}

fn said(text: &str) -> Result<Text, Stop> {
    if text.trim().is_empty() { Err(misused("there is nothing in the text")) } else { Ok(text.trim().into()) }
}

fn kind(verb: &ActVerb) -> OperationKind {
    match verb {
        ActVerb::Ack(_) => OperationKind::Acknowledge,
        ActVerb::Resolve(_) => OperationKind::Resolve,
        ActVerb::Snooze { .. } => OperationKind::Snooze,
        ActVerb::Note { .. } => OperationKind::Note,
        ActVerb::Assign { .. } => OperationKind::Assign,
        ActVerb::Reroute { .. } => OperationKind::Reroute,
        ActVerb::Escalate { .. } => OperationKind::Escalate,
        ActVerb::Priority { .. } => OperationKind::Priority,
        ActVerb::Merge { .. } => OperationKind::Merge,
        ActVerb::AddResponder { .. } => OperationKind::AddResponder,
        ActVerb::StatusUpdate { .. } => OperationKind::StatusUpdate,
        ActVerb::Trigger { .. } => OperationKind::Trigger,
        ActVerb::TakeShift { .. } => OperationKind::TakeShift,
        ActVerb::Silence { verb: None, .. } => OperationKind::Silence,
        ActVerb::Silence { verb: Some(verb), .. } => match &**verb {
            SilenceVerb::Extend { .. } => OperationKind::Extend,
            SilenceVerb::Edit { .. } => OperationKind::Edit,
            SilenceVerb::Again { .. } => OperationKind::Silence,
            SilenceVerb::Expire { .. } => OperationKind::Expire,
        },
    }
}
