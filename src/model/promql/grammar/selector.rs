//! Parses selectors: `name{label="value", "other.label"=~"a|b"}`.

use crate::model::labels::Text;
use crate::model::matcher::{Matcher, MatcherError, Operator};

use super::super::tree::{PlacedMatcher, SelectorNode};
use super::super::{LabelMatch, QueryRemark};
use super::{ParsedExpr, PromqlParser, Token};

impl PromqlParser<'_> {
    /// Parses the label matchers of a selector; a selector that matches all series is an error.
    pub(super) fn selector(&mut self, name: Option<&str>) -> ParsedExpr<SelectorNode> {
        let at = self.peek().at;
        let mut all = Vec::new();
        if let Some(name) = name {
            let at = self.end_of_last().saturating_sub(name.len());
            all.push(PlacedMatcher { condition: LabelMatch::metric(name), at });
        }
        let mut name = name.map(Text::from);
        let mut braces = None;
        if self.take("{") {
            while !self.take("}") {
                let place = self.peek().at;
                let (condition, quoted) = self.condition()?;
                let named = quoted || &*condition.name == "__name__";
                if named && let Some(first) = &name {
                    let message = format!("the metric name is given twice: {first} and {}", condition.value);
                    return Err(self.wrong_at(place, message));
                }
                if quoted {
                    name = Some(condition.value.clone());
                }
                self.remark(place, name.as_deref(), &condition);
                all.push(PlacedMatcher { condition, at: place });
                self.separator("}")?;
            }
            braces = Some(at..self.end_of_last());
        }
        // regular expressions are only evaluated if no plain matcher restricts the series
        let is_plain = |condition: &LabelMatch| match condition.operator {
            Operator::Equal => !condition.value.is_empty(),
            Operator::NotEqual => condition.value.is_empty(),
            Operator::Matches | Operator::MatchesNot => false,
        };
        let is_less = |condition: &LabelMatch| {
            Matcher::new(&*condition.name, condition.operator, &*condition.value)
                .is_ok_and(|matcher| !matcher.matches_value(""))
        };
        let is_limited = all.iter().any(|one| is_plain(&one.condition) || is_less(&one.condition));
        let why = "a selector needs a metric name, or a matcher that does not match the empty string";
        self.ensure(is_limited, at, why)?;
        let named = |one: &PlacedMatcher| {
            let LabelMatch { name, operator, value } = &one.condition;
            (&**name == "__name__" && *operator == Operator::Equal).then(|| Text::clone(value))
        };
        let name = name.or_else(|| all.iter().find_map(named));
        Ok(SelectorNode { name, matchers: all, braces, end: self.end_of_last() })
    }

    /// Adds a remark for a bucket bound that is not a number: `le="250ms"` never matches.
    fn remark(&mut self, at: usize, name: Option<&str>, condition: &LabelMatch) {
        let is_bucket = name.is_some_and(|name| name.ends_with("_bucket"));
        if is_bucket
            && &*condition.name == "le"
            && condition.operator == Operator::Equal
            && !is_bound(&condition.value)
        {
            let message =
                format!("le=\"{}\" matches nothing: the bound of a bucket is a number", condition.value);
            self.remarks.push(QueryRemark::at(self.text, at, message));
        }
    }

    /// Parses one matcher. The second result is whether it is only a quoted metric name.
    fn condition(&mut self) -> ParsedExpr<(LabelMatch, bool)> {
        let label = match &self.peek().token {
            Token::Word => Text::from(self.peek().text),
            Token::Text(Some(name)) => {
                let name = Text::from(name.as_str());
                let is_alone = matches!(self.ahead(1).text, "," | "}");
                if is_alone {
                    self.step();
                    return Ok((LabelMatch::metric(&name), true));
                }
                name
            }
            Token::Text(None) | Token::Number(_) | Token::Duration(_) | Token::Sign | Token::End => {
                return Err(self.unexpected("a label or }"));
            }
        };
        self.step();
        let Some(operator) = Operator::ALL.into_iter().find(|operator| self.is_sign(operator.sign())) else {
            return Err(self.unexpected("=, !=, =~ or !~"));
        };
        self.step();
        let place = self.peek().at;
        let value = match &self.peek().token {
            // invalid UTF-8 is not the empty string
            Token::Text(value) => Text::from(value.as_deref().unwrap_or("\u{fffd}")),
            Token::Word | Token::Number(_) | Token::Duration(_) | Token::Sign | Token::End => {
                return Err(self.unexpected("a string"));
            }
        };
        self.step();
        let condition = LabelMatch { name: label, operator, value };
        if self.compiles_patterns {
            self.try_pattern(place, &condition)?;
        }
        Ok((condition, false))
    }

    fn try_pattern(&self, at: usize, condition: &LabelMatch) -> ParsedExpr<()> {
        match Matcher::new(&*condition.name, condition.operator, &*condition.value) {
            Err(MatcherError::Regex { reason, .. }) => {
                Err(self.wrong_at(at, format!("invalid regular expression: {reason}")))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Whether the label `le` can have this value; an empty value means that the label is missing.
pub fn is_bound(value: &str) -> bool {
    value.is_empty() || value.parse().is_ok_and(|bound: f64| !bound.is_nan())
}
