//! Splits PromQL into tokens as Prometheus does: numbers, durations, strings, words and signs. Comments are dropped.
//!
//! Source: `promql/parser/lex.go` of Prometheus 2.42 to 3.8. What any of these versions accepts is accepted.

use std::time::Duration;

use super::super::duration;
use super::QueryRemark;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// `5`, `.5e+2`, `0x1F`, `017`, `1_000`; `Inf` and `NaN` are words.
    Number(f64),
    /// `1h30m`
    Duration(Duration),
    /// The value of a string; `None` if its bytes are not valid UTF-8.
    Text(Option<String>),
    /// A name or a keyword.
    Word,
    /// An operator, a bracket or a comma.
    Sign,
    End,
}

/// A token with its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexeme<'t> {
    pub(super) token: Token,
    /// The text as written.
    pub(super) text: &'t str,
    /// The byte offset of its start.
    pub(super) at: usize,
}

/// The lexing rules: in braces every word is a label name, in brackets a colon is a token of its own.
#[derive(Clone, Copy, PartialEq)]
enum LexContext {
    Nothing,
    Braces,
    Brackets,
}

/// The longest duration in Go, about 292 years.
const GO_MAX_DURATION: Duration = Duration::from_secs(9_223_372_036);

/// All tokens of a query, [`Token::End`] last.
pub(super) fn tokens(text: &str) -> Result<Vec<Lexeme<'_>>, QueryRemark> {
    let mut lexer = Lexer { text, at: 0, inside: LexContext::Nothing };
    let mut all = Vec::new();
    loop {
        let lexeme = lexer.next()?;
        let is_end = lexeme.token == Token::End;
        all.push(lexeme);
        if is_end {
            return Ok(all);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    inside: LexContext,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next(&mut self) -> Result<Lexeme<'t>, QueryRemark> {
        self.skip();
        let (at, rest) = (self.at, self.rest());
        let Some(first) = rest.chars().next() else { return self.end() };
        let (token, length) = match first {
            '"' | '\'' | '`' => self.string(first)?,
            c if c.is_ascii_digit() => self.number()?,
            '.' if rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit()) => self.number()?,
            c if is_letter(c) || (c == ':' && self.inside == LexContext::Nothing) => {
                let is_part = |c: char| match self.inside {
                    LexContext::Nothing => is_letter(c) || c.is_ascii_digit() || c == ':',
                    LexContext::Braces => is_letter(c) || c.is_ascii_digit(),
                    LexContext::Brackets => is_letter(c),
                };
                (Token::Word, rest.find(|c| !is_part(c)).unwrap_or(rest.len()))
            }
            _ => (Token::Sign, self.sign(first)?),
        };
        self.at += length;
        Ok(Lexeme { token, text: rest.get(..length).unwrap_or_default(), at })
    }

    fn end(&self) -> Result<Lexeme<'t>, QueryRemark> {
        let open = match self.inside {
            LexContext::Nothing => return Ok(Lexeme { token: Token::End, text: "", at: self.at }),
            LexContext::Braces => "unexpected end of the query inside braces",
            LexContext::Brackets => "unclosed left bracket",
        };
        Err(self.wrong(self.at, open))
    }

    fn wrong(&self, at: usize, why: impl Into<String>) -> QueryRemark {
        QueryRemark::at(self.text, at, why)
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find(['\n', '\r']).unwrap_or(trimmed.len());
        }
    }

    fn sign(&mut self, first: char) -> Result<usize, QueryRemark> {
        const SIGNS: [&str; 21] = [
            "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "^", ">", "<", "=", "(", ")", "{", "}", "[",
            "]", "@", ",",
        ];
        let rest = self.rest();
        let found = match self.inside {
            LexContext::Nothing => SIGNS.into_iter().find(|sign| rest.starts_with(sign)),
            LexContext::Braces => {
                ["=~", "!~", "!=", "=", ",", "}"].into_iter().find(|sign| rest.starts_with(sign))
            }
            LexContext::Brackets => {
                let signs = [":", "]", "+", "-", "*", "/", "%", "^", "(", ")", ","];
                signs.into_iter().find(|sign| rest.starts_with(sign))
            }
        };
        let within = match self.inside {
            LexContext::Nothing => "",
            LexContext::Braces => " inside braces",
            LexContext::Brackets => " inside brackets",
        };
        let found = found.ok_or_else(|| self.wrong(self.at, format!("unexpected {first:?}{within}")))?;
        self.inside = match found {
            "{" => LexContext::Braces,
            "[" => LexContext::Brackets,
            "}" | "]" if self.inside == LexContext::Nothing => {
                return Err(self.wrong(self.at, format!("unexpected {first:?}")));
            }
            "}" | "]" => LexContext::Nothing,
            _ => self.inside,
        };
        Ok(found.len())
    }

    fn number(&self) -> Result<(Token, usize), QueryRemark> {
        let rest = self.rest();
        let word = rest.find(|c: char| !is_part_of_number(c)).unwrap_or(rest.len());
        let mut length = word;
        let is_hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
        // in `1e+06` the sign belongs to the number
        if !is_hexadecimal
            && rest.get(..word).is_some_and(ends_in_exponent)
            && rest.get(word..).is_some_and(|rest| rest.starts_with(['+', '-']))
        {
            let more = rest.get(word + 1..).unwrap_or_default();
            length += 1 + more.find(|c: char| !is_part_of_number(c)).unwrap_or(more.len());
        }
        let text = rest.get(..length).unwrap_or_default();
        if let Some(number) = number(text) {
            return Ok((Token::Number(number), length));
        }
        match duration::parse(text) {
            Ok(duration) if duration <= GO_MAX_DURATION => Ok((Token::Duration(duration), length)),
            Ok(_) => Err(self.wrong(self.at, format!("{text} is longer than the longest duration"))),
            Err(_) => Err(self.wrong(self.at, format!("{text} is neither a number nor a duration"))),
        }
    }

    fn string(&self, quote: char) -> Result<(Token, usize), QueryRemark> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let open = || self.wrong(self.at, "the string that begins here has no end");
        if quote == '`' {
            let value = inside.split_once('`').ok_or_else(open)?.0;
            self.reject_replacement_character(value)?;
            return Ok((Token::Text(Some(value.to_owned())), value.len() + 2));
        }
        let mut bytes = Vec::new();
        let mut chars = inside.char_indices();
        loop {
            let (at, c) = chars.next().filter(|(_, c)| *c != '\n').ok_or_else(open)?;
            if c == quote {
                self.reject_replacement_character(inside.get(..at).unwrap_or_default())?;
                return Ok((Token::Text(String::from_utf8(bytes).ok()), at + 2));
            }
            if c == '\\' {
                let escaped = escape(&mut chars, quote);
                let () = escaped
                    .map(|escaped| bytes.extend(escaped))
                    .map_err(|why| self.wrong(self.at + 1 + at, why))?;
            } else {
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
        }
    }

    /// Rejects U+FFFD, as Prometheus does: Go also returns it for invalid UTF-8.
    fn reject_replacement_character(&self, value: &str) -> Result<(), QueryRemark> {
        let broken = value.find('\u{fffd}');
        broken.map_or(Ok(()), |at| {
            Err(self.wrong(self.at + 1 + at, "U+FFFD marks invalid UTF-8; write it as \\ufffd"))
        })
    }
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

fn is_part_of_number(c: char) -> bool {
    is_letter(c) || c.is_ascii_digit() || c == '.'
}

/// Whether a word ends in an exponent without digits, such as `1e` or `.5E`, so that its sign comes next.
fn ends_in_exponent(word: &str) -> bool {
    word.strip_suffix(['e', 'E'])
        .is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_'))
}

/// Parses a number as Prometheus does; `None` also for numbers that are too large.
fn number(text: &str) -> Option<f64> {
    let plain = text.replace('_', "");
    let is_odd = text.ends_with('_') || text.contains("__") || text.contains("_.") || text.contains("._");
    if is_odd || text.starts_with('_') {
        return None;
    }
    if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok().map(|number| number as f64);
    }
    let is_octal =
        plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|b| (b'0'..b'8').contains(&b));
    if is_octal && let Ok(number) = i64::from_str_radix(&plain, 8) {
        return Some(number as f64);
    }
    let is_decimal = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    plain.parse().ok().filter(|number: &f64| is_decimal && number.is_finite())
}

/// The bytes of an escape sequence, after the backslash.
fn escape(chars: &mut std::str::CharIndices<'_>, quote: char) -> Result<Vec<u8>, String> {
    let Some((_, c)) = chars.next() else { return Err("the escape sequence has no end".into()) };
    let simple = match c {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' if quote == '"' => b'"',
        '\'' if quote == '\'' => b'\'',
        c => return numbered(chars, c),
    };
    Ok(vec![simple])
}

/// The bytes of a numeric escape sequence: `\x41`, `\101`, `\u00e9`, `\U0001f525`.
fn numbered(chars: &mut std::str::CharIndices<'_>, kind: char) -> Result<Vec<u8>, String> {
    let (radix, digits, first) = match kind {
        'x' => (16, 2, None),
        'u' => (16, 4, None),
        'U' => (16, 8, None),
        '0'..='7' => (8, 3, Some(kind)),
        other => return Err(format!("unknown escape sequence \\{other}")),
    };
    let mut text: String = first.into_iter().collect();
    while text.len() < digits {
        match chars.next() {
            Some((_, c)) if c.is_digit(radix) => text.push(c),
            Some((_, c)) => return Err(format!("{c:?} in an escape sequence of digits")),
            None => return Err("the escape sequence has no end".into()),
        }
    }
    let code = u32::from_str_radix(&text, radix).unwrap_or(u32::MAX);
    if matches!(kind, 'u' | 'U') {
        let c = char::from_u32(code).ok_or("the escape sequence is not a Unicode character")?;
        return Ok(c.encode_utf8(&mut [0; 4]).bytes().collect());
    }
    let byte = u8::try_from(code).ok();
    byte.map(|byte| vec![byte]).ok_or_else(|| format!("\\{text} is more than a byte"))
}
