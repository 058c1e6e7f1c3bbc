//! Matchers in Alertmanager's syntax: `severity="page"`, `{team!="db", service=~"cart|checkout"}`.

mod expression;

use std::collections::HashSet;
use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::labels::Labels;

/// How a label's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`: the same text.
    Equal,
    /// `!=`: another text.
    NotEqual,
    /// `=~`: the whole value matches the regular expression.
    Matches,
    /// `!~`: the whole value does not match it.
    MatchesNot,
}

impl Operator {
    /// As it is written.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        }
    }
}

/// One condition on one label. An absent label counts as the empty text.
///
/// Source: Alertmanager's `pkg/labels` and `matcher/parse`. Regular expressions are anchored at both ends
/// and read as Go does.
#[derive(Debug, Clone)]
pub struct Matcher {
    name: String,
    operator: Operator,
    value: String,
    test: Test,
}

/// How a value is looked at.
#[derive(Debug, Clone)]
enum Test {
    /// The same text.
    Same,
    /// One of these texts.
    OneOf(HashSet<String>),
    /// Whatever the expression says.
    Regex(Regex),
}

/// Why a text is not a list of matchers, with the byte where it went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// No name where one must stand.
    #[error("a label name is missing at {0}")]
    NoName(usize),
    /// A name without `=`, `!=`, `=~` or `!~` behind it.
    #[error("one of =, !=, =~, !~ is missing after {0:?}")]
    NoOperator(String),
    /// A quote that is never closed.
    #[error("the quote opened at {0} is not closed")]
    OpenQuote(usize),
    /// Something other than a comma between two matchers.
    #[error("a comma is missing at {0}")]
    NoComma(usize),
    /// A `{` without its `}`, or the other way round.
    #[error("the braces do not pair")]
    Braces,
    /// The regular expression does not compile.
    #[error("{pattern:?} is not a regular expression: {reason}")]
    Regex {
        /// What was written.
        pattern: String,
        /// The first line of what the compiler said.
        reason: String,
    },
}

impl Matcher {
    /// A condition on the label `name`.
    ///
    /// # Errors
    /// [`MatcherError::Regex`] if a regular expression does not compile or would be larger than 256 KiB.
    /// Any number of plain texts with `|` between them is taken.
    pub fn new(
        name: impl Into<String>,
        operator: Operator,
        value: impl Into<String>,
    ) -> Result<Self, MatcherError> {
        let value = value.into();
        let test = match operator {
            Operator::Equal | Operator::NotEqual => Test::Same,
            Operator::Matches | Operator::MatchesNot => match expression::texts(&value) {
                Some(texts) => Test::OneOf(texts),
                None => Test::Regex(compile(&value)?),
            },
        };
        Ok(Self { name: name.into(), operator, value, test })
    }

    /// The label that it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// What it compares with: a text, or the source of a regular expression.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with this value (empty: absent) fulfils it.
    pub fn matches_value(&self, value: &str) -> bool {
        let found = match &self.test {
            Test::Same => value == self.value,
            Test::OneOf(texts) => texts.contains(value),
            Test::Regex(regex) => regex.is_match(value),
        };
        match self.operator {
            Operator::Equal | Operator::Matches => found,
            Operator::NotEqual | Operator::MatchesNot => !found,
        }
    }

    /// Whether these labels fulfil it.
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

/// As its text.
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
            serde::de::Error::custom(format!("{} matchers where one must stand", all.len()))
        })
    }
}

/// Always quoted, so that it reads back as the same matcher whatever the value holds.
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

fn compile(pattern: &str) -> Result<Regex, MatcherError> {
    let wrong = |reason: String| MatcherError::Regex { pattern: pattern.to_owned(), reason };
    let ours = expression::translated(pattern).map_err(wrong)?;
    RegexBuilder::new(&format!("^(?:{ours})$")).size_limit(256 * 1024).build().map_err(|error| {
        let reason = error.to_string();
        wrong(reason.lines().last().unwrap_or_default().trim().to_owned())
    })
}

/// Reads a list of matchers, with or without braces: `a="b", c=~"d|e"`.
///
/// Values may be quoted (with `\"`, `\\`, `\n` inside) or bare up to the next comma or brace; names likewise (UTF-8 names
/// must be quoted). An empty text is an empty list, which everything fulfils.
///
/// # Errors
/// [`MatcherError`], which names the place.
pub fn parse(text: &str) -> Result<Vec<Matcher>, MatcherError> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    let braces = reader.take("{");
    let mut matchers = Vec::new();
    loop {
        reader.skip_space();
        if braces && reader.take("}") {
            break;
        }
        if reader.rest().is_empty() {
            if braces {
                return Err(MatcherError::Braces);
            }
            return Ok(matchers);
        }
        matchers.push(reader.matcher(braces)?);
        reader.skip_space();
        let at_end = reader.rest().is_empty() || braces && reader.rest().starts_with('}');
        if !at_end && !reader.take(",") {
            return Err(MatcherError::NoComma(reader.at));
        }
    }
    reader.skip_space();
    if reader.rest().is_empty() { Ok(matchers) } else { Err(MatcherError::Braces) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
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

    fn matcher(&mut self, braces: bool) -> Result<Matcher, MatcherError> {
        let name = if self.rest().starts_with('"') {
            self.quoted()?
        } else {
            self.bare(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-')).to_owned()
        };
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
                    // a regular expression's own escape, such as \d: the backslash belongs to it
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
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '-'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> Labels {
        Labels::from_iter([("severity", "critical"), ("service", "cart"), ("path", "C:\\tmp, \"x\"")])
    }

    #[test]
    fn alertmanagers_examples_match_as_they_do_there() {
        for (text, expected) in [
            ("", true),
            ("{}", true),
            (r#"severity="critical""#, true),
            ("severity=critical", true),
            (r#"{severity=~"crit.*", service!="checkout"}"#, true),
            (r#"severity=~"crit""#, false),
            (r#"severity!~"warn.*|info""#, true),
            (r#"missing="""#, true),
            (r#"missing!="""#, false),
            (" { service = cart , } ", true),
            (r#"path="C:\\tmp, \"x\"""#, true),
            (r#"service=~"c\w+""#, true),
            (r#""service"="cart""#, true),
            ("service=~a|cart", true),
        ] {
            let matchers = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(matchers.iter().all(|m| m.matches(&labels())), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_matched_to_the_letter() {
        let values = [
            "a\nb",
            "a b",
            "a\tb",
            "a\rb",
            "ab",
            "a\u{200b}b",
            "a\u{200c}b",
            "a\u{ad}b",
            "a\u{feff}b",
            "⚠",
            "⚠\u{fe0f}",
        ];
        for value in values {
            let matcher = Matcher::new("val", Operator::Equal, value).unwrap();
            let read = parse(&matcher.to_string()).unwrap();
            for other in values {
                assert_eq!(read[0].matches_value(other), value == other, "{value:?} and {other:?}");
            }
        }
        // a dot takes no line break
        let matcher = &parse(r#"val=~"a.b""#).unwrap()[0];
        let matched: Vec<&str> = values.into_iter().filter(|value| matcher.matches_value(value)).collect();
        assert_eq!(matched, ["a b", "a\tb", "a\rb", "a\u{200b}b", "a\u{200c}b", "a\u{ad}b", "a\u{feff}b"]);
    }

    #[test]
    fn five_hundred_long_names_are_one_expression() {
        let names: Vec<_> =
            (0..500).map(|i| format!("KubernetesPersistentVolumeFillingUpInNamespace{i:020}")).collect();
        let matcher = Matcher::new("alertname", Operator::Matches, names.join("|"));
        let matcher = matcher.map_err(drop).expect("it is short enough");
        assert!(matcher.matches_value(&names[499]) && !matcher.matches_value("Kubernetes"));
    }

    #[test]
    fn a_wrong_text_is_refused_with_its_place() {
        assert_eq!(parse("severity"), Err(MatcherError::NoOperator("severity".into())));
        assert_eq!(parse(r#"a="b"#), Err(MatcherError::OpenQuote(2)));
        assert_eq!(parse("{a=b"), Err(MatcherError::Braces));
        assert_eq!(parse(r#"a="b" c="d""#), Err(MatcherError::NoComma(6)));
        assert_eq!(parse(r#"="b""#), Err(MatcherError::NoName(0)));
        assert!(matches!(parse("a=~\"(\""), Err(MatcherError::Regex { .. })));
        assert!(matches!(parse("a=~\"(\\\\w{9}){9}{9}{99}\""), Err(MatcherError::Regex { .. })));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(name in "[a-zA-Z_][a-zA-Z0-9_]{0,8}|[ä-ü ]{1,5}", value in any::<String>(), equal: bool) {
            let operator = if equal { Operator::Equal } else { Operator::NotEqual };
            let matcher = Matcher::new(name, operator, value).unwrap();
            prop_assert_eq!(parse(&format!("{{{matcher}}}")), Ok(vec![matcher.clone()]));
            prop_assert_eq!(parse(&matcher.to_string()), Ok(vec![matcher]));
        }

        #[test]
        fn no_text_makes_it_fail_badly(text in any::<String>()) {
            drop(parse(&text));
        }

        #[test]
        fn a_value_is_either_matched_or_not(value in "\\PC{0,20}", pattern in "[a-z.*|]{0,8}") {
            if let Ok(yes) = Matcher::new("l", Operator::Matches, pattern.clone()) {
                let no = Matcher::new("l", Operator::MatchesNot, pattern).unwrap();
                prop_assert!(yes.matches_value(&value) != no.matches_value(&value));
            }
        }
    }
}
