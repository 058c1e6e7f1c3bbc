//! What is known about a source before its first answer: address, supported questions and operations.

use super::action::WriteSupport;
use super::ask::AskKind;
use super::labels::Text;
use super::query_language::QueryLanguage;
use super::source::{Kind, SourceId};

/// A source as screens show it before its first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    pub id: SourceId,
    pub kind: Kind,
    /// The address without user, password and query.
    pub address: Text,
    /// The tenant from the configuration; sources with the same address can differ in their tenants.
    pub tenant: Option<Text>,
    /// Whether its secret is sent to another machine over plain HTTP.
    pub is_exposed: bool,
    pub answers: Vec<AskKind>,
    /// The language of the queries that a user writes for it.
    pub language: QueryLanguage,
    pub writes: WriteSupport,
}

impl SourceInfo {
    /// A warning if a secret is sent unencrypted; `None` otherwise.
    pub fn exposure(&self) -> Option<&'static str> {
        self.is_exposed
            .then_some("the credentials are sent unencrypted over http:// to another machine: use https://")
    }

    /// The address, with the tenant if there is one.
    pub fn place(&self) -> String {
        match &self.tenant {
            Some(tenant) => format!("{} (tenant {tenant})", self.address),
            None => self.address.to_string(),
        }
    }

    /// Whether it is a monitored system; false for sources of documents such as runbooks.
    pub fn is_watched(&self) -> bool {
        self.kind != Kind::RUNBOOKS
    }
}
