//! The keys of a screen, drawn from the table that dispatches them.

use super::commands::Command;
use super::state::State;
use super::theme::Role;
use super::update::scopes;
use super::widgets::text::{self, Run};

/// Lines of the frame around the help text.
pub(super) const FRAME: u16 = 4;

/// The lines of help for a place.
pub(super) fn lines(state: &State) -> Vec<Vec<Run<'static>>> {
    let keys = &state.keys;
    let mut lines = Vec::new();
    // where nothing may be changed, what changes something is not there
    let is_read_only = state.guard.read_only.is_some();
    let mut all: Vec<_> = scopes(state.place()).filter(|scope| !(is_read_only && scope.writes())).collect();
    // what is special here is what one looks for
    all.reverse();
    for scope in all {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![Run::new(scope.title(), Role::Title)]);
        for command in Command::ALL.iter().filter(|command| command.scope() == scope) {
            let names: Vec<String> = keys.of(*command).iter().map(ToString::to_string).collect();
            lines.push(vec![
                Run::new(format!("  {:<18}", names.join(" ")), Role::Key),
                Run::new(command.help(), Role::Text),
            ]);
        }
    }
    lines
}

/// Cells of the widest line.
pub(super) fn width(lines: &[Vec<Run<'_>>]) -> u16 {
    lines.iter().map(|line| line.iter().map(|run| text::width(&run.text)).sum()).max().unwrap_or(0)
}

/// How many columns of lines stand side by side in a terminal of this width.
pub(super) fn columns(lines: &[Vec<Run<'_>>], terminal: u16) -> usize {
    if terminal >= 2 * width(lines) + 8 { 2 } else { 1 }
}

/// How far down help can be scrolled.
pub(super) fn last_top(state: &State) -> u16 {
    let lines = lines(state);
    let rows = lines.len().div_ceil(columns(&lines, state.size.0));
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_sub(state.size.1.saturating_sub(FRAME))
}
