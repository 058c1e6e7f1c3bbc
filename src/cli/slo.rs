//! `burnwatch slo`: definitions checked, and turned from one form into another.

mod lint;
mod series;
mod validate;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::config::definitions::write::{Target, write};
use crate::config::definitions::{Definitions, Finding, Level, load};

use super::Cx;
use super::args::{SloVerb, Writing};
use super::config::Place;
use super::failed;
use super::own::Own;
use super::printer::{Outcome, complain, complain_plainly, print};
use super::session::{SessionError, defined};

pub(super) fn run(cx: &Cx<'_>, verb: &SloVerb) -> Outcome {
    match verb {
        SloVerb::Validate(wanted) => validate::run(cx, wanted),
        SloVerb::Import(writing) => turn(cx, writing, Target::Own),
        SloVerb::Export { format, writing } => turn(cx, writing, *format),
    }
}

/// What files and folders define; without any, those of the configuration and of `--slo`.
fn definitions(cx: &Cx<'_>, files: &[PathBuf]) -> Result<Definitions, SessionError> {
    let overrides = cx.arguments.overrides();
    let (asked, paths) = (cx.arguments.flags.config.as_deref(), cx.paths.as_ref());
    let own = Own::read(paths);
    let loaded = own.with_names(|known| Place { asked, paths, overrides: &overrides, known }.load());
    let settings = loaded?.settings;
    Ok(if files.is_empty() { defined(&settings) } else { load(files, settings.slo.window.0) })
}

/// `slos/cart.yaml:12: error: message`, a line each.
fn lines(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let path = crate::model::text::clean(&finding.path.to_string_lossy()).into_owned();
        let place = finding.line.map_or(path.clone(), |line| format!("{path}:{line}"));
        format!("{place}: {}: {}\n", finding.level.word(), finding.message)
    };
    findings.iter().map(line).collect()
}

fn is_wrong(definitions: &Definitions) -> bool {
    definitions.slos.is_empty() || definitions.findings.iter().any(|finding| finding.level == Level::Error)
}

const NOTHING: &str = "there is no SLO in what was read; name files with definitions, or set [slo] files";

/// Reads any form and writes one.
fn turn(cx: &Cx<'_>, writing: &Writing, target: Target) -> Outcome {
    let definitions = match definitions(cx, &writing.files) {
        Ok(definitions) => definitions,
        Err(error) => return failed(&error),
    };
    complain_plainly(&lines(&definitions.findings));
    if definitions.slos.is_empty() {
        complain(NOTHING);
        return Outcome::Misused;
    }
    let written = write(&definitions.slos, target);
    for unsaid in &written.unsaid {
        complain_plainly(&format!("{}: not said: {unsaid}\n", target.word()));
    }
    let is_warned = definitions.findings.iter().any(|finding| finding.level == Level::Warning);
    let is_less = !written.left_out.is_empty();
    if is_less {
        let (left_out, all) = (written.left_out.len(), definitions.slos.len());
        let names = written.left_out.join(", ");
        complain_plainly(&format!("{}: {left_out} of {all} SLOs left out: {names}\n", target.word()));
    }
    let is_strict = writing.strict && (is_warned || !written.unsaid.is_empty());
    let outcome = match (is_wrong(&definitions), is_less || is_strict) {
        (true, _) => Outcome::Misused,
        (false, true) => Outcome::Warning,
        (false, false) => Outcome::Fine,
    };
    let Some(file) = &writing.write else {
        return print(&written.text, outcome);
    };
    match put(file, &written.text, writing.force) {
        Ok(()) => outcome,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            complain(&format!("{} is there already; --force writes over it", file.display()));
            Outcome::Misused
        }
        Err(error) => {
            complain(&format!("{}: {error}", file.display()));
            Outcome::Unwell
        }
    }
}

/// Writes a new file; an existing one only if that is wanted, and then as a whole or not at all.
fn put(file: &Path, text: &str, force: bool) -> io::Result<()> {
    if !force {
        return OpenOptions::new().write(true).create_new(true).open(file)?.write_all(text.as_bytes());
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".burnwatch-new");
    let beside = file.with_file_name(name);
    fs::write(&beside, text)?;
    fs::rename(&beside, file)
}
