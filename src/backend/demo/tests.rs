mod causes;
mod changes;
mod charts;
mod logs;
mod metadata;
mod traces;

use std::collections::BTreeSet;
use std::time::Duration;

use super::catalog::Catalog;
use super::promql::instant;
use super::series::RegionSeries;
use super::*;
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::{Answer, Answered, Ask, AskKind, Query, QueryRange, Question, SeriesKey};
use crate::model::fingerprint::Fingerprint;
use crate::model::firing::FiringSnapshot;
use crate::model::health::Health;
use crate::model::labels::{Labels, Text};
use crate::model::series::{Matrix, Series, TimeGrid};
use crate::model::service::{ServiceDetail, Signals};
use crate::model::silence::SilenceState;
use crate::model::source::ErrorKind;
use crate::model::world::{HealthPolicy, Watchdog, World};

const SEEDS: [u64; 4] = [0, 1, 7, 42];

fn start() -> Timestamp {
    "2026-03-03T10:30:00Z".parse().unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(start().as_second() + seconds).unwrap()
}

fn demo(seed: u64, seconds: i64) -> Vec<Arc<dyn Source>> {
    let now = at(seconds);
    sources(seed, Clock::fixed(now), start(), 1.0)
}

fn ask(source: &dyn Source, ask: &Ask) -> Answer {
    answered(source, ask).unwrap().answer
}

fn answered(source: &dyn Source, ask: &Ask) -> Answered {
    wait(source.answer(ask, None))
}

/// The result of a question.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(future)
}

fn time_range(end: Timestamp, range: Duration, points: u16) -> QueryRange {
    let window = TimeGrid::ending(end, range, points, Duration::from_secs(5));
    QueryRange { window, tail: window }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A world with the answers of all sources at a time.
fn world(seed: u64, seconds: i64) -> World {
    let sources = demo(seed, seconds);
    let mut world = World::new(sources.iter().map(|s| s.info().id.clone()), HealthPolicy::default());
    tell(&mut world, &sources, at(seconds));
    world
}

fn tell(world: &mut World, sources: &[Arc<dyn Source>], now: Timestamp) {
    for source in sources {
        let all = [
            Query::Probe.now(),
            Query::Services.now(),
            Query::Alerts.now(),
            Query::Rules.now(),
            Query::Silences.now(),
        ];
        for ask in all.into_iter().filter(|ask| source.info().answers.contains(&ask.kind())) {
            let answered = answered(&**source, &ask);
            let question = Question { context: 0, source: source.info().id.clone(), ask, known: None };
            world.apply(&question, answered, now);
        }
    }
}

fn named<'a>(world: &'a World, name: &str, service: &str) -> Option<&'a Arc<Alert>> {
    world.alerts().iter().find(|alert| alert.name() == name && alert.labels.value("service") == service)
}

fn everything(seed: u64, seconds: i64) -> String {
    let now = at(seconds);
    let wide = time_range(now, minutes(60), 40);
    let query = "up".into();
    let asks = [
        Query::Probe.now(),
        Query::Services.now(),
        Query::Trends { time_range: wide }.now(),
        Query::Detail { service: "payments".into(), time_range: wide }.now(),
        Query::Rules.now(),
        Query::Series { series: SeriesKey::over(query, wide.window), time_range: wide }.now(),
        Query::Alerts.now(),
        Query::Silences.now(),
    ];
    let sources = demo(seed, seconds);
    let lines = sources
        .iter()
        .flat_map(|source| asks.iter().map(move |ask| format!("{:?}", wait(source.answer(ask, None)))));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_same_seed_and_moment_give_the_same_world_and_another_seed_another() {
    assert_eq!(everything(7, 75), everything(7, 75));
    assert_ne!(everything(7, 75), everything(8, 75));
    assert_ne!(everything(7, 75), everything(7, 80));
}

#[test]
fn there_are_more_than_thirty_services_in_two_regions_mostly_healthy_before_the_story() {
    for seed in SEEDS {
        let world = world(seed, 10);
        assert!(world.services().len() >= 34);
        let both = world.services().iter().filter(|service| service.sources.len() == 2).count();
        assert!((30..world.services().len()).contains(&both));
        let ill: Vec<_> = world
            .services()
            .iter()
            .filter(|s| s.health != Health::Healthy)
            .map(|s| (s.name.to_string(), s.health, s.reasons.clone()))
            .collect();
        assert!((1..=3).contains(&ill.len()), "{ill:?}");
        assert!(ill.iter().all(|(_, health, _)| *health == Health::Degraded), "{ill:?}");
        for source in demo(seed, 10) {
            let is_manager = source.info().answers.contains(&AskKind::Alerts);
            let expected = if is_manager { Watchdog::Present } else { Watchdog::Unknown };
            assert_eq!(world.watchdog(&source.info().id), expected);
        }
    }
}

#[test]
fn at_minute_one_payments_is_the_worst_and_says_why() {
    for seed in SEEDS {
        let world = world(seed, 60);
        let critical: Vec<_> =
            world.services().iter().filter(|s| s.health <= Health::Critical).map(|s| &*s.name).collect();
        assert_eq!(critical, ["payments"]);
        let payments = world.service("payments").unwrap();
        assert!(payments.reasons[0].to_string().contains("of requests fail"), "{:?}", payments.reasons);
        assert_eq!((payments.targets.up, payments.targets.total), (17, 18));
        assert_eq!(payments.labels.get("version"), None, "two versions run");
        assert_eq!(world.service("checkout").unwrap().health, Health::Degraded);
        let burn = named(&world, "PaymentsErrorBudgetBurn", "payments").unwrap();
        let change = burn.annotations.value("recent_change");
        assert_eq!(change, "payments 4.19.0 was rolled out at 2026-03-03T10:30:15Z");
    }
}

#[test]
fn the_story_goes_from_pending_over_firing_to_resolved() {
    for seed in [1, 42] {
        let state = |seconds: i64, name: &str, service: &str| {
            named(&world(seed, seconds), name, service).map(|alert| alert.state)
        };
        let burn = |seconds| state(seconds, "PaymentsErrorBudgetBurn", "payments");
        assert_eq!(burn(25), None);
        assert_eq!(burn(42), Some(AlertState::Pending));
        assert_eq!(burn(52), Some(AlertState::Firing));
        assert_eq!(burn(120), Some(AlertState::Firing));
        assert_eq!(burn(330), None);
        assert_eq!(state(62, "CheckoutLatencyHigh", "checkout"), Some(AlertState::Firing));
        assert_eq!(state(65, "PaymentsLatencyHigh", "payments"), Some(AlertState::Inhibited));
        assert_eq!(state(65, "TargetDown", "payments"), Some(AlertState::Inhibited));
        assert_eq!(state(78, "QueueFillingUp", "notifications"), Some(AlertState::Firing));
        assert_eq!(state(100, "HighErrorRatio", "checkout"), Some(AlertState::Silenced));
    }
}

#[test]
fn after_six_minutes_the_story_is_over_and_its_alerts_are_resolved() {
    for seed in SEEDS {
        let mut world = world(seed, 120);
        tell(&mut world, &demo(seed, 360), at(360));
        for name in ["payments", "checkout", "notifications"] {
            assert_eq!(world.service(name).unwrap().health, Health::Healthy, "{name}");
        }
        let burn = named(&world, "PaymentsErrorBudgetBurn", "payments").unwrap();
        assert_eq!((burn.state, burn.resolved_at), (AlertState::Resolved, Some(at(360))));
    }
}

#[test]
fn each_cycle_has_a_culprit_and_never_the_same_twice_in_a_row() {
    for seed in [0, 7] {
        let mut last = None;
        for cycle in 0..9 {
            let world = world(seed, cycle * 600 + 120);
            let paging =
                world.alerts().iter().find(|a| a.is_firing() && a.labels.value("severity") == "page");
            let culprit = paging.expect("somebody is paged in each cycle").labels.get("service").cloned();
            assert_ne!(culprit, last);
            last = culprit;
        }
    }
}

#[test]
fn the_background_has_alerts_of_every_state_and_severity() {
    let world = world(7, 10);
    let states: BTreeSet<_> = world.alerts().iter().map(|alert| alert.state).collect();
    let expected = [AlertState::Firing, AlertState::Pending, AlertState::Silenced, AlertState::Inhibited];
    assert_eq!(states.into_iter().collect::<Vec<_>>(), expected);
    let states: BTreeSet<_> = world.silences().map(|silence| silence.state).collect();
    assert_eq!(states.into_iter().collect::<Vec<_>>(), [SilenceState::Active, SilenceState::Pending]);
    let certificate = named(&world, "CertificateExpiresSoon", "gateway").unwrap();
    assert!(certificate.summary().unwrap().contains("expires in 12."), "{:?}", certificate.summary());
    let flapping = named(&world, "PodRestartingOften", "fraud-scoring").unwrap();
    let by = world.silences().find(|silence| flapping.silenced_by.contains(&silence.id)).unwrap();
    assert!(by.matches(&flapping.labels) && by.comment.contains("SHOP-4127"));
    let lag = named(&world, "ConsumerLagHigh", "analytics-ingest").unwrap();
    let above = Fingerprint::parse(&lag.inhibited_by[0]).unwrap();
    assert_eq!(world.alert(above).unwrap().name(), "KafkaBrokerDiskSlow");
}

#[test]
fn every_alert_is_whole_and_finds_its_rule_at_the_source_that_made_it() {
    for seconds in [10, 42, 62, 120, 720, 1320, 1920] {
        let world = world(7, seconds);
        assert!(world.alerts().len() >= 6);
        for alert in world.alerts() {
            let (source, rule) = world.rule_of(&alert.labels).expect("a rule made it");
            assert_eq!(*rule.name, *alert.name());
            assert!(alert.sources.contains(source), "{alert:?}");
            assert_eq!(Fingerprint::of(&alert.labels), alert.fingerprint);
            assert!(alert.runbook().is_some() && alert.summary().is_some());
            assert!(alert.annotations.iter().all(|(_, text)| !text.contains("{{") && !text.contains("%s")));
            assert!(alert.starts_at <= at(seconds), "{alert:?}");
            assert!(alert.value.is_some_and(f64::is_finite));
            let alertmanager_alerts = alert.state != AlertState::Pending;
            assert_eq!(!alert.receivers.is_empty(), alertmanager_alerts);
            assert!(world.service(alert.labels.value("service")).is_some());
        }
    }
}

#[test]
fn an_alert_is_there_exactly_while_the_condition_of_its_rule_holds() {
    let world = DemoWorld::new(3, DemoTimeline::new(start(), 1.0));
    let story = (-10..80).map(|i| f64::from(i) * 5.0).chain((12..80).map(|i| f64::from(i) * 35.0));
    let moments = story.chain((1..40).map(|i| f64::from(i) * -9005.0));
    for t in moments {
        for region in Region::ALL {
            let alerts = world.alerts_of(region, t);
            let holding: Vec<_> = world
                .rules_of(region)
                .flat_map(|rule| world.series_of(rule))
                .filter(|series| series.rule.holds(world.value(*series, t).unwrap()))
                .map(|series| {
                    (Text::clone(&series.rule.shown.name), series.labels().value("service").to_owned())
                })
                .collect();
            let named: Vec<_> = alerts
                .iter()
                .map(|alert| (Text::from(alert.name()), alert.labels.value("service").to_owned()))
                .collect();
            assert_eq!(named, holding, "at {t}");
        }
    }
}

fn lines(matrix: &Matrix) -> impl Iterator<Item = f64> {
    matrix.lines.iter().flat_map(|line| line.values.iter().copied())
}

#[test]
fn the_answers_agree_with_each_other_at_the_same_moment() {
    for (moment, seconds) in [0, 30, 120, 300, 1920, 4000].into_iter().enumerate() {
        for source in demo(42, seconds).iter().filter(|s| s.info().answers.contains(&AskKind::Services)) {
            let time_range = time_range(at(seconds), minutes(2), 24);
            assert_eq!(time_range.window.end(), at(seconds));
            let Answer::Services(snapshot) = ask(&**source, &Query::Services.now()) else { panic!() };
            let Answer::Trends(trends) = ask(&**source, &Query::Trends { time_range }.now()) else {
                panic!()
            };
            assert!(snapshot.readings.is_sorted_by_key(|reading| &reading.name));
            for (number, reading) in snapshot.readings.iter().enumerate() {
                let service = reading.name.clone();
                let one = Labels::from_iter([("service", &service)]);
                let trend = |matrix: &Matrix| matrix.line(&one).and_then(Series::last);
                let Signals { request_rate, error_ratio, p50, p95, p99, apdex, saturation } = reading.signals;
                assert_eq!(trend(&trends.request_rate), request_rate);
                assert_eq!(trend(&trends.error_ratio), error_ratio);
                assert_eq!(trend(&trends.p95), p95);
                // each service is checked fully at one of the times
                if number % 6 != moment {
                    continue;
                }
                let Answer::Detail(detail) = ask(&**source, &Query::Detail { service, time_range }.now())
                else {
                    panic!()
                };
                let ServiceDetail {
                    request_rate: rates,
                    error_ratio: ratios,
                    latency,
                    saturation: full,
                    buckets,
                    ..
                } = &detail;
                let last = |matrix: &Matrix| matrix.lines.first().and_then(Series::last);
                assert_eq!((last(rates), last(ratios)), (request_rate, error_ratio));
                let quantiles: Vec<_> = latency.lines.iter().map(Series::last).collect();
                let expected: Vec<_> = [p50, p95, p99].into_iter().flatten().map(Some).collect();
                assert_eq!(quantiles, expected);
                let highest_usage = full.lines.iter().filter_map(Series::last).max_by(f64::total_cmp);
                assert_eq!(highest_usage, saturation);
                if !buckets.lines.is_empty() {
                    let sum: f64 = buckets.lines.iter().filter_map(Series::last).sum();
                    assert!((sum / request_rate.unwrap() - 1.0).abs() < 1e-6, "{sum}");
                }
                for matrix in [rates, ratios, latency, full, buckets] {
                    assert!(lines(matrix).all(|value| value.is_finite() && value >= 0.0));
                    assert!(matrix.lines.is_sorted_by(|a, b| a.labels < b.labels));
                }
                for ratio in [error_ratio, apdex, saturation].into_iter().flatten() {
                    assert!((0.0..=1.0).contains(&ratio));
                }
                assert!(reading.targets.up <= reading.targets.total);
            }
        }
    }
}

#[test]
fn a_week_has_some_earlier_firings_and_the_present_one() {
    for seed in SEEDS {
        let world = world(seed, 120);
        for (name, service) in [("PaymentsErrorBudgetBurn", "payments"), ("CheckoutLatencyHigh", "checkout")]
        {
            let alert = named(&world, name, service).unwrap();
            let (id, _) = world.rule_of(&alert.labels).unwrap();
            let sources = demo(seed, 120);
            let source = sources.iter().find(|source| source.info().id == *id).unwrap();
            let span = TimeGrid::ending(at(120), minutes(7 * 24 * 60), 600, Duration::from_secs(60));
            let (fingerprint, labels) = (alert.fingerprint, alert.labels.clone());
            let (from, until) = (span.start(), at(120));
            let question = Query::Firings { fingerprint, labels, from, until }.now();
            let Answer::Firings(FiringSnapshot { firings, .. }) = ask(&**source, &question) else { panic!() };
            assert!((2..=10).contains(&firings.len()), "{name}: {}", firings.len());
            assert!(firings.is_sorted_by(|a, b| a.to < b.from));
            assert!(firings.iter().all(|f| f.from < f.to && f.to > span.start() && f.to <= at(120)));
            assert_eq!(firings.last().unwrap().from, alert.starts_at);
        }
    }
}

/// How many moments of how many services are simulated for charts of this range: requests, failures and latency.
fn simulated(selector: &str, range: Duration, points: u16) -> (usize, usize) {
    let world = DemoWorld::new(7, DemoTimeline::new(start(), 1.0));
    let catalog = Catalog::of(&world, Region::Eu);
    let series = RegionSeries::new(&world, &catalog);
    let grid = TimeGrid::ending(at(120), range, points, Duration::from_secs(5));
    let times: Vec<f64> = (0..grid.count()).map(|point| grid.at(point).as_second() as f64).collect();
    let lookback = crate::model::duration::text(grid.step().max(minutes(1)));
    let charts = [
        format!("sum by (service) (rate(http_requests_total{{{selector}}}[{lookback}]))"),
        format!("sum by (service) (rate(http_requests_total{{{selector},code=~\"5..\"}}[{lookback}]))"),
        format!(
            "histogram_quantile(0.95, sum by (service, le) (rate(http_request_duration_seconds_bucket{{{selector}}}[{lookback}])))"
        ),
    ];
    let mut services = 0;
    for query in charts {
        let expr = promql_parser::parser::parse(&query).expect(&query);
        services = services.max(promql::range(&series, &expr, &times).expect(&query).len());
    }
    (series.simulated(), services * times.len())
}

#[test]
fn a_chart_simulates_a_few_moments_of_each_point_however_long_its_range_is() {
    for (selector, range, points) in [
        ("service=\"payments\"", minutes(7 * 24 * 60), 240),
        ("service=\"payments\"", minutes(60), 240),
        ("service!=\"\"", minutes(60), 60),
    ] {
        let (simulated, points) = simulated(selector, range, points);
        // a week has 120,960 scrapes of each service
        assert!(
            (points..=16 * points).contains(&simulated),
            "{selector} {range:?}: {simulated} for {points} points"
        );
    }
}

#[test]
fn an_answer_that_is_known_is_not_given_twice() {
    let sources = demo(7, 60);
    for (source, ask) in [
        (0, Query::Rules.now()),
        (1, Query::Slos.now()),
        (2, Query::Alerts.now()),
        (2, Query::Silences.now()),
        (3, Query::Incidents.now()),
        (3, Query::OnCall.now()),
    ] {
        let first = answered(&*sources[source], &ask).unwrap();
        let second = wait(sources[source].answer(&ask, first.digest)).unwrap();
        assert!(matches!(second.answer, Answer::Unchanged), "{ask:?}");
    }
    let later = demo(7, 61);
    let first = answered(&*sources[0], &Query::Rules.now()).unwrap();
    let second = wait(later[0].answer(&Query::Rules.now(), first.digest)).unwrap();
    assert!(matches!(second.answer, Answer::Rules(_)));
}

#[test]
fn a_moment_of_the_story_can_be_chosen_at_any_speed() {
    for speed in [1.0, 4.0] {
        let now = at(12_345);
        let sources = sources(7, Clock::fixed(now), origin(now, 2.0, speed), speed);
        let Answer::Services(snapshot) = ask(&*sources[0], &Query::Services.now()) else { panic!() };
        let payments = snapshot.readings.iter().find(|reading| &*reading.name == "payments").unwrap();
        assert!(payments.signals.error_ratio.unwrap() > 0.2);
        assert_eq!(payments.labels.value("version"), "4.19.0");
    }
}

#[test]
fn hours_and_days_later_every_answer_is_still_whole() {
    for seconds in [3600, 90_000, 777_777, -86_400 * 30, -40_000_000_000, 200_000_000_000] {
        let world = world(1, seconds);
        assert!(world.services().len() >= 34);
        for service in world.services() {
            assert!(service.signals.request_rate.unwrap().is_finite());
            assert_ne!(service.health, Health::Unknown);
        }
    }
}
