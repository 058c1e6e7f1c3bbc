//! Messages to the user: the newest is in the footer, all are in the message log.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::event::{Message, Tone};
use crate::model::remote::age;

/// Most messages that the log keeps.
const MAX_MESSAGES: usize = 500;
/// How long a message stays in the footer.
const SHOWN_FOR: Duration = Duration::from_secs(12);

/// The message log, newest last. A repeated message only increases its count.
#[derive(Debug, Default)]
pub struct Messages {
    all: VecDeque<LoggedMessage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedMessage {
    /// When it was last logged.
    pub at: Timestamp,
    pub message: Message,
    /// How many times in a row it was logged.
    pub times: u32,
}

impl Messages {
    pub fn tell(&mut self, message: Message, now: Timestamp) {
        if let Some(last) = self.all.back_mut().filter(|last| last.message == message) {
            (last.at, last.times) = (now, last.times.saturating_add(1));
            return;
        }
        if self.all.len() == MAX_MESSAGES {
            self.all.pop_front();
        }
        self.all.push_back(LoggedMessage { at: now, message, times: 1 });
    }

    pub fn note(&mut self, text: impl Into<String>, now: Timestamp) {
        self.tell(Message { tone: Tone::Note, text: text.into() }, now);
    }

    pub fn warn(&mut self, text: impl Into<String>, now: Timestamp) {
        self.tell(Message { tone: Tone::Trouble, text: text.into() }, now);
    }

    /// The newest message, while it is recent enough for the footer.
    pub fn newest(&self, now: Timestamp) -> Option<&LoggedMessage> {
        self.all.back().filter(|logged| age(logged.at, now) < SHOWN_FOR)
    }

    /// All messages, newest first.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &LoggedMessage> {
        self.all.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_leaves_the_footer_but_not_the_log() {
        let at = |s| Timestamp::from_second(s).unwrap();
        let mut messages = Messages::default();
        messages.note("copied", at(0));
        messages.note("copied", at(1));
        assert_eq!(messages.newest(at(5)).map(|logged| logged.times), Some(2));
        assert_eq!(messages.newest(at(60)), None);
        assert_eq!(messages.all().len(), 1);
        for i in 0..2000 {
            messages.note(i.to_string(), at(i));
        }
        assert_eq!(messages.all().len(), MAX_MESSAGES);
    }
}
