//! `burnwatch man`: the manual pages, as packages ship them.

use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::CommandLine;
use super::printer::{ExitOutcome, print, print_error};

/// Prints burnwatch's manual page; with a folder, writes that page and those of all verbs there.
pub(super) fn run(folder: Option<&Path>) -> ExitOutcome {
    // the version without the commit, so that the page is the same for every build of a release
    let command = CommandLine::command().version(env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    let written = match folder {
        Some(folder) => clap_mangen::generate_to(command, folder),
        None => Man::new(command).render(&mut page),
    };
    match written {
        Ok(()) => print(&String::from_utf8_lossy(&page), ExitOutcome::Fine),
        Err(error) => {
            print_error(&format!("the output could not be written: {error}"));
            ExitOutcome::Failure
        }
    }
}
