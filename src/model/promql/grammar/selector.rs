//! Parses selectors: `name{label="value", "other.label"=~"a|b"}`.

use crate::model::matcher::{Matcher, MatcherError, Operator};

use super::super::{LabelTest, QueryRemark};
use super::{ParsedExpr, PromqlParser, Token};

impl PromqlParser<'_> {
    /// Parses the label matchers of a selector; a selector that matches all series is an error.
    pub(super) fn selector(&mut self, name: Option<&str>) -> ParsedExpr<Vec<LabelTest>> {
        let at = self.peek().at;
        let mut all = Vec::new();
        if let Some(name) = name {
            all.push(LabelTest::name(name));
        }
        let mut name = name.map(str::to_owned);
        if self.take("{") {
            while !self.take("}") {
                let place = self.peek().at;
                let (condition, quoted) = self.condition()?;
                let is_name = condition.name == "__name__";
                let named = quoted || is_name;
                if named && let Some(first) = &name {
                    let message = format!("the metric name is given twice: {first} and {}", condition.value);
                    return Err(self.wrong_at(place, message));
                }
                if quoted {
                    name = Some(condition.value.clone());
                }
                self.remark(place, name.as_deref(), &condition);
                all.push(condition);
                if !self.is_sign("}") && !self.take(",") {
                    return Err(self.unexpected(", or }"));
                }
            }
        }
        // regular expressions are only evaluated if no plain matcher restricts the series
        let is_plain = |condition: &LabelTest| match condition.operator {
            Operator::Equal => !condition.value.is_empty(),
            Operator::NotEqual => condition.value.is_empty(),
            Operator::Matches | Operator::MatchesNot => false,
        };
        let is_less = |condition: &LabelTest| {
            let LabelTest { name, operator, value } = condition;
            Matcher::new(name.as_str(), *operator, value.as_str())
                .is_ok_and(|matcher| !matcher.matches_value(""))
        };
        if all.iter().any(is_plain) || all.iter().any(is_less) {
            return Ok(all);
        }
        Err(self.wrong_at(
            at,
            "a selector needs a metric name, or a matcher that does not match the empty string",
        ))
    }

    /// Adds a remark for a bucket bound that is not a number: `le="250ms"` never matches.
    fn remark(&mut self, at: usize, name: Option<&str>, condition: &LabelTest) {
        let is_bucket = name.is_some_and(|name| name.ends_with("_bucket"));
        if is_bucket
            && condition.name == "le"
            && condition.operator == Operator::Equal
            && !is_bound(&condition.value)
        {
            let message =
                format!("le=\"{}\" matches nothing: the bound of a bucket is a number", condition.value);
            self.remarks.push(QueryRemark::at(self.text, at, message));
        }
    }

    /// Parses one matcher. The second result is whether it is only a quoted metric name.
    fn condition(&mut self) -> ParsedExpr<(LabelTest, bool)> {
        let label = match &self.peek().token {
            Token::Word => self.peek().text.to_owned(),
            Token::Text(Some(name)) => {
                let name = name.clone();
                let is_alone = matches!(self.ahead(1).text, "," | "}");
                if is_alone {
                    self.step();
                    return Ok((LabelTest::name(&name), true));
                }
                name
            }
            Token::Text(None) | Token::Number(_) | Token::Duration(_) | Token::Sign | Token::End => {
                return Err(self.unexpected("a label or }"));
            }
        };
        self.step();
        let signs = [
            ("=", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("=~", Operator::Matches),
            ("!~", Operator::MatchesNot),
        ];
        let Some((_, operator)) = signs.into_iter().find(|(sign, _)| self.is_sign(sign)) else {
            return Err(self.unexpected("=, !=, =~ or !~"));
        };
        self.step();
        let place = self.peek().at;
        let value = match &self.peek().token {
            // invalid UTF-8 is not the empty string
            Token::Text(value) => value.clone().unwrap_or_else(|| "\u{fffd}".to_owned()),
            Token::Word | Token::Number(_) | Token::Duration(_) | Token::Sign | Token::End => {
                return Err(self.unexpected("a string"));
            }
        };
        self.step();
        let condition = LabelTest { name: label, operator, value };
        if self.compiles_patterns {
            self.try_pattern(place, &condition)?;
        }
        Ok((condition, false))
    }

    fn try_pattern(&self, at: usize, condition: &LabelTest) -> ParsedExpr<()> {
        let LabelTest { name, operator, value } = condition;
        match Matcher::new(name.as_str(), *operator, value.as_str()) {
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
