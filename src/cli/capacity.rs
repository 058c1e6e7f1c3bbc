//! `burnwatch capacity`: resources with a limit and deadlines, those with the least time left first.

use std::sync::Arc;
use std::time::Duration;

use crate::app::screens::capacity::columns::{COLUMNS, CapacityItem};
use crate::app::subjects::capacity::{described, haystack};
use crate::model::capacity::{CapacityReading, Outlook, left};

use super::alerts::AlertFilter;
use super::needs;
use super::report::{ReportDocument, ReportList};
use super::view::WorldView;

/// The resources that match the filter; with `within`, only those that are full or over within this time.
pub(super) fn document(
    view: &WorldView<'_>,
    filter: &AlertFilter,
    within: Option<Duration>,
) -> ReportDocument {
    let all = view.world.capacity();
    let (mut found, unknown) = filter.matching(all, haystack(all, view.now), |reading| {
        described(reading).iter().map(|(_, value)| value.to_string()).collect()
    });
    found.sort_by(|a, b| a.by_urgency(b));
    if let Some(within) = within {
        let is_soon = |reading: &Arc<CapacityReading>| {
            reading.outlook.end(view.now).is_some_and(|end| left(end, view.now) <= within)
        };
        found.retain(|reading| is_soon(reading));
    }
    let young = found.iter().filter(|one| matches!(one.outlook, Outlook::NeedsHistory { .. })).count();
    let items = found.into_iter().map(|reading| CapacityItem { reading, now: view.now });
    let empty = match within {
        Some(_) => "No matching resource is full or over within this time.",
        None => "No matching resources found.",
    };
    let list = ReportList::of(("capacity", "Capacity", empty), COLUMNS, items);
    let mut document = view.document(Vec::new(), vec![list], needs::CAPACITY);
    if young > 0 {
        document.notes.push(format!("without a forecast, as their history is too short: {young}"));
    }
    document.notes.extend(unknown);
    document
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::cli::fixtures::{Fixture, prom, world};
    use crate::cli::report::{json, table};
    use crate::model::capacity::{CapacityKey, CapacityUnit, CapacityUse, FillTime};

    fn disk(service: &str, outlook: Outlook, now: Timestamp) -> CapacityReading {
        CapacityReading {
            key: CapacityKey {
                source: prom(),
                service: service.into(),
                resource: "disk".into(),
                instance: "db-1:9100".into(),
                part: "/data".into(),
            },
            host: "db-1".into(),
            unit: CapacityUnit::Bytes,
            amount: CapacityUse::Amount { used: 400e9, limit: Some(500e9) },
            is_warned: true,
            history: Vec::new(),
            limits: None,
            trend: None,
            outlook,
            query: "max by (service) (x)".into(),
            at: now,
        }
    }

    fn fixture() -> Fixture {
        let fixture = world();
        let now = fixture.now;
        let at = |hours| now + SignedDuration::from_hours(hours);
        let fills = Outlook::Fills(FillTime { at: at(76), earliest: at(48), latest: Some(at(144)) });
        let readings = vec![
            disk("ledger", fills, now),
            disk("cart", Outlook::Steady, now),
            disk(
                "users",
                Outlook::NeedsHistory { has: Duration::ZERO, needs: Duration::from_secs(600) },
                now,
            ),
        ];
        fixture.with_capacity(&prom(), readings).with_slos(&prom(), Vec::new())
    }

    fn text(filter: &[&str], within: Option<u64>) -> String {
        let fixture = fixture();
        let words: Vec<String> = filter.iter().map(|word| (*word).to_owned()).collect();
        let filter = AlertFilter::new(&words, true).unwrap();
        table::render(&document(
            &fixture.view(),
            &filter,
            within.map(|days| Duration::from_secs(days * 86_400)),
        ))
    }

    #[test]
    fn the_least_time_left_stands_first_and_what_has_no_history_says_so() {
        let text = text(&[], None);
        let services: Vec<_> =
            text.lines().map(|line| line.split_whitespace().nth(1).unwrap_or("")).take(4).collect();
        assert_eq!(services, ["SERVICE", "ledger", "users", "cart"], "{text}");
        assert!(text.contains("3d4h (2d-6d)") && text.contains("needs 10m of history"), "{text}");
        assert!(text.contains("history is too short: 1"), "{text}");
    }

    #[test]
    fn a_filter_and_a_time_leave_out_the_others() {
        assert!(!text(&["service=cart"], None).contains("ledger"));
        assert!(text(&["LEDG"], None).contains("ledger"));
        assert!(text(&["left<4d"], None).contains("ledger") && !text(&["left<4d"], None).contains("cart"));
        assert!(text(&[], Some(4)).contains("ledger") && !text(&[], Some(4)).contains("cart"));
        assert!(text(&[], Some(3)).contains("within this time"));
    }

    #[test]
    fn json_has_numbers_and_null_where_nothing_is_known() {
        let fixture = fixture();
        let document = document(&fixture.view(), &AlertFilter::default(), None);
        let json: serde_json::Value = serde_json::from_str(&json::render(&document)).unwrap();
        let [first, .., last] = json["capacity"].as_array().unwrap().as_slice() else { panic!("{json}") };
        assert_eq!(first["ends_in_seconds"], 76.0 * 3600.0);
        assert_eq!(first["latest_in_seconds"], 144.0 * 3600.0);
        assert_eq!((&first["used_ratio"], &first["state"]), (&0.8.into(), &"fills".into()));
        assert_eq!(last["ends_in_seconds"], serde_json::Value::Null);
        assert_eq!(json["is_partial"], false);
    }
}
