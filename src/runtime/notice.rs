//! Bell, notifications and the title as a terminal is told of them: pure functions from words to bytes.

use std::fmt::Write as _;

use crate::model::notify::Notification;

/// Keeps the title that the terminal has, for the end.
pub(super) const KEEP_TITLE: &str = "\x1b[22;0t";
/// Brings it back.
pub(super) const RESTORE_TITLE: &str = "\x1b[23;0t";

/// How the terminal takes notifications, as far as the environment tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notices {
    /// Only the bell.
    None,
    /// OSC 9: iTerm2, `WezTerm`, Ghostty, kitty, Windows Terminal.
    Nine,
    /// OSC 777: foot, rxvt, terminals of VTE.
    Seven,
    /// Nobody knows: both, whoever knows none of them is silent.
    Both,
}

/// The bytes of a notice. In tmux they go past it to the terminal around it (`allow-passthrough`).
pub(super) fn bytes(notice: &Notification, notices: Notices, tmux: bool) -> String {
    let mut out = String::new();
    if let Some((title, body)) = &notice.desktop {
        let (title, body) = (without_controls(title), without_controls(body));
        if matches!(notices, Notices::Nine | Notices::Both) {
            push_sequence(&mut out, &format!("\x1b]9;{title}: {body}\x07"), tmux);
        }
        if matches!(notices, Notices::Seven | Notices::Both) {
            // a semicolon would end the title
            let title = title.replace(';', ",");
            push_sequence(&mut out, &format!("\x1b]777;notify;{title};{body}\x07"), tmux);
        }
    }
    if notice.bell {
        out.push('\x07');
    }
    out
}

pub(super) fn title(text: &str) -> String {
    format!("\x1b]2;{}\x07", without_controls(text))
}

/// Whatever was cleaned before: nothing that could end the sequence leaves by this door.
fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

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
