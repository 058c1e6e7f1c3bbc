//! A test harness for the screen's state: sources answer, keys are pressed, screens are drawn to text. Without a terminal, a real
//! clock or waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use burnwatch::testing::app::display_settings::{Charset, Colours, DisplaySettings};
use burnwatch::testing::app::event::{Arrival, Effect, Event, Plan};
use burnwatch::testing::app::shared::Shared;
use burnwatch::testing::app::state::{Mode, State};
use burnwatch::testing::app::theme::{Role, Theme};
use burnwatch::testing::app::{render, update};
use burnwatch::testing::backend::demo;
use burnwatch::testing::backend::{Clock, Source};
use burnwatch::testing::config::definitions::Finding;
use burnwatch::testing::model::action::ActionResult;
use burnwatch::testing::model::guard::Guard;
use burnwatch::testing::model::incident::Incident;
use burnwatch::testing::model::journal::ActionRecord;
use burnwatch::testing::model::slo::SloReading;
use burnwatch::testing::model::source::{ErrorKind, SourceError, SourceId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::capacity::CapacitySource;
use crate::machines::MachineSource;
use crate::pager::Pager;
use crate::picture;
use crate::promises::SloSource;
use crate::why::CauseSource;

/// The start of every test: 2026-01-14 02:52:07 UTC.
const NOW: i64 = 1_768_359_127;

/// A state with its sources.
pub(crate) struct Stage {
    state: State,
    sources: Vec<Arc<dyn Source>>,
    /// The time since the start in milliseconds; changing it moves the clock.
    time: &'static AtomicI64,
    clock: Clock,
    dead: Option<SourceId>,
    answering: bool,
    /// The confirmed plans, the latest last.
    acts: Vec<Plan>,
    runtime: tokio::runtime::Runtime,
}

/// A stopped clock that tests move. Each stage leaks its own until the end of the tests.
fn clock() -> (&'static AtomicI64, Clock) {
    let time: &'static AtomicI64 = Box::leak(Box::new(AtomicI64::new(NOW * 1000)));
    (time, Clock::set_by(time))
}

impl Stage {
    /// The demo world at this minute of its scenario, with all questions answered.
    pub(crate) fn demo(size: (u16, u16), minute: f64) -> Self {
        let mut stage = Self::new(size, minute);
        stage.answering = true;
        stage.tick();
        stage
    }

    /// The same, before any source has answered.
    pub(crate) fn unanswered(size: (u16, u16)) -> Self {
        let mut stage = Self::new(size, 1.5);
        stage.tick();
        stage
    }

    /// One source with these SLOs, with all questions answered.
    pub(crate) fn promises(size: (u16, u16), readings: Vec<SloReading>) -> Self {
        let (time, clock) = clock();
        let sources: Vec<Arc<dyn Source>> = vec![Arc::new(SloSource::new(readings, clock))];
        let mut stage = Self::of(size, (time, clock), sources);
        stage.answering = true;
        stage.tick();
        stage
    }

    /// One source with a service of many machines, with all questions answered.
    pub(crate) fn machines(size: (u16, u16)) -> Self {
        Self::source(size, Arc::new(MachineSource::new()))
    }

    /// One source that knows why a service fails, with all questions answered.
    pub(crate) fn causes(size: (u16, u16)) -> Self {
        Self::source(size, Arc::new(CauseSource::new()))
    }

    /// One source, with all questions answered.
    pub(crate) fn source(size: (u16, u16), source: Arc<dyn Source>) -> Self {
        Self::sources(size, vec![source])
    }

    /// Several sources, with all questions answered.
    pub(crate) fn sources(size: (u16, u16), sources: Vec<Arc<dyn Source>>) -> Self {
        let mut stage = Self::of(size, clock(), sources);
        stage.answering = true;
        stage.tick();
        stage
    }

    /// One source with resources in every state, with all questions answered.
    pub(crate) fn capacity(size: (u16, u16)) -> Self {
        Self::source(size, Arc::new(CapacitySource::new()))
    }

    /// A paging system, with all questions answered.
    pub(crate) fn pager(size: (u16, u16), pager: Pager) -> Self {
        Self::source(size, Arc::new(pager))
    }

    /// Replaces the incidents of the paging system.
    pub(crate) fn retell(&mut self, incidents: Vec<Incident>) {
        self.sources = vec![Arc::new(Pager::new(incidents, crate::pager::on_call()))];
    }

    /// Sets the time zone of the display.
    pub(crate) fn zone(&mut self, zone: &str) {
        self.state.shared.look.zone = TimeZone::get(zone).expect("a zone");
    }

    /// The start of every test.
    pub(crate) fn start() -> Timestamp {
        Timestamp::from_second(NOW).expect("a moment")
    }

    fn new(size: (u16, u16), minute: f64) -> Self {
        let (time, clock) = clock();
        let origin = demo::origin(clock.now(), minute, 1.0);
        let sources = demo::sources(7, clock, origin, 1.0);
        Self::of(size, (time, clock), sources)
    }

    fn of(
        size: (u16, u16),
        (time, clock): (&'static AtomicI64, Clock),
        sources: Vec<Arc<dyn Source>>,
    ) -> Self {
        let infos = sources.iter().map(|source| source.info().clone()).collect();
        let setup = Shared::new("demo", infos, DisplaySettings::probe(Colours::True, Charset::Unicode), size);
        let state =
            State::new(Shared { person: "ana".into(), kinds: &burnwatch::testing::backend::KINDS, ..setup });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { state, sources, time, clock, dead: None, answering: false, acts: Vec::new(), runtime }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sets the characters and colours of the display.
    pub(crate) fn look(&mut self, charset: Charset, colours: Colours) {
        let zone = self.state.shared.look.zone.clone();
        self.state.shared.look = DisplaySettings::new(vec![Theme::probe()], None, colours, charset, zone);
    }

    /// Sets the available themes, with 24-bit colours.
    pub(crate) fn themes(&mut self, themes: Vec<Theme>) {
        let zone = self.state.shared.look.zone.clone();
        self.state.shared.look = DisplaySettings::new(themes, None, Colours::True, Charset::Unicode, zone);
    }

    /// Makes a source refuse connections, then advances the clock.
    pub(crate) fn kill(&mut self, source: &str, seconds: i64) {
        self.dead = Some(SourceId::new(source));
        self.wait(seconds);
    }

    pub(crate) fn resize(&mut self, (width, height): (u16, u16)) {
        self.send(Event::Resized { width, height });
    }

    /// Presses keys, waiting for each confirm dialog as a user who reads it.
    pub(crate) fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.press_at_once(&[key]);
            self.read();
        }
    }

    /// Lets the cursor rest, so that the preview follows it.
    pub(crate) fn rest(&mut self) {
        if let Some(move_number) = self.state.shared.preview.pending_move() {
            self.send(Event::Woken { move_number });
        }
    }

    /// Presses keys without waiting for confirm dialogs.
    pub(crate) fn press_at_once(&mut self, keys: &[&str]) {
        for key in keys {
            self.send(Event::Key(key.parse().expect("a key")));
        }
    }

    /// Advances the clock until the confirm dialog accepts a key.
    pub(crate) fn read(&mut self) {
        if let Some(wait) = self.state.waits() {
            self.send(Event::Read(wait));
        }
    }

    /// Sets the findings of SLO definition files.
    pub(crate) fn find(&mut self, findings: Vec<Finding>) {
        self.state.shared.findings = findings;
    }

    /// The confirmed plans so far, the latest last.
    pub(crate) fn acts(&self) -> &[Plan] {
        &self.acts
    }

    /// The journal's record of the first confirmed action, with this result.
    pub(crate) fn record(&self, ending: ActionResult) -> ActionRecord {
        let plan = self.acts.first().expect("something was confirmed");
        ActionRecord {
            act: "run-1".into(),
            begun_at: self.now(),
            at: self.now(),
            who: "ana@bastion".into(),
            context: plan.context.clone(),
            action: plan.actions.first().expect("a plan has an action").clone(),
            sent_at: Some(self.now()),
            calls: Vec::new(),
            ending: Some(ending),
            read_back: false,
        }
    }

    /// Sets the guardrails of the context, and whether it is production.
    pub(crate) fn guard(&mut self, guard: Guard, production: bool) {
        (self.state.shared.guard, self.state.shared.production) = (guard, production);
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Lets this many seconds pass.
    pub(crate) fn wait(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.time.fetch_add(1000, Ordering::Relaxed);
            self.tick();
        }
    }

    /// Advances the clock by this many seconds in one step.
    pub(crate) fn jump(&mut self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
        self.tick();
    }

    /// Sets whether sources answer.
    pub(crate) fn answer(&mut self, answering: bool) {
        self.answering = answering;
    }

    /// The effects of an event, without running them.
    pub(crate) fn effects_of(&mut self, event: Event) -> Vec<Effect> {
        let now = self.now();
        update(&mut self.state, event, now)
    }

    fn tick(&mut self) {
        self.send(Event::Tick);
    }

    pub(crate) fn send(&mut self, event: Event) {
        let now = self.now();
        let is_deciding = matches!(self.state.mode, Mode::Confirm(_));
        let mut effects = update(&mut self.state, event, now);
        while let Some(effect) = effects.pop() {
            if let Effect::Act(plan) = &effect {
                assert!(is_deciding, "nothing is done that was not asked about: {plan:?}");
                self.acts.push(plan.clone());
            }
            if let Effect::Fetch(question) = effect
                && self.answering
            {
                let source = self
                    .sources
                    .iter()
                    .find(|source| source.info().id == question.source)
                    .expect("only sources of the stage are asked");
                let answered = if self.dead.as_ref() == Some(&question.source) {
                    let failure = ErrorKind::Unreachable { reason: "connection refused".into() };
                    let mut error = SourceError::new(question.source.clone(), failure);
                    error.next_try = now.checked_add(Duration::from_secs(20)).ok();
                    Err(error)
                } else {
                    self.runtime.block_on(source.answer(&question.ask, question.known))
                };
                let arrival = Arrival { question, answered, took: Duration::from_millis(12) };
                effects.extend(update(&mut self.state, Event::Answered(Box::new(arrival)), now));
            }
        }
    }

    pub(crate) fn draw(&self) -> Buffer {
        let (width, height) = self.state.shared.size;
        let mut buffer = Buffer::empty(Rect { x: 0, y: 0, width, height });
        render(&self.state, self.now(), &mut buffer);
        buffer
    }

    /// The text of the screen, and below it the role of each run of cells.
    pub(crate) fn picture(&self) -> String {
        with_roles(&self.draw())
    }

    /// The text of the screen.
    pub(crate) fn text(&self) -> String {
        picture::text(&self.draw())
    }

    /// As [`Stage::picture`], without header, tabs and footer (except for parts that a dialog covers).
    pub(crate) fn body(&self) -> String {
        with_roles(&picture::body(&self.draw()))
    }

    /// The text of [`Stage::body`], without roles.
    pub(crate) fn body_text(&self) -> String {
        picture::text(&picture::body(&self.draw()))
    }

    /// As [`Stage::picture`], only of header, tabs and footer.
    pub(crate) fn frame(&self) -> String {
        with_roles(&picture::frame(&self.draw()))
    }

    /// Whether any cell of the screen's own lines has this role.
    pub(crate) fn shows(&self, role: Role) -> bool {
        picture::body(&self.draw()).content.iter().any(|cell| picture::roles_of(cell).contains(&role))
    }
}

fn with_roles(buffer: &Buffer) -> String {
    format!("{}---\n{}", picture::text(buffer), picture::roles(buffer))
}
