//! Keys in the notation of the key map: `q`, `ctrl-c`, `shift-tab`, `pageup`.

use std::fmt;
use std::str::FromStr;

use crate::model::words::words;

/// A key without modifiers. A capital letter is a character of its own; Shift is a modifier only for named keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character, as typed.
    Char(char),
    Named(NamedKey),
}

words! {
    /// The keys that have a name in the key map.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum NamedKey: word {
        Enter = "enter",
        Esc = "esc",
        Tab = "tab",
        Backspace = "backspace",
        Delete = "delete",
        Up = "up",
        Down = "down",
        Left = "left",
        Right = "right",
        Home = "home",
        End = "end",
        PageUp = "pageup",
        PageDown = "pagedown",
        Space = "space",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
    /// With Shift; only for named keys.
    pub shift: bool,
}

impl Key {
    /// The key that types this character.
    pub const fn char(c: char) -> Self {
        let code = if c == ' ' { Code::Named(NamedKey::Space) } else { Code::Char(c) };
        Self { code, ctrl: false, alt: false, shift: false }
    }

    pub const fn named(named: NamedKey) -> Self {
        Self { code: Code::Named(named), ctrl: false, alt: false, shift: false }
    }

    /// The character that the key inserts into a text field; None if it inserts none.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(_) | Code::Named(_) if self.ctrl || self.alt => None,
            Code::Char(c) => Some(c),
            Code::Named(NamedKey::Space) => Some(' '),
            Code::Named(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a key; valid examples: q, ctrl-c, alt-x, shift-tab, enter, pageup, space")]
pub struct KeyError(String);

impl FromStr for Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError(text.to_owned());
        let mut key = Self::char('\0');
        let mut rest = text;
        while let Some((modifier, tail)) = rest.split_once('-').filter(|(_, tail)| !tail.is_empty()) {
            match modifier {
                "ctrl" => key.ctrl = true,
                "alt" => key.alt = true,
                "shift" => key.shift = true,
                _ => break,
            }
            rest = tail;
        }
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && c != ' ' && !key.shift => Code::Char(c),
            _ => {
                let mut all = NamedKey::ALL.into_iter();
                Code::Named(all.find(|key| key.word().eq_ignore_ascii_case(rest)).ok_or_else(wrong)?)
            }
        };
        Ok(key)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, prefix) in [(self.ctrl, "ctrl-"), (self.alt, "alt-"), (self.shift, "shift-")] {
            if held {
                f.write_str(prefix)?;
            }
        }
        match self.code {
            Code::Char(c) => write!(f, "{c}"),
            Code::Named(named) => f.write_str(named.word()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back_as_it_is_written() {
        for text in [
            "q",
            "Q",
            "-",
            "ctrl-c",
            "ctrl--",
            "alt-x",
            "shift-tab",
            "space",
            "pageup",
            "ctrl-alt-delete",
            "?",
            "ä",
        ] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        assert_eq!("PageUp".parse::<Key>().unwrap().to_string(), "pageup");
        for wrong in ["", "ctrl-", "shift-a", "hyper-x", "enterr", " ", "\x1b"] {
            assert!(wrong.parse::<Key>().is_err(), "{wrong:?}");
        }
    }
}
