//! How often people were woken, how quickly somebody was on it and at which hours, in Markdown.

use std::time::Duration;

use super::firing_history::{self, FiringSummary};
use super::handoff::{firings_table, typical};
use super::markdown_writer::MarkdownWriter;
use super::prelude::*;
use crate::model::oncall::is_night;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::slo::TimeRange;

/// How wide the longest bar of an hour is.
const BAR: u32 = 40;

/// The statistics of the incidents that began within `length`.
pub fn markdown(shared: &Shared, length: Duration, now: Timestamp) -> String {
    let period = TimeRange { start: now.checked_sub(length).unwrap_or(Timestamp::MIN), end: now };
    let of = |by| pages(shared.world.incidents(), by, period, &shared.look.zone);
    let mut writer = MarkdownWriter::titled(&format!("Pages of the last {}", duration::short(length)));
    if !shared.world.has_incident_data() {
        writer.paragraph("Not known: no source of this context has reported incidents.");
        alerts(shared, length, now, &mut writer);
        return writer.into_text();
    }
    let Some(all) = of(PageGrouping::All).into_iter().next() else {
        writer.paragraph("No incident began in that time.");
        alerts(shared, length, now, &mut writer);
        return writer.into_text();
    };
    writer.paragraph(&format!(
        "{} incidents, {} of high urgency, {} of these at night (22:00 to 07:00); {} are open.",
        all.incidents, all.high, all.at_night, all.open
    ));
    writer.points([
        format!("MTTA {}", typical(all.measures.acknowledgement, "not known to be acknowledged")),
        format!("MTTR {}", typical(all.measures.resolution, "not resolved")),
        format!(
            "MTBF {} ({} failures: the two highest priorities, or high urgency where nothing is ranked)",
            all.measures.between_failures.map_or_else(|| "not known".to_owned(), duration::short),
            all.measures.failures
        ),
    ]);
    for (title, by) in [("By service", PageGrouping::Service), ("By team", PageGrouping::Team)] {
        writer.section(title);
        let rows: Vec<Vec<String>> = of(by).iter().map(row).collect();
        writer.table(&["", "Incidents", "High", "At night", "Open", "MTTA", "MTTR", "MTBF"], &rows);
    }
    writer.section("By hour, high urgency");
    writer.block(&hours(&all, shared.look.charset.pick("█", "#"), shared.look.charset.pick("☾", "n")));
    alerts(shared, length, now, &mut writer);
    writer.into_text()
}

/// What it asks for besides incidents: what fired, for at most a week.
pub fn wants(shared: &Shared, length: Duration, now: Timestamp) -> Vec<Want> {
    want::firings(shared, now, length.min(firing_history::PAST))
}

/// What fired, for at most a week, and in which time; none if no source can tell.
pub fn told(shared: &Shared, length: Duration, now: Timestamp) -> Option<(FiringSummary, TimeRange)> {
    if wants(shared, length, now).is_empty() {
        return None;
    }
    let start = now.checked_sub(length.min(firing_history::PAST)).unwrap_or(Timestamp::MIN);
    Some((firing_history::between(&shared.world, &shared.sources, start, now), TimeRange { start, end: now }))
}

fn alerts(shared: &Shared, length: Duration, now: Timestamp, writer: &mut MarkdownWriter) {
    let Some((noise, time)) = told(shared, length, now) else { return };
    writer.section(&format!("Alerts that fired, {}", duration::short(time.length())));
    firings_table(&noise, time, "Alert", writer);
    if !noise.is_whole {
        writer.paragraph("What fired is not wholly known: not every source has reported it.");
    } else if noise.fired.is_empty() {
        writer.paragraph("None.");
    }
}

fn row(pages: &PageCounts) -> Vec<String> {
    let measures = &pages.measures;
    let mean = |measure: crate::model::measures::DurationStats| {
        measure.typical.map_or_else(|| "-".to_owned(), |typical| duration::short(typical.mean))
    };
    vec![
        pages.name.as_deref().unwrap_or("nobody's").to_owned(),
        pages.incidents.to_string(),
        pages.high.to_string(),
        pages.at_night.to_string(),
        pages.open.to_string(),
        mean(measures.acknowledgement),
        mean(measures.resolution),
        measures.between_failures.map_or_else(|| "-".to_owned(), duration::short),
    ]
}

/// A line for each hour of the day with its bar; nights are marked.
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
