//! Paging statistics in Markdown: number of pages, MTTA, MTTR, MTBF, hours of the day.

use std::time::Duration;

use super::firing_history::{self, FiringSummary};
use super::handoff::{firings_table, typical};
use super::markdown_writer::MarkdownWriter;
use super::prelude::*;
use crate::model::oncall::is_night;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::slo::TimeRange;

/// Maximum length of an hour's bar.
const BAR: u32 = 40;

/// The statistics of the incidents created within the last period of this length.
pub fn markdown(shared: &Shared, length: Duration, now: Timestamp) -> String {
    let period = TimeRange { start: now.checked_sub(length).unwrap_or(Timestamp::MIN), end: now };
    let of = |by| pages(shared.world.incidents(), by, period, &shared.look.zone);
    let mut writer =
        MarkdownWriter::titled(&format!("Paging statistics of the last {}", duration::short(length)));
    if let Some(all) = of(PageGrouping::All).first() {
        incidents(shared, all, of, &mut writer);
    } else if shared.world.has_incident_data() {
        writer.paragraph("No incidents were created in this period.");
    } else {
        writer.paragraph("Unknown: no source of this context has answered with incidents yet.");
    }
    alerts(shared, length, now, &mut writer);
    writer.into_text()
}

fn incidents(
    shared: &Shared,
    all: &PageCounts,
    of: impl Fn(PageGrouping) -> Vec<PageCounts>,
    writer: &mut MarkdownWriter,
) {
    writer.paragraph(&format!(
        "{} incidents, {} of high urgency, {} of these at night (22:00 to 07:00); {} are open.",
        all.incidents, all.high, all.at_night, all.open
    ));
    writer.points([
        format!("MTTA {}", typical(all.measures.acknowledgement, "without a known acknowledgement")),
        format!("MTTR {}", typical(all.measures.resolution, "not resolved")),
        format!(
            "MTBF {} ({} failures: the two highest priorities, or high urgency if there are no priorities)",
            all.measures.between_failures.map_or_else(|| "unknown".to_owned(), duration::short),
            all.measures.failures
        ),
    ]);
    for (title, by) in [("By service", PageGrouping::Service), ("By team", PageGrouping::Team)] {
        writer.section(title);
        let head = ["", "Incidents", "High", "At night", "Open", "MTTA", "MTTR", "MTBF"];
        writer.table(&head, of(by).iter().map(row));
    }
    writer.section("High-urgency incidents by hour");
    let (bar, night) = shared.look.charset.pick(("█", "☾"), ("#", "n"));
    writer.block(&hours(all, bar, night));
}

/// The queries besides those for incidents: the firing history of at most a week.
pub fn wants(shared: &Shared, length: Duration, now: Timestamp) -> Vec<Want> {
    want::firings(shared, now, length.min(firing_history::PAST))
}

/// The firings of at most a week, and their period; None if no source has a firing history.
pub fn firing_period(
    shared: &Shared,
    length: Duration,
    now: Timestamp,
) -> Option<(FiringSummary, TimeRange)> {
    if wants(shared, length, now).is_empty() {
        return None;
    }
    let start = now.checked_sub(length.min(firing_history::PAST)).unwrap_or(Timestamp::MIN);
    Some((firing_history::between(&shared.world, &shared.sources, start, now), TimeRange { start, end: now }))
}

fn alerts(shared: &Shared, length: Duration, now: Timestamp, writer: &mut MarkdownWriter) {
    let Some((noise, time)) = firing_period(shared, length, now) else { return };
    writer.section(&format!("Alerts that fired, {}", duration::short(time.length())));
    firings_table(&noise, time, ("Alert", "No alerts fired."), writer);
}

/// The table row of a service or a team.
fn row(pages: &PageCounts) -> [String; 8] {
    let measures = &pages.measures;
    let mean = |measure: crate::model::measures::DurationStats| {
        measure.typical.map_or_else(|| "-".to_owned(), |typical| duration::short(typical.mean))
    };
    [
        pages.name.as_deref().unwrap_or("(none)").to_owned(),
        pages.incidents.to_string(),
        pages.high.to_string(),
        pages.at_night.to_string(),
        pages.open.to_string(),
        mean(measures.acknowledgement),
        mean(measures.resolution),
        measures.between_failures.map_or_else(|| "-".to_owned(), duration::short),
    ]
}

/// One line for each hour of the day: bar and count; night hours are marked.
fn hours(pages: &PageCounts, bar: &str, night: &str) -> Vec<String> {
    let most = pages.by_hour.iter().copied().max().unwrap_or(0).max(1);
    let line = |(hour, count): (i8, &u32)| {
        let mark = if is_night(hour) { night } else { " " };
        let cells = usize::try_from((count * BAR).div_ceil(most)).unwrap_or(0);
        let shown = if *count == 0 { String::new() } else { format!(" {count}") };
        format!("{hour:02}:00 {mark} {}{shown}", bar.repeat(cells))
    };
    (0..).zip(&pages.by_hour).map(line).collect()
}
