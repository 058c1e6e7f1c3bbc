//! What the terminal can do, as far as the environment tells; pure functions of a look-up, asking the terminal nothing
//! (an answer can be late, missing, or land in the middle of what is typed).

use crate::app::look::{Charset, Colours};

use super::RuntimeError;
use super::notice::Notices;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    pub colours: Colours,
    pub charset: Charset,
    /// Whether it takes UTF-8, as the locale has it.
    pub utf8: bool,
    /// Whether to say where a frame begins and ends (`CSI ? 2026 h`).
    pub synchronized_output: bool,
    pub notices: Notices,
    pub tmux: bool,
}

/// A terminal that can do everything.
#[cfg(test)]
pub(super) const CAPABLE: Capability = Capability {
    colours: Colours::True,
    charset: Charset::Unicode,
    utf8: true,
    synchronized_output: true,
    notices: Notices::Both,
    tmux: false,
};

/// Terminals with 24 bits of colour that do not always say so in `COLORTERM`.
const TRUE_COLOUR_TERMS: [&str; 7] =
    ["kitty", "alacritty", "wezterm", "ghostty", "foot", "contour", "direct"];
const TRUE_COLOUR_PROGRAMS: [&str; 4] = ["iTerm.app", "WezTerm", "ghostty", "vscode"];

/// What the environment says; `env` looks a variable up.
///
/// # Errors
/// [`RuntimeError::Dumb`] for a terminal that cannot move its cursor, or of which nobody knows whether it can.
pub fn capability(env: impl Fn(&str) -> Option<String>) -> Result<Capability, RuntimeError> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let Some(term) = env("TERM").filter(|term| term != "dumb") else { return Err(RuntimeError::Dumb) };
    let utf8 = takes_utf8(env);
    Ok(Capability {
        colours: colours(&term, &env),
        charset: charset(&term, utf8),
        utf8,
        synchronized_output: supports_synchronized_output(&term),
        notices: notices(&term, &env),
        tmux: env("TMUX").is_some(),
    })
}

fn colours(term: &str, env: &impl Fn(&str) -> Option<String>) -> Colours {
    // https://no-color.org: present and not empty, whatever the value
    if env("NO_COLOR").is_some()
        || term.starts_with("vt1")
        || term.starts_with("vt2")
        || term.ends_with("-mono")
    {
        return Colours::None;
    }
    // GNU screen hands COLORTERM on but garbles 24 bits; tmux says "screen" too and translates
    let is_gnu_screen = env("STY").is_some() && env("TMUX").is_none();
    let says_true = env("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
        || TRUE_COLOUR_TERMS.iter().any(|name| term.contains(name))
        || env("TERM_PROGRAM").is_some_and(|name| TRUE_COLOUR_PROGRAMS.contains(&name.as_str()));
    if says_true && !is_gnu_screen && term != "linux" {
        Colours::True
    } else if term.contains("256") {
        Colours::Indexed
    } else {
        Colours::Sixteen
    }
}

/// Whether the locale has UTF-8; `env` looks a variable up.
pub fn takes_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    // the order of locale(7)
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env(name).filter(|is| !is.is_empty()));
    let locale = named.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

fn charset(term: &str, utf8: bool) -> Charset {
    // the console's font has no braille, which charts are drawn with, and what was built before Unicode has nothing of it
    let is_old = ["linux", "vt1", "vt2", "cons"].iter().any(|name| term.starts_with(name));
    if is_old || !utf8 { Charset::Ascii } else { Charset::Unicode }
}

/// Terminals skip private modes that they do not know, so frames are marked for all but those that are known to be too
/// old for any: there it would only be bytes on a slow line. Asking (`DECRQM`) costs a round trip before the first frame.
fn supports_synchronized_output(term: &str) -> bool {
    let too_old = ["linux", "vt", "cons", "sun", "ansi"];
    !too_old.iter().any(|name| term.starts_with(name))
}

/// Some know OSC 9, some OSC 777; those that know both would show everything twice.
fn notices(term: &str, env: &impl Fn(&str) -> Option<String>) -> Notices {
    let program = env("TERM_PROGRAM").unwrap_or_default();
    let is_one_of = |names: &[&str]| names.iter().any(|name| term.contains(name) || program.contains(name));
    // GNU screen hands nothing on, and what stands in the way of tmux is told by its own variables
    if !supports_synchronized_output(term) || (env("STY").is_some() && env("TMUX").is_none()) {
        Notices::None
    } else if is_one_of(&["iTerm", "wezterm", "WezTerm", "ghostty", "kitty"]) || env("WT_SESSION").is_some() {
        Notices::Nine
    } else if is_one_of(&["foot", "rxvt"]) || env("VTE_VERSION").is_some() {
        Notices::Seven
    } else {
        Notices::Both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(env: &[(&str, &str)]) -> Capability {
        let env = [("TERM", "xterm")].iter().chain(env).rev();
        capability(|name| env.clone().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
            .unwrap()
    }

    #[test]
    fn notifications_are_sent_in_one_way_where_it_is_known_which() {
        for (env, notices) in [
            (&[("TERM", "xterm-kitty")][..], Notices::Nine),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Notices::Nine),
            (&[("TERM", "xterm-256color"), ("WT_SESSION", "x")], Notices::Nine),
            (&[("TERM", "foot")], Notices::Seven),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], Notices::Seven),
            (&[("TERM", "xterm-256color")], Notices::Both),
            (&[("TERM", "linux")], Notices::None),
            (&[("TERM", "screen"), ("STY", "1.x")], Notices::None),
        ] {
            assert_eq!(of(env).notices, notices, "{env:?}");
        }
        assert!(of(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/x")]).tmux);
    }

    #[test]
    fn colours_follow_what_the_terminal_says() {
        for (env, colours) in [
            (&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")][..], Colours::True),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "24bit")], Colours::True),
            (&[("TERM", "xterm-256color"), ("COLORTERM", "yes")], Colours::Indexed),
            (&[("TERM", "xterm-256color")], Colours::Indexed),
            (&[("TERM", "tmux-256color"), ("COLORTERM", "truecolor"), ("TMUX", "x")], Colours::True),
            (
                &[("TERM", "screen.xterm-256color"), ("COLORTERM", "truecolor"), ("STY", "1.x")],
                Colours::Indexed,
            ),
            (
                &[("TERM", "screen-256color"), ("COLORTERM", "truecolor"), ("STY", "1"), ("TMUX", "x")],
                Colours::True,
            ),
            (&[("TERM", "screen"), ("COLORTERM", "truecolor"), ("STY", "1.x")], Colours::Sixteen),
            (&[("TERM", "xterm-kitty")], Colours::True),
            (&[("TERM", "xterm-ghostty")], Colours::True),
            (&[("TERM", "xterm-direct")], Colours::True),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], Colours::Indexed),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "iTerm.app")], Colours::True),
            (&[("TERM", "xterm")], Colours::Sixteen),
            (&[("TERM", "linux"), ("COLORTERM", "truecolor")], Colours::Sixteen),
            (&[("TERM", "vt100")], Colours::None),
            (&[("TERM", "vt220")], Colours::None),
            (&[("TERM", "xterm-mono")], Colours::None),
            (&[], Colours::Sixteen),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "0")], Colours::None),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "")], Colours::True),
        ] {
            assert_eq!(of(env).colours, colours, "{env:?}");
        }
    }

    #[test]
    fn characters_follow_the_locale_and_the_console_font() {
        for (env, charset, utf8) in [
            (&[("LANG", "en_GB.UTF-8")][..], Charset::Unicode, true),
            (&[("LANG", "C.utf8")], Charset::Unicode, true),
            (&[("LANG", "C")], Charset::Ascii, false),
            (&[], Charset::Ascii, false),
            (&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], Charset::Ascii, false),
            (&[("LC_ALL", ""), ("LANG", "de_DE.UTF-8")], Charset::Unicode, true),
            (&[("LC_CTYPE", "de_DE.UTF-8"), ("LANG", "C")], Charset::Unicode, true),
            (&[("LANG", "de_DE.ISO-8859-1")], Charset::Ascii, false),
            (&[("LANG", "de_DE.UTF-8"), ("TERM", "linux")], Charset::Ascii, true),
            (&[("LANG", "C"), ("TERM", "linux")], Charset::Ascii, false),
            (&[("LANG", "de_DE.UTF-8"), ("TERM", "vt100")], Charset::Ascii, true),
            (&[("LANG", "POSIX")], Charset::Ascii, false),
        ] {
            assert_eq!((of(env).charset, of(env).utf8), (charset, utf8), "{env:?}");
        }
    }

    #[test]
    fn frames_are_marked_but_for_the_very_old() {
        for (term, synchronized_output) in
            [("xterm-256color", true), ("tmux-256color", true), ("linux", false), ("vt220", false)]
        {
            assert_eq!(of(&[("TERM", term)]).synchronized_output, synchronized_output, "{term}");
        }
    }

    #[test]
    fn a_terminal_that_is_dumb_or_has_no_name_is_refused() {
        for term in [Some("dumb"), Some(""), None] {
            let env = |_: &str| term.map(str::to_owned);
            assert!(matches!(capability(env), Err(RuntimeError::Dumb)), "{term:?}");
        }
    }
}
