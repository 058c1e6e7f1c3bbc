//! Paging and delivery statistics in Markdown: number of pages, MTTD, MTTA, MTTR, MTBF, hours of the day; deployments and their
//! failures.

use std::time::Duration;

use super::detection;
use super::firing_history::{self, FiringSummary};
use super::handoff::{firings_table, typical};
use super::markdown_writer::MarkdownWriter;
use super::number::{or_dash, percent};
use super::prelude::*;
use super::subjects::change::{self, ChangeCoverage, NO_SOURCE};
use crate::model::delivery::{DeliveryCounts, ServiceIncident, deliveries, deployments};
use crate::model::detection::Detections;
use crate::model::measures::DurationStats;
use crate::model::oncall::is_night;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::slo::TimeRange;

/// How a failed deployment is recognised.
pub const FAILURES: &str = "a deployment failed if it reported so, was rolled back within a day, or an incident of the service followed within an hour";
/// Changes that begin this much later than the period are complete for it: the query begins at a whole minute.
const COMPLETE_WITHIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(3);
/// Maximum length of an hour's bar.
const BAR: u32 = 40;

/// What is known of a period besides its incidents.
#[derive(Debug, Default)]
pub struct Statistics {
    /// The alerts that fired in at most a week, and that time; `None` if no source has a firing history.
    pub fired: Option<(FiringSummary, TimeRange)>,
    /// When the incidents were detected.
    pub detections: Detections,
    /// The deployments, all services first.
    pub deliveries: Vec<DeliveryCounts>,
    /// The time that the deployments are complete for; `None` if no source has told of changes.
    pub delivered_in: Option<TimeRange>,
    /// Why deployments are not known, or not for the whole period.
    pub delivery_doubt: Option<String>,
}

/// The period of this length that ends now.
fn period(length: Duration, now: Timestamp) -> TimeRange {
    TimeRange { start: now.checked_sub(length).unwrap_or(Timestamp::MIN), end: now }
}

/// What the sources have answered about the last period of this length.
pub fn known(shared: &Shared, length: Duration, now: Timestamp) -> Statistics {
    let period = period(length, now);
    let fired = firing_period(shared, length, now);
    let firings = fired.as_ref().map_or(&[][..], |(summary, _)| &summary.fired);
    let detections = detection::all(shared, period, firings);
    let (delivered_in, delivery_doubt) = delivered_in(shared, period);
    let deliveries = delivered_in.map(|time| deliveries_in(shared, time)).unwrap_or_default();
    Statistics { fired, detections, deliveries, delivered_in, delivery_doubt }
}

/// The part of a period for which changes are complete, and why it is not the whole period.
fn delivered_in(shared: &Shared, period: TimeRange) -> (Option<TimeRange>, Option<String>) {
    match change::coverage(&shared.world, &shared.sources) {
        ChangeCoverage::NoSource => (None, Some(NO_SOURCE.to_owned())),
        ChangeCoverage::NotLoaded => (None, Some("No source of changes has answered yet.".to_owned())),
        ChangeCoverage::Failed(why) => (None, Some(format!("Changes are unknown: {why}."))),
        ChangeCoverage::Since(since) if since.duration_since(period.start) > COMPLETE_WITHIN => {
            let start = since.min(period.end);
            let length = duration::short(age(start, period.end));
            let doubt = format!("Deployments are complete for the last {length} only.");
            (Some(TimeRange { start, ..period }), Some(doubt))
        }
        ChangeCoverage::Since(_) => (Some(period), None),
    }
}

fn deliveries_in(shared: &Shared, period: TimeRange) -> Vec<DeliveryCounts> {
    let incidents = shared.world.incidents().iter().filter_map(|view| {
        let (service, incident) = (view.service.as_deref()?, &view.incident);
        Some(ServiceIncident { service, triggered: incident.created_at, resolved: incident.resolved_at })
    });
    let incidents: Vec<ServiceIncident<'_>> = incidents.collect();
    deliveries(&deployments(shared.world.changes(), &incidents), period)
}

/// The statistics of the last period of this length.
pub fn markdown(shared: &Shared, length: Duration, now: Timestamp) -> String {
    let (period, known) = (period(length, now), known(shared, length, now));
    let of = |by| pages(shared.world.incidents(), by, period, &shared.look.zone, &known.detections);
    let mut writer =
        MarkdownWriter::titled(&format!("Paging statistics of the last {}", duration::short(length)));
    if let Some(all) = of(PageGrouping::All).first() {
        incidents(shared, all, of, &mut writer);
    } else if shared.world.has_incident_data() {
        writer.paragraph("No incidents were created in this period.");
    } else {
        writer.paragraph("Unknown: no source of this context has answered with incidents yet.");
    }
    if let Some((noise, time)) = &known.fired {
        writer.section(&format!("Alerts that fired, {}", duration::short(time.length())));
        firings_table(noise, *time, ("Alert", "No alerts fired."), &mut writer);
    }
    delivered(&known, &mut writer);
    writer.into_text()
}

/// The deployments by service.
fn delivered(known: &Statistics, writer: &mut MarkdownWriter) {
    writer.section("Deployments");
    if known.delivered_in.is_some() && known.deliveries.is_empty() {
        writer.paragraph("No deployments in this period.");
    }
    let head = ["Service", "Deployments", "Per day", "Failed", "Failure rate", "Time to restore", "MTTP"];
    let row = |one: &DeliveryCounts| {
        [
            one.service.as_deref().unwrap_or("all services").to_owned(),
            one.deployments.to_string(),
            format!("{:.1}", one.per_day),
            one.failures().to_string(),
            or_dash(one.failure_rate(), percent),
            mean(one.restore),
            mean(one.to_production),
        ]
    };
    if !known.deliveries.is_empty() {
        writer.table(&head, known.deliveries.iter().map(row));
        let all = known.deliveries.first().map(|all| all.to_production);
        let unknown = all.map_or(0, |made| made.left_out);
        let mut notes = vec![FAILURES.to_owned()];
        if unknown > 0 {
            notes.push(format!("MTTP: of {unknown} deployments no source tells when the commit was made."));
        }
        writer.points(notes);
    }
    if let Some(doubt) = &known.delivery_doubt {
        writer.paragraph(doubt);
    }
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
    let reasons = detection::reasons(&all.undetected).join("; ");
    let reasons = if reasons.is_empty() { reasons } else { format!(". Not measured: {reasons}") };
    writer.points([
        format!("MTTD {}{reasons}", typical(all.measures.detection, "not measured")),
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
        let head = ["", "Incidents", "High", "At night", "Open", "MTTD", "MTTA", "MTTR", "MTBF"];
        writer.table(&head, of(by).iter().map(row));
    }
    writer.section("High-urgency incidents by hour");
    let (bar, night) = shared.look.charset.pick(("█", "☾"), ("#", "n"));
    writer.block(&hours(all, bar, night));
}

/// The queries besides those for incidents: the firing history and the changes of at most a week, and the signals before the incidents.
pub fn wants(shared: &Shared, length: Duration, now: Timestamp) -> Vec<Want> {
    let mut wants = firing_wants(shared, length, now);
    wants.extend(change::wants_since(shared, length, now));
    wants.extend(detection::wants(shared, detection::within(&shared.world, period(length, now))));
    wants
}

fn firing_wants(shared: &Shared, length: Duration, now: Timestamp) -> Vec<Want> {
    want::firings(shared, now, length.min(firing_history::PAST))
}

/// The firings of at most a week, and their period; None if no source has a firing history.
fn firing_period(shared: &Shared, length: Duration, now: Timestamp) -> Option<(FiringSummary, TimeRange)> {
    if firing_wants(shared, length, now).is_empty() {
        return None;
    }
    let start = now.checked_sub(length.min(firing_history::PAST)).unwrap_or(Timestamp::MIN);
    Some((firing_history::between(&shared.world, &shared.sources, start, now), TimeRange { start, end: now }))
}

fn mean(measure: DurationStats) -> String {
    measure.typical.map_or_else(|| "-".to_owned(), |typical| duration::short(typical.mean))
}

/// The table row of a service or a team.
fn row(pages: &PageCounts) -> [String; 9] {
    let measures = &pages.measures;
    [
        pages.name.as_deref().unwrap_or("(none)").to_owned(),
        pages.incidents.to_string(),
        pages.high.to_string(),
        pages.at_night.to_string(),
        pages.open.to_string(),
        mean(measures.detection),
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
