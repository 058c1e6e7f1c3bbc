use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::slo::{
    Alerting, Budgeting, Calendar, CalendarUnit, Evaluation, GroupReading, Measured, Origin, Slo, SloReading,
    standard,
};
use crate::model::source::SourceId;

const HOUR: Duration = Duration::from_secs(3600);

fn status(window: Window, error: f64) -> SloStatus {
    let slo = Slo {
        id: "shop".into(),
        name: "shop".into(),
        service: None,
        description: "".into(),
        labels: Labels::default(),
        objective: Objective::percent("99.9").unwrap(),
        pairs: standard(720 * HOUR).to_vec(),
        window,
        budgeting: Budgeting::Occurrences,
        sli: None,
        grouping: Vec::new(),
        alerting: Alerting::default(),
        recorded: None,
        origin: Origin::Series,
    };
    let group = GroupReading {
        labels: Labels::default(),
        recent: vec![(HOUR, Measured::Ratio { error, events: None })],
        window: Measured::Ratio { error, events: None },
        is_time_weighted: false,
        first: None,
        newest: None,
    };
    let evaluation = Evaluation::Recorded;
    let reading = SloReading { slo: Arc::new(slo), evaluation, groups: vec![group], trouble: None };
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
fn course(status: &SloStatus, ratios: &[f64], start: Timestamp) -> Course {
    let ratios: Vec<_> = ratios.iter().copied().map(Some).collect();
    let spending = Spending::by_time(HOUR, &ratios, status.slo.objective);
    let spent = status.groups[0].spent.unwrap();
    let by = if spending.spent() > 0.0 { spent / spending.spent() } else { 1.0 };
    Course { spending: spending.scaled(by), start }
}

fn ago(status: &SloStatus, slots: u32) -> Timestamp {
    let end: Timestamp = "2026-01-14T03:00:00Z".parse().unwrap();
    assert!(end >= status.at);
    end - HOUR * slots
}

#[test]
fn the_unfinished_slot_has_what_the_others_lack_but_no_more_than_it_can() {
    let ratios = || Counted::Ratios(vec![Some(0.5), Some(0.001), None, Some(0.001)]);
    let whole = |target, most| match ratios().whole(true, target, most) {
        Counted::Ratios(ratios) => ratios,
        Counted::Events(_) => Vec::new(),
    };
    let close = |a: Option<f64>, b: f64| (a.unwrap() - b).abs() < 1e-12;
    assert_eq!(whole(0.0, 1.0), [Some(0.001), None, Some(0.001), Some(0.0)], "the oldest slot is out");
    assert!(close(whole(0.002, 1.0)[3], 0.004));
    assert!(close(whole(0.002, 0.003)[3], 0.003));
    let events = Counted::of_events(Side::Good, &[Some(9.0), None], &[Some(10.0), Some(10.0)]);
    let Counted::Events(events) = events.whole(false, 0.5, 0.25) else { panic!("events stay events") };
    assert_eq!(events, [Some((1.0, 10.0)), Some((10.0, 10.0)), Some((2.5, 10.0))]);
}

#[test]
fn a_calendar_periods_forecast_goes_to_its_end() {
    let status = status(month(), 0.0005);
    let course = course(&status, &[0.0005; 315], ago(&status, 315));
    let standing = &status.groups[0];
    let curves = course.curves(&status, standing, standing.burn(HOUR));
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
        let told = at(&forecast, hours * HOUR).unwrap();
        assert!((told - left).abs() < 1e-12, "{hours}: {told}");
    }
}

proptest! {
    #[test]
    fn the_burn_down_starts_whole_and_ends_at_what_is_left(
        ratios in prop::collection::vec(0.0..0.2_f64, 2..200),
        error in 0.000_01..0.01_f64,
        burn in prop::option::of(0.0..1000.0_f64),
    ) {
        let status = status(Window::Rolling(HOUR * u32::try_from(ratios.len()).unwrap()), error);
        let course = course(&status, &ratios, ago(&status, u32::try_from(ratios.len()).unwrap()));
        let standing = &status.groups[0];
        let left = standing.left().unwrap();
        let curves = course.curves(&status, standing, burn);
        prop_assert!((curves.left[0] - 1.0).abs() < 1e-12);
        prop_assert!((curves.left[ratios.len()] - left).abs() < 1e-9);
        prop_assert!((course.spending.burn_down().last().unwrap() - left).abs() < 1e-9);
        prop_assert!(curves.left.windows(2).all(|pair| pair[1].is_nan() || pair[1] <= pair[0] + 1e-9));
        for line in [&curves.left, &curves.ideal, &curves.forecast] {
            prop_assert_eq!(line.len(), curves.span.len());
            prop_assert!(line.iter().all(|value| value.is_nan() || value.is_finite()));
        }
        prop_assert_eq!(curves.forecast.iter().all(|value| value.is_nan()), burn.is_none());
    }
}

#[test]
fn no_slot_of_a_short_history_burns_faster_than_its_errors() {
    let objective = Objective::percent("99.9").unwrap();
    let mut ratios = vec![None; 718];
    ratios.extend([Some(0.1), Some(0.2)]);
    let spending = Spending::by_time(Duration::from_secs(3600), &ratios, objective);
    let per_burn = per_burn(&spending, Duration::from_secs(30 * 86_400));
    let burns: Vec<_> = spending.worst(2).into_iter().map(|(_, share)| share / per_burn).collect();
    assert!((burns[0] - 200.0).abs() < 1e-6 && (burns[1] - 100.0).abs() < 1e-6, "{burns:?}");
}
