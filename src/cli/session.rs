//! A session of a verb: opens the sources that the command line and the configuration name, and queries them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;

use crate::app::alarm::Alarm;
use crate::app::commands::KeyMap;
use crate::app::display_settings::DisplaySettings;
use crate::app::display_settings::{Charset, Colours};
use crate::app::event::{Effect, Event};
use crate::app::place::Place as Screen;
use crate::app::readiness;
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::theme::Theme;
use crate::backend::packs::{self, Pack};
use crate::backend::{self, Clock, SourceDeps, Transport, demo};
use crate::config::Paths;
use crate::config::context::{self, Context, ContextChoice};
use crate::config::definitions::{self, Definitions, Finding, FindingLevel};
use crate::config::kind;
use crate::config::load::{ConfigError, Overrides};
use crate::config::settings::Settings;
use crate::model::alert::Alert;
use crate::model::ask::{Answer, AskKind, Query, Question, Reply};
use crate::model::guard::Guard;
use crate::model::labels::Text;
use crate::model::slo::Slo;
use crate::model::source::SourceId;
use crate::runtime::headless::{self, HeadlessContext};
use crate::runtime::{App, ContextHandle, ContextOpener, GatedSources, Journal, RuntimeError, wait_for, who};

use super::args::{DemoFlags, SnapshotSubject};
use super::config::ConfigLocation;
use super::user_assets::UserAssets;
use super::view::{WorldView, is_settled};

/// The stopped clock of lists and snapshots of the demo world with `--at`: 2026-01-15 02:52 UTC, a night on call.
const DEMO_NIGHT: i64 = 1_768_445_520;
/// Time beyond that of one request until a round of questions is given up, for questions that wait for a free slot.
const GRACE: Duration = Duration::from_secs(3);

/// Why a session cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No source of the context has the kind of data that the verb needs.
    #[error("no source of the context {context} has {what}: {advice}")]
    NoSuchData { context: String, what: &'static str, advice: String },
    /// Errors in the user's own packs, themes or keys, one line for each.
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

/// The arguments of [`Session::open`].
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) subject: &'a SnapshotSubject,
    /// `--config` or `BURNWATCH_CONFIG`.
    pub(super) config: Option<&'a Path>,
    pub(super) paths: Option<&'a Paths>,
    pub(super) overrides: &'a Overrides,
    /// Whether the demo world's clock may be stopped at the minute of `--at`, as lists and snapshots do.
    pub(super) may_stop_clock: bool,
}

impl Session {
    /// Opens the demo world, or the context that the command line or the configuration chooses.
    pub(super) fn open(request: Request<'_>) -> Result<Self, SessionError> {
        let Request { subject, config, paths, overrides, may_stop_clock } = request;
        let own = UserAssets::read(paths);
        let settings = own
            .with_known_names(|known| ConfigLocation { asked: config, paths, overrides, known }.load())?
            .settings;
        // without a pack of the user, data would be wrong or missing without a hint
        if !own.asset_errors.is_empty() {
            return Err(SessionError::Own(own.asset_errors.join("\n")));
        }
        let keys = KeyMap::new(&settings.ui.keys).map_err(|errors| {
            let lines = errors.iter().map(|error| format!("[ui.keys]: {error}"));
            SessionError::Own(lines.collect::<Vec<_>>().join("\n"))
        })?;
        let labels = |packs: &[Pack]| {
            let all =
                packs::labels_of_proxies(packs).filter(|label| !settings.services.labels.contains(label));
            all.cloned().collect()
        };
        let labels_of_proxies = labels(&packs::chosen(&own.packs, &settings.services.packs));
        let active = match subject {
            SnapshotSubject::Demo { flags, read_only, dry_run } => {
                let read_only = read_only.then(|| "--read-only".into());
                let guard = Guard { read_only, dry_run: *dry_run, ..Guard::default() };
                SourceChoice { guard, ..demo_world(&settings, *flags, may_stop_clock) }
            }
            SnapshotSubject::Sources(wanted) => real_world(&settings, wanted, own.packs)?,
        };
        let journal = journal(paths, matches!(subject, SnapshotSubject::Demo { .. }));
        Ok(Self { settings, active, journal, themes: own.themes, keys, labels_of_proxies })
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
        let mut state = self.gather(needs)?;
        let is_of_a_proxy =
            |alert: &Alert| self.labels_of_proxies.iter().any(|label| alert.labels.get(label).is_some());
        if needs.contains(&AskKind::Services) || !state.shared.world.alerts().iter().any(|a| is_of_a_proxy(a))
        {
            return Ok(state);
        }
        let reported = self.gather(&[AskKind::Services])?;
        for (source, cache) in reported.shared.world.sources() {
            let Some(snapshot) = cache.services().value() else { continue };
            let ask = Query::Services.now();
            let question = Question { context: 0, source: source.clone(), ask, known: None };
            let reply = Reply::free(Answer::Services(snapshot.clone()));
            state.shared.world.apply(&question, Ok(reply), self.active.clock.now());
        }
        Ok(state)
    }

    /// Runs the screen's state without a terminal until every source has answered or refused these questions.
    fn gather(&self, needs: &[AskKind]) -> Result<State, SessionError> {
        let mut state = State::new(self.setup((0, 0), Colours::None, Charset::Ascii));
        // the screen Sources asks only the questions of every screen, and no trends
        state.reset_to(Screen::Sources);
        let mut asking = AskingState { state, needs };
        let is_told = |asking: &AskingState<'_>| {
            is_settled(&asking.state.shared.world, &asking.state.shared.sources, needs)
        };
        let (sources, clock, deadline) = (&self.active.sources, self.active.clock, self.deadline());
        // a missing answer is reported by the list
        let _in_time = wait_for(headless::gather(&mut asking, sources, clock, is_told, deadline))?;
        Ok(asking.state)
    }

    /// Runs the screen's state at `place` without a terminal until every source has answered or refused its questions.
    pub(super) fn look(&self, place: Screen) -> Result<State, SessionError> {
        let mut state = State::new(self.setup((0, 0), Colours::None, Charset::Ascii));
        state.reset_to(place);
        let (sources, clock, deadline) = (&self.active.sources, self.active.clock, self.deadline());
        let is_told = |state: &State| readiness::is_settled(state, clock.now());
        // a missing answer is reported as a gap
        let _in_time = wait_for(headless::gather(&mut state, sources, clock, is_told, deadline))?;
        Ok(state)
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

    /// The context in which actions are run.
    pub(super) fn ground(&self) -> HeadlessContext<'_> {
        let SourceChoice { context, sources, guard, clock, .. } = &self.active;
        HeadlessContext { context, sources, guard, journal: &self.journal, clock: *clock }
    }

    /// How long a round of questions may take before missing answers are given up.
    pub(super) fn deadline(&self) -> Duration {
        let limits = &self.settings.limits;
        limits.connect_timeout.0 + limits.timeout.0 + GRACE
    }

    /// The initial state of the screen, for a terminal of this size with these colours and characters.
    pub(super) fn setup(&self, size: (u16, u16), colours: Colours, charset: Charset) -> Shared {
        let ui = &self.settings.ui;
        let zone = if ui.utc { TimeZone::UTC } else { TimeZone::system() };
        let charset = if ui.ascii { Charset::Ascii } else { charset };
        let active = &self.active;
        let look = DisplaySettings::new(self.themes.clone(), ui.theme.as_deref(), colours, charset, zone);
        let mut shared = Shared::new(&active.context, active.sources.infos(), look, size);
        shared.world.health_policy = self.settings.health_policy();
        Shared {
            contexts: active.contexts.iter().map(|name| name.as_str().into()).collect(),
            kinds: &backend::KINDS,
            guard: active.guard.clone(),
            production: active.production,
            person: Text::clone(self.journal.who()),
            findings: active.findings.clone(),
            interval: self.settings.limits.interval.0,
            alarm: Alarm::new(self.settings.notify.notify_policy()),
            keys: self.keys.clone(),
            ..shared
        }
    }
}

/// The screen's state, of which only the questions in `needs` are sent, so that other questions do not delay them at a slow
/// server.
struct AskingState<'a> {
    state: State,
    needs: &'a [AskKind],
}

impl App for AskingState<'_> {
    fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.state.update(event, now);
        let is_asked = |question: &Question| self.needs.contains(&question.ask.kind());
        effects.retain(|effect| !matches!(effect, Effect::Fetch(question) if !is_asked(question)));
        effects
    }

    fn render(&self, now: Timestamp, buf: &mut Buffer) {
        self.state.render(now, buf);
    }

    fn version(&self) -> u64 {
        self.state.version()
    }
}

/// The journal of this machine; the demo world has a journal of its own.
pub(super) fn journal(paths: Option<&Paths>, is_demo: bool) -> Journal {
    let path = paths.map(|paths| if is_demo { paths.demo_journal() } else { paths.journal() });
    Journal::new(path, &who(|name| std::env::var(name).ok()), Clock::real().now())
}

/// The simulated sources of the demo world.
fn demo_world(settings: &Settings, flags: DemoFlags, may_stop_clock: bool) -> SourceChoice {
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
        guard: Guard::default(),
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
