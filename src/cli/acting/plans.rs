//! Turns the arguments of a verb into actions, or into the reason why there are none.

mod silences;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::app::planner::consequences::consequences;
use crate::app::planner::{self, Planner};
use crate::cli::args::{ActVerb, SilenceArgs, SilenceVerb, Words};
use crate::cli::printer::ExitOutcome;
use crate::cli::view::WorldView;
use crate::config::hint;
use crate::model::action::{Action, EntityRef, Operation, OperationKind};
use crate::model::ask::AskKind;
use crate::model::incident::{IncidentStatus, Priority};
use crate::model::labels::Text;
use crate::model::operation::{Argument, Arguments, ParamKind, TargetKind};
use crate::model::source::SourceId;
use crate::model::world::IncidentView;

/// The questions whose answers a verb needs.
pub(super) fn needs(verb: &ActVerb) -> &'static [AskKind] {
    const SILENCES: &[AskKind] = &[AskKind::Probe, AskKind::Alerts, AskKind::Silences];
    const ONE: &[AskKind] = &[AskKind::Probe, AskKind::Incidents];
    const PEOPLE: &[AskKind] = &[AskKind::Probe, AskKind::Incidents, AskKind::OnCall];
    match verb {
        ActVerb::Silence(_) => SILENCES,
        ActVerb::Operation(words) if words.kind.spec().needs_on_call => PEOPLE,
        ActVerb::Operation(_) => ONE,
    }
}

/// The planned actions of a verb.
#[derive(Debug, Default)]
pub(super) struct PlannedActions {
    /// Empty only if all targets are already in the wanted state.
    pub(super) actions: Vec<Action>,
    /// The requested parts that are left out, each as a sentence with the reason.
    pub(super) left_out: Vec<Text>,
    /// The targets that are already in the wanted state.
    pub(super) already: Vec<String>,
    /// The preview of silenced alerts, line by line.
    pub(super) preview: Vec<String>,
    /// Whether so many alerts would be silenced that the context's name is required.
    pub(super) requires_context_name: bool,
}

impl From<planner::ActionProposal> for PlannedActions {
    fn from(planned: planner::ActionProposal) -> Self {
        let planner::ActionProposal { actions, left_out } = planned;
        Self { actions, left_out, ..Self::default() }
    }
}

/// The reason why there is no plan, and the exit code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotPlanned {
    pub(super) words: Text,
    pub(super) outcome: ExitOutcome,
}

fn misused(words: impl Into<Text>) -> NotPlanned {
    NotPlanned { words: words.into(), outcome: ExitOutcome::UsageError }
}

/// An error if nothing remains to be done.
fn nothing(why: impl Into<Text>) -> NotPlanned {
    NotPlanned { words: why.into(), outcome: ExitOutcome::Failure }
}

/// An error if the data that the plan needs are missing.
fn incomplete(words: String) -> NotPlanned {
    NotPlanned { words: words.into(), outcome: ExitOutcome::Partial }
}

/// The input of the plans.
pub(super) struct PlanInputs<'a> {
    pub(super) planner: Planner<'a>,
    pub(super) view: WorldView<'a>,
    /// The acting user.
    pub(super) who: &'a Text,
    /// Labels that name the service of an alert.
    pub(super) service_labels: &'a [String],
    /// The value of `--source`.
    pub(super) source: Option<&'a str>,
}

impl PlanInputs<'_> {
    /// The consequences of the actions as texts.
    pub(super) fn consequences(&self, actions: &[Action], zone: &TimeZone) -> Vec<String> {
        let all = consequences(self.planner, actions, zone, self.view.now);
        all.into_iter()
            .map(|consequence| {
                format!("{} {}", if consequence.is_serious { "!" } else { " " }, consequence.words)
            })
            .collect()
    }

    pub(super) fn plan(&self, verb: &ActVerb) -> Result<PlannedActions, NotPlanned> {
        let kind = kind(verb);
        let here = || self.planner.unavailable(&SourceId::new(self.source?), kind);
        if let Some(why) = self.planner.unavailable_everywhere(kind).or_else(here) {
            return Err(misused(why));
        }
        match verb {
            ActVerb::Operation(words) => self.operation(words),
            ActVerb::Silence(SilenceArgs { new, verb: None }) => self.silence(new),
            ActVerb::Silence(SilenceArgs { verb: Some(verb), .. }) => self.on_silence(verb),
        }
    }

    fn operation(&self, words: &Words) -> Result<PlannedActions, NotPlanned> {
        for (param, values) in &words.given {
            if matches!(param.kind, ParamKind::Text(_)) && !param.is_optional {
                said(text(values))?;
            }
        }
        match words.kind.target() {
            TargetKind::Incident => self.incidents(words),
            TargetKind::Service => self.trigger(words),
            TargetKind::Schedule => self.take_shift(words),
            TargetKind::Alerts | TargetKind::Silence => Err(misused("see `burnwatch silence --help`")),
        }
    }

    /// The parameters of an operation, looked up at a source.
    fn arguments(&self, words: &Words, source: &SourceId) -> Result<Arguments, NotPlanned> {
        let mut all = Arguments::default();
        for (param, values) in &words.given {
            let text = text(values);
            let value: Argument = match param.kind {
                ParamKind::Person => self.person(source, text)?.into(),
                ParamKind::People => {
                    let people = values.iter().map(|one| self.person(source, &one.words()));
                    people.collect::<Result<Vec<EntityRef>, NotPlanned>>()?.into()
                }
                ParamKind::Policy => self.policy(source, text)?.into(),
                ParamKind::Priority => self.priority(source, text)?.into(),
                ParamKind::Incident => {
                    let stays = self.incident(text)?;
                    let (id, name) = (Text::clone(&stays.incident.id), planner::called(stays));
                    EntityRef { id, name }.into()
                }
                ParamKind::Text(_) if !param.is_optional => said(text)?.into(),
                ParamKind::Text(_)
                | ParamKind::Level
                | ParamKind::Length
                | ParamKind::Urgency
                | ParamKind::TurnEnd
                | ParamKind::Extension
                | ParamKind::Silence
                | ParamKind::Derived => values.first().cloned().unwrap_or_else(|| Text::from(text).into()),
            };
            all = all.and(param.name, value);
        }
        Ok(all)
    }

    /// Plans an operation on incidents; its parameters may depend on the incident's source.
    fn incidents(&self, words: &Words) -> Result<PlannedActions, NotPlanned> {
        let mut seen = BTreeSet::new();
        let mut known = Vec::new();
        for word in &words.targets {
            let one = self.incident(word)?;
            if seen.insert((&one.incident.source, &one.incident.id)) {
                known.push(one);
            }
        }
        self.few(known.len())?;
        let mut planned = PlannedActions::default();
        let mut reasons: Vec<Text> = Vec::new();
        for one in known {
            if let Some(how) = already(one, words.kind) {
                planned.already.push(how);
                continue;
            }
            match self.planner.on_incidents(&[one], &self.whole(words, &one.incident.source)?) {
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

    fn whole(&self, words: &Words, source: &SourceId) -> Result<Operation, NotPlanned> {
        complete(words, &self.arguments(words, source)?)
    }

    /// Checks the number of targets against the guard, before anything is looked up.
    fn few(&self, count: usize) -> Result<(), NotPlanned> {
        let most = self.planner.guard.max_bulk;
        if count <= most {
            return Ok(());
        }
        Err(misused(format!("{count} objects at once, at most {most} are allowed (contexts.NAME.max_bulk)")))
    }

    /// An incident by its number, with or without `#`, or by its id.
    fn incident(&self, word: &str) -> Result<&IncidentView, NotPlanned> {
        let number: Option<u64> = word.strip_prefix('#').unwrap_or(word).parse().ok();
        let is_there =
            |known: &&IncidentView| self.source.is_none_or(|name| *known.source().as_str() == *name);
        let all = || self.view.world.incidents().iter().filter(is_there);
        let named: Vec<&IncidentView> = all().filter(|known| *known.incident.id == *word).collect();
        let numbered = || all().filter(|known| Some(known.incident.number) == number).collect();
        let meant: Vec<&IncidentView> = if named.is_empty() { numbered() } else { named };
        match meant.as_slice() {
            [one] => Ok(one),
            [] => Err(self.missing(
                &format!("no incident {word} is known (burnwatch incidents --all)"),
                AskKind::Incidents,
            )),
            several => {
                let sources: Vec<&str> = several.iter().map(|known| known.source().as_str()).collect();
                let sources = sources.join(", ");
                Err(misused(format!("several incidents match {word}; choose with --source ({sources})")))
            }
        }
    }

    /// The error for an object that was not found; if its source failed, the error says so.
    fn missing(&self, words: &str, kind: AskKind) -> NotPlanned {
        match self.view.why_unknown(kind) {
            Some(why) => incomplete(format!("{words}: {why}")),
            None => misused(words),
        }
    }

    fn person(&self, source: &SourceId, word: &str) -> Result<EntityRef, NotPlanned> {
        let people = self.planner.people(source, self.view.now);
        let me = self.planner.snapshot(source).and_then(|snapshot| snapshot.me.as_ref());
        if word == "me" {
            let me =
                me.ok_or_else(|| self.missing(&format!("{source} cannot identify you"), AskKind::OnCall))?;
            return Ok(EntityRef::from(me));
        }
        let is_it = |given: &str| given.eq_ignore_ascii_case(word);
        let found: Vec<EntityRef> = people
            .iter()
            .filter(|person| {
                is_it(&person.id) || is_it(&person.name) || person.email.as_deref().is_some_and(is_it)
            })
            .map(|person| EntityRef::from(*person))
            .collect();
        let names: Vec<&str> = people.iter().map(|person| &*person.name).collect();
        self.only_match(found, "person", word, &names)
    }

    fn policy(&self, source: &SourceId, word: &str) -> Result<EntityRef, NotPlanned> {
        let policies = self.planner.snapshot(source).map_or(&[][..], |snapshot| &snapshot.policies);
        let all: Vec<EntityRef> = policies.iter().map(|policy| EntityRef::from(&policy.named)).collect();
        self.by_name_or_id(&all, "escalation policy", word)
    }

    fn priority(&self, source: &SourceId, word: &str) -> Result<Option<EntityRef>, NotPlanned> {
        if word == "none" {
            return Ok(None);
        }
        let whom = |priority: &Priority| EntityRef::from(&priority.named);
        let all: Vec<EntityRef> = self.view.world.priorities(source).into_iter().map(whom).collect();
        self.by_name_or_id(&all, "priority", word).map(Some)
    }

    /// The one with this name or id, whatever the case of letters.
    fn by_name_or_id(&self, all: &[EntityRef], what: &str, word: &str) -> Result<EntityRef, NotPlanned> {
        let is_it = |given: &str| given.eq_ignore_ascii_case(word);
        let found = all.iter().filter(|one| is_it(&one.id) || is_it(&one.name)).cloned().collect();
        let names: Vec<&str> = all.iter().map(|one| &*one.name).collect();
        self.only_match(found, what, word, &names)
    }

    /// The only match; an unknown id is used as it is.
    fn only_match(
        &self,
        mut found: Vec<EntityRef>,
        what: &str,
        word: &str,
        names: &[&str],
    ) -> Result<EntityRef, NotPlanned> {
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

    /// The source that runs the operation: the one in `--source`, else the only one.
    fn place(&self, kind: OperationKind) -> Result<SourceId, NotPlanned> {
        if let Some(name) = self.source {
            return Ok(SourceId::new(name));
        }
        let able = self.view.sources.iter().map(|info| &info.id);
        let able: Vec<&SourceId> = able.filter(|id| self.planner.unavailable(id, kind).is_none()).collect();
        match able.as_slice() {
            [one] => Ok((*one).clone()),
            several => {
                let names = several.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
                Err(misused(format!("several sources support it; choose with --source ({names})")))
            }
        }
    }

    fn trigger(&self, words: &Words) -> Result<PlannedActions, NotPlanned> {
        let source = self.place(words.kind)?;
        let service = words.targets.first().map_or("", String::as_str);
        let service = self.by_name_or_id(&self.planner.services(&source), "service", service)?;
        let mut arguments = self.arguments(words, &source)?;
        if arguments.find("key").is_none() {
            arguments = arguments
                .and("key", self.key(&words.value("title").map(Argument::words).unwrap_or_default()));
        }
        let operation = complete(words, &arguments)?;
        self.planner.trigger(&source, &service, &operation).map(PlannedActions::from).map_err(nothing)
    }

    /// the same title of the same user within a minute gets the same deduplication key
    fn key(&self, title: &str) -> Text {
        format!("burnwatch/{}/{}/{title}", self.who, self.view.now.as_second() / 60).into()
    }

    fn take_shift(&self, words: &Words) -> Result<PlannedActions, NotPlanned> {
        let source = self.place(words.kind)?;
        let policy = words.targets.first().map_or("", String::as_str);
        let (policy, now) = (self.policy(&source, policy)?, self.view.now);
        let shift = self.planner.turn_to_take(&source, (&policy.id, words.level), now).map_err(nothing)?;
        let until = if let Some(Argument::Length(length)) = words.value("end") {
            later(now, *length).min(shift.end)
        } else {
            shift.end
        };
        Ok(PlannedActions { actions: vec![shift.taken(&source, now, until)], ..PlannedActions::default() })
    }
}

/// The operation with all of its arguments.
fn complete(words: &Words, arguments: &Arguments) -> Result<Operation, NotPlanned> {
    words.kind.with(arguments).ok_or_else(|| misused("not all of it is said"))
}

/// The incident's state as text, if it is already in the wanted state.
fn already(view: &IncidentView, kind: OperationKind) -> Option<String> {
    let wanted = kind.spec().leads_to?;
    let who: Vec<&str> = view.holders().iter().map(|person| &*person.name).collect();
    let is_held = wanted == IncidentStatus::Acknowledged && !who.is_empty();
    let by = if is_held { format!(" by {}", who.join(", ")) } else { String::new() };
    let name = planner::called(view);
    (view.incident.status == wanted).then(|| format!("{name}: {}{by}", wanted.word()))
}

fn later(than: Timestamp, length: Duration) -> Timestamp {
    let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::ZERO);
    than.saturating_add(length).unwrap_or(than)
}

/// The text of an argument, if it is a text.
fn text(values: &[Argument]) -> &str {
    if let Some(Argument::Words(words)) = values.first() { words } else { "" }
}

fn said(text: &str) -> Result<Text, NotPlanned> {
    if text.trim().is_empty() { Err(misused("the text is empty")) } else { Ok(text.trim().into()) }
}

fn kind(verb: &ActVerb) -> OperationKind {
    match verb {
        ActVerb::Operation(words) => words.kind,
        ActVerb::Silence(SilenceArgs { verb, .. }) => match verb.as_deref() {
            None | Some(SilenceVerb::Again { .. }) => OperationKind::Silence,
            Some(SilenceVerb::Extend { .. }) => OperationKind::Extend,
            Some(SilenceVerb::Edit { .. }) => OperationKind::Edit,
            Some(SilenceVerb::Expire { .. }) => OperationKind::Expire,
        },
    }
}
