//! Silences of Alertmanager: their matchers, times, authors and comments.

use jiff::Timestamp;

use super::labels::{Labels, Text};
use super::matcher::Matcher;
use super::source::SourceId;
use super::words::words;
pub use preview::{SilencePreview, can_be_hidden, preview, refusal};
pub use propose::{ProposalInput, SilenceProposal, left_out, propose};

mod cover;
mod preview;
mod propose;

words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    pub enum SilenceState: word {
        Active = "active",
        Pending = "pending",
        Expired = "expired",
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// Its id in Alertmanager.
    pub id: Text,
    pub state: SilenceState,
    /// The matchers; an alert must fulfil all of them.
    pub matchers: Vec<Matcher>,
    /// The start, converted to the local clock.
    pub starts_at: Timestamp,
    /// The end, converted to the local clock.
    pub ends_at: Timestamp,
    pub created_by: Text,
    /// The author's comment.
    pub comment: Text,
    /// Annotations, which Alertmanager has since version 0.32.
    pub annotations: Labels,
    /// When it was last changed, by the server's clock.
    pub updated_at: Option<Timestamp>,
    /// The source that keeps it.
    pub source: SourceId,
}

impl Silence {
    /// Whether an alert with these labels fulfils its matchers.
    pub fn matches(&self, labels: &Labels) -> bool {
        preview::are_fulfilled(&self.matchers, labels)
    }
}
