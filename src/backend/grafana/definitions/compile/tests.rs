use serde_json::json;

use super::*;
use crate::model::promql::{Comparison, Threshold, condition};

fn query(name: &str, expr: &str, instant: bool) -> Value {
    json!({ "refId": name, "datasourceUid": "prom", "relativeTimeRange": { "from": 600, "to": 0 },
            "model": { "expr": expr, "instant": instant, "range": !instant, "intervalMs": 15000 } })
}

fn expression(name: &str, model: &Value) -> Value {
    json!({ "refId": name, "datasourceUid": "__expr__", "model": model })
}

fn threshold(of: &str, kind: &str, params: &Value) -> Value {
    let conditions = json!([{ "evaluator": { "type": kind, "params": params } }]);
    expression("C", &json!({ "type": "threshold", "expression": of, "conditions": conditions }))
}

fn math(text: &str) -> Value {
    expression("C", &json!({ "type": "math", "expression": text }))
}

fn rule(data: &[Value]) -> CompiledRule {
    compiled(&json!({ "condition": "C", "data": data }))
}

fn promql_of(data: &[Value]) -> Result<String, String> {
    rule(data).promql.map(|promql| promql.to_string())
}

#[test]
fn queries_reducers_and_conditions_become_one_expression() {
    let (a, b) = (query("A", "up", true), query("B", "load", true));
    let reduced =
        |reducer: &str| expression("B", &json!({ "type": "reduce", "expression": "A", "reducer": reducer }));
    let ranged = query("A", "rate(x[$__rate_interval])", false);
    let classic = expression(
        "C",
        &json!({ "type": "classic_conditions", "conditions": [
        { "evaluator": { "type": "gt", "params": [5] }, "operator": { "type": "and" }, "query": { "params": ["A"] },
          "reducer": { "type": "last" } },
        { "evaluator": { "type": "lt", "params": [1, 0] }, "operator": { "type": "or" }, "query": { "params": ["B"] },
          "reducer": { "type": "max" } },
        { "evaluator": { "type": "no_value", "params": [] }, "operator": { "type": "and" }, "query": { "params": ["A"] },
          "reducer": { "type": "last" } },
    ] }),
    );
    for (data, expected) in [
        (vec![a.clone(), threshold("A", "gt", &json!([5]))], "(up) > 5"),
        (vec![a.clone(), threshold("$A", "lte", &json!([0.5]))], "(up) <= 0.5"),
        (vec![a.clone(), threshold("A", "within_range", &json!([1, 2]))], "(up) > 1 and (up) < 2"),
        (vec![a.clone(), threshold("A", "outside_range", &json!([1, 2]))], "(up) < 1 or (up) > 2"),
        (vec![a.clone(), reduced("last"), threshold("B", "gt", &json!([5]))], "(up) > 5"),
        (
            vec![ranged.clone(), reduced("mean"), threshold("B", "gt", &json!([5]))],
            "(avg_over_time((rate(x[1m]))[10m:15s])) > 5",
        ),
        (vec![ranged, reduced("last"), threshold("B", "gt", &json!([5]))], "(rate(x[1m])) > 5"),
        (vec![a.clone(), math("$A > 5")], "((up)) > (5)"),
        (
            vec![a.clone(), b.clone(), math("($A / ${B} * 100 >= 5 && $B != 0)")],
            "((up) / (load) * 100) >= (5) and ((load)) != (0)",
        ),
        (vec![a.clone(), math("abs($A)")], "(abs((up))) != 0"),
        (vec![a.clone(), b.clone(), classic], "(((up) > 5) or ((load) < 1)) and on () (absent(up))"),
        (vec![query("C", "up == 0", true)], "(up == 0) != 0"),
    ] {
        assert_eq!(promql_of(&data).as_deref(), Ok(expected), "{data:?}");
    }
    let compiled = rule(&[a, reduced("last"), threshold("B", "gt", &json!([5]))]);
    assert_eq!((compiled.data_source.as_deref(), compiled.compared.as_deref()), (Some("prom"), Some("B")));
    let found = condition(&compiled.promql.unwrap()).unwrap();
    assert_eq!(
        (&*found.query, found.operator, found.bound),
        ("up", Comparison::Above, Threshold::Constant(5.0))
    );
}

#[test]
fn what_has_no_form_in_promql_says_why() {
    let a = query("A", "up", true);
    let loki = json!({ "refId": "A", "datasourceUid": "loki",
                       "model": { "expr": "count_over_time({app=\"x\"} |= \"error\" [5m])", "datasource": { "type": "loki" } } });
    let cloud =
        json!({ "refId": "A", "datasourceUid": "aws", "model": { "datasource": { "type": "cloudwatch" } } });
    let other = json!({ "refId": "B", "datasourceUid": "prom-2", "model": { "expr": "up" } });
    let circle = expression("B", &json!({ "type": "math", "expression": "$B + 1" }));
    let sql = expression("B", &json!({ "type": "sql", "expression": "SELECT 1" }));
    for (data, words) in [
        (vec![], "the rule has no query"),
        (vec![a.clone()], "there is no query C"),
        (vec![loki, threshold("A", "gt", &json!([1]))], "not PromQL"),
        (vec![cloud, threshold("A", "gt", &json!([1]))], "asks cloudwatch, not Prometheus"),
        (vec![a.clone(), other, math("$A > $B")], "data of 2 data sources"),
        (vec![a.clone(), circle, threshold("B", "gt", &json!([1]))], "in a circle"),
        (vec![a.clone(), sql, threshold("B", "gt", &json!([1]))], "of the type sql"),
        (vec![a.clone(), threshold("A", "gt", &json!(["five"]))], "has no number"),
        (vec![a.clone(), threshold("A", "sideways", &json!([1]))], "the condition sideways"),
        (vec![a.clone(), math("is_nan($A)")], "the function is_nan"),
        (vec![a.clone(), math("($A > 1) > 0")], "compares the result of a comparison"),
        (vec![a.clone(), math("!($A > 1 && $A < 3)")], "conditions within conditions"),
        (vec![a, math("${A > 1")], "is not closed"),
    ] {
        let error = promql_of(&data).unwrap_err();
        assert!(error.contains(words), "{data:?}: {error}");
    }
}

#[test]
fn hostile_definitions_are_no_definitions() {
    for definition in [
        json!(null),
        json!([]),
        json!({ "data": 7 }),
        json!({ "data": [7, {}, { "refId": 1 }], "condition": [] }),
    ] {
        assert!(compiled(&definition).promql.is_err(), "{definition}");
    }
    let deep: Vec<Value> = (0..5000)
        .map(|at| {
            json!({ "refId": format!("R{at}"), "datasourceUid": "__expr__",
                          "model": { "type": "reduce", "expression": format!("R{}", at + 1) } })
        })
        .collect();
    let mut data = deep;
    data.push(query("A", "up", true));
    data.push(threshold("R0", "gt", &json!([1])));
    assert!(promql_of(&data).unwrap_err().contains("circle"));
    let brackets = "(".repeat(20_000);
    promql_of(&[query("A", "up", true), math(&format!("{brackets}$A"))]).unwrap_err();
}
