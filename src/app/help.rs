//! The help overlay: the keys of the current screen and the symbols, both drawn from the tables that define them.

use super::commands::{Command, Scope};
use super::state::State;
use super::theme::Role;
use super::widgets::text::{self, StyledRun};

/// Lines of the border and the title around the help text.
pub(super) const FRAME: u16 = 4;
/// Cells of the border, both sides together.
const SIDES: u16 = 2;
/// Blanks before a key, and at least as many after it.
const GAP: u16 = 2;

/// The laid out help text.
pub(super) struct Help {
    pub(super) lines: Vec<Vec<StyledRun<'static>>>,
    /// How many columns stand side by side: 1 or 2.
    pub(super) columns: usize,
    /// The width of a column in cells.
    pub(super) width: u16,
}

impl Help {
    /// The lines of the tallest column.
    pub(super) fn rows(&self) -> usize {
        self.lines.len().div_ceil(self.columns)
    }
}

/// A key or a symbol with its description; a title without description; or nothing, for an empty line.
type HelpEntry = (StyledRun<'static>, String);

/// The help text of the current screen for a terminal of this width: in two columns if both fit, else in one, with long
/// lines wrapped.
pub(super) fn laid_out(state: &State, terminal: u16) -> Help {
    let entries = entries(state);
    let rows = entries.iter().filter(|(_, words)| !words.is_empty());
    let indent = rows.map(|(head, _)| text::width(&head.text)).max().unwrap_or(0) + 2 * GAP;
    let width = |(head, words): &HelpEntry| {
        if words.is_empty() { text::width(&head.text) } else { indent + text::width(words) }
    };
    let widest = entries.iter().map(width).max().unwrap_or(0);
    let columns = if terminal >= 2 * widest + 8 { 2 } else { 1 };
    let width = widest.min(terminal.saturating_sub(SIDES));
    // in a narrow terminal keys take a third of the width, and longer keys have their description below them
    let indent = indent.min((width / 3).max(8));
    let mut lines = Vec::new();
    for (head, words) in entries {
        if !words.is_empty() {
            lines.extend(row(head, &words, indent, width));
        } else if head.text.is_empty() {
            lines.push(Vec::new());
        } else {
            let title = text::wrap(&head.text, width).into_iter();
            lines.extend(title.map(|line| vec![StyledRun::new(line, head.role)]));
        }
    }
    Help { lines, columns, width: widest }
}

/// Writes a key or symbol and its description, wrapped.
fn row(head: StyledRun<'static>, words: &str, indent: u16, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let blank = |cells: u16| StyledRun::new(" ".repeat(usize::from(cells)), Role::Text);
    let used = GAP + text::width(&head.text);
    let mut words = text::wrap(words, width.saturating_sub(indent)).into_iter();
    let mut first = vec![blank(GAP), head];
    if used < indent {
        first.push(blank(indent - used));
        first.extend(words.next().map(|line| StyledRun::new(line, Role::Text)));
    }
    let rest = words.map(|line| vec![blank(indent), StyledRun::new(line, Role::Text)]);
    std::iter::once(first).chain(rest).collect()
}

fn entries(state: &State) -> Vec<HelpEntry> {
    let keys = &state.shared.keys;
    let mut entries = Vec::new();
    // a read-only context has no commands that change external systems
    let is_read_only = state.shared.guard.read_only.is_some();
    let here = std::iter::once(Scope::Global).chain(state.screen().scopes().iter().copied());
    let mut all: Vec<_> = here.filter(|scope| !(is_read_only && scope.writes())).collect();
    // the keys of this screen come before the global ones
    all.reverse();
    for scope in all {
        entries.push((StyledRun::new(scope.title(), Role::Title), String::new()));
        for command in Command::all().filter(|command| command.scope() == scope) {
            let names: Vec<String> = keys.of(command).iter().map(ToString::to_string).collect();
            entries.push((StyledRun::new(names.join(" "), Role::Key), command.help().to_owned()));
        }
        entries.push((StyledRun::new("", Role::Text), String::new()));
    }
    entries.push((StyledRun::new("Symbols", Role::Title), String::new()));
    entries.extend(Role::legend().map(|role| {
        let symbol = state.shared.look.charset.pick(role.symbol(), role.ascii());
        (StyledRun::new(symbol, role), role.meaning())
    }));
    entries
}

/// The largest scroll position of the help text, in lines.
pub(super) fn last_top(state: &State) -> u16 {
    let rows = laid_out(state, state.shared.size.0).rows();
    u16::try_from(rows).unwrap_or(u16::MAX).saturating_sub(state.shared.size.1.saturating_sub(FRAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::display_settings::{Charset, Colours, DisplaySettings};
    use crate::app::place::Tab;
    use crate::app::shared::Shared;

    fn without_blanks(text: &str) -> String {
        text.split_whitespace().collect()
    }

    #[test]
    fn every_line_of_help_is_whole_in_terminals_of_any_width() {
        let setup = Shared::new(
            "demo",
            Vec::new(),
            DisplaySettings::probe(Colours::True, Charset::Unicode),
            (80, 24),
        );
        let mut state = State::new(setup);
        for tab in Tab::ALL {
            state.reset_to(tab.place());
            for terminal in 40..=200 {
                let help = laid_out(&state, terminal);
                let wide =
                    |line: &Vec<StyledRun<'_>>| line.iter().map(|run| text::width(&run.text)).sum::<u16>();
                let room = (terminal - SIDES) / u16::try_from(help.columns).unwrap();
                assert!(help.lines.iter().all(|line| wide(line) <= room), "{} at {terminal}", tab.title());
                let whole: String =
                    help.lines.iter().flatten().map(|run| without_blanks(&run.text)).collect();
                for (head, words) in entries(&state) {
                    let row = without_blanks(&format!("{}{words}", head.text));
                    assert!(whole.contains(&row), "{} at {terminal}: {words:?}", tab.title());
                }
            }
        }
    }
}
