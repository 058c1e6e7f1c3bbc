//! One SLO definition of each kind, with a hand-written expression for its error ratio.

use std::time::Duration;

use burnwatch::testing::model::duration;
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::slo::{
    BudgetingMethod, Calendar, CalendarUnit, EventSide, Selector, Sli, Slo, Template, Window,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY: Duration = Duration::from_secs(86_400);

/// A definition, and the expression of its error ratio over a lookback.
pub(crate) struct Defined {
    pub(crate) slo: Slo,
    pub(crate) expression: Box<dyn Fn(&str) -> String>,
}

/// The expression failed / all for a job.
pub(crate) fn ratio(job: &str, lookback: &str) -> String {
    let rate =
        |matchers: &str| format!("sum(rate(http_requests_total{{job=\"{job}\"{matchers}}}[{lookback}]))");
    format!("{} / {}", rate(",code=~\"5..\""), rate(""))
}

pub(crate) fn slo(id: &str, sli: Sli) -> Slo {
    Slo { sli: Some(sli), ..fixtures::slo(id) }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

pub(crate) fn events(part: &str, total: &str) -> Sli {
    let template = |text: &str| Template::parse(text).unwrap();
    Sli::Events { side: EventSide::Bad, part: template(part), total: template(total) }
}

fn counters(job: &str) -> Sli {
    let part = selector(&format!("http_requests_total{{job=\"{job}\",code=~\"5..\"}}"));
    Sli::Counters {
        side: EventSide::Bad,
        part,
        total: selector(&format!("http_requests_total{{job=\"{job}\"}}")),
    }
}

fn defined(slo: Slo, expression: impl Fn(&str) -> String + 'static) -> Defined {
    Defined { slo, expression: Box::new(expression) }
}

/// The definitions with data, each with its expression.
pub(crate) fn measured(now: Timestamp) -> Vec<Defined> {
    let mut all = Vec::new();
    for job in ["checkout", "cart", "search"] {
        let id = format!("{job}-events");
        all.push(defined(slo(&id, counters(job)), move |lookback| ratio(job, lookback)));
    }
    let templates = events(
        r#"sum(increase(http_requests_total{job="cart",code=~"5.."}[{{.window}}])) # failed"#,
        r#"sum(increase(http_requests_total{job="cart"}[{{ .window }}]))"#,
    );
    all.push(defined(slo("cart-templates", templates), |lookback| ratio("cart", lookback)));
    // this client library writes the bucket as le="1.0"
    let fast = selector(r#"request_seconds_bucket{job="checkout",le="1"}"#);
    let total = selector(r#"request_seconds_count{job="checkout"}"#);
    let latency = Sli::Latency { fast, total: total.clone() };
    let bucket = |le: &str, lookback: &str| {
        format!("sum(rate(request_seconds_bucket{{job=\"checkout\",le=\"{le}\"}}[{lookback}]))")
    };
    let count = |lookback: &str| format!("sum(rate(request_seconds_count{{job=\"checkout\"}}[{lookback}]))");
    all.push(defined(slo("latency", latency), move |lookback| {
        format!("1 - {} / {}", bucket("1.0", lookback), count(lookback))
    }));
    let apdex = Sli::Apdex {
        bucket: selector(r#"request_seconds_bucket{job="checkout"}"#),
        satisfied: "0.5".into(),
        tolerated: Some("2".into()),
        total,
    };
    all.push(defined(slo("apdex", apdex), move |lookback| {
        format!("1 - ({} + {}) / 2 / {}", bucket("0.5", lookback), bucket("2.0", lookback), count(lookback))
    }));
    let gauge = Sli::Gauge { metric: selector(r#"probe_success{job="checkout"}"#) };
    all.push(defined(slo("gauge", gauge), |lookback| {
        format!("1 - avg_over_time(probe_success{{job=\"checkout\"}}[{lookback}])")
    }));
    let slice = Duration::from_secs(900);
    let budgeting = BudgetingMethod::Timeslices { slice, least: 0.9992 };
    let slices = Slo { budgeting, ..slo("timeslices", counters("search")) };
    all.push(defined(slices, move |lookback| {
        let ratio = ratio("search", "15m");
        let lookback = duration::parse(lookback).unwrap().max(slice);
        let slices = lookback.as_secs_f64() / 900.0;
        format!("sum_over_time(({ratio} > bool (1 - 0.9992))[{}:15m]) / {slices}", duration::text(lookback))
    }));
    let budgeting = BudgetingMethod::RatioTimeslices { slice };
    let slices = Slo { budgeting, ..slo("ratio-timeslices", counters("search")) };
    all.push(defined(slices, move |lookback| {
        let lookback = duration::text(duration::parse(lookback).unwrap().max(slice));
        format!("avg_over_time(({})[{lookback}:15m])", ratio("search", "15m"))
    }));
    // a calendar period that started some ten days ago, at an odd second
    let zone = TimeZone::get("America/New_York").unwrap();
    let start = (now - 10 * DAY - Duration::from_secs(4321)).to_zoned(zone.clone()).datetime();
    let window = Window::Calendar(Calendar { count: 1, unit: CalendarUnit::Month, start, zone });
    let calendar = Slo { window, ..slo("calendar", counters("cart")) };
    all.push(defined(calendar, |lookback| ratio("cart", lookback)));
    all
}

/// Grouped SLOs, new SLOs, and SLOs without data.
pub(crate) fn others() -> Vec<Slo> {
    let part = selector(r#"http_requests_total{code=~"5..",job=~"c.*|search"}"#);
    let total = selector(r#"http_requests_total{job=~"c.*|search"}"#);
    let by_job = slo("by-job", Sli::Counters { side: EventSide::Bad, part, total });
    vec![
        Slo { grouping: vec!["job".into()], ..by_job },
        slo("young", counters("young")),
        slo("gone", counters("gone")),
        slo("never", counters("never")),
    ]
}
