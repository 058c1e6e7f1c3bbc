//! Regular expressions as Alertmanager reads them, which are Go's, in the words of the `regex` crate, so that a preview shows
//! what a silence will hide and nothing else.
//!
//! Source: Go's `regexp/syntax`. There `\w`, `\d`, `\s` and `\b` know only ASCII, a `[` within a class is a letter like any other,
//! `{` is one too where it does not count, `\Q...\E` quotes, and a dot does not match a line's end.

use std::collections::HashSet;
use std::fmt::Write as _;

/// Most times that Go repeats something.
const REPEATS: u32 = 1000;

/// The expression in our words.
///
/// # Errors
/// What Go would not take, in words.
pub(super) fn translated(pattern: &str) -> Result<String, String> {
    let mut reader = Reader { rest: pattern, out: String::with_capacity(pattern.len() + 16) };
    while let Some(c) = reader.next() {
        match c {
            '\\' => reader.escape()?,
            '[' => reader.class()?,
            '{' => reader.count()?,
            '(' => reader.group()?,
            '.' | '*' | '+' | '?' | '|' | ')' | '^' | '$' => reader.out.push(c),
            c => reader.letter(c),
        }
    }
    Ok(reader.out)
}

/// The texts that an expression names one by one, if it does no more than that: `cart|check\.out`.
pub(super) fn texts(pattern: &str) -> Option<HashSet<String>> {
    let (mut all, mut text) = (HashSet::new(), String::new());
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => text.push(characters.next().filter(char::is_ascii_punctuation)?),
            '|' => drop(all.insert(std::mem::take(&mut text))),
            '.' | '*' | '+' | '?' | '(' | ')' | '[' | '{' | '^' | '$' => return None,
            c => text.push(c),
        }
    }
    all.insert(text);
    Some(all)
}

struct Reader<'p> {
    rest: &'p str,
    out: String,
}

impl<'p> Reader<'p> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    fn take(&mut self, start: &str) -> bool {
        self.rest.strip_prefix(start).is_some_and(|rest| {
            self.rest = rest;
            true
        })
    }

    /// Up to `end` and over it.
    fn until(&mut self, end: &str) -> Option<&'p str> {
        let (found, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(found)
    }

    /// A character that stands for itself.
    fn letter(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.take("Q") {
            // quotes up to the end where nothing closes it
            let quoted = self.until("\\E").unwrap_or_else(|| std::mem::take(&mut self.rest));
            self.out.push_str(&regex::escape(quoted));
            return Ok(());
        }
        let Some(c) = self.next() else { return Err("a backslash at the end".into()) };
        match c {
            'A' | 'z' => write!(self.out, "\\{c}").expect("a String takes everything"),
            'b' | 'B' => write!(self.out, "(?-u:\\{c})").expect("a String takes everything"),
            c => match named(c) {
                Some(class) => write!(self.out, "[{class}]").expect("a String takes everything"),
                None if matches!(c, 'p' | 'P') => self.property(c)?,
                None => {
                    let c = self.character(c)?;
                    self.letter(c);
                }
            },
        }
        Ok(())
    }

    /// `\pL`, `\p{Greek}`
    fn property(&mut self, c: char) -> Result<(), String> {
        let name = if self.take("{") {
            self.until("}").ok_or("a brace that is not closed")?.to_owned()
        } else {
            self.next().map(String::from).unwrap_or_default()
        };
        if name.contains(['=', ':', '!']) {
            return Err(format!("no class \\{c}{{{name}}}"));
        }
        write!(self.out, "\\{c}{{{name}}}").expect("a String takes everything");
        Ok(())
    }

    /// What stands behind a backslash and means one character.
    fn character(&mut self, c: char) -> Result<char, String> {
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\x0b',
            'x' => self.hexadecimal().ok_or("\\x without a number")?,
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
            c => return Err(format!("no escape \\{c}")),
        })
    }

    fn hexadecimal(&mut self) -> Option<char> {
        let digits = if self.take("{") {
            self.until("}")?
        } else {
            let (digits, rest) = self.rest.split_at_checked(2)?;
            self.rest = rest;
            digits
        };
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
    }

    /// A number of times, or a brace that is only a brace.
    fn count(&mut self) -> Result<(), String> {
        let counted = self.rest.split_once('}').filter(|(inner, _)| {
            let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
            let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            !least.is_empty() && is_number(least) && is_number(most)
        });
        let Some((inner, rest)) = counted else {
            self.letter('{');
            return Ok(());
        };
        if inner.split(',').any(|number| !number.is_empty() && number.parse().is_ok_and(|n: u32| n > REPEATS))
        {
            return Err(format!("more than {REPEATS} times"));
        }
        self.rest = rest;
        write!(self.out, "{{{inner}}}").expect("a String takes everything");
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        self.out.push('(');
        if !self.take("?") {
            return Ok(());
        }
        self.out.push('?');
        if self.rest.starts_with("P<") || self.rest.starts_with('<') {
            let name = self.until(">").ok_or("a name that is not closed")?;
            write!(self.out, "{name}>").expect("a String takes everything");
            return Ok(());
        }
        while let Some(c) = self.next() {
            match c {
                'i' | 'm' | 's' | 'U' | '-' => self.out.push(c),
                ':' | ')' => {
                    self.out.push(c);
                    return Ok(());
                }
                c => return Err(format!("no group (?{c}")),
            }
        }
        Err("a group that is not closed".into())
    }

    fn class(&mut self) -> Result<(), String> {
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
                self.rest = rest;
                write!(self.out, "[:{name}:]").expect("a String takes everything");
                continue;
            }
            let Some(low) = self.member()? else { continue };
            let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1;
            write!(self.out, "\\x{{{:X}}}", u32::from(low)).expect("a String takes everything");
            if is_range {
                self.rest = self.rest.get(1..).unwrap_or_default();
                let high = self.member()?.ok_or("a range that ends in a class")?;
                write!(self.out, "-\\x{{{:X}}}", u32::from(high)).expect("a String takes everything");
            }
        }
    }

    /// One character of a class; none where a whole class was written down.
    fn member(&mut self) -> Result<Option<char>, String> {
        let c = self.next().ok_or("a class that is not closed")?;
        if c != '\\' {
            return Ok(Some(c));
        }
        let c = self.next().ok_or("a backslash at the end")?;
        if let Some(class) = named(c) {
            write!(self.out, "[{class}]").expect("a String takes everything");
            return Ok(None);
        }
        if matches!(c, 'p' | 'P') {
            self.property(c)?;
            return Ok(None);
        }
        self.character(c).map(Some)
    }
}

/// Perl's classes, of ASCII alone.
fn named(c: char) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::super::{Matcher, Operator};

    #[test]
    fn an_expression_matches_what_it_matches_in_go() {
        for (pattern, value, expected) in [
            (r"c.rt", "cart", true),
            (r"a.b", "a\nb", false),
            (r"(?s)a.b", "a\nb", true),
            (r"\w+", "größe", false),
            (r"\w+", "cart_7", true),
            (r"\W", "ß", true),
            (r"\d", "٣", false),
            (r"a\sb", "a\u{a0}b", false),
            (r".*\bcart\b.*", "a cart b", true),
            (r".*\bb.*", "äb", true),
            (r"\Qa.b[\E+", "a.b[[", true),
            (r"\Qa.b", "a.b", true),
            (r"a{,2}", "a{,2}", true),
            (r"a{1,2}", "aa", true),
            (r"{a}", "{a}", true),
            (r"[a[b]", "[", true),
            (r"[a&&b]", "&", true),
            (r"[a&&b]", "b", true),
            (r"[]a]", "]", true),
            (r"[^]a]", "b", true),
            (r"[+--]", ",", true),
            (r"[a-]", "-", true),
            (r"[\w-]+", "a-b", true),
            (r"[[:alpha:]\d]+", "a7", true),
            (r"\pL+", "größe", true),
            (r"\p{Greek}", "λ", true),
            (r"(?i)CART", "cart", true),
            (r"(?P<x>a)(?:b|c)", "ac", true),
            (r"\x41\x{42}\.\-\_", "AB.-_", true),
            (r"", "", true),
            (r"a|b", "b", true),
            (r"a||b\|", "", true),
            (r"a|b\|\.", "b|.", true),
            (r"a|b", "a|b", false),
            (r"a}]", "a}]", true),
            (r"~#& ", "~#& ", true),
        ] {
            let matcher = Matcher::new("l", Operator::Matches, pattern);
            let matcher = matcher.unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(matcher.matches_value(value), expected, "{pattern} on {value:?}");
        }
    }

    #[test]
    fn what_go_does_not_take_is_not_taken() {
        for pattern in [
            "(", "a)", "[a", r"\", r"\C", r"\y", r"\1", "(?x)a", "(?=a)", "a{1001}", "[z-a]", "*a",
            r"\x{zz}", r"\pX",
        ] {
            assert!(Matcher::new("l", Operator::Matches, pattern).is_err(), "{pattern}");
        }
    }
}
