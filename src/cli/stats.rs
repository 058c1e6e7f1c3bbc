//! `burnwatch stats`: how many incidents paged people, at which hours, and how long acknowledgement and resolution took.

use jiff::tz::TimeZone;

use crate::app::firing_history::{FiringHistory, FiringSummary};
use crate::model::measures::DurationStats;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::slo::TimeRange;

use super::args::{StatsArgs, StatsGrouping};
use super::needs;
use super::report::{Cell, ListLayout, ReportColumn, ReportDocument, ReportList, elapsed};
use super::view::WorldView;

const COLUMNS: &[ReportColumn] = &[
    ReportColumn::text("name", "NAME"),
    ReportColumn::number("incidents", "INCIDENTS"),
    ReportColumn::number("high_urgency", "HIGH"),
    ReportColumn::number("at_night", "AT NIGHT"),
    ReportColumn::number("open", "OPEN"),
    ReportColumn::number("mtta_seconds", "MTTA"),
    ReportColumn::hidden("mtta_median_seconds"),
    ReportColumn::hidden("not_acknowledged"),
    ReportColumn::number("mttr_seconds", "MTTR"),
    ReportColumn::hidden("mttr_median_seconds"),
    ReportColumn::hidden("not_resolved"),
    ReportColumn::number("mtbf_seconds", "MTBF"),
    ReportColumn::hidden("failures"),
    ReportColumn::hidden("downtime_seconds"),
    ReportColumn::text("by_hour", "HOURS"),
];

const FIRED_COLUMNS: &[ReportColumn] = &[
    ReportColumn::text("name", "ALERT"),
    ReportColumn::text("service", "SERVICE"),
    ReportColumn::number("firings", "FIRINGS"),
    ReportColumn::number("seconds", "TOTAL TIME"),
    ReportColumn::hidden("is_about"),
    ReportColumn::text("last_began_at", "LAST START"),
    ReportColumn::text("is_flapping", "FLAPPING"),
];

/// The statistics as a document; with the alerts that fired, if a source has their history. Hours are those of the view's
/// time zone.
pub(super) fn document(
    view: &WorldView<'_>,
    formatted: Option<&(FiringSummary, TimeRange)>,
    wanted: StatsArgs,
) -> ReportDocument {
    let by = match wanted.by {
        StatsGrouping::Service => PageGrouping::Service,
        StatsGrouping::Team => PageGrouping::Team,
        StatsGrouping::All => PageGrouping::All,
    };
    let start = view.now.checked_sub(wanted.since).unwrap_or(jiff::Timestamp::MIN);
    let period = TimeRange { start, end: view.now };
    let rows = pages(view.world.incidents(), by, period, view.zone).iter().map(row).collect();
    let list = ReportList {
        key: "stats",
        title: format!("Incidents triggered within the last {}", elapsed(wanted.since)),
        columns: COLUMNS.into(),
        rows,
        empty: "No incident was triggered in this period.",
        layout: ListLayout::Rows,
    };
    let lists = std::iter::once(list).chain(formatted.map(|(noise, time)| fired(noise, *time))).collect();
    let mut document = view.document(Vec::new(), lists, needs::STATS);
    if formatted.is_some_and(|(noise, _)| !noise.is_whole) {
        document.is_partial = true;
        document
            .notes
            .push("the list of alerts that fired is incomplete: not every source has answered".to_owned());
    }
    if formatted.is_some_and(|(noise, _)| noise.fired.iter().any(|fired| fired.is_flapping)) {
        document
            .notes
            .push("flapping: an alert started to fire three times or more within an hour".to_owned());
    }
    let zone = zone_name(view.zone);
    document.notes.push(format!(
        "hours and nights (22:00 to 07:00) are in the time zone {zone} and count high urgency only"
    ));
    document.notes.push(
        "MTTA excludes incidents that nobody acknowledged, MTTR unresolved ones; MTBF counts the two highest priorities, or high urgency where there is no priority"
            .to_owned(),
    );
    document
}

/// The alerts that fired.
fn fired(noise: &FiringSummary, time: TimeRange) -> ReportList {
    let row = |fired: &FiringHistory| {
        let seconds = fired.time(time);
        let about = if fired.is_about() { "about " } else { "" };
        vec![
            Cell::Text(fired.name.to_string()),
            fired.service.as_ref().map_or(Cell::Nothing, |name| Cell::Text(name.to_string())),
            Cell::count(fired.firings.len()),
            Cell::Formatted(seconds.as_secs_f64(), format!("{about}{}", elapsed(seconds))),
            Cell::Switch(fired.is_about()),
            fired.firings.iter().map(|firing| firing.from).max().map_or(Cell::Nothing, Cell::Since),
            Cell::Switch(fired.is_flapping),
        ]
    };
    ReportList {
        key: "alerts",
        title: format!("Alerts that fired within the last {}", elapsed(time.length())),
        columns: FIRED_COLUMNS.into(),
        rows: noise.fired.iter().map(row).collect(),
        empty: "No alert fired in this period.",
        layout: ListLayout::Rows,
    }
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("this machine").to_owned()
}

fn typical(measure: DurationStats) -> [Cell; 3] {
    let left_out = Cell::count(measure.left_out);
    match measure.typical {
        Some(typical) => {
            let formatted = |time: std::time::Duration| Cell::Formatted(time.as_secs_f64(), elapsed(time));
            [formatted(typical.mean), formatted(typical.median), left_out]
        }
        None => [Cell::Nothing, Cell::Nothing, left_out],
    }
}

fn row(pages: &PageCounts) -> Vec<Cell> {
    let measures = &pages.measures;
    let [mtta, mtta_median, not_acknowledged] = typical(measures.acknowledgement);
    let [mttr, mttr_median, not_resolved] = typical(measures.resolution);
    let formatted = |time: std::time::Duration| Cell::Formatted(time.as_secs_f64(), elapsed(time));
    let hours = pages.by_hour.iter().enumerate().filter(|(_, count)| **count > 0);
    let hours = hours.map(|(hour, count)| format!("{hour:02}h {count}")).collect();
    vec![
        pages
            .name
            .as_ref()
            .map_or(Cell::Text("all or unassigned".to_owned()), |name| Cell::Text(name.to_string())),
        Cell::count(pages.incidents),
        Cell::count(pages.high),
        Cell::count(pages.at_night),
        Cell::count(pages.open),
        mtta,
        mtta_median,
        not_acknowledged,
        mttr,
        mttr_median,
        not_resolved,
        measures.between_failures.map_or(Cell::Nothing, formatted),
        Cell::count(measures.failures),
        formatted(measures.downtime),
        Cell::Texts(hours),
    ]
}
