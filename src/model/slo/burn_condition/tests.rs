//! The tables of SLO.md §3.

use proptest::prelude::*;

use super::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

fn objective(percent: &str) -> Objective {
    Objective::percent(percent).unwrap()
}

fn factors(pairs: &[BurnCondition]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.factor).collect()
}

fn assert_near(got: &[f64], expected: &[f64]) {
    assert!(
        got.len() == expected.len() && got.iter().zip(expected).all(|(a, b)| near(*a, *b)),
        "{got:?} {expected:?}"
    );
}

fn lookbacks(pairs: &[BurnCondition]) -> Vec<String> {
    use crate::model::duration::text;
    pairs.iter().map(|pair| format!("{}/{} {}", text(pair.long), text(pair.short), text(pair.hold))).collect()
}

/// SLO.md §3, the first table.
#[test]
fn the_standard_pairs_are_the_workbooks() {
    let pairs = standard(DAY * 30);
    assert_near(&factors(&pairs), &[14.4, 6.0, 3.0, 1.0]);
    assert_near(&factors(&standard(DAY * 28)), &[13.44, 5.6, 2.8, 2.8 / 3.0]);
    assert_eq!(lookbacks(&pairs), ["1h/5m 0s", "6h/30m 0s", "1d/2h 0s", "3d/6h 0s"]);
    assert_eq!(
        pairs.iter().map(|pair| pair.severity).collect::<Vec<_>>(),
        [BurnSeverity::Page, BurnSeverity::Page, BurnSeverity::Ticket, BurnSeverity::Ticket]
    );
    assert!(BurnSeverity::Page < BurnSeverity::Ticket);
    // the share of the budget that is spent within the long lookback
    let share = |pair: &BurnCondition| pair.factor * pair.long.as_secs_f64() / (DAY * 30).as_secs_f64();
    assert_near(&pairs.iter().map(share).collect::<Vec<_>>(), &[0.02, 0.05, 0.1, 0.1]);
    // the error ratios at 99.9 %
    let errors: Vec<_> = pairs.iter().map(|pair| pair.factor * objective("99.9").budget()).collect();
    assert_near(&errors, &[0.0144, 0.006, 0.003, 0.001]);
    // "budget gone in"
    let hours = |pair: &BurnCondition| pair.exhaustion(DAY * 30).unwrap().as_secs_f64() / 3600.0;
    let gone: Vec<_> = pairs.iter().map(hours).collect();
    assert_near(&gone, &[50.0, 120.0, 240.0, 720.0]);
    // the short window is a twelfth
    assert!(pairs.iter().all(|pair| pair.short * 12 == pair.long));
}

/// SLO.md §3: Sloth 7d and 28d, Datadog 7d and 90d, GitLab.
#[test]
fn the_sets_of_other_tools_come_out() {
    assert_near(&factors(&sloth(DAY * 7).unwrap()), &[13.44, 3.5, 1.4, 0.98]);
    assert_near(&factors(&sloth(DAY * 28).unwrap()), &[13.44, 5.6, 2.8, 0.933_333_333_333]);
    assert_eq!(sloth(DAY * 30).map(Vec::from), Some(standard(DAY * 30)));
    assert_eq!(sloth(DAY * 14), None);
    assert_eq!(sloth(DAY * 30 + HOUR), None);

    let datadog = |shares: [f64; 3], days: u32| {
        let lookbacks = [HOUR, HOUR * 6, DAY];
        let pair = |at: usize| {
            BurnCondition::by_share(
                BurnSeverity::Page,
                shares[at],
                lookbacks[at],
                lookbacks[at] / 12,
                DAY * days,
            )
            .factor
        };
        [pair(0), pair(1), pair(2)]
    };
    assert_near(&datadog([0.1, 0.2, 0.4], 7), &[16.8, 5.6, 2.8]);
    assert_near(&datadog([0.01, 0.03, 0.05], 90), &[21.6, 10.8, 4.5]);
}

#[test]
fn in_short_windows_the_usual_lookbacks_shrink_and_the_factors_stay() {
    let reported = |pair: &BurnCondition| {
        use crate::model::duration::text;
        let letter = if pair.severity == BurnSeverity::Page { "p" } else { "t" };
        format!("{letter} {}/{} {}", text(pair.long), text(pair.short), pair.factor)
    };
    let reported = |window| standard(window).iter().map(reported).collect::<Vec<_>>().join(", ");
    for (window, pairs) in [
        (DAY * 14, "p 1h/5m 14.4, p 6h/30m 6, t 1d/2h 3, t 3d/6h 1"),
        (DAY * 10, "p 1h/5m 14.4, p 2h/30m 6, t 1d/2h 1"),
        (DAY * 7, "p 1h/5m 14.4, p 2h/30m 6, t 6h/30m 3, t 1d/2h 1"),
        (DAY, "p 10m/5m 14.4, p 30m/5m 6, t 1h/5m 3, t 6h/30m 1"),
        (HOUR * 6, "p 10m/5m 6, t 30m/5m 3, t 1h/5m 1"),
        (HOUR, "p 10m/5m 6, t 10m/5m 1"),
        (MINUTE * 4, "p 4m/4m 6, t 4m/4m 1"),
    ] {
        assert_eq!(reported(window), pairs);
    }
}

#[test]
fn of_the_usual_lookbacks_those_that_are_recorded_are_taken() {
    let recorded = [300, 1800, 3600, 7200, 21_600, 86_400, 259_200].map(Duration::from_secs);
    let of_day = standard_of(DAY, |lookback| recorded.contains(&lookback));
    assert_eq!(lookbacks(&of_day), ["30m/5m 0s", "1h/5m 0s", "6h/30m 0s"]);
    assert_eq!(standard_of(DAY, |_| false), standard(DAY));
}

/// SLO.md §3: 28d, 14d and 7d of Pyrra.
#[test]
fn pyrra_keeps_factors_and_scales_lookbacks() {
    assert_eq!(
        pyrra(DAY * 28).map(|pair| pair.factor.to_bits()),
        [14.0_f64, 7.0, 2.0, 1.0].map(f64::to_bits)
    );
    assert_eq!(lookbacks(&pyrra(DAY * 28)), ["1h/5m 2m", "6h/30m 15m", "1d/2h 1h", "4d/6h 3h"]);
    assert_eq!(lookbacks(&pyrra(DAY * 14)), ["30m/3m 1m", "3h/15m 8m", "12h/1h 30m", "2d/3h 1h30m"]);
    let week = lookbacks(&pyrra(DAY * 7)).join(", ");
    assert_eq!(week, "15m/1m 1m, 1h30m/8m 4m, 6h/30m 15m, 1d/1h30m 45m");
    // its label `exhaustion`, for 28 days
    let gone = pyrra(DAY * 28).map(|pair| pair.exhaustion(DAY * 28).unwrap());
    assert_eq!(gone, [DAY * 2, DAY * 4, DAY * 14, DAY * 28]);
}

/// SLO.md §3, the second table: detection by the 1h and the 6h pair.
#[test]
fn detection_takes_as_long_as_the_table_says() {
    let [fast, slow, ..] = standard(DAY * 30)[..] else { panic!() };
    for (target, errors, by_fast, by_slow) in [
        ("99.9", 1.0, Some(51.84), 2.16 * 60.0),
        ("99.9", 0.15, Some(5.76 * 60.0), 14.4 * 60.0),
        ("99.9", 0.02, Some(43.2 * 60.0), 108.0 * 60.0),
        ("99", 0.1, None, 216.0 * 60.0),
    ] {
        let objective = objective(target);
        let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
        let same = |got: Option<f64>, expected: Option<f64>| match (got, expected) {
            (Some(got), Some(expected)) => near(got, expected),
            (got, expected) => got == expected,
        };
        assert!(same(seconds(fast.time_to_detection(objective, errors)), by_fast), "{target} {errors}");
        assert!(same(seconds(slow.time_to_detection(objective, errors)), Some(by_slow)), "{target} {errors}");
    }
    let held = BurnCondition { hold: MINUTE * 2, ..fast };
    let seconds = held.time_to_detection(objective("99.9"), 1.0).unwrap().as_secs_f64();
    assert!(near(seconds, 171.84));
}

/// SLO.md §3: the example "page (fast)", counts and all.
#[test]
fn the_fast_pair_pages_and_the_slow_one_does_not() {
    let [fast, slow, ..] = standard(DAY * 30)[..] else { panic!() };
    let budget = objective("99.9").budget();
    let burn = |bad: f64, total: f64| bad / total / budget;
    assert_near(
        &[burn(165.0, 9600.0), burn(1850.0, 115_200.0), burn(820.0, 57_600.0), burn(4020.0, 691_200.0)]
            .map(|burn| (burn * 1000.0).round() / 1000.0),
        &[17.188, 16.059, 14.236, 5.816],
    );
    assert!(fast.holds(burn(1850.0, 115_200.0), burn(165.0, 9600.0)));
    assert!(!slow.holds(burn(4020.0, 691_200.0), burn(820.0, 57_600.0)));
    assert!(slow.is_exceeded_by(burn(820.0, 57_600.0)));
}

/// SLO.md §1: thresholds are strict; Datadog's are not.
#[test]
fn the_factor_itself_is_enough_only_where_it_is_said_to_be() {
    let strict = BurnCondition { factor: 14.0, ..standard(DAY * 30)[0] };
    let datadog = BurnCondition { at_least: true, ..strict };
    assert!(!strict.holds(14.0, 15.0) && datadog.holds(14.0, 15.0));
    assert!(!strict.holds(f64::NAN, 15.0) && !datadog.holds(15.0, f64::NAN));
}

/// SLO.md §3: at 90 % the greatest burn is 10, so 14.4 can never fire.
#[test]
fn a_factor_above_the_greatest_burn_can_never_fire() {
    let [fast, slow, ..] = standard(DAY * 30)[..] else { panic!() };
    assert!(fast.can_never_fire(objective("90")));
    assert!(!slow.can_never_fire(objective("90")));
    let just = BurnCondition { factor: 10.0, ..fast };
    assert!(just.can_never_fire(objective("90")));
    assert!(!BurnCondition { at_least: true, ..just }.can_never_fire(objective("90")));
    assert!(BurnCondition { factor: f64::NAN, ..fast }.can_never_fire(objective("99.9")));
}

#[test]
fn odd_pairs_give_no_time_instead_of_a_panic() {
    let pair = standard(DAY * 30)[0];
    for factor in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let odd = BurnCondition { factor, ..pair };
        for errors in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-300] {
            let _ = odd.time_to_detection(objective("99.9"), errors);
        }
    }
    assert_eq!(BurnCondition { factor: 0.0, ..pair }.exhaustion(DAY), None);
    assert!(pyrra(Duration::MAX).iter().all(|pair| pair.long >= pair.short));
    assert!(pyrra(Duration::ZERO).iter().all(|pair| pair.long.is_zero()));
}

proptest! {
    #[test]
    fn more_errors_are_found_sooner(
        parts in 1..1_000_000_000_u32, a in 0.0..=1.0_f64, b in 0.0..=1.0_f64, which in 0..4_usize,
    ) {
        let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
        let pair = standard(DAY * 30)[which];
        let (less, more) = (a.min(b), a.max(b));
        if let Some(slower) = pair.time_to_detection(objective, less) {
            prop_assert!(slower <= pair.long);
            prop_assert!(pair.time_to_detection(objective, more).unwrap() <= slower);
        }
        prop_assert_eq!(pair.can_never_fire(objective), pair.time_to_detection(objective, 1.0).is_none());
    }

    #[test]
    fn no_usual_pair_alerts_at_a_pace_that_the_budget_lasts_for(minutes in 1..(400 * 1440_u64), burn in 0.0..=1.0_f64) {
        let window = MINUTE * u32::try_from(minutes).unwrap();
        let pairs = standard(window);
        prop_assert!(pairs.iter().any(|pair| pair.severity == BurnSeverity::Page));
        for pair in pairs {
            prop_assert!(pair.long <= window && pair.short <= pair.long && !pair.short.is_zero());
            prop_assert!(window >= DAY * 28 || !pair.is_exceeded_by(burn), "{:?} {:?}", window, pair);
        }
    }

    #[test]
    fn what_spends_a_budget_within_the_hour_pages_in_every_short_window(hours in 7..672_u32) {
        let window = HOUR * hours;
        let burn = f64::from(hours);
        prop_assert!(standard(window).iter().any(|p| p.severity == BurnSeverity::Page && p.is_exceeded_by(burn)));
    }

    #[test]
    fn at_the_factor_the_share_goes_within_the_long_lookback(share in 0.001..1.0_f64, hours in 1..200_u32, days in 1..400_u32) {
        let pair = BurnCondition::by_share(BurnSeverity::Page, share, HOUR * hours, HOUR, DAY * days);
        prop_assert!(near(pair.factor * f64::from(hours) / f64::from(days * 24), share));
    }
}

/// SLO.md §7, the first point.
#[test]
fn so_many_events_are_needed() {
    for (percent, expected) in [
        ("99", [7.0, 17.0, 34.0, 100.0]),
        ("99.9", [70.0, 167.0, 334.0, 1000.0]),
        ("99.99", [695.0, 1667.0, 3334.0, 10_000.0]),
    ] {
        let objective = Objective::percent(percent).unwrap();
        let got = [14.4, 6.0, 3.0, 1.0].map(|factor| fewest_events(objective, factor).unwrap());
        assert!(got.iter().zip(expected).all(|(a, b): (&f64, f64)| (a - b).abs() < 0.5), "{percent} {got:?}");
    }
    let objective = Objective::percent("99.9").unwrap();
    assert!(are_few(69.0, objective, 14.4) && !are_few(70.0, objective, 14.4));
    assert!(!are_few(f64::NAN, objective, 14.4));
    assert_eq!([0.0, -1.0, f64::NAN].map(|factor| fewest_events(objective, factor)), [None; 3]);
}

proptest! {
    #[test]
    fn one_failure_among_enough_events_does_not_exceed_the_factor(
        parts in 1..1_000_000_000_u32, factor in 0.1..100.0_f64,
    ) {
        let objective = Objective::from_ratio(f64::from(parts) / 1e9).unwrap();
        let fewest = fewest_events(objective, factor).unwrap();
        let burn = |events: f64| 1.0 / events / objective.budget();
        prop_assert!(fewest >= 1.0 && burn(fewest) <= factor * (1.0 + 1e-9));
        prop_assert!(fewest < 2.0 || burn(fewest - 1.0) > factor * (1.0 - 1e-9));
    }
}
