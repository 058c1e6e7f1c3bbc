//! What the system has to say: leave, stop, go on, the terminal is gone.

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::terminal;

/// How often to look whether the terminal is still there. A hang-up that comes with no signal (the session's leader
/// ignores it, or is somebody else) is known by this and by the next write only.
const CHECK_INTERVAL: Duration = Duration::from_millis(400);
/// SIGCONT has no name in tokio.
const SIGCONT: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };

/// Nor has SIGTSTP.
const SIGTSTP: i32 = if cfg!(target_os = "linux") { 20 } else { 18 };

/// Nor has SIGXFSZ.
const SIGXFSZ: i32 = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalAction {
    /// Restore the terminal and end.
    Leave(&'static str),
    /// Give the terminal back and stop, as Ctrl-z does.
    Stop,
    /// Somebody else had the terminal: take it over again.
    GoOn,
}

/// Lets a write beyond the shell's limit on files (`ulimit -f`) fail, as on a full disk, in place of killing the process.
///
/// # Errors
/// What the system says when the handler cannot be set.
pub(super) fn outlive_file_limits(runtime: &Runtime) -> io::Result<()> {
    let _entered = runtime.enter();
    signal(SignalKind::from_raw(SIGXFSZ)).map(drop)
}

/// Starts listening.
///
/// # Errors
/// What the system says when a handler cannot be set.
pub(super) fn listen() -> io::Result<mpsc::Receiver<SignalAction>> {
    let (signal_actions, inbox) = mpsc::channel(4);
    let kinds = [
        (SignalKind::terminate(), SignalAction::Leave("SIGTERM")),
        (SignalKind::interrupt(), SignalAction::Leave("SIGINT")),
        (SignalKind::hangup(), SignalAction::Leave("SIGHUP")),
        (SignalKind::quit(), SignalAction::Leave("SIGQUIT")),
        (SignalKind::from_raw(SIGTSTP), SignalAction::Stop),
        (SignalKind::from_raw(SIGCONT), SignalAction::GoOn),
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
