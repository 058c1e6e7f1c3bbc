//! What is known of a source before it has answered anything: where it is, what it can be asked, what can be done there.

use super::action::WriteSupport;
use super::ask::AskKind;
use super::labels::Text;
use super::source::{Kind, SourceId};

/// A source as the screens know it before it has answered anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    pub id: SourceId,
    pub kind: Kind,
    /// Where it is, without user, password or query.
    pub address: Text,
    /// Whose data it is asked for there, as the configuration says; two sources at one address differ by that.
    pub tenant: Option<Text>,
    /// Whether its secret goes to another machine by `http://`.
    pub is_exposed: bool,
    pub answers: Vec<AskKind>,
    pub writes: WriteSupport,
}

impl SourceInfo {
    /// What is to be said of a secret that goes over the line as it is, if it does.
    pub fn exposure(&self) -> Option<&'static str> {
        self.is_exposed
            .then_some("its secret is sent to another machine unencrypted, by http://: use https://")
    }

    /// Where it is, with the tenant if there is one.
    pub fn place(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("{} (tenant {tenant})", self.address),
            None => self.address.to_string(),
        }
    }

    /// Whether it is a system that is watched, and not only a way to find what people wrote.
    pub fn is_watched(&self) -> bool {
        self.kind != Kind::RUNBOOKS
    }
}
