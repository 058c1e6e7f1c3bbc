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
    let count = |health| {
        let services = all.iter().filter(|service| service.health == health);
        if is_known { Cell::count(services.count()) } else { Cell::Nothing }
    };
    let mut facts: Vec<Fact> = Health::ALL
        .into_iter()
        .map(|health| {
            let (key, title) = health_title(health);
            Fact { key, title, value: count(health) }
        })
        .collect();
    facts.extend(alerts::counts(view));
    facts.extend(slos::counts(view));
    facts.extend(incidents::counts(view));
    facts.extend(oncall::counts(view));
    facts.push(Fact { key: "watchdog", title: "Watchdog alert", value: watchdog(view) });
    let fine = view.sources.iter().filter(|source| sources::state(view, source) == "fine").count();
    facts.push(Fact { key: "sources_fine", title: "Sources fine", value: Cell::count(fine) });
    facts.push(Fact {
        key: "sources_total",
        title: "Sources in total",
        value: Cell::count(view.sources.len()),
    });

    let wrong = all.iter().filter(|service| service.health != Health::Healthy).count();
    let worst = first_rows(services::list(view), "Worst services", wrong, "No unhealthy services found.");
    let firing = alerts::list(view, &AlertFilter::default());
    let firing_count = firing.rows.len();
    let firing_list = first_rows(firing, "Alerts", firing_count, "No firing alerts found.");
    let burning = view.world.slos().iter().filter(|status| status.state() < SloState::Fine);
    let burning = burning.map(|status| status.groups.len().max(1)).sum();
    let burning = first_rows(slos::list(view), "Worst SLOs", burning, "No burning SLOs found.");
    let open = incidents::list(view, &AlertFilter::default());
    let open_count = open.rows.len();
    let open = first_rows(open, "Open incidents", open_count, "No open incidents found.");
    // without a paging system there is no list of incidents
    let lists = if incidents::is_asked(view) {
        vec![open, worst, burning, firing_list]
    } else {
        vec![worst, burning, firing_list]
    };
    view.document(facts, lists, needs::STATUS)
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

const fn health_title(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::Down => ("services_down", "Services down"),
        Health::Critical => ("services_critical", "Services critical"),
        Health::Degraded => ("services_degraded", "Services degraded"),
        Health::Unknown => ("services_unknown", "Services unknown"),
        Health::Healthy => ("services_healthy", "Services healthy"),
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
