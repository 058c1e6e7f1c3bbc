//! `burnwatch status`: a summary of services, alerts, SLOs, incidents, on-call and sources.

use crate::model::health::Health;
use crate::model::slo::SloState;
use crate::model::world::Watchdog;

use super::alerts::{self, AlertFilter};
use super::needs;
use super::report::{Cell, Fact, ReportDocument, ReportList};
use super::view::WorldView;
use super::{incidents, oncall, services, slos, sources};

/// The most rows of each list; the full lists have verbs of their own.
const MAX_ROWS: usize = 10;

/// The counts, then the first rows of each list.
pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let all = view.world.services();
    // before the first answer the number of services is unknown, not zero
    let is_known = view.world.sources().any(|(_, cache)| cache.services().at.is_some());
    let services = Health::ALL.into_iter().map(|health| {
        let (word, count) = (health.word(), all.iter().filter(|service| service.health == health).count());
        Fact::count(format!("services_{word}"), format!("Services {word}"), is_known, count)
    });
    let mut facts: Vec<Fact> = services.chain(alerts::counts(view)).collect();
    facts.extend(slos::counts(view));
    facts.extend(incidents::counts(view));
    let fine = sources::all(view).filter(|source| source.state() == "fine").count();
    facts.extend([
        oncall::count(view),
        Fact::new("watchdog", "Watchdog alert", watchdog(view)),
        Fact::count("sources_fine", "Sources fine", true, fine),
        Fact::count("sources_total", "Sources in total", true, view.sources.len()),
    ]);

    let wrong = all.iter().filter(|service| service.health != Health::Healthy).count();
    let worst = first_rows(services::list(view), "Worst services", wrong, "No unhealthy services found.");
    let firing = alerts::list(view, &AlertFilter::default()).0;
    let count = firing.rows.len();
    let firing = first_rows(firing, "Alerts", count, "No firing alerts found.");
    let burning = view.world.slos().iter().filter(|status| status.state() < SloState::Fine);
    let burning = burning.map(|status| status.groups.len().max(1)).sum();
    let burning = first_rows(slos::list(view), "Worst SLOs", burning, "No burning SLOs found.");
    // without a paging system there is no list of incidents
    let open = incidents::is_asked(view).then(|| incidents::list(view, &AlertFilter::default()).0);
    let open = open.map(|open| {
        let count = open.rows.len();
        first_rows(open, "Open incidents", count, "No open incidents found.")
    });
    view.document(facts, open.into_iter().chain([worst, burning, firing]).collect(), needs::STATUS)
}

/// The watchdog alert (dead man's switch) of all sources together: present if any source has it.
fn watchdog(view: &WorldView<'_>) -> Cell {
    let all: Vec<_> = view.world.sources().map(|(id, _)| view.world.watchdog(id)).collect();
    if all.contains(&Watchdog::Present) {
        Cell::Text("present".to_owned())
    } else if all.contains(&Watchdog::Absent) {
        Cell::Text("absent: alerting may be broken, or there is no such alert".to_owned())
    } else {
        Cell::Nothing
    }
}

/// The list with only its first rows; the title says how many of `count` are shown.
fn first_rows(list: ReportList, title: &str, count: usize, empty: &'static str) -> ReportList {
    let shown = count.min(MAX_ROWS);
    let title = if shown < count { format!("{title} ({shown} of {count})") } else { title.to_owned() };
    let rows = list.rows.into_iter().take(shown).collect();
    ReportList { title, rows, empty, ..list }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::{alert, am, prom, reading, world};
    use crate::cli::report::table;
    use crate::model::alert::{AlertState, Severity};

    #[test]
    fn one_page_says_what_is_wrong() {
        let readings =
            (0..30).map(|i| reading(&format!("s{i:02}"), if i < 12 { 0.2 } else { 0.0 })).collect();
        let alerts = vec![alert("Burn", "s00", AlertState::Firing, Severity::Critical, 60)];
        let fixture = world().with_services(&prom(), readings).with_alerts(&am(), alerts);
        let text = table::render(&document(&fixture.view()));
        for part in [
            "Services critical       12\n",
            "Services healthy        18\n",
            "Worst services (10 of 12)\n",
            "Watchdog alert          absent: alerting may be broken",
            "firing  critical",
            "prom: no answer about status in time",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
    }

    #[test]
    fn nothing_known_is_not_nothing_wrong() {
        let document = document(&world().with_trouble(&prom()).view());
        assert!(document.is_partial);
        let text = table::render(&document);
        assert!(
            text.contains("Services healthy        -\n") && text.contains("No unhealthy services found."),
            "{text}"
        );
    }
}
