//! The escape sequences for the bell, desktop notifications and the window title. Pure functions.

use std::fmt::Write as _;

use crate::model::notify::Notification;

/// Saves the terminal's current title on its stack.
pub(super) const KEEP_TITLE: &str = "\x1b[22;0t";
/// Restores the saved title.
pub(super) const RESTORE_TITLE: &str = "\x1b[23;0t";

/// The escape sequence for desktop notifications that the terminal supports, by its environment variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notices {
    /// Only the bell.
    None,
    /// OSC 9: iTerm2, `WezTerm`, Ghostty, kitty, Windows Terminal.
    Nine,
    /// OSC 777: foot, rxvt, and terminals based on VTE.
    Seven,
    /// Unknown: both are sent, and terminals ignore the one that they do not know.
    Both,
}

/// The bytes of a notification. Inside tmux they are wrapped for the outer terminal (tmux option `allow-passthrough`).
pub(super) fn bytes(notice: &Notification, notices: Notices, tmux: bool) -> String {
    let mut out = String::new();
    if let Some((title, body)) = &notice.desktop {
        let (title, body) = (without_controls(title), without_controls(body));
        if matches!(notices, Notices::Nine | Notices::Both) {
            push_sequence(&mut out, &format!("\x1b]9;{title}: {body}\x07"), tmux);
        }
        if matches!(notices, Notices::Seven | Notices::Both) {
            // in OSC 777 a semicolon ends the title
            let title = title.replace(';', ",");
            push_sequence(&mut out, &format!("\x1b]777;notify;{title};{body}\x07"), tmux);
        }
    }
    if notice.bell {
        out.push('\x07');
    }
    out
}

/// The bytes that set the window title.
pub(super) fn title(text: &str) -> String {
    format!("\x1b]2;{}\x07", without_controls(text))
}

/// Removes control characters, which could end the escape sequence.
fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Adds an escape sequence; inside tmux wrapped for the outer terminal, with each ESC doubled.
fn push_sequence(out: &mut String, sequence: &str, tmux: bool) {
    let written = if tmux {
        write!(out, "\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
    } else {
        write!(out, "{sequence}")
    };
    written.expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notification {
        Notification {
            bell: true,
            desktop: Some(("Page; in prod".into(), "cart\u{1b}]0;x\u{7} is down\u{9c}".into())),
        }
    }

    #[test]
    fn each_terminal_is_told_in_its_own_way_and_nothing_ends_the_sequence() {
        assert_eq!(bytes(&notice(), Notices::Nine, false), "\x1b]9;Page; in prod: cart]0;x is down\x07\x07");
        assert_eq!(
            bytes(&notice(), Notices::Seven, false),
            "\x1b]777;notify;Page, in prod;cart]0;x is down\x07\x07"
        );
        assert_eq!(bytes(&notice(), Notices::None, false), "\x07");
        let silent = Notification { bell: false, ..notice() };
        assert_eq!(bytes(&silent, Notices::Both, false).matches('\x07').count(), 2);
        assert_eq!(title("(2!) burn\x1bwatch"), "\x1b]2;(2!) burnwatch\x07");
    }

    #[test]
    fn in_tmux_it_is_passed_through() {
        let notice = Notification { bell: false, ..notice() };
        let push_sequence = bytes(&notice, Notices::Nine, true);
        assert_eq!(push_sequence, "\x1bPtmux;\x1b\x1b]9;Page; in prod: cart]0;x is down\x07\x1b\\");
    }
}
