//! What a program prints: started without a shell, given a few seconds, and heard by nobody else.

use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Bytes, SecretError, at_home, whole};

/// How long a program may take to print a secret.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// How long a program may take to end after it closed its output, in steps of [`PATIENCE`].
const PATIENCE_STEPS: u32 = 100;
const PATIENCE: Duration = Duration::from_millis(10);

/// Everything it prints.
pub(super) fn output(words: &[String], reference: &str, limit: Duration) -> Result<Bytes, SecretError> {
    let named = || reference.to_owned();
    let unreadable = |error: io::Error| SecretError::unreadable(reference, &error);
    let Some((program, arguments)) = words.split_first() else {
        return Err(SecretError::Empty { reference: named() });
    };
    // what it says to the terminal would tear the screen, and may hold the secret
    let mut child = Command::new(at_home(program))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(unreadable)?;
    let Some(mut printed) = child.stdout.take() else {
        return Err(SecretError::Empty { reference: named() });
    };
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let read = whole(&mut printed);
        // drained, so that a talkative program can come to its end
        let drained = io::copy(&mut printed, &mut io::sink());
        // nobody listens any more after the limit
        drop(sender.send(read.and_then(|bytes| drained.map(|_| bytes))));
    });
    let Ok(read) = receiver.recv_timeout(limit) else {
        stop(&mut child);
        return Err(SecretError::TooSlow { reference: named() });
    };
    let bytes = read.map_err(unreadable)?;
    for _ in 0..PATIENCE_STEPS {
        match child.try_wait().map_err(unreadable)? {
            Some(status) if status.success() => return Ok(bytes),
            Some(status) => {
                return Err(SecretError::Failed { reference: named(), status: status.to_string() });
            }
            None => thread::park_timeout(PATIENCE),
        }
    }
    stop(&mut child);
    Err(SecretError::TooSlow { reference: named() })
}

/// Ends a program; that it has ended already is no trouble.
fn stop(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}
