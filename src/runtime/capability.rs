//! The capabilities of the terminal, derived from environment variables. The terminal itself is not queried: an answer can be
//! late or missing, or arrive between the user's keys.

use crate::app::display_settings::{Charset, ChartSymbols, Colours};

use super::RuntimeError;
use super::notice::Notices;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The colours that the terminal supports.
    pub colours: Colours,
    /// The characters that the terminal can draw.
    pub charset: Charset,
    /// The finest characters for charts that the terminal is known to draw.
    pub chart_symbols: ChartSymbols,
    /// Whether the locale uses UTF-8.
    pub utf8: bool,
    /// Whether to mark the beginning and the end of each frame (synchronized output, `CSI ? 2026 h`).
    pub synchronized_output: bool,
    /// The escape sequence for desktop notifications. With `None` there is no title either.
    pub notices: Notices,
    /// Whether burnwatch runs inside tmux.
    pub tmux: bool,
}

/// A terminal with all capabilities.
#[cfg(test)]
pub(super) const CAPABLE: Capability = Capability {
    colours: Colours::True,
    charset: Charset::Unicode,
    chart_symbols: ChartSymbols::Octant,
    utf8: true,
    synchronized_output: true,
    notices: Notices::Both,
    tmux: false,
};

/// Parts of `TERM` of terminals with 24-bit colour that do not always set `COLORTERM`.
const TRUE_COLOUR_TERMS: [&str; 7] =
    ["kitty", "alacritty", "wezterm", "ghostty", "foot", "contour", "direct"];
const TRUE_COLOUR_PROGRAMS: [&str; 4] = ["iTerm.app", "WezTerm", "ghostty", "vscode"];

/// The capabilities by the environment; `env` returns the value of a variable.
///
/// # Errors
/// [`RuntimeError::Dumb`] for a terminal that cannot move its cursor (`TERM=dumb`), or without `TERM`.
pub fn capability(env: impl Fn(&str) -> Option<String>) -> Result<Capability, RuntimeError> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let Some(term) = env("TERM").filter(|term| term != "dumb") else { return Err(RuntimeError::Dumb) };
    let utf8 = takes_utf8(env);
    Ok(Capability {
        colours: colours(&term, &env),
        charset: charset(&term, utf8),
        chart_symbols: chart_symbols(&env),
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
    // GNU screen passes COLORTERM on, but breaks 24-bit colours; tmux also sets TERM to "screen", and converts colours
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

/// Whether the locale uses UTF-8; `env` returns the value of a variable.
pub fn takes_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    // the order of locale(7)
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env(name).filter(|is| !is.is_empty()));
    let locale = named.unwrap_or_default().to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// Unicode in a UTF-8 locale, except on terminals without Braille characters.
fn charset(term: &str, utf8: bool) -> Charset {
    // charts are drawn with Braille characters, which the font of the Linux console and older terminals do not have
    let is_old = ["linux", "vt1", "vt2", "cons"].iter().any(|name| term.starts_with(name));
    if is_old || !utf8 { Charset::Ascii } else { Charset::Unicode }
}

/// Terminals that draw octants (U+1CD00 to U+1CDE5) themselves, by the name in `TERM_PROGRAM`, each with its first version that
/// does. foot 1.20 does, too, but does not say its version.
const OCTANT_PROGRAMS: [(&str, (u32, u32)); 2] = [("ghostty", (1, 2)), ("kitty", (0, 40))];
/// The same by `VTE_VERSION`, which is the version without dots: 7802 for 0.78.2.
const OCTANT_VTE: u32 = 7800;

/// Octants where the terminal says a version that draws them. In a multiplexer, which does not know their width for sure and may
/// be attached to another terminal later, and where nothing is known: braille.
fn chart_symbols(env: &impl Fn(&str) -> Option<String>) -> ChartSymbols {
    if ["TMUX", "STY", "ZELLIJ"].iter().any(|name| env(name).is_some()) {
        return ChartSymbols::Braille;
    }
    let version = env("TERM_PROGRAM_VERSION").as_deref().and_then(version);
    let program = env("TERM_PROGRAM");
    let is_known = OCTANT_PROGRAMS
        .iter()
        .any(|(name, since)| program.as_deref() == Some(name) && version.is_some_and(|own| own >= *since));
    let vte = env("VTE_VERSION").and_then(|version| version.parse::<u32>().ok());
    if is_known || vte.is_some_and(|version| version >= OCTANT_VTE) {
        ChartSymbols::Octant
    } else {
        ChartSymbols::Braille
    }
}

/// The first two numbers of a version: `1.3.1-arch2` is 1 and 3.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether to mark frames. Terminals ignore private modes that they do not know, so frames are marked for all terminals except
/// very old ones, where the marks would only cost time. A query (`DECRQM`) would delay the first frame by a round trip.
fn supports_synchronized_output(term: &str) -> bool {
    let too_old = ["linux", "vt", "cons", "sun", "ansi"];
    !too_old.iter().any(|name| term.starts_with(name))
}

/// The escape sequence for notifications: some terminals know OSC 9, some OSC 777. Terminals that know both get one of them,
/// so that a notification is not shown twice.
fn notices(term: &str, env: &impl Fn(&str) -> Option<String>) -> Notices {
    let program = env("TERM_PROGRAM").unwrap_or_default();
    let is_one_of = |names: &[&str]| names.iter().any(|name| term.contains(name) || program.contains(name));
    // GNU screen passes no notifications on; inside tmux the variables of the outer terminal decide
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
    fn octants_are_drawn_where_a_version_that_draws_them_says_so() {
        let symbols = |env: &[(&str, &str)]| of(env).chart_symbols;
        let program = |name, version| symbols(&[("TERM_PROGRAM", name), ("TERM_PROGRAM_VERSION", version)]);
        for (name, version, expected) in [
            ("ghostty", "1.3.1-arch2", ChartSymbols::Octant),
            ("ghostty", "1.2.0", ChartSymbols::Octant),
            ("ghostty", "1.1.3", ChartSymbols::Braille),
            ("kitty", "0.42.1", ChartSymbols::Octant),
            ("kitty", "0.39.1", ChartSymbols::Braille),
            ("kitty", "1.0", ChartSymbols::Octant),
            ("kitty", "next", ChartSymbols::Braille),
            ("iTerm.app", "3.6.0", ChartSymbols::Braille),
        ] {
            assert_eq!(program(name, version), expected, "{name} {version}");
        }
        assert_eq!(symbols(&[("VTE_VERSION", "7802")]), ChartSymbols::Octant);
        assert_eq!(symbols(&[("VTE_VERSION", "7603")]), ChartSymbols::Braille);
        assert_eq!(symbols(&[("TERM", "xterm-kitty")]), ChartSymbols::Braille);
        assert_eq!(symbols(&[("TERM", "foot")]), ChartSymbols::Braille);
        assert_eq!(symbols(&[("VTE_VERSION", "7802"), ("TMUX", "/tmp/x")]), ChartSymbols::Braille);
        assert_eq!(symbols(&[]), ChartSymbols::Braille);
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
