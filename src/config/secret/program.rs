//! What a program prints: started without a shell, given a few seconds, and heard by nobody else.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Bytes, SecretTrouble, expand_home, read_limited};

/// How long a program may take to print a secret.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// How long a program may take to end after it closed its output, in steps of [`EXIT_POLL_INTERVAL`].
const EXIT_POLLS: u32 = 100;
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Everything it prints.
pub(super) fn output(words: &[String], limit: Duration) -> Result<Bytes, SecretTrouble> {
    let (program, arguments) = words.split_first().ok_or(SecretTrouble::Empty)?;
    // what it says to the terminal would tear the screen, and may hold the secret; a group of its own, so that what it
    // starts can be ended with it
    let mut child = Command::new(expand_home(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let printed = child.stdout.take().ok_or(SecretTrouble::Empty)?;
    let bytes = read_within(printed, limit).inspect_err(|_| stop(&mut child))?;
    for _ in 0..EXIT_POLLS {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(bytes),
            Some(status) => return Err(SecretTrouble::Failed { status: status.to_string() }),
            None => thread::park_timeout(EXIT_POLL_INTERVAL),
        }
    }
    stop(&mut child);
    Err(SecretTrouble::TooSlow)
}

/// All that a pipe brings until it is closed, if that is soon.
pub(super) fn read_within(
    mut pipe: impl Read + Send + 'static,
    limit: Duration,
) -> Result<Bytes, SecretTrouble> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let read = read_limited(&mut pipe);
        // drained, so that a talkative program can come to its end
        let drained = io::copy(&mut pipe, &mut io::sink());
        // nobody listens any more after the limit
        drop(sender.send(read.and_then(|bytes| drained.map(|_| bytes))));
    });
    Ok(receiver.recv_timeout(limit).ok().ok_or(SecretTrouble::TooSlow)??)
}

/// Ends a program and all that it has started in its group; that it has ended already is no trouble.
fn stop(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process_group(group, Signal::KILL).ok();
    }
    drop(child.kill());
    drop(child.wait());
}
