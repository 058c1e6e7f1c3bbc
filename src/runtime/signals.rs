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
const LOOK: Duration = Duration::from_millis(400);
/// SIGCONT has no name in tokio.
const CONTINUED: i32 = if cfg!(target_os = "linux") { 18 } else { 19 };

/// Nor has SIGTSTP.
const STOPPED: i32 = if cfg!(target_os = "linux") { 20 } else { 18 };

/// Nor has SIGXFSZ.
const FILE_TOO_LARGE: i32 = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
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
    signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
}

/// Starts listening.
///
/// # Errors
/// What the system says when a handler cannot be set.
pub(super) fn listen() -> io::Result<mpsc::Receiver<Order>> {
    let (orders, inbox) = mpsc::channel(4);
    let kinds = [
        (SignalKind::terminate(), Order::Leave("SIGTERM")),
        (SignalKind::interrupt(), Order::Leave("SIGINT")),
        (SignalKind::hangup(), Order::Leave("SIGHUP")),
        (SignalKind::quit(), Order::Leave("SIGQUIT")),
        (SignalKind::from_raw(STOPPED), Order::Stop),
        (SignalKind::from_raw(CONTINUED), Order::GoOn),
    ];
    for (kind, order) in kinds {
        tokio::spawn(forward(signal(kind)?, order, orders.clone()));
    }
    tokio::spawn(look(orders));
    Ok(inbox)
}

async fn forward(mut signal: Signal, order: Order, orders: mpsc::Sender<Order>) {
    while signal.recv().await.is_some() {
        if orders.send(order).await.is_err() {
            return;
        }
    }
}

async fn look(orders: mpsc::Sender<Order>) {
    let mut next = interval(LOOK);
    next.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !orders.is_closed() {
        next.tick().await;
        if !terminal::is_there() {
            orders.send(Order::Leave("the terminal is gone")).await.ok();
            return;
        }
    }
}
