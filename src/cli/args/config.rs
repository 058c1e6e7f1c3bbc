//! The verbs of `config`.

use clap::Subcommand;

use super::codes::CONFIG;
use super::values::FILE_KINDS;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConfigVerb {
    /// Print a sample file: every option with its default, as comments
    #[command(after_help = CONFIG)]
    Init {
        /// Write it to the default path; an existing file is not changed
        #[arg(long)]
        write: bool,
    },
    /// Check the configuration and report all errors
    #[command(after_help = CONFIG)]
    Check,
    /// Print the effective options; secrets only as references
    #[command(after_help = CONFIG)]
    Show,
    /// Print the JSON schema, for editors
    Schema,
    /// Print the paths of burnwatch's files
    Path {
        /// Only this one: config, packs, themes, log or state
        #[arg(value_parser = FILE_KINDS, hide_possible_values = true)]
        which: Option<String>,
    },
}
