//! The verbs that change external systems, and the flags of `journal`.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand, value_parser};

use super::ListingArgs;
use super::values::{CONTEXTS, SOURCES};
use crate::model::action::OperationKind;
use crate::model::duration;
use crate::model::incident::Urgency;
use crate::model::labels::Text;
use crate::model::operation::{Argument, OperationSpec, Param, ParamKind, TargetKind};

/// The ids of arguments that are not parameters of an operation.
const TARGET: &str = "target";
const LEVEL: &str = "level of the policy";

const ACTION_HELP: &str = "\
The requests are shown before they are sent. On a terminal burnwatch asks for
confirmation; without a terminal --yes is required. --dry-run shows the
requests and sends none. `burnwatch journal` lists past actions.

Exit codes:
  0  all done, or already in that state
  1  an action was refused or the object had changed, or the result is unknown
  2  wrong usage, not confirmed, or refused by the context's restrictions
  3  a source failed, so the incidents or alerts could not be found";

/// The actions on external systems.
#[derive(Debug)]
pub(in crate::cli) enum ActVerb {
    /// A verb of the table of operations.
    Operation(Words),
    /// The verbs for silences.
    Silence(SilenceArgs),
}

/// Verbs whose arguments do not follow the common pattern.
#[derive(Debug, Subcommand)]
enum OwnShape {
    /// Silence alerts; edit, extend or expire silences
    #[command(after_help = ACTION_HELP, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    #[command(mut_arg("comment", |comment| comment.required(true).help("The reason for the silence")))]
    Silence(SilenceArgs),
}

/// A new silence, or a verb for existing silences.
#[derive(Debug, Args)]
pub(in crate::cli) struct SilenceArgs {
    #[command(flatten)]
    pub(in crate::cli) new: Box<NewSilence>,
    #[command(subcommand)]
    pub(in crate::cli) verb: Option<Box<SilenceVerb>>,
}

/// The arguments of an operation.
#[derive(Debug)]
pub(in crate::cli) struct Words {
    pub(in crate::cli) kind: OperationKind,
    /// Incidents, a service or a policy.
    pub(in crate::cli) targets: Vec<String>,
    /// The level of the policy.
    pub(in crate::cli) level: u32,
    /// The values of the parameters; names and ids are not looked up yet.
    pub(in crate::cli) given: Vec<(&'static Param, Vec<Argument>)>,
    consent: Consent,
}

/// The specs of the operations that have a verb of the common pattern.
fn specs() -> impl Iterator<Item = &'static OperationSpec> {
    OperationKind::ALL.iter().map(|kind| kind.spec()).filter(|spec| !spec.cli.name.is_empty())
}

impl Words {
    /// The verb of an operation.
    fn command(spec: &OperationSpec) -> Command {
        let earlier = spec.earlier.iter().copied();
        let mut command = Command::new(spec.cli.name).after_help(ACTION_HELP).aliases(earlier);
        if let Some(usage) = spec.cli.usage {
            command = command.override_usage(usage);
        }
        let target = Arg::new(TARGET).required(true);
        command = match spec.target {
            TargetKind::Incident => {
                let target =
                    target.value_name("INCIDENT").help("Incident numbers or ids (burnwatch incidents)");
                Consent::augment_args(command.arg(target.action(ArgAction::Append).num_args(1..)))
            }
            TargetKind::Service => {
                let target = target.long("service").value_name("SERVICE");
                command.arg(target.help("The service that it is about: its name or id"))
            }
            TargetKind::Schedule => {
                let target = target.value_name("POLICY").help("Name or id of the escalation policy");
                let level = Arg::new(LEVEL).long("level").value_name("N").help("Level of the policy");
                command.arg(target).arg(level.value_parser(value_parser!(u32)).default_value("1"))
            }
            TargetKind::Alerts | TargetKind::Silence => command,
        };
        let params = spec.params.iter().filter(|param| !param.value.is_empty());
        command = params.fold(command, |command, param| command.arg(Self::arg(param)));
        if spec.target != TargetKind::Incident {
            command = Consent::augment_args(command);
        }
        // a flattened type would overwrite the description
        command.about(spec.cli.about)
    }

    fn arg(param: &Param) -> Arg {
        let arg = Arg::new(param.name).value_name(param.value).help(param.help);
        let arg = if param.flag.is_empty() { arg } else { arg.long(param.flag) };
        let arg = if param.flag == "message" { arg.short('m') } else { arg };
        let is_text = matches!(param.kind, ParamKind::Text(_));
        let default = (param.kind == ParamKind::Urgency).then_some(param.default);
        let default = default.or((is_text && param.is_optional).then_some(""));
        let arg = match default {
            Some(default) => arg.default_value(default).hide_possible_values(true),
            None => arg.required(!param.is_optional),
        };
        if matches!(param.kind, ParamKind::Length | ParamKind::TurnEnd) {
            arg.value_parser(length.map(Argument::from))
        } else if param.kind == ParamKind::Level {
            arg.value_parser(value_parser!(u32).range(1..).map(Argument::from))
        } else if param.kind == ParamKind::Urgency {
            let urgency = |word: String| if word == "high" { Urgency::High } else { Urgency::Low };
            let words = PossibleValuesParser::new(["high", "low"]);
            arg.value_parser(words.map(move |word| Argument::from(urgency(word))))
        } else {
            let arg = if param.kind == ParamKind::People { arg.action(ArgAction::Append) } else { arg };
            arg.value_parser(StringValueParser::new().map(|text| Argument::from(Text::from(text))))
        }
    }

    fn read(spec: &'static OperationSpec, matches: &ArgMatches) -> Result<Self, clap::Error> {
        let targets = matches.get_many::<String>(TARGET).into_iter().flatten().cloned().collect();
        let is_schedule = spec.target == TargetKind::Schedule;
        let level = if is_schedule { matches.get_one(LEVEL).copied() } else { None };
        let known = spec.params.iter().filter(|param| !param.value.is_empty());
        let given = known
            .filter_map(|param| Some((param, matches.get_many::<Argument>(param.name)?.cloned().collect())));
        let consent = Consent::from_arg_matches(matches)?;
        Ok(Self { kind: spec.kind, targets, level: level.unwrap_or(1), given: given.collect(), consent })
    }

    /// The first value of a parameter.
    pub(in crate::cli) fn value(&self, name: &str) -> Option<&Argument> {
        self.given.iter().find(|(param, _)| param.name == name).and_then(|(_, values)| values.first())
    }
}

impl FromArgMatches for ActVerb {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if let Some((name, own)) = matches.subcommand()
            && let Some(spec) = specs().find(|spec| spec.cli.name == name)
        {
            return Words::read(spec, own).map(Self::Operation);
        }
        OwnShape::from_arg_matches(matches).map(|OwnShape::Silence(silences)| Self::Silence(silences))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for ActVerb {
    fn augment_subcommands(command: Command) -> Command {
        let command = specs().fold(command, |command, spec| command.subcommand(Words::command(spec)));
        OwnShape::augment_subcommands(command)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        specs().any(|spec| spec.cli.name == name) || OwnShape::has_subcommand(name)
    }
}

/// The arguments of a new silence.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewSilence {
    /// All must match: alertname=Slow 'pod=~"web-.*"'
    #[arg(value_name = "MATCHER", required_unless_present = "alerts")]
    pub(in crate::cli) matchers: Vec<String>,
    /// Alerts by their fingerprints (alerts -o json), instead of matchers
    #[arg(long = "alert", value_name = "FINGERPRINT", conflicts_with = "matchers")]
    pub(in crate::cli) alerts: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) flags: SilenceFlags,
}

/// The flags of a silence that is created, or that replaces another one.
#[derive(Debug, Args)]
pub(in crate::cli) struct SilenceFlags {
    #[command(flatten)]
    pub(in crate::cli) span: SilenceSpan,
    /// A new comment
    #[arg(long, short, value_name = "TEXT")]
    pub(in crate::cli) comment: Option<String>,
    /// The context's name, to confirm hiding a large share of all alerts
    #[arg(long, value_name = "NAME", value_parser = CONTEXTS, hide_possible_values = true)]
    confirm_name: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

/// The start and the end of a silence.
#[derive(Debug, Args)]
pub(in crate::cli) struct SilenceSpan {
    /// For how long: 30m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = length)]
    pub(in crate::cli) length: Option<Duration>,
    /// End, instead of --for: 22:00, "2026-11-30 22:00"
    #[arg(long, value_name = "WHEN", conflicts_with = "length")]
    pub(in crate::cli) until: Option<String>,
    /// Start; default: now: 22:00, "in 2h"
    #[arg(long, value_name = "WHEN")]
    pub(in crate::cli) start: Option<String>,
}

/// The actions on existing silences.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SilenceVerb {
    /// Extend silences
    #[command(after_help = ACTION_HELP)]
    Extend {
        /// Their ids (burnwatch silences)
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        /// How much longer: 30m, 2h
        #[arg(long = "for", value_name = "TIME", value_parser = length)]
        length: Duration,
        #[command(flatten)]
        consent: Consent,
    },
    /// Change a silence: other matchers, comment or end
    #[command(after_help = ACTION_HELP)]
    Edit {
        /// Its id (burnwatch silences)
        #[arg(value_name = "ID")]
        id: String,
        /// New matchers, replacing all of the silence's matchers
        #[arg(value_name = "MATCHER")]
        matchers: Vec<String>,
        #[command(flatten)]
        flags: SilenceFlags,
    },
    /// Create an expired silence again
    #[command(after_help = ACTION_HELP)]
    Again {
        /// Its id (burnwatch silences --all)
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        flags: SilenceFlags,
    },
    /// End silences now
    #[command(after_help = ACTION_HELP)]
    Expire {
        /// Their ids (burnwatch silences)
        #[arg(value_name = "ID", required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// The source of an action, and the confirmation.
#[derive(Debug, Args)]
pub(in crate::cli) struct Consent {
    /// Do not ask for confirmation
    #[arg(long, short)]
    pub(in crate::cli) yes: bool,
    /// The source to use, if there are several
    #[arg(long, value_name = "NAME", value_parser = SOURCES, hide_possible_values = true)]
    pub(in crate::cli) source: Option<String>,
}

/// The flags of `journal`.
#[derive(Debug, Args)]
pub(in crate::cli) struct JournalFlags {
    /// Only actions begun within this time: 12h, 7d
    #[arg(long, value_name = "DURATION", value_parser = length)]
    pub(in crate::cli) since: Option<Duration>,
    /// Read back actions whose result is unknown
    #[arg(long)]
    pub(in crate::cli) read_back: bool,
    #[command(flatten)]
    pub(in crate::cli) listing: ListingArgs,
}

impl ActVerb {
    /// The flags `--yes` and `--source` of this action.
    pub(in crate::cli) fn consent(&self) -> &Consent {
        match self {
            Self::Operation(words) => &words.consent,
            Self::Silence(silence) => match silence.verb.as_deref() {
                Some(SilenceVerb::Extend { consent, .. } | SilenceVerb::Expire { consent, .. }) => consent,
                Some(SilenceVerb::Edit { flags, .. } | SilenceVerb::Again { flags, .. }) => &flags.consent,
                None => &silence.new.flags.consent,
            },
        }
    }

    /// The value of `--confirm-name`, which silences that hide a large share of the alerts need.
    pub(in crate::cli) fn confirm_name(&self) -> Option<&str> {
        let Self::Silence(silence) = self else { return None };
        let flags = match silence.verb.as_deref() {
            None => &silence.new.flags,
            Some(SilenceVerb::Edit { flags, .. } | SilenceVerb::Again { flags, .. }) => flags,
            Some(SilenceVerb::Extend { .. } | SilenceVerb::Expire { .. }) => return None,
        };
        flags.confirm_name.as_deref()
    }
}

pub(super) fn length(text: &str) -> Result<Duration, String> {
    const YEAR: Duration = Duration::from_secs(365 * 86_400);
    let length = duration::parse(text).map_err(|error| error.to_string())?;
    let is_sane = length >= Duration::from_secs(1) && length <= YEAR;
    is_sane.then_some(length).ok_or_else(|| "write a duration from 1s to 1y".to_owned())
}
