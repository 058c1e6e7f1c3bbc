use super::super::super::fixtures;
use super::super::super::promql::{self, Comparison};
use super::super::Objective;
use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn slo(sli: Sli, grouping: &[&str], budgeting: BudgetingMethod) -> Slo {
    Slo {
        objective: Objective::percent("99").unwrap(),
        budgeting,
        sli: Some(sli),
        grouping: grouping.iter().map(|name| (*name).into()).collect(),
        pairs: Vec::new(),
        ..fixtures::slo("x")
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

fn template(text: &str) -> Template {
    Template::parse(text).unwrap()
}

fn kinds() -> Vec<(Sli, &'static str)> {
    let (bad, total) = (selector(r#"http_total{code=~"5.."}"#), selector("http_total"));
    let (bucket, count) = (selector("h_seconds_bucket"), selector("h_seconds_count"));
    vec![
        (
            Sli::Counters { side: EventSide::Bad, part: bad, total },
            r#"((sum by (a) (rate(http_total{code=~"5.."}[1h]))) or 0 * (sum by (a) (rate(http_total[1h])))) / (sum by (a) (rate(http_total[1h])))"#,
        ),
        (
            Sli::Latency { fast: selector(r#"h_seconds_bucket{le="1"}"#), total: count.clone() },
            r#"1 - ((sum by (a) (rate(h_seconds_bucket{le=~"1|1\\.0"}[1h]))) or 0 * (sum by (a) (rate(h_seconds_count[1h])))) / (sum by (a) (rate(h_seconds_count[1h])))"#,
        ),
        (
            Sli::Gauge { metric: selector("up") },
            "1 - ((sum by (a) (sum_over_time(up[1h]))) or 0 * (sum by (a) (count_over_time(up[1h])))) / (sum by (a) (count_over_time(up[1h])))",
        ),
        (
            Sli::Apdex { bucket, satisfied: "0.5".into(), tolerated: Some("2.5".into()), total: count },
            r#"1 - (((sum by (a) (rate(h_seconds_bucket{le="0.5"}[1h])) + sum by (a) (rate(h_seconds_bucket{le="2.5"}[1h]))) / 2) or 0 * (sum by (a) (rate(h_seconds_count[1h])))) / (sum by (a) (rate(h_seconds_count[1h])))"#,
        ),
        (Sli::Ratio { error: template("avg(error_ratio)") }, "avg_over_time((avg(error_ratio))[1h:1m])"),
        (
            Sli::Threshold { value: template("sum(lag)"), passes: Comparison::Below, bound: 500.0 },
            "1 - avg_over_time(((sum(lag)) < bool 500)[1h:1m])",
        ),
        (
            Sli::NativeLatency { histogram: selector("h_seconds"), threshold: 0.3 },
            "1 - ((histogram_fraction(0, 0.3, sum by (a) (rate(h_seconds[1h]))) * histogram_count(sum by (a) (rate(h_seconds[1h])))) or 0 * (histogram_count(sum by (a) (rate(h_seconds[1h]))))) / (histogram_count(sum by (a) (rate(h_seconds[1h]))))",
        ),
    ]
}

#[test]
fn each_kind_of_sli_has_its_query() {
    for (sli, expected) in kinds() {
        let slo = slo(sli, &["a"], BudgetingMethod::Occurrences);
        let query = measure(&slo, HOUR).unwrap().error_ratio();
        assert_eq!(query.split_whitespace().collect::<Vec<_>>().join(" "), expected);
    }
}

#[test]
fn every_query_is_promql_whatever_counts_against_the_budget() {
    let slice = Duration::from_secs(60);
    for (sli, _) in kinds() {
        for budgeting in [
            BudgetingMethod::Occurrences,
            BudgetingMethod::Timeslices { slice, least: 0.95 },
            BudgetingMethod::RatioTimeslices { slice },
        ] {
            for grouping in [&["a", "b"][..], &[]] {
                let slo = slo(sli.clone(), grouping, budgeting);
                let query = measure(&slo, HOUR).unwrap().error_ratio();
                assert!(promql::parse(&query).is_ok(), "{query}: {:?}", promql::parse(&query).err());
            }
        }
    }
}
