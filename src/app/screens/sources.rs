//! Sources: each system that is asked, how it is, what to do about it; is the monitoring itself alive?

use crate::app::list::List;
use crate::model::source::{SourceId, SourceInfo};

mod view;

pub use view::{list_area, render};

/// The list of sources.
#[derive(Debug, Default)]
pub struct Sources {
    /// The rows, in the order of the configuration.
    pub list: List<SourceId>,
}

impl Sources {
    /// A list of these sources.
    pub fn of(sources: &[SourceInfo]) -> Self {
        let mut list = List::default();
        list.set_rows(sources.iter().map(|source| source.id.clone()).collect());
        Self { list }
    }
}
