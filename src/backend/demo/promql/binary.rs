//! Binary operators.

use std::collections::BTreeMap;

use promql_parser::parser::token::{
    T_ADD, T_ATAN2, T_DIV, T_EQLC, T_GTE, T_GTR, T_LAND, T_LOR, T_LSS, T_LTE, T_LUNLESS, T_MOD, T_MUL, T_NEQ,
    T_POW, T_SUB, TokenId,
};
use promql_parser::parser::{BinModifier, BinaryExpr, LabelModifier, VectorMatchCardinality};

use super::{Eval, Evaluated, EvaluatedSeries, grouped, joined, modified, non_empty, without_name};
use crate::model::labels::Labels;

/// A binary operator with its modifiers.
struct BinaryOperator<'a> {
    id: TokenId,
    /// The `bool` modifier: comparisons return 0 or 1 instead of dropping lines.
    is_bool: bool,
    modifier: Option<&'a BinModifier>,
}

impl Eval<'_> {
    pub(super) fn binary(self, binary: &BinaryExpr) -> Result<Evaluated, String> {
        let modifier = binary.modifier.as_ref();
        let operator = BinaryOperator {
            id: binary.op.id(),
            is_bool: modifier.is_some_and(|modifier| modifier.return_bool),
            modifier,
        };
        Ok(match (self.value(&binary.lhs)?, self.value(&binary.rhs)?) {
            (Evaluated::Scalar(left), Evaluated::Scalar(right)) => {
                let both = left.into_iter().zip(right);
                Evaluated::Scalar(both.map(|(left, right)| operator.of_scalars(left, right)).collect())
            }
            (Evaluated::Lines(lines), Evaluated::Scalar(numbers)) => {
                Evaluated::Lines(operator.with_numbers(lines, &numbers, |line, number| (line, number)))
            }
            (Evaluated::Scalar(numbers), Evaluated::Lines(lines)) => {
                Evaluated::Lines(operator.with_numbers(lines, &numbers, |line, number| (number, line)))
            }
            (Evaluated::Lines(left), Evaluated::Lines(right)) => Evaluated::Lines(match operator.id {
                T_LAND => operator.kept(left, &right, true),
                T_LUNLESS => operator.kept(left, &right, false),
                T_LOR => operator.either(left, right)?,
                _ => operator.matched(&left, &right)?,
            }),
            (Evaluated::Text(_) | Evaluated::Samples(_), _)
            | (_, Evaluated::Text(_) | Evaluated::Samples(_)) => {
                return Err("binary expression must contain only scalar and instant vector types".to_owned());
            }
        })
    }
}

impl BinaryOperator<'_> {
    /// The result of a comparison; `None` for other operators.
    fn holds(&self, left: f64, right: f64) -> Option<bool> {
        #[expect(clippy::float_cmp, reason = "PromQL compares so")]
        Some(match self.id {
            T_EQLC => left == right,
            T_NEQ => left != right,
            T_GTR => left > right,
            T_GTE => left >= right,
            T_LSS => left < right,
            T_LTE => left <= right,
            _ => return None,
        })
    }

    fn calculated(&self, left: f64, right: f64) -> f64 {
        match self.id {
            T_ADD => left + right,
            T_SUB => left - right,
            T_MUL => left * right,
            T_DIV => left / right,
            T_MOD => left % right,
            T_POW => left.powf(right),
            T_ATAN2 => left.atan2(right),
            _ => f64::NAN,
        }
    }

    fn of_scalars(&self, left: f64, right: f64) -> f64 {
        self.holds(left, right)
            .map_or_else(|| self.calculated(left, right), |holds| f64::from(u8::from(holds)))
    }

    /// The result for two values; `kept` is the value of a comparison that holds.
    fn of(&self, left: f64, right: f64, kept: f64) -> Option<f64> {
        match self.holds(left, right) {
            None => Some(self.calculated(left, right)),
            Some(holds) if self.is_bool => Some(f64::from(u8::from(holds))),
            Some(holds) => holds.then_some(kept),
        }
    }

    /// Whether the result keeps the metric name.
    fn keeps_name(&self) -> bool {
        self.holds(0.0, 0.0).is_some() && !self.is_bool
    }

    /// Applies the operator between lines and a scalar; `sides` puts the operands into their order.
    fn with_numbers(
        &self,
        lines: Vec<EvaluatedSeries>,
        numbers: &[f64],
        sides: impl Fn(f64, f64) -> (f64, f64),
    ) -> Vec<EvaluatedSeries> {
        non_empty(lines.into_iter().map(|line| {
            let each = line.values.into_iter().zip(numbers).map(|(value, number)| {
                let (left, right) = sides(value?, *number);
                self.of(left, right, value?)
            });
            let values = each.collect();
            let labels = if self.keeps_name() { line.labels } else { without_name(&line.labels) };
            EvaluatedSeries { labels, values }
        }))
    }

    /// The labels by which lines are matched.
    fn key(&self, labels: &Labels) -> Labels {
        let matching = self.modifier.and_then(|modifier| modifier.matching.as_ref());
        matching.map_or_else(|| without_name(labels), |matching| modified(labels, matching))
    }

    fn by_key<'a>(&self, lines: &'a [EvaluatedSeries]) -> BTreeMap<Labels, Vec<&'a EvaluatedSeries>> {
        grouped(lines, |labels| self.key(labels))
    }

    /// The values that have a match on the other side (`and`), or that have none (`unless`).
    fn kept(
        &self,
        lines: Vec<EvaluatedSeries>,
        others: &[EvaluatedSeries],
        is_wanted: bool,
    ) -> Vec<EvaluatedSeries> {
        let others = self.by_key(others);
        non_empty(lines.into_iter().map(|mut line| {
            let its = others.get(&self.key(&line.labels));
            for (at, value) in line.values.iter_mut().enumerate() {
                let has = |other: &&EvaluatedSeries| other.values.get(at).is_some_and(Option::is_some);
                if its.is_some_and(|its| its.iter().any(has)) != is_wanted {
                    *value = None;
                }
            }
            line
        }))
    }

    fn either(
        &self,
        left: Vec<EvaluatedSeries>,
        right: Vec<EvaluatedSeries>,
    ) -> Result<Vec<EvaluatedSeries>, String> {
        let right = self.kept(right, &left, false);
        joined(left.into_iter().chain(right))
    }

    /// Arithmetic and comparisons between matching lines.
    fn matched(
        &self,
        left: &[EvaluatedSeries],
        right: &[EvaluatedSeries],
    ) -> Result<Vec<EvaluatedSeries>, String> {
        let card = self.modifier.map(|modifier| &modifier.card);
        let (many, one, is_left) = match card {
            Some(VectorMatchCardinality::OneToMany(_)) => (right, left, false),
            _ => (left, right, true),
        };
        let included = card.and_then(VectorMatchCardinality::labels);
        let ones = self.by_key(one);
        let mut lines = Vec::new();
        let mut taken: BTreeMap<Labels, Vec<bool>> = BTreeMap::new();
        for line in many {
            let key = self.key(&line.labels);
            let Some(its) = ones.get(&key) else { continue };
            let taken = taken.entry(key).or_insert_with(|| vec![false; line.values.len()]);
            for (number, other) in its.iter().enumerate() {
                let mut values = vec![None; line.values.len()];
                let sides = line.values.iter().zip(&other.values).zip(taken.iter_mut()).zip(&mut values);
                for (at, (((mine, theirs), taken), value)) in sides.enumerate() {
                    let (Some(mine), Some(theirs)) = (mine, theirs) else { continue };
                    let has = |other: &&EvaluatedSeries| other.values.get(at).is_some_and(Option::is_some);
                    if its.iter().skip(number + 1).any(has) {
                        return Err("found duplicate series for the match group on the right hand-side of the \
                                    operation; many-to-many matching not allowed: matching labels must be unique on \
                                    one side"
                            .to_owned());
                    }
                    if included.is_none() && std::mem::replace(taken, true) {
                        return Err("multiple matches for labels: many-to-one matching must be explicit \
                                    (group_left/group_right)"
                            .to_owned());
                    }
                    let (left, right) = if is_left { (*mine, *theirs) } else { (*theirs, *mine) };
                    *value = self.of(left, right, left);
                }
                lines.push(EvaluatedSeries { labels: self.outcome(&line.labels, &other.labels), values });
            }
        }
        joined(lines)
    }

    /// The labels of the result of two lines.
    fn outcome(&self, many: &Labels, one: &Labels) -> Labels {
        let labels = if self.keeps_name() { many.clone() } else { without_name(many) };
        let Some(modifier) = self.modifier else { return labels };
        match (&modifier.card, &modifier.matching) {
            (VectorMatchCardinality::OneToOne, Some(LabelModifier::Include(on))) => {
                labels.without(|name| !on.labels.iter().any(|on| on == name))
            }
            (VectorMatchCardinality::OneToOne, Some(LabelModifier::Exclude(ignoring))) => {
                labels.without(|name| ignoring.labels.iter().any(|one| one == name))
            }
            (
                VectorMatchCardinality::ManyToOne(included) | VectorMatchCardinality::OneToMany(included),
                _,
            ) => {
                let own = labels.without(|name| included.labels.iter().any(|label| label == name));
                own.with_strs(included.labels.iter().map(|name| (name, one.value(name))))
            }
            (VectorMatchCardinality::OneToOne | VectorMatchCardinality::ManyToMany, _) => labels,
        }
    }
}
