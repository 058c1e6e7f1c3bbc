//! From what was asked for on the command line to sources that can be asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;

use crate::app::commands::KeyMap;
use crate::app::event::{Effect, Event};
use crate::app::look::Look;
use crate::app::look::{Charset, Colours};
use crate::app::place::Place as Screen;
use crate::app::readiness;
use crate::app::shared::InitialState;
use crate::app::state::State;
use crate::app::theme::Theme;
use crate::backend::packs::{self, Pack};
use crate::backend::{self, Clock, SourceDeps, Transport, demo};
use crate::config::Paths;
use crate::config::context::{self, Context, ContextChoice};
use crate::config::definitions::{self, Definitions, Finding, Level};
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

/// The moment at which pictures of the demo world are taken: a night on call.
const DEMO_NIGHT: i64 = 1_768_445_520;
/// What gathering may take beyond one whole answer: a queue before the source, a second of ticking.
const GRACE: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// No source of the context can tell what a verb is about.
    #[error("no source of the context {context} can tell {what}: {advice}")]
    NoSuchData { context: String, what: &'static str, advice: String },
    /// Own packs, themes or keys that cannot be used; one line for each.
    #[error("{0}")]
    Own(String),
}

/// Everything that a verb needs to ask and to show.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) active: SourceChoice,
    pub(super) journal: Journal,
    themes: Vec<Theme>,
    keys: KeyMap,
    /// Labels by which packs name services, and that are no service labels.
    labels_of_proxies: Vec<String>,
}

pub(super) struct SourceChoice {
    pub(super) context: String,
    contexts: Vec<String>,
    pub(super) sources: GatedSources,
    pub(super) guard: Guard,
    production: bool,
    pub(super) clock: Clock,
    /// How to enter another context, where there are others.
    pub(super) context_opener: Option<ContextOpener>,
    /// What is wrong with the files that define SLOs.
    pub(super) findings: Vec<Finding>,
}

#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) subject: &'a SnapshotSubject,
    /// `--config` or `BURNWATCH_CONFIG`.
    pub(super) config: Option<&'a Path>,
    pub(super) paths: Option<&'a Paths>,
    pub(super) overrides: &'a Overrides,
    /// Whether the demo world may stand still, as it does for pictures of one minute.
    pub(super) may_stop_clock: bool,
}

impl Session {
    /// Of the demo world, or of the context that is meant.
    pub(super) fn open(request: Request<'_>) -> Result<Self, SessionError> {
        let Request { subject, config, paths, overrides, may_stop_clock } = request;
        let own = UserAssets::read(paths);
        let settings = own
            .with_known_names(|known| ConfigLocation { asked: config, paths, overrides, known }.load())?
            .settings;
        // data that are wrong or missing because of a pack would be a lie
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

    /// Whether any source can tell what a verb is about: where none can, there is nothing to wait for, and that nothing is listed
    /// would prove nothing.
    pub(super) fn require_source_of(&self, about: &[AskKind]) -> Result<(), SessionError> {
        let Some(first) = about.first() else { return Ok(()) };
        let infos = self.active.sources.infos();
        if infos.iter().any(|source| about.iter().any(|kind| source.answers.contains(kind))) {
            return Ok(());
        }
        let kinds = about.iter().flat_map(|ask| kind::kinds_answering(&backend::KINDS, *ask));
        let kinds: Vec<&str> = kinds.map(|kind| kind.name).collect();
        let advice = if infos.iter().any(|source| kinds.contains(&source.kind.name())) {
            "set slo.discover = true, or name definitions by --slo FILE or [slo] files".to_owned()
        } else {
            format!("that takes one of kind {} in the configuration", kinds.join(" or "))
        };
        Err(SessionError::NoSuchData { context: self.active.context.clone(), what: first.word(), advice })
    }

    /// Asks for all that a list is made from.
    ///
    /// Which service an alert of a proxy is about is known from what its source tells of services alone: where there is such an
    /// alert they are asked for, too, and that they do not come is no gap.
    pub(super) fn ask(&self, needs: &[AskKind]) -> Result<State, SessionError> {
        let mut state = self.gather(needs)?;
        let is_of_a_proxy =
            |alert: &Alert| self.labels_of_proxies.iter().any(|label| alert.labels.get(label).is_some());
        if needs.contains(&AskKind::Services) || !state.shared.world.alerts().iter().any(|a| is_of_a_proxy(a))
        {
            return Ok(state);
        }
        let told = self.gather(&[AskKind::Services])?;
        for (source, cache) in told.shared.world.sources() {
            let Some(board) = cache.services().value() else { continue };
            let ask = Query::Services.now();
            let question = Question { context: 0, source: source.clone(), ask, known: None };
            let reply = Reply::free(Answer::Services(board.clone()));
            state.shared.world.apply(&question, Ok(reply), self.active.clock.now());
        }
        Ok(state)
    }

    /// Lets the screen's own state ask, and waits until all of this is told or refused.
    fn gather(&self, needs: &[AskKind]) -> Result<State, SessionError> {
        let mut state = State::new(self.setup((0, 0), Colours::None, Charset::Ascii));
        // there only what every list may need is asked for, no trends
        state.reset_to(Screen::Sources);
        let mut asking = AskingState { state, needs };
        let is_told = |asking: &AskingState<'_>| {
            is_settled(&asking.state.shared.world, &asking.state.shared.sources, needs)
        };
        let (sources, clock, deadline) = (&self.active.sources, self.active.clock, self.deadline());
        // whether all came in time, each list says by itself
        let _in_time = wait_for(headless::gather(&mut asking, sources, clock, is_told, deadline))?;
        Ok(asking.state)
    }

    /// Lets the screen's own state stand at a place, and waits until all that it asks for there is told or refused.
    pub(super) fn look(&self, place: Screen) -> Result<State, SessionError> {
        let mut state = State::new(self.setup((0, 0), Colours::None, Charset::Ascii));
        state.reset_to(place);
        let (sources, clock, deadline) = (&self.active.sources, self.active.clock, self.deadline());
        let is_told = |state: &State| readiness::is_settled(state, clock.now());
        // what did not come in time is a gap
        let _in_time = wait_for(headless::gather(&mut state, sources, clock, is_told, deadline))?;
        Ok(state)
    }

    /// What was told, now.
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

    /// Where something is done.
    pub(super) fn ground(&self) -> HeadlessContext<'_> {
        let SourceChoice { context, sources, guard, clock, .. } = &self.active;
        HeadlessContext { context, sources, guard, journal: &self.journal, clock: *clock }
    }

    /// How long a whole round of questions may take.
    pub(super) fn deadline(&self) -> Duration {
        let limits = &self.settings.limits;
        limits.connect_timeout.0 + limits.timeout.0 + GRACE
    }

    /// What the screen starts from, on a terminal that can do so much.
    pub(super) fn setup(&self, size: (u16, u16), colours: Colours, charset: Charset) -> InitialState {
        let ui = &self.settings.ui;
        let zone = if ui.utc { TimeZone::UTC } else { TimeZone::system() };
        let charset = if ui.ascii { Charset::Ascii } else { charset };
        let active = &self.active;
        InitialState {
            context: active.context.as_str().into(),
            contexts: active.contexts.iter().map(|name| name.as_str().into()).collect(),
            sources: active.sources.infos(),
            kinds: &backend::KINDS,
            guard: active.guard.clone(),
            production: active.production,
            person: Text::clone(self.journal.who()),
            health_policy: self.settings.health_policy(),
            findings: active.findings.clone(),
            interval: self.settings.limits.interval.0,
            notify_policy: self.settings.notify.notify_policy(),
            look: Look::new(self.themes.clone(), ui.theme.as_deref(), colours, charset, zone),
            keys: self.keys.clone(),
            size,
        }
    }
}

/// The screen's own state, of whose questions only those go out that are needed: a server that has little room is not kept
/// from answering them.
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

/// The journal of this machine; what is played in the demo world has one of its own.
pub(super) fn journal(paths: Option<&Paths>, is_demo: bool) -> Journal {
    let path = paths.map(|paths| if is_demo { paths.demo_journal() } else { paths.journal() });
    Journal::new(path, &who(|name| std::env::var(name).ok()), Clock::real().now())
}

fn demo_world(settings: &Settings, flags: DemoFlags, may_stop_clock: bool) -> SourceChoice {
    // a picture of a minute of the story is the same whenever it is taken
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
        findings: findings.into_iter().filter(|finding| finding.level > Level::Note).collect(),
    })
}

/// The SLOs of the files that the configuration names.
pub(super) fn defined(settings: &Settings) -> Definitions {
    let paths: Vec<PathBuf> = settings.slo.files.iter().map(PathBuf::from).collect();
    definitions::load(&paths, settings.slo.window.0)
}

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
