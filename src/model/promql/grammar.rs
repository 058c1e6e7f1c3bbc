//! Checks the syntax and types of PromQL as Prometheus does before it accepts a rule.
//!
//! It builds no tree; its result is the first error. Source: `promql/parser` of Prometheus 2.42 to 3.8; a query that
//! any of these versions accepts is accepted.

mod grouping;
mod keyword;
mod range;
mod selector;

use std::fmt::Display;

use keyword::{OPERATORS, POWER, is_by};
pub(super) use keyword::{is_aggregation, is_operator_word};
pub use selector::is_bound;

use super::functions::{ValueKind, function};
use super::token::{Lexeme, Token, tokens};
use super::tree::{AggregationNode, BinaryNode, SyntaxKind, SyntaxNode, SyntaxTree};
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
    /// Its index among the nodes of the tree.
    node: usize,
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
    /// The nodes of the syntax tree.
    nodes: Vec<SyntaxNode<'t>>,
}

/// Checks a whole query. With `compiles_patterns` the regular expressions of label matchers are compiled too, which is slow.
pub(super) fn check(text: &str, compiles_patterns: bool) -> Result<Vec<QueryRemark>, QueryParseError> {
    let mut reader = PromqlParser { compiles_patterns, ..PromqlParser::new(text)? };
    reader.whole()?;
    match reader.unknown {
        None => Ok(reader.remarks),
        Some(name) => Err(QueryParseError::Unknown(format!("burnwatch does not know the function {name}"))),
    }
}

/// The syntax tree of a whole query; functions that are not known are accepted.
pub(super) fn tree(text: &str) -> Result<SyntaxTree<'_>, QueryParseError> {
    let mut reader = PromqlParser::new(text)?;
    let root = reader.whole()?.node;
    Ok(SyntaxTree { text, nodes: reader.nodes, root })
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
    let conditions = reader.selector(name)?.matchers.into_iter().map(|placed| placed.condition);
    Ok((reader.peek().token == Token::End).then(|| conditions.collect()))
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
            nodes: Vec::new(),
        })
    }

    /// Parses the whole query.
    fn whole(&mut self) -> ParsedExpr<ExprNode> {
        if self.peek().token == Token::End {
            return Err(self.wrong("there is no expression"));
        }
        let whole = self.expression(0)?;
        if self.peek().token != Token::End {
            return Err(self.unexpected("an operator or the end"));
        }
        Ok(whole)
    }

    /// A parsed expression that began at `at` and ends before the next token.
    fn node(
        &mut self,
        value: ValueKind,
        form: ModifierPosition,
        at: usize,
        kind: SyntaxKind<'t>,
    ) -> ExprNode {
        let node = self.nodes.len();
        self.nodes.push(SyntaxNode { kind, span: at..self.end_of_last() });
        ExprNode { kind: value, form, at, has_offset: false, has_moment: false, has_timestamp: false, node }
    }

    /// The byte offset of the end of the last token that was taken.
    fn end_of_last(&self) -> usize {
        let last = self.at.checked_sub(1).and_then(|last| self.lexemes.get(last));
        last.map_or(0, |last| last.at + last.text.len())
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
        let is_minus = self.is_sign("-");
        if !self.take("-") && !self.take("+") {
            let primary = self.primary()?;
            return self.postfix(primary);
        }
        let inner = self.expression(POWER)?;
        let (is_fit, what) = (inner.kind.is_operand(), inner.kind.word());
        let why = format_args!("a sign goes before a scalar or an instant vector, not before {what}");
        self.ensure(is_fit, at, why)?;
        let kind = SyntaxKind::Signed { inner: inner.node, is_minus };
        Ok(self.node(inner.kind, ModifierPosition::Other, at, kind))
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
        let matching = self.matching(is_set)?;
        let is_matched = matching.names_labels();
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
        let binary = BinaryNode {
            operator: sign.text,
            operator_at: sign.at,
            left: left.node,
            right: right.node,
            is_bool,
            matching: matching.on,
            included: matching.included,
        };
        Ok(self.node(kind, ModifierPosition::Other, left.at, SyntaxKind::Binary(binary)))
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
        match &self.peek().token {
            Token::Number(_) | Token::Duration(_) => {
                let kind = SyntaxKind::Number(self.number("a number")?);
                Ok(self.node(ValueKind::Scalar, ModifierPosition::Other, at, kind))
            }
            Token::Text(_) => {
                self.step();
                Ok(self.node(ValueKind::Text, ModifierPosition::Other, at, SyntaxKind::Text))
            }
            Token::Sign if self.is_sign("{") => {
                let kind = SyntaxKind::Selector(self.selector(None)?);
                Ok(self.node(ValueKind::Vector, ModifierPosition::Selector, at, kind))
            }
            Token::Sign if self.is_sign("(") => {
                self.step();
                let inner = self.expression(0)?;
                self.need(")")?;
                Ok(self.node(inner.kind, ModifierPosition::Other, at, SyntaxKind::Paren(inner.node)))
            }
            Token::Word => {
                let word = self.peek().text;
                let is_called = self.ahead(1).text == "(" && self.ahead(1).token == Token::Sign;
                let lower = word.to_ascii_lowercase();
                if lower == "inf" || lower == "nan" {
                    let kind = SyntaxKind::Number(self.number("a number")?);
                    Ok(self.node(ValueKind::Scalar, ModifierPosition::Other, at, kind))
                } else if is_aggregation(&lower) && (is_called || is_by(self.ahead(1).text)) {
                    self.step();
                    let kind = SyntaxKind::Aggregation(self.aggregation(word, &lower)?);
                    Ok(self.node(ValueKind::Vector, ModifierPosition::Other, at, kind))
                } else if is_called && !is_operator_word(&lower) && !word.contains(':') {
                    self.call(word)
                } else if ["bool", "on", "ignoring", "group_left", "group_right", "atan2"].contains(&&*lower)
                {
                    Err(self.unexpected("an expression"))
                } else {
                    self.step();
                    let kind = SyntaxKind::Selector(self.selector(Some(word))?);
                    Ok(self.node(ValueKind::Vector, ModifierPosition::Selector, at, kind))
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

    fn aggregation(&mut self, written: &'t str, name: &str) -> ParsedExpr<AggregationNode<'t>> {
        let at = self.ahead(0).at;
        let mut grouping = self.by()?;
        let arguments = self.arguments()?;
        if grouping.is_none() {
            grouping = self.by()?;
        }
        let parameter = match name {
            "topk" | "bottomk" | "quantile" | "limitk" | "limit_ratio" => Some(ValueKind::Scalar),
            "count_values" => Some(ValueKind::Text),
            _ => None,
        };
        let wanted: Vec<ValueKind> = parameter.into_iter().chain([ValueKind::Vector]).collect();
        let (count, given) = (wanted.len(), arguments.len());
        self.ensure(count == given, at, format_args!("{name} takes {count} argument(s), not {given}"))?;
        self.fit(name, &arguments, &wanted)?;
        let arguments = arguments.into_iter().map(|argument| argument.node).collect();
        Ok(AggregationNode { name: written, grouping, arguments })
    }

    fn call(&mut self, name: &'t str) -> ParsedExpr<ExprNode> {
        let at = self.peek().at;
        self.step();
        let arguments = self.arguments()?;
        let kind = SyntaxKind::Call { name, arguments: arguments.iter().map(|one| one.node).collect() };
        let Some(function) = function(name) else {
            self.unknown.get_or_insert_with(|| name.to_owned());
            return Ok(self.node(ValueKind::Any, ModifierPosition::Other, at, kind));
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
        Ok(self.node(function.result_type, ModifierPosition::Other, at, kind))
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
