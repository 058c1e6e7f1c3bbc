//! A Grafana alert rule as one PromQL expression: its queries, server-side expressions and condition.
#![expect(clippy::indexing_slicing, reason = "a missing key of a JSON value is null")]
#![expect(clippy::unused_self, reason = "all steps of a rule are compiled alike")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::condition::{self, text};
use crate::model::duration;
use crate::model::labels::Text;
use crate::model::promql;

/// The data source uids of server-side expressions.
const EXPRESSIONS: [&str; 2] = ["__expr__", "-100"];
/// How deep expressions may refer to each other.
const MOST_DEPTH: usize = 20;
/// The step of a query that has none, in milliseconds.
const USUAL_STEP: u64 = 60_000;

/// What a rule compares, and where.
#[derive(Debug)]
pub(in crate::backend::grafana) struct CompiledRule {
    /// The uid of the data source of its queries; `None` if there are several or none.
    pub(in crate::backend::grafana) data_source: Option<Text>,
    /// The whole rule; else why it cannot be written in PromQL.
    pub(in crate::backend::grafana) promql: Result<Text, String>,
    /// The refId of the value that the condition compares.
    pub(in crate::backend::grafana) compared: Option<String>,
}

impl Default for CompiledRule {
    fn default() -> Self {
        Self { data_source: None, promql: Err("its definition is not known".into()), compared: None }
    }
}

/// One query or expression of a rule.
struct RuleStep<'a> {
    data_source: &'a str,
    model: &'a Value,
    /// The length of the time range of the query.
    range: Duration,
}

/// The steps of a rule by refId.
pub(super) struct RuleSteps<'a>(BTreeMap<&'a str, RuleStep<'a>>);

/// Compiles the definition of a rule, as the provisioning API gives it.
pub(super) fn compiled(definition: &Value) -> CompiledRule {
    let data = definition["data"].as_array().map_or(&[][..], Vec::as_slice);
    let steps = RuleSteps(data.iter().filter_map(step).collect());
    let condition = definition["condition"].as_str().unwrap_or_default();
    let queries: BTreeSet<&str> =
        steps.0.values().map(|step| step.data_source).filter(|uid| !EXPRESSIONS.contains(uid)).collect();
    let mut uids = queries.iter();
    let data_source = match (uids.next(), uids.next()) {
        (Some(uid), None) => Some(Text::from(*uid)),
        (Some(_) | None, _) => None,
    };
    let promql = match queries.len() {
        0 => Err("the rule has no query".to_owned()),
        1 => steps.condition(condition, 0),
        _ => Err(format!("the rule compares data of {} data sources", queries.len())),
    };
    // what the server would refuse is not sent
    let promql = promql.and_then(|text| match promql::parse(&text) {
        Ok(_) => Ok(text.into()),
        Err(_) => Err("its query is not PromQL".to_owned()),
    });
    CompiledRule { data_source, promql, compared: steps.compared(condition) }
}

fn step(one: &Value) -> Option<(&str, RuleStep<'_>)> {
    let seconds = |key: &str| one["relativeTimeRange"][key].as_u64().unwrap_or(0);
    let range = Duration::from_secs(seconds("from").saturating_sub(seconds("to")));
    let data_source = one["datasourceUid"].as_str().unwrap_or_default();
    Some((one["refId"].as_str()?, RuleStep { data_source, model: &one["model"], range }))
}

impl RuleSteps<'_> {
    fn get(&self, name: &str, depth: usize) -> Result<&RuleStep<'_>, String> {
        if depth > MOST_DEPTH {
            return Err("its expressions refer to each other in a circle".to_owned());
        }
        self.0.get(name.trim().trim_start_matches('$')).ok_or_else(|| format!("there is no query {name}"))
    }

    /// The refId of the value that a condition compares; `None` if that is not one value.
    fn compared(&self, name: &str) -> Option<String> {
        let step = self.get(name, 0).ok()?;
        let kind = EXPRESSIONS.contains(&step.data_source).then(|| text(step.model, "type"));
        match kind {
            Some("threshold") => Some(text(step.model, "expression").trim_start_matches('$').to_owned()),
            Some("math") => {
                let mut names = condition::references(text(step.model, "expression")).into_iter();
                names.next().filter(|_| names.next().is_none())
            }
            Some(_) | None => None,
        }
    }

    /// The condition of the rule: a filter that has a result where the rule fires.
    fn condition(&self, name: &str, depth: usize) -> Result<String, String> {
        let step = self.get(name, depth)?;
        if !EXPRESSIONS.contains(&step.data_source) {
            // Grafana fires where the value of the condition is not 0
            return Ok(format!("({}) != 0", self.value(name, depth)?));
        }
        match text(step.model, "type") {
            "threshold" => {
                let value = self.value(text(step.model, "expression"), depth + 1)?;
                let first = &step.model["conditions"][0];
                condition::compared(&value, &first["evaluator"])
            }
            "classic_conditions" => self.classic(&step.model["conditions"], depth),
            "math" => {
                let parts = condition::parts(text(step.model, "expression"))?;
                let written = |part: &condition::MathPart| match part {
                    condition::MathPart::Comparison { left, sign, right } => {
                        Ok(format!("({}) {sign} ({})", self.math(left, depth)?, self.math(right, depth)?))
                    }
                    condition::MathPart::Value(value) => Ok(format!("({}) != 0", self.math(value, depth)?)),
                    condition::MathPart::Joined(word) => Ok::<_, String>((*word).to_owned()),
                };
                Ok(parts.iter().map(written).collect::<Result<Vec<_>, _>>()?.join(" "))
            }
            "reduce" | "resample" => Ok(format!("({}) != 0", self.value(name, depth)?)),
            other => {
                Err(format!("the expression {name} is of the type {other}, which has no form in PromQL"))
            }
        }
    }

    /// A classic condition: each compares the reduced series of a query, joined from left to right.
    fn classic(&self, conditions: &Value, depth: usize) -> Result<String, String> {
        let mut whole = String::new();
        for one in conditions.as_array().map_or(&[][..], Vec::as_slice) {
            let name = one["query"]["params"][0].as_str().unwrap_or_default();
            let value = self.reduced(name, text(&one["reducer"], "type"), depth + 1)?;
            let compared = condition::compared(&value, &one["evaluator"])?;
            whole = match text(&one["operator"], "type") {
                _ if whole.is_empty() => compared,
                // a classic condition has no labels: any series of one side goes with any of the other
                "or" => format!("({whole}) or ({compared})"),
                _ => format!("({whole}) and on () ({compared})"),
            };
        }
        if whole.is_empty() { Err("the rule has no condition".to_owned()) } else { Ok(whole) }
    }

    /// The value of a query or an expression.
    fn value(&self, name: &str, depth: usize) -> Result<String, String> {
        let step = self.get(name, depth)?;
        if !EXPRESSIONS.contains(&step.data_source) {
            return self.query(step, name);
        }
        match text(step.model, "type") {
            "reduce" => self.reduced(text(step.model, "expression"), text(step.model, "reducer"), depth + 1),
            "math" => self.math(text(step.model, "expression"), depth),
            // the points of a chart are spaced by its own step
            "resample" => self.value(text(step.model, "expression"), depth + 1),
            "threshold" | "classic_conditions" => {
                Err(format!("the result of the condition {name} is used as a number"))
            }
            other => {
                Err(format!("the expression {name} is of the type {other}, which has no form in PromQL"))
            }
        }
    }

    fn query(&self, step: &RuleStep<'_>, name: &str) -> Result<String, String> {
        let expr = text(step.model, "expr").trim();
        if expr.is_empty() {
            let kind = text(&step.model["datasource"], "type");
            let kind = if kind.is_empty() { "another kind of data source" } else { kind };
            return Err(format!("the query {name} asks {kind}, not Prometheus"));
        }
        let step_length =
            Duration::from_millis(step.model["intervalMs"].as_u64().unwrap_or(USUAL_STEP).max(1000));
        let rate = duration::text(step_length.saturating_mul(4).max(Duration::from_secs(60)));
        let interval = duration::text(step_length);
        let range = duration::text(step.range.max(Duration::from_secs(60)));
        // longer names first: `$__rate_interval` begins with no other name, `$__range_s` with `$__range`
        let expr = expr.replace("$__rate_interval", &rate).replace("${__rate_interval}", &rate);
        let expr = expr.replace("$__interval", &interval).replace("$__range", &range);
        Ok(expr.trim_end_matches(';').to_owned())
    }

    /// The series of a query, each reduced to one number over the time range of the query.
    fn reduced(&self, name: &str, reducer: &str, depth: usize) -> Result<String, String> {
        let step = self.get(name, depth)?;
        let value = self.value(name, depth)?;
        let is_instant =
            step.model["instant"].as_bool() == Some(true) && step.model["range"].as_bool() != Some(true);
        let function = match reducer {
            // at each point of a chart the last value is the value
            "last" | "" => return Ok(value),
            _ if is_instant || EXPRESSIONS.contains(&step.data_source) => return Ok(value),
            "mean" | "avg" => "avg_over_time",
            "min" => "min_over_time",
            "max" => "max_over_time",
            "sum" => "sum_over_time",
            "count" => "count_over_time",
            "median" => {
                let (range, every) = self.resolution(step);
                return Ok(format!("quantile_over_time(0.5, ({value})[{range}:{every}])"));
            }
            other => return Err(format!("the reducer {other} has no form in PromQL")),
        };
        let (range, every) = self.resolution(step);
        Ok(format!("{function}(({value})[{range}:{every}])"))
    }

    fn resolution(&self, step: &RuleStep<'_>) -> (String, String) {
        let every = Duration::from_millis(step.model["intervalMs"].as_u64().unwrap_or(USUAL_STEP).max(1000));
        (duration::text(step.range.max(every)), duration::text(every))
    }

    /// Arithmetic on values: `$A * 100`.
    fn math(&self, expression: &str, depth: usize) -> Result<String, String> {
        condition::replaced(expression, |name| self.value(name, depth + 1))
    }
}

#[cfg(test)]
mod tests;
