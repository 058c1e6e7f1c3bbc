//! From what was asked for on the command line to sources that can be asked.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::app::state::Setup;
use crate::backend::packs::{Pack, chosen};
use crate::backend::{self, Means, Source, demo};
use crate::config::Known;
use crate::config::Paths;
use crate::config::context::{self, Context, Wanted};
use crate::config::load::{ConfigError, Overrides};
use crate::config::settings::Settings;
use crate::model::ask::AskKind;
use crate::model::source::SourceError;
use crate::runtime::{Clock, Contexts, Entrance, RuntimeError, Sources, headless, wait_for};

use super::args::{DemoFlags, Subject};
use super::config::Place;
use super::inquiry::Inquiry;
use super::view::View;

/// The moment at which pictures of the demo world are taken: a night on call.
const DEMO_NIGHT: i64 = 1_768_445_520;
/// What gathering may take beyond one whole answer: a queue before the source, a second of ticking.
const GRACE: Duration = Duration::from_secs(3);

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error("{0}")]
    Packs(String),
}

/// Everything that a verb needs to ask.
pub(super) struct Session {
    pub(super) settings: Settings,
    pub(super) context: String,
    contexts: Vec<String>,
    pub(super) sources: Sources,
    read_only: bool,
    production: bool,
    pub(super) clock: Clock,
    /// How to enter another context, where there are others.
    pub(super) entrances: Option<Contexts>,
}

impl Session {
    /// Of the demo world, or of the context that is meant.
    pub(super) fn open(
        subject: &Subject,
        config: Option<&Path>,
        paths: Option<&Paths>,
        overrides: &Overrides,
    ) -> Result<Self, SessionError> {
        let packs = paths.map_or_else(|| Ok(Vec::new()), |paths| own_packs(&paths.packs))?;
        let names: Vec<String> = chosen(&packs, &[]).into_iter().map(|pack| pack.name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let known = Known { packs: &names, ..Known::default() };
        let settings = Place { asked: config, paths, overrides, known: &known }.load()?.settings;
        match subject {
            Subject::Demo(flags) => Ok(Self::demo(settings, *flags)),
            Subject::Sources(wanted) => Self::real(settings, wanted, packs),
        }
    }

    fn demo(settings: Settings, flags: DemoFlags) -> Self {
        // a picture of a minute of the story is the same whenever it is taken
        let clock = match flags.at {
            Some(_) => Timestamp::from_second(DEMO_NIGHT).map_or(Clock::real(), Clock::fixed),
            None => Clock::real(),
        };
        Self::demo_by(settings, flags, clock)
    }

    fn demo_by(settings: Settings, flags: DemoFlags, clock: Clock) -> Self {
        let speed = flags.speed.unwrap_or(1.0);
        let origin = demo::origin(clock.now(), flags.at.unwrap_or(0.0), speed);
        let now: demo::Now = Arc::new(move || clock.now());
        let list = demo::sources(flags.seed.unwrap_or(1), &now, origin, speed);
        Self {
            sources: Sources::new(list, settings.limits),
            settings,
            context: "demo".to_owned(),
            contexts: vec!["demo".to_owned()],
            read_only: false,
            production: false,
            clock,
            entrances: None,
        }
    }

    /// The same, with a clock that runs even where the story begins at a minute of its own.
    pub(super) fn on_screen(self, subject: &Subject) -> Self {
        match subject {
            Subject::Demo(flags) => Self::demo_by(self.settings, *flags, Clock::real()),
            Subject::Sources(_) => self,
        }
    }

    fn real(settings: Settings, wanted: &Wanted, packs: Vec<Pack>) -> Result<Self, SessionError> {
        let context = context::resolve(&settings, wanted)?;
        let sources = connect(&context, &settings, &packs)?;
        let entrances: Contexts = {
            let (settings, wanted) = (settings.clone(), wanted.clone());
            Arc::new(move |name| {
                let context = context::enter(&settings, &wanted, name)?;
                let sources = connect(&context, &settings, &packs)?;
                Ok(Entrance { sources, read_only: context.read_only, production: context.production })
            })
        };
        Ok(Self {
            contexts: context::names(&settings, wanted),
            sources,
            settings,
            context: context.name,
            read_only: context.read_only,
            production: context.production,
            clock: Clock::real(),
            entrances: Some(entrances),
        })
    }

    /// Asks for what a list is made from, and waits until all of it is told or refused.
    pub(super) fn ask(&self, needs: &'static [AskKind]) -> Result<Inquiry, SessionError> {
        let mut inquiry = Inquiry::new(self.sources.infos(), needs, self.settings.judgement());
        let (sources, clock, deadline) = (&self.sources, self.clock, self.deadline());
        // whether all came in time, each list says by itself
        let _in_time =
            wait_for(headless::gather(&mut inquiry, sources, clock, Inquiry::is_settled, deadline))?;
        Ok(inquiry)
    }

    /// What was told, now.
    pub(super) fn view<'a>(&'a self, inquiry: &'a Inquiry) -> View<'a> {
        View {
            world: &inquiry.world,
            sources: &inquiry.sources,
            context: &self.context,
            now: self.clock.now(),
            limit: self.deadline(),
        }
    }

    /// How long a whole round of questions may take.
    pub(super) fn deadline(&self) -> Duration {
        let limits = &self.settings.limits;
        limits.connect_timeout.0 + limits.timeout.0 + GRACE
    }

    /// What the screen starts from.
    pub(super) fn setup(&self, size: (u16, u16)) -> Setup {
        Setup {
            context: self.context.as_str().into(),
            contexts: self.contexts.iter().map(|name| name.as_str().into()).collect(),
            sources: self.sources.infos(),
            read_only: self.read_only,
            production: self.production,
            judgement: self.settings.judgement(),
            interval: self.settings.limits.interval.0,
            zone: if self.settings.ui.utc { TimeZone::UTC } else { TimeZone::system() },
            size,
        }
    }
}

fn connect(context: &Context, settings: &Settings, packs: &[Pack]) -> Result<Sources, SourceError> {
    let means = Means { settings, packs, now: || Clock::real().now() };
    let list: Result<Vec<Arc<dyn Source>>, SourceError> =
        context.sources.iter().map(|(id, source)| backend::connect(id, source, means)).collect();
    Ok(Sources::new(list?, settings.limits))
}

/// The person's own packs, in the order of their files; a directory that is not there has none.
pub(super) fn own_packs(dir: &Path) -> Result<Vec<Pack>, SessionError> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let (mut packs, mut complaints) = (Vec::new(), Vec::new());
    for path in files {
        let pack = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        match pack.and_then(|text| Pack::parse(&text).map_err(|error| error.to_string())) {
            Ok(pack) => packs.push(pack),
            Err(reason) => complaints.push(format!("{}: {reason}", path.display())),
        }
    }
    if complaints.is_empty() { Ok(packs) } else { Err(SessionError::Packs(complaints.join("\n"))) }
}
