//! A session of a verb: opens the sources that the command line and the configuration name, and queries them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app;
use crate::app::alarm::Alarm;
use crate::app::commands::KeyMap;
use crate::app::display_settings::{Charset, ChartSymbols, Colours, DisplaySettings};
use crate::app::event::{Effect, Event};
use crate::app::place::Place as Screen;
use crate::app::readiness;
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::theme::Theme;
use crate::backend::packs::{self, Pack};
use crate::backend::{self, Clock, SourceDeps, Transport, demo};
use crate::config::context::{self, Context, ContextChoice};
use crate::config::definitions::{self, Definitions, Finding, FindingLevel};
use crate::config::kind;
use crate::config::load::ConfigError;
use crate::config::settings::{ChartSymbolChoice, Settings};
use crate::model::alert::Alert;
use crate::model::ask::{Answer, AskKind, Query, Question, Reply};
use crate::model::guard::Guard;
use crate::model::labels::Text;
use crate::model::slo::Slo;
use crate::model::source::SourceId;
use crate::runtime::{
    ContextHandle, ContextOpener, Executor, GatedSources, Journal, JournalError, RuntimeError, headless,
    wait_for, who,
};

use super::CliContext;
use super::args::DemoFlags;
use super::view::{WorldView, is_settled};

/// The stopped clock of lists and snapshots of the demo world with `--at`: 2026-01-15 02:52 UTC, a night on call.
const DEMO_NIGHT: i64 = 1_768_445_520;
/// Time beyond that of one request until a round of questions is given up, for questions that wait for a free slot.
const GRACE: Duration = Duration::from_secs(3);

/// Why a verb cannot run.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] JournalError),
    /// No source of the context has the kind of data that the verb needs.
    #[error("no source of the context {context} has {what}: {advice}")]
    NoSuchData { context: String, what: &'static str, advice: String },
    #[error("the filter cannot be read: {0}")]
    Filter(String),
    /// A query cannot be evaluated: wrong arguments, or no such source.
    #[error("{0}")]
    Query(String),
    /// Errors in the user's own configuration, packs, themes or keys, one line for each.
    #[error("{0}")]
    Own(String),
}

/// Everything that a verb needs to query sources and to show the answers.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) active: SourceChoice,
    /// The journal that actions are written to.
    pub(super) journal: Journal,
    themes: Vec<Theme>,
    keys: KeyMap,
    /// Labels by which packs name the services behind a proxy, except those that are service labels in the configuration.
    labels_of_proxies: Vec<String>,
}

/// The context to query, with its sources and guardrails.
pub(super) struct SourceChoice {
    pub(super) context: String,
    contexts: Vec<String>,
    pub(super) sources: GatedSources,
    pub(super) guard: Guard,
    production: bool,
    pub(super) clock: Clock,
    /// Opens another context; None in the demo world.
    pub(super) context_opener: Option<ContextOpener>,
    /// Warnings and errors of the files that define SLOs.
    pub(super) findings: Vec<Finding>,
}

impl Session {
    /// Opens the demo world, or the context that the command line or the configuration chooses. `may_stop_clock`: the demo
    /// world's clock may be stopped at the minute of `--at`, as lists and snapshots do.
    pub(super) fn open(cx: &CliContext<'_>, may_stop_clock: bool) -> Result<Self, SessionError> {
        let own = cx.own_assets();
        let settings = cx.settings(&own)?;
        // without a pack of the user, data would be wrong or missing without a hint
        if !own.asset_errors.is_empty() {
            return Err(SessionError::Own(own.asset_errors.join("\n")));
        }
        let keys = KeyMap::new(&settings.ui.keys).map_err(|errors| {
            let lines = errors.iter().map(|error| format!("[ui.keys]: {error}"));
            SessionError::Own(lines.collect::<Vec<_>>().join("\n"))
        })?;
        let packs = packs::chosen(&own.packs, &settings.services.packs);
        let labels_of_proxies =
            packs::labels_of_proxies(&packs).filter(|label| !settings.services.labels.contains(label));
        let labels_of_proxies = labels_of_proxies.cloned().collect();
        let active = match cx.demo {
            Some(flags) => demo_world(&settings, &cx.choice, flags, may_stop_clock),
            None => real_world(&settings, &cx.choice, own.packs)?,
        };
        Ok(Self { settings, active, journal: journal(cx), themes: own.themes, keys, labels_of_proxies })
    }

    /// Checks that some source answers at least one of these kinds of questions: otherwise there is nothing to wait for, and an
    /// empty list would be misleading.
    pub(super) fn require_source_of(&self, about: &[AskKind]) -> Result<(), SessionError> {
        let Some(first) = about.first() else { return Ok(()) };
        let infos = self.active.sources.infos();
        if infos.iter().any(|source| about.iter().any(|kind| source.answers.contains(kind))) {
            return Ok(());
        }
        let kinds = about.iter().flat_map(|ask| kind::kinds_answering(&backend::KINDS, *ask));
        let kinds: Vec<&str> = kinds.map(|kind| kind.name).collect();
        let advice = if infos.iter().any(|source| kinds.contains(&source.kind.name())) {
            "set slo.discover = true, or name definition files with --slo FILE or [slo] files".to_owned()
        } else {
            format!("add a source of kind {} to the configuration", kinds.join(" or "))
        };
        Err(SessionError::NoSuchData { context: self.active.context.clone(), what: first.word(), advice })
    }

    /// Puts the questions of a list to the sources and waits for the answers.
    ///
    /// The service of an alert from a proxy is known only from the list of services. If there is such an alert, the services are
    /// queried, too; a failure of that query does not make the list partial.
    pub(super) fn ask(&self, needs: &[AskKind]) -> Result<State, SessionError> {
        let mut state = self.gather_kinds(needs)?;
        let is_of_a_proxy =
            |alert: &Alert| self.labels_of_proxies.iter().any(|label| alert.labels.get(label).is_some());
        if needs.contains(&AskKind::Services) || !state.shared.world.alerts().iter().any(|a| is_of_a_proxy(a))
        {
            return Ok(state);
        }
        let reported = self.gather_kinds(&[AskKind::Services])?;
        for (source, cache) in reported.shared.world.sources() {
            let Some(snapshot) = cache.services().value() else { continue };
            let ask = Query::Services.now();
            let question = Question { context: 0, source: source.clone(), ask, known: None };
            let reply = Reply::free(Answer::Services(snapshot.clone()));
            state.shared.world.apply(&question, Ok(reply), self.active.clock.now());
        }
        Ok(state)
    }

    /// Runs `state` without a terminal until `wanted` holds. False if that takes longer than `deadline`.
    pub(super) fn gather<S>(
        &self,
        state: &mut S,
        update: impl FnMut(&mut S, Event, Timestamp) -> Vec<Effect>,
        wanted: impl Fn(&S) -> bool,
        deadline: Duration,
    ) -> Result<bool, SessionError> {
        let SourceChoice { sources, clock, .. } = &self.active;
        Ok(wait_for(headless::gather(state, update, sources, (*clock, deadline), wanted))?)
    }

    /// The state after every source has answered or refused these questions, and no others.
    pub(super) fn ask_only(&self, kinds: &[AskKind]) -> Result<State, SessionError> {
        self.gather_kinds(kinds)
    }

    /// Shows a place, and waits for those of its questions that are of these kinds; others are not sent.
    pub(super) fn look_on(
        &self,
        state: &mut State,
        place: Screen,
        kinds: &[AskKind],
    ) -> Result<(), SessionError> {
        state.reset_to(place);
        let update = |state: &mut State, event: Event, now: Timestamp| {
            let mut effects = app::update(state, event, now);
            effects.retain(
                |effect| !matches!(effect, Effect::Fetch(question) if !kinds.contains(&question.ask.kind())),
            );
            effects
        };
        let is_complete = |state: &State| readiness::has_settled(state, kinds, self.active.clock.now());
        self.gather(state, update, is_complete, self.deadline())?;
        Ok(())
    }

    /// The screen's state after every source has answered or refused these questions. Others are not sent, so that they do not
    /// delay these at a slow server. A missing answer is reported by the list.
    fn gather_kinds(&self, needs: &[AskKind]) -> Result<State, SessionError> {
        // the screen Sources asks only the questions of every screen, and no trends
        self.ask_at(Screen::Sources, needs)
    }

    /// As [`Session::ask`], for questions that only this screen asks, without the services of proxies.
    pub(super) fn ask_at(&self, place: Screen, needs: &[AskKind]) -> Result<State, SessionError> {
        let mut state = self.state_at(place);
        let update = |state: &mut State, event: Event, now: Timestamp| {
            let is_wanted = |question: &Question| needs.contains(&question.ask.kind());
            let mut effects = app::update(state, event, now);
            effects.retain(|effect| !matches!(effect, Effect::Fetch(question) if !is_wanted(question)));
            effects
        };
        let is_complete = |state: &State| is_settled(&state.shared.world, &state.shared.sources, needs);
        self.gather(&mut state, update, is_complete, self.deadline())?;
        Ok(state)
    }

    /// The screen's state at `place` after every source has answered or refused its questions. A missing answer is reported as
    /// a gap.
    pub(super) fn look(&self, place: Screen) -> Result<State, SessionError> {
        let mut state = self.state_at(place);
        let is_complete = |state: &State| readiness::is_settled(state, self.active.clock.now());
        self.gather(&mut state, app::update, is_complete, self.deadline())?;
        Ok(state)
    }

    /// The state at a place, before anything was asked.
    pub(super) fn state_at(&self, place: Screen) -> State {
        let mut state = State::new(self.setup((0, 0), Colours::None, (Charset::Ascii, ChartSymbols::Ascii)));
        state.reset_to(place);
        state
    }

    /// The answers of the sources at this moment.
    pub(super) fn view<'a>(&'a self, state: &'a State) -> WorldView<'a> {
        WorldView {
            world: &state.shared.world,
            sources: &state.shared.sources,
            context: &self.active.context,
            now: self.active.clock.now(),
            limit: self.deadline(),
            zone: &state.shared.look.zone,
            findings: &self.active.findings,
        }
    }

    /// Runs the actions of the context.
    pub(super) fn executor(&self) -> Executor {
        let SourceChoice { context, guard, clock, .. } = &self.active;
        let (context, guard) = (context.as_str().into(), guard.clone());
        Executor { context, guard, journal: Some(self.journal.clone()), clock: *clock }
    }

    /// How long a round of questions may take before missing answers are given up.
    pub(super) fn deadline(&self) -> Duration {
        let limits = &self.settings.limits;
        limits.connect_timeout.0 + limits.timeout.0 + GRACE
    }

    /// The initial state of the screen, for a terminal of this size with these colours and characters.
    pub(super) fn setup(
        &self,
        size: (u16, u16),
        colours: Colours,
        (charset, chart_symbols): (Charset, ChartSymbols),
    ) -> Shared {
        let ui = &self.settings.ui;
        let zone = if ui.utc { TimeZone::UTC } else { TimeZone::system() };
        let charset = if ui.ascii { Charset::Ascii } else { charset };
        let active = &self.active;
        let mut look = DisplaySettings::new(self.themes.clone(), ui.theme.as_deref(), colours, charset, zone);
        look.chart_symbols = match ui.chart_symbols {
            ChartSymbolChoice::Auto => chart_symbols,
            ChartSymbolChoice::Octant => ChartSymbols::Octant,
            ChartSymbolChoice::Braille => ChartSymbols::Braille,
            ChartSymbolChoice::Half => ChartSymbols::Half,
            ChartSymbolChoice::Ascii => ChartSymbols::Ascii,
        };
        let mut shared = Shared::new(&active.context, active.sources.infos(), look, size);
        shared.world.health_policy = self.settings.health_policy();
        shared.preview.is_on = ui.preview;
        Shared {
            contexts: active.contexts.iter().map(|name| name.as_str().into()).collect(),
            kinds: &backend::KINDS,
            guard: active.guard.clone(),
            production: active.production,
            person: Text::clone(self.journal.who()),
            findings: active.findings.clone(),
            trace_url: self.settings.explore.trace_url.as_deref().map(Text::from),
            interval: self.settings.limits.interval.0,
            alarm: Alarm::new(self.settings.notify.clone()),
            keys: self.keys.clone(),
            ..shared
        }
    }
}

/// The journal of this machine; the demo world has a journal of its own.
pub(super) fn journal(cx: &CliContext<'_>) -> Journal {
    let path =
        cx.paths.as_ref().map(|paths| if cx.demo.is_some() { paths.demo_journal() } else { paths.journal() });
    Journal::new(path, &who(|name| std::env::var(name).ok()), Clock::real().now())
}

/// The simulated sources of the demo world.
fn demo_world(
    settings: &Settings,
    wanted: &ContextChoice,
    flags: DemoFlags,
    may_stop_clock: bool,
) -> SourceChoice {
    // with a stopped clock, a snapshot of the same minute is always the same
    let night = Timestamp::from_second(DEMO_NIGHT).ok().filter(|_| may_stop_clock && flags.at.is_some());
    let clock = night.map_or(Clock::real(), Clock::fixed);
    let speed = flags.speed.unwrap_or(1.0);
    let origin = demo::origin(clock.now(), flags.at.unwrap_or(0.0), speed);
    let list = demo::sources(flags.seed.unwrap_or(1), clock, origin, speed);
    SourceChoice {
        context: "demo".to_owned(),
        contexts: vec!["demo".to_owned()],
        sources: GatedSources::new(list, settings.limits),
        guard: Guard {
            read_only: wanted.read_only.then(|| "--read-only".into()),
            dry_run: wanted.dry_run,
            ..Guard::default()
        },
        production: false,
        clock,
        context_opener: None,
        findings: Vec::new(),
    }
}

/// The sources of the chosen context, with the SLO definitions of the configuration.
fn real_world(
    settings: &Settings,
    wanted: &ContextChoice,
    packs: Vec<Pack>,
) -> Result<SourceChoice, SessionError> {
    let context = context::resolve(settings, wanted)?;
    let Definitions { slos, findings } = defined(settings);
    let slos: Vec<Arc<Slo>> = slos.into_iter().map(Arc::new).collect();
    let sources = connect(&context, settings, &packs, &slos);
    let contexts = context::names(settings, wanted);
    let (settings, wanted) = (settings.clone(), wanted.clone());
    let context_opener: ContextOpener = Arc::new(move |name| {
        let context = context::enter(&settings, &wanted, name)?;
        let sources = connect(&context, &settings, &packs, &slos);
        Ok(ContextHandle { sources, guard: context.guard, production: context.production })
    });
    Ok(SourceChoice {
        context: context.name,
        contexts,
        sources,
        guard: context.guard,
        production: context.production,
        clock: Clock::real(),
        context_opener: Some(context_opener),
        findings: findings.into_iter().filter(|finding| finding.level > FindingLevel::Note).collect(),
    })
}

/// The SLOs of the files that the configuration names, with warnings and errors.
pub(super) fn defined(settings: &Settings) -> Definitions {
    let paths: Vec<PathBuf> = settings.slo.files.iter().map(PathBuf::from).collect();
    definitions::load(&paths, settings.slo.window.0)
}

/// Creates the sources of a context, and the source of runbooks. Nothing is sent yet.
fn connect(context: &Context, settings: &Settings, packs: &[Pack], slos: &[Arc<Slo>]) -> GatedSources {
    let asked = &settings.slo.sources;
    let deps = |id: &SourceId| {
        let is_asked = asked.is_empty() || asked.iter().any(|name| **name == *id.as_str());
        let slos = if is_asked { slos } else { &[] };
        SourceDeps { packs, slos, ..SourceDeps::new(settings, Clock::real()) }
    };
    let list = context.sources.iter().map(|(id, source)| backend::connect(id, source, deps(id)));
    let list = list.chain([backend::runbooks(settings, &Transport::Network)]).collect();
    GatedSources::new(list, settings.limits)
}

#[cfg(test)]
mod tests;
