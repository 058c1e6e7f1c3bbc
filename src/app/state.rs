//! Everything that is known and everything that the person is doing; only `update` changes it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::alarm::Alarm;
use super::chronicle::Chronicle;
use super::commands::{Command, KeyMap};
use super::confirm::{Confirm, Wait};
use super::doings::Doings;
use super::due::Polls;
use super::event::Link;
use super::form::Form;
use super::line::Line;
use super::list::List;
use super::look::{Charset, Colours, Cx};
use super::menu::Menu;
use super::message::Messages;
use super::palette::Palette;
use super::place::{Place, Stop};
use super::range::Range;
use super::screens::alerts::Alerts;
use super::screens::incident::AlertRow;
use super::screens::incidents::{IncidentKey, Incidents};
use super::screens::oncall::OnCall;
use super::screens::overview::Overview;
use super::screens::paper::Written;
use super::screens::runbook;
use super::screens::service::PartKey;
use super::screens::services::Services;
use super::screens::silences::Silences;
use super::screens::slo::Open;
use super::screens::slos::{SloKey, Slos};
use super::screens::sources::Sources;
use super::screens::timeline::Timeline;
use super::theme::Theme;
use crate::config::definitions::Finding;
use crate::config::kind::KindSpec;
use crate::config::settings::LimitSettings;
use crate::model::fingerprint::Fingerprint;
use crate::model::guard::Guard;
use crate::model::journal::Record;
use crate::model::labels::Text;
use crate::model::notify::Manners;
use crate::model::source::SourceInfo;
use crate::model::world::{Judgement, World};

/// What a [`State`] starts from.
#[derive(Debug, Clone)]
pub struct Setup {
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
    pub judgement: Judgement,
    /// What is wrong with the files that define SLOs.
    pub findings: Vec<Finding>,
    /// How often services and alerts are asked for.
    pub interval: Duration,
    /// How the person wants to be called.
    pub manners: Manners,
    /// How it looks.
    pub look: Look,
    /// Which key does what.
    pub keys: KeyMap,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
}

impl Setup {
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
            judgement: Judgement::default(),
            findings: Vec::new(),
            interval: LimitSettings::default().interval.0,
            manners: Manners::default(),
            look,
            keys: KeyMap::default(),
            size,
        }
    }
}

/// Over a slow line time goes on in steps of so many seconds.
const SPARING_STEP: i64 = 10;

/// How it looks.
#[derive(Debug, Clone)]
pub struct Look {
    /// All themes, as their files say.
    pub themes: Vec<Theme>,
    /// The one in use.
    pub theme: usize,
    /// The one in use, with no more colours than the terminal has.
    pub shown: Theme,
    /// How many colours the terminal has.
    pub colours: Colours,
    /// Which characters may be drawn with.
    pub charset: Charset,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// How what is drawn reaches the person.
    pub link: Link,
    /// Over a slow line: in which step of time the last tick was.
    step: Option<i64>,
}

impl Look {
    /// Of these themes the one with this name, else the first.
    pub fn new(
        themes: Vec<Theme>,
        name: Option<&str>,
        colours: Colours,
        charset: Charset,
        zone: TimeZone,
    ) -> Self {
        let theme = themes.iter().position(|theme| Some(theme.name()) == name).unwrap_or(0);
        let shown = themes.get(theme).map_or_else(Theme::probe, |theme| theme.reduced(colours));
        Self { themes, theme, shown, colours, charset, zone, link: Link::default(), step: None }
    }

    /// In the theme that gives each role a colour of its own, for whoever reads the cells.
    #[cfg_attr(only_program, expect(dead_code, reason = "tests begin with it"))]
    pub fn probe(colours: Colours, charset: Charset) -> Self {
        Self::new(vec![Theme::probe()], None, colours, charset, TimeZone::UTC)
    }

    /// For a line that is known to be slow: colours with short names, too.
    pub fn spare(&mut self) {
        self.link = Link::Slow;
        if matches!(self.colours, Colours::True | Colours::Indexed) {
            self.colours = Colours::Sixteen;
            self.choose(self.theme);
        }
    }

    /// Whether bytes are dear: coarse trends, no seconds.
    pub fn is_sparing(&self) -> bool {
        self.link == Link::Slow
    }

    /// Whether the time that passed since the last tick is worth a frame: over a slow line only in steps. A frame that is
    /// drawn for whatever reason shows its own moment: what is stale, and who is on call, goes by that.
    pub(super) fn steps(&mut self, now: Timestamp) -> bool {
        let step = self.is_sparing().then(|| now.as_second().div_euclid(SPARING_STEP));
        let before = std::mem::replace(&mut self.step, step);
        step.is_none() || step != before
    }

    /// Takes another theme into use.
    pub fn choose(&mut self, theme: usize) {
        if let Some(chosen) = self.themes.get(theme) {
            (self.theme, self.shown) = (theme, chosen.reduced(self.colours));
        }
    }
}

/// What the keyboard is for at the moment.
#[derive(Debug, Default)]
pub enum Mode {
    /// Moving about.
    #[default]
    Browse,
    /// Typing a filter; what stood there before comes back on Esc.
    Filter {
        /// The line.
        line: Line,
        /// The filter before.
        before: String,
    },
    /// Looking for a command, screen or thing by name.
    Palette(Palette),
    /// Choosing one of several.
    Menu(Menu),
    /// Reading the keys, scrolled down by this many lines.
    Help(u16),
    /// Deciding whether something is to be done.
    Confirm(Box<Confirm>),
    /// Filling in what is to be done.
    Form(Box<Form>),
    /// Reading what was done.
    Results {
        /// How many plans ago.
        back: usize,
        /// By how many lines it is scrolled down.
        top: u16,
    },
}

/// Everything.
#[derive(Debug)]
pub struct State {
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
    pub doings: Doings,
    /// When the person wanted to leave while something was on its way.
    pub leaving: Option<Timestamp>,
    /// By what the world is judged.
    pub judgement: Judgement,
    /// What is wrong with the files that define SLOs.
    pub findings: Vec<Finding>,
    /// How often services and alerts are asked for.
    pub interval: Duration,
    /// Who was called for what.
    pub alarm: Alarm,
    /// What happened.
    pub chronicle: Chronicle,
    /// When what was asked.
    pub polls: Polls,
    /// Where the person went, the present place last; never empty.
    pub places: Vec<Stop>,
    /// The overview.
    pub overview: Overview,
    /// The list of services.
    pub services: Services,
    /// The list of SLOs.
    pub slos: Slos,
    /// The SLO that is open.
    pub slo: Open,
    /// The list of alerts.
    pub alerts: Alerts,
    /// The list of incidents.
    pub incidents: Incidents,
    /// The alerts of the incident that is open.
    pub incident: List<AlertRow>,
    /// Who is on call.
    pub on_call: OnCall,
    /// The list of silences.
    pub silences: Silences,
    /// The list of sources.
    pub source_list: Sources,
    /// The alerts of the service that is open.
    pub service_alerts: List<Fingerprint>,
    /// The SLOs of the service that is open.
    pub service_slos: List<SloKey>,
    /// The open incidents of the service that is open.
    pub service_incidents: List<IncidentKey>,
    /// The targets that are down, signals and hosts of the service that is open.
    pub service_parts: List<PartKey>,
    /// The alerts that share labels with the one that is open.
    pub related: List<Fingerprint>,
    /// What was written for others to read, while it is on the screen.
    pub written: Option<Written>,
    /// The list of what happened.
    pub timeline: Timeline,
    /// The runbook that is open.
    pub runbook: runbook::Open,
    /// The panel that has the keyboard, on screens with several.
    pub panel: usize,
    /// How far a page without a list is scrolled.
    pub scroll: u16,
    /// What the keyboard is for.
    pub mode: Mode,
    /// What burnwatch told.
    pub messages: Messages,
    /// What burnwatch did to the systems outside, here and before, as its journal tells it; oldest first.
    pub records: Vec<Record>,
    /// Whether the journal may tell more than `records`.
    pub(super) is_journal_ahead: bool,
    /// The time range.
    pub range: Range,
    /// Since when everything is held still.
    pub paused: Option<Timestamp>,
    /// How it looks.
    pub look: Look,
    /// Which key does what.
    pub keys: KeyMap,
    /// The terminal's columns and rows.
    pub size: (u16, u16),
    /// When the person last looked at a screen, for marking what came since.
    pub looked: BTreeMap<Command, Timestamp>,
    pub(super) version: u64,
    /// The revision of the world and the place that the lists were last ordered for.
    pub(super) ordered: Option<(u64, Place)>,
}

impl State {
    /// Nothing known yet, nothing done yet.
    pub fn new(setup: Setup) -> Self {
        let ids = setup.sources.iter().map(|source| source.id.clone());
        let world = World::new(ids, setup.judgement.clone());
        let sources: Vec<SourceInfo> = setup.sources.into_iter().filter(SourceInfo::is_watched).collect();
        Self {
            world,
            context: setup.context,
            contexts: setup.contexts,
            epoch: 0,
            source_list: Sources::of(&sources),
            sources,
            kinds: setup.kinds,
            guard: setup.guard,
            production: setup.production,
            person: setup.person,
            doings: Doings::default(),
            leaving: None,
            judgement: setup.judgement,
            findings: setup.findings,
            interval: setup.interval,
            alarm: Alarm::new(setup.manners),
            chronicle: Chronicle::default(),
            polls: Polls::default(),
            places: vec![Place::Overview.into()],
            overview: Overview::default(),
            services: Services::default(),
            slos: Slos::default(),
            slo: Open::default(),
            alerts: Alerts::default(),
            incidents: Incidents::default(),
            incident: List::default(),
            on_call: OnCall::default(),
            silences: Silences::default(),
            service_alerts: List::default(),
            service_slos: List::default(),
            service_incidents: List::default(),
            service_parts: List::default(),
            related: List::default(),
            written: None,
            timeline: Timeline::default(),
            runbook: runbook::Open::default(),
            panel: 0,
            scroll: 0,
            mode: Mode::Browse,
            messages: Messages::default(),
            records: Vec::new(),
            is_journal_ahead: true,
            range: Range::default(),
            paused: None,
            look: setup.look,
            keys: setup.keys,
            size: setup.size,
            looked: BTreeMap::new(),
            version: 0,
            ordered: None,
        }
    }

    /// Counts up whenever a new frame would look different.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What is to be on the terminal for a while before it can be answered, if it is not yet.
    pub fn waits(&self) -> Option<Wait> {
        match &self.mode {
            Mode::Confirm(confirm) => confirm.waits(),
            Mode::Browse
            | Mode::Filter { .. }
            | Mode::Palette(_)
            | Mode::Menu(_)
            | Mode::Form(_)
            | Mode::Results { .. }
            | Mode::Help(_) => None,
        }
    }

    /// Whether a filter is being typed.
    pub fn is_typing(&self) -> bool {
        matches!(self.mode, Mode::Filter { .. })
    }

    /// Where the person is.
    pub fn place(&self) -> &Place {
        self.places.last().map_or(&Place::Overview, |stop| &stop.place)
    }

    /// What is said where data are not there yet.
    pub fn waiting(&self) -> &'static str {
        if self.paused.is_some() { "not asked: everything is held still" } else { "asking..." }
    }

    /// What drawing functions share.
    pub fn cx(&self, now: Timestamp) -> Cx<'_> {
        let Look { shown, charset, zone, .. } = &self.look;
        Cx { theme: shown, charset: *charset, now, zone, sparing: self.look.is_sparing() }
    }
}
