use proptest::prelude::*;

use super::*;

const DAY: f64 = 86_400.0;
const GIB: f64 = 1_073_741_824.0;

fn now() -> Timestamp {
    // a Wednesday, 00:00 UTC
    Timestamp::from_second(1_799_884_800).unwrap()
}

/// The usage over all lookbacks, as a source reads it; `usage` is a function of the days from now.
fn history(usage: impl Fn(f64) -> f64) -> Vec<UsageLine> {
    LOOKBACKS.map(|lookback| line(lookback, &usage)).to_vec()
}

fn line(lookback: (Duration, Duration), usage: &impl Fn(f64) -> f64) -> UsageLine {
    let span = lookback_grid(lookback, now());
    let day = |at: usize| span.at(at).duration_since(now()).as_secs_f64() / DAY;
    UsageLine { span, values: (0..span.count()).map(|at| usage(day(at))).collect() }
}

/// A function that has no values before this many days.
fn since(days: f64, usage: impl Fn(f64) -> f64) -> impl Fn(f64) -> f64 {
    move |day| if day < -days { f64::NAN } else { usage(day) }
}

/// Evenly distributed between -1 and 1, and always the same for the same day.
fn noise(day: f64) -> f64 {
    let mut bits = (day * 1e6).round().to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits ^= bits >> 32;
    f64::from(u32::try_from(bits >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
}

fn outlook(usage: impl Fn(f64) -> f64, limit: f64) -> Outlook {
    forecast(&history(&usage), usage(0.0), Some(limit), now()).1
}

fn words(usage: impl Fn(f64) -> f64, limit: f64) -> String {
    outlook(usage, limit).words(now())
}

/// Hours until it is full: expected, earliest, latest.
fn hours(usage: impl Fn(f64) -> f64, limit: f64) -> (f64, f64, Option<f64>) {
    let found = outlook(usage, limit);
    let Outlook::Fills(FillTime { at, earliest, latest }) = found else { panic!("{found:?}") };
    let hours = |then| left(then, now()).as_secs_f64() / 3600.0;
    (hours(at), hours(earliest), latest.map(hours))
}

#[test]
fn an_even_growth_over_weeks_is_full_when_the_line_meets_the_limit() {
    // docs/capacity.md: 10 GiB a day, 468 GiB now, 500 GiB are reached after 3.2 days
    let disk = |day: f64| (468.0 + 10.0 * day) * GIB;
    let (at, earliest, latest) = hours(disk, 500.0 * GIB);
    assert!((at - 76.8).abs() < 0.1, "{at}");
    // the doubt: 1 + 0.25 ln(1 + 3.2 / 28) = 1.027
    assert!((earliest - 76.8 / 1.027).abs() < 0.1 && (latest.unwrap() - 76.8 * 1.027).abs() < 0.1);
    assert_eq!(words(disk, 500.0 * GIB), "3d4h (3d-3d)");
}

#[test]
fn a_short_history_gives_a_wide_range() {
    // 20 minutes of history, full in 3 days: 1 + 0.25 ln(1 + 216) = 2.345
    let disk = since(20.0 / 1440.0, |day| 390.0 + 110.0 / 3.0 * day);
    assert_eq!(words(disk, 500.0), "3d (31h-7d)");
}

#[test]
fn too_little_history_gives_no_forecast_but_says_what_it_needs() {
    let young = since(5.0 / 1440.0, |day| 390.0 + 110.0 * day);
    assert_eq!(words(young, 500.0), "needs 10m of history");
    assert_eq!(words(|_| f64::NAN, 500.0), "needs 10m of history");
    let Outlook::NeedsHistory { has, .. } = outlook(since(5.0 / 1440.0, |_| 1.0), 2.0) else { panic!() };
    assert_eq!(has.as_secs(), 300);
}

#[test]
fn what_does_not_grow_has_no_end() {
    assert_eq!(words(|_| 300.0, 500.0), "does not grow");
    assert_eq!(words(|day| 300.0 - 2.0 * day, 500.0), "falls");
    assert_eq!(words(|day| 300.0 + 3.0 * noise(day), 500.0), "does not grow");
    // 0.01 % a day
    assert_eq!(words(|day| 300.0 + 0.05 * day, 500.0), "not within 365d");
}

#[test]
fn a_growth_that_drowns_in_ups_and_downs_is_unclear() {
    let found = outlook(|day| 100.0 + 0.2 * day + 90.0 * noise(day), 300.0);
    assert!(matches!(found, Outlook::Unclear { .. } | Outlook::Steady), "{found:?}");
    let (at, earliest, latest) = hours(|day| 200.0 + 5.0 * day + 4.0 * noise(day), 300.0);
    assert!(
        (400.0..560.0).contains(&at) && earliest < at && latest.unwrap() > at,
        "{at} {earliest} {latest:?}"
    );
}

#[test]
fn a_wave_in_a_short_history_is_not_called_steady_near_the_limit() {
    // an hour of connections that go up and down by 4 within minutes, 148 of 200
    let wave = |day: f64| 148.0 + 4.0 * (day * 1440.0 / 50.0 * std::f64::consts::TAU).sin();
    let young = outlook(since(1.0 / 24.0, wave), 200.0);
    assert!(matches!(young, Outlook::Unclear { earliest } if earliest > now()), "{young:?}");
    // after weeks it is
    assert_eq!(outlook(wave, 200.0), Outlook::Steady);
}

#[test]
fn full_is_full_whatever_the_trend() {
    assert_eq!(words(|_| 500.0, 500.0), "full");
    assert_eq!(words(|day| 520.0 - day, 500.0), "full");
    assert_eq!(outlook(|_| f64::NAN, 500.0).end(now()), None);
}

#[test]
fn without_a_limit_there_is_a_trend_and_no_forecast() {
    let lag = |day: f64| 1000.0 + 50.0 * day;
    for limit in [None, Some(0.0), Some(f64::INFINITY), Some(f64::NAN), Some(-1.0)] {
        let (trend, outlook) = forecast(&history(lag), lag(0.0), limit, now());
        assert_eq!(outlook, Outlook::WithoutLimit);
        assert!((trend.unwrap().per_day - 50.0).abs() < 1e-6);
    }
}

#[test]
fn a_cleanup_begins_a_new_segment() {
    // 8 GiB a day; 200 GiB were deleted 3 days ago
    let disk = |day: f64| 460.0 + 8.0 * day - if day > -3.0 { 200.0 } else { 0.0 };
    let (at, ..) = hours(disk, 500.0);
    assert!((at - 240.0 / 8.0 * 24.0).abs() < 1.0, "{at}");
    // just now, so that only the short lookback knows the growth since: 30 minutes of it
    let now_cleaned = |day: f64| 460.0 + 8.0 * day - if day > -1.0 / 48.0 { 200.0 } else { 0.0 };
    let (trend, _) = forecast(&history(now_cleaned), now_cleaned(0.0), Some(500.0), now());
    let trend = trend.unwrap();
    assert!(trend.history <= Duration::from_secs(1800), "{trend:?}");
    assert_eq!(trend.resets, 1);
}

#[test]
fn a_single_rise_begins_a_new_segment_and_many_are_the_growth() {
    // a copy of 100 GiB 5 days ago, flat before and after
    assert_eq!(words(|day| if day > -5.0 { 400.0 } else { 300.0 }, 500.0), "does not grow");
    // 20 GiB at once, every day
    let (at, ..) = hours(|day: f64| 440.0 + 20.0 * day.floor(), 500.0);
    assert!((48.0..100.0).contains(&at), "{at}");
}

#[test]
fn a_log_that_is_rotated_every_day_is_full_when_its_peaks_are() {
    // grows 50 a day, rotated at midnight
    let log = |day: f64| 100.0 + 50.0 * (day - 0.01).rem_euclid(1.0);
    assert_eq!(words(log, 200.0), "does not grow");
    // the peaks rise by 5 a day: 148 now, 200 in 10 to 11 days
    let (at, ..) = hours(|day| log(day) + 5.0 * day, 200.0);
    assert!((220.0..280.0).contains(&at), "{at}");
    // the rotation has failed for 2 days
    let failed = |day: f64| if day < -2.0 { log(day) } else { 100.0 + 50.0 * (day + 2.0) };
    let (at, ..) = hours(failed, 210.0);
    assert!((0.0..8.0).contains(&at), "{at}");
}

#[test]
fn a_spike_is_no_reset_and_no_trend() {
    let disk = |day: f64| {
        let spike = (day + 10.0).abs() < 0.05 || (day + 4.0).abs() < 0.05;
        400.0 + day + if spike { 90.0 } else { 0.0 }
    };
    let (at, ..) = hours(disk, 430.0);
    assert!((at - 30.0 * 24.0).abs() < 24.0, "{at}");
}

#[test]
fn a_disk_that_suddenly_fills_is_seen_within_minutes_although_weeks_were_calm() {
    // 100 an hour, for 30 minutes
    let disk =
        |day: f64| 300.0 + 0.1 * day + if day > -1.0 / 48.0 { 2400.0 * (day + 1.0 / 48.0) } else { 0.0 };
    let (at, ..) = hours(disk, 500.0);
    assert!((1.0..2.5).contains(&at), "{at}");
}

#[test]
fn a_growth_that_has_stopped_may_never_reach_the_limit() {
    let disk = |day: f64| 460.0 + 8.0 * (day + 2.0).min(0.0);
    let found = outlook(disk, 500.0);
    assert!(matches!(found, Outlook::Fills(FillTime { latest: None, .. })), "{found:?}");
}

#[test]
fn a_daily_season_is_recognised_only_from_two_days_on_and_its_peak_is_what_is_full() {
    let load = |day: f64| 100.0 + 40.0 * (day * std::f64::consts::TAU).sin() + 2.0 * noise(day);
    let found = |days: f64, grows: f64| {
        let usage = since(days, move |day| load(day) + grows * day);
        forecast(&history(&usage), usage(0.0), Some(180.0), now())
    };
    assert_eq!(found(28.0, 0.0).0.unwrap().season, Some(SeasonKind::Daily));
    assert_eq!(found(2.0, 0.0).0.unwrap().season, Some(SeasonKind::Daily));
    assert_eq!(found(1.0, 0.0).0.unwrap().season, None);
    // it rises every morning, and does not grow: its peak is 142
    let (trend, outlook) = found(28.0, 0.0);
    assert!(!matches!(outlook, Outlook::Fills(_)), "{outlook:?} {trend:?}");
    // 2 a day: the peak is at the limit in 19 days, the mean in 40
    let (_, grown) = found(28.0, 2.0);
    let Outlook::Fills(FillTime { at, .. }) = grown else { panic!("{grown:?}") };
    let days = left(at, now()).as_secs_f64() / DAY;
    assert!((17.0..21.5).contains(&days), "{days}");
}

#[test]
fn a_weekly_season_needs_two_weeks() {
    let load = |day: f64| 100.0 + if (day.floor() + 2.0).rem_euclid(7.0) < 2.0 { 0.0 } else { 60.0 };
    let season = |days: f64| {
        let usage = since(days, load);
        forecast(&history(&usage), usage(0.0), Some(500.0), now()).0.and_then(|trend| trend.season)
    };
    assert_eq!(season(28.0), Some(SeasonKind::Weekly));
    assert_ne!(season(10.0), Some(SeasonKind::Weekly));
}

#[test]
fn gaps_change_nothing() {
    let disk = |day: f64| if (-6.0..-4.0).contains(&day) { f64::NAN } else { 468.0 + 10.0 * day };
    let (at, ..) = hours(disk, 500.0);
    assert!((at - 76.8).abs() < 0.1, "{at}");
}

#[test]
fn the_words_of_a_resource_name_its_place_and_amounts() {
    let reading = reading("disk", Outlook::Steady);
    assert_eq!(reading.title(), "disk on web-17 /data");
    assert_eq!(reading.amounts(), "390 GiB of 500 GiB");
    assert_eq!(reading.ratio(), Some(0.78));
    let ends = CapacityReading { amount: CapacityUse::Until(now()), ..reading };
    assert_eq!((ends.amounts(), ends.ratio()), (String::new(), None));
    assert_eq!(Outlook::Ends(now()).words(now() + SignedDuration::from_hours(30)), "over for 1d6h");
}

fn reading(resource: &str, outlook: Outlook) -> CapacityReading {
    CapacityReading {
        key: CapacityKey {
            source: SourceId::new("prom"),
            service: "web".into(),
            resource: resource.into(),
            instance: "web-17:9100".into(),
            part: "/data".into(),
        },
        host: "web-17".into(),
        unit: CapacityUnit::Bytes,
        amount: CapacityUse::Amount { used: 390.0 * GIB, limit: Some(500.0 * GIB) },
        is_warned: true,
        history: Vec::new(),
        limits: None,
        trend: None,
        outlook,
        query: Text::default(),
        at: now(),
    }
}

#[test]
fn a_service_is_warned_of_what_certainly_ends_within_the_limits() {
    let (full, ends) = (Duration::from_secs(4 * 86_400), Duration::from_secs(14 * 86_400));
    let in_days = |days: i64| now() + SignedDuration::from_hours(24 * days);
    let fills = |days, latest| Outlook::Fills(FillTime { at: in_days(days), earliest: in_days(1), latest });
    for (outlook, is_warned) in [
        (fills(3, Some(in_days(9))), true),
        (fills(3, None), false),
        (fills(5, Some(in_days(9))), false),
        (Outlook::Ends(in_days(13)), true),
        (Outlook::Ends(in_days(15)), false),
        (Outlook::Ends(in_days(-1)), true),
        (Outlook::Full, false),
        (Outlook::Unclear { earliest: in_days(1) }, false),
    ] {
        let reading = reading("disk", outlook);
        assert_eq!(reading.warned_end(full, ends, now()).is_some(), is_warned, "{outlook:?}");
        let on_purpose = CapacityReading { is_warned: false, ..reading };
        assert_eq!(on_purpose.warned_end(full, ends, now()), None);
    }
}

#[test]
fn the_least_time_left_stands_first() {
    let end = |hours| now() + SignedDuration::from_hours(hours);
    let fills = |hours| Outlook::Fills(FillTime { at: end(hours), earliest: end(1), latest: None });
    let mut all = [
        reading("falling", Outlook::Falling),
        reading("steady", Outlook::Steady),
        reading("3 d", fills(72)),
        reading("full", Outlook::Full),
        reading("unclear", Outlook::Unclear { earliest: end(1) }),
        reading("1 d", Outlook::Ends(end(24))),
    ];
    all.sort_by(CapacityReading::by_urgency);
    let names: Vec<&str> = all.iter().map(|one| &*one.key.resource).collect();
    assert_eq!(names, ["full", "unclear", "1 d", "3 d", "steady", "falling"]);
}

/// Of random walks with drift, the range holds the true time to the limit in most cases: the walk is continued until it is there.
#[test]
fn the_range_of_doubt_holds_for_random_walks() {
    let (mut held, mut all) = (0, 0);
    for seed in 0..300 {
        let mut random = 0x1234_5678_9abc_def1_u64.wrapping_mul(2 * seed + 1);
        let mut next = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            f64::from(u32::try_from(random >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
        };
        // six-hour steps: 0.5 on average, with steps of up to 2 up or down
        let steps: Vec<f64> = (0..113).map(|_| 0.5 + 2.0 * next()).collect();
        let walk: Vec<f64> = steps
            .iter()
            .scan(200.0, |sum, step| {
                *sum += step;
                Some(*sum)
            })
            .collect();
        let used = *walk.last().unwrap();
        let limit = used + 30.0;
        let span = line(LOOKBACKS[0], &|_| 0.0).span;
        let lines = [UsageLine { span, values: walk }];
        let Outlook::Fills(FillTime { earliest, latest, .. }) = forecast(&lines, used, Some(limit), now()).1
        else {
            continue;
        };
        let mut level = used;
        let mut hours = 0;
        while level < limit && hours < 100_000 {
            level += 0.5 + 2.0 * next();
            hours += 6;
        }
        let truth = now() + SignedDuration::from_hours(hours);
        all += 1;
        held += i32::from(earliest <= truth && latest.is_none_or(|latest| truth <= latest));
    }
    assert!(all > 200 && held * 100 >= all * 75, "{held} of {all}");
}

proptest! {
    #[test]
    fn the_range_contains_the_expected_time_and_a_higher_limit_is_never_reached_earlier(
        slope in -20.0..20.0_f64, wobble in 0.0..20.0_f64, used in 1.0..400.0_f64, more in 0.0..100.0_f64,
        days in 0.01..30.0_f64,
    ) {
        let usage = since(days, move |day| used + slope * day + wobble * noise(day));
        let lines = history(&usage);
        let of = |limit: f64| forecast(&lines, used, Some(limit), now()).1;
        // regular resets count only as far as they prevent that the limit is reached
        let resets = forecast(&lines, used, Some(500.0), now()).0.map_or(0, |trend| trend.resets);
        prop_assume!(resets < 3);
        if let Outlook::Fills(FillTime { at, earliest, latest }) = of(500.0) {
            prop_assert!(now() <= earliest && earliest <= at && latest.is_none_or(|latest| at <= latest));
            let higher = of(500.0 + more);
            let is_later = match higher {
                Outlook::Fills(FillTime { at: later, .. }) => later >= at,
                other => other != Outlook::Full,
            };
            prop_assert!(is_later, "{higher:?}");
        }
    }

    #[test]
    fn the_unit_does_not_matter(slope in 0.1..20.0_f64, wobble in 0.0..5.0_f64) {
        let usage = move |day: f64| 300.0 + slope * day + wobble * noise(day);
        let scaled = move |day: f64| 1e9 * usage(day);
        let (one, other) = (outlook(usage, 500.0), outlook(scaled, 500e9));
        let close = |a: Timestamp, b: Timestamp| a.duration_since(b).abs().as_secs() < 60;
        match (one, other) {
            (Outlook::Fills(a), Outlook::Fills(b)) => prop_assert!(close(a.at, b.at) && close(a.earliest, b.earliest)),
            (one, other) => prop_assert_eq!(one.word(), other.word()),
        }
    }

    #[test]
    fn any_values_give_an_answer(values in prop::collection::vec(prop::num::f64::ANY, 121), limit in prop::num::f64::ANY) {
        let span = line(LOOKBACKS[3], &|_| 0.0).span;
        let (trend, outlook) = forecast(&[UsageLine { span, values }], 1.0, Some(limit), now());
        if let Some(trend) = trend {
            let (low, expected, high) = trend.expected(Duration::from_secs(86_400), now());
            prop_assert!(low.is_nan() || expected.is_nan() || high.is_nan() || low <= high);
        }
        prop_assert!(!outlook.words(now()).is_empty());
    }
}
