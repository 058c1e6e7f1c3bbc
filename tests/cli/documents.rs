//! Handoff and postmortem.

use super::*;

#[test]
fn a_hand_over_and_a_review_are_markdown_with_what_is_known() {
    let home = Home::new();
    let demo = ["--demo", "--at", "12", "--seed", "7", "--utc"];
    let run = |words: &[&str]| home.run(&[&demo[..], words].concat());
    let handed = run(&["handoff", "--since", "8h"]);
    assert_eq!(handed.status.code(), Some(0), "{}", complaint(&handed));
    let text = out(&handed);
    for part in [
        "# Handoff: demo, Wed",
        "## Incidents",
        "| triggered | P1 |",
        "## Error budgets",
        "## Alerts",
        "## Silences",
        "## Actions taken",
        "## On call",
        "MTTA",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let incidents: Value = serde_json::from_str(&out(&run(&["incidents", "--all", "-o", "json"]))).unwrap();
    let over =
        incidents["incidents"].as_array().unwrap().iter().find(|i| i["service"] == "payments").unwrap();
    let number = over["number"].to_string();
    for name in [number.as_str(), over["id"].as_str().unwrap()] {
        let review = run(&["postmortem", name]);
        assert_eq!(review.status.code(), Some(0));
        let text = out(&review);
        for part in [
            "# Postmortem: ",
            "| Detected | about ",
            "| Acknowledged | after ",
            "| payments: availability | ",
            "error ratio, prom-eu",
            "PaymentsErrorBudgetBurn fired for",
            "## Similar past incidents",
            "## Action items",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
    let unknown = run(&["postmortem", "nobody-knows"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(complaint(&unknown).contains("burnwatch incidents --all"));
}

#[test]
fn a_review_of_an_alert_or_a_service_without_an_incident_has_its_time_its_charts_and_its_changes() {
    let home = Home::new();
    let run = |words: &[&str]| {
        let output =
            home.run(&[&["postmortem", "--demo", "--at", "9", "--seed", "7", "--utc"], words].concat());
        (out(&output), complaint(&output), output.status.code())
    };
    // an alert that fires, and the service of it
    for (name, title) in [("KafkaBrokerDiskSlow", "KafkaBrokerDiskSlow"), ("kafka", "kafka")] {
        let (text, complaint, code) = run(&[name]);
        assert_eq!(code, Some(0), "{name}: {complaint}");
        for part in [
            &*format!("# Postmortem: {title}\n"),
            "| Service | kafka |",
            "| Incident | none of a paging system |",
            "| Ended | not yet, for ",
            "error ratio, prom-eu",
            "KafkaBrokerDiskSlow firing, for ",
            "## Changes",
            "## Action items",
        ] {
            assert!(text.contains(part), "{name}: {part} is missing:\n{text}");
        }
    }
    // what is over has no firing alert: its time is given
    let (text, complaint, code) = run(&["payments", "--since", "30m", "--until", "5m"]);
    assert_eq!(code, Some(0), "{complaint}");
    for part in [
        "| Ended | after 25m ",
        "| Detected | not measured |",
        "HighErrorRatio fired for",
        "rolled back 4.19.0",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    assert!(!text.contains("## People"), "{text}");
    for (words, reason) in [
        (&["catalog"][..], "no alert of such a service fires"),
        (&["nobody", "--since", "1h"], "no source has a service \"nobody\""),
        (&["payments", "--since", "5m", "--until", "30m"], "--until must be shorter ago than --since"),
        (&["payments", "--until", "30m"], "--since"),
    ] {
        let (text, complaint, code) = run(words);
        assert_eq!((code, text.as_str()), (Some(2), ""), "{words:?}");
        assert!(complaint.contains(reason), "{words:?}: {complaint}");
    }
}
