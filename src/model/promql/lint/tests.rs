use super::*;
use crate::model::labels::Text;
use crate::model::metric::MetricInfo;

fn catalog() -> MetricCatalog {
    let metric = |name: &str, kind| MetricInfo { name: name.into(), kind, help: Text::default() };
    let declared = vec![
        metric("temperature", MetricType::Gauge),
        metric("requests", MetricType::Counter),
        metric("latency_seconds", MetricType::Histogram),
        metric("gc_seconds", MetricType::Summary),
    ];
    let names = ["temperature", "requests", "latency_seconds_bucket", "latency_seconds_count", "gc_seconds"];
    MetricCatalog::new(names.map(Text::from).to_vec(), declared, Some(Duration::from_secs(15)))
}

/// The hints as `column rule`.
fn found(expr: &str) -> Vec<String> {
    let catalog = catalog();
    let cx = LintContext { metrics: Some(&catalog), scrape_interval: catalog.scrape_interval };
    let lints = lint(expr, &cx).unwrap_or_else(|error| panic!("{expr}: {error}"));
    for lint in &lints {
        assert!(!lint.fix.is_empty() && lint.fix.ends_with('.'), "{lint:?}");
    }
    lints.iter().map(|lint| format!("{} {}", lint.remark.column, lint.rule.word())).collect()
}

#[test]
fn each_mistake_is_found_at_its_place_and_its_correction_is_not() {
    for (wrong, at, right) in [
        ("rate(temperature[5m])", "6 rate-of-gauge", "deriv(temperature[5m])"),
        ("sum(increase(temperature[1h]))", "14 rate-of-gauge", "sum(delta(temperature[1h]))"),
        ("sum(requests)", "5 raw-counter", "sum(rate(requests[5m]))"),
        ("avg by (job) (latency_seconds_count)", "15 raw-counter", "count by (job) (latency_seconds_count)"),
        ("errors_total / 2", "1 raw-counter", "errors_total > 0"),
        ("max_over_time(requests[1h:1m])", "15 raw-counter", "max_over_time(rate(requests[5m])[1h:1m])"),
        (
            "sum by (pod) (a) * on (node) group_left (zone) b",
            "5 dropped-label",
            "sum by (pod, node) (a) * on (node) group_left (zone) b",
        ),
        (
            "a * on (node) group_left (zone) max by (node) (b)",
            "37 dropped-label",
            "a * on (node) group_left (zone) max by (node, zone) (b)",
        ),
        ("sum by (a) (x) + sum(y)", "16 dropped-label", "sum by (a) (x) + on () group_left () sum(y)"),
        ("sum without (node) (a) * on (node) b", "", "sum by (node) (a) * on (node) b"),
        (
            "histogram_quantile(0.9, sum by (job) (rate(latency_seconds_bucket[5m])))",
            "29 no-buckets",
            "histogram_quantile(0.9, sum by (job, le) (rate(latency_seconds_bucket[5m])))",
        ),
        (
            "histogram_quantile(0.9, sum(rate(latency_seconds_bucket[5m])))",
            "1 no-buckets",
            // a native histogram has its buckets in its samples
            "histogram_quantile(0.9, sum(rate(latency_seconds[5m])))",
        ),
        ("rate(requests[20s])", "14 short-window", "rate(requests[1m])"),
        (r#"up{job=~"api"}"#, "4 plain-pattern", r#"up{job=~"api|web"}"#),
        (r#"up{job=~".*"}"#, "4 plain-pattern", r#"up{job=~".+"}"#),
        (r#"x_bucket{le="250ms"}"#, "10 impossible-matcher", r#"x_bucket{le="0.25"}"#),
        ("up > 1", "4 never-true", "up == 1"),
        ("rate(requests[5m]) < 0", "20 never-true", "rate(requests[5m]) < 1"),
        ("temperature > 5 < 3", "17 never-true", "temperature > 3 < 5"),
        ("count(up) == 0", "11 never-true", "absent(up) == 1"),
        ("-count(up) > 0", "12 never-true", "-count(up) < 0"),
        ("temperature / rate(requests[5m])", "13 division-by-zero", "temperature / (rate(requests[5m]) > 0)"),
        ("temperature / 0", "13 division-by-zero", "temperature / 10"),
        (
            "avg(histogram_quantile(0.9, rate(latency_seconds_bucket[5m])))",
            "1 mean-of-quantiles",
            "max(histogram_quantile(0.9, rate(latency_seconds_bucket[5m])))",
        ),
        (r#"avg(gc_seconds{quantile="0.9"})"#, "1 mean-of-quantiles", r#"max(gc_seconds{quantile="0.9"})"#),
    ] {
        let expected: Vec<&str> = Some(at).filter(|at| !at.is_empty()).into_iter().collect();
        assert_eq!(found(wrong), expected, "{wrong}");
        assert_eq!(found(right), Vec::<String>::new(), "{right}");
    }
}

#[test]
fn without_knowledge_of_the_server_only_the_text_counts() {
    let cx = LintContext::default();
    for quiet in ["rate(temperature[5m])", "sum(requests)", "rate(requests[1s])", "job:errors_total:sum * 2"]
    {
        assert_eq!(lint(quiet, &cx), Ok(Vec::new()), "{quiet}");
    }
    assert_eq!(lint("sum(x_total)", &cx).unwrap().len(), 1);
}

#[test]
fn what_only_the_server_knows_has_no_hints_and_errors_have_their_place() {
    let cx = LintContext::default();
    assert!(matches!(lint("median_over_time(x[5m])", &cx), Err(QueryParseError::Unknown(_))));
    let refused = lint("sum(x\n) by", &cx).unwrap_err();
    assert!(refused.to_string().starts_with("2:5: unexpected the end"), "{refused}");
}
