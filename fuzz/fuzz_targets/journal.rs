//! Lines of the journal, and the screen that shows them.
#![no_main]

use burnwatch::testing::app::event::Event;
use burnwatch::testing::model::journal::{JournalEntry, records};
use burnwatch_fuzz::Stage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let entries: Vec<JournalEntry> =
        input.split(|byte| *byte == b'\n').filter_map(|line| JournalEntry::read(line)).collect();
    if entries.is_empty() {
        return;
    }
    for entry in &entries {
        let line = serde_json::to_vec(entry).expect("an entry can be written");
        assert_eq!(JournalEntry::read(&line).as_ref(), Some(entry));
    }
    let records = records(entries);
    let mut stage = Stage::new(vec!["text".into()], Vec::new(), (100, 30));
    stage.send(Event::JournalRead(records));
    for key in ["A", "enter", "esc", "7"] {
        stage.press(key);
        stage.check();
    }
});
