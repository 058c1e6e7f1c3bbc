//! A selector for series of one metric: `http_requests_total{job="api", code=~"5.."}`.

use std::fmt;

use promql_parser::label::MatchOp;
use promql_parser::parser::VectorSelector;

use super::super::labels::Text;
use super::super::matcher::Operator;
use super::super::promql::{self, LabelMatch};
use super::super::text::is_harmless;

/// A metric name and label matchers, in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selector {
    pub metric: Text,
    /// The matchers; none of them for `__name__`.
    pub matches: Vec<LabelMatch>,
}

/// Why a text is not a [`Selector`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Not valid PromQL.
    #[error("not PromQL: {0}")]
    NotPromql(String),
    /// Valid PromQL, but not only a metric name with matchers.
    #[error("expected a metric with label matchers, such as http_requests_total{{code=~\"5..\"}}")]
    NotPlain,
    /// No metric name, or a pattern instead of a name.
    #[error("the metric's name is missing")]
    NoName,
    /// A name or value contains a character that is removed before display, so it would be shown as a different one.
    #[error("the selector contains the invisible character {0:?}")]
    Hidden(char),
}

impl Selector {
    /// Parses a metric name with label matchers and nothing else.
    ///
    /// # Errors
    /// [`SelectorError`] for any other text.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let conditions =
            promql::series(text).map_err(|unread| SelectorError::NotPromql(unread.to_string()))?;
        Self::of_matches(None, conditions.ok_or(SelectorError::NotPlain)?.into_iter())
    }

    /// Converts a vector selector of a parsed expression.
    ///
    /// # Errors
    /// [`SelectorError`] if it has an offset, an `@` modifier, `or` matchers or no metric name.
    pub(super) fn of_vector(selector: &VectorSelector) -> Result<Self, SelectorError> {
        if selector.offset.is_some() || selector.at.is_some() || !selector.matchers.or_matchers.is_empty() {
            return Err(SelectorError::NotPlain);
        }
        let operator = |op: &MatchOp| match op {
            MatchOp::Equal => Operator::Equal,
            MatchOp::NotEqual => Operator::NotEqual,
            MatchOp::Re(_) => Operator::Matches,
            MatchOp::NotRe(_) => Operator::MatchesNot,
        };
        let all = selector.matchers.matchers.iter().map(|matcher| LabelMatch {
            name: matcher.name.as_str().into(),
            operator: operator(&matcher.op),
            value: matcher.value.as_str().into(),
        });
        Self::of_matches(selector.name.as_deref(), all)
    }

    fn of_matches(name: Option<&str>, all: impl Iterator<Item = LabelMatch>) -> Result<Self, SelectorError> {
        let (named, matches): (Vec<_>, Vec<_>) = all.partition(|matcher| &*matcher.name == "__name__");
        let by_label = || match named.as_slice() {
            [one] if one.operator == Operator::Equal => Some(one.value.clone()),
            _ => None,
        };
        let metric = name.map(Text::from).or_else(by_label);
        let metric = metric.ok_or(SelectorError::NoName)?;
        let texts = matches.iter().flat_map(|one| [&one.name, &one.value]).chain([&metric]);
        let hidden = texts.flat_map(|text| text.chars()).find(|c| !is_harmless(*c));
        hidden.map_or(Ok(Self { metric, matches }), |hidden| Err(SelectorError::Hidden(hidden)))
    }

    /// The value of the `le` matcher if it is not a number, so that no bucket can match.
    pub fn invalid_bound(&self) -> Option<&Text> {
        self.equal("le").filter(|bound| !promql::is_bound(bound))
    }

    /// The value that the label must be equal to, if there is such a matcher.
    pub fn equal(&self, name: &str) -> Option<&Text> {
        let condition = |m: &&LabelMatch| &*m.name == name && m.operator == Operator::Equal;
        self.matches.iter().find(condition).map(|m| &m.value)
    }

    /// The same selector without the matchers for one label.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let matches = self.matches.iter().filter(|m| &*m.name != name).cloned().collect();
        Self { metric: self.metric.clone(), matches }
    }

    /// The same selector with its matchers sorted by name and value, for comparing.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.matches.sort_by(|a, b| (&a.name, &a.value).cmp(&(&b.name, &b.value)));
        sorted
    }

    /// The same selector with one more matcher.
    #[must_use]
    pub fn with(mut self, name: &str, operator: Operator, value: &str) -> Self {
        self.matches.push(LabelMatch { name: name.into(), operator, value: value.into() });
        self
    }

    /// The same matchers with another metric name.
    #[must_use]
    pub fn of(&self, metric: &str) -> Self {
        Self { metric: metric.into(), matches: self.matches.clone() }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // colons in a metric name need no quotes, but colons in a label name do
        let is_named = promql::is_plain_name(&self.metric.replace(':', "_"));
        if is_named {
            f.write_str(&self.metric)?;
        }
        let name = (!is_named).then(|| format!("__name__={}", promql::quoted(&self.metric)));
        let conditions = self
            .matches
            .iter()
            .map(|m| format!("{}{}{}", promql::label(&m.name), m.operator.sign(), promql::quoted(&m.value)));
        let all: Vec<_> = name.into_iter().chain(conditions).collect();
        if all.is_empty() { Ok(()) } else { write!(f, "{{{}}}", all.join(",")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_reads_back_what_it_prints() {
        for text in [
            r#"http_requests_total{code=~"5..",job="api"}"#,
            "up",
            r#"m{a="",b!="x\"y\\",c!~"z"}"#,
            "m{a=\"\\ufffd\"}",
            r#"m{"a b"="c"}"#,
            r#"job:m:rate5m{"a:b"="c"}"#,
            r#"{__name__="m n"}"#,
        ] {
            let selector = Selector::parse(text).unwrap();
            let mut again = Selector::parse(&selector.to_string()).unwrap();
            again.matches.sort_by(|a, b| a.name.cmp(&b.name));
            let mut sorted = selector.clone();
            sorted.matches.sort_by(|a, b| a.name.cmp(&b.name));
            assert_eq!(sorted, again, "{text}");
        }
        let named = Selector::parse(r#"{__name__="up",job="api"}"#).unwrap();
        assert_eq!(named.to_string(), r#"up{job="api"}"#);
        assert_eq!(named.equal("job").map(|job| &**job), Some("api"));
    }

    #[test]
    fn what_is_more_than_a_selector_is_refused() {
        for (text, error) in [
            ("rate(up[5m])", SelectorError::NotPlain),
            ("up offset 5m", SelectorError::NotPlain),
            (r#"{job="api"}"#, SelectorError::NoName),
            (r#"{__name__=~"a.*",job="api"}"#, SelectorError::NoName),
            ("up{job=\"a\u{202e}b\"}", SelectorError::Hidden('\u{202e}')),
            (r#"up{job="a\x07b"}"#, SelectorError::Hidden('\u{7}')),
        ] {
            assert_eq!(Selector::parse(text), Err(error), "{text}");
        }
        assert!(matches!(Selector::parse("up{"), Err(SelectorError::NotPromql(_))));
    }
}
