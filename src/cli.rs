//! The command line: the verbs that print (lists, `check`, actions, ...), and the verb that opens the screen.

mod acting;
mod alerts;
mod args;
mod capacity;
mod changes;
mod check;
mod completions;
mod config;
mod dashboards;
mod discover;
mod doctor;
#[cfg(test)]
mod fixtures;
mod incidents;
mod journal;
mod listen;
mod logs;
mod manual;
mod needs;
mod oncall;
mod printer;
mod query;
mod report;
mod report_verbs;
mod services;
mod session;
mod silences;
mod slo;
mod slos;
mod snapshot;
mod sources;
mod stats;
mod status;
mod traces;
mod tui;
mod user_assets;
mod view;
mod why;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::app::place::{Document, Place};
use crate::app::state::State;
use crate::app::statistics;
use crate::backend::Clock;
use crate::config::Paths;
use crate::config::context::ContextChoice;
use crate::config::load::ConfigError;
use crate::config::settings::Settings;
use crate::runtime::RuntimeError;

use args::{CommandLine, DemoFlags, Format, ListingArgs, Verb};
use config::ConfigLocation;
use needs::Needs;
use printer::{ExitOutcome, print, print_as_is, print_error, print_stderr_plain};
use report::{ReportDocument, json, markdown, table};
use session::{Session, SessionError};
use user_assets::UserAssets;
use view::WorldView;

/// Runs the verb of a command line; the first word is the program's own name. Returns the exit code.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<OsString> = words.into_iter().collect();
    let arguments = match CommandLine::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let said = error.render().to_string();
            if !is_check(&words) {
                print_stderr_plain(&said);
                return ExitOutcome::UsageError.into();
            }
            // a monitoring system reads standard output: the first line goes there, the usage text to standard error
            let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
            print_stderr_plain(rest.trim_start_matches('\n'));
            return unknown(first.trim_start_matches("error: ")).into();
        }
        // --help and --version
        Err(reported) => return print(&reported.render().to_string(), ExitOutcome::Fine).into(),
    };
    perform(&arguments).into()
}

/// Whether a command line that cannot be parsed is a `check`: then the exit code must be 3 (unknown), because a monitoring
/// system reads 2 as critical.
fn is_check(words: &[OsString]) -> bool {
    let read = CommandLine::command().ignore_errors(true).try_get_matches_from(words);
    read.is_ok_and(|read| read.subcommand_name() == Some("check"))
}

/// Prints the result line of a check that could not run, and returns exit code 3.
fn unknown(why: &str) -> ExitOutcome {
    print(&format!("BURNWATCH UNKNOWN: {why}\n"), ExitOutcome::Unknown)
}

/// The exit code of a verb, or why it could not run.
type VerbResult = Result<ExitOutcome, SessionError>;

/// Runs the verb of a parsed command line.
fn perform(arguments: &CommandLine) -> ExitOutcome {
    if let Some(failure) = Clock::real().failure() {
        print_error(&failure);
        return ExitOutcome::UsageError;
    }
    match CliContext::new(arguments) {
        Ok(cx) => cx.run().unwrap_or_else(|error| failed(&error)),
        Err(complaint) if matches!(arguments.verb, Some(Verb::Check { .. })) => unknown(&complaint),
        Err(complaint) => {
            print_error(&complaint);
            ExitOutcome::UsageError
        }
    }
}

/// The parsed command line and the paths of this machine, passed to every verb.
struct CliContext<'a> {
    arguments: &'a CommandLine,
    /// The demo world, if it is to be used instead of real sources.
    demo: Option<DemoFlags>,
    choice: ContextChoice,
    /// The file of `--config` or `BURNWATCH_CONFIG`.
    config: Option<&'a Path>,
    paths: Option<Paths>,
}

impl<'a> CliContext<'a> {
    fn new(arguments: &'a CommandLine) -> Result<Self, String> {
        let completed = if let Some(Verb::Names { line, .. }) = &arguments.verb {
            completions::named_file(line)
        } else {
            None
        };
        let config = completed.or(arguments.flags.config.as_deref());
        let (demo, choice) = (arguments.demo()?, arguments.choice());
        Ok(Self { arguments, demo, choice, config, paths: Paths::of_this_machine() })
    }

    fn run(&self) -> VerbResult {
        match &self.arguments.verb {
            None | Some(Verb::Demo) => tui::run(self),
            Some(Verb::Status(listing)) => self.list(*listing, needs::STATUS, status::document),
            Some(Verb::Services(listing)) => self.list(*listing, needs::SERVICES, services::document),
            Some(Verb::Slos(listing)) => self.list(*listing, needs::SLOS, slos::document),
            Some(Verb::Slo { verb }) => slo::run(self, verb),
            Some(Verb::Check { names }) => Ok(self.check(names)),
            Some(Verb::Stats(wanted)) => {
                let place = Place::Report(Document::Statistics(wanted.since));
                let ask = |session: &Session| session.look(place);
                self.print_report(wanted.listing, needs::STATS, ask, |view, state| {
                    let known = statistics::known(&state.shared, wanted.since, view.now);
                    stats::document(view, &known, *wanted)
                })
            }
            Some(Verb::Changes(wanted)) => changes::run(self, wanted),
            Some(Verb::Listen(wanted)) => Ok(listen::run(wanted)),
            Some(Verb::Handoff { since }) => report_verbs::handoff(self, *since),
            Some(Verb::Postmortem(wanted)) => report_verbs::postmortem(self, wanted),
            Some(Verb::Trace { id, listing }) => traces::trace(self, *id, *listing),
            Some(Verb::Traces(wanted)) => traces::traces(self, wanted),
            Some(Verb::Dashboards(wanted)) => dashboards::run(self, wanted),
            Some(Verb::Sources(listing)) => self.list(*listing, needs::SOURCES, sources::document),
            Some(Verb::Oncall(listing)) => self.list(*listing, needs::ONCALL, oncall::document),
            Some(Verb::Logs(wanted)) => logs::run(self, wanted),
            Some(Verb::Query(wanted)) => query::run(self, wanted),
            Some(Verb::Silences { listing, all }) => {
                self.list(*listing, needs::SILENCES, |view| silences::document(view, *all))
            }
            Some(Verb::Act(verb)) => acting::run(self, verb),
            Some(Verb::Journal(wanted)) => journal::run(self, wanted),
            Some(Verb::Incidents(wanted)) => self.filtered(wanted, needs::INCIDENTS, incidents::document),
            Some(Verb::Alerts(wanted)) => self.filtered(wanted, needs::ALERTS, alerts::document),
            Some(Verb::Why(wanted)) => why::run(self, wanted),
            Some(Verb::Capacity(wanted)) => {
                let filter = alerts::AlertFilter::new(&wanted.filter, true).map_err(SessionError::Filter)?;
                let needs = needs::CAPACITY;
                let ask = |session: &Session| session.ask_at(Place::Capacity, &needs.kinds());
                self.print_report(wanted.listing, needs, ask, |view, _| {
                    capacity::document(view, &filter, wanted.within)
                })
            }
            Some(Verb::Doctor(listing)) => {
                let outcome = self.list(*listing, needs::DOCTOR, doctor::document)?;
                // `doctor` has no exit code 3: missing data means that a source failed, which is 1
                Ok(if outcome == ExitOutcome::Partial { ExitOutcome::Failure } else { outcome })
            }
            Some(Verb::Discover(wanted)) => discover::run(self, wanted),
            Some(Verb::Snapshot(wanted)) => snapshot::run(self, wanted),
            Some(Verb::Config { verb }) => {
                let own = self.own_assets();
                let run = |place: &ConfigLocation<'_>| config::run(verb, place, &own.asset_errors);
                Ok(print(&self.with_config(&own, run).map_err(SessionError::Own)?, ExitOutcome::Fine))
            }
            Some(Verb::Man { folder }) => Ok(manual::run(folder.as_deref())),
            Some(Verb::Completions { shell }) => {
                Ok(print_as_is(&completions::script(*shell), ExitOutcome::Fine))
            }
            Some(Verb::Names { what, .. }) => Ok(print(&completions::names(self, *what), ExitOutcome::Fine)),
        }
    }

    /// The user's own themes and packs.
    fn own_assets(&self) -> UserAssets {
        UserAssets::read(self.paths.as_ref())
    }

    /// Calls `work` with the place of the configuration, in which the names of `own` are known.
    fn with_config<T>(&self, own: &UserAssets, work: impl FnOnce(&ConfigLocation<'_>) -> T) -> T {
        let (asked, paths, overrides) = (self.config, self.paths.as_ref(), &self.arguments.overrides());
        own.with_known_names(|known| work(&ConfigLocation { asked, paths, overrides, known }))
    }

    /// The effective settings.
    fn settings(&self, own: &UserAssets) -> Result<Settings, ConfigError> {
        self.with_config(own, |place| Ok(place.load()?.settings))
    }

    fn session(&self, may_stop_clock: bool) -> Result<Session, SessionError> {
        Session::open(self, may_stop_clock)
    }

    /// Queries the sources for `check`, prints its result and returns the exit code of a monitoring plug-in.
    fn check(&self, names: &[String]) -> ExitOutcome {
        let reported = self.session(true).and_then(|session| {
            let state = session.ask(&needs::CHECK.kinds())?;
            Ok(check::verdict(&session.view(&state), names))
        });
        match reported {
            Ok(verdict) => print(&verdict.text, verdict.level.into()),
            Err(error) => {
                let said = error.to_string();
                let mut lines = said.lines();
                let line = lines.next().unwrap_or_default();
                // only the first line of the error goes into the result: the list of contexts on the lines below is cut
                let line = if lines.next().is_some() { line.trim_end_matches(". Try one of") } else { line };
                unknown(line)
            }
        }
    }

    /// Queries the sources for everything that a list needs, and prints the list.
    fn list(
        &self,
        listing: ListingArgs,
        needs: Needs,
        document: impl FnOnce(&WorldView<'_>) -> ReportDocument,
    ) -> VerbResult {
        let ask = |session: &Session| session.ask(&needs.kinds());
        self.print_report(listing, needs, ask, |view, _| document(view))
    }

    /// As [`CliContext::list`], of what passes a filter.
    fn filtered(
        &self,
        wanted: &args::AlertsArgs,
        needs: Needs,
        document: fn(&WorldView<'_>, &alerts::AlertFilter) -> ReportDocument,
    ) -> VerbResult {
        let filter = alerts::AlertFilter::new(&wanted.filter, wanted.all).map_err(SessionError::Filter)?;
        self.list(wanted.listing, needs, |view| document(view, &filter))
    }

    fn print_report(
        &self,
        listing: ListingArgs,
        needs: Needs,
        ask: impl FnOnce(&Session) -> Result<State, SessionError>,
        document: impl FnOnce(&WorldView<'_>, &State) -> ReportDocument,
    ) -> VerbResult {
        let session = self.session(true)?;
        session.require_source_of(&needs.required_questions())?;
        let state = ask(&session)?;
        let document = document(&session.view(&state), &state);
        let outcome = if document.is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine };
        Ok(print(&formatted(&document, listing.output), outcome))
    }
}

/// The document as text in this format; a table for a terminal is cut to its width.
fn formatted(document: &ReportDocument, format: Format) -> String {
    match format {
        Format::Table => table::render_within(document, printer::width()),
        Format::Json => json::render(document),
        Format::Markdown => markdown::render(document),
    }
}

/// Prints why a verb could not run, and returns its exit code.
fn failed(error: &SessionError) -> ExitOutcome {
    match error {
        // without the prefix `burnwatch:`, so that editors find file, line and column at the start of the line
        SessionError::Config(ConfigError::Wrong(_)) | SessionError::Own(_) => {
            print_stderr_plain(&format!("{error}\n"));
        }
        SessionError::Runtime(RuntimeError::NotATerminal | RuntimeError::Dumb) => {
            print_error(&format!("{error}. {}", tui::INSTEAD));
            return ExitOutcome::UsageError;
        }
        // the panic hook has printed where the report is
        SessionError::Runtime(RuntimeError::Crashed) => return ExitOutcome::Crashed,
        SessionError::Config(
            ConfigError::Missing { .. } | ConfigError::Unreadable { .. } | ConfigError::NoSource(_),
        )
        | SessionError::NoSuchData { .. }
        | SessionError::Filter(_)
        | SessionError::Query(_) => print_error(&error.to_string()),
        SessionError::Runtime(RuntimeError::Terminal(_) | RuntimeError::Lost(_) | RuntimeError::Start(_))
        | SessionError::Journal(_) => {
            print_error(&error.to_string());
            return ExitOutcome::Failure;
        }
    }
    ExitOutcome::UsageError
}
