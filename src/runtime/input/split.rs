//! Rejoins escape sequences that a slow connection cut after the Escape. crossterm 0.29 treats an Escape at the end of the
//! available input as the key Esc, and the rest as letters: an arrow key would be `Esc`, `[`, `A`, and a paste would be many
//! commands.

use std::time::Duration;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// How late the rest of a sequence may arrive. The key Esc is delayed by this time; nobody types `[` so soon after it.
const REST_TIMEOUT: Duration = Duration::from_millis(30);
/// The longest pause within a paste over a slow connection.
const PASTE_PAUSE: Duration = Duration::from_millis(200);
/// Longer sequences are ignored.
const MAX_SEQUENCE: usize = 32;

/// The events of a sequence after its Escape. `next` returns the next event within a time.
pub(super) fn rejoin(mut next: impl FnMut(Duration) -> Option<TerminalEvent>) -> Vec<TerminalEvent> {
    let first = next(REST_TIMEOUT);
    let Some(opening) = first.as_ref().and_then(letter).filter(|c| matches!(c, '[' | 'O')) else {
        return [Some(key(KeyCode::Esc)), first].into_iter().flatten().collect();
    };
    let mut rest = String::new();
    while rest.len() < MAX_SEQUENCE {
        let Some(happened) = next(REST_TIMEOUT) else { break };
        let Some(c) = letter(&happened) else { return vec![happened] };
        rest.push(c);
        if matches!(c, '@'..='Z' | 'a'..='~') {
            break;
        }
    }
    match rest.as_str() {
        "" => vec![key(KeyCode::Esc), key(KeyCode::Char(opening))],
        "200~" => vec![TerminalEvent::Paste(pasted(next))],
        rest => key_of_sequence(rest).map(key).into_iter().collect(),
    }
}

/// The text of a paste, up to a pause: crossterm does not report the end mark, because it did not see the start mark.
fn pasted(mut next: impl FnMut(Duration) -> Option<TerminalEvent>) -> String {
    let mut text = String::new();
    while let Some(happened) = next(PASTE_PAUSE) {
        match happened {
            TerminalEvent::Key(KeyEvent { code: KeyCode::Char(c), .. }) => text.push(c),
            TerminalEvent::Key(KeyEvent { code: KeyCode::Enter, .. }) => text.push('\n'),
            TerminalEvent::Key(KeyEvent { code: KeyCode::Tab, .. }) => text.push('\t'),
            _ => {}
        }
    }
    text
}

/// The key of an escape sequence, given without its introducer (`ESC [` or `ESC O`).
fn key_of_sequence(rest: &str) -> Option<KeyCode> {
    Some(match rest {
        "A" => KeyCode::Up,
        "B" => KeyCode::Down,
        "C" => KeyCode::Right,
        "D" => KeyCode::Left,
        "H" | "1~" | "7~" => KeyCode::Home,
        "F" | "4~" | "8~" => KeyCode::End,
        "Z" => KeyCode::BackTab,
        "3~" => KeyCode::Delete,
        "5~" => KeyCode::PageUp,
        "6~" => KeyCode::PageDown,
        // mouse actions, keys with modifiers and the terminal's answers are dropped, so that they are not taken for letters
        _ => return None,
    })
}

/// The ASCII character of a key press without Ctrl and Alt.
fn letter(happened: &TerminalEvent) -> Option<char> {
    match happened {
        TerminalEvent::Key(KeyEvent {
            code: KeyCode::Char(c), modifiers, kind: KeyEventKind::Press, ..
        }) if c.is_ascii() && KeyModifiers::SHIFT.contains(*modifiers) => Some(*c),
        _ => None,
    }
}

fn key(code: KeyCode) -> TerminalEvent {
    TerminalEvent::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Vec<TerminalEvent> {
        text.chars().map(|c| key(if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) })).collect()
    }

    fn after_escape(text: &str) -> (Vec<TerminalEvent>, usize) {
        let mut late = typed(text).into_iter();
        let found = rejoin(|_| late.next());
        (found, late.count())
    }

    #[test]
    fn a_sequence_that_was_cut_behind_its_escape_is_one_key() {
        for (rest, code) in [
            ("[A", KeyCode::Up),
            ("OB", KeyCode::Down),
            ("[Z", KeyCode::BackTab),
            ("[5~", KeyCode::PageUp),
            ("OH", KeyCode::Home),
        ] {
            assert_eq!(after_escape(rest), (vec![key(code)], 0), "{rest}");
        }
        assert_eq!(after_escape("[Bj"), (vec![key(KeyCode::Down)], 1), "what follows is left");
    }

    #[test]
    fn what_nobody_knows_is_nothing_rather_than_letters() {
        for rest in ["[<0;15;2M", "[1;5A", "[?62c", "[8;24;80t"] {
            assert_eq!(after_escape(rest), (vec![], 0), "{rest}");
        }
        assert_eq!(after_escape(&format!("[{}", "9".repeat(100))).0, vec![]);
    }

    #[test]
    fn a_paste_that_was_cut_is_text_and_no_commands() {
        assert_eq!(after_escape("[200~quit\nq").0, vec![TerminalEvent::Paste("quit\nq".into())]);
    }

    #[test]
    fn escape_alone_or_before_something_else_is_the_key() {
        let escape = key(KeyCode::Esc);
        assert_eq!(rejoin(|_| None), vec![escape.clone()]);
        assert_eq!(after_escape("j").0, vec![escape.clone(), key(KeyCode::Char('j'))]);
        assert_eq!(after_escape("[").0, vec![escape, key(KeyCode::Char('['))]);
    }

    #[test]
    fn a_resize_in_the_middle_is_not_lost() {
        let mut late = vec![key(KeyCode::Char('[')), TerminalEvent::Resize(80, 24)].into_iter();
        assert_eq!(rejoin(|_| late.next()), vec![TerminalEvent::Resize(80, 24)]);
    }
}
