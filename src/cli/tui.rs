//! `burnwatch` and `burnwatch demo`: open the screen.

use std::io::{IsTerminal, stdin, stdout};

use crate::app::state::State;
use crate::runtime::{Program, RuntimeError, capability, is_serial, log, run as show, size};

use super::printer::{ExitOutcome, print_error};
use super::{CliContext, VerbResult};

/// What to do without a terminal.
pub(super) const INSTEAD: &str = "Without a terminal use\n  \
    burnwatch status | services | alerts | sources   lists, also with --output json or markdown\n  \
    burnwatch snapshot overview                      print a screen\n  \
    burnwatch doctor                                 check the sources";

pub(super) fn run(cx: &CliContext<'_>) -> VerbResult {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return Err(RuntimeError::NotATerminal.into());
    }
    let env = |name: &str| std::env::var(name).ok();
    let capability = capability(env)?;
    let session = cx.session(false)?;
    let log_file = cx.paths.as_ref().map(|paths| paths.log.clone());
    if let Some(path) = &log_file
        && let Err(error) = log::open(path, env(log::LEVEL_VARIABLE).as_deref())
    {
        // a full disk or a read-only home directory must not keep the screen from opening
        print_error(&format!("no log is written: {}: {error}", path.display()));
    }
    let low_bandwidth = session.settings.ui.low_bandwidth.or_else(|| is_serial().then_some(true));
    let mut setup = session.setup(size(), capability.colours, (capability.charset, capability.chart_symbols));
    if low_bandwidth == Some(true) {
        setup.look.spare();
    }
    let queries = cx.paths.as_ref().map(|paths| paths.queries(cx.demo.is_some()));
    let program = Program {
        queries,
        app: State::new(setup),
        executor: session.executor(),
        sources: session.active.sources,
        contexts: session.active.context_opener,
        capability,
        mouse: session.settings.ui.mouse.unwrap_or(true),
        low_bandwidth,
        log: log_file,
    };
    show(program)?;
    Ok(ExitOutcome::Fine)
}
