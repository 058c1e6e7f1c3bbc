//! Service level objectives: definition, window, queries, measured values, error budget and state.
//!
//! No I/O: `config` reads the definition files, and `backend` sends the queries.

mod burn_condition;
mod counter;
mod definition;
mod exhaustion;
mod forecast;
pub mod history;
mod objective;
pub mod query;
mod reading;
mod recorded;
pub mod rules;
mod selector;
pub mod show;
mod spending;
mod status;
mod template;
mod window;

pub use burn_condition::{
    BurnCondition, BurnSeverity, are_few, fewest_events, lookbacks, pyrra, sloth, standard, standard_of,
};
pub use counter::counters;
pub use definition::{
    AlertMetadata, BudgetingMethod, DefinitionOrigin, EventSide, Form, Sli, Slo, SloAlerting,
};
pub use exhaustion::{CurrentPeriod, ExhaustedSince, Exhaustion, exhausted_since};
pub use forecast::Forecast;
pub use objective::Objective;
pub use reading::{
    DataExtent, Evaluation, GroupReading, InvalidRatio, MeasuredRatio, SloReading, SloSnapshot,
};
pub use recorded::{Family, RecordedSeries, written};
pub use selector::{Selector, SelectorError};
pub use spending::BudgetSpending;
pub use status::{
    BASIS, BurnConditionState, BurnReading, GroupStatus, MissingReason, RECENT, SloState, SloStatus,
};
pub use template::Template;
pub use window::{Calendar, CalendarUnit, TimeRange, Window};
