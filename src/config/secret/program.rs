//! Runs a program that prints a secret: without a shell, with a time limit, and with its output going only to burnwatch.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Bytes, SecretErrorKind, read_limited};
use crate::config::process::{expand_home, kill_group};

/// The time limit for printing a secret.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// How often, in steps of [`EXIT_POLL_INTERVAL`], to check whether a program has exited after it closed its output.
const EXIT_POLLS: u32 = 100;
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Runs the program and returns its standard output.
pub(super) fn output(words: &[String], limit: Duration) -> Result<Bytes, SecretErrorKind> {
    let (program, arguments) = words.split_first().ok_or(SecretErrorKind::Empty)?;
    // its error output would disturb the screen and may contain the secret; a process group of its own, so that its child
    // processes can be killed with it
    let mut child = Command::new(expand_home(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let printed = child.stdout.take().ok_or(SecretErrorKind::Empty)?;
    let bytes = read_within(printed, limit).inspect_err(|_| stop(&mut child))?;
    for _ in 0..EXIT_POLLS {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(bytes),
            Some(status) => return Err(SecretErrorKind::Failed { status: status.to_string() }),
            None => thread::park_timeout(EXIT_POLL_INTERVAL),
        }
    }
    stop(&mut child);
    Err(SecretErrorKind::TooSlow)
}

/// Reads a pipe until it is closed; an error if that exceeds the time limit.
pub(super) fn read_within(
    mut pipe: impl Read + Send + 'static,
    limit: Duration,
) -> Result<Bytes, SecretErrorKind> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let read = read_limited(&mut pipe);
        // drained, so that a program with more output can exit
        let drained = io::copy(&mut pipe, &mut io::sink());
        // after the time limit there is no receiver
        drop(sender.send(read.and_then(|bytes| drained.map(|_| bytes))));
    });
    Ok(receiver.recv_timeout(limit).ok().ok_or(SecretErrorKind::TooSlow)??)
}

/// Kills a program and its process group; that it may have exited already is ignored.
fn stop(child: &mut Child) {
    kill_group(child.id());
    drop(child.kill());
    drop(child.wait());
}
