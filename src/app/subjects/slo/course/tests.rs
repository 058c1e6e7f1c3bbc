use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::fixtures;
use crate::model::slo::{Calendar, CalendarUnit, Evaluation, MeasuredRatio, Slo, SloReading};
use crate::model::source::SourceId;

const HOUR: Duration = Duration::from_secs(3600);

fn status(window: Window, error: f64) -> SloStatus {
    let measured = MeasuredRatio::Ratio { error, events: None };
    let group = fixtures::group(measured, vec![(HOUR, measured)]);
    let reading = fixtures::reading(Slo { window, ..fixtures::slo("shop") }, vec![group]);
    let reading = SloReading { evaluation: Evaluation::Recorded, ..reading };
    SloStatus::of(&reading, &SourceId::new("prom"), "2026-01-14T02:52:07Z".parse().unwrap())
}

fn month() -> Window {
    Window::Calendar(Calendar {
        count: 1,
        unit: CalendarUnit::Month,
        start: date(2024, 1, 1).at(0, 0, 0, 0),
        zone: TimeZone::UTC,
    })
}

/// A course of these slots that together spent what the status says.
fn course(status: &SloStatus, ratios: &[f64], start: Timestamp) -> BudgetCourse {
    let ratios: Vec<_> = ratios.iter().copied().map(Some).collect();
    let spending = BudgetSpending::by_time(HOUR, &ratios, status.slo.objective);
    let spent = status.groups[0].spent.unwrap();
    let by = if spending.spent() > 0.0 { spent / spending.spent() } else { 1.0 };
    let within = TimeRange { start, end: status.at };
    let window = status.slo.window.length(status.at);
    BudgetCourse { spending: spending.clone().scaled(by), shares: spending, start, within, window }
}

fn ago(status: &SloStatus, slots: u32) -> Timestamp {
    let end: Timestamp = "2026-01-14T03:00:00Z".parse().unwrap();
    assert!(end >= status.at);
    end - HOUR * slots
}

#[test]
fn the_unfinished_slot_counts_for_the_time_that_has_passed_of_it() {
    let ratios = || SlotValues::Ratios(vec![Some(0.5), Some(0.001), None, Some(0.001)]);
    let up_to_now = |error| match ratios().up_to_now(true, error, 0.25) {
        SlotValues::Ratios(ratios) => ratios,
        SlotValues::Events(_) => Vec::new(),
    };
    assert_eq!(up_to_now(Some(0.0)), [Some(0.001), None, Some(0.001), Some(0.0)], "the oldest slot is out");
    assert_eq!(up_to_now(Some(0.02))[3], Some(0.005));
    assert_eq!(up_to_now(None)[3], None);
    let events = SlotValues::of_events(EventSide::Good, &[Some(9.0), None], &[Some(10.0), Some(10.0)]);
    let SlotValues::Events(events) = events.up_to_now(false, Some(0.5), 0.25) else {
        panic!("events stay events")
    };
    assert_eq!(events, [Some((1.0, 10.0)), Some((10.0, 10.0)), Some((1.25, 2.5))]);
}

/// The share of a window's budget and the burn of each slot, for hours of which this is known and an hour that is not over.
fn rows(
    known: &[Option<f64>],
    running: f64,
    minutes: u32,
    window: u32,
    spent: Option<f64>,
) -> Vec<(f64, f64)> {
    let (budget, part_of_hour) = (0.001, f64::from(minutes) / 60.0);
    let counted = SlotValues::Ratios([&[None], known].concat()).up_to_now(true, Some(running), part_of_hour);
    let slot = 1.0 / f64::from(window);
    let known = counted.known(1.0, part_of_hour) * slot;
    let shares = at_most(counted.shares(budget, 1.0, known, slot), spent.map(|spent| spent * known.min(1.0)));
    let shares = BudgetSpending { slot: HOUR, shares };
    let hours = shares.shares.len();
    let length = move |at: usize| if at + 1 == hours { f64::from(minutes) / 60.0 } else { 1.0 };
    let row = |(at, share): (usize, f64)| (share, share * f64::from(window) / length(at));
    shares.worst(99).into_iter().map(row).collect()
}

#[test]
fn an_hour_spends_its_part_of_the_whole_window_however_little_of_that_is_known() {
    let mut hours = vec![None; 669];
    hours.extend([Some(0.0081), Some(0.0081)]);
    for (share, burn) in rows(&hours, 0.0081, 60, 672, Some(8.1)) {
        assert!((share - 8.1 / 672.0).abs() < 1e-9 && (burn - 8.1).abs() < 1e-9, "{share} {burn}");
    }
}

#[test]
fn a_running_hour_has_the_pace_of_its_own_minutes() {
    let mut hours = vec![Some(0.0); 718];
    hours.push(Some(0.0385));
    let rows = rows(&hours, 0.0385, 2, 720, Some((0.0385 + 0.0385 / 30.0) / 0.001 / 720.0));
    assert_eq!(rows.len(), 2);
    assert!(
        (rows[0].0 - 38.5 / 720.0).abs() < 1e-9 && (rows[1].0 - 38.5 / 720.0 / 30.0).abs() < 1e-9,
        "{rows:?}"
    );
    assert!(rows.iter().all(|(_, burn)| (burn - 38.5).abs() < 1e-9), "{rows:?}");
}

#[test]
fn the_hour_in_which_data_began_does_not_make_the_others_dearer() {
    // 2 % fail of 10 a second: 15 minutes of the first hour, two whole ones, 45 minutes of the running one
    let seconds = [900.0, 3600.0, 3600.0];
    let events: Vec<_> = seconds.iter().map(|time| Some((time * 0.2, time * 10.0))).collect();
    let counted = SlotValues::Events([vec![None; 717], events].concat()).up_to_now(true, Some(0.02), 0.75);
    let (budget, slot, covered) = (0.001, 1.0 / 720.0, 3.0 / 720.0);
    let known = known_share(counted.known(1.0, 0.75) * slot, slot, Some(covered));
    let shares = counted.shares(budget, 1.0, known, slot);
    let burn = |share: Option<f64>| share.unwrap() * 720.0;
    assert!((burn(shares[717]) - 20.0).abs() < 1e-9, "{}", burn(shares[717]));
    assert!((burn(shares[719]) - 15.0).abs() < 1e-9, "{}", burn(shares[719]));
    for (covered, known) in [(None, 0.5), (Some(0.9), 0.5), (Some(0.1), 0.5 - slot)] {
        assert!((known_share(0.5, slot, covered) - known).abs() < 1e-9, "{covered:?}");
    }
}

#[test]
fn the_header_the_list_and_the_charts_line_have_one_forecast() {
    let mut status = status(Window::Rolling(720 * HOUR), 0.0005);
    status.groups[0].burns[0].rate = Some(3.0);
    let group_status = &status.groups[0];
    let reported = group_status.exhaustion_at(&status.slo.window, 3.0, status.at);
    assert_eq!(reported, Some(Exhaustion::In(120 * HOUR)));
    // an old outage that leaves soon does not bend the line
    let mut ratios = [0.0; 720];
    ratios[3] = 0.36;
    let curves = course(&status, &ratios, ago(&status, 720)).curves(&status, group_status, Some(3.0));
    let gone = curves.forecast.iter().skip(720).position(|left| *left <= 0.0).unwrap();
    assert!((119..=121).contains(&gone), "{gone}");
}

#[test]
fn a_calendar_periods_forecast_goes_to_its_end() {
    let status = status(month(), 0.0005);
    let course = course(&status, &[0.0005; 315], ago(&status, 315));
    let group_status = &status.groups[0];
    let curves = course.curves(&status, group_status, group_status.burn(HOUR));
    assert_eq!(curves.span.end(), "2026-02-01T00:00:00Z".parse().unwrap());
    assert!((curves.forecast.last().unwrap() - 0.5).abs() < 0.01, "{:?}", curves.forecast.last());
    assert!(curves.ideal.last().unwrap().abs() < 1e-9);
}

#[test]
fn a_spent_budget_is_back_when_the_hour_that_ate_it_leaves() {
    let status = status(Window::Rolling(100 * HOUR), 0.0012);
    let mut ratios = [0.0; 100];
    ratios[10] = 0.12;
    let course = course(&status, &ratios, ago(&status, 100));
    assert_eq!(course.back(0.0), Some(11 * HOUR));
    assert_eq!(course.exhaustion(&status, 0.0), Some(Exhaustion::Exhausted));
}

#[test]
fn a_forecast_is_straight_between_its_points() {
    let forecast = Forecast { points: vec![(Duration::ZERO, 1.0), (10 * HOUR, 0.0)] };
    for (hours, left) in [(0, 1.0), (5, 0.5), (10, 0.0), (20, 0.0)] {
        let reported = at(&forecast, hours * HOUR).unwrap();
        assert!((reported - left).abs() < 1e-12, "{hours}: {reported}");
    }
}

proptest! {
    #[test]
    fn what_ate_the_budget_never_exceeds_what_was_spent(
        hours in prop::collection::vec(prop::option::of(0.0..0.5_f64), 2..200), spent in 0.0..100.0_f64, minutes in 1..60_u32,
    ) {
        let window = u32::try_from(hours.len()).unwrap();
        let all: f64 = rows(&hours, 0.0, minutes, window, Some(spent)).iter().map(|(share, _)| share).sum();
        prop_assert!(all <= spent + 1e-9, "{} {}", all, spent);
    }

    #[test]
    fn the_burn_down_starts_whole_and_ends_at_what_is_left(
        ratios in prop::collection::vec(0.0..0.2_f64, 2..200),
        error in 0.000_01..0.01_f64,
        burn in prop::option::of(0.0..1000.0_f64),
    ) {
        let status = status(Window::Rolling(HOUR * u32::try_from(ratios.len()).unwrap()), error);
        let course = course(&status, &ratios, ago(&status, u32::try_from(ratios.len()).unwrap()));
        let group_status = &status.groups[0];
        let left = group_status.left().unwrap();
        let curves = course.curves(&status, group_status, burn);
        prop_assert!((curves.left[0] - 1.0).abs() < 1e-12);
        prop_assert!((curves.left[ratios.len()] - left).abs() < 1e-9);
        prop_assert!((course.spending.burn_down().last().unwrap() - left).abs() < 1e-9);
        prop_assert!(curves.left.windows(2).all(|pair| pair[1].is_nan() || pair[1] <= pair[0] + 1e-9));
        for line in [&curves.left, &curves.ideal, &curves.forecast] {
            prop_assert_eq!(line.len(), curves.span.count());
            prop_assert!(line.iter().all(|value| value.is_nan() || value.is_finite()));
        }
        prop_assert_eq!(curves.forecast.iter().all(|value| value.is_nan()), burn.is_none());
    }
}
