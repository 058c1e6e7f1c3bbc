//! What is chosen or written before an action: persons, notes, times, silences, shifts.

use super::*;

#[test]
fn whom_an_escalation_wakes_is_said_with_names() {
    let mut stage = stage();
    stage.press(&["5", "e"]);
    let picture = stage.picture();
    assert!(picture.contains("Level 2 of Shop: Jörg Müller"), "{picture}");
    assert!(picture.contains("Person: Ana Lima (you)"), "{picture}");
    assert!(picture.contains("Policy: Data, pages Kofi Mensah"), "{picture}");
    stage.press(&["2"]);
    let picture = stage.picture();
    assert!(picture.contains("Pages Jörg Müller") && picture.contains("level 2 of Shop"), "{picture}");
    stage.press(&["enter"]);
    assert!(stage.acts().is_empty() && stage.picture().contains("press y to confirm"), "{}", stage.picture());
    stage.press(&["y"]);
    assert_eq!(last(&stage)[0].operation, Operation::Escalate { level: 2 });
}

#[test]
fn a_note_is_written_confirmed_and_sent_as_it_was_written() {
    let mut stage = stage();
    stage.press(&["5", "n", "enter"]);
    assert!(stage.picture().contains("note is missing"), "{}", stage.picture());
    type_in(&mut stage, "rolled back ");
    stage.send(Event::Pasted("to\nv41".to_owned()));
    stage.press(&["enter"]);
    // typing on after Enter returns from the confirm dialog to the form with the text so far
    type_in(&mut stage, "<3");
    assert!(stage.acts().is_empty() && matches!(stage.state().mode, Mode::Form(_)));
    assert!(stage.picture().contains("rolled back to v413"), "{}", stage.picture());
    stage.press(&["backspace", "enter", "enter"]);
    assert_eq!(last(&stage)[0].operation, Operation::Note { content: "rolled back to v41".into() });
    stage.press(&["n"]);
    stage.send(Event::Pasted("ü".repeat(5000)));
    stage.press(&["enter", "enter"]);
    let Operation::Note { content } = &last(&stage)[0].operation else { panic!("no note") };
    assert_eq!(content.chars().count(), 2000);
}

#[test]
fn a_rest_until_morning_ends_at_eight() {
    let mut stage = stage();
    stage.press(&["5", "z", "6", "y"]);
    let Operation::Snooze { rest } = &last(&stage)[0].operation else { panic!("no rest") };
    assert_eq!((Stage::start() + *rest).to_string(), "2026-01-14T08:00:00Z");
}

#[test]
fn silencing_shows_what_it_hides_and_asks_for_the_name_where_that_is_much() {
    let mut stage = stage();
    stage.press(&["4", "s"]);
    let picture = stage.picture();
    assert!(picture.contains("Affects 1 of 3 alerts (33%): exactly the selected ones"), "{picture}");
    stage.press(&["shift-tab", "shift-tab", "ctrl-u"]);
    assert!(stage.picture().contains("at least one matcher is needed"), "{}", stage.picture());
    type_in(&mut stage, "severity=");
    assert!(stage.picture().contains("match the empty string"), "{}", stage.picture());
    type_in(&mut stage, "page");
    assert!(stage.picture().contains("2 of them not selected"), "{}", stage.picture());
    stage.press(&["tab", "+", "tab", "tab", "enter"]);
    let picture = stage.picture();
    assert!(picture.contains("Type demo and press Enter"), "{picture}");
    assert!(picture.contains("3 of all 3 alerts would be silenced"), "{picture}");
    stage.press(&["enter", "y"]);
    assert!(stage.acts().is_empty());
    stage.press(&["backspace"]);
    type_in(&mut stage, "demo");
    stage.press(&["enter"]);
    let Operation::Silence { draft } = &last(&stage)[0].operation else { panic!("no silence") };
    assert_eq!(draft.matchers.iter().map(ToString::to_string).collect::<Vec<_>>(), [r#"severity="page""#]);
    assert_eq!((&*draft.created_by, &*draft.comment), ("ana", "#1"));
    assert_eq!(draft.ends_at, Stage::start() + SignedDuration::from_hours(4));
    assert!(stage.state().shared.world.alerts().iter().all(|alert| alert.state == AlertState::Silenced));
    end(&mut stage, 0, refused());
    assert!(stage.state().shared.world.alerts().iter().all(|alert| alert.state == AlertState::Firing));
}

#[test]
fn acknowledging_an_alert_acknowledges_its_incident_or_offers_a_short_silence() {
    let mut stage = stage();
    stage.press(&["4", "a"]);
    assert!(stage.picture().contains("Acknowledge 1 incident"), "{}", stage.picture());
    stage.press(&["esc", "down", "down", "a"]);
    assert!(stage.picture().contains("No open incident for this alert"), "{}", stage.picture());
    stage.press(&["1"]);
    assert!(stage.picture().contains("15m"), "{}", stage.picture());
    assert!(stage.acts().is_empty());
}

#[test]
fn the_alerts_of_an_incident_are_silenced_from_it() {
    let mut stage = stage();
    stage.press(&["5", "s"]);
    let picture = stage.picture();
    assert!(picture.contains("Silence 1 alert at pager") && picture.contains("CheckoutBurns"), "{picture}");
}

#[test]
fn a_shift_is_taken_from_who_has_it() {
    let mut stage = stage();
    stage.press(&["6", "x"]);
    let picture = stage.picture();
    assert!(picture.contains("Take the shift"), "{picture}");
    // the user's own policies come first: there the user is on call already
    assert!(picture.contains("you already have this shift"), "{picture}");
    stage.press(&["esc", "down", "x", "1"]);
    let picture = stage.picture();
    assert!(picture.contains("To its end"), "{picture}");
    stage.press(&["1"]);
    assert!(stage.picture().contains("Take the shift of Primary"), "{}", stage.picture());
    stage.press(&["enter"]);
    let Operation::TakeShift { person, start, .. } = &last(&stage)[0].operation else { panic!("no shift") };
    assert_eq!((&*person.name, *start), ("Ana Lima", Stage::start()));
}

#[test]
fn silences_are_extended_and_expired_from_their_list() {
    let mut stage = stage();
    stage.press(&["Z"]);
    let picture = stage.picture();
    assert!(picture.contains("12m!") && picture.contains("1 ends within 1h"), "{picture}");
    stage.press(&["x", "1", "2", "enter"]);
    let Operation::Extend { until } = &last(&stage)[0].operation else { panic!("not extended") };
    assert_eq!(*until, Stage::start() + SignedDuration::from_mins(72));
    assert!(stage.picture().contains("1h12m"), "{}", stage.picture());
    end(&mut stage, 0, done());
    stage.press(&["x", "2", "enter"]);
    assert_eq!(last(&stage)[0].operation, Operation::Expire);
    stage.press(&["enter"]);
    assert_eq!(stage.state().place(), &Place::Alerts);
    assert!(stage.state().screens.alerts.shows_hidden);
}
