//! What all screens share: what the sources said, how far that is to be believed, and what holds for every screen.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::alarm::{self, Alarm, AlarmInput};
use super::commands::{Command, KeyMap};
use super::event::Effect;
use super::event_log::{self, EventLog, EventLogInput};
use super::look::{Cx, Look};
use super::message::Messages;
use super::place::Tab;
use super::range::Range;
use super::runs::Runs;
use super::scheduler::Scheduler;
use crate::config::definitions::Finding;
use crate::config::kind::KindSpec;
use crate::config::settings::LimitSettings;
use crate::model::ask::{AskKind, TimeUse, Topic};
use crate::model::guard::Guard;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;
use crate::model::notify::NotifyPolicy;
use crate::model::source_info::SourceInfo;
use crate::model::world::{HealthPolicy, World};

/// What a `State` starts from.
#[derive(Debug, Clone)]
pub struct InitialState {
    /// The context's name.
    pub context: Text,
    /// The names of all contexts.
    pub contexts: Vec<Text>,
    /// The sources of the context.
    pub sources: Vec<SourceInfo>,
    /// The kinds of sources that could be added.
    pub kinds: &'static [&'static KindSpec],
    /// What the context forbids or asks twice for.
    pub guard: Guard,
    /// Whether the context is production.
    pub production: bool,
    /// Who sits at the keyboard, as the machine knows them.
    pub person: Text,
    /// By what the world is judged.
    pub health_policy: HealthPolicy,
    /// What is wrong with the files that define SLOs.
    pub findings: Vec<Finding>,
    /// How often services and alerts are asked for.
    pub interval: Duration,
    /// How the person wants to be called.
    pub notify_policy: NotifyPolicy,
    pub look: Look,
    pub keys: KeyMap,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
}

impl InitialState {
    /// A context of these sources, all else as it is where nobody configured anything.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests begin with it"))]
    pub fn new(context: &str, sources: Vec<SourceInfo>, look: Look, size: (u16, u16)) -> Self {
        Self {
            context: context.into(),
            contexts: vec![context.into()],
            sources,
            kinds: &[],
            guard: Guard::default(),
            production: false,
            person: "".into(),
            health_policy: HealthPolicy::default(),
            findings: Vec::new(),
            interval: LimitSettings::default().interval.0,
            notify_policy: NotifyPolicy::default(),
            look,
            keys: KeyMap::default(),
            size,
        }
    }
}

/// What all screens share.
#[derive(Debug)]
pub struct Shared {
    /// What the sources said.
    pub world: World,
    /// The context's name.
    pub context: Text,
    /// The names of all contexts.
    pub contexts: Vec<Text>,
    /// Counts up with each change of context.
    pub epoch: u64,
    /// The sources of the context.
    pub sources: Vec<SourceInfo>,
    /// The kinds of sources that could be added.
    pub kinds: &'static [&'static KindSpec],
    /// What the context forbids or asks twice for.
    pub guard: Guard,
    /// Whether the context is production.
    pub production: bool,
    /// Who sits at the keyboard, as the machine knows them.
    pub person: Text,
    /// What was confirmed, and how far it is.
    pub runs: Runs,
    /// By what the world is judged.
    pub health_policy: HealthPolicy,
    /// What is wrong with the files that define SLOs.
    pub findings: Vec<Finding>,
    /// How often services and alerts are asked for.
    pub interval: Duration,
    /// Who was called for what.
    pub alarm: Alarm,
    /// What happened.
    pub event_log: EventLog,
    /// When what was asked.
    pub scheduler: Scheduler,
    /// What burnwatch told.
    pub messages: Messages,
    /// What burnwatch did to the systems outside, here and before, as its journal tells it; oldest first.
    pub records: Vec<ActionRecord>,
    /// Whether the journal may tell more than `records`.
    pub is_journal_ahead: bool,
    /// The time range.
    pub range: Range,
    /// Since when everything is held still.
    pub paused: Option<Timestamp>,
    pub look: Look,
    pub keys: KeyMap,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// When the person last looked at a screen, for marking what came since.
    pub last_seen: BTreeMap<Tab, Timestamp>,
}

impl Shared {
    /// Nothing known yet, nothing done yet.
    pub fn new(setup: InitialState) -> Self {
        let ids = setup.sources.iter().map(|source| source.id.clone());
        Self {
            world: World::new(ids, setup.health_policy.clone()),
            context: setup.context,
            contexts: setup.contexts,
            epoch: 0,
            sources: setup.sources.into_iter().filter(SourceInfo::is_watched).collect(),
            kinds: setup.kinds,
            guard: setup.guard,
            production: setup.production,
            person: setup.person,
            runs: Runs::default(),
            health_policy: setup.health_policy,
            findings: setup.findings,
            interval: setup.interval,
            alarm: Alarm::new(setup.notify_policy),
            event_log: EventLog::default(),
            scheduler: Scheduler::default(),
            messages: Messages::default(),
            records: Vec::new(),
            is_journal_ahead: true,
            range: Range::default(),
            paused: None,
            look: setup.look,
            keys: setup.keys,
            size: setup.size,
            last_seen: BTreeMap::new(),
        }
    }

    /// What is said where data are not there yet.
    pub fn waiting(&self) -> &'static str {
        if self.paused.is_some() { "paused: not asked" } else { "asking..." }
    }

    /// What drawing functions share.
    pub fn cx(&self, now: Timestamp) -> Cx<'_> {
        let Look { shown, charset, zone, .. } = &self.look;
        Cx { theme: shown, charset: *charset, now, zone, is_slow_link: self.look.is_slow_link() }
    }

    /// The first key of a command, as it is written; empty if it has none.
    pub fn key(&self, command: Command) -> String {
        self.keys.of(command).first().map(ToString::to_string).unwrap_or_default()
    }

    /// The sources that answer questions of a kind.
    pub fn answering(&self, kind: AskKind) -> impl Iterator<Item = &SourceInfo> + Clone {
        self.sources.iter().filter(move |source| source.answers.contains(&kind))
    }

    /// Takes note of what the sources say now, after an answer of this kind.
    pub fn update_event_log(&mut self, news: AskKind, now: Timestamp) {
        let input = EventLogInput {
            world: &self.world,
            sources: &self.sources,
            service_labels: &self.health_policy.service_labels,
            range: self.range,
        };
        event_log::write(&mut self.event_log, &input, news, now);
    }

    /// Takes note of what was done from here, now and in earlier runs, as the journal tells it.
    pub fn load_records(&mut self, records: Vec<ActionRecord>, now: Timestamp) {
        (self.records, self.is_journal_ahead) = (records, false);
        event_log::log_actions(&mut self.event_log, &self.world, &self.records, &self.context, now);
    }

    /// Looks at what came, and says whom to call.
    pub fn notifications(&mut self, now: Timestamp) -> Vec<Effect> {
        let input = AlarmInput { world: &self.world, sources: &self.sources, context: &self.context };
        alarm::notifications(&mut self.alarm, &input, now)
    }

    /// Changes the range; what is on the screen belongs to another stretch of time then, and is asked at once. Whether it is
    /// another range now: lists that are cut by it have to be brought into order again.
    pub fn change_range(&mut self, now: Timestamp, change: impl Fn(&mut Range, Timestamp)) -> bool {
        let before = self.range;
        change(&mut self.range, now);
        if self.range == before {
            return false;
        }
        let belongs_to_a_range = |topic: &Topic| match topic.kind().time() {
            // about another moment it is asked anyway
            TimeUse::Now | TimeUse::Moment => false,
            TimeUse::Since | TimeUse::Range => true,
        };
        self.scheduler.query_now(belongs_to_a_range, now);
        true
    }

    /// Puts a text on the clipboard and says so.
    pub fn copy(&mut self, text: String, now: Timestamp) -> Vec<Effect> {
        // a list of labels may have many lines; the footer has one
        let lines = text.lines().count();
        let said = if lines > 1 { format!("Copied {lines} lines") } else { format!("Copied: {text}") };
        self.messages.note(said, now);
        vec![Effect::Copy(text)]
    }
}
