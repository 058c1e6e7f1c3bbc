//! Classes of characters: those in brackets, Perl's, POSIX's and Unicode's, as Go knows them.

use super::RegexParser;

/// A class without any character.
pub(super) const NONE: &str = r"[^\x{0}-\x{10FFFF}]";

/// What no text holds: half of a pair of UTF-16.
const SURROGATES: std::ops::RangeInclusive<u32> = 0xD800..=0xDFFF;

/// Unicode's general categories, as Go names them.
const CATEGORIES: [&str; 36] = [
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// Names of POSIX.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Scripts whose names are no longer than the codes for scripts, which Go does not take.
const SHORT_SCRIPTS: [&str; 9] = ["Ahom", "Cham", "Han", "Kawi", "Lao", "Lisu", "Thai", "Toto", "Vai"];

/// Perl's classes, of ASCII alone.
pub(super) fn perl(c: char) -> Option<&'static str> {
    Some(match c {
        'd' => "0-9",
        'D' => "^0-9",
        's' => "\\t\\n\\x0C\\r ",
        'S' => "^\\t\\n\\x0C\\r ",
        'w' => "0-9A-Za-z_",
        'W' => "^0-9A-Za-z_",
        _ => return None,
    })
}

/// A category or a script of Unicode, or all that is not in it; none if Go has no such name.
pub(super) fn unicode(name: &str, is_negative: bool) -> Option<String> {
    let sign = if is_negative { "^" } else { "" };
    Some(match name {
        "Any" if is_negative => NONE.to_owned(),
        "Any" => r"[\x{0}-\x{10FFFF}]".to_owned(),
        // without what is not assigned
        "C" => format!(r"[{sign}\p{{Cc}}\p{{Cf}}\p{{Co}}]"),
        "Cs" if is_negative => r"[\x{0}-\x{10FFFF}]".to_owned(),
        "Cs" => NONE.to_owned(),
        name if CATEGORIES.contains(&name) => format!(r"[{sign}\p{{{name}}}]"),
        name if is_script(name) => format!(r"[{sign}\p{{sc={name}}}]"),
        _ => return None,
    })
}

/// Whether it is written as the name of a script; the `regex` crate knows which there are, and many shorter ways to write them.
fn is_script(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphabetic())
    };
    let is_long = name.len() > 4 || SHORT_SCRIPTS.contains(&name) || matches!(name, "Mro" | "Nko" | "Yi");
    is_long && name.split('_').all(is_word) && regex::Regex::new(&format!(r"\p{{sc={name}}}")).is_ok()
}

impl RegexParser<'_> {
    /// A class in brackets, behind its `[`.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        loop {
            if self.rest.starts_with(']') && !is_first {
                self.rest = self.rest.get(1..).unwrap_or_default();
                self.out.push(']');
                return Ok(());
            }
            is_first = false;
            if let Some((name, rest)) = self.rest.strip_prefix("[:").and_then(|rest| rest.split_once(":]")) {
                if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
                    return Err(format!("no class [:{name}:]"));
                }
                self.rest = rest;
                self.write_out(format_args!("[:{name}:]"));
                continue;
            }
            let Some(low) = self.member()? else { continue };
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1;
            let mut high = low;
            if is_range {
                self.rest = self.rest.get(1..).unwrap_or_default();
                high = self.member()?.ok_or("a range that ends in a class")?;
                if high < low {
                    return Err("a range that runs backwards".into());
                }
            }
            self.range(low, high);
        }
    }

    fn range(&mut self, low: u32, high: u32) {
        let low = if SURROGATES.contains(&low) { SURROGATES.end() + 1 } else { low };
        let high = if SURROGATES.contains(&high) { SURROGATES.start() - 1 } else { high };
        if low > high {
            self.out.push_str(NONE);
        } else {
            self.write_out(format_args!("\\x{{{low:X}}}-\\x{{{high:X}}}"));
        }
    }

    /// One character of a class; none where a whole class was written down.
    fn member(&mut self) -> Result<Option<u32>, String> {
        let c = self.next().ok_or("a class that is not closed")?;
        if c != '\\' {
            return Ok(Some(u32::from(c)));
        }
        let c = self.next().ok_or("a backslash at the end")?;
        if let Some(class) = perl(c) {
            self.write_out(format_args!("[{class}]"));
            return Ok(None);
        }
        if matches!(c, 'p' | 'P') {
            self.property(c)?;
            return Ok(None);
        }
        self.character(c).map(Some)
    }
}
