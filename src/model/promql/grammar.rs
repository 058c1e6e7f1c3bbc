//! Checks the syntax and types of PromQL as Prometheus does before it accepts a rule.
//!
//! It builds no tree; its result is the first error. Source: `promql/parser` of Prometheus 2.42 to 3.8; a query that
//! any of these versions accepts is accepted.

mod keyword;
mod range;
mod selector;

use std::fmt::Display;

use keyword::{OPERATORS, POWER, is_aggregation, is_by, is_grouping_label, is_operator_word};
pub use selector::is_bound;

use super::functions::{ValueKind, function};
use super::token::{Lexeme, Token, tokens};
use super::{LabelMatch, QueryParseError, QueryRemark};

/// The kinds of expressions for the rules about where `offset`, `@` and a range are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModifierPosition {
    Selector,
    Range,
    Subquery,
    Other,
}

/// A parsed expression.
#[derive(Debug, Clone, Copy)]
struct ExprNode {
    kind: ValueKind,
    form: ModifierPosition,
    /// The byte offset of its start.
    at: usize,
    has_offset: bool,
    has_moment: bool,
    /// Whether the time after `@` is a timestamp, not `start()` or `end()`.
    has_timestamp: bool,
}

impl ExprNode {
    fn new(kind: ValueKind, form: ModifierPosition, at: usize) -> Self {
        Self { kind, form, at, has_offset: false, has_moment: false, has_timestamp: false }
    }
}

type ParsedExpr<T> = Result<T, QueryParseError>;

/// The limit for nesting; real queries have about ten levels.
const MAX_NESTING: usize = 200;

struct PromqlParser<'t> {
    text: &'t str,
    lexemes: Vec<Lexeme<'t>>,
    at: usize,
    depth: usize,
    /// The first unknown function.
    unknown: Option<String>,
    remarks: Vec<QueryRemark>,
    /// Whether regular expressions are compiled to check them.
    compiles_patterns: bool,
}

/// Checks a whole query. With `compiles_patterns` the regular expressions of label matchers are compiled too, which is slow.
pub(super) fn check(text: &str, compiles_patterns: bool) -> Result<Vec<QueryRemark>, QueryParseError> {
    let mut reader = PromqlParser { compiles_patterns, ..PromqlParser::new(text)? };
    if reader.peek().token == Token::End {
        return Err(reader.wrong("there is no expression"));
    }
    reader.expression(0)?;
    if reader.peek().token != Token::End {
        return Err(reader.unexpected("an operator or the end"));
    }
    match reader.unknown {
        None => Ok(reader.remarks),
        Some(name) => Err(QueryParseError::Unknown(format!("burnwatch does not know the function {name}"))),
    }
}

/// The label matchers of a query that is only a selector, with the metric name as `__name__`; `None` for other queries.
///
/// # Errors
/// The errors of [`super::check`].
pub fn series(text: &str) -> Result<Option<Vec<LabelMatch>>, QueryParseError> {
    check(text, true)?;
    let mut reader = PromqlParser::new(text)?;
    let name = (reader.peek().token == Token::Word).then(|| reader.peek().text);
    reader.at += usize::from(name.is_some());
    if !reader.is_sign("{") && (name.is_none() || reader.peek().token != Token::End) {
        return Ok(None);
    }
    let conditions = reader.selector(name)?;
    Ok((reader.peek().token == Token::End).then_some(conditions))
}

impl<'t> PromqlParser<'t> {
    fn new(text: &'t str) -> ParsedExpr<Self> {
        let lexemes = tokens(text).map_err(QueryParseError::Refused)?;
        Ok(Self {
            text,
            lexemes,
            at: 0,
            depth: 0,
            unknown: None,
            remarks: Vec::new(),
            compiles_patterns: false,
        })
    }

    fn peek(&self) -> &Lexeme<'t> {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> &Lexeme<'t> {
        const END: &Lexeme<'static> = &Lexeme { token: Token::End, text: "", at: usize::MAX };
        self.lexemes.get(self.at + by).or(self.lexemes.last()).unwrap_or(END)
    }

    fn step(&mut self) {
        self.at += 1;
    }

    fn is_sign(&self, sign: &str) -> bool {
        self.peek().token == Token::Sign && self.peek().text == sign
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn need(&mut self, sign: &str) -> ParsedExpr<()> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(sign)) }
    }

    fn is_word(&self, word: &str) -> bool {
        self.peek().token == Token::Word && self.peek().text.eq_ignore_ascii_case(word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn wrong_at(&self, at: usize, why: impl Into<String>) -> QueryParseError {
        QueryParseError::Refused(QueryRemark::at(self.text, at, why))
    }

    fn wrong(&self, why: impl Into<String>) -> QueryParseError {
        self.wrong_at(self.peek().at, why)
    }

    fn unexpected(&self, wanted: &str) -> QueryParseError {
        let Lexeme { token, text, .. } = self.peek();
        let is_end = *token == Token::End;
        let found = if is_end { "the end of the query".to_owned() } else { text.chars().take(40).collect() };
        self.wrong(format!("unexpected {found}, expected {wanted}"))
    }

    /// An error at this position unless the condition holds.
    fn ensure(&self, holds: bool, at: usize, why: impl Display) -> ParsedExpr<()> {
        if holds { Ok(()) } else { Err(self.wrong_at(at, why.to_string())) }
    }

    /// Takes a comma, unless the closing sign follows.
    fn separator(&mut self, close: &str) -> ParsedExpr<()> {
        let is_there = self.is_sign(close) || self.take(",");
        if is_there { Ok(()) } else { Err(self.unexpected(&format!(", or {close}"))) }
    }

    /// Parses an expression of operators with at least this precedence.
    fn expression(&mut self, least: u8) -> ParsedExpr<ExprNode> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(QueryParseError::Unknown(format!(
                "the query is nested more than {MAX_NESTING} levels deep"
            )));
        }
        let mut left = self.unary()?;
        while let Some(strength) = self.operator().filter(|strength| *strength >= least) {
            left = self.binary(left, strength)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        if !self.take("-") && !self.take("+") {
            let primary = self.primary()?;
            return self.postfix(primary);
        }
        let inner = self.expression(POWER)?;
        let (is_fit, what) = (inner.kind.is_operand(), inner.kind.word());
        let why = format_args!("a sign goes before a scalar or an instant vector, not before {what}");
        self.ensure(is_fit, at, why)?;
        Ok(ExprNode { form: ModifierPosition::Other, at, ..inner })
    }

    /// The precedence of the next token, if it is an operator.
    fn operator(&self) -> Option<u8> {
        let next = self.peek();
        let is_operator = matches!(next.token, Token::Sign | Token::Word);
        let known = OPERATORS.iter().find(|(operator, _)| operator.eq_ignore_ascii_case(next.text));
        known.filter(|_| is_operator).map(|(_, strength)| *strength)
    }

    fn binary(&mut self, left: ExprNode, strength: u8) -> ParsedExpr<ExprNode> {
        let sign = self.peek().clone();
        self.step();
        let (is_set, is_comparison) = (strength <= 2, strength == 3);
        let bool_at = self.peek().at;
        let is_bool = self.take_word("bool");
        self.ensure(!is_bool || is_comparison, bool_at, "bool is only allowed with comparisons")?;
        let is_matched = self.matching(is_set)?;
        // `^` is right-associative: 2 ^ 3 ^ 2 is 2 ^ (3 ^ 2)
        let right = self.expression(if strength == POWER { POWER } else { strength + 1 })?;
        for side in [left, right] {
            let (kind, sign) = (side.kind.word(), sign.text);
            let why = format_args!("{kind} on one side of {sign}: it takes scalars and instant vectors");
            self.ensure(side.kind.is_operand(), side.at, why)?;
        }
        let are_vectors = left.kind.is(ValueKind::Vector) && right.kind.is(ValueKind::Vector);
        let of_set = format_args!("{} takes instant vectors, not scalars", sign.text);
        self.ensure(!is_set || are_vectors, sign.at, of_set)?;
        self.ensure(!is_matched || are_vectors, sign.at, "labels are matched between instant vectors only")?;
        let are_scalars = left.kind == ValueKind::Scalar && right.kind == ValueKind::Scalar;
        let is_allowed = !is_comparison || !are_scalars || is_bool;
        self.ensure(is_allowed, sign.at, "a comparison of two scalars needs the bool modifier")?;
        let is_any = left.kind == ValueKind::Any || right.kind == ValueKind::Any;
        let kind = match (are_scalars, is_any) {
            (true, _) => ValueKind::Scalar,
            (false, true) => ValueKind::Any,
            (false, false) => ValueKind::Vector,
        };
        Ok(ExprNode::new(kind, ModifierPosition::Other, left.at))
    }

    /// Parses `on (...) group_left (...) fill (0)`. Returns whether it names labels, which requires vectors on both sides.
    fn matching(&mut self, is_set: bool) -> ParsedExpr<bool> {
        let mut matched = Vec::new();
        let on = self.is_word("on");
        if on || self.is_word("ignoring") {
            self.step();
            matched = self.grouping()?;
            let at = self.peek().at;
            if self.take_word("group_left") || self.take_word("group_right") {
                self.ensure(!is_set, at, "and, or and unless take no group_left or group_right")?;
                let included = if self.is_sign("(") { self.grouping()? } else { Vec::new() };
                if let Some(twice) = included.iter().find(|label| on && matched.contains(label)) {
                    return Err(self.wrong_at(at, format!("the label {twice} is in both on and the group")));
                }
            }
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
        Ok(!matched.is_empty())
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

    fn number(&mut self, wanted: &str) -> ParsedExpr<f64> {
        let number = match &self.peek().token {
            Token::Number(number) => *number,
            Token::Duration(duration) => duration.as_secs_f64(),
            Token::Word if self.is_word("inf") => f64::INFINITY,
            Token::Word if self.is_word("nan") => f64::NAN,
            Token::Word | Token::Text(_) | Token::Sign | Token::End => return Err(self.unexpected(wanted)),
        };
        self.step();
        Ok(number)
    }

    fn primary(&mut self) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        let node = |kind, form| ExprNode::new(kind, form, at);
        match &self.peek().token {
            Token::Number(_) | Token::Duration(_) => {
                self.step();
                Ok(node(ValueKind::Scalar, ModifierPosition::Other))
            }
            Token::Text(_) => {
                self.step();
                Ok(node(ValueKind::Text, ModifierPosition::Other))
            }
            Token::Sign if self.is_sign("{") => {
                self.selector(None)?;
                Ok(node(ValueKind::Vector, ModifierPosition::Selector))
            }
            Token::Sign if self.is_sign("(") => {
                self.step();
                let inner = self.expression(0)?;
                self.need(")")?;
                Ok(node(inner.kind, ModifierPosition::Other))
            }
            Token::Word => {
                let word = self.peek().text;
                let is_called = self.ahead(1).text == "(" && self.ahead(1).token == Token::Sign;
                let lower = word.to_ascii_lowercase();
                if lower == "inf" || lower == "nan" {
                    self.step();
                    Ok(node(ValueKind::Scalar, ModifierPosition::Other))
                } else if is_aggregation(&lower) && (is_called || is_by(self.ahead(1).text)) {
                    self.step();
                    self.aggregation(&lower)?;
                    Ok(node(ValueKind::Vector, ModifierPosition::Other))
                } else if is_called && !is_operator_word(&lower) && !word.contains(':') {
                    Ok(node(self.call(word)?, ModifierPosition::Other))
                } else if ["bool", "on", "ignoring", "group_left", "group_right", "atan2"].contains(&&*lower)
                {
                    Err(self.unexpected("an expression"))
                } else {
                    self.step();
                    self.selector(Some(word))?;
                    Ok(node(ValueKind::Vector, ModifierPosition::Selector))
                }
            }
            Token::Sign | Token::End => Err(self.unexpected("an expression")),
        }
    }

    /// Parses the arguments of a call, with the parentheses.
    fn arguments(&mut self) -> ParsedExpr<Vec<ExprNode>> {
        self.need("(")?;
        let mut all = Vec::new();
        if self.take(")") {
            return Ok(all);
        }
        loop {
            all.push(self.expression(0)?);
            if self.take(")") {
                return Ok(all);
            }
            self.separator(")")?;
        }
    }

    fn aggregation(&mut self, name: &str) -> ParsedExpr<()> {
        let at = self.ahead(0).at;
        let is_grouped = self.by()?;
        let arguments = self.arguments()?;
        if !is_grouped {
            self.by()?;
        }
        let parameter = match name {
            "topk" | "bottomk" | "quantile" | "limitk" | "limit_ratio" => Some(ValueKind::Scalar),
            "count_values" => Some(ValueKind::Text),
            _ => None,
        };
        let wanted: Vec<ValueKind> = parameter.into_iter().chain([ValueKind::Vector]).collect();
        let (count, given) = (wanted.len(), arguments.len());
        self.ensure(count == given, at, format_args!("{name} takes {count} argument(s), not {given}"))?;
        self.fit(name, &arguments, &wanted)
    }

    fn by(&mut self) -> ParsedExpr<bool> {
        let found = is_by(self.peek().text) && self.peek().token == Token::Word;
        if found {
            self.step();
            self.grouping()?;
        }
        Ok(found)
    }

    fn call(&mut self, name: &str) -> ParsedExpr<ValueKind> {
        let at = self.peek().at;
        self.step();
        let arguments = self.arguments()?;
        let Some(function) = function(name) else {
            self.unknown.get_or_insert_with(|| name.to_owned());
            return Ok(ValueKind::Any);
        };
        let (given, most) = (arguments.len(), function.argument_types.len());
        let fits = match function.optional_arguments {
            Some(optional_arguments) => (most - optional_arguments..=most).contains(&given),
            None => given + 1 >= most,
        };
        let wanted = match function.optional_arguments {
            Some(0) => most.to_string(),
            Some(optional) => format!("{} to {most}", most - optional),
            None => format!("{} or more", most.saturating_sub(1)),
        };
        self.ensure(fits, at, format_args!("{name} takes {wanted} argument(s), not {given}"))?;
        self.fit(name, &arguments, function.argument_types)?;
        Ok(function.result_type)
    }

    /// Checks the argument types; the last type in `wanted` applies to all further arguments.
    fn fit(&self, name: &str, arguments: &[ExprNode], wanted: &[ValueKind]) -> ParsedExpr<()> {
        for (place, argument) in arguments.iter().enumerate() {
            let Some(kind) = wanted.get(place).or(wanted.last()) else { return Ok(()) };
            let (wanted, given) = (kind.word(), argument.kind.word());
            let why = format_args!("{name} expects {wanted} here, not {given}");
            self.ensure(argument.kind.is(*kind), argument.at, why)?;
        }
        Ok(())
    }
}
