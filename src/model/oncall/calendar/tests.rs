use super::*;
use crate::model::incident::PagerRef;

fn person(name: &str, zone: &str) -> Person {
    Person { id: name.into(), name: name.into(), email: None, zone: (!zone.is_empty()).then(|| zone.into()) }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn shift(level: u32, who: &str, from: &str, until: &str) -> Shift {
    Shift {
        policy: "P".into(),
        level,
        person: person(who, "Europe/Berlin"),
        schedule: Some(PagerRef { id: "S".into(), name: "primary".into(), url: None }),
        start: Some(at(from)),
        end: Some(at(until)),
        is_override: false,
    }
}

fn snapshot(shifts: Vec<Shift>, from: &str, until: &str) -> OnCallSnapshot {
    OnCallSnapshot { shifts, from: at(from), until: at(until), ..OnCallSnapshot::default() }
}

/// Each slot as hours since the start of the day, with the names.
fn slot_texts(day: &CalendarDay) -> Vec<String> {
    let hours = |at: Timestamp| at.duration_since(day.from).as_secs_f64() / 3600.0;
    let names = |cover: &Coverage| match cover {
        Coverage::Unknown => "?".to_owned(),
        Coverage::Nobody => "nobody".to_owned(),
        Coverage::People(turns) => {
            turns.iter().map(|turn| turn.person.name.to_string()).collect::<Vec<_>>().join("+")
        }
    };
    let coverage_slots = day
        .coverage_slots
        .iter()
        .map(|s| format!("{} to {} {}", hours(s.from), hours(s.until), names(&s.cover)));
    coverage_slots.collect()
}

/// A rotation with a handoff every day at 9:00 in the zone.
fn daily(zone: &str, first: Date) -> OnCallSnapshot {
    let zone = TimeZone::get(zone).unwrap();
    let nine = |day: i32| {
        let date = first.checked_add(Span::new().days(day)).unwrap();
        date.at(9, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp()
    };
    let shifts = (-1..4).map(|day| {
        let mut shift =
            shift(1, if day % 2 == 0 { "Ana" } else { "Kofi" }, "2026-01-01T00:00Z", "2026-01-01T00:00Z");
        (shift.start, shift.end) = (Some(nine(day)), Some(nine(day + 1)));
        shift
    });
    OnCallSnapshot { shifts: shifts.collect(), from: nine(-1), until: nine(4), ..OnCallSnapshot::default() }
}

#[test]
fn days_with_a_change_of_the_clock_are_as_long_as_they_are_and_hand_overs_stay_at_their_hour() {
    // the zone, the day of the change, its number of hours, and after how many hours the clock shows 9:00
    for (zone, date, hours, nine) in [
        ("Europe/Berlin", "2026-03-29", 23.0, 8.0),
        ("Europe/Berlin", "2026-10-25", 25.0, 10.0),
        ("America/New_York", "2026-03-08", 23.0, 8.0),
        ("America/New_York", "2026-11-01", 25.0, 10.0),
        ("Australia/Lord_Howe", "2026-04-05", 24.5, 9.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5, 8.5),
        ("Asia/Kathmandu", "2026-03-29", 24.0, 9.0),
    ] {
        let date: Date = date.parse().unwrap();
        let snapshot = daily(zone, date);
        let here = TimeZone::get(zone).unwrap();
        let noon = date.at(12, 0, 0, 0).to_zoned(here.clone()).unwrap().timestamp();
        let days = snapshot.days("P", 1, noon, &here, 3);
        let day = &days[0];
        assert_eq!(day.date, date, "{zone}");
        let length = day.until.duration_since(day.from).as_secs_f64() / 3600.0;
        assert!((length - hours).abs() < 1e-9, "{zone} {date}");
        assert_eq!(
            slot_texts(day),
            [format!("0 to {nine} Kofi"), format!("{nine} to {hours} Ana")],
            "{zone} {date}"
        );
        let hand_over = day.coverage_slots[1].from.to_zoned(here.clone());
        assert_eq!((hand_over.hour(), hand_over.minute()), (9, 0), "{zone} {date}");
        assert!(!day.coverage_slots[0].is_handoff && day.coverage_slots[1].is_handoff);
        for pair in days.windows(2) {
            assert_eq!(pair[0].until, pair[1].from, "no hour is lost between days");
        }
    }
}

#[test]
fn gaps_and_what_is_not_known_are_told_apart() {
    let shifts = vec![shift(1, "Ana", "2026-01-14T00:00Z", "2026-01-14T17:00Z")];
    let snapshot = snapshot(shifts, "2026-01-14T02:00Z", "2026-01-15T12:00Z");
    let days = snapshot.days("P", 1, at("2026-01-14T03:00Z"), &TimeZone::UTC, 2);
    assert_eq!(slot_texts(&days[0]), ["0 to 2 ?", "2 to 17 Ana", "17 to 24 nobody"]);
    assert_eq!(slot_texts(&days[1]), ["0 to 12 nobody", "12 to 24 ?"]);
    let on_call_at = snapshot.on_call_at("P", 1, at("2026-01-14T03:00Z"));
    assert_eq!(on_call_at.next, Some((at("2026-01-14T17:00Z"), Coverage::Nobody)));
    assert_eq!(
        snapshot.on_call_at("P", 1, at("2026-01-14T18:00Z")),
        OnCallAt { now: Coverage::Nobody, next: None }
    );
    assert_eq!(snapshot.on_call_at("P", 1, at("2026-01-20T18:00Z")).now, Coverage::Unknown);
}

#[test]
fn two_by_one_schedule_and_one_at_two_levels_are_double_bookings_two_targets_are_not() {
    let day = ("2026-01-14T00:00Z", "2026-01-15T00:00Z");
    let double = |shifts: Vec<Shift>| {
        snapshot(shifts, day.0, day.1).on_call_at("P", 1, at("2026-01-14T10:00Z")).now.is_double_booked()
    };
    let ana = shift(1, "Ana", day.0, day.1);
    let mut other_schedule = shift(1, "Kofi", day.0, day.1);
    other_schedule.schedule = Some(PagerRef { id: "S2".into(), name: "secondary".into(), url: None });
    assert!(!double(vec![ana.clone()]));
    assert!(!double(vec![ana.clone(), other_schedule]));
    assert!(double(vec![ana.clone(), shift(1, "Kofi", day.0, day.1)]));
    assert!(double(vec![ana.clone(), shift(2, "Ana", day.0, day.1)]));
    assert!(!double(vec![ana, shift(2, "Ana", "2026-01-14T12:00Z", day.1)]), "not at that moment");
}

#[test]
fn a_turn_that_goes_on_in_a_second_shift_is_one_and_an_override_is_told() {
    let mut stands_in = shift(1, "Kofi", "2026-01-14T12:00Z", "2026-01-14T14:00Z");
    stands_in.is_override = true;
    let shifts = vec![
        shift(1, "Ana", "2026-01-14T00:00Z", "2026-01-14T06:00Z"),
        shift(1, "Ana", "2026-01-14T06:00Z", "2026-01-14T12:00Z"),
        stands_in,
        shift(1, "Ana", "2026-01-14T14:00Z", "2026-01-15T00:00Z"),
    ];
    let snapshot = snapshot(shifts, "2026-01-14T00:00Z", "2026-01-15T00:00Z");
    let day = &snapshot.days("P", 1, at("2026-01-14T03:00Z"), &TimeZone::UTC, 1)[0];
    assert_eq!(slot_texts(day), ["0 to 12 Ana", "12 to 14 Kofi", "14 to 24 Ana"]);
    assert!(day.coverage_slots[1].cover.on_duty()[0].is_override);
    let (from, next) = snapshot.on_call_at("P", 1, at("2026-01-14T03:00Z")).next.unwrap();
    assert_eq!((from, &*next.on_duty()[0].person.name), (at("2026-01-14T12:00Z"), "Kofi"));
    assert_eq!(snapshot.shifts_of(&person("Ana", ""), at("2026-01-14T07:00Z")).len(), 2);
}

#[test]
fn nights_are_those_of_the_place_where_a_person_lives() {
    let (from, until) = (at("2026-01-14T00:00Z"), at("2026-01-15T00:00Z"));
    let hours = |zone: &str, from, until| {
        person("Ana", zone).night(from, until).map(|night| night.as_secs_f64() / 3600.0)
    };
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"] {
        assert_eq!(hours(zone, from, until), Some(9.0), "{zone}: any 24 hours have nine of the night");
    }
    // in the night of the change an hour is missing or repeated
    assert_eq!(hours("Europe/Berlin", at("2026-03-28T12:00Z"), at("2026-03-29T12:00Z")), Some(8.0));
    assert_eq!(hours("Europe/Berlin", at("2026-10-24T12:00Z"), at("2026-10-25T12:00Z")), Some(10.0));
    assert_eq!(hours("Australia/Lord_Howe", at("2026-04-04T03:00Z"), at("2026-04-05T03:00Z")), Some(9.5));
    assert_eq!(hours("America/New_York", at("2026-01-14T12:00Z"), at("2026-01-14T20:00Z")), Some(0.0));
    assert_eq!((hours("", from, until), hours("Mars/Olympus", from, until)), (None, None));
    let berlin = person("Ana", "Europe/Berlin");
    assert_eq!(berlin.is_at_night(at("2026-01-14T21:00Z")), Some(true));
    assert_eq!(berlin.is_at_night(at("2026-01-14T06:00Z")), Some(false));
}
