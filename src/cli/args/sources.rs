//! The flags that name sources without a configuration file, such as `--prometheus URL`: one for each kind of source that
//! has a flag.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::backend;
use crate::config::kind::KindSpec;

/// Every kind that has a flag, with the URLs given for it.
#[derive(Debug, Clone)]
pub(super) struct SourceFlags(pub(super) Vec<(&'static KindSpec, Vec<String>)>);

impl SourceFlags {
    /// Whether any of these flags was given.
    pub(super) fn are_given(&self) -> bool {
        self.0.iter().any(|(_, addresses)| !addresses.is_empty())
    }

    /// The flags that were given, as they are typed: `--prometheus`.
    pub(super) fn names(&self) -> Vec<String> {
        let given = self.0.iter().filter(|(_, addresses)| !addresses.is_empty());
        given.map(|(kind, _)| format!("--{}", kind.name)).collect()
    }
}

fn kinds() -> impl Iterator<Item = &'static KindSpec> {
    backend::KINDS.iter().copied().filter(|kind| kind.flag.is_some())
}

impl FromArgMatches for SourceFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |kind: &KindSpec| matches.get_many(kind.name).into_iter().flatten().cloned().collect();
        Ok(Self(kinds().map(|kind| (kind, given(kind))).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SourceFlags {
    fn augment_args(command: Command) -> Command {
        kinds().fold(command, |command, kind| {
            let flag = Arg::new(kind.name)
                .long(kind.name)
                .value_name("URL")
                .action(ArgAction::Append)
                .help_heading("Sources")
                .help(format!("{} URL to query, no config file needed; can be repeated", kind.title));
            command.arg(flag)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
