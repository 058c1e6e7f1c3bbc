//! Runs the receiver of webhooks until a signal ends it.

use tokio::signal::unix::{SignalKind, signal};

use super::Tasks;
use crate::backend::listen::{ListenAddress, ListenOptions, WebhookListener};

/// Listens until SIGINT, SIGTERM or SIGHUP. `started` is called once it listens, `report` with a line about each request.
///
/// # Errors
/// Why it cannot listen, as text.
pub fn listen(
    address: &ListenAddress,
    options: ListenOptions,
    started: impl FnOnce(&WebhookListener),
    report: impl Fn(&str) + Clone + Send + 'static,
) -> Result<(), String> {
    let tasks = Tasks::start().map_err(|error| error.to_string())?;
    tasks.block_on(async {
        let ending = |kind| signal(kind).map_err(|error| error.to_string());
        let mut interrupt = ending(SignalKind::interrupt())?;
        let mut terminate = ending(SignalKind::terminate())?;
        let mut hangup = ending(SignalKind::hangup())?;
        let listener = WebhookListener::bind(address, options).await?;
        started(&listener);
        tokio::select! {
            () = listener.serve(report) => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        Ok(())
    })
}
