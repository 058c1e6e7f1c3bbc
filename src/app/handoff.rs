//! The handoff report of a shift in Markdown: open incidents, error budgets, alerts, silences, actions taken, on-call.

use std::time::Duration;

use super::change_report;
use super::firing_history::{self, FiringSummary};
use super::markdown_writer::{MarkdownWriter, escaped};
use super::number::{UNKNOWN, or_dash, plural};
use super::prelude::*;
use super::runs;
use super::subjects::incident;
use crate::model::alert::{AlertState, Severity};
use crate::model::detection::Detections;
use crate::model::incident::{IncidentStatus, Urgency};
use crate::model::journal::ActionRecord;
use crate::model::matcher;
use crate::model::measures::DurationStats;
use crate::model::oncall::Coverage;
use crate::model::pages::{PageCounts, PageGrouping, pages};
use crate::model::silence::{Silence, SilenceState};
use crate::model::slo::{GroupStatus, SloState, TimeRange, show};

/// Most alerts in the table of firings.
const MAX_FIRED_ALERTS: usize = 10;
/// Most resolved incidents in the table.
const MAX_RESOLVED: usize = 20;
const MAX_ACTIONS: usize = 40;
/// Below a table of firings whose sources have not all answered.
pub(super) const INCOMPLETE_HISTORY: &str =
    "The firing history is incomplete: not every source has answered.";
/// An SLO within budget that spent less than this share of it is only counted.
const MIN_SPENT_SHARE: f64 = 0.01;

/// The report of the shift of this length that ends now.
pub fn markdown(shared: &Shared, length: Duration, now: Timestamp) -> String {
    let from = now.checked_sub(length).unwrap_or(Timestamp::MIN);
    let shift = TimeRange { start: from, end: now };
    let moment =
        |at: Timestamp| at.to_zoned(shared.look.zone.clone()).strftime("%a %-d %b %H:%M").to_string();
    let zone = now.to_zoned(shared.look.zone.clone()).strftime("%Z").to_string();
    let title = format!("Handoff: {}, {} to {} {zone}", shared.context, moment(from), moment(now));
    let mut writer = MarkdownWriter::titled(&title);
    writer.paragraph(&summary(shared, now));
    incidents(shared, shift, now, &mut writer);
    budgets(shared, length, &mut writer);
    alerts(shared, &firing_history::between(&shared.world, &shared.sources, from, now), shift, &mut writer);
    silences(shared, length, now, &mut writer);
    change_report::section(shared, shift, &mut writer);
    done(shared, shift, &mut writer);
    on_call(shared, now, &mut writer);
    stale_sources(shared, now, &mut writer);
    writer.into_text()
}

/// The first line of the report: open incidents, burning SLOs, firing alerts now.
fn summary(shared: &Shared, now: Timestamp) -> String {
    let world = &shared.world;
    let mut parts = Vec::new();
    if world.has_incident_data() {
        let open = world.incidents().iter().filter(|known| known.incident.is_open());
        let waiting = open.clone().filter(|known| known.incident.status == IncidentStatus::Triggered).count();
        let forgotten = open.clone().filter(|known| known.is_acknowledgement_old(now)).count();
        let waiting = (waiting > 0).then(|| format!(", {waiting} not acknowledged"));
        let forgotten = (forgotten > 0).then(|| format!(", {forgotten} acknowledged over 4h ago"));
        parts.push(format!(
            "{} open{}{}",
            plural(open.count(), "incident"),
            waiting.unwrap_or_default(),
            forgotten.unwrap_or_default()
        ));
    }
    let in_state = |state: SloState| world.slos().iter().filter(|slo| slo.state() == state).count();
    for (state, words) in
        [(SloState::Page, "burning fast enough to page"), (SloState::Exhausted, "exhausted")]
    {
        if in_state(state) > 0 {
            parts.push(format!("{} {words}", plural(in_state(state), "SLO")));
        }
    }
    let firing = world.totals().firing_with_severity();
    parts.push(format!("{} firing", plural(firing, "alert")));
    format!("**Now**: {}.", parts.join("; "))
}

fn incidents(shared: &Shared, shift: TimeRange, now: Timestamp, writer: &mut MarkdownWriter) {
    writer.section("Incidents");
    if shared.answering(AskKind::Incidents).next().is_none() {
        return writer.paragraph("No source of this context has incidents.");
    }
    if !shared.world.has_incident_data() {
        return writer.paragraph("Unknown: no source has answered yet.");
    }
    let all = shared.world.incidents().iter();
    let ended_within = |known: &&IncidentView| {
        let incident = &known.incident;
        !incident.is_open() && incident.resolved_at.unwrap_or(incident.changed_at) >= shift.start
    };
    let resolved: Vec<&IncidentView> = all.clone().filter(ended_within).collect();
    let shown: Vec<&IncidentView> = all
        .filter(|known| known.incident.is_open())
        .chain(resolved.iter().copied().take(MAX_RESOLVED))
        .collect();
    let rows = shown.iter().map(|known| incident_row(known, now));
    writer.table(&["#", "Status", "Priority", "Service", "Assigned to", "Age", "Title"], rows);
    if resolved.len() > MAX_RESOLVED {
        writer.paragraph(&format!("and {} more resolved incidents.", resolved.len() - MAX_RESOLVED));
    }
    writer.points(shown.iter().filter_map(|known| {
        Some(format!("\\#{}: <{}>", known.incident.number, known.incident.url.as_deref()?))
    }));
    // the report says nothing of detection, which costs queries of its own
    let (zone, detections) = (&shared.look.zone, Detections::default());
    match pages(shared.world.incidents(), PageGrouping::All, shift, zone, &detections).first() {
        Some(pages) => writer.paragraph(&measured(pages)),
        None => writer.paragraph("No incidents were created in this shift."),
    }
}

fn incident_row(view: &IncidentView, now: Timestamp) -> Vec<String> {
    let incident = &view.incident;
    let text = |text: Option<&Text>| text.map(ToString::to_string).unwrap_or_default();
    let forgotten = if view.is_acknowledgement_old(now) { " (over 4h ago)" } else { "" };
    let low = if incident.urgency == Urgency::Low { ", low urgency" } else { "" };
    let who: Vec<&str> = view.holders().iter().map(|person| &*person.name).collect();
    vec![
        incident.number.to_string(),
        format!("{}{forgotten}{low}", incident.status.word()),
        text(incident.priority.as_ref().map(|priority| &priority.named.name)),
        text(incident::service(view)),
        if who.is_empty() { "nobody".to_owned() } else { who.join(", ") },
        ago(incident.created_at, now),
        incident.title.to_string(),
    ]
}

/// The number of incidents, MTTA and MTTR, as a sentence.
fn measured(pages: &PageCounts) -> String {
    let at_night = if pages.at_night > 0 { format!(" ({} at night)", pages.at_night) } else { String::new() };
    let acknowledged = typical(pages.measures.acknowledgement, "not acknowledged");
    let resolved = typical(pages.measures.resolution, "not resolved");
    format!(
        "Incidents created in this shift: {}, {} of high urgency{at_night}. MTTA {acknowledged}, MTTR {resolved}.",
        pages.incidents, pages.high
    )
}

/// The mean and the median as text, with the number of incidents that are not included.
pub(super) fn typical(measure: DurationStats, missing: &str) -> String {
    let left_out =
        if measure.left_out > 0 { format!(", {} {missing}", measure.left_out) } else { String::new() };
    match measure.typical {
        Some(typical) => {
            let (mean, median) = (duration::short(typical.mean), duration::short(typical.median));
            format!("{mean} (median {median}{left_out})")
        }
        None => format!("unknown ({} {missing})", measure.left_out),
    }
}

/// The share of the window's budget that was spent, over the known lookback nearest to the shift's length.
fn spent(status: &SloStatus, group_status: &GroupStatus, length: Duration) -> Option<(Duration, f64)> {
    let distance = |lookback: Duration| (lookback.as_secs_f64() / length.as_secs_f64().max(1.0)).ln().abs();
    let known = group_status.burns.iter().filter_map(|burn| Some((burn.lookback, burn.rate?)));
    let (lookback, rate) = known.min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))?;
    let window = status.slo.window.length(status.at).as_secs_f64();
    (window > 0.0).then(|| (lookback, rate * lookback.as_secs_f64() / window))
}

/// The SLO's name after its service, because many SLOs are called `availability`.
pub(super) fn named(status: &SloStatus) -> String {
    match &status.service {
        Some(service) => format!("{service}: {}", status.slo.name),
        None => status.slo.name.to_string(),
    }
}

fn budgets(shared: &Shared, length: Duration, writer: &mut MarkdownWriter) {
    writer.section("Error budgets");
    if shared.world.slos().is_empty() {
        return writer.paragraph("No SLOs found.");
    }
    let mut slos: Vec<&SloStatus> = shared.world.slos().iter().collect();
    slos.sort_by(|a, b| a.by_urgency(b));
    let mut rows = Vec::new();
    let mut within_budget = 0;
    for status in slos {
        let Some(group_status) = status.worst() else { continue };
        let spent = spent(status, group_status, length);
        let is_within_budget = matches!(group_status.state, SloState::Fine | SloState::Quiet)
            && spent.is_none_or(|(_, share)| share < MIN_SPENT_SHARE);
        if is_within_budget {
            within_budget += 1;
            continue;
        }
        rows.push(vec![
            named(status),
            group_status.state.word().to_owned(),
            or_dash(group_status.left(), show::left),
            spent.map_or_else(
                || UNKNOWN.to_owned(),
                |(lookback, share)| format!("{} in {}", show::left(share), duration::short(lookback)),
            ),
            or_dash(group_status.burn(Duration::from_secs(3600)), show::burn),
            show::exhaustion(group_status.exhaustion),
        ]);
    }
    writer.table(&["SLO", "Status", "Budget", "Spent", "Burn 1h", "Exhausted in"], &rows);
    if within_budget > 0 {
        let others = if rows.is_empty() { "" } else { "other " };
        writer.paragraph(&format!("{} within budget.", plural(within_budget, &format!("{others}SLO"))));
    }
}

fn alerts(shared: &Shared, noise: &FiringSummary, shift: TimeRange, writer: &mut MarkdownWriter) {
    writer.section("Alerts");
    let totals = shared.world.totals();
    let mut parts: Vec<String> = [Severity::Critical, Severity::Warning, Severity::Info]
        .into_iter()
        .filter(|severity| totals.firing(*severity) > 0)
        .map(|severity| format!("{} {}", totals.firing(severity), severity.word()))
        .collect();
    for quiet in [AlertState::Silenced, AlertState::Inhibited] {
        if totals.in_state(quiet) > 0 {
            parts.push(format!("{} {}", totals.in_state(quiet), quiet.word()));
        }
    }
    let now_firing = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
    writer.paragraph(&format!("Firing now: {now_firing}."));
    firings_table(noise, shift, ("Fired in this shift", "No alerts fired in this shift."), writer);
}

/// The table of the most frequent firings: count, total time, last firing, flapping. `title` is the header of the first column,
/// `none` the text if there were no firings.
pub(super) fn firings_table(
    noise: &FiringSummary,
    time: TimeRange,
    (title, none): (&str, &str),
    writer: &mut MarkdownWriter,
) {
    let flaps = noise.fired.iter().any(|fired| fired.is_flapping);
    // the last column marks flapping alerts
    let columns = if flaps { 6 } else { 5 };
    let rows = noise.fired.iter().take(MAX_FIRED_ALERTS).map(|fired| {
        let last = fired.firings.iter().map(|firing| firing.to).max().unwrap_or(time.end);
        let about = if fired.is_about() { "about " } else { "" };
        let row = [
            fired.name.to_string(),
            fired.service.as_deref().unwrap_or_default().to_owned(),
            fired.firings.len().to_string(),
            format!("{about}{}", duration::short(fired.time(time))),
            ago(last, time.end),
            if fired.is_flapping { "flapping".to_owned() } else { String::new() },
        ];
        row.into_iter().take(columns).collect::<Vec<_>>()
    });
    let titles = [title, "Service", "Count", "Total time", "Last", ""];
    writer.table(titles.get(..columns).unwrap_or_default(), rows);
    if flaps {
        writer.paragraph("Flapping: the alert fired three times or more within an hour.");
    }
    if noise.fired.len() > MAX_FIRED_ALERTS {
        writer.paragraph(&format!("and {} others.", noise.fired.len() - MAX_FIRED_ALERTS));
    }
    if !noise.is_whole {
        writer.paragraph(INCOMPLETE_HISTORY);
    } else if noise.fired.is_empty() {
        writer.paragraph(none);
    }
}

fn silences(shared: &Shared, length: Duration, now: Timestamp, writer: &mut MarkdownWriter) {
    writer.section("Silences");
    if shared.answering(AskKind::Silences).next().is_none() {
        return writer.paragraph("No source of this context has silences.");
    }
    let active: Vec<_> =
        shared.world.silences().filter(|silence| silence.state != SilenceState::Expired).collect();
    let next_shift = now.checked_add(length).unwrap_or(Timestamp::MAX);
    let mut ending: Vec<_> = active.iter().filter(|silence| silence.ends_at <= next_shift).collect();
    ending.sort_by_key(|silence| silence.ends_at);
    let hides = |silence: &Silence| shared.world.hidden_by(&silence.id).count();
    let rows = ending.iter().map(|silence| {
        [
            duration::short(age(now, silence.ends_at)),
            matcher::list(&silence.matchers),
            plural(hides(silence), "alert"),
            silence.created_by.to_string(),
            silence.comment.to_string(),
        ]
    });
    writer.table(&["Ends in", "Matchers", "Silences now", "Created by", "Comment"], rows);
    let longer = active.len() - ending.len();
    writer.paragraph(&match (ending.len(), longer) {
        (0, 0) => "None.".to_owned(),
        (0, longer) => format!("None ends in the next {}; {longer} last longer.", duration::short(length)),
        (_, 0) => "None lasts longer than the next shift.".to_owned(),
        (_, longer) => format!("{longer} more last longer."),
    });
}

/// An action of the journal as one line of Markdown.
fn action_line(shared: &Shared, record: &ActionRecord) -> String {
    let zone = shared.look.zone.clone();
    let at = record.begun_at.to_zoned(zone).strftime("%H:%M").to_string();
    format!("{at} {}: {}", escaped(&record.who), escaped(&runs::recorded(record)))
}

fn done(shared: &Shared, shift: TimeRange, writer: &mut MarkdownWriter) {
    writer.section("Actions taken");
    let is_its = |record: &&ActionRecord| record.begun_at >= shift.start && record.context == shared.context;
    let its: Vec<&ActionRecord> = shared.records.iter().filter(is_its).collect();
    if shared.is_journal_ahead {
        writer.paragraph("The journal has not been read completely yet.");
    } else if its.is_empty() {
        writer.paragraph("No actions by burnwatch on this machine.");
    }
    let left_out = its.len().saturating_sub(MAX_ACTIONS);
    writer.points(its.iter().skip(left_out).map(|record| action_line(shared, record)));
    if left_out > 0 {
        writer.paragraph(&format!("and {left_out} earlier actions (see `burnwatch journal`)."));
    }
}

fn on_call(shared: &Shared, now: Timestamp, writer: &mut MarkdownWriter) {
    writer.section("On call");
    let mut rows = Vec::new();
    for (_, snapshot) in shared.world.on_call() {
        for policy in &snapshot.policies {
            let Some(level) = policy.levels.first() else { continue };
            let on_call_at = snapshot.on_call_at(&policy.named.id, level.number, now);
            let people = |cover: &Coverage| match cover {
                Coverage::Unknown => "unknown".to_owned(),
                Coverage::Nobody => "nobody on call".to_owned(),
                Coverage::People(turns) => {
                    turns.iter().map(|turn| turn.person.name.to_string()).collect::<Vec<_>>().join(", ")
                }
            };
            let (until, next) = match &on_call_at.next {
                Some((at, cover)) => {
                    let here = at.to_zoned(shared.look.zone.clone());
                    (here.strftime("%a %H:%M").to_string(), people(cover))
                }
                None => ("-".to_owned(), "-".to_owned()),
            };
            rows.push(vec![policy.named.name.to_string(), people(&on_call_at.now), until, next]);
        }
    }
    rows.sort();
    writer.table(&["Policy", "Now", "Until", "Next"], &rows);
    if rows.is_empty() {
        writer.paragraph("Unknown: no source of this context has on-call data yet.");
    }
}

fn stale_sources(shared: &Shared, now: Timestamp, writer: &mut MarkdownWriter) {
    let stale_sources = super::staleness::stale_sources(shared, &AskKind::ALL, now);
    if stale_sources.is_empty() {
        return;
    }
    writer.section("Stale or missing data");
    writer.points(stale_sources.iter().map(|doubt| escaped(&doubt.sentence(now))));
}
