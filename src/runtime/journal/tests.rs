use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;
use tokio::runtime::Builder;

use super::*;
use crate::model::action::{Action, ActionResult, ActionTarget, Operation, RequestPreview};
use crate::model::journal::JournalStep;
use crate::model::source::SourceId;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn entry(act: &str, name: &str, step: JournalStep) -> JournalEntry {
    let target = ActionTarget { id: "Q1".into(), name: name.into(), seen: None };
    let action = Action { source: SourceId::new("pager"), target, operation: Operation::Acknowledge };
    JournalEntry {
        at: at(0),
        act: act.into(),
        who: "ana@bastion".into(),
        context: "prod".into(),
        action,
        step,
    }
}

fn confirmed(act: &str, name: &str) -> JournalEntry {
    entry(act, name, JournalStep::Confirmed { nth: 1, of: 1 })
}

fn journal(folder: &Path) -> Journal {
    Journal::new(Some(folder.join("state/burnwatch/journal.jsonl")), "ana@bastion", at(0))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn it_is_made_with_its_folder_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    assert_eq!(wait(journal.read()).unwrap(), JournalContents::default());
    assert!(!journal.path.as_deref().unwrap().exists(), "reading makes nothing");
    wait(journal.write(vec![confirmed("a", "#1")])).unwrap();
    let path = journal.path.as_deref().unwrap();
    assert_eq!((mode(path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_torn_line_is_kept_and_the_next_one_stands_on_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let path = journal.path.as_deref().unwrap();
    wait(journal.write(vec![confirmed("a", "#1"), confirmed("b", "#2")])).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let torn = text.get(..text.len() - 20).unwrap();
    std::fs::write(path, torn).unwrap();
    let reported = wait(journal.read()).unwrap();
    assert_eq!((reported.records.len(), reported.unreadable), (1, 1));
    wait(journal.write(vec![confirmed("c", "#3")])).unwrap();
    let reported = wait(journal.read()).unwrap();
    let acts: Vec<_> = reported.records.iter().map(|record| &*record.act).collect();
    assert_eq!((acts, reported.unreadable), (vec!["a", "c"], 1));
    assert!(std::fs::read_to_string(path).unwrap().starts_with(torn));
}

#[test]
fn what_is_no_entry_is_counted_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    wait(journal.write(vec![confirmed("a", "#1")])).unwrap();
    let path = journal.path.as_deref().unwrap();
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(b"{\"at\":1}\n\n\xff\xfe\n").unwrap();
    file.write_all(&vec![b'x'; usize::try_from(MAX_LINE).unwrap() * 2 + 7]).unwrap();
    file.write_all(b"\n").unwrap();
    wait(journal.write(vec![confirmed("b", "#2")])).unwrap();
    let reported = wait(journal.read()).unwrap();
    assert_eq!((reported.records.len(), reported.unreadable), (2, 3));
}

#[test]
fn where_nothing_can_be_written_it_says_so() {
    let nowhere = Journal::new(None, "ana", at(0));
    assert!(matches!(wait(nowhere.write(vec![])), Err(JournalError::NoPlace)));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file where a folder must be").unwrap();
    let error = wait(journal(folder.path()).write(vec![confirmed("a", "#1")])).unwrap_err();
    assert!(error.to_string().contains("journal.jsonl"), "{error}");
    let full = Journal::new(Some("/dev/full".into()), "ana", at(0));
    assert!(wait(full.write(vec![confirmed("a", "#1")])).is_err());
}

#[test]
fn who_acts_is_told_as_the_machine_knows_them() {
    let who_is = |user: &str| who(|name| (name == "LOGNAME").then(|| user.to_owned()));
    assert!(who_is("ana").starts_with("ana@") && who_is("ana").len() > 4, "{}", who_is("ana"));
    assert!(who_is("").starts_with("somebody@"));
    assert!(!who_is("a\x1b[31m").contains('\x1b'));
}

#[test]
fn names_of_actions_are_unique_over_runs() {
    let names: std::collections::BTreeSet<Text> = (0..50)
        .map(|_| Journal::new(None, "ana", at(0)))
        .flat_map(|journal| [journal.name(), journal.clone().name(), journal.name()])
        .collect();
    assert_eq!(names.len(), 150);
}

#[test]
fn what_was_written_into_it_is_read_as_it_is() {
    let reported = entry("a\u{9b}2J", "\x1b]0;x\x07 pay\u{200b}ments", confirmed("a", "#").step);
    let read = JournalEntry::read(&serde_json::to_vec(&reported).unwrap()).unwrap();
    assert_eq!((&*read.act, &*read.action.target.name), ("a\u{9b}2J", "\x1b]0;x\x07 pay\u{200b}ments"));
}

#[test]
fn while_somebody_acts_the_journal_is_busy_and_afterwards_not() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (journal(folder.path()), journal(folder.path()));
    let turns = wait(async { (one.acting_marker().await.unwrap(), other.acting_marker().await.unwrap()) });
    assert!(wait(one.read_with_lock_state()).unwrap().1);
    drop(turns.0);
    assert!(wait(one.read_with_lock_state()).unwrap().1);
    drop(turns.1);
    assert!(!wait(one.read_with_lock_state()).unwrap().1);
}

/// Any text, also with control characters.
fn words() -> impl Strategy<Value = Text> {
    any::<String>().prop_map(Text::from)
}

fn steps() -> impl Strategy<Value = JournalStep> {
    let call =
        |body: Text| RequestPreview { method: "PUT".into(), address: "http://a".into(), body: Some(body) };
    prop_oneof![
        (any::<u16>(), any::<u16>())
            .prop_map(|(nth, of)| JournalStep::Confirmed { nth: nth.into(), of: of.into() }),
        words().prop_map(move |body| JournalStep::Sending { calls: vec![call(body)] }),
        words().prop_map(|words| JournalStep::ReadingBack { words }),
        (words(), any::<bool>()).prop_map(|(words, read_back)| JournalStep::Ended {
            how: ActionResult::Unknown { words },
            read_back
        }),
        proptest::option::of(words())
            .prop_map(|id| JournalStep::Ended { how: ActionResult::Done { id }, read_back: false }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_written_reads_back_and_is_a_line_each(
        all in proptest::collection::vec((words(), steps()), 1..8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let all: Vec<JournalEntry> = all.into_iter().map(|(name, step)| entry("a", &name, step)).collect();
        for entry in &all {
            wait(journal.write(vec![entry.clone()])).unwrap();
        }
        let file = BufReader::new(File::open(journal.path.as_deref().unwrap()).unwrap());
        let mut lines = JournalLines { reader: file, unreadable: 0, failed: None };
        prop_assert_eq!((&mut lines).collect::<Vec<_>>(), all);
        prop_assert_eq!(lines.unreadable, 0);
    }
}
