//! What the screen of logs is about.

use std::sync::Arc;

use jiff::Timestamp;

use crate::model::labels::Text;
use crate::model::log::LogQuery;

/// Lines of a service, an alert, a stream or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSubject {
    /// The name of the service or alert.
    pub title: Text,
    pub query: Arc<LogQuery>,
    /// Since when something is wrong: the start of its first firing alert.
    pub since: Option<Timestamp>,
    /// The line whose surroundings are shown: its time, and the hash of the rest.
    pub around: Option<(Timestamp, u64)>,
    /// How many lines are loaded at first, if there are so many.
    pub enough: usize,
}

impl LogSubject {
    /// The newest lines of a query.
    pub fn new(title: Text, query: LogQuery, since: Option<Timestamp>) -> Self {
        Self { title, query: Arc::new(query), since, around: None, enough: 0 }
    }
}
