//! The keys of actions on incidents, wherever an incident is shown.

use super::*;

/// The keys of actions on incidents, each with a text of the dialog, form or menu that it opens.
const ON_INCIDENTS: [(&str, &str); 5] = [
    ("a", "Acknowledge"),
    ("n", "note"),
    ("e", "escalate or reassign to"),
    ("z", "Snooze for"),
    ("R", "Resolve"),
];

#[test]
fn wherever_an_incident_is_shown_the_keys_of_actions_are_about_it() {
    // the alert page and its incident panel, the service page, Overview, Services, and the timeline
    let ways: [&[&str]; 6] = [
        &["4", "enter"],
        &["4", "enter", "tab", "tab"],
        &["2", "enter"],
        &["1"],
        &["2"],
        &["7", "/", "k", "i", "n", "d", "=", "p", "a", "g", "e", "enter"],
    ];
    for way in ways {
        for (key, words) in ON_INCIDENTS {
            let mut stage = Stage::demo((120, 36), 1.5);
            stage.press(way);
            stage.press(&[key]);
            let picture = stage.picture();
            assert!(picture.contains(words) && !picture.contains("instead"), "{way:?} {key}: {picture}");
            assert!(!matches!(stage.state().mode, Mode::Browse), "{way:?} {key}: {picture}");
        }
    }
}

#[test]
fn an_alert_that_no_incident_knows_leads_to_that_of_its_service_and_to_a_silence_only_without_one() {
    let at = |name: &str, key: &str| {
        let mut stage = stage();
        stage.press(&["4", "/"]);
        type_in(&mut stage, name);
        stage.press(&["enter", key]);
        stage
    };
    for (key, words) in ON_INCIDENTS {
        let mut stage = at("CartBurns", key);
        let picture = stage.picture();
        assert!(picture.contains("Open incidents of its service") && picture.contains("#3"), "{picture}");
        assert!(!picture.contains("ilence for"), "{picture}");
        stage.press(&["enter"]);
        let picture = stage.picture();
        assert!(picture.contains(words) || key == "a" && picture.contains("already"), "{key}: {picture}");
    }
    assert!(at("SearchBurns", "a").picture().contains("Silence the alert instead"));
}
