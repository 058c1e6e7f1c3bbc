use super::super::super::fixtures;
use super::super::{Calendar, CalendarUnit, EventSide};
use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;

fn slo(window: Window) -> Slo {
    let service = Some("checkout".into());
    Slo { name: "availability".into(), service, window, ..fixtures::slo("checkout-availability") }
}

fn reading(window: Window, groups: Vec<GroupReading>) -> SloReading {
    fixtures::reading(slo(window), groups)
}

fn rolling() -> Window {
    Window::Rolling(Duration::from_secs(30 * DAY))
}

fn counts(bad: f64, total: f64) -> MeasuredRatio {
    MeasuredRatio::of_counts(EventSide::Bad, Some(bad), Some(total), Some(1.0))
}

fn group(window: MeasuredRatio, recent: &[(u64, MeasuredRatio)]) -> GroupReading {
    let recent = recent.iter().map(|(seconds, measured)| (Duration::from_secs(*seconds), *measured));
    fixtures::group(window, recent.collect())
}

fn at() -> Timestamp {
    "2026-01-17T12:00:00Z".parse().unwrap()
}

fn judged(group: &GroupReading) -> GroupStatus {
    let reading = reading(rolling(), vec![group.clone()]);
    GroupStatus::of(&reading, group, at())
}

fn close(a: Option<f64>, b: f64) -> bool {
    a.is_some_and(|a| (a - b).abs() <= 1e-9 * b.abs().max(1e-9))
}

#[test]
fn the_fast_pair_of_section_3_pages_and_the_slow_one_does_not() {
    let group_status = judged(&group(
        counts(31_415.0, 41_230_118.0),
        &[
            (5 * MINUTE, counts(165.0, 9600.0)),
            (30 * MINUTE, counts(820.0, 57_600.0)),
            (HOUR, counts(1850.0, 115_200.0)),
            (6 * HOUR, counts(4020.0, 691_200.0)),
        ],
    ));
    assert_eq!(group_status.state, SloState::Page);
    assert!(close(group_status.burn(Duration::from_secs(5 * MINUTE)), 17.1875));
    assert!(close(group_status.burn(Duration::from_secs(HOUR)), 1850.0 / 115.2));
    let holds: Vec<_> = group_status.pairs.iter().map(|pair| pair.holds).collect();
    assert_eq!(holds, [Some(true), Some(false), None, None]);
    assert!((group_status.left().unwrap() - 0.23806).abs() < 5e-6, "{:?}", group_status.left());
}

#[test]
fn no_traffic_and_no_data_are_states_of_their_own() {
    let quiet = judged(&group(MeasuredRatio::NoTraffic, &[(HOUR, MeasuredRatio::NoTraffic)]));
    assert_eq!((quiet.state, quiet.spent), (SloState::Quiet, None));
    let gone = judged(&GroupReading {
        newest: Some(at()),
        ..group(MeasuredRatio::Absent, &[(HOUR, MeasuredRatio::Absent)])
    });
    assert_eq!((gone.state, gone.doubt), (SloState::NoData, Some(MissingReason::NoDataSince(at()))));
    let never = judged(&group(MeasuredRatio::Absent, &[(HOUR, MeasuredRatio::Absent)]));
    assert_eq!(never.doubt, Some(MissingReason::NeverHadData));
    // the window still has a ratio, the last hour has no data
    let broken = judged(&GroupReading {
        newest: Some(at()),
        ..group(counts(1.0, 10_000.0), &[(HOUR, MeasuredRatio::Absent), (6 * HOUR, counts(0.0, 10.0))])
    });
    assert_eq!((broken.state, broken.doubt), (SloState::NoData, Some(MissingReason::NoDataSince(at()))));
    assert_eq!(broken.exhaustion, None);
    let unseen = judged(&group(counts(1.0, 10_000.0), &[(HOUR, MeasuredRatio::Absent)]));
    assert_eq!((unseen.state, unseen.doubt), (SloState::NoData, Some(MissingReason::Unknown)));
    let odd = judged(&group(MeasuredRatio::Odd(InvalidRatio::Several(3)), &[]));
    assert_eq!(
        (odd.state, odd.doubt),
        (SloState::NoData, Some(MissingReason::Odd(InvalidRatio::Several(3), Duration::from_secs(30 * DAY))))
    );
}

#[test]
fn what_stopped_coming_is_not_well_while_a_longer_lookback_still_has_it() {
    let well = counts(0.0, 1000.0);
    let ended = |newest, recent: &[(u64, MeasuredRatio)]| {
        judged(&GroupReading { newest, ..group(counts(1.0, 10_000.0), recent) })
    };
    let stopped =
        ended(Some(at()), &[(5 * MINUTE, MeasuredRatio::Absent), (30 * MINUTE, well), (HOUR, well)]);
    assert_eq!((stopped.state, stopped.doubt), (SloState::NoData, Some(MissingReason::NoDataSince(at()))));
    assert_eq!(stopped.exhaustion, None);
    // no rule records the lookback, or scrapes are rare: that does not mean that the data ended
    let rare = ended(None, &[(5 * MINUTE, MeasuredRatio::Absent), (30 * MINUTE, well), (HOUR, well)]);
    let five = Duration::from_secs(5 * MINUTE);
    assert_eq!((rare.state, rare.doubt), (SloState::Fine, Some(MissingReason::Missing(five))));
    // a lookback in between is missing, but data still come
    let holed = ended(Some(at()), &[(5 * MINUTE, well), (30 * MINUTE, MeasuredRatio::Absent), (HOUR, well)]);
    assert_eq!(holed.state, SloState::Fine);
}

#[test]
fn a_spent_budget_is_exhausted_and_a_fast_hour_burns() {
    let spent = judged(&group(counts(2.0, 1000.0), &[(HOUR, counts(0.0, 10.0))]));
    assert_eq!((spent.state, spent.exhaustion), (SloState::Exhausted, Some(Exhaustion::Exhausted)));
    let burning = judged(&group(counts(1.0, 10_000.0), &[(HOUR, counts(3.0, 1000.0))]));
    assert_eq!(burning.state, SloState::Burning);
    // 0.9 of 30 days at three times the sustainable speed
    let Some(Exhaustion::In(left)) = burning.exhaustion else { panic!("{:?}", burning.exhaustion) };
    assert!((left.as_secs_f64() - (9 * DAY) as f64).abs() < 1e-3);
    let fine = judged(&group(counts(1.0, 10_000.0), &[(HOUR, counts(0.0, 1000.0))]));
    assert_eq!((fine.state, fine.exhaustion), (SloState::Fine, Some(Exhaustion::Never)));
}

#[test]
fn of_a_calendar_month_only_what_has_passed_can_be_spent() {
    let month = Window::Calendar(Calendar {
        count: 1,
        unit: CalendarUnit::Month,
        start: "2026-01-01T00:00:00".parse().unwrap(),
        zone: jiff::tz::TimeZone::UTC,
    });
    let group = group(counts(7.0, 10_000.0), &[(HOUR, counts(32.0, 10_000.0))]);
    let group_status = GroupStatus::of(&reading(month, vec![group.clone()]), &group, at());
    // section 5: 31 days, 16.5 elapsed, average burn 0.70
    assert!((group_status.spent.unwrap() - 0.3726).abs() < 5e-5);
    let Some(Exhaustion::In(left)) = group_status.exhaustion else { panic!("{:?}", group_status.exhaustion) };
    let hours = left.as_secs_f64() / 3600.0;
    assert!((hours - 145.9).abs() < 0.05, "{hours}");
}

#[test]
fn a_short_history_is_marked_as_partial() {
    let group_status =
        judged(&GroupReading { extent: Some(young(6 * DAY)), ..group(counts(1.0, 10_000.0), &[]) });
    assert_eq!(group_status.covered, Some(0.2));
    assert!(close(group_status.left(), 0.9));
}

#[test]
fn what_burns_fastest_stands_first_and_what_has_no_data_below_whatever_burns() {
    let named = |name: &str, window: MeasuredRatio, hour: MeasuredRatio, minutes: MeasuredRatio| {
        let group = group(window, &[(5 * MINUTE, minutes), (HOUR, hour)]);
        let mut reading = reading(rolling(), vec![group]);
        Arc::make_mut(&mut reading.slo).id = name.into();
        SloStatus::of(&reading, &SourceId::new("prom"), at())
    };
    let share = |share: f64| counts(share, 1000.0);
    let plenty = counts(1.0, 10_000.0);
    let mut never = named("never", MeasuredRatio::Absent, MeasuredRatio::Absent, MeasuredRatio::Absent);
    let gone = never.clone();
    never.groups.clear();
    never.slo = Arc::new(Slo { id: "without groups".into(), ..slo(rolling()) });
    let ordered = [
        named("pages with plenty", plenty, share(20.0), share(20.0)),
        named("exhausted and calm", counts(2.0, 1000.0), share(0.0), share(0.0)),
        named("fast", counts(1.0, 100_000.0), share(8.2), share(93.0)),
        named("slow, and faster of late", counts(9.0, 10_000.0), share(1.8), share(17.0)),
        named("slow, with little left", counts(9.0, 10_000.0), share(1.8), share(1.0)),
        gone,
        never,
        named("fine", plenty, share(0.1), share(0.0)),
        named("quiet", MeasuredRatio::NoTraffic, MeasuredRatio::NoTraffic, MeasuredRatio::NoTraffic),
    ];
    let states: Vec<_> = ordered.iter().map(SloStatus::state).collect();
    assert_eq!(states[..3], [SloState::Page, SloState::Exhausted, SloState::Burning]);
    for (place, one) in ordered.iter().enumerate() {
        for (other_place, other) in ordered.iter().enumerate() {
            assert_eq!(one.by_urgency(other), place.cmp(&other_place), "{} {}", one.slo.id, other.slo.id);
        }
    }
}

#[test]
fn the_worst_group_stands_for_the_whole() {
    let calm = group(counts(1.0, 10_000.0), &[(HOUR, counts(0.0, 10.0))]);
    let spent = GroupReading {
        labels: Labels::from_iter([("handler", "/pay")]),
        ..group(counts(20.0, 10_000.0), &[(HOUR, counts(0.0, 10.0))])
    };
    let status = SloStatus::of(&reading(rolling(), vec![calm, spent]), &SourceId::new("prom"), at());
    assert_eq!((status.state(), status.groups.len()), (SloState::Exhausted, 2));
    assert_eq!(status.worst().unwrap().labels.value("handler"), "/pay");
}

#[test]
fn the_burn_of_the_last_minutes_is_read_between_the_lookbacks() {
    let burning = |rates: &[(u64, f64)]| {
        let recent: Vec<_> = rates.iter().map(|(l, burn)| (*l, counts(burn / 1000.0 * 1e6, 1e6))).collect();
        judged(&group(counts(1.0, 10_000.0), &recent))
    };
    // an outage at 40x for 50 minutes: the 6h lookback includes a part of it
    let outage =
        burning(&[(300, 40.0), (1800, 40.0), (3600, 40.0 * 50.0 / 60.0), (21_600, 40.0 * 50.0 / 360.0)]);
    for (minutes, burn) in [(0, 40.0), (2, 40.0), (5, 40.0), (17, 40.0), (30, 40.0), (60, 40.0 * 50.0 / 60.0)]
    {
        assert!(close(outage.burn_within(Duration::from_secs(minutes * 60)), burn), "{minutes}");
    }
    let between = outage.burn_within(Duration::from_secs(45 * 60)).unwrap();
    assert!(between < 40.0 && between > 40.0 * 50.0 / 60.0, "{between}");
    // beyond the longest lookback its own rate counts, and never fewer errors than a shorter lookback has
    assert!(close(burning(&[(300, 12.0), (3600, 0.5)]).burn_within(Duration::from_secs(3600)), 1.0));
    assert!(close(burning(&[(300, 2.0)]).burn_within(Duration::from_secs(3600)), 2.0));
    assert_eq!(burning(&[]).burn_within(Duration::from_secs(60)), None);
}

#[test]
fn the_forecast_goes_by_the_lookback_nearest_to_an_hour() {
    let pyrra =
        judged(&group(counts(1.0, 10_000.0), &[(900, counts(9.0, 1e3)), (5400, counts(3.0, 1000.0))]));
    let Some(Exhaustion::In(left)) = pyrra.exhaustion else { panic!("{:?}", pyrra.exhaustion) };
    assert!((left.as_secs_f64() - (9 * DAY) as f64).abs() < 1e-3);
    assert_eq!(pyrra.exhaustion, pyrra.exhaustion_at(&rolling(), 3.0, at()));
}

/// Data without gaps for the last `seconds`.
fn young(seconds: u64) -> DataExtent {
    let known = Duration::from_secs(seconds);
    let reaches = [HOUR, 6 * HOUR, DAY, 3 * DAY, 30 * DAY].map(Duration::from_secs);
    DataExtent { known, at_most: false, recent: reaches.map(|reach| (reach, reach.min(known))).to_vec() }
}

/// Errors at 48 times the sustainable rate over every lookback.
fn outage(extent: Option<DataExtent>) -> GroupStatus {
    let error = counts(48.0, 1000.0);
    let recent = [5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY].map(|l| (l, error));
    judged(&GroupReading { extent, ..group(error, &recent) })
}

#[test]
fn a_few_minutes_of_data_spend_no_month_and_page_nobody() {
    for minutes in [2, 10, 50] {
        let group_status = outage(Some(young(minutes * MINUTE)));
        assert_eq!(group_status.state, SloState::Insufficient, "{minutes}");
        assert_eq!((group_status.spent, group_status.exhaustion), (None, None), "{minutes}");
        assert!(group_status.pairs.iter().all(|now| now.holds.is_none()), "{minutes}");
        assert!(group_status.covered.is_some_and(|share| share < 0.002), "{minutes}");
        assert_eq!(group_status.burn(BASIS), None, "{minutes}: an hour of which there are minutes");
    }
    let quiet = group(counts(0.0, 1000.0), &[(300, counts(0.0, 10.0)), (HOUR, counts(0.0, 10.0))]);
    let calm = judged(&GroupReading { extent: Some(young(20 * MINUTE)), ..quiet });
    assert_eq!(calm.state, SloState::Insufficient, "nor is it said to be well");
}

#[test]
fn a_pair_pages_as_soon_as_its_lookbacks_are_covered() {
    let group_status = outage(Some(young(HOUR)));
    assert_eq!((group_status.state, group_status.spent), (SloState::Page, None));
    let holds: Vec<_> = group_status.pairs.iter().map(|now| now.holds).collect();
    assert_eq!(holds, [Some(true), None, None, None]);
    assert!(close(group_status.burn(BASIS), 48.0));
    let old = outage(Some(young(20 * DAY)));
    assert_eq!((old.state, old.pairs.iter().all(|now| now.holds == Some(true))), (SloState::Page, true));
    // without the extent of the lookbacks, the whole lookbacks count
    let unknown = DataExtent { recent: Vec::new(), ..young(MINUTE) };
    assert_eq!(outage(Some(unknown)).state, SloState::Page);
}

#[test]
fn data_that_began_after_a_gap_count_for_what_is_there() {
    // a day of data three weeks ago, and the last ten minutes
    let minutes = |minutes: u64| Duration::from_secs(minutes * MINUTE);
    let recent =
        vec![(minutes(60), minutes(10)), (minutes(360), minutes(10)), (minutes(43_200), minutes(1450))];
    let group_status = outage(Some(DataExtent { known: minutes(1450), at_most: false, recent }));
    assert_eq!((group_status.state, group_status.spent), (SloState::Insufficient, None));
}

#[test]
fn what_is_missing_or_no_number_is_named_with_its_lookback() {
    let (ratio, nan) = (counts(1.0, 10_000.0), MeasuredRatio::Odd(InvalidRatio::Nan));
    let recent = |hour| [(5 * MINUTE, ratio), (HOUR, hour), (6 * HOUR, ratio)];
    let month = Duration::from_secs(30 * DAY);
    let nan_month = judged(&group(nan, &recent(ratio)));
    assert_eq!(
        (nan_month.state, nan_month.doubt),
        (SloState::NoData, Some(MissingReason::Odd(InvalidRatio::Nan, month)))
    );
    // the first paging condition cannot be evaluated
    let nan_hour = judged(&group(ratio, &recent(nan)));
    assert_eq!(
        (nan_hour.state, nan_hour.doubt),
        (SloState::NoData, Some(MissingReason::Odd(InvalidRatio::Nan, BASIS)))
    );
    let no_month = judged(&group(MeasuredRatio::Absent, &recent(ratio)));
    assert_eq!((no_month.state, no_month.doubt), (SloState::NoData, Some(MissingReason::Missing(month))));
    let no_hour = judged(&group(ratio, &recent(MeasuredRatio::Absent)));
    assert_eq!((no_hour.state, no_hour.doubt), (SloState::Fine, Some(MissingReason::Missing(BASIS))));
}

#[test]
fn an_alert_of_a_grouped_slo_tells_of_the_group_whose_labels_it_has() {
    let labelled = |labels: &[(&str, &str)]| GroupReading {
        labels: labels.iter().copied().collect(),
        ..group(counts(0.0, 10.0), &[])
    };
    let groups = [
        &[("region", "eu"), ("tier", "1")][..],
        &[("region", "eu"), ("tier", "2")],
        &[("region", "us"), ("tier", "1")],
        &[("tier", "3")],
    ];
    let reading = reading(rolling(), groups.iter().map(|labels| labelled(labels)).collect());
    let status = SloStatus::of(&reading, &SourceId::new("one"), at());
    for (alert, expected) in [
        (&[("region", "eu"), ("tier", "1"), ("pod", "a")][..], &[0][..]),
        (&[("region", "us"), ("tier", "1")], &[2]),
        (&[("region", "us"), ("tier", "2")], &[]),
        // a rule that aggregates some groups creates alerts that belong to all of them
        (&[("region", "eu")], &[0, 1]),
        (&[("pod", "a")], &[0, 1, 2, 3]),
    ] {
        let alert: Labels = alert.iter().copied().collect();
        let about = |labels: &&[(&str, &str)]| {
            let labels: Labels = labels.iter().copied().collect();
            let group = status.groups.iter().find(|group| group.labels == labels).unwrap();
            status.is_about(group, &alert)
        };
        let reported: Vec<usize> = (0..groups.len()).filter(|at| about(&groups[*at])).collect();
        assert_eq!(reported, expected, "{alert}");
    }
}
