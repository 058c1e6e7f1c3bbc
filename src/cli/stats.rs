//! `burnwatch stats`: how often people were woken, how quickly somebody was on it, and at which hours.

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
    ReportColumn::number("seconds", "FOR IN ALL"),
    ReportColumn::hidden("is_about"),
    ReportColumn::text("last_began_at", "LAST BEGAN"),
    ReportColumn::text("is_flapping", "FLAPPING"),
];

/// The list as a document, with what fired if any source can tell; `zone` is the one whose hours count.
pub(super) fn document(
    view: &WorldView<'_>,
    told: Option<&(FiringSummary, TimeRange)>,
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
        title: format!("Incidents that began within {}", elapsed(wanted.since)),
        columns: COLUMNS.into(),
        rows,
        empty: "No incident began in that time.",
        layout: ListLayout::Rows,
    };
    let lists = std::iter::once(list).chain(told.map(|(noise, time)| fired(noise, *time))).collect();
    let mut document = view.document(Vec::new(), lists, needs::STATS);
    if told.is_some_and(|(noise, _)| !noise.is_whole) {
        document.is_partial = true;
        document
            .notes
            .push("which alerts fired is not wholly known: not every source has reported it".to_owned());
    }
    if told.is_some_and(|(noise, _)| noise.fired.iter().any(|fired| fired.is_flapping)) {
        document.notes.push("flapping: an alert began to fire three times or more within an hour".to_owned());
    }
    let zone = zone_name(view.zone);
    document.notes.push(format!("hours and nights (22:00 to 07:00) are those of {zone}; high urgency only"));
    document.notes.push(
        "MTTA leaves out what nobody acknowledged, MTTR what is not resolved; a failure is a P1 or P2"
            .to_owned(),
    );
    document
}

/// What fired, most often first.
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
        title: format!("Alerts that fired within {}", elapsed(time.length())),
        columns: FIRED_COLUMNS.into(),
        rows: noise.fired.iter().map(row).collect(),
        empty: "No alert fired in that time.",
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
            let told = |time: std::time::Duration| Cell::Formatted(time.as_secs_f64(), elapsed(time));
            [told(typical.mean), told(typical.median), left_out]
        }
        None => [Cell::Nothing, Cell::Nothing, left_out],
    }
}

fn row(pages: &PageCounts) -> Vec<Cell> {
    let measures = &pages.measures;
    let [mtta, mtta_median, not_acknowledged] = typical(measures.acknowledgement);
    let [mttr, mttr_median, not_resolved] = typical(measures.resolution);
    let told = |time: std::time::Duration| Cell::Formatted(time.as_secs_f64(), elapsed(time));
    let hours = pages.by_hour.iter().enumerate().filter(|(_, count)| **count > 0);
    let hours = hours.map(|(hour, count)| format!("{hour:02}h {count}")).collect();
    vec![
        pages
            .name
            .as_ref()
            .map_or(Cell::Text("all or nobody's".to_owned()), |name| Cell::Text(name.to_string())),
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
        measures.between_failures.map_or(Cell::Nothing, told),
        Cell::count(measures.failures),
        told(measures.downtime),
        Cell::Texts(hours),
    ]
}
