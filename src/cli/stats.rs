//! `burnwatch stats`: how many incidents paged people, at which hours, and how long acknowledgement and resolution took.

use std::time::Duration;

use crate::app::columns::{ListColumn, Listed};
use crate::app::firing_history::{FiringHistory, FiringSummary};
use crate::model::measures::DurationStats;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::slo::TimeRange;

use super::args::{StatsArgs, StatsGrouping};
use super::needs;
use super::report::{Cell, ReportDocument, ReportList, elapsed};
use super::view::WorldView;

enum StatsList {}

impl Listed for StatsList {
    type Item<'a> = PageCounts;
    type Widths = ();
}

type Column = ListColumn<StatsList>;

const COLUMNS: &[Column] = &[
    Column::text("name", "NAME", |pages| {
        Cell::Text(pages.name.as_deref().unwrap_or("all or unassigned").to_owned())
    }),
    Column::number("incidents", "INCIDENTS", |pages| Cell::count(pages.incidents)),
    Column::number("high_urgency", "HIGH", |pages| Cell::count(pages.high)),
    Column::number("at_night", "AT NIGHT", |pages| Cell::count(pages.at_night)),
    Column::number("open", "OPEN", |pages| Cell::count(pages.open)),
    Column::number("mtta_seconds", "MTTA", |pages| mean(&pages.measures.acknowledgement)),
    Column::hidden("mtta_median_seconds", |pages| median(&pages.measures.acknowledgement)),
    Column::hidden("not_acknowledged", |pages| Cell::count(pages.measures.acknowledgement.left_out)),
    Column::number("mttr_seconds", "MTTR", |pages| mean(&pages.measures.resolution)),
    Column::hidden("mttr_median_seconds", |pages| median(&pages.measures.resolution)),
    Column::hidden("not_resolved", |pages| Cell::count(pages.measures.resolution.left_out)),
    Column::number("mtbf_seconds", "MTBF", |pages| span(pages.measures.between_failures)),
    Column::hidden("failures", |pages| Cell::count(pages.measures.failures)),
    Column::hidden("downtime_seconds", |pages| span(Some(pages.measures.downtime))),
    Column::text("by_hour", "HOURS", |pages| {
        let hours = pages.by_hour.iter().enumerate().filter(|(_, count)| **count > 0);
        Cell::Texts(hours.map(|(hour, count)| format!("{hour:02}h {count}")).collect())
    }),
];

/// The alerts that fired, each with the period.
enum FiredList {}

impl Listed for FiredList {
    type Item<'a> = (&'a FiringHistory, TimeRange);
    type Widths = ();
}

type FiredColumn = ListColumn<FiredList>;

const FIRED_COLUMNS: &[FiredColumn] = &[
    FiredColumn::text("name", "ALERT", |(fired, _)| Cell::Text(fired.name.to_string())),
    FiredColumn::text("service", "SERVICE", |(fired, _)| {
        fired.service.as_ref().map_or(Cell::Nothing, |name| Cell::Text(name.to_string()))
    }),
    FiredColumn::number("firings", "FIRINGS", |(fired, _)| Cell::count(fired.firings.len())),
    FiredColumn::number("seconds", "TOTAL TIME", |(fired, period)| {
        let (seconds, about) = (fired.time(*period), if fired.is_about() { "about " } else { "" });
        Cell::Formatted(seconds.as_secs_f64(), format!("{about}{}", elapsed(seconds)))
    }),
    FiredColumn::hidden("is_about", |(fired, _)| Cell::Switch(fired.is_about())),
    FiredColumn::text("last_began_at", "LAST START", |(fired, _)| {
        fired.firings.iter().map(|firing| firing.from).max().map_or(Cell::Nothing, Cell::Since)
    }),
    FiredColumn::text("is_flapping", "FLAPPING", |(fired, _)| Cell::Switch(fired.is_flapping)),
];

/// The statistics as a document; with the alerts that fired, if a source has their history. Hours are those of the view's
/// time zone.
pub(super) fn document(
    view: &WorldView<'_>,
    firing: Option<&(FiringSummary, TimeRange)>,
    wanted: StatsArgs,
) -> ReportDocument {
    let by = match wanted.by {
        StatsGrouping::Service => PageGrouping::Service,
        StatsGrouping::Team => PageGrouping::Team,
        StatsGrouping::All => PageGrouping::All,
    };
    let start = view.now.checked_sub(wanted.since).unwrap_or(jiff::Timestamp::MIN);
    let period = TimeRange { start, end: view.now };
    let title = format!("Incidents triggered within the last {}", elapsed(wanted.since));
    let names = ("stats", title, "No incident was triggered in this period.");
    let list = ReportList::of(names, COLUMNS, pages(view.world.incidents(), by, period, view.zone));
    let fired = firing.map(|(summary, period)| {
        let title = format!("Alerts that fired within the last {}", elapsed(period.length()));
        let items = summary.fired.iter().map(|fired| (fired, *period));
        ReportList::of(("alerts", title, "No alert fired in this period."), FIRED_COLUMNS, items)
    });
    let mut document = view.document(Vec::new(), std::iter::once(list).chain(fired).collect(), needs::STATS);
    let mut note = |text: &str| document.notes.push(text.to_owned());
    if firing.is_some_and(|(summary, _)| !summary.is_whole) {
        document.is_partial = true;
        note("the list of alerts that fired is incomplete: not every source has answered");
    }
    if firing.is_some_and(|(summary, _)| summary.fired.iter().any(|fired| fired.is_flapping)) {
        note("flapping: an alert started to fire three times or more within an hour");
    }
    let zone = view.zone.iana_name().unwrap_or("this machine");
    note(&format!(
        "hours and nights (22:00 to 07:00) are in the time zone {zone} and count high urgency only"
    ));
    note(
        "MTTA excludes incidents that nobody acknowledged, MTTR unresolved ones; MTBF counts the two highest priorities, or high urgency where there is no priority",
    );
    document
}

fn mean(times: &DurationStats) -> Cell {
    span(times.typical.map(|typical| typical.mean))
}

fn median(times: &DurationStats) -> Cell {
    span(times.typical.map(|typical| typical.median))
}

/// Seconds in JSON.
fn span(time: Option<Duration>) -> Cell {
    time.map_or(Cell::Nothing, |time| Cell::Formatted(time.as_secs_f64(), elapsed(time)))
}
