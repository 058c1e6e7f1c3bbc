//! Parses lists of labels: `by (a, b)`, `on (a) group_left (b)`.

use super::keyword::{is_by, is_grouping_label};
use super::{ParsedExpr, PromqlParser, Token};
use crate::model::promql::tree::LabelClause;

/// What stands between an operator and its right side.
#[derive(Default)]
pub(super) struct Matching {
    /// `on` or `ignoring`
    pub(super) on: Option<LabelClause>,
    /// `group_left` or `group_right`
    pub(super) included: Option<LabelClause>,
}

impl Matching {
    /// Whether it names labels, which requires vectors on both sides.
    pub(super) fn names_labels(&self) -> bool {
        self.on.as_ref().is_some_and(|on| !on.labels.is_empty())
    }
}

impl PromqlParser<'_> {
    /// Parses `on (...) group_left (...) fill (0)`.
    pub(super) fn matching(&mut self, is_set: bool) -> ParsedExpr<Matching> {
        let mut matching = Matching::default();
        let is_on = self.is_word("on");
        if is_on || self.is_word("ignoring") {
            let on = self.clause(is_on)?;
            let at = self.peek().at;
            let is_left = self.is_word("group_left");
            if is_left || self.is_word("group_right") {
                self.ensure(!is_set, at, "and, or and unless take no group_left or group_right")?;
                let included = if self.ahead(1).text == "(" {
                    self.clause(is_left)?
                } else {
                    self.step();
                    let end = self.end_of_last();
                    LabelClause { is_positive: is_left, labels: Vec::new(), at, list: end..end }
                };
                if let Some(twice) = included.labels.iter().find(|label| is_on && on.labels.contains(label)) {
                    return Err(self.wrong_at(at, format!("the label {twice} is in both on and the group")));
                }
                matching.included = Some(included);
            }
            matching.on = Some(on);
        }
        while ["fill", "fill_left", "fill_right"].iter().any(|word| self.is_word(word))
            && self.ahead(1).text == "("
        {
            self.step();
            self.step();
            let _is_signed = self.take("-") || self.take("+");
            self.number("a number")?;
            self.need(")")?;
        }
        Ok(matching)
    }

    /// Parses `by (...)` or `without (...)`, if it is there.
    pub(super) fn by(&mut self) -> ParsedExpr<Option<LabelClause>> {
        let found = is_by(self.peek().text) && self.peek().token == Token::Word;
        let is_positive = self.is_word("by");
        if found { self.clause(is_positive).map(Some) } else { Ok(None) }
    }

    /// Parses a keyword and its list of labels.
    fn clause(&mut self, is_positive: bool) -> ParsedExpr<LabelClause> {
        let at = self.peek().at;
        self.step();
        let start = self.peek().at;
        let labels = self.grouping()?;
        Ok(LabelClause { is_positive, labels, at, list: start..self.end_of_last() })
    }

    /// Parses `(a, b)`, the labels of `by`, `on` and similar clauses.
    fn grouping(&mut self) -> ParsedExpr<Vec<String>> {
        self.need("(")?;
        let mut labels = Vec::new();
        while !self.take(")") {
            match &self.peek().token {
                Token::Word if is_grouping_label(self.peek().text) => {
                    labels.push(self.peek().text.to_owned());
                }
                Token::Text(Some(name)) if !name.is_empty() => labels.push(name.clone()),
                Token::Word
                | Token::Text(_)
                | Token::Number(_)
                | Token::Duration(_)
                | Token::Sign
                | Token::End => return Err(self.unexpected("a label")),
            }
            self.step();
            self.separator(")")?;
        }
        Ok(labels)
    }
}
