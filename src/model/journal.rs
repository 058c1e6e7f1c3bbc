//! The journal of actions on external systems: one JSON line per step, written before and after each request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::action::{Action, ActionResult, RequestPreview};
use super::labels::Text;

/// One line of the journal. All lines of an action have the same `act`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub at: Timestamp,
    /// The id of the action, unique over all runs.
    pub act: Text,
    /// The local user, from the operating system: `ana@bastion-2`.
    pub who: Text,
    /// The context's name.
    pub context: Text,
    pub action: Action,
    pub step: JournalStep,
}

impl JournalEntry {
    /// Parses a line; `None` if it is invalid. Other programs can write to the file, so its texts are as untrusted as
    /// those of any source.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
pub enum JournalStep {
    /// Confirmed by the user; nothing was sent yet.
    Confirmed {
        /// The 1-based index of the action in its plan.
        nth: usize,
        /// The number of actions in the plan.
        of: usize,
    },
    /// About to be sent: without a later line it is unknown whether it was done.
    Sending { calls: Vec<RequestPreview> },
    /// Sent, but the response was unclear: about to be read back.
    ReadingBack { words: Text },
    Ended {
        /// The result.
        #[serde(flatten)]
        how: ActionResult,
        /// Whether the result was found by reading back.
        #[serde(default)]
        read_back: bool,
    },
}

/// An action as reconstructed from its journal lines; the last line counts.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionRecord {
    /// The id of the action.
    pub act: Text,
    /// When it was confirmed, or its first line was written.
    pub begun_at: Timestamp,
    /// When its last line was written.
    pub at: Timestamp,
    /// The local user.
    pub who: Text,
    /// The context's name.
    pub context: Text,
    pub action: Action,
    /// When it was sent; `None` if it was not.
    pub sent_at: Option<Timestamp>,
    /// The requests that were sent.
    pub calls: Vec<RequestPreview>,
    /// The result; `None` if the journal has none.
    pub ending: Option<ActionResult>,
    /// Whether the result was found by reading back.
    pub read_back: bool,
}

impl ActionRecord {
    /// Whether it was sent and the result is unknown.
    pub fn is_open(&self) -> bool {
        self.sent_at.is_some() && matches!(self.ending, None | Some(ActionResult::Unknown { .. }))
    }
}

/// The actions in these lines, ordered by their first line.
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
            // a retry after a wait that the source requested: the earlier result is void
            JournalStep::Sending { calls } => {
                (record.sent_at, record.ending, record.calls) = (Some(entry.at), None, calls);
            }
            JournalStep::Ended { how, read_back } => {
                (record.ending, record.read_back) = (Some(how), read_back);
            }
        }
    }
    records
}
