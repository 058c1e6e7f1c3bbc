//! What the tests of all sources of traces share.

use crate::model::ask::{Answer, Answered};
use crate::model::trace::{Trace, TraceSnapshot};

/// The trace of an answer.
pub(crate) fn found(answered: &Answered) -> Option<&Trace> {
    match &answered.as_ref().unwrap().answer {
        Answer::Trace(search) => search.found.as_deref(),
        other => panic!("{other:?}"),
    }
}

/// The list of an answer.
pub(crate) fn listed(answered: &Answered) -> &TraceSnapshot {
    match &answered.as_ref().unwrap().answer {
        Answer::Traces(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}
