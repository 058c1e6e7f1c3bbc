//! Where the numbers of an SLO come from.

use std::sync::Arc;

use super::increases::Increases;
use super::live::TotalUnit;
use super::subquery::Subquery;
use crate::model::labels::Text;
use crate::model::slo::EventSide;

/// How a number is obtained.
#[derive(Debug, Clone)]
pub(super) enum NumberSource {
    /// Not available.
    Nowhere,
    /// From a recorded series; `inverted`: the series has the ratio of good events.
    Recorded { subquery: Arc<Subquery>, name: Text, inverted: bool },
    /// From recorded events of the window; without them, from another source.
    Increases { subquery: Arc<Subquery>, increases: Increases, otherwise: Box<Self> },
    /// From a query for the error ratio.
    Ratio(Arc<Subquery>),
    /// From two queries for counts.
    Counts { side: EventSide, part: Arc<Subquery>, total: Arc<Subquery>, unit: TotalUnit },
}

impl NumberSource {
    /// From a check for data, of one SLO or of all SLOs of a rule family.
    pub(super) fn check(subquery: Arc<Subquery>) -> Self {
        if subquery.family.is_none() {
            return Self::Ratio(subquery);
        }
        Self::Recorded { subquery, name: Text::default(), inverted: false }
    }

    /// The queries of this source.
    pub(super) fn subqueries(&self) -> Vec<Arc<Subquery>> {
        match self {
            Self::Nowhere => Vec::new(),
            Self::Recorded { subquery, .. } | Self::Ratio(subquery) => vec![Arc::clone(subquery)],
            Self::Increases { subquery, otherwise, .. } => {
                std::iter::once(Arc::clone(subquery)).chain(otherwise.subqueries()).collect()
            }
            Self::Counts { part, total, .. } => vec![Arc::clone(part), Arc::clone(total)],
        }
    }
}
