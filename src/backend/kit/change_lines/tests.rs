use proptest::prelude::*;
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn read_line(line: &str) -> Result<Change, BadLine> {
    read(line.as_bytes(), &SourceId::new("file"), now())
}

#[test]
fn every_way_to_write_the_time_gives_the_same_moment() {
    for time in [
        json!("2026-03-01T11:59:00Z"),
        json!("2026-03-01T12:59:00+01:00"),
        json!("2026-03-01 11:59:00 UTC"),
        json!("2026-03-01 12:59:00 +0100"),
        json!("2026-03-01 12:59:00+01:00"),
        json!("Sun, 01 Mar 2026 11:59:00 +0000"),
        json!(1_772_366_340),
        json!("1772366340"),
        json!(1_772_366_340.0),
        json!(1_772_366_340_000_i64),
        json!(1_772_366_340_000_000_i64),
        json!(1_772_366_340_000_000_000_i64),
    ] {
        let change = read_line(&json!({"time": time, "title": "x"}).to_string()).unwrap();
        assert_eq!(change.at.to_string(), "2026-03-01T11:59:00Z", "{time}");
    }
}

#[test]
fn the_fields_have_the_names_that_tools_give_them() {
    let line = r#"{"ts": 1772366340, "msg": "4.18.2 -> 4.19.0", "app": "pay", "type": "deployment", "user": "ana", "from": "4.18.2",
        "to": "4.19.0", "link": "https://ci/1", "id": 71, "status": "in_progress", "region": "eu", "note": null, "tags": ["a"], "canary": true}"#;
    let change = read_line(&line.replace('\n', " ")).unwrap();
    assert_eq!((change.kind, change.state), (ChangeKind::Deploy, ChangeState::Running));
    let texts = [&change.service, &change.from, &change.to, &change.who, &change.link, &change.id];
    let texts: Vec<&str> = texts.into_iter().flatten().map(|text| &**text).collect();
    assert_eq!(texts, ["pay", "4.18.2", "4.19.0", "ana", "https://ci/1", "71"]);
    assert_eq!(change.labels, Labels::from_iter([("region", "eu"), ("canary", "true")]));
    assert_eq!(&*change.title, "4.18.2 -> 4.19.0");
}

#[test]
fn the_time_of_the_commit_is_read_unless_it_is_after_the_change() {
    let made = |field: &str, value: serde_json::Value| {
        let line = json!({"time": 1_772_366_340, "kind": "deploy", "to": "2", field: value}).to_string();
        let change = read_line(&line).unwrap();
        assert_eq!(change.labels, Labels::default(), "{field} is no label");
        change.made_at.map(Timestamp::as_second)
    };
    for field in ["committed_at", "commit_time", "merged_at", "made_at"] {
        assert_eq!(made(field, json!("2026-03-01T10:59:00Z")), Some(1_772_362_740), "{field}");
    }
    assert_eq!(made("committed_at", json!(1_772_366_341)), None);
    assert_eq!(made("committed_at", json!(0)), None);
    assert_eq!(made("committed_at", json!("yesterday")), None);
}

#[test]
fn a_title_is_made_of_the_rest() {
    for (line, title) in [
        (json!({"time": 1_772_366_340, "kind": "deploy", "from": "1", "to": "2"}), "1 -> 2"),
        (json!({"time": 1_772_366_340, "kind": "rollback", "to": "1"}), "rolled back -> 1"),
        (json!({"time": 1_772_366_340, "kind": "flag", "from": "bulk=0", "to": "bulk=1"}), "flag bulk on"),
        (json!({"time": 1_772_366_340, "kind": "flag", "flag": "beta", "to": "off"}), "flag beta off"),
        (json!({"time": 1_772_366_340, "kind": "terraform"}), "changed"),
    ] {
        assert_eq!(&*read_line(&line.to_string()).unwrap().title, title, "{line}");
    }
}

#[test]
fn bad_lines_are_counted_and_said_and_the_others_are_read() {
    let mut bad = BadLines::default();
    let long = format!(r#"{{"time": 1, "title": "{}"}}"#, "x".repeat(MAX_LINE));
    let lines = [
        r#"{"time": "2026-03-01T11:00:00Z", "title": "good"}"#,
        "",
        "oops",
        "[1]",
        r#"{"title": "when?"}"#,
        r#"{"time": "soon", "title": "x"}"#,
        r#"{"time": 0, "title": "x"}"#,
        r#"{"time": "2026-03-01T13:00:00Z", "title": "x"}"#,
        r#"{"time": "2026-03-01T11:00:00Z"}"#,
        r#"{"time": 1e300, "title": "x"}"#,
        &long,
    ];
    let changes = read_all(lines.map(str::as_bytes), &SourceId::new("file"), now(), &mut bad);
    assert_eq!((changes.len(), bad.count()), (1, 9));
    let said = bad.warning().unwrap().text;
    for words in [
        "2 lines not a JSON object (the last: \"[1]\")",
        "3 lines without a time",
        "1 line with a time before 2000",
        "1 line with a time in the future",
        "1 line longer than 1 MiB",
        "1 line without title",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.len() < 1000, "{said}");
    assert_eq!(BadLines::default().warning(), None);
}

#[test]
fn texts_are_kept_as_they_are_but_not_without_end() {
    let evil = json!({"time": 1_772_366_340, "title": "\u{1b}[31mred\n", "service": "a\u{202e}b", "x": "y".repeat(9000)});
    let change = read_line(&evil.to_string()).unwrap();
    assert_eq!((&*change.title, change.service.as_deref()), ("\u{1b}[31mred", Some("a\u{202e}b")));
    assert_eq!(change.labels.value("x").chars().count(), MAX_VALUE + 1);
}

proptest! {
    #[test]
    fn no_line_is_fatal(line in ".{0,200}", time in any::<f64>(), title in any::<String>()) {
        drop(read_line(&line));
        let line = json!({"time": time, "title": title}).to_string();
        if let Ok(change) = read_line(&line) {
            prop_assert!(change.at.as_second() >= EARLIEST && change.at <= now() + FUTURE);
        }
    }
}
