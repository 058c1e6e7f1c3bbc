//! `burnwatch slo`: validates SLO definitions and converts them from one format to another.

mod lint;
mod series;
mod validate;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::config::definitions::write::{Target, write};
use crate::config::definitions::{Definitions, Finding, FindingLevel, load};
use crate::config::load::ConfigError;

use super::args::{SloVerb, WriteArgs};
use super::printer::{ExitOutcome, print, print_error, print_stderr_plain};
use super::session::defined;
use super::{CliContext, VerbResult};

pub(super) fn run(cx: &CliContext<'_>, verb: &SloVerb) -> VerbResult {
    match verb {
        SloVerb::Validate(wanted) => validate::run(cx, wanted),
        SloVerb::Import(writing) => convert(cx, writing, Target::Own),
        SloVerb::Export { format, writing } => convert(cx, writing, *format),
    }
}

/// Reads the definitions of these files and folders; without any, those of the configuration and of `--slo`.
fn definitions(cx: &CliContext<'_>, files: &[PathBuf]) -> Result<Definitions, ConfigError> {
    let settings = cx.settings(&cx.own_assets())?;
    Ok(if files.is_empty() { defined(&settings) } else { load(files, settings.slo.window.0) })
}

/// One line for each finding: `slos/cart.yaml:12: error: message`.
fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let path = crate::model::text::clean(&finding.path.to_string_lossy()).into_owned();
        let place = finding.line.map_or(path.clone(), |line| format!("{path}:{line}"));
        format!("{place}: {}: {}\n", finding.level.word(), finding.message)
    };
    findings.iter().map(line).collect()
}

/// Whether a definition has an error, or there is no SLO at all.
fn is_wrong(definitions: &Definitions) -> bool {
    definitions.slos.is_empty()
        || definitions.findings.iter().any(|finding| finding.level == FindingLevel::Error)
}

const NO_SLO_FOUND: &str = "no SLO was found in the files; name files with definitions, or set [slo] files";

/// Reads definitions of any format and writes them in the format of `target`.
fn convert(cx: &CliContext<'_>, writing: &WriteArgs, target: Target) -> VerbResult {
    let definitions = definitions(cx, &writing.files)?;
    print_stderr_plain(&lines(&definitions.findings));
    if definitions.slos.is_empty() {
        print_error(NO_SLO_FOUND);
        return Ok(ExitOutcome::UsageError);
    }
    let written = write(&definitions.slos, target);
    for omissions in &written.omissions {
        print_stderr_plain(&format!("{}: this format cannot express: {omissions}\n", target.word()));
    }
    let is_warned = definitions.findings.iter().any(|finding| finding.level == FindingLevel::Warning);
    let is_less = !written.left_out.is_empty();
    if is_less {
        let (left_out, all) = (written.left_out.len(), definitions.slos.len());
        let names = written.left_out.join(", ");
        print_stderr_plain(&format!("{}: {left_out} of {all} SLOs left out: {names}\n", target.word()));
    }
    let is_strict = writing.strict && (is_warned || !written.omissions.is_empty());
    let outcome = match (is_wrong(&definitions), is_less || is_strict) {
        (true, _) => ExitOutcome::UsageError,
        (false, true) => ExitOutcome::Warning,
        (false, false) => ExitOutcome::Fine,
    };
    let Some(file) = &writing.write else {
        return Ok(print(&written.text, outcome));
    };
    Ok(match write_file(file, &written.text, writing.force) {
        Ok(()) => outcome,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            print_error(&format!("{} already exists; --force overwrites it", file.display()));
            ExitOutcome::UsageError
        }
        Err(error) => {
            print_error(&format!("{}: {error}", file.display()));
            ExitOutcome::Failure
        }
    })
}

/// Writes a new file. With `force` an existing file is replaced atomically: written beside it, then renamed.
fn write_file(file: &Path, text: &str, force: bool) -> io::Result<()> {
    if !force {
        return OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes());
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".burnwatch-new");
    let beside = file.with_file_name(name);
    fs::write(&beside, text)?;
    fs::rename(&beside, file)
}
