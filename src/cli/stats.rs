//! `burnwatch stats`: how many incidents paged people, at which hours, how long detection, acknowledgement and resolution took, and how
//! many deployments failed.

use std::time::Duration;

use crate::app::columns::{ListColumn, Listed};
use crate::app::detection;
use crate::app::firing_history::FiringHistory;
use crate::app::statistics::{FAILURES, Statistics};
use crate::model::delivery::{DeliveryCounts, FailureReason};
use crate::model::detection::Undetected;
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
    Column::number("mttd_seconds", "MTTD", |pages| mean(&pages.measures.detection)),
    Column::hidden("mttd_median_seconds", |pages| median(&pages.measures.detection)),
    Column::hidden("mttd_p90_seconds", |pages| p90(&pages.measures.detection)),
    Column::hidden("not_measured", |pages| Cell::count(pages.measures.detection.left_out)),
    Column::hidden("not_measured_because", |pages| Cell::Texts(detection::reasons(&pages.undetected))),
    Column::number("mtta_seconds", "MTTA", |pages| mean(&pages.measures.acknowledgement)),
    Column::hidden("mtta_median_seconds", |pages| median(&pages.measures.acknowledgement)),
    Column::hidden("mtta_p90_seconds", |pages| p90(&pages.measures.acknowledgement)),
    Column::hidden("not_acknowledged", |pages| Cell::count(pages.measures.acknowledgement.left_out)),
    Column::number("mttr_seconds", "MTTR", |pages| mean(&pages.measures.resolution)),
    Column::hidden("mttr_median_seconds", |pages| median(&pages.measures.resolution)),
    Column::hidden("mttr_p90_seconds", |pages| p90(&pages.measures.resolution)),
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

/// The deployments of services.
enum DeliveryList {}

impl Listed for DeliveryList {
    type Item<'a> = &'a DeliveryCounts;
    type Widths = ();
}

type DeliveryColumn = ListColumn<DeliveryList>;

const DELIVERY_COLUMNS: &[DeliveryColumn] = &[
    DeliveryColumn::text("service", "SERVICE", |one| {
        Cell::Text(one.service.as_deref().unwrap_or("all services").to_owned())
    }),
    DeliveryColumn::number("deployments", "DEPLOYMENTS", |one| Cell::count(one.deployments)),
    DeliveryColumn::number("per_day", "PER DAY", |one| {
        Cell::Formatted(one.per_day, format!("{:.1}", one.per_day))
    }),
    DeliveryColumn::number("failed", "FAILED", |one| Cell::count(one.failures())),
    DeliveryColumn::hidden("followed_by_incident", |one| failed(one, FailureReason::Incident)),
    DeliveryColumn::hidden("rolled_back", |one| failed(one, FailureReason::RolledBack)),
    DeliveryColumn::hidden("not_deployed", |one| failed(one, FailureReason::NotDeployed)),
    DeliveryColumn::number("failure_rate", "FAILURE RATE", |one| {
        Cell::maybe(one.failure_rate(), Cell::Ratio)
    }),
    DeliveryColumn::number("restore_seconds", "RESTORE", |one| mean(&one.restore)),
    DeliveryColumn::hidden("restore_median_seconds", |one| median(&one.restore)),
    DeliveryColumn::hidden("restore_p90_seconds", |one| p90(&one.restore)),
    DeliveryColumn::hidden("not_restored", |one| Cell::count(one.restore.left_out)),
    DeliveryColumn::number("mttp_seconds", "MTTP", |one| mean(&one.to_production)),
    DeliveryColumn::hidden("mttp_median_seconds", |one| median(&one.to_production)),
    DeliveryColumn::hidden("mttp_p90_seconds", |one| p90(&one.to_production)),
    DeliveryColumn::hidden("commit_unknown", |one| Cell::count(one.to_production.left_out)),
];

/// The statistics as a document; with the alerts that fired and the deployments, if a source has them. Hours are those of the view's
/// time zone.
pub(super) fn document(view: &WorldView<'_>, known: &Statistics, wanted: StatsArgs) -> ReportDocument {
    let by = match wanted.by {
        StatsGrouping::Service => PageGrouping::Service,
        StatsGrouping::Team => PageGrouping::Team,
        StatsGrouping::All => PageGrouping::All,
    };
    let start = view.now.checked_sub(wanted.since).unwrap_or(jiff::Timestamp::MIN);
    let period = TimeRange { start, end: view.now };
    let of = |by| pages(view.world.incidents(), by, period, view.zone, &known.detections);
    let title = format!("Incidents triggered within the last {}", elapsed(wanted.since));
    let names = ("stats", title, "No incident was triggered in this period.");
    let list = ReportList::of(names, COLUMNS, of(by));
    let fired = known.fired.as_ref().map(|(summary, period)| {
        let title = format!("Alerts that fired within the last {}", elapsed(period.length()));
        let items = summary.fired.iter().map(|fired| (fired, *period));
        ReportList::of(("alerts", title, "No alert fired in this period."), FIRED_COLUMNS, items)
    });
    let delivered = known.delivered_in.map(|period| {
        let title = format!("Deployments within the last {}", elapsed(period.length()));
        let rows = known.deliveries.iter().filter(|one| by != PageGrouping::All || one.service.is_none());
        ReportList::of(("deployments", title, "No deployment in this period."), DELIVERY_COLUMNS, rows)
    });
    let lists = std::iter::once(list).chain(fired).chain(delivered).collect();
    let mut document = view.document(Vec::new(), lists, needs::STATS);
    let summary = known.fired.as_ref().map(|(summary, _)| summary);
    if summary.is_some_and(|summary| !summary.is_whole) {
        document.is_partial = true;
        document
            .notes
            .push("the list of alerts that fired is incomplete: not every source has answered".to_owned());
    }
    let all = of(PageGrouping::All).into_iter().next();
    let is_missing = |why: &Undetected| matches!(why, Undetected::Failed | Undetected::NotAnswered);
    document.is_partial |= all.as_ref().is_some_and(|all| all.undetected.keys().any(is_missing));
    document.notes.extend(notes(view, known, all.as_ref()));
    document
}

/// How the numbers are to be read, and which are not known.
fn notes(view: &WorldView<'_>, known: &Statistics, all: Option<&PageCounts>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: &str| notes.push(text.to_owned());
    if known.fired.iter().any(|(summary, _)| summary.fired.iter().any(|fired| fired.is_flapping)) {
        note("flapping: an alert started to fire three times or more within an hour");
    }
    let zone = view.zone.iana_name().unwrap_or("this machine");
    note(&format!(
        "hours and nights (22:00 to 07:00) are in the time zone {zone} and count high urgency only"
    ));
    note(
        "MTTA excludes incidents that nobody acknowledged, MTTR unresolved ones; MTBF counts the two highest priorities, or high urgency where there is no priority",
    );
    if let Some(all) = all {
        let (measured, reasons) =
            (all.measures.detection.counted, detection::reasons(&all.undetected).join("; "));
        let reasons = if reasons.is_empty() { reasons } else { format!("; not measured: {reasons}") };
        note(&format!(
            "MTTD is from the first bad minute of the service to its first alert, of {measured} of {} incidents{reasons}",
            all.incidents
        ));
    }
    if let Some(all) = known.deliveries.first() {
        note(FAILURES);
        let (made, unknown) = (all.to_production.counted, all.to_production.left_out);
        note(&format!(
            "MTTP is from the commit to the deployment, of {made} of {} deployments",
            made + unknown
        ));
    }
    if let Some(doubt) = &known.delivery_doubt {
        note(doubt.trim_end_matches('.'));
    }
    notes
}

fn failed(one: &DeliveryCounts, reason: FailureReason) -> Cell {
    Cell::count(one.failed.get(&reason).copied().unwrap_or(0))
}

fn mean(times: &DurationStats) -> Cell {
    span(times.typical.map(|typical| typical.mean))
}

fn median(times: &DurationStats) -> Cell {
    span(times.typical.map(|typical| typical.median))
}

fn p90(times: &DurationStats) -> Cell {
    span(times.typical.map(|typical| typical.p90))
}

/// Seconds in JSON.
fn span(time: Option<Duration>) -> Cell {
    time.map_or(Cell::Nothing, |time| Cell::Formatted(time.as_secs_f64(), elapsed(time)))
}
