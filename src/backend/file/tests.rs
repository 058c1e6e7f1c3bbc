use std::fs;
use std::io::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::backend::Source;

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn line(n: usize) -> String {
    format!("{{\"time\": {}, \"title\": \"change {n}\"}}\n", 1_772_300_000 + n)
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn titles(followed: &FollowedFile) -> Vec<String> {
    followed.changes.iter().map(|change| change.title.trim_start_matches("change ").to_owned()).collect()
}

fn follow(path: &Path, max_bytes: u64) -> FollowedFile {
    FollowedFile::new(path.to_owned(), SourceId::new("file"), max_bytes)
}

#[test]
fn what_is_appended_is_read_and_a_line_without_its_end_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let mut followed = follow(&path, 1 << 20);
    assert_eq!(followed.update(now()).unwrap_err(), "does not exist");
    append(&path, &line(1));
    followed.update(now()).unwrap();
    let second = line(2);
    let (begin, rest) = second.split_at(9);
    append(&path, begin);
    followed.update(now()).unwrap();
    assert_eq!(titles(&followed), ["1"]);
    append(&path, &format!("{rest}oops\n"));
    followed.update(now()).unwrap();
    assert_eq!(
        (titles(&followed), followed.bad.count(), followed.lines),
        (vec!["1".into(), "2".into()], 1, 3)
    );
    assert_eq!(followed.complete_since, None);
}

#[test]
fn rotation_and_truncation_lose_and_repeat_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let mut followed = follow(&path, 1 << 20);
    append(&path, &line(1));
    followed.update(now()).unwrap();
    // renamed after another line, as logrotate does
    append(&path, &line(2));
    fs::rename(&path, folder.path().join("changes.jsonl.1")).unwrap();
    let gone = followed.update(now()).unwrap().unwrap();
    assert!(gone.text.contains("removed") && gone.is_missing_data());
    append(&path, &line(3));
    assert_eq!(followed.update(now()).unwrap(), None);
    assert_eq!(titles(&followed), ["1", "2", "3"]);
    // truncated and written anew, as copytruncate does
    fs::write(&path, "").unwrap();
    followed.update(now()).unwrap();
    append(&path, &line(4));
    followed.update(now()).unwrap();
    assert_eq!(titles(&followed), ["1", "2", "3", "4"]);
}

#[test]
fn of_a_huge_file_the_end_is_read_and_from_when_on_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let all: String = (0..20_000).map(line).collect();
    append(&path, &all);
    let mut followed = follow(&path, 40_000);
    followed.update(now()).unwrap();
    let read = titles(&followed);
    assert!((600..1100).contains(&read.len()) && read.last().unwrap() == "19999", "{}", read.len());
    assert_eq!(followed.bad.count(), 0, "the cut line counts as none");
    assert_eq!(followed.complete_since, followed.changes.front().map(|change| change.at));
    // a huge line is one bad line, and what follows is read
    append(&path, &format!("{{\"title\": \"{}\"}}\n{}", "x".repeat(1_200_000), line(1)));
    let mut followed = follow(&path, 4_000_000);
    followed.update(now()).unwrap();
    assert_eq!((followed.bad.count(), titles(&followed).last().unwrap().as_str()), (1, "1"));
    assert_eq!(followed.changes.len(), ChangeSnapshot::MAX_CHANGES);
}

#[tokio::test]
async fn a_file_answers_with_changes_and_says_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("changes.jsonl");
    let text = format!("[sources.f]\nkind = \"file\"\npath = {:?}\n", path.display().to_string());
    let known = crate::config::KnownNames { kinds: &super::super::KINDS, ..Default::default() };
    let settings = crate::config::load::parse("config.toml", &text, &known).unwrap();
    let deps = SourceDeps::new(&settings, Clock::fixed(now()));
    let source = ChangeFile::new(&SourceId::new("f"), &settings.sources["f"], deps).unwrap();
    let ask =
        crate::model::ask::Query::Changes { since: now().checked_sub(Duration::from_secs(3600)).unwrap() }
            .now();
    let error = source.answer(&ask, None).await.unwrap_err().to_string();
    assert!(error.starts_with("f: ") && error.ends_with("changes.jsonl does not exist"), "{error}");
    append(&path, &format!("{}{{}}\n", line(60_000)));
    let reply = source.answer(&ask, None).await.unwrap();
    let Answer::Changes(snapshot) = reply.answer else { panic!("no changes") };
    assert_eq!((snapshot.changes.len(), snapshot.until, snapshot.since == snapshot.wanted), (1, now(), true));
    assert!(reply.warnings[0].text.contains("1 line without a time"), "{:?}", reply.warnings);
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut followed = follow(&fifo, 4096);
    assert_eq!(followed.update(now()).unwrap_err(), "is a FIFO, not a file");
}

proptest! {
    #[test]
    fn however_the_file_grows_each_line_is_read_once(
        cuts in prop::collection::vec(1..80_usize, 1..40), rotate_at in 0..40_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("changes.jsonl");
        append(&path, "");
        let mut followed = follow(&path, 1 << 20);
        let all: String = (0..30).map(line).collect();
        let (mut rest, mut at) = (all.as_str(), 0);
        for cut in cuts {
            let (part, later) = rest.split_at(cut.min(rest.len()));
            append(&path, part);
            rest = later;
            followed.update(now()).unwrap();
            at += 1;
            if at == rotate_at && all.strip_suffix(rest).is_some_and(|read| read.ends_with('\n')) {
                fs::rename(&path, folder.path().join("old")).unwrap();
                append(&path, "");
            }
        }
        append(&path, rest);
        followed.update(now()).unwrap();
        let expected: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        prop_assert_eq!(titles(&followed), expected);
        prop_assert!(followed.bad.is_empty());
    }
}
