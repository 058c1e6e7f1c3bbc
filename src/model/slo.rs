//! Service level objectives: what was promised, over which window, how it is measured and how it stands.
//!
//! Words, sums and query texts only: reading files is `config`'s, asking is `backend`'s.

mod counter;
mod definition;
mod exhaustion;
mod forecast;
pub mod history;
mod objective;
mod pair;
pub mod query;
mod reading;
mod recorded;
pub mod rules;
mod selector;
pub mod show;
mod spending;
mod standing;
mod template;
mod traffic;
mod window;

pub use counter::counters;
pub use definition::{Alerting, Budgeting, Form, Notice, Origin, Side, Sli, Slo};
pub use exhaustion::{Exhaustion, Since, UnderWay, exhausted_since};
pub use forecast::Forecast;
pub use objective::Objective;
pub use pair::{Pair, Severity, pyrra, sloth, standard, standard_of};
pub use reading::{Evaluation, Extent, GroupReading, Measured, Odd, SloBoard, SloReading};
pub use recorded::{Family, Recorded, written};
pub use selector::{Selector, SelectorError};
pub use spending::Spending;
pub use standing::{BASIS, Burn, Doubt, PairNow, RECENT, SloState, SloStatus, Standing};
pub use template::Template;
pub use traffic::{are_few, fewest_events};
pub use window::{Bounds, Calendar, CalendarUnit, Window};
