//! Silences: who keeps which alerts quiet, until when, and why.

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
    pub id: Text,
    pub state: SilenceState,
    pub matchers: Vec<Matcher>,
    /// From when, by the clock here.
    pub starts_at: Timestamp,
    /// Until when, by the clock here.
    pub ends_at: Timestamp,
    pub created_by: Text,
    pub comment: Text,
    /// What else is written down of it, since Alertmanager 0.32.
    pub annotations: Labels,
    /// When it was last changed, by its server's clock.
    pub updated_at: Option<Timestamp>,
    pub source: SourceId,
}

impl Silence {
    /// Whether it would keep an alert with these labels quiet.
    pub fn matches(&self, labels: &Labels) -> bool {
        preview::are_fulfilled(&self.matchers, labels)
    }
}
