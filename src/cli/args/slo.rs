//! The verbs for SLO definitions: `validate`, `import` and `export`.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::values::Offered;
use crate::config::definitions::write::Target;
use crate::config::hint;

const VALIDATE_HELP: &str = "\
Exit codes:
  0  every definition is valid; there may be warnings
  1  --strict and there are warnings, or the output could not be written
  2  a definition is invalid, or there is no SLO; valid ones are shown
  3  a source did not answer whether series exist";

const WRITE_HELP: &str = "\
The document goes to standard output. What the format cannot express is
listed on standard error and as comments in the document.

Exit codes:
  0  every SLO is written
  1  an SLO is left out (named on standard error); --strict and there are
     warnings, or the format cannot express something; or the output could
     not be written
  2  a definition is invalid, or there is no SLO; valid ones are written";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SloVerb {
    /// Check definitions and show their queries
    #[command(after_help = VALIDATE_HELP)]
    Validate(Validate),
    /// Convert definitions of any known format to burnwatch's own TOML
    #[command(after_help = WRITE_HELP)]
    Import(WriteArgs),
    /// Convert definitions to another tool's format, or to rules
    #[command(after_help = WRITE_HELP)]
    Export {
        /// openslo, sloth, pyrra, rules (for a Prometheus) or own
        #[arg(long, value_name = "FORM", value_parser = target(), hide_possible_values = true)]
        format: Target,
        #[command(flatten)]
        writing: WriteArgs,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Validate {
    /// Files and folders; default: those of the configuration
    #[arg(value_name = "FILES")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Ask the sources whether the series exist (--prometheus implies it)
    #[arg(long)]
    pub(in crate::cli) check_series: bool,
    /// Treat warnings as errors
    #[arg(long)]
    pub(in crate::cli) strict: bool,
    /// text or json
    #[arg(
        long,
        short,
        value_enum,
        default_value_t = ValidateFormat::Text,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub(in crate::cli) output: ValidateFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ValidateFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WriteArgs {
    /// Files and folders; default: those of the configuration
    #[arg(value_name = "FILES")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Write to this file, which must not exist yet
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(in crate::cli) write: Option<PathBuf>,
    /// Accepted only to give a helpful error: other verbs take `--output FORMAT`
    #[arg(long, short, value_name = "FORMAT", hide = true, value_parser = refuse_output)]
    pub(in crate::cli) output: Option<Infallible>,
    /// Overwrite an existing file
    #[arg(long, requires = "write")]
    pub(in crate::cli) force: bool,
    /// Exit with 1 if there are warnings or something could not be expressed
    #[arg(long)]
    pub(in crate::cli) strict: bool,
}

fn target() -> impl TypedValueParser<Value = Target> {
    Offered(|| Target::ALL.map(Target::word).to_vec()).try_map(|text| {
        let words = Target::ALL.map(Target::word);
        let found = Target::ALL.into_iter().find(|target| target.word() == text);
        found.ok_or_else(|| {
            format!("the formats are openslo, sloth, pyrra, rules and own{}", hint(&text, words))
        })
    })
}

/// Refuses `-o`: for lists it means a format, and a file of that name would be written by mistake.
fn refuse_output(_: &str) -> Result<Infallible, String> {
    Err("--output is the format of a list; use --write FILE for the file, and export --format FORM for the format"
        .to_owned())
}
