//! Runs many verbs of the program, several at a time, and collects their output.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::screen::BURNWATCH;

/// How many runs are in progress at the same time.
const ABREAST: usize = 4;

/// The exit status and output of each run, in their order; the processes have only this environment.
pub(crate) fn run_all<W, E>(runs: &[Vec<W>], environment: &[(E, E)]) -> Vec<Output>
where
    W: AsRef<OsStr> + Sync,
    E: AsRef<OsStr> + Sync,
{
    let run = |words: &Vec<W>| {
        let mut command = Command::new(BURNWATCH);
        command.args(words).stdin(Stdio::null()).env_clear();
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.output().expect("it starts and ends")
    };
    thread::scope(|scope| {
        let shares = runs.chunks(runs.len().div_ceil(ABREAST).max(1));
        let shares: Vec<_> =
            shares.map(|share| scope.spawn(move || share.iter().map(run).collect::<Vec<_>>())).collect();
        shares.into_iter().flat_map(|share| share.join().expect("it runs to its end")).collect()
    })
}
