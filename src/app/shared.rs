//! Data and settings that all screens use: the answers of the sources, their age, and the settings of the session.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::alarm::{self, Alarm, AlarmInput};
use super::chart_control::{ChartControl, ChartedTime};
use super::commands::{Command, KeyMap};
use super::display_settings::{Cx, DisplaySettings};
use super::event::Effect;
use super::event_log::{self, EventLog, EventLogInput};
use super::message::Messages;
use super::place::Tab;
use super::preview::Preview;
use super::range::Range;
use super::runs::Runs;
use super::scheduler::Scheduler;
use super::widgets::chart::ChartView;
use crate::config::definitions::Finding;
use crate::config::kind::KindSpec;
use crate::config::settings::LimitSettings;
use crate::model::ask::{AskKind, TimeUse, Topic};
use crate::model::guard::Guard;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;
use crate::model::source_info::SourceInfo;
use crate::model::world::{HealthPolicy, World};

/// Data and settings that all screens use.
#[derive(Debug)]
pub struct Shared {
    pub world: World,
    pub context: Text,
    pub contexts: Vec<Text>,
    /// Increases with each change of context.
    pub epoch: u64,
    /// The watched sources of the context.
    pub sources: Vec<SourceInfo>,
    /// The kinds of sources that can be configured.
    pub kinds: &'static [&'static KindSpec],
    /// The restrictions of the context: read-only, dry run, double confirmation.
    pub guard: Guard,
    pub production: bool,
    /// The user's name according to the operating system.
    pub person: Text,
    /// The confirmed plans and their progress.
    pub runs: Runs,
    /// Errors in the files that define SLOs.
    pub findings: Vec<Finding>,
    /// How often services and alerts are queried.
    pub interval: Duration,
    /// Which notifications were sent for which alerts and incidents.
    pub alarm: Alarm,
    pub event_log: EventLog,
    /// When each query was last sent and is sent next.
    pub scheduler: Scheduler,
    pub messages: Messages,
    /// All actions on external systems, of this and of earlier runs, as recorded in the journal; oldest first.
    pub records: Vec<ActionRecord>,
    /// Whether the journal may have records that `records` does not have yet.
    pub is_journal_ahead: bool,
    /// Whether the saved views and the history of queries were not read yet.
    pub are_queries_unread: bool,
    /// The template of the address of a trace.
    pub trace_url: Option<Text>,
    pub range: Range,
    pub preview: Preview,
    /// Value cursor, zoom and scale of the charts on the present page.
    pub charts: ChartControl,
    /// Since when updates are paused; None: not paused.
    pub paused: Option<Timestamp>,
    /// Theme, charset and time zone.
    pub look: DisplaySettings,
    pub keys: KeyMap,
    /// The terminal's size: columns, rows.
    pub size: (u16, u16),
    /// When the user last looked at each tab; later events count as new.
    pub last_seen: BTreeMap<Tab, Timestamp>,
    /// What the runtime has to do after the present event.
    pub effects: Vec<Effect>,
}

/// The arguments that the drawing functions of screens share: the data, and what widgets need.
#[derive(Clone, Copy)]
pub struct ScreenCx<'a> {
    pub shared: &'a Shared,
    /// The newest answers of the sources.
    pub world: &'a World,
    cx: Cx<'a>,
}

impl ScreenCx<'_> {
    /// The same at another moment.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { cx: Cx { now, ..self.cx }, ..self }
    }
}

impl<'a> std::ops::Deref for ScreenCx<'a> {
    type Target = Cx<'a>;

    fn deref(&self) -> &Cx<'a> {
        &self.cx
    }
}

impl Shared {
    /// A context with these sources (with those that are not watched), no answers yet, and the default of every other value.
    pub fn new(context: &str, sources: Vec<SourceInfo>, look: DisplaySettings, size: (u16, u16)) -> Self {
        let ids = sources.iter().map(|source| source.id.clone());
        Self {
            world: World::new(ids, HealthPolicy::default()),
            context: context.into(),
            contexts: vec![context.into()],
            epoch: 0,
            sources: sources.into_iter().filter(SourceInfo::is_watched).collect(),
            kinds: &[],
            guard: Guard::default(),
            production: false,
            person: "".into(),
            runs: Runs::default(),
            findings: Vec::new(),
            interval: LimitSettings::default().interval.0,
            alarm: Alarm::default(),
            event_log: EventLog::default(),
            scheduler: Scheduler::default(),
            messages: Messages::default(),
            records: Vec::new(),
            is_journal_ahead: true,
            are_queries_unread: true,
            trace_url: None,
            range: Range::default(),
            preview: Preview::default(),
            charts: ChartControl::default(),
            paused: None,
            look,
            keys: KeyMap::default(),
            size,
            last_seen: BTreeMap::new(),
            effects: Vec::new(),
        }
    }

    /// The text in place of data that have not arrived yet.
    pub fn waiting(&self) -> &'static str {
        if self.paused.is_some() { "paused: not loaded" } else { "loading..." }
    }

    /// The arguments that the drawing functions of screens share.
    pub fn cx(&self, now: Timestamp) -> ScreenCx<'_> {
        let DisplaySettings { shown, charset, chart_symbols, zone, .. } = &self.look;
        let (charset, chart_symbols, is_slow_link) = (*charset, *chart_symbols, self.look.is_slow_link());
        let cx = Cx { theme: shown, charset, chart_symbols, now, zone, is_slow_link };
        ScreenCx { shared: self, world: &self.world, cx }
    }

    /// Whether something changed after the user last looked at the tab that shows it.
    pub fn is_new(&self, tab: Tab, changed: Option<Timestamp>) -> bool {
        self.last_seen.get(&tab).zip(changed).is_some_and(|(last_seen, changed)| changed > *last_seen)
    }

    /// The first key of a command, as shown to the user; empty if the command has no key.
    pub fn key(&self, command: Command) -> String {
        self.keys.of(command).first().map(ToString::to_string).unwrap_or_default()
    }

    /// What the charts of a page with this time show, and the range in words for their titles.
    pub fn charted(&self, cx: &Cx<'_>, time: ChartedTime) -> (ChartView, String) {
        let words = self.charts.words(cx, &self.range, time, &self.key(Command::WholeRange));
        (self.charts.view(time), words)
    }

    pub fn answering(&self, kind: AskKind) -> impl Iterator<Item = &SourceInfo> + Clone {
        self.sources.iter().filter(move |source| source.answers.contains(&kind))
    }

    /// Adds to the event log what is new in an answer of this kind.
    pub fn update_event_log(&mut self, news: AskKind, now: Timestamp) {
        let input = EventLogInput { world: &self.world, sources: &self.sources, range: self.range };
        event_log::write(&mut self.event_log, &input, news, now);
    }

    /// Replaces the records by those of the journal, and adds them to the event log.
    pub fn load_records(&mut self, records: Vec<ActionRecord>, now: Timestamp) {
        (self.records, self.is_journal_ahead) = (records, false);
        event_log::log_actions(&mut self.event_log, &self.world, &self.records, &self.context, now);
    }

    /// Sends the notifications that the newest answers require.
    pub fn notify(&mut self, now: Timestamp) {
        let input = AlarmInput { world: &self.world, sources: &self.sources, context: &self.context };
        self.effects.extend(alarm::notifications(&mut self.alarm, &input, now));
    }

    /// Changes the time range and queries the data of the new range at once.
    /// Returns whether the range has changed: lists that it limits must be sorted again then.
    pub fn change_range(&mut self, now: Timestamp, change: impl Fn(&mut Range, Timestamp)) -> bool {
        let before = self.range;
        change(&mut self.range, now);
        if self.range == before {
            return false;
        }
        if self.range.length != before.length {
            self.charts.show_whole();
        }
        let belongs_to_a_range = |topic: &Topic| match topic.kind().time() {
            // queries about another moment are due anyway
            TimeUse::Now | TimeUse::Moment => false,
            TimeUse::Since | TimeUse::Range => true,
        };
        self.scheduler.query_now(belongs_to_a_range, now);
        true
    }

    /// Copies a text to the clipboard and logs a message about it.
    pub fn copy(&mut self, text: String, now: Timestamp) {
        // a list of labels may have many lines; the footer has only one
        let lines = text.lines().count();
        let said = if lines > 1 { format!("Copied {lines} lines") } else { format!("Copied: {text}") };
        self.messages.note(said, now);
        self.effects.push(Effect::Copy(text));
    }
}
