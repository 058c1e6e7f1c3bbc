//! `burnwatch` and `burnwatch demo`: the screen.

use std::io::{IsTerminal, stdin, stdout};

use crate::app::state::State;
use crate::runtime::{Program, RuntimeError, capability, log, run as show, size};

use super::printer::{Outcome, complain};
use super::{Cx, failed};

const NO_TERMINAL: &str = "the screen needs a terminal for its input and output. Without one there are\n  \
    burnwatch status | services | alerts | sources   lists, also with --output json or markdown\n  \
    burnwatch snapshot overview                      a picture of a screen\n  \
    burnwatch doctor                                 what is wrong with a source, and what to do";

pub(super) fn run(cx: &Cx<'_>) -> Outcome {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        complain(NO_TERMINAL);
        return Outcome::Misused;
    }
    let session = match cx.session(false) {
        Ok(session) => session,
        Err(error) => return failed(&error),
    };
    let env = |name: &str| std::env::var(name).ok();
    let capability = match capability(env) {
        Ok(capability) => capability,
        Err(error) => return refused(&error),
    };
    let log_file = cx.paths.as_ref().map(|paths| paths.log.clone());
    if let Some(path) = &log_file
        && let Err(error) = log::open(path, env(log::LEVEL_VARIABLE).as_deref())
    {
        // a full disk or a read-only home is no reason to be blind at night
        complain(&format!("no log: {}: {error}", path.display()));
    }
    let program = Program {
        app: State::new(session.setup(size(), capability.colours, capability.charset)),
        context: session.reach.context.as_str().into(),
        guard: session.reach.guard.clone(),
        journal: Some(session.journal),
        sources: session.reach.sources,
        contexts: session.reach.entrances,
        clock: session.reach.clock,
        capability,
        mouse: session.settings.ui.mouse.unwrap_or(true),
        log: log_file,
    };
    match show(program) {
        Ok(()) => Outcome::Fine,
        Err(error) => refused(&error),
    }
}

fn refused(error: &RuntimeError) -> Outcome {
    complain(&error.to_string());
    match error {
        RuntimeError::NotATerminal | RuntimeError::Dumb => Outcome::Misused,
        RuntimeError::Terminal(_) | RuntimeError::Lost(_) | RuntimeError::Start(_) => Outcome::Unwell,
    }
}
