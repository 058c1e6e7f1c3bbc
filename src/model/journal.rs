//! What burnwatch did to the systems outside, step by step: one line of JSON each, written before and after.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, ActionResult, RequestPreview};
use super::labels::Text;

/// One line of the journal. All lines of one action have the same `act`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub at: Timestamp,
    /// Names the action: unique over all runs.
    pub act: Text,
    /// Who sat at the keyboard, as the machine knows them: `ana@bastion-2`.
    pub who: Text,
    pub context: Text,
    pub action: Action,
    pub step: JournalStep,
}

impl JournalEntry {
    /// Reads a line; nothing if it is none. Whoever can write to the file could have put anything there: its texts are as
    /// those of any source.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum JournalStep {
    /// Confirmed by the person; nothing was sent yet.
    Confirmed {
        /// Which of how many: 1-based.
        nth: usize,
        of: usize,
    },
    /// About to be sent: if no line comes after this one, nobody knows whether it was done.
    Sending {
        /// The calls.
        calls: Vec<RequestPreview>,
    },
    /// Sent, no sure answer: about to be read back.
    ReadingBack { words: Text },
    Ended {
        #[serde(flatten)]
        how: ActionResult,
        /// Whether this was found by reading back.
        #[serde(default)]
        read_back: bool,
    },
}

/// An action as its lines in the journal tell it, the last word counting.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRecord {
    pub act: Text,
    /// When it was confirmed, or first written of.
    pub begun_at: Timestamp,
    pub at: Timestamp,
    pub who: Text,
    pub context: Text,
    pub action: Action,
    pub sent_at: Option<Timestamp>,
    /// What went out then.
    pub calls: Vec<RequestPreview>,
    /// How it ended; none: nothing was written of that.
    pub ending: Option<ActionResult>,
    /// Whether that was found by reading back.
    pub read_back: bool,
}

impl ActionRecord {
    /// Whether it went out and nobody knows how it ended.
    pub fn is_open(&self) -> bool {
        self.sent_at.is_some() && matches!(self.ending, None | Some(ActionResult::Unknown { .. }))
    }
}

/// The actions that these lines tell of, in the order in which they began.
pub fn records(entries: impl IntoIterator<Item = JournalEntry>) -> Vec<ActionRecord> {
    let mut records: Vec<ActionRecord> = Vec::new();
    let mut places: std::collections::HashMap<Text, usize> = std::collections::HashMap::new();
    for entry in entries {
        let at = *places.entry(Text::clone(&entry.act)).or_insert_with(|| {
            records.push(ActionRecord {
                act: Text::clone(&entry.act),
                begun_at: entry.at,
                at: entry.at,
                who: Text::clone(&entry.who),
                context: Text::clone(&entry.context),
                action: entry.action.clone(),
                sent_at: None,
                calls: Vec::new(),
                ending: None,
                read_back: false,
            });
            records.len() - 1
        });
        let Some(record) = records.get_mut(at) else { continue };
        record.at = entry.at;
        match entry.step {
            JournalStep::Confirmed { .. } | JournalStep::ReadingBack { .. } => {}
            // once more, after a wait that the source asked for: what was written before it counts no more
            JournalStep::Sending { calls } => {
                (record.sent_at, record.ending, record.calls) = (Some(entry.at), None, calls);
            }
            JournalStep::Ended { how, read_back } => {
                (record.ending, record.read_back) = (Some(how), read_back)
            }
        }
    }
    records
}
