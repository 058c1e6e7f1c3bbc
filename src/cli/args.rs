//! The command line as `clap` reads it: verbs, flags, environment variables and their help texts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::backend;
use crate::config::context::ContextChoice;
use crate::config::load::Overrides;
use crate::model::trace::TraceId;
use crate::model::why::WhySignal;
pub(super) use acting::{
    ActVerb, JournalFlags, NewSilence, SilenceArgs, SilenceFlags, SilenceSpan, SilenceVerb, Words,
};
pub(super) use changes::{ChangesArgs, ListenArgs};
use codes::{CHECK, CONFIG, DOCTOR, LISTING, SNAPSHOT};
pub(super) use config::ConfigVerb;
pub(super) use discover::{DiscoverArgs, DiscoveryKind};
pub(super) use logs::LogsArgs;
pub(super) use query::QueryArgs;
pub(super) use slo::{SloVerb, Validate, ValidateFormat, WriteArgs};
pub(super) use snapshot::{Picture, SnapshotArgs};
use sources::SourceFlags;
pub(super) use values::{ALL_CONTEXTS, ALL_SOURCES, USER_THEMES, WhySubjectName};
use values::{CONTEXTS, LabelValue, THEMES, label, minute, named_value, signal, speed, switch, trace_id};

mod acting;
mod changes;
mod codes;
mod config;
mod discover;
mod logs;
mod query;
mod slo;
mod snapshot;
mod sources;
mod values;

const AFTER_HELP: &str = "\
Without a verb the screen opens. `burnwatch demo` opens it with simulated
sources and needs no network.

Exit codes:
  0  success
  1  doctor: a source failed; any verb: the output could not be written
  2  wrong usage or configuration: no source of the context has the data that
     the verb needs, or there is no terminal for the screen
  3  incomplete: a source failed; the data of the other sources are printed
  101  burnwatch crashed (a bug); the report is in the log file
Verbs that change something (ack, silence, ...) exit with 1 if an action was
refused or its result is unknown, and with 2 if it was not confirmed or not
allowed. `burnwatch check` exits as monitoring plug-ins do: 0 OK, 1 warning
(ticket, exhausted, degraded), 2 critical (page, down, critical), 3 unknown.
The help of each verb lists its exit codes.

Order of precedence: flags, environment, configuration file, defaults.
`burnwatch config init` prints a configuration file to start from.

Environment: BURNWATCH_CONFIG, BURNWATCH_CONTEXT, BURNWATCH_THEME,
BURNWATCH_READ_ONLY, BURNWATCH_UTC (true or false), BURNWATCH_LOG (off, error,
warn, info, debug), NO_COLOR";

/// The on-call engineer's terminal: service health, alerts and their causes.
#[derive(Debug, Parser)]
#[command(name = "burnwatch", version = env!("BURNWATCH_VERSION"), after_help = AFTER_HELP)]
#[command(disable_help_subcommand = true, mut_args(shared_by_all))]
pub(super) struct CommandLine {
    #[command(flatten)]
    pub(super) flags: Flags,
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

/// The flags of every verb.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(super) struct Flags {
    #[command(flatten)]
    sources: SourceFlags,
    /// A file or folder with SLO definitions; can be repeated
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Sources")]
    slo: Vec<String>,
    /// A Grafana dashboard's JSON file, or a folder of them; can be repeated
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath, help_heading = "Sources")]
    dashboard: Vec<String>,
    /// The context of the configuration to look at
    #[arg(long, value_name = "NAME", value_parser = CONTEXTS, env = "BURNWATCH_CONTEXT", help_heading = "Sources")]
    context: Option<String>,
    /// The configuration file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, env = "BURNWATCH_CONFIG", help_heading = "Sources")]
    pub(super) config: Option<PathBuf>,
    /// Disable all actions that change external systems
    #[arg(long, action = ArgAction::SetTrue, value_parser = switch, env = "BURNWATCH_READ_ONLY")]
    read_only: bool,
    /// Show the requests of actions without sending them
    #[arg(long)]
    dry_run: bool,
    /// Show times in UTC
    #[arg(long, action = ArgAction::SetTrue, value_parser = switch, env = "BURNWATCH_UTC")]
    utc: bool,
    /// The theme: dark, light, high-contrast, colour-blind, terminal, or own
    #[arg(long, value_name = "NAME", value_parser = THEMES, env = "BURNWATCH_THEME")]
    theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    ascii: bool,
    /// Reduce output on slow connections (detected automatically)
    #[arg(long)]
    low_bandwidth: bool,
    /// Use the demo world instead of real sources
    #[arg(long, help_heading = "Demo world")]
    demo: bool,
    #[command(flatten)]
    world: DemoFlags,
}

/// The properties of a flag of every verb. Its environment variable and its possible values are listed elsewhere in the help.
fn shared_by_all(flag: Arg) -> Arg {
    let takes_value = flag.get_action().takes_values();
    flag.global(true).hide_env(true).hide_possible_values(takes_value)
}

/// Which demo world to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Args)]
pub(super) struct DemoFlags {
    /// Seed of the demo world [default: 1]
    #[arg(long, value_name = "N", help_heading = "Demo world")]
    pub(super) seed: Option<u64>,
    /// Speed of its clock [default: 1]
    #[arg(long, value_name = "X", value_parser = speed, help_heading = "Demo world")]
    pub(super) speed: Option<f64>,
    /// Minute of its scenario to start at; lists and snapshots stay at it
    #[arg(long, value_name = "MINUTE", value_parser = minute, help_heading = "Demo world")]
    pub(super) at: Option<f64>,
}

impl CommandLine {
    /// The demo world, if the command line asks for it instead of real sources.
    ///
    /// # Errors
    /// The message for flags that contradict each other.
    pub(super) fn demo(&self) -> Result<Option<DemoFlags>, String> {
        let Flags { demo, sources, world, .. } = &self.flags;
        let is_demo = *demo || matches!(self.verb, Some(Verb::Demo));
        if is_demo && sources.are_given() {
            let names = sources.names().join(" and ");
            return Err(format!("the demo world has no real sources; leave out {names}"));
        }
        if !is_demo && *world != (DemoFlags { seed: None, speed: None, at: None }) {
            return Err("--seed, --speed and --at are for the demo world only; add --demo".into());
        }
        Ok(is_demo.then_some(*world))
    }

    /// The flags that select a context and restrict its actions.
    pub(super) fn choice(&self) -> ContextChoice {
        let Flags { sources, context, read_only, dry_run, dashboard, .. } = &self.flags;
        let dashboards: Vec<String> = dashboard.iter().filter(|path| !path.is_empty()).cloned().collect();
        ContextChoice {
            files: (!dashboards.is_empty()).then(|| (backend::kind("dashboards"), dashboards)),
            context: context.clone().filter(|name| !name.is_empty()),
            sources: sources.0.clone(),
            read_only: *read_only,
            dry_run: *dry_run,
        }
    }

    /// Whether the command line chooses the sources: `--demo`, or an address such as `--prometheus URL`.
    pub(super) fn names_sources(&self) -> bool {
        self.flags.demo || self.flags.sources.are_given()
    }

    /// The options that override the configuration file.
    pub(super) fn overrides(&self) -> Overrides {
        let theme = self.flags.theme.clone().filter(|name| !name.is_empty());
        let slo_files = self.flags.slo.iter().filter(|path| !path.is_empty()).cloned().collect();
        let Flags { utc, ascii, low_bandwidth, .. } = self.flags;
        Overrides { theme, utc, ascii, low_bandwidth, slo_files }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Open the demo world: no network, no configuration
    Demo,
    /// A summary of everything, on one page
    #[command(after_help = LISTING)]
    Status(ListingArgs),
    /// All services, worst first
    #[command(after_help = LISTING)]
    Services(ListingArgs),
    /// All SLOs with budget and burn, worst first
    #[command(after_help = LISTING)]
    Slos(ListingArgs),
    /// Check SLOs and services as a monitoring plug-in does
    #[command(after_help = CHECK)]
    Check {
        /// Only these SLOs and services; default: all
        #[arg(value_name = "SLO|SERVICE")]
        names: Vec<String>,
    },
    /// SLO definitions: check and convert them
    Slo {
        #[command(subcommand)]
        verb: SloVerb,
    },
    /// Alerts that are firing or pending
    #[command(after_help = LISTING)]
    Alerts(AlertsArgs),
    /// Open incidents, the most urgent first
    #[command(after_help = LISTING)]
    Incidents(AlertsArgs),
    /// Who is on call now and next, at each level of each policy
    #[command(after_help = LISTING)]
    Oncall(ListingArgs),
    /// Why a service is unhealthy: labels, changes, dependencies
    #[command(after_help = LISTING)]
    Why(WhyArgs),
    /// Statistics: pages, MTTD, MTTA, MTTR, MTBF, deployments
    #[command(after_help = LISTING)]
    Stats(StatsArgs),
    /// What changed: deployments, restarts, configuration, flags
    #[command(after_help = LISTING)]
    Changes(ChangesArgs),
    /// Receive webhooks about changes, and append them to a file
    #[command(after_help = changes::LISTEN)]
    Listen(ListenArgs),
    /// The handoff of a shift, in Markdown
    #[command(after_help = LISTING)]
    Handoff {
        /// How long ago the shift began
        #[arg(long, value_name = "DURATION", default_value = "12h", value_parser = acting::length)]
        since: Duration,
    },
    /// One trace: where its time goes, where a failure began
    #[command(after_help = LISTING)]
    Trace {
        /// Its id, in hexadecimal digits, or a whole traceparent header
        #[arg(value_name = "ID", value_parser = trace_id)]
        id: TraceId,
        #[command(flatten)]
        listing: ListingArgs,
    },
    /// The failed and the slowest traces of a service
    #[command(after_help = LISTING)]
    Traces(TracesArgs),
    /// All dashboards, or the values of the panels of one
    #[command(after_help = LISTING)]
    Dashboards(DashboardsArgs),
    /// A draft review of an incident, an alert or a service
    #[command(after_help = LISTING)]
    Postmortem(PostmortemArgs),
    /// Log lines of a service or an alert, and what is new in them
    #[command(after_help = LISTING)]
    Logs(LogsArgs),
    /// Active and pending silences
    #[command(after_help = LISTING)]
    Silences {
        #[command(flatten)]
        listing: ListingArgs,
        /// Also expired silences
        #[arg(long)]
        all: bool,
    },
    /// Resources by the time until they are full, and deadlines
    #[command(after_help = LISTING)]
    Capacity(CapacityArgs),
    /// Evaluate a query (PromQL, LogQL, LogsQL), or check one
    #[command(after_help = codes::QUERY)]
    Query(QueryArgs),
    #[command(flatten)]
    Act(ActVerb),
    /// Actions taken on external systems: by whom, and their results
    #[command(after_help = codes::JOURNAL)]
    Journal(JournalFlags),
    /// The sources and their state
    #[command(after_help = LISTING)]
    Sources(ListingArgs),
    /// List the data sources of a Grafana, and add sources for them
    #[command(after_help = discover::DISCOVER)]
    Discover(DiscoverArgs),
    /// Print a snapshot of a screen
    #[command(after_help = SNAPSHOT)]
    Snapshot(SnapshotArgs),
    /// Check each source: features, errors and how to fix them
    #[command(after_help = DOCTOR)]
    Doctor(ListingArgs),
    /// The configuration file
    #[command(after_help = CONFIG)]
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write that of each verb
    #[command(hide = true)]
    Man {
        /// An existing folder for burnwatch.1, burnwatch-alerts.1, ...
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Print names from the configuration, for completions
    #[command(hide = true)]
    Names {
        what: CompletionNames,
        /// The command line to complete
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        line: Vec<OsString>,
    },
}

/// The kinds of names that completion scripts ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CompletionNames {
    Contexts,
    Sources,
    /// Only the user's own themes, not the built-in ones.
    Themes,
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct ListingArgs {
    /// table, json or markdown
    #[arg(
        long,
        short,
        value_enum,
        default_value_t = Format::Table,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub(super) output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
    Markdown,
}

#[derive(Debug, Args)]
pub(super) struct AlertsArgs {
    /// Words and matchers: checkout severity="critical" 'team!~"db|web"'
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Also resolved, silenced and inhibited ones
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(super) struct PostmortemArgs {
    /// Number or id of an incident, the name of a firing alert, or a service
    #[arg(value_name = "INCIDENT|ALERT|SERVICE")]
    pub(super) subject: String,
    /// How long ago the trouble began; default: since its first alert fires
    #[arg(long, value_name = "DURATION", value_parser = acting::length)]
    pub(super) since: Option<Duration>,
    /// How long ago it ended; default: it lasts
    #[arg(long, value_name = "DURATION", value_parser = acting::length, requires = "since")]
    pub(super) until: Option<Duration>,
}

#[derive(Debug, Args)]
pub(super) struct TracesArgs {
    /// The name of the service
    #[arg(value_name = "SERVICE")]
    pub(super) service: String,
    /// Traces that began within this time
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = acting::length)]
    pub(super) since: Duration,
    /// Only traces in which this service failed
    #[arg(long)]
    pub(super) failed: bool,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(super) struct DashboardsArgs {
    /// The uid of a dashboard, its title or a part of that; default: list all
    #[arg(value_name = "UID|TITLE")]
    pub(super) dashboard: Option<String>,
    /// A value of a variable of the dashboard; can be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = named_value, requires = "dashboard")]
    pub(super) var: Vec<(String, String)>,
    /// Only the panel with this id
    #[arg(long, value_name = "ID", requires = "dashboard")]
    pub(super) panel: Option<u32>,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// A service or a firing alert, with labels if needed: High{zone="a"}
    #[arg(value_name = "SERVICE|ALERT")]
    pub(super) subject: WhySubjectName,
    /// Only this signal: targets, errors, latency, traffic or saturation
    #[arg(long, value_name = "SIGNAL", value_parser = signal)]
    pub(super) signal: Option<WhySignal>,
    /// Only requests with this label; can be repeated
    #[arg(long, value_name = "LABEL=VALUE", value_parser = label)]
    pub(super) only: Vec<LabelValue>,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Args)]
pub(super) struct CapacityArgs {
    /// Words, matchers and bounds: disk service="ledger" used>0.9 left<7d
    #[arg(value_name = "FILTER")]
    pub(super) filter: Vec<String>,
    /// Only what is full or over within this time
    #[arg(long, value_name = "DURATION", value_parser = acting::length)]
    pub(super) within: Option<Duration>,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct StatsArgs {
    /// Group by service, team or all
    #[arg(long, value_enum, default_value_t = StatsGrouping::Service, value_name = "WHAT")]
    pub(super) by: StatsGrouping,
    /// Incidents that began within this time; sources keep about a week
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = acting::length)]
    pub(super) since: Duration,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum StatsGrouping {
    Service,
    Team,
    All,
}

#[cfg(test)]
mod tests;
