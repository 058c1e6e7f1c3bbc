//! What other screens give to Explore, and what its menus offer.

use crate::model::labels::Text;
use crate::model::source::SourceId;

/// The query of a chart, to be opened in Explore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChartQuery {
    /// What the chart shows.
    pub title: String,
    pub query: Text,
    /// The source that the chart is from; `None`: any that answers queries.
    pub source: Option<SourceId>,
}

/// What an item of a menu of Explore does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExploreChoice {
    /// Open the query of a chart.
    Query(ChartQuery),
    /// Split the result by a label.
    Split(Text),
    /// Send the query to another source.
    Source(SourceId),
    /// Open the saved view with this name.
    View(Text),
    /// Type a name for the present query.
    NameView,
    /// Delete the saved view with this name.
    DeleteView(Text),
}
