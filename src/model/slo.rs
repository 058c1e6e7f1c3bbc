//! Service level objectives: what was promised, over which window, and when its budget burns too fast.
//!
//! Only sums: what to ask a source for and what it answered is elsewhere.

mod objective;
mod pair;
mod window;

pub use objective::{Objective, ObjectiveError};
pub use pair::{Pair, Severity, pyrra, sloth, standard};
pub use window::{Bounds, Calendar, CalendarUnit, Window};
