//! `burnwatch services`: all services with their signals, worst first.

use std::cmp::Ordering;

use crate::app::screens::services::columns::{COLUMNS, ServiceItem};
use crate::model::service::Service;

use super::needs;
use super::report::{ReportDocument, ReportList};
use super::view::WorldView;

/// Sorts by health, the worst first, then by error ratio and name.
pub(super) fn compare_by_health(a: &Service, b: &Service) -> Ordering {
    let errors = |service: &Service| service.signals.error_ratio.unwrap_or(0.0);
    a.health.cmp(&b.health).then(errors(b).total_cmp(&errors(a))).then_with(|| a.name.cmp(&b.name))
}

pub(super) fn list(view: &WorldView<'_>) -> ReportList {
    let mut services: Vec<&Service> = view.world.services().iter().collect();
    services.sort_by(|a, b| compare_by_health(a, b));
    let items = services.into_iter().map(|service| ServiceItem {
        service,
        now: view.now,
        trends: Default::default(),
        change: None,
    });
    ReportList::of(("services", "Services", "No services are known."), COLUMNS, items)
}

pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    view.document(Vec::new(), vec![list(view)], needs::SERVICES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{Fixture, am, prom, reading, world};
    use crate::cli::report::{json, table};

    fn answering() -> Fixture {
        world().with_rules(&prom()).with_alerts(&am(), Vec::new())
    }

    #[test]
    fn the_worst_stands_first_with_its_reason() {
        let readings = vec![reading("a", 0.0), reading("b", 0.02), reading("c", 0.2)];
        let fixture = answering().with_services(&prom(), readings);
        let text = table::render(&document(&fixture.view()));
        let names: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap_or("")).collect();
        assert_eq!(names, ["SERVICE", "c", "b", "a"]);
        assert!(text.contains("20.0% of requests fail"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_null_and_the_list_is_not_partial() {
        let fixture = answering().with_services(&prom(), vec![reading("a", 0.0)]);
        let json: serde_json::Value =
            serde_json::from_str(&json::render(&document(&fixture.view()))).unwrap();
        assert_eq!(json["services"][0]["p95_seconds"], serde_json::Value::Null);
        assert_eq!(json["is_partial"], false);
    }

    #[test]
    fn a_dead_source_makes_an_empty_list_partial() {
        let fixture = world().with_trouble(&prom());
        let document = document(&fixture.view());
        assert!(document.is_partial);
        assert!(
            document.notes[0].starts_with("prom: cannot connect (refused). Check"),
            "{:?}",
            document.notes
        );
    }

    #[test]
    fn no_answer_in_time_is_said() {
        let document = document(&world().view());
        assert!(document.is_partial);
        assert_eq!(document.notes[0], "prom: no answer about services in time");
    }
}
