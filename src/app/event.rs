//! What comes in and what goes out: the two sides of `update`.

use std::time::Duration;

use crate::model::action::{Action, ActionProgress};
use crate::model::ask::{Answered, Question};
use crate::model::guard::Guard;
use crate::model::journal::ActionRecord;
use crate::model::labels::Text;
use crate::model::notify::Notification;
use crate::model::source_info::SourceInfo;

use super::key::Key;

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Pasted(String),
    /// The mouse did something at a cell, counted from the top left.
    Mouse {
        action: MouseAction,
        /// Column, from 0.
        column: u16,
        /// Row, from 0.
        row: u16,
    },
    /// The terminal has this many columns and rows now.
    Resized {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// A second passed.
    Tick,
    /// The line to the terminal is another than before.
    Link(TerminalLink),
    /// A question was answered, or will not be.
    Answered(Box<Arrival>),
    /// The context that was asked for is entered; its sources are ready to be asked.
    Entered {
        /// Its name.
        context: Text,
        sources: Vec<SourceInfo>,
        /// What it forbids or asks twice for.
        guard: Guard,
        production: bool,
    },
    /// The dialog of this wait has been on the terminal for a while, and no key came meanwhile.
    Read(Wait),
    /// An action of a plan is further than before.
    Acted {
        /// The plan's number.
        plan: u64,
        /// Which of its actions, from 0.
        index: usize,
        /// How far it is.
        progress: ActionProgress,
    },
    /// What the journal tells of the last days, oldest first.
    JournalRead(Vec<ActionRecord>),
    /// Something to tell the person: the result of an effect.
    Told(Message),
}

/// Actions of one kind that are confirmed, done and told as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its number; counts up.
    pub id: u64,
    /// The context that it was made in; it is done nowhere else.
    pub context: Text,
    /// What is to be done, in this order; never empty.
    pub actions: Vec<Action>,
}

/// What came back for a question.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub question: Question,
    /// The answer; on failure with the time of the next try.
    pub answered: Answered,
    /// How long it took.
    pub took: Duration,
}

/// How what is drawn reaches the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TerminalLink {
    /// At once.
    #[default]
    Quick,
    /// Over a slow line: bytes are dear.
    Slow,
    /// Not at all for the moment: what the person sees is not what is known here.
    Stalled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseAction {
    /// The left button went down.
    Click,
    /// The wheel turned up.
    WheelUp,
    /// The wheel turned down.
    WheelDown,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Note,
    /// Something went wrong.
    Trouble,
}

/// One line for the footer and the message log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How much it matters.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// What is to be done outside; only the runtime does it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put this question to its source.
    Fetch(Question),
    /// Nobody wants the answer to this any more.
    CancelFetch(Question),
    /// Do this; the person has confirmed it.
    Act(Plan),
    /// Read what the journal tells of the last days.
    ReadJournal,
    /// Enter this context.
    Enter(Text),
    /// Put this on the clipboard (OSC 52).
    Copy(String),
    /// Call the person to the screen.
    Notify(Notification),
    /// Give the terminal this title.
    Title(String),
    /// Draw the whole screen anew.
    Redraw,
    /// Stop as Ctrl-z does.
    Suspend,
    /// Leave.
    Quit,
}

/// One wait for the person to have seen a dialog: another dialog, or a stray key, makes it another wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The number of its plan.
    pub plan: u64,
    /// How many keys came too early, or were no answer.
    pub early_keys: u32,
}
