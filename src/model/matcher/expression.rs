//! Translates regular expressions from the syntax of Go, which Alertmanager uses, to that of the `regex` crate, so that the
//! preview of a silence matches the same alerts as Alertmanager.
//!
//! Source: Go's `regexp/syntax`. There `\w`, `\d`, `\s` and `\b` are ASCII only, `[` within a class and `{` without a valid
//! repetition are literals, `\Q...\E` quotes, `\141` is octal, and a dot does not match a line break.

mod class;
mod texts;

use std::fmt;
use std::fmt::Write as _;

pub(super) use texts::texts;

/// Go's limit for repetitions; nested repetitions are multiplied.
const MAX_REPETITIONS: u32 = 1000;
/// Go's limit for nested groups.
const MAX_GROUP_DEPTH: usize = 1000;

/// Why Go rejects an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RegexError {
    what: String,
    at: usize,
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.what, self.at)
    }
}

/// Translates an expression to the syntax of the `regex` crate.
///
/// # Errors
/// What Go rejects, with the byte offset.
pub(super) fn translated(pattern: &str) -> Result<String, RegexError> {
    let mut reader = RegexParser {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        groups: Vec::new(),
        most: 1,
        atom: None,
        is_repeated: false,
    };
    let mut at = 0;
    let read = reader.all(|rest| at = pattern.len() - rest.len());
    read.map_err(|what| RegexError { what, at })?;
    Ok(reader.out)
}

struct RegexParser<'p> {
    rest: &'p str,
    out: String,
    /// For each open group: the highest repetition count in its enclosing group so far.
    groups: Vec<u32>,
    /// The highest repetition count in the current group so far.
    most: u32,
    /// The repetition count of the last element; `None` if there is no element that can be repeated.
    atom: Option<u32>,
    /// Whether the last token was a repetition.
    is_repeated: bool,
}

impl<'p> RegexParser<'p> {
    fn all(&mut self, mut at_start: impl FnMut(&str)) -> Result<(), String> {
        loop {
            at_start(self.rest);
            let Some(c) = self.next() else { break };
            match c {
                '\\' => self.escape()?,
                '[' => {
                    self.class()?;
                    self.set_repeatable();
                }
                '{' => self.count()?,
                '*' | '+' | '?' => self.repeat(c)?,
                '(' => self.group()?,
                ')' => self.close()?,
                '|' => {
                    self.out.push(c);
                    (self.atom, self.is_repeated) = (None, false);
                }
                '.' | '^' | '$' => {
                    self.out.push(c);
                    self.set_repeatable();
                }
                c => self.letter(c),
            }
        }
        if self.groups.is_empty() { Ok(()) } else { Err("unclosed group".into()) }
    }

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

    /// The text before `end`; skips both.
    fn until(&mut self, end: &str) -> Option<&'p str> {
        let (found, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(found)
    }

    fn write_out(&mut self, words: fmt::Arguments<'_>) {
        self.out.write_fmt(words).expect("a String takes everything");
    }

    /// Records that an element which can be repeated precedes the current position.
    fn set_repeatable(&mut self) {
        (self.atom, self.is_repeated) = (Some(1), false);
    }

    /// Adds a literal character.
    fn letter(&mut self, c: char) {
        let mut buffer = [0; 4];
        self.out.push_str(&regex::escape(c.encode_utf8(&mut buffer)));
        self.set_repeatable();
    }

    fn escape(&mut self) -> Result<(), String> {
        if self.take("Q") {
            self.is_repeated = false;
            // Go accepts \Q without \E. Alertmanager then adds its anchor inside the quote, fails to read the stored silence, and
            // from then on applies no silence at all (observed in 0.25)
            let quoted = self.until("\\E").ok_or("\\Q without \\E")?;
            quoted.chars().for_each(|c| self.letter(c));
            return Ok(());
        }
        let Some(c) = self.next() else { return Err("trailing backslash".into()) };
        match c {
            'A' | 'z' => self.write_out(format_args!("\\{c}")),
            'b' | 'B' => self.write_out(format_args!("(?-u:\\{c})")),
            'p' | 'P' => self.property(c)?,
            c => match class::perl(c) {
                Some(class) => self.write_out(format_args!("[{class}]")),
                None => match char::from_u32(self.character(c)?) {
                    Some(c) => self.letter(c),
                    None => self.out.push_str(class::NONE),
                },
            },
        }
        self.set_repeatable();
        Ok(())
    }

    /// Parses `\pL`, `\p{Greek}` or `\p{^Lu}`; `sign` is the letter after the backslash.
    fn property(&mut self, sign: char) -> Result<(), String> {
        let name = if self.take("{") {
            self.until("}").ok_or("unclosed brace")?
        } else {
            let length = self.rest.chars().next().map_or(0, char::len_utf8);
            let (name, rest) = self.rest.split_at_checked(length).unwrap_or_default();
            self.rest = rest;
            name
        };
        let (name, is_negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let is_negative = (sign == 'P') != is_negated;
        let Some(class) = class::unicode(name, is_negative) else {
            return Err(format!("unknown class \\{sign}{{{name}}}"));
        };
        self.out.push_str(&class);
        Ok(())
    }

    /// The code point of an escape for one character. Go also accepts code points that no text can contain.
    fn character(&mut self, c: char) -> Result<u32, String> {
        Ok(match c {
            'a' => 0x07,
            'f' => 0x0c,
            't' => 0x09,
            'n' => 0x0a,
            'r' => 0x0d,
            'v' => 0x0b,
            'x' => self.hexadecimal().ok_or("\\x without a number")?,
            '0' => self.octal(0),
            // a single digit would be a back-reference
            '1'..='7' if self.rest.starts_with(|next| matches!(next, '0'..='7')) => {
                self.octal(c.to_digit(8).unwrap_or_default())
            }
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => u32::from(c),
            c => return Err(format!("unknown escape \\{c}")),
        })
    }

    fn octal(&mut self, first: u32) -> u32 {
        let mut number = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else { break };
            number = number * 8 + digit;
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        number
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let digits = if self.take("{") {
            self.until("}")?
        } else {
            let (digits, rest) = self.rest.split_at_checked(2)?;
            self.rest = rest;
            digits
        };
        let digit = |number: u32, c: char| Some(number.checked_mul(16)? + c.to_digit(16)?);
        let number = digits.chars().try_fold(0, digit).filter(|_| !digits.is_empty());
        number.filter(|number| *number <= u32::from(char::MAX))
    }

    /// Parses a repetition such as `{2,3}`, or a literal brace.
    fn count(&mut self) -> Result<(), String> {
        let Some((least, most, rest)) = counted(self.rest) else {
            self.letter('{');
            return Ok(());
        };
        let sign = format!("{{{}", self.rest.get(..self.rest.len() - rest.len()).unwrap_or_default());
        let inner = self.repeatable(&sign)?;
        self.rest = rest;
        if least > MAX_REPETITIONS || most.is_some_and(|most| most > MAX_REPETITIONS || most < least) {
            return Err(format!(
                "invalid repetition {sign}: the limit is {MAX_REPETITIONS}, and the minimum comes first"
            ));
        }
        let times = most.unwrap_or(least);
        let all = if times == 0 { 1 } else { inner.saturating_mul(times) };
        if times >= 2 && all > MAX_REPETITIONS {
            return Err(format!("{sign} gives more than {MAX_REPETITIONS} repetitions in total"));
        }
        self.out.push_str(&sign);
        self.repeated(all);
        Ok(())
    }

    fn repeat(&mut self, sign: char) -> Result<(), String> {
        let all = self.repeatable(&sign.to_string())?;
        self.out.push(sign);
        self.repeated(all);
        Ok(())
    }

    /// The repetition count of the element to be repeated.
    fn repeatable(&self, sign: &str) -> Result<u32, String> {
        if self.is_repeated {
            return Err(format!("repetition {sign} directly after another one"));
        }
        self.atom.ok_or_else(|| format!("{sign} has nothing to repeat"))
    }

    fn repeated(&mut self, all: u32) {
        if self.take("?") {
            self.out.push('?');
        }
        (self.atom, self.is_repeated) = (Some(all), true);
        self.most = self.most.max(all);
    }

    fn group(&mut self) -> Result<(), String> {
        if !self.take("?") {
            return self.open("(");
        }
        // newer versions of Go also accept names without the P
        if self.take("P<") || self.take("<") {
            let name = self.until(">").ok_or("unclosed group name")?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_name) {
                return Err("unknown kind of group".into());
            }
            return self.open("(");
        }
        // i, m and s matter; U only changes which match is preferred
        let mut flags: [(char, Option<bool>); 3] = [('i', None), ('m', None), ('s', None)];
        let (mut is_on, mut is_given) = (true, false);
        while let Some(c) = self.next() {
            match c {
                'i' | 'm' | 's' | 'U' => {
                    is_given = true;
                    for (flag, state) in &mut flags {
                        if *flag == c {
                            *state = Some(is_on);
                        }
                    }
                }
                '-' if is_on => (is_on, is_given) = (false, false),
                ':' | ')' if is_on || is_given => {
                    let of = |wanted: bool| -> String {
                        flags
                            .iter()
                            .filter(|(_, state)| *state == Some(wanted))
                            .map(|(flag, _)| flag)
                            .collect()
                    };
                    let (on, off) = (of(true), of(false));
                    let off = if off.is_empty() { off } else { format!("-{off}") };
                    if c == ':' {
                        return self.open(&format!("(?{on}{off}:"));
                    }
                    if !(on.is_empty() && off.is_empty()) {
                        self.write_out(format_args!("(?{on}{off})"));
                    }
                    self.is_repeated = false;
                    return Ok(());
                }
                _ => return Err("unknown kind of group".into()),
            }
        }
        Err("unclosed group".into())
    }

    fn open(&mut self, sign: &str) -> Result<(), String> {
        if self.groups.len() >= MAX_GROUP_DEPTH {
            return Err("groups are nested too deeply".into());
        }
        self.out.push_str(sign);
        self.groups.push(std::mem::replace(&mut self.most, 1));
        (self.atom, self.is_repeated) = (None, false);
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let around = self.groups.pop().ok_or(") without (")?;
        self.out.push(')');
        let inner = std::mem::replace(&mut self.most, around);
        self.most = self.most.max(inner);
        (self.atom, self.is_repeated) = (Some(inner), false);
        Ok(())
    }
}

/// Parses `2}`, `2,}` or `2,3}`: the minimum, the maximum if there is one, and the rest of the text. `None` if it is not a
/// repetition.
fn counted(text: &str) -> Option<(u32, Option<u32>, &str)> {
    let (inner, rest) = text.split_once('}')?;
    let number = |text: &str| -> Option<u32> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = is_number && (text.len() == 1 || !text.starts_with('0'));
        is_plain.then(|| text.parse().unwrap_or(u32::MAX))
    };
    match inner.split_once(',') {
        None => number(inner).map(|times| (times, Some(times), rest)),
        Some((least, "")) => number(least).map(|least| (least, None, rest)),
        Some((least, most)) => Some((number(least)?, Some(number(most)?), rest)),
    }
}

#[cfg(test)]
mod tests;
