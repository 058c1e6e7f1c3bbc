//! Parses what can follow an expression: `[5m]`, `[1h:5m]`, `offset 1d`, `@ end()`.

use std::time::Duration;

use super::{ExprNode, ModifierPosition, ParsedExpr, PromqlParser, Token, ValueKind};
use crate::model::promql::tree::SyntaxKind;

/// The longest duration in Go, in seconds.
const GO_MAX_DURATION: f64 = 9_223_372_036.0;

impl PromqlParser<'_> {
    pub(super) fn postfix(&mut self, mut node: ExprNode) -> ParsedExpr<ExprNode> {
        loop {
            if self.is_sign("[") {
                node = self.range(node)?;
            } else if self.is_word("offset") {
                node = self.offset(node)?;
            } else if self.is_sign("@") {
                node = self.moment(node)?;
            } else if node.form == ModifierPosition::Selector || node.form == ModifierPosition::Range {
                if !self.take_word("smoothed") && !self.take_word("anchored") {
                    return Ok(node);
                }
            } else {
                return Ok(node);
            }
        }
    }

    fn range(&mut self, node: ExprNode) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        self.step();
        let window = self.length()?;
        if self.take(":") {
            if !self.take("]") {
                self.length()?;
                self.need("]")?;
            }
            let why = format_args!("a subquery needs an instant vector, not {}", node.kind.word());
            self.ensure(node.kind.is(ValueKind::Vector), at, why)?;
            let kind = SyntaxKind::Subquery { inner: node.node };
            let subquery = self.node(ValueKind::Matrix, ModifierPosition::Subquery, node.at, kind);
            return Ok(ExprNode { has_timestamp: node.has_timestamp, ..subquery });
        }
        if !self.take("]") {
            return Err(self.unexpected(": or ]"));
        }
        let why = "a range must follow the name or the braces of a series; elsewhere write [5m:]";
        self.ensure(node.form == ModifierPosition::Selector, at, why)?;
        self.ensure(!node.has_offset && !node.has_timestamp, at, "offset and @ must follow the range")?;
        let kind = SyntaxKind::Range { inner: node.node, window };
        let range = self.node(ValueKind::Matrix, ModifierPosition::Range, node.at, kind);
        Ok(ExprNode { kind: range.kind, form: range.form, node: range.node, ..node })
    }

    /// Parses a duration or a calculation of one: `5m`, `300`, `2 * 5m`, `step()`. The value of a single duration.
    fn length(&mut self) -> ParsedExpr<Option<Duration>> {
        let (at, first) = (self.peek().at, self.at);
        let seconds = self.seconds();
        self.sum_of_lengths(0)?;
        let is_alone = self.at == first + 1;
        let is_empty = is_alone && seconds.is_some_and(|seconds| seconds <= 0.0);
        self.ensure(!is_empty, at, "a duration must be greater than 0")?;
        Ok(seconds.filter(|_| is_alone).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }

    /// The next token as a duration in seconds; `None` if it is not a number or a duration.
    fn seconds(&self) -> Option<f64> {
        match &self.peek().token {
            Token::Number(seconds) => Some(*seconds),
            Token::Duration(duration) => Some(duration.as_secs_f64()),
            Token::Text(_) | Token::Word | Token::Sign | Token::End => None,
        }
    }

    fn sum_of_lengths(&mut self, depth: usize) -> ParsedExpr<()> {
        loop {
            self.one_length(depth)?;
            if !["+", "-", "*", "/", "%", "^"].into_iter().any(|sign| self.take(sign)) {
                return Ok(());
            }
        }
    }

    fn one_length(&mut self, depth: usize) -> ParsedExpr<()> {
        if depth > 50 {
            return Err(self.unexpected("a duration"));
        }
        while self.take("-") || self.take("+") {}
        if self.take("(") {
            self.sum_of_lengths(depth + 1)?;
            return self.need(")");
        }
        let is_called = self.ahead(1).text == "(";
        if is_called && (self.take_word("step") || self.take_word("range")) {
            self.need("(")?;
            return self.need(")");
        }
        if is_called && (self.take_word("min") || self.take_word("max")) {
            self.need("(")?;
            self.sum_of_lengths(depth + 1)?;
            self.need(",")?;
            self.sum_of_lengths(depth + 1)?;
            return self.need(")");
        }
        let seconds = self.seconds().ok_or_else(|| self.unexpected("a duration"))?;
        self.ensure(seconds <= GO_MAX_DURATION, self.peek().at, "the duration is too long")?;
        self.step();
        Ok(())
    }

    fn offset(&mut self, node: ExprNode) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        self.step();
        while self.take("-") || self.take("+") {}
        // operators after the offset belong to the enclosing expression
        self.one_length(0)?;
        let is_after_series = node.form != ModifierPosition::Other;
        self.ensure(is_after_series, at, "offset must follow a selector, a range or a subquery")?;
        self.ensure(!node.has_offset, at, "offset is given twice")?;
        self.extend(node);
        Ok(ExprNode { has_offset: true, ..node })
    }

    fn moment(&mut self, node: ExprNode) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        self.step();
        let has_timestamp = !self.take_word("start") && !self.take_word("end");
        if has_timestamp {
            let _is_signed = self.take("-") || self.take("+");
            let seconds = self.number("a time in seconds, start() or end()")?;
            // the limit of milliseconds in an i64
            let is_time = seconds.is_finite() && seconds.abs() < 9.223_372_036_854_775e15;
            self.ensure(is_time, at, "the time after @ is out of bounds")?;
        } else {
            self.need("(")?;
            self.need(")")?;
        }
        let is_after_series = node.form != ModifierPosition::Other;
        self.ensure(is_after_series, at, "@ must follow a selector, a range or a subquery")?;
        self.ensure(!node.has_moment, at, "@ is given twice")?;
        self.extend(node);
        Ok(ExprNode { has_moment: true, has_timestamp, ..node })
    }
    /// The offset or `@` that was just parsed belongs to this expression.
    fn extend(&mut self, node: ExprNode) {
        let end = self.end_of_last();
        if let Some(node) = self.nodes.get_mut(node.node) {
            node.span.end = end;
        }
    }
}
