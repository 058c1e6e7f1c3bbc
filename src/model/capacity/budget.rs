//! The error budgets of SLOs as resources: their forecast is that of the SLO.

use jiff::Timestamp;

use super::{CapacityKey, CapacityReading, CapacityUnit, CapacityUse, FillTime, Outlook};
use crate::model::labels::Text;
use crate::model::slo::{Exhaustion, GroupStatus, SloStatus};

impl CapacityReading {
    /// The budgets of all groups of an SLO whose budget is known.
    pub fn of_budgets(status: &SloStatus) -> impl Iterator<Item = Self> + '_ {
        status.groups.iter().filter_map(|group| Self::of_budget(status, group))
    }

    fn of_budget(status: &SloStatus, group: &GroupStatus) -> Option<Self> {
        let used = group.spent?;
        let part = if group.labels.is_empty() {
            status.slo.id.clone()
        } else {
            format!("{} {}", status.slo.id, group.labels).into()
        };
        Some(Self {
            key: CapacityKey {
                source: status.source.clone(),
                service: status.service.clone().unwrap_or_default(),
                resource: "error budget".into(),
                instance: Text::default(),
                part,
            },
            host: Text::default(),
            unit: CapacityUnit::Ratio,
            amount: CapacityUse::Amount { used, limit: Some(1.0) },
            // the state of the SLO says it already
            is_warned: false,
            history: Vec::new(),
            limits: None,
            trend: None,
            outlook: group.exhaustion.map_or(Outlook::Unknown, |found| outlook(found, status.at)),
            query: Text::default(),
            at: status.at,
        })
    }
}

/// The exhaustion of an SLO is the earliest possible one: its range is open.
fn outlook(found: Exhaustion, at: Timestamp) -> Outlook {
    match found {
        Exhaustion::Exhausted => Outlook::Full,
        Exhaustion::In(after) => match at.checked_add(after) {
            Ok(end) => Outlook::Fills(FillTime { at: end, earliest: end, latest: None }),
            Err(_) => Outlook::Steady,
        },
        Exhaustion::NotWithinWindow(time) | Exhaustion::NotBeforeReset(time) => Outlook::NotWithin(time),
        Exhaustion::Never => Outlook::Steady,
    }
}
