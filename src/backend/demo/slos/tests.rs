use super::*;
use crate::model::slo::{SloState, SloStatus};
use crate::model::source::SourceId;

const SEEDS: [u64; 3] = [1, 7, 42];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_768_445_520 + second).unwrap()
}

fn statuses(world: &DemoWorld, region: Region, second: i64) -> Vec<SloStatus> {
    let clock = Timeline::new(at(0), 1.0);
    let board = world.slos(region, at(second), &clock);
    board.readings.iter().map(|reading| SloStatus::of(reading, &SourceId::new("p"), board.at)).collect()
}

fn named<'a>(all: &'a [SloStatus], id: &str) -> &'a SloStatus {
    all.iter().find(|status| &*status.slo.id == id).unwrap()
}

#[test]
fn on_a_calm_day_most_promises_are_kept_with_budget_left() {
    for seed in SEEDS {
        let all = statuses(&DemoWorld::new(seed), Region::Eu, 5);
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
        let world = DemoWorld::new(seed);
        let state = |second| named(&statuses(&world, Region::Eu, second), "payments-availability").state();
        assert_eq!(state(10), SloState::Fine, "seed {seed}");
        assert_eq!(state(80), SloState::Burning, "seed {seed}");
        assert_eq!(state(220), SloState::Page, "seed {seed}");
        assert!(state(560) > SloState::Page, "seed {seed}: over again");
        let left = |second| {
            named(&statuses(&world, Region::Eu, second), "payments-availability")
                .worst()
                .unwrap()
                .left()
                .unwrap()
        };
        assert!(left(220) < left(10) - 0.01);
    }
}

#[test]
fn longer_lookbacks_are_the_means_of_shorter_ones() {
    let world = DemoWorld::new(7);
    for id in ["payments-availability", "payments-latency", "carrier-bridge-availability"] {
        let pledge = world.pledge(id).unwrap();
        let place = world.place(pledge.service(), Region::Eu).unwrap();
        for end in [0.0, 200.0, 700.0] {
            let hour = world.bad_share(pledge, place, end - 3600.0, end).unwrap();
            let parts = (0..360).map(|i| {
                let to = end - f64::from(i) * 10.0;
                world.bad_share(pledge, place, to - 10.0, to).unwrap()
            });
            let mean = parts.sum::<f64>() / 360.0;
            assert!((hour - mean).abs() < 0.06 * mean + 2e-4, "{id} at {end}: {hour} and {mean}");
        }
    }
}

#[test]
fn the_recorded_series_and_the_definitions_queries_say_the_same() {
    let world = DemoWorld::new(7);
    let clock = Timeline::new(at(0), 1.0);
    let span =
        crate::model::series::Span::ending(at(200), Duration::from_secs(DAY), 24, Duration::from_secs(60));
    let hour = Duration::from_secs(3600);
    for id in ["payments-availability", "payments-latency"] {
        let slo = &world.pledge(id).unwrap().slo;
        let recorded = slo.recorded.as_ref().unwrap().error_ratio(hour);
        let live = crate::model::slo::query::measure(slo, hour).unwrap().error_ratio();
        let mean = format!("avg_over_time(slo:sli_error:ratio_rate5m{{sloth_id=\"{id}\"}}[1h])");
        let lines = [&recorded, &live, &mean].map(|query| {
            let matrix = world.series(query, Region::Eu, span, &clock).unwrap();
            assert_eq!(matrix.lines.len(), 1, "{query}");
            matrix.lines[0].values.clone()
        });
        for (i, value) in lines[0].iter().enumerate() {
            assert!((value - lines[1][i]).abs() < 1e-12 && (value - lines[2][i]).abs() < 1e-12);
        }
    }
    let query = r#"ALERTS{alertstate="firing", alertname="PaymentsErrorBudgetBurn"}"#;
    let month = crate::model::series::Span::ending(at(200), 30 * 24 * hour, 720, hour);
    let matrix = world.series(query, Region::Eu, month, &clock).unwrap();
    let fired = matrix.lines[0].values.iter().filter(|value| !value.is_nan()).count();
    assert!((3..40).contains(&fired), "{fired}");
}
