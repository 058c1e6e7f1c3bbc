//! The input ([`Event`]) and the output ([`Effect`]) of `update`.

use std::sync::Arc;
use std::time::Duration;

use crate::model::action::{Action, ActionProgress};
use crate::model::ask::{Answered, Question};
use crate::model::guard::Guard;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;
use crate::model::notify::Notification;
use crate::model::saved_query::{QueryStore, StoreChange};
use crate::model::source_info::SourceInfo;

use super::key::Key;

/// Input from the terminal, the clock or the runtime.
#[derive(Debug, Clone)]
pub enum Event {
    Key(Key),
    Pasted(String),
    /// A mouse action at a cell, counted from the top left.
    Mouse {
        action: MouseAction,
        /// Column, from 0.
        column: u16,
        /// Row, from 0.
        row: u16,
    },
    Resized {
        width: u16,
        height: u16,
    },
    /// One second has passed.
    Tick,
    /// The state of the terminal connection has changed.
    Link(TerminalLink),
    /// A query was answered, failed, or was given up.
    Answered(Box<Arrival>),
    /// The requested context is open and its sources accept queries.
    Entered {
        context: Text,
        sources: Vec<SourceInfo>,
        /// The restrictions of the context: read-only, dry run, double confirmation.
        guard: Guard,
        production: bool,
    },
    /// The dialog of this wait was on the terminal long enough, and no key came meanwhile: it accepts an answer now.
    Read(Wait),
    /// An action of a plan has made progress.
    ActionProgressed {
        plan: u64,
        /// The index of the action in its plan, from 0.
        index: usize,
        progress: ActionProgress,
    },
    /// The delay of an [`Effect::Wake`] is over.
    Woken {
        move_number: u64,
    },
    /// The journal's records of the last days, oldest first.
    JournalRead(Vec<ActionRecord>),
    /// The saved views and the history of queries, as they are in the file now.
    QueriesRead(QueryStore),
    /// A message for the user: the result of an effect.
    MessageReceived(Message),
}

/// Actions of one kind that are confirmed, run and reported together.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The plan's number; each new plan gets a higher one.
    pub id: u64,
    /// The context that the plan was made in; it runs in no other.
    pub context: Text,
    /// The actions in their order; never empty.
    pub actions: Vec<Action>,
}

/// The result of one query.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub question: Question,
    /// The answer; on failure with the time of the next retry.
    pub answered: Answered,
    /// The time from the request to the answer.
    pub took: Duration,
}

/// How fast the terminal shows what burnwatch draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TerminalLink {
    #[default]
    Quick,
    /// Over a slow connection: output has to be small.
    Slow,
    /// Not at all at the moment: the terminal accepts no output, so the user sees an old frame.
    Stalled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// The left button went down.
    Click,
    WheelUp,
    WheelDown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Note,
    Trouble,
}

/// One line for the footer and the message log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub tone: Tone,
    pub text: String,
}

/// Something that only the runtime can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send this query to its source.
    Fetch(Question),
    /// Cancel this query: its answer is no longer needed.
    CancelFetch(Question),
    /// Run this plan; the user has confirmed it.
    Act(Plan),
    /// Read the journal's records of the last days.
    ReadJournal,
    /// Read the saved views and the history of queries.
    ReadQueries,
    /// Change the saved views or the history of queries.
    ChangeQueries(StoreChange),
    Enter(Text),
    /// Copy this text to the clipboard (OSC 52).
    Copy(String),
    /// Give these bytes to the user's pager, which has the terminal until it ends.
    Pipe(Arc<[u8]>),
    /// Notify the user (bell, desktop notification).
    Notify(Notification),
    Title(String),
    /// Send [`Event::Woken`] after this delay: the preview follows the cursor when it has rested.
    Wake {
        after: Duration,
        /// The number of the cursor movement.
        move_number: u64,
    },
    Redraw,
    /// Suspend the process, as Ctrl-z does.
    Suspend,
    Quit,
}

/// Identifies one wait for the user to read a confirm dialog. Another plan or another early key starts a new wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    pub plan: u64,
    /// How many keys came too early or were no valid answer.
    pub early_keys: u32,
}
