use jiff::Timestamp;

use std::time::Duration;

use super::*;
use crate::backend::demo::catalog::Catalog;
use crate::backend::demo::demo_slos::DemoSlo;
use crate::backend::demo::promql::range;
use crate::backend::demo::series::RegionSeries;
use crate::backend::demo::tests::wait;
use crate::backend::demo::timeline::DemoTimeline;
use crate::backend::{Clock, demo};
use crate::model::ask::{Answer, Query};
use crate::model::promql::parse;
use crate::model::slo::{SloState, SloStatus};

const SEEDS: [u64; 3] = [1, 7, 42];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_445_520 + second).unwrap()
}

fn statuses(seed: u64, second: i64) -> Vec<SloStatus> {
    let sources = demo::sources(seed, Clock::fixed(at(second)), at(0), 1.0);
    let Answer::Slos(snapshot) = wait(sources[0].answer(&Query::Slos.now(), None)).unwrap().answer else {
        panic!()
    };
    snapshot
        .readings
        .iter()
        .map(|reading| SloStatus::of(reading, &sources[0].info().id, snapshot.at))
        .collect()
}

fn demo_slo<'a>(world: &'a DemoWorld, id: &str) -> &'a DemoSlo {
    world.demo_slos.iter().find(|demo_slo| &*demo_slo.slo.id == id).unwrap()
}

fn named<'a>(all: &'a [SloStatus], id: &str) -> &'a SloStatus {
    all.iter().find(|status| &*status.slo.id == id).unwrap()
}

#[test]
fn on_a_calm_day_most_promises_are_kept_with_budget_left() {
    for seed in SEEDS {
        let all = statuses(seed, 5);
        assert!(all.len() >= 35, "{}", all.len());
        let kept = all.iter().filter(|s| matches!(s.state(), SloState::Fine)).count();
        assert!(kept * 10 >= all.len() * 7, "seed {seed}: {kept} of {}", all.len());
        for status in all.iter().filter(|status| status.state() == SloState::Fine) {
            let left = status.worst().unwrap().left().unwrap();
            assert!((0.05..1.0).contains(&left), "seed {seed}: {} has {left}", status.slo.id);
        }
    }
}

#[test]
fn the_story_burns_payments_until_it_pages() {
    for seed in SEEDS {
        let state = |second| named(&statuses(seed, second), "payments-availability").state();
        assert_eq!(state(10), SloState::Fine, "seed {seed}");
        assert_eq!(state(80), SloState::Burning, "seed {seed}");
        assert_eq!(state(220), SloState::Page, "seed {seed}");
        assert!(state(560) > SloState::Page, "seed {seed}: over again");
        let left =
            |second| named(&statuses(seed, second), "payments-availability").worst().unwrap().left().unwrap();
        assert!(left(220) < left(10) - 0.01);
    }
}

#[test]
fn longer_lookbacks_are_the_means_of_shorter_ones() {
    let world = DemoWorld::new(7, DemoTimeline::new(at(0), 1.0));
    for id in ["payments-availability", "payments-latency", "carrier-bridge-availability"] {
        let demo_slo = demo_slo(&world, id);
        let place = world.place(demo_slo.service(), Region::Eu).unwrap();
        for end in [0.0, 200.0, 700.0] {
            let hour = world.bad_share(demo_slo.bad_event, place, end - 3600.0, end).unwrap();
            let parts = (0..360).map(|i| {
                let to = end - f64::from(i) * 10.0;
                world.bad_share(demo_slo.bad_event, place, to - 10.0, to).unwrap()
            });
            let mean = parts.sum::<f64>() / 360.0;
            assert!((hour - mean).abs() < 0.06 * mean + 2e-4, "{id} at {end}: {hour} and {mean}");
        }
    }
}

#[test]
fn the_recorded_series_and_the_definitions_queries_say_the_same() {
    let time = DemoTimeline::new(at(0), 1.0);
    let world = DemoWorld::new(7, time);
    let catalog = Catalog::of(&world, Region::Eu);
    let series = RegionSeries::new(&world, &catalog);
    let lines = |query: &str, step: f64, count: u32| -> Vec<Option<f64>> {
        let times: Vec<f64> = (0..count).rev().map(|i| time.second(200.0) - f64::from(i) * step).collect();
        let mut lines = range(&series, &parse(query).unwrap(), &times).expect(query);
        assert_eq!(lines.len(), 1, "{query}");
        lines.remove(0).values
    };
    let hour = Duration::from_secs(3600);
    for id in ["payments-availability", "payments-latency"] {
        let slo = &demo_slo(&world, id).slo;
        let recorded = slo.recorded.as_ref().unwrap().error_ratio(hour);
        let live = crate::model::slo::query::measure(slo, hour).unwrap().error_ratio();
        let mean = format!("avg_over_time(slo:sli_error:ratio_rate5m{{sloth_id=\"{id}\"}}[1h])");
        let [recorded, live, mean] = [&recorded, &live, &mean].map(|query| lines(query, 3600.0, 24));
        for ((recorded, live), mean) in recorded.iter().zip(live).zip(mean) {
            let (recorded, live, mean) = (recorded.unwrap(), live.unwrap(), mean.unwrap());
            assert!((recorded - live).abs() < 1e-12 && (recorded - mean).abs() < 1e-12);
        }
    }
    let query = r#"max_over_time(ALERTS{alertstate="firing", alertname="PaymentsErrorBudgetBurn"}[1h])"#;
    let fired = lines(query, 3600.0, 720).iter().flatten().count();
    assert!((3..40).contains(&fired), "{fired}");
}
