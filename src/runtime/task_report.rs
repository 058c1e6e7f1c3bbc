//! What tasks send to the loop.

use crate::app::event::{Arrival, Event};
use crate::model::labels::Text;

use super::context::ContextHandle;

/// A result that a task sends to the loop.
pub(super) enum TaskReport {
    /// A question was answered.
    Arrived { id: u64, arrival: Box<Arrival> },
    /// An event for `update`, as it is.
    Ready(Event),
    /// A context was opened, or could not be.
    Built { id: u64, context: Text, opened: Result<ContextHandle, String> },
    /// The pager has ended, or could not be started, for this reason.
    PagerEnded(Result<(), String>),
}
