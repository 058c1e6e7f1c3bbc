//! The numbers of SLO.md §5.

use jiff::civil::date;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::super::objective::Objective;
use super::super::window::{Calendar, CalendarUnit, Window};
use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const WINDOW: Duration = Duration::from_secs(30 * 86_400);

fn objective() -> Objective {
    Objective::percent("99.9").unwrap()
}

fn hours(exhaustion: Option<Exhaustion>) -> f64 {
    match exhaustion {
        Some(Exhaustion::In(after)) => after.as_secs_f64() / 3600.0,
        other => panic!("{other:?}"),
    }
}

fn rounded(value: f64, decimals: i32) -> f64 {
    (value * 10_f64.powi(decimals)).round() / 10_f64.powi(decimals)
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// Base burn 0.5 and a 20-minute total outage 29.5 days ago.
fn with_an_old_outage() -> BudgetSpending {
    let mut ratios = vec![Some(0.5 * 0.001); 720];
    ratios[12] = Some(0.5 * 0.001 + 20.0 / 60.0);
    BudgetSpending::by_time(HOUR, &ratios, objective())
}

/// SLO.md §5, rolling, earliest.
#[test]
fn at_the_earliest_the_budget_lasts_so_long() {
    let left = 1.0 - 31_415.0 / 41_230.118;
    for (burn, expected) in [(3.0, 57.1), (6.0, 28.6), (14.4, 11.9)] {
        let got = hours(Exhaustion::earliest(left, burn, WINDOW));
        assert!(same(rounded(got, 1), expected), "{burn}: {got}");
    }
}

/// SLO.md §5, rolling, exact: what leaves the window matters.
#[test]
fn stepping_sees_an_old_outage_leave() {
    let spending = with_an_old_outage();
    assert!(same(rounded(spending.spent(), 4), 0.9630));
    let left = 1.0 - spending.spent();
    assert!(same(rounded(hours(Exhaustion::earliest(left, 3.0, WINDOW)), 2), 8.89));
    assert!(same(rounded(hours(Exhaustion::rolling(&spending, 3.0)), 1), 10.7));
    assert!(same(rounded(hours(Exhaustion::earliest(left, 2.0, WINDOW)), 2), 13.33));
    assert!(same(rounded(hours(Exhaustion::rolling(&spending, 2.0)), 1), 240.0));
    assert_eq!(Exhaustion::rolling(&spending, 0.5), Some(Exhaustion::NotWithinWindow(WINDOW)));
    assert_eq!(Exhaustion::rolling(&spending, 0.0), Some(Exhaustion::Never));
}

/// SLO.md §5, calendar: a month of 31 days, 16.5 elapsed, e = 0.07 %.
#[test]
fn a_month_under_way_has_a_pace_and_a_reset() {
    let window = Window::Calendar(Calendar {
        count: 1,
        unit: CalendarUnit::Month,
        start: date(2026, 1, 1).at(0, 0, 0, 0),
        zone: TimeZone::UTC,
    });
    let now: Timestamp = "2026-07-17T12:00:00Z".parse().unwrap();
    let under_way = CurrentPeriod::new(0.0007 / objective().budget(), window.bounds(now), now).unwrap();
    assert!(same(rounded(under_way.elapsed_share() * 100.0, 2), 53.23));
    assert!(same(under_way.pace(), 0.7) && same(under_way.left_to_date(), 0.3));
    assert!(same(rounded(under_way.spent() * 100.0, 2), 37.26));
    assert!(same(rounded(under_way.sustainable_burn().unwrap(), 3), 1.341));
    assert!(same(rounded(hours(under_way.exhaustion(3.2)), 1), 145.9));
    assert_eq!(under_way.reset(), HOUR * 348);
    // at the sustainable burn rate the budget is exhausted exactly at the reset; at a lower rate not before it
    assert_eq!(under_way.exhaustion(1.3), Some(Exhaustion::NotBeforeReset(HOUR * 348)));
    assert_eq!(under_way.exhaustion(1e-300), Some(Exhaustion::NotBeforeReset(HOUR * 348)));
    assert_eq!(under_way.exhaustion(0.0), Some(Exhaustion::Never));
    assert_eq!(under_way.exhaustion(f64::NAN), None);
    assert!(same(under_way.left_at_reset(under_way.pace()), 0.3));
}

#[test]
fn what_is_spent_is_exhausted_at_any_burn() {
    assert_eq!(Exhaustion::earliest(0.0, 0.0, WINDOW), Some(Exhaustion::Exhausted));
    assert_eq!(Exhaustion::earliest(-3.0, 1.0, WINDOW), Some(Exhaustion::Exhausted));
    assert_eq!(Exhaustion::earliest(f64::NAN, 1.0, WINDOW), None);
    assert_eq!(Exhaustion::earliest(0.5, f64::NAN, WINDOW), None);
    let overspent = BudgetSpending::by_time(HOUR, &[Some(0.5); 4], objective());
    assert_eq!(Exhaustion::rolling(&overspent, 0.0), Some(Exhaustion::Exhausted));
    assert_eq!(Exhaustion::rolling(&BudgetSpending::by_time(HOUR, &[], objective()), 1.0), None);
    assert_eq!(Exhaustion::rolling(&overspent, f64::NAN), None);
}

#[test]
fn a_period_that_has_not_begun_has_no_numbers() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let period = TimeRange { start: at(1000), end: at(2000) };
    assert_eq!(CurrentPeriod::new(0.5, period, at(1000)), None);
    assert_eq!(CurrentPeriod::new(f64::NAN, period, at(1500)), None);
    let over = CurrentPeriod::new(2.0, period, at(2000)).unwrap();
    assert_eq!((over.sustainable_burn(), over.exhaustion(1.0)), (None, Some(Exhaustion::Exhausted)));
    let half = CurrentPeriod::new(2.5, period, at(1500)).unwrap();
    assert_eq!(half.sustainable_burn(), Some(0.0));
}

#[test]
fn exhausted_since_the_last_time_that_something_was_left() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let course =
        |left: &[f64]| -> Vec<_> { left.iter().zip(0..).map(|(left, second)| (at(second), *left)).collect() };
    assert_eq!(
        exhausted_since(&course(&[0.5, -0.1, 0.2, 0.0, -1.0])),
        Some(ExhaustedSince { at: at(3), is_upper_bound: false })
    );
    assert_eq!(
        exhausted_since(&course(&[-0.5, -0.1])),
        Some(ExhaustedSince { at: at(0), is_upper_bound: true })
    );
    assert_eq!(
        exhausted_since(&course(&[0.5, f64::NAN, -0.1])),
        Some(ExhaustedSince { at: at(2), is_upper_bound: true })
    );
    assert_eq!(exhausted_since(&course(&[-0.5, 0.1])), None);
    assert_eq!(exhausted_since(&course(&[-0.5, f64::NAN])), None);
    assert_eq!(exhausted_since(&[]), None);
}

proptest! {
    #[test]
    fn stepping_is_never_earlier_than_the_earliest_and_faster_burns_end_sooner(
        ratios in prop::collection::vec(0.0..0.002_f64, 1..200), a in 0.01..100.0_f64, b in 0.01..100.0_f64,
    ) {
        let ratios: Vec<_> = ratios.into_iter().map(Some).collect();
        let spending = BudgetSpending::by_time(HOUR, &ratios, objective());
        let time = |exhaustion: Option<Exhaustion>| match exhaustion.unwrap() {
            Exhaustion::Exhausted => 0.0,
            Exhaustion::In(after) => after.as_secs_f64(),
            Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never => f64::INFINITY,
        };
        let (slow, fast) = (a.min(b), a.max(b));
        let exact = time(Exhaustion::rolling(&spending, fast));
        let earliest = time(Exhaustion::earliest(1.0 - spending.spent(), fast, spending.length()));
        prop_assert!(exact >= earliest * (1.0 - 1e-6) - 1e-6);
        prop_assert!(time(Exhaustion::rolling(&spending, slow)) >= exact * (1.0 - 1e-6) - 1e-6);
    }

    #[test]
    fn a_sustainable_burn_ends_with_nothing_left(burn in 0.0..3.0_f64, elapsed in 1..1000_i64) {
        let at = |second| Timestamp::from_second(second).unwrap();
        let period = TimeRange { start: at(0), end: at(1001) };
        let under_way = CurrentPeriod::new(burn, period, at(elapsed)).unwrap();
        let sustainable = under_way.sustainable_burn().unwrap();
        prop_assert!(sustainable >= 0.0);
        if sustainable > 0.0 {
            prop_assert!(under_way.left_at_reset(sustainable).abs() < 1e-9);
        }
        prop_assert!((under_way.left_at_reset(burn) - under_way.left_to_date()).abs() < 1e-9);
    }
}
