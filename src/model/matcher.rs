//! Label matchers in Alertmanager's syntax: `severity="page"`, `{team!="db", service=~"cart|checkout"}`.

mod expression;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::labels::Labels;
use super::words::words;

words! {
    /// The comparison of a label's value.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Operator: sign {
        Equal = "=",
        NotEqual = "!=",
        /// `=~`: the whole value matches the regular expression.
        Matches = "=~",
        /// `!~`: the whole value does not match the regular expression.
        MatchesNot = "!~",
    }
}

impl Operator {
    /// The operator for these two properties.
    pub const fn of(is_regex: bool, is_equal: bool) -> Self {
        match (is_regex, is_equal) {
            (false, true) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Matches,
            (true, false) => Self::MatchesNot,
        }
    }

    /// Whether its value is an expression.
    pub const fn is_regex(self) -> bool {
        matches!(self, Self::Matches | Self::MatchesNot)
    }

    /// Whether the operator requires a match (`=`, `=~`), as opposed to `!=` and `!~`.
    pub const fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Matches)
    }
}

/// One condition on one label. A missing label counts as an empty value.
///
/// Source: Alertmanager's `pkg/labels` and `matcher/parse`. Regular expressions have Go's syntax and are anchored at both
/// ends.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    operator: Operator,
    value: String,
    test: ValueTest,
}

/// The compiled form of a comparison.
#[derive(Debug, Clone)]
enum ValueTest {
    /// The value is the matcher's text.
    Same,
    /// The value is one of these texts.
    OneOf(HashSet<String>),
    /// The value matches this regular expression.
    Regex(Arc<Pattern>),
    /// A regular expression from a server that burnwatch cannot compile.
    Unknown,
}

/// A regular expression, compiled at first use: most of those that servers report are never used.
#[derive(Debug)]
struct Pattern {
    translated: String,
    compiled: OnceLock<Option<Regex>>,
}

/// The size limit of a compiled expression, in bytes.
const MAX_COMPILED_BYTES: usize = 32 << 20;

impl Pattern {
    /// The compiled expression; `None` if it would exceed [`MAX_COMPILED_BYTES`].
    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            let anchored = format!("^(?:{})$", self.translated);
            RegexBuilder::new(&anchored).size_limit(MAX_COMPILED_BYTES).nest_limit(2 * 1024).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
}

/// Why a text is not a list of matchers; numbers are byte offsets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// A missing label name.
    #[error("a label name is missing at {0}")]
    NoName(usize),
    /// A name without `=`, `!=`, `=~` or `!~` after it.
    #[error("one of =, !=, =~, !~ is missing after {0:?}")]
    NoOperator(String),
    /// A quote without its end.
    #[error("the quote opened at {0} is not closed")]
    OpenQuote(usize),
    #[error("a comma is missing at {0}")]
    NoComma(usize),
    /// A `{` without `}`, or the reverse.
    #[error("unbalanced braces")]
    Braces,
    /// An invalid regular expression.
    #[error("{pattern:?} is not a regular expression: {reason}")]
    Regex {
        pattern: String,
        /// What is invalid in Go's syntax, and its position.
        reason: String,
    },
}

impl Matcher {
    /// A matcher for the label `name`.
    ///
    /// # Errors
    /// [`MatcherError::Regex`] if the regular expression is invalid in Go's syntax.
    pub fn new(
        name: impl Into<String>,
        operator: Operator,
        value: impl Into<String>,
    ) -> Result<Self, MatcherError> {
        let value = value.into();
        let test = test(operator, &value)
            .map_err(|reason| MatcherError::Regex { pattern: value.clone(), reason: reason.to_string() })?;
        Ok(Self { name: name.into(), operator, value, test })
    }

    /// A matcher that a server reports: its expression is accepted even if burnwatch cannot compile it.
    pub fn from_server(name: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        let value = value.into();
        let test = test(operator, &value).unwrap_or(ValueTest::Unknown);
        Self { name: name.into(), operator, value, test }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The text or regular expression to compare with.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether burnwatch can evaluate it: false if its expression does not compile.
    pub fn can_be_evaluated(&self) -> bool {
        match &self.test {
            ValueTest::Same | ValueTest::OneOf(_) => true,
            ValueTest::Regex(pattern) => pattern.regex().is_some(),
            ValueTest::Unknown => false,
        }
    }

    /// Whether a label with this value (empty: missing) matches. `false` if it [cannot be evaluated](Self::can_be_evaluated).
    pub fn matches_value(&self, value: &str) -> bool {
        let found = match &self.test {
            ValueTest::Same => value == self.value,
            ValueTest::OneOf(texts) => texts.contains(value),
            ValueTest::Regex(pattern) => match pattern.regex() {
                Some(regex) => regex.is_match(value),
                None => return false,
            },
            ValueTest::Unknown => return false,
        };
        match self.operator {
            Operator::Equal | Operator::Matches => found,
            Operator::NotEqual | Operator::MatchesNot => !found,
        }
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.value(&self.name))
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.operator, &self.value) == (&other.name, other.operator, &other.value)
    }
}

impl Eq for Matcher {}

/// As text.
impl Serialize for Matcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let one = parse(&text).map_err(serde::de::Error::custom)?;
        let one: Result<[Self; 1], Vec<Self>> = one.try_into();
        one.map(|[matcher]| matcher).map_err(|all: Vec<Self>| {
            serde::de::Error::custom(format!("expected 1 matcher, found {}", all.len()))
        })
    }
}

/// Formats with quotes, so that it parses back to the same matcher, whatever the value contains.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_plain_name(&self.name) {
            f.write_str(&self.name)?;
        } else {
            write_quoted(f, &self.name)?;
        }
        f.write_str(self.operator.sign())?;
        write_quoted(f, &self.value)
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

fn test(operator: Operator, value: &str) -> Result<ValueTest, expression::RegexError> {
    if matches!(operator, Operator::Equal | Operator::NotEqual) {
        return Ok(ValueTest::Same);
    }
    if let Some(texts) = expression::texts(value) {
        return Ok(ValueTest::OneOf(texts));
    }
    let translated = expression::translated(value)?;
    Ok(ValueTest::Regex(Arc::new(Pattern { translated, compiled: OnceLock::new() })))
}

/// Parses a list of matchers, with or without braces: `a="b", c=~"d|e"`.
///
/// Values can be quoted (with the escapes `\"`, `\\` and `\n`), or unquoted up to the next comma or brace; names likewise (UTF-8
/// names must be quoted). An empty text gives an empty list, which matches everything.
///
/// # Errors
/// [`MatcherError`] with the position.
pub fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut reader = MatcherParser { text, at: 0 };
    let matchers = reader.list()?;
    if reader.rest().is_empty() { Ok(matchers) } else { Err(MatcherError::Braces) }
}

/// Parses one or several lists of matchers: `{a="b"} or {a="c", d="e"}`. A single list needs no braces.
///
/// # Errors
/// [`MatcherError`] with the position.
pub fn parse_lists(text: &str) -> Result<Vec<Vec<Matcher>>, MatcherError> {
    let mut reader = MatcherParser { text, at: 0 };
    let mut all = vec![reader.list()?];
    while !reader.rest().is_empty() {
        reader.take("or");
        reader.skip_space();
        if !reader.rest().starts_with('{') {
            return Err(MatcherError::Braces);
        }
        all.push(reader.list()?);
    }
    Ok(all)
}

/// Formats a list: `a="b", c=~"d|e"`.
pub fn list(matchers: &[Matcher]) -> String {
    matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Formats lists so that [`parse_lists`] reads them back.
pub fn lists(all: &[Vec<Matcher>]) -> String {
    match all {
        [one] => list(one),
        several => several.iter().map(|one| format!("{{{}}}", list(one))).collect::<Vec<_>>().join(" or "),
    }
}

struct MatcherParser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> MatcherParser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
        }
        found
    }

    /// Parses a list and the white space after it.
    fn list(&mut self) -> Result<Vec<Matcher>, MatcherError> {
        self.skip_space();
        let braces = self.take("{");
        let mut matchers = Vec::new();
        loop {
            self.skip_space();
            if braces && self.take("}") {
                self.skip_space();
                return Ok(matchers);
            }
            if self.rest().is_empty() {
                return if braces { Err(MatcherError::Braces) } else { Ok(matchers) };
            }
            matchers.push(self.matcher(braces)?);
            self.skip_space();
            let at_end = self.rest().is_empty() || braces && self.rest().starts_with('}');
            if !at_end && !self.take(",") {
                return Err(MatcherError::NoComma(self.at));
            }
        }
    }

    fn matcher(&mut self, braces: bool) -> Result<Matcher, MatcherError> {
        let name =
            if self.rest().starts_with('"') { self.quoted()? } else { self.bare(is_of_name).to_owned() };
        if name.is_empty() {
            return Err(MatcherError::NoName(self.at));
        }
        self.skip_space();
        let operators = [Operator::Matches, Operator::MatchesNot, Operator::NotEqual, Operator::Equal];
        let Some(operator) = operators.into_iter().find(|operator| self.take(operator.sign())) else {
            return Err(MatcherError::NoOperator(name));
        };
        self.skip_space();
        let value = if self.rest().starts_with('"') {
            self.quoted()?
        } else {
            self.bare(|c| c != ',' && !(braces && c == '}')).trim_end().to_owned()
        };
        Matcher::new(name, operator, value)
    }

    fn bare(&mut self, part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn quoted(&mut self) -> Result<String, MatcherError> {
        let opened = self.at;
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' => {
                    self.at += offset + 1;
                    return Ok(out);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, c @ ('"' | '\\'))) => out.push(c),
                    // other escapes, such as \d, belong to the regular expression and keep their backslash
                    Some((_, c)) => out.extend(['\\', c]),
                    None => break,
                },
                c => out.push(c),
            }
        }
        Err(MatcherError::OpenQuote(opened))
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(is_of_name)
}

/// Whether a character can be in a label name without quotes.
fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-')
}

#[cfg(test)]
mod tests;
