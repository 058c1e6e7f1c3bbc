//! `burnwatch man`: the manual pages, as packages ship them.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man;

use super::args::Arguments;
use super::printer::{Outcome, complain, print};

/// Prints the page of the program, or writes those of the program and of all its verbs.
pub(super) fn run(folder: Option<&Path>) -> Outcome {
    // the page is of a version, whichever commit it was built from
    let command = Arguments::command().version(env!("CARGO_PKG_VERSION"));
    let Some(folder) = folder else {
        let mut page = Vec::new();
        return match Man::new(command).render(&mut page) {
            Ok(()) => print(&String::from_utf8_lossy(&page), Outcome::Fine),
            Err(error) => unwritten(&error),
        };
    };
    clap_mangen::generate_to(command, folder).map_or_else(|error| unwritten(&error), |()| Outcome::Fine)
}

fn unwritten(error: &io::Error) -> Outcome {
    complain(&format!("the output could not be written: {error}"));
    Outcome::Unwell
}
