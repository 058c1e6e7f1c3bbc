//! Tests of the evaluator against values computed by hand, and against promtool if it is installed.

use super::*;
use crate::model::promql;

/// A linear series: `base + slope * t`, sampled every ten seconds while it exists.
struct Straight {
    base: f64,
    slope: f64,
    lasts: (f64, f64),
}

impl SeriesFunction for Straight {
    fn at(&self, t: f64) -> Option<f64> {
        let t = (t / 10.0).floor() * 10.0;
        (self.lasts.0..self.lasts.1).contains(&t).then_some(self.base + self.slope * t)
    }

    fn sample_ranges(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        let (begin, end) = (self.lasts.0.max(from), self.lasts.1.min(to + 1.0));
        if begin < end { vec![(begin, end)] } else { Vec::new() }
    }

    fn grid(&self) -> (f64, f64) {
        (0.0, 10.0)
    }
}

struct Toys(Vec<(Labels, f64, f64, (f64, f64))>);

impl SeriesStore for Toys {
    fn select(&self, selector: &VectorSelector) -> Vec<SelectedSeries<'_>> {
        let chosen = self.0.iter().filter(|(labels, ..)| is_chosen(labels, selector));
        let found = chosen.map(|(labels, base, slope, lasts)| SelectedSeries {
            labels: labels.clone(),
            run: Box::new(Straight { base: *base, slope: *slope, lasts: *lasts }),
        });
        found.collect()
    }

    fn select_summed(
        &self,
        selector: &VectorSelector,
        _kept: &dyn Fn(&str) -> bool,
    ) -> Vec<SelectedSeries<'_>> {
        self.select(selector)
    }
}

/// The series in PromQL notation: `up{job="a"}`.
fn labels(series: &str) -> Labels {
    let Expr::VectorSelector(selector) = promql::parse(series).unwrap() else { panic!("{series}") };
    let name = selector.name.iter().map(|name| ("__name__", name.as_str()));
    let others = selector.matchers.matchers.iter().map(|m| (m.name.as_str(), m.value.as_str()));
    name.chain(others).collect()
}

const SERIES: [(&str, f64, f64); 13] = [
    (r#"requests_total{service="cart", code="200"}"#, 0.0, 8.0),
    (r#"requests_total{service="cart", code="500"}"#, 0.0, 2.0),
    (r#"requests_total{service="pay", code="200"}"#, 100.0, 4.0),
    (r#"duration_bucket{service="cart", le="0.1"}"#, 0.0, 5.0),
    (r#"duration_bucket{service="cart", le="0.5"}"#, 0.0, 9.0),
    (r#"duration_bucket{service="cart", le="+Inf"}"#, 0.0, 10.0),
    (r#"up{service="cart", instance="a:1"}"#, 1.0, 0.0),
    (r#"up{service="cart", instance="b:1"}"#, 0.0, 0.0),
    (r#"up{service="pay", instance="c:1"}"#, 1.0, 0.0),
    (r#"limit{service="cart"}"#, 40.0, 0.0),
    (r#"limit{service="pay"}"#, 20.0, 0.0),
    (r#"owner{service="cart", team="shop"}"#, 1.0, 0.0),
    ("temperature", 300.0, -0.5),
];

fn toys() -> Toys {
    let always = (-1e9, 1e9);
    Toys(SERIES.iter().map(|(series, base, slope)| (labels(series), *base, *slope, always)).collect())
}

/// The result of an expression at a time: the labels and the value of each line.
fn at(store: &Toys, query: &str, t: f64) -> Vec<String> {
    let written =
        |labels: &Labels, value: f64| format!("{labels} {}", window::written((value * 1e6).round() / 1e6));
    match instant(store, &promql::parse(query).unwrap(), t) {
        Ok(Evaluated::Scalar(values)) => vec![written(&Labels::default(), values[0])],
        Ok(Evaluated::Text(text)) => vec![text],
        Ok(Evaluated::Lines(lines)) => {
            lines.iter().map(|line| written(&line.labels, line.values[0].unwrap())).collect()
        }
        Ok(Evaluated::Samples(all)) => {
            all.iter().map(|one| format!("{} {:?}", one.labels, one.points)).collect()
        }
        Err(error) => vec![error],
    }
}

/// Expressions with their results at second 600, computed by hand.
const CASES: [(&str, &[&str]); 67] = [
    ("1 + 2 * 3", &["{} 7"]),
    ("-limit{service=\"pay\"}", &[r#"{service="pay"} -20"#]),
    ("2 > bool 1", &["{} 1"]),
    ("time() - 590", &["{} 10"]),
    (r#"limit{service="pay"}"#, &[r#"{__name__="limit", service="pay"} 20"#]),
    ("temperature offset 1m", &[r#"{__name__="temperature"} 30"#]),
    ("temperature @ 100", &[r#"{__name__="temperature"} 250"#]),
    ("temperature offset -1m", &[r#"{__name__="temperature"} -30"#]),
    (r#"{__name__=~"lim.*", service!="pay"}"#, &[r#"{__name__="limit", service="cart"} 40"#]),
    ("sum by (service) (rate(requests_total[1m]))", &[r#"{service="cart"} 10"#, r#"{service="pay"} 4"#]),
    ("sum without (code, service) (increase(requests_total[100s]))", &["{} 1400"]),
    ("irate(requests_total{code=\"500\"}[5m])", &[r#"{code="500", service="cart"} 2"#]),
    ("sum(rate(requests_total[30d] offset 1d))", &["{} 14"]),
    ("delta(temperature[1m])", &["{} -30"]),
    ("deriv(temperature[1m])", &["{} -0.5"]),
    ("count by (service) (up)", &[r#"{service="cart"} 2"#, r#"{service="pay"} 1"#]),
    ("count by (instance) (up == 0)", &[r#"{instance="b:1"} 1"#]),
    ("up == 0", &[r#"{__name__="up", instance="b:1", service="cart"} 0"#]),
    ("avg(limit)", &["{} 30"]),
    ("min(limit) + max(limit)", &["{} 60"]),
    ("group(up)", &["{} 1"]),
    ("stddev(limit)", &["{} 10"]),
    ("topk(1, limit)", &[r#"{__name__="limit", service="cart"} 40"#]),
    (
        "bottomk by (service) (1, up)",
        &[
            r#"{__name__="up", instance="b:1", service="cart"} 0"#,
            r#"{__name__="up", instance="c:1", service="pay"} 1"#,
        ],
    ),
    ("quantile(0.25, limit)", &["{} 25"]),
    (r#"count_values("state", up)"#, &[r#"{state="0"} 1"#, r#"{state="1"} 2"#]),
    ("histogram_quantile(0.5, rate(duration_bucket[1m]))", &[r#"{service="cart"} 0.1"#]),
    ("histogram_quantile(0.6, sum by (le) (rate(duration_bucket[1m])))", &["{} 0.2"]),
    ("histogram_quantile(0.99, rate(duration_bucket[1m]))", &[r#"{service="cart"} 0.5"#]),
    (
        "sum by (service) (rate(requests_total{code=\"500\"}[1m])) / sum by (service) (rate(requests_total[1m]))",
        &[r#"{service="cart"} 0.2"#],
    ),
    ("limit / on (service) group_left (team) owner", &["{service=\"cart\", team=\"shop\"} 40"]),
    (
        "up * on (service) group_left limit",
        &[
            r#"{instance="a:1", service="cart"} 40"#,
            r#"{instance="b:1", service="cart"} 0"#,
            r#"{instance="c:1", service="pay"} 20"#,
        ],
    ),
    (
        "limit * on (service) group_right up > 0",
        &[r#"{instance="a:1", service="cart"} 40"#, r#"{instance="c:1", service="pay"} 20"#],
    ),
    (
        "limit * on (service) up",
        &[
            "found duplicate series for the match group on the right hand-side of the operation; many-to-many matching \
         not allowed: matching labels must be unique on one side",
        ],
    ),
    ("limit and on (service) owner", &[r#"{__name__="limit", service="cart"} 40"#]),
    ("limit unless on (service) owner", &[r#"{__name__="limit", service="pay"} 20"#]),
    (
        "owner or on (service) limit",
        &[r#"{__name__="limit", service="pay"} 20"#, r#"{__name__="owner", service="cart", team="shop"} 1"#],
    ),
    ("limit > bool 30", &[r#"{service="cart"} 1"#, r#"{service="pay"} 0"#]),
    ("30 < limit", &[r#"{__name__="limit", service="cart"} 40"#]),
    (
        r#"label_replace(limit{service="pay"}, "s", "$1-x", "service", "(.).*")"#,
        &[r#"{__name__="limit", s="p-x", service="pay"} 20"#],
    ),
    ("clamp(limit, 25, 30)", &[r#"{service="cart"} 30"#, r#"{service="pay"} 25"#]),
    (r#"absent(up{service="none", job=~"x"})"#, &[r#"{service="none"} 1"#]),
    ("absent(up)", &[]),
    ("scalar(temperature) + vector(1)", &["{} 1"]),
    ("temperature[20s]", &[r#"{__name__="temperature"} [(590.0, 5.0), (600.0, 0.0)]"#]),
    ("max_over_time(temperature[1m]) + min_over_time(temperature[1m])", &["{} 25"]),
    ("timestamp(up{service=\"pay\"})", &[r#"{instance="c:1", service="pay"} 600"#]),
    ("predict_linear(temperature[1m], 100)", &["{} -50"]),
    ("predict_linear(temperature[1m] offset 1m, 100)", &["{} -50"]),
    (
        "sort_desc(limit)",
        &[r#"{__name__="limit", service="cart"} 40"#, r#"{__name__="limit", service="pay"} 20"#],
    ),
    ("sort(limit)", &[r#"{__name__="limit", service="pay"} 20"#, r#"{__name__="limit", service="cart"} 40"#]),
    (
        "topk(2, limit)",
        &[r#"{__name__="limit", service="cart"} 40"#, r#"{__name__="limit", service="pay"} 20"#],
    ),
    ("clamp(limit, 3, 2)", &[]),
    ("hour(vector(1772535100)) + minute(vector(1772535100)) / 100", &["{} 10.51"]),
    ("day_of_week(vector(1772535100))", &["{} 2"]),
    ("days_in_month(vector(1772535100)) + month(vector(1772535100)) / 100", &["{} 31.03"]),
    ("day_of_year(vector(1772535100)) + year(vector(1772535100)) / 10000", &["{} 62.2026"]),
    ("hour()", &["{} 0"]),
    ("deg(vector(pi())) + cos(vector(0))", &["{} 181"]),
    (r#"label_replace(limit{service="pay"}, "service", "", "", "")"#, &[r#"{__name__="limit"} 20"#]),
    (
        r#"label_join(owner, "both", "/", "team", "service")"#,
        &[r#"{__name__="owner", both="shop/cart", service="cart", team="shop"} 1"#],
    ),
    ("limitk(1, limit)", &[r#"{__name__="limit", service="cart"} 40"#]),
    (
        r#"sort_by_label_desc(limit, "service")"#,
        &[r#"{__name__="limit", service="pay"} 20"#, r#"{__name__="limit", service="cart"} 40"#],
    ),
    ("mad_over_time(temperature[50s])", &["{} 5"]),
    ("count by (code) (requests_total offset 10s)", &[r#"{code="200"} 2"#, r#"{code="500"} 1"#]),
    (
        "topk by (service) (1, sum by (service, code) (increase(requests_total[1m])))",
        &[r#"{code="200", service="cart"} 480"#, r#"{code="200", service="pay"} 240"#],
    ),
    ("sum(increase(requests_total[1m] @ 300)) / sum(increase(requests_total[1m] offset 2m))", &["{} 1"]),
];

#[test]
fn expressions_give_what_was_worked_out_by_hand() {
    let toys = toys();
    for (query, expected) in CASES {
        assert_eq!(at(&toys, query, 600.0), expected, "{query}");
    }
}

#[test]
fn windows_and_subqueries_see_what_lies_within_them() {
    let lasts = [(0.0, 1e9), (500.0, 560.0), (580.0, 1e9)];
    let toys = Toys(
        lasts
            .iter()
            .zip(["a", "b", "c"])
            .map(|(lasts, name)| (Labels::from_iter([("__name__", "x"), ("of", name)]), 1.0, 0.0, *lasts))
            .collect(),
    );
    let counts = |a: &str, b: &str, c: &str| {
        [("a", a), ("b", b), ("c", c)]
            .iter()
            .filter(|(_, count)| !count.is_empty())
            .map(|(of, count)| format!("{{of={of:?}}} {count}"))
            .collect::<Vec<_>>()
    };
    for (query, expected) in [
        ("count_over_time(x[1m])", counts("6", "1", "3")),
        ("count_over_time(x[2m])", counts("12", "6", "3")),
        ("count_over_time(x[10m:1m])", counts("10", "1", "1")),
        ("count_over_time(x[10m:20s] offset 1m)", counts("28", "3", "")),
        ("sum_over_time(x[2m])", counts("12", "6", "3")),
        ("count_over_time((max without (x) (timestamp(x) >= 520))[2m:10s])", counts("9", "4", "3")),
        ("present_over_time(x[10s] offset 45s)", counts("1", "1", "")),
        ("changes(x[5m])", counts("0", "0", "0")),
        ("x", vec![r#"{__name__="x", of="a"} 1"#.to_owned(), r#"{__name__="x", of="c"} 1"#.to_owned()]),
    ] {
        assert_eq!(at(&toys, query, 600.0), expected, "{query}");
    }
}

#[test]
fn a_range_has_a_value_for_each_moment_that_has_one() {
    let toys = Toys(vec![(labels("x"), 0.0, 1.0, (100.0, 200.0))]);
    let query = promql::parse("x > 120 and x < 190 or x == 100").unwrap();
    let times: Vec<f64> = (0..=12).map(|number| 90.0 + 10.0 * f64::from(number)).collect();
    let lines = range(&toys, &query, &times).unwrap();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let there: Vec<f64> = times.iter().zip(&line.values).filter_map(|(t, value)| value.map(|_| *t)).collect();
    assert_eq!(there, [100.0, 130.0, 140.0, 150.0, 160.0, 170.0, 180.0]);
}

/// Parts of expressions with other results in promtool: it has only ten minutes of these series, and before Prometheus 3 a
/// window includes its beginning.
const OTHERWISE: [&str; 7] =
    ["30d", "offset -", "[20s]", "_over_time", "limit * on (service) up", "limitk", "sort_by_label"];

/// `promtool test rules` evaluates the same expressions over the same series.
#[test]
fn promtool_finds_the_same_values() {
    let Ok(version) = std::process::Command::new("promtool").arg("--version").output() else { return };
    assert!(version.status.success());
    let folder = std::env::temp_dir().join(format!("burnwatch-promql-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let series = SERIES.map(|(series, base, slope)| {
        format!("      - series: '{series}'\n        values: '{base}{:+}x100'\n", slope * 10.0)
    });
    let is_alike =
        |query: &str| OTHERWISE.iter().all(|part| !query.contains(part)) || query.contains("group_right");
    let cases = CASES.iter().filter(|(query, _)| is_alike(query)).map(|(query, expected)| {
        let samples = expected.iter().map(|line| {
            let (labels, value) = line.rsplit_once(' ').unwrap();
            format!("          - labels: '{labels}'\n            value: {value}\n")
        });
        let samples: String = samples.collect();
        let samples = if samples.is_empty() { "          []\n".to_owned() } else { samples };
        format!(
            "      - expr: '{}'\n        eval_time: 10m\n        exp_samples:\n{samples}",
            query.replace('\'', "''")
        )
    });
    let test = format!(
        "evaluation_interval: 1m\ntests:\n  - interval: 10s\n    input_series:\n{}    promql_expr_test:\n{}",
        series.concat(),
        cases.collect::<String>()
    );
    let path = folder.join("test.yml");
    std::fs::write(&path, &test).unwrap();
    let output = std::process::Command::new("promtool").args(["test", "rules"]).arg(&path).output().unwrap();
    let reported =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{reported}");
    std::fs::remove_dir_all(&folder).unwrap();
}
