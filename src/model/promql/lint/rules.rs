//! The rules, each with the mistake that it finds.

use std::collections::BTreeSet;

use super::super::super::duration;
use super::super::super::matcher::Operator;
use super::super::super::metric::MetricType;
use super::super::tree::{AggregationNode, BinaryNode, LabelClause, SelectorNode, SyntaxKind, SyntaxTree};
use super::super::{QueryRemark, quoted};
use super::bounds::{bounds, can_be_zero, is_impossible};
use super::labels::{is_set, possible};
use super::{LintContext, LintRule, QueryLint};

/// The hints of all rules.
pub(super) fn all(tree: &SyntaxTree<'_>, cx: &LintContext<'_>) -> Vec<QueryLint> {
    let mut found = Findings { tree, cx, lints: Vec::new() };
    for node in 0..tree.nodes.len() {
        found.look_at(node);
    }
    found.counters(tree.root, CounterUse::Shown);
    found.lints
}

/// What is done with the values of an instant selector.
#[derive(Clone, Copy, PartialEq)]
enum CounterUse {
    /// They are the result.
    Shown,
    /// They are calculated with, so a counter gives a number that only grows.
    Used,
    /// Only whether there are series, or when they were written, counts.
    Irrelevant,
}

struct Findings<'t> {
    tree: &'t SyntaxTree<'t>,
    cx: &'t LintContext<'t>,
    lints: Vec<QueryLint>,
}

/// The functions of counters: they handle resets.
fn is_of_counters(function: &str) -> bool {
    ["rate", "increase", "irate"].contains(&function)
}

impl Findings<'_> {
    fn add(&mut self, rule: LintRule, at: usize, message: String, fix: String) {
        let remark = QueryRemark::at(self.tree.text, at, message);
        self.lints.push(QueryLint { rule, remark, fix });
    }

    fn look_at(&mut self, node: usize) {
        let at = self.tree.span(node).start;
        match self.tree.kind(node) {
            SyntaxKind::Number(_)
            | SyntaxKind::Text
            | SyntaxKind::Subquery { .. }
            | SyntaxKind::Paren(_)
            | SyntaxKind::Signed { .. }
            | SyntaxKind::Range { .. } => {}
            SyntaxKind::Selector(selector) => self.patterns(selector),
            SyntaxKind::Binary(binary) => {
                self.join(binary);
                self.comparison(binary);
                self.division(binary);
            }
            SyntaxKind::Aggregation(aggregation) => self.mean_of_quantiles(at, aggregation),
            SyntaxKind::Call { name, arguments } => {
                self.rate(name, arguments);
                self.quantile(at, name, arguments);
            }
        }
    }

    /// `rate(gauge[5m])`, and a window with fewer than two samples.
    fn rate(&mut self, name: &str, arguments: &[usize]) {
        let needs_two =
            is_of_counters(name) || ["delta", "idelta", "deriv", "predict_linear"].contains(&name);
        let range = arguments.iter().find_map(|one| {
            let SyntaxKind::Range { inner, window } = self.tree.kind(*one) else { return None };
            Some((*one, *inner, *window))
        });
        let Some((range, inner, window)) = range.filter(|_| needs_two) else { return };
        let SyntaxKind::Selector(selector) = self.tree.kind(inner) else { return };
        let at = self.tree.span(inner).start;
        let metric = selector.name.as_deref().unwrap_or_default();
        if is_of_counters(name) && self.cx.kind(metric) == Some(MetricType::Gauge) {
            let message = format!("{name} of the gauge {metric}: each decrease counts as a counter reset");
            let instead = if name == "increase" { "delta" } else { "deriv" };
            let fix = format!("Use {instead}({metric}[...]) for its change, or avg_over_time for its level.");
            self.add(LintRule::RateOfGauge, at, message, fix);
        }
        if let (Some(window), Some(interval)) = (window, self.cx.scrape_interval)
            && window < 2 * interval
        {
            let (window, every) = (duration::text(window), duration::text(interval));
            let bracket = selector.end.max(self.tree.span(range).start);
            let message =
                format!("a window of {window} has fewer than two samples at a scrape interval of {every}");
            let fix = format!("Use at least [{}], four scrape intervals.", duration::text(4 * interval));
            self.add(LintRule::ShortWindow, bracket, message, fix);
        }
    }

    /// Counters that are used without rate or increase.
    fn counters(&mut self, node: usize, used: CounterUse) {
        match self.tree.kind(node) {
            SyntaxKind::Selector(selector) if used == CounterUse::Used && self.cx.is_counter(selector) => {
                let name = selector.name.clone().unwrap_or_default();
                let message = format!("{name} is a counter: its value only grows, and restarts at 0");
                let fix = format!("Use rate({name}[5m]), or increase({name}[1h]) for a number of events.");
                self.add(LintRule::RawCounter, self.tree.span(node).start, message, fix);
            }
            // a range goes to a function that says what it does with it
            SyntaxKind::Selector(_) | SyntaxKind::Range { .. } | SyntaxKind::Number(_) | SyntaxKind::Text => {
            }
            SyntaxKind::Paren(inner) => self.counters(*inner, used),
            SyntaxKind::Subquery { inner } | SyntaxKind::Signed { inner, .. } => {
                self.counters(*inner, CounterUse::Used);
            }
            SyntaxKind::Binary(binary) => {
                let is_set = is_set(binary.operator);
                let is_or = binary.operator.eq_ignore_ascii_case("or");
                let of_right = if is_set && !is_or { CounterUse::Irrelevant } else { used };
                // comparing with a number may be meant: errors_total > 0
                let is_plain = is_set || self.tree.constant(binary.right).is_some_and(|bound| bound == 0.0);
                let used = if is_plain { used } else { CounterUse::Used };
                self.counters(binary.left, used);
                self.counters(binary.right, if is_plain { of_right } else { CounterUse::Used });
            }
            SyntaxKind::Aggregation(AggregationNode { name, arguments, .. }) => {
                let lower = name.to_ascii_lowercase();
                let used = match &*lower {
                    "count" | "group" | "count_values" => CounterUse::Irrelevant,
                    "topk" | "bottomk" | "limitk" | "limit_ratio" => used,
                    _ => CounterUse::Used,
                };
                arguments.clone().into_iter().for_each(|argument| self.counters(argument, used));
            }
            SyntaxKind::Call { name, arguments } => {
                let used = match *name {
                    "absent" | "timestamp" | "info" => CounterUse::Irrelevant,
                    "sort" | "sort_desc" | "label_replace" | "label_join" => used,
                    _ => CounterUse::Used,
                };
                arguments.clone().into_iter().for_each(|argument| self.counters(argument, used));
            }
        }
    }

    /// A side of an operator whose grouping drops a label that the other side is matched by.
    fn join(&mut self, binary: &BinaryNode<'_>) {
        let constants = [binary.left, binary.right].map(|side| self.tree.constant(side));
        if constants.iter().any(Option::is_some) || binary.operator.eq_ignore_ascii_case("or") {
            return;
        }
        let sides = [binary.left, binary.right].map(|side| (side, possible(self.tree, side)));
        match &binary.matching {
            Some(on) if on.is_positive => {
                for (side, labels) in &sides {
                    let Some(labels) = labels else { continue };
                    if let Some(lost) = on.labels.iter().find(|label| !labels.contains(*label)) {
                        self.lost(*side, lost, "on", on);
                    }
                }
            }
            Some(_) | None => self.unequal(binary, &sides),
        }
        let Some(included) = &binary.included else { return };
        let (one, _) =
            if included.is_positive { (binary.right, binary.left) } else { (binary.left, binary.right) };
        let Some(labels) = possible(self.tree, one) else { return };
        if let Some(lost) = included.labels.iter().find(|label| !labels.contains(*label)) {
            let keyword = if included.is_positive { "group_left" } else { "group_right" };
            self.lost(one, lost, keyword, included);
        }
    }

    /// A label that a clause names and that a side of the operator does not have.
    fn lost(&mut self, side: usize, label: &str, keyword: &str, clause: &LabelClause) {
        let grouping = self.grouping_of(side);
        let at = grouping.map_or(self.tree.span(side).start, |by| by.at);
        let message = format!("{keyword} ({label}) needs the label {label}, which this side does not have");
        let fix = match grouping {
            Some(by) if by.is_positive => format!("Add {label} to by ({}).", by.labels.join(", ")),
            Some(_) => format!("Remove {label} from without."),
            None => format!("Aggregate by ({}), or remove {label} from {keyword}.", clause.labels.join(", ")),
        };
        self.add(LintRule::DroppedLabel, at, message, fix);
    }

    /// The grouping of the outermost aggregation of a part.
    fn grouping_of(&self, node: usize) -> Option<&LabelClause> {
        let SyntaxKind::Aggregation(aggregation) = self.tree.kind(self.tree.bare(node)) else { return None };
        aggregation.grouping.as_ref()
    }

    /// Without `on`, series match only if all their labels are equal.
    fn unequal(&mut self, binary: &BinaryNode<'_>, sides: &[(usize, Option<BTreeSet<String>>); 2]) {
        let [(_, Some(left)), (right_node, Some(right))] = sides else { return };
        let ignored = |label: &&String| binary.matching.as_ref().is_none_or(|on| !on.labels.contains(*label));
        let differing: Vec<&String> = left.symmetric_difference(right).filter(ignored).collect();
        if binary.included.is_some() {
            return;
        }
        let Some(first) = differing.first() else { return };
        let (has, lacks) = if left.contains(*first) { ("left", "right") } else { ("right", "left") };
        let message =
            format!("no series match: the {has} side has the label {first}, the {lacks} side does not");
        let common: Vec<&str> = left.intersection(right).map(String::as_str).collect();
        let fix = format!(
            "Group both sides by the same labels, or write {} on ({}) group_{has}.",
            binary.operator,
            common.join(", ")
        );
        let at = if binary.operator_at > 0 { binary.operator_at } else { self.tree.span(*right_node).start };
        self.add(LintRule::DroppedLabel, at, message, fix);
    }

    /// `histogram_quantile` of classic buckets whose bounds were aggregated away.
    fn quantile(&mut self, at: usize, name: &str, arguments: &[usize]) {
        let (Some(inner), "histogram_quantile") = (arguments.last(), name) else { return };
        let is_lost = possible(self.tree, *inner).is_some_and(|labels| !labels.contains("le"));
        let is_classic =
            |selector: &&SelectorNode| selector.name.as_ref().is_some_and(|name| name.ends_with("_bucket"));
        if is_lost && self.tree.selectors(*inner).iter().any(is_classic) {
            let at = self.grouping_of(*inner).map_or(at, |by| by.at);
            let message = "the buckets have no label le any more: the result is empty or NaN".to_owned();
            let fix = "Keep the bounds of the buckets: sum by (le, ...) (rate(..._bucket[5m])).".to_owned();
            self.add(LintRule::NoBuckets, at, message, fix);
        }
    }

    fn patterns(&mut self, selector: &SelectorNode) {
        for placed in &selector.matchers {
            let condition = &placed.condition;
            let equal = match condition.operator {
                Operator::Matches => "=",
                Operator::MatchesNot => "!=",
                Operator::Equal | Operator::NotEqual => continue,
            };
            let is_plain = !condition.value.contains(|c: char| r"\.+*?()|[]{}^$".contains(c));
            if is_plain {
                let (name, value) = (super::super::label(&condition.name), quoted(&condition.value));
                let message = format!("the pattern {value} has no special character");
                let fix = format!("Write {name}{equal}{value}, which is faster.");
                self.add(LintRule::PlainPattern, placed.at, message, fix);
            } else if &*condition.value == ".*" && condition.operator == Operator::Matches {
                let message = format!("{}=~\".*\" matches every series", condition.name);
                let fix = "Remove it, or write .+ for series that have the label.".to_owned();
                self.add(LintRule::PlainPattern, placed.at, message, fix);
            }
        }
    }

    /// A comparison that no value can pass.
    fn comparison(&mut self, binary: &BinaryNode<'_>) {
        let [left, right] = [binary.left, binary.right].map(|side| bounds(self.tree, side, self.cx));
        let are_constant = [binary.left, binary.right].iter().all(|side| self.tree.constant(*side).is_some());
        if are_constant || !is_impossible(binary.operator, left, right) {
            return;
        }
        let result = if binary.is_bool { "it is always 0" } else { "it filters everything out" };
        let left = self.tree.part(binary.left);
        let left = if left.len() > 40 { "the left side" } else { left };
        let sign = binary.operator;
        let message = format!("{left} is never {sign} {}: {result}", self.tree.part(binary.right));
        let fix = "Check the operator and the bound.".to_owned();
        self.add(LintRule::NeverTrue, binary.operator_at, message, fix);
    }

    /// A division by a rate, which is 0 without traffic.
    fn division(&mut self, binary: &BinaryNode<'_>) {
        if !["/", "%"].contains(&binary.operator) {
            return;
        }
        let divisor = bounds(self.tree, binary.right, self.cx);
        let is_zero = self.tree.constant(binary.right).is_some_and(|value| value == 0.0);
        if !is_zero && (!can_be_zero(divisor) || self.excludes_zero(binary.right)) {
            return;
        }
        let (message, fix) = if is_zero {
            ("a division by 0".to_owned(), "Correct the divisor.".to_owned())
        } else {
            (
                "the divisor can be 0: then the result is NaN or infinite".to_owned(),
                "Append > 0 to the divisor, so that there is no result without traffic.".to_owned(),
            )
        };
        self.add(LintRule::DivisionByZero, binary.operator_at, message, fix);
    }

    /// Whether a comparison leaves out zeros.
    fn excludes_zero(&self, node: usize) -> bool {
        let SyntaxKind::Binary(binary) = self.tree.kind(self.tree.bare(node)) else { return false };
        [">", "!="].contains(&binary.operator)
            && !binary.is_bool
            && self.tree.constant(binary.right).is_some_and(|bound| bound >= 0.0)
    }

    /// The average or the sum of quantiles.
    fn mean_of_quantiles(&mut self, at: usize, aggregation: &AggregationNode<'_>) {
        let is_mean = ["avg", "sum"].iter().any(|name| name.eq_ignore_ascii_case(aggregation.name));
        let Some(inner) = aggregation.arguments.last().filter(|_| is_mean) else { return };
        let is_quantile = match self.tree.kind(self.tree.bare(*inner)) {
            SyntaxKind::Call { name, .. } => ["histogram_quantile", "quantile_over_time"].contains(name),
            SyntaxKind::Aggregation(inner) => inner.name.eq_ignore_ascii_case("quantile"),
            SyntaxKind::Selector(selector) => selector.matchers.iter().any(|placed| {
                &*placed.condition.name == "quantile" && placed.condition.operator == Operator::Equal
            }),
            SyntaxKind::Number(_)
            | SyntaxKind::Text
            | SyntaxKind::Range { .. }
            | SyntaxKind::Subquery { .. }
            | SyntaxKind::Paren(_)
            | SyntaxKind::Signed { .. }
            | SyntaxKind::Binary(_) => false,
        };
        if is_quantile {
            let name = aggregation.name.to_ascii_lowercase();
            let message = format!("{name} of quantiles is not the quantile of all");
            let fix =
                "Aggregate the buckets first: histogram_quantile(0.95, sum by (le) (rate(x_bucket[5m]))).";
            self.add(LintRule::MeanOfQuantiles, at, message, fix.to_owned());
        }
    }
}
