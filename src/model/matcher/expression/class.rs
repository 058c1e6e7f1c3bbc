//! Translates character classes as Go defines them: bracketed, Perl, POSIX and Unicode classes.

use super::RegexParser;

/// A class that matches no character.
pub(super) const NONE: &str = r"[^\x{0}-\x{10FFFF}]";

/// UTF-16 surrogates, which no text contains.
const SURROGATES: std::ops::RangeInclusive<u32> = 0xD800..=0xDFFF;

/// Unicode's general categories, with Go's names.
const CATEGORIES: [&str; 36] = [
    "C", "Cc", "Cf", "Co", "Cs", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd", "Nl",
    "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp", "Zs",
];

/// Names of POSIX classes.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Scripts whose names are as short as script codes; Go accepts names but not codes.
const SHORT_SCRIPTS: [&str; 9] = ["Ahom", "Cham", "Han", "Kawi", "Lao", "Lisu", "Thai", "Toto", "Vai"];

/// Perl's classes, ASCII only.
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

/// A Unicode category or script, or its complement; `None` if Go does not have this name.
pub(super) fn unicode(name: &str, is_negative: bool) -> Option<String> {
    let sign = if is_negative { "^" } else { "" };
    Some(match name {
        "Any" if is_negative => NONE.to_owned(),
        "Any" => r"[\x{0}-\x{10FFFF}]".to_owned(),
        // Go's class excludes unassigned code points
        "C" => format!(r"[{sign}\p{{Cc}}\p{{Cf}}\p{{Co}}]"),
        "Cs" if is_negative => r"[\x{0}-\x{10FFFF}]".to_owned(),
        "Cs" => NONE.to_owned(),
        name if CATEGORIES.contains(&name) => format!(r"[{sign}\p{{{name}}}]"),
        name if is_script(name) => format!(r"[{sign}\p{{sc={name}}}]"),
        _ => return None,
    })
}

/// Whether this is a script's full name; the `regex` crate knows the scripts, but also accepts abbreviations.
fn is_script(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphabetic())
    };
    let is_long = name.len() > 4 || SHORT_SCRIPTS.contains(&name) || matches!(name, "Mro" | "Nko" | "Yi");
    is_long && name.split('_').all(is_word) && regex::Regex::new(&format!(r"\p{{sc={name}}}")).is_ok()
}

impl RegexParser<'_> {
    /// Parses a class in brackets, after its `[`.
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
                    return Err(format!("unknown class [:{name}:]"));
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
                    return Err("a range whose start is after its end".into());
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

    /// One character of a class; `None` if a whole class was parsed.
    fn member(&mut self) -> Result<Option<u32>, String> {
        let c = self.next().ok_or("unclosed class")?;
        if c != '\\' {
            return Ok(Some(u32::from(c)));
        }
        let c = self.next().ok_or("trailing backslash")?;
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
