//! Signals: end, stop and continue; and a regular check whether the terminal still exists.

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::terminal;

/// How often to check that the terminal still exists. A hang-up without a signal (the session leader ignores it, or is another
/// process) is noticed only by this check and by the next write.
const CHECK_INTERVAL: Duration = Duration::from_millis(400);
/// The reaction to a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalAction {
    /// Restore the terminal and end, for this reason.
    Leave(&'static str),
    /// Restore the terminal and suspend the process, as Ctrl-z does.
    Stop,
    /// The process continues: set the terminal's modes again.
    Resume,
}

/// Makes a write beyond the file size limit (`ulimit -f`) fail, as on a full disk, instead of killing the process.
///
/// # Errors
/// The system's error if the handler cannot be set.
pub(super) fn outlive_file_limits(runtime: &Runtime) -> io::Result<()> {
    let _entered = runtime.enter();
    signal(SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}

/// Installs the signal handlers and starts a task that ends burnwatch when its terminal is gone. Returns the receiver of the
/// resulting actions.
///
/// # Errors
/// The system's error if a handler cannot be set.
pub(super) fn listen() -> io::Result<mpsc::Receiver<SignalAction>> {
    let (signal_actions, inbox) = mpsc::channel(4);
    let kinds = [
        (SignalKind::terminate(), SignalAction::Leave("SIGTERM")),
        (SignalKind::interrupt(), SignalAction::Leave("SIGINT")),
        (SignalKind::hangup(), SignalAction::Leave("SIGHUP")),
        (SignalKind::quit(), SignalAction::Leave("SIGQUIT")),
        (SignalKind::from_raw(libc::SIGTSTP), SignalAction::Stop),
        (SignalKind::from_raw(libc::SIGCONT), SignalAction::Resume),
    ];
    for (kind, signal_action) in kinds {
        tokio::spawn(forward(signal(kind)?, signal_action, signal_actions.clone()));
    }
    tokio::spawn(watch_terminal(signal_actions));
    Ok(inbox)
}

async fn forward(
    mut signal: Signal,
    signal_action: SignalAction,
    signal_actions: mpsc::Sender<SignalAction>,
) {
    while signal.recv().await.is_some() {
        if signal_actions.send(signal_action).await.is_err() {
            return;
        }
    }
}

/// Checks regularly that the terminal exists, and ends burnwatch when it is gone.
async fn watch_terminal(signal_actions: mpsc::Sender<SignalAction>) {
    let mut next = interval(CHECK_INTERVAL);
    next.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !signal_actions.is_closed() {
        next.tick().await;
        if !terminal::is_there() {
            signal_actions.send(SignalAction::Leave("the terminal is gone")).await.ok();
            return;
        }
    }
}
