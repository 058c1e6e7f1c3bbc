//! The texts and numbers of an SLO, used by every screen that shows one.

use std::collections::BTreeMap;

use crate::app::number::UNKNOWN;
use crate::app::prelude::*;
use crate::model::slo::{
    BASIS, BurnCondition, BurnReading, BurnSeverity, Evaluation, Exhaustion, GroupStatus, MeasuredRatio,
    MissingReason, Slo, SloState, are_few, show,
};

/// The remaining share of the budget; in the role for down when it is exhausted.
pub fn left(group_status: Option<&GroupStatus>) -> StyledRun<'static> {
    match group_status.and_then(GroupStatus::left) {
        Some(left) if left <= 0.0 => StyledRun::new(show::left(left), Role::Down),
        Some(left) => StyledRun::new(show::left(left), Role::Text),
        None => StyledRun::new(UNKNOWN, Role::Muted),
    }
}

/// The role of a state, or this role for a healthy SLO and one without traffic, so that the others stand out.
pub fn role_or(state: SloState, quiet: Role) -> Role {
    match Role::of_slo(state) {
        Role::Healthy | Role::Info => quiet,
        role => role,
    }
}

/// The SLI over the window: the ratio of good events.
pub fn sli(slo: &Slo, measured: MeasuredRatio) -> StyledRun<'static> {
    match measured.error() {
        Some(error) => {
            let role = if error > slo.objective.budget() { Role::Down } else { Role::Text };
            StyledRun::new(show::sli(1.0 - error, slo.objective), role)
        }
        None => StyledRun::new(nothing(measured), Role::Muted),
    }
}

/// The text in place of a missing number. No answer, no series, no traffic and an invalid value have different texts.
fn nothing(measured: MeasuredRatio) -> &'static str {
    match measured {
        MeasuredRatio::Unknown | MeasuredRatio::Ratio { .. } => UNKNOWN,
        MeasuredRatio::NoTraffic => "idle",
        MeasuredRatio::Absent => "no data",
        MeasuredRatio::Odd(_) => "invalid",
    }
}

/// The burn rate over a lookback, in the role of the burn-rate condition that it exceeds; in brackets if there are few events.
pub fn burn(slo: &Slo, group_status: &GroupStatus, lookback: Duration) -> StyledRun<'static> {
    let Some(burn) = group_status.burns.iter().find(|burn| burn.lookback == lookback) else {
        return StyledRun::new(UNKNOWN, Role::Muted);
    };
    match burn.rate {
        Some(rate) if has_few_events(slo, burn) => {
            StyledRun::new(format!("({})", show::burn(rate)), Role::Muted)
        }
        Some(rate) => StyledRun::new(show::burn(rate), burn_role(slo, lookback, rate)),
        None => StyledRun::new(nothing(burn.measured), Role::Muted),
    }
}

/// The role of a burn rate over this lookback: that of the most severe condition whose factor it exceeds.
pub fn burn_role(slo: &Slo, lookback: Duration, rate: f64) -> Role {
    let exceeded = |pair: &&BurnCondition| of_lookback(pair, lookback) && pair.is_exceeded_by(rate);
    match slo.pairs.iter().filter(exceeded).map(|pair| pair.severity).min() {
        Some(BurnSeverity::Page) => Role::Critical,
        Some(BurnSeverity::Ticket) => Role::Warning,
        None if rate > 1.0 => Role::Burning,
        None => Role::Text,
    }
}

fn of_lookback(pair: &BurnCondition, lookback: Duration) -> bool {
    pair.long == lookback || pair.short == lookback
}

/// Whether there are so few events that a single failure would exceed the factor.
///
/// Of several conditions with this lookback the smallest factor counts; without a condition, a burn rate of 1.
pub fn has_few_events(slo: &Slo, burn: &BurnReading) -> bool {
    let factors = slo.pairs.iter().filter(|pair| of_lookback(pair, burn.lookback)).map(|pair| pair.factor);
    let factor = factors.reduce(f64::min).unwrap_or(1.0);
    burn.measured.events().is_some_and(|events| are_few(events, slo.objective, factor))
}

/// When the budget is exhausted at the burn rate of the last hour.
pub fn exhaustion(status: &SloStatus, group_status: &GroupStatus) -> StyledRun<'static> {
    current_exhaustion(status, group_status).1
}

/// When the budget is exhausted at this burn rate: label and value. The header, the list and the chart use the same text.
pub fn exhaustion_label(
    status: &SloStatus,
    exhaustion: Option<Exhaustion>,
    rate: Option<f64>,
) -> (&'static str, StyledRun<'static>) {
    let window = status.slo.window.length(status.at);
    let text = show::exhausted_in(exhaustion, window);
    let is_burning = rate.is_some_and(|rate| rate > 1.0);
    match exhaustion {
        Some(Exhaustion::Exhausted) => ("budget", StyledRun::new(text, Role::Down)),
        Some(Exhaustion::NotBeforeReset(_)) => ("lasts until", StyledRun::new(text, Role::Muted)),
        Some(Exhaustion::Never) => ("exhausted", StyledRun::new(text, Role::Muted)),
        // errors leave the window meanwhile, so a forecast beyond its length is not reliable
        Some(Exhaustion::In(after)) if after > window => ("exhausted in", StyledRun::new(text, Role::Muted)),
        None | Some(Exhaustion::NotWithinWindow(_)) => ("exhausted in", StyledRun::new(text, Role::Muted)),
        Some(Exhaustion::In(_)) => {
            ("exhausted in", StyledRun::new(text, if is_burning { Role::Burning } else { Role::Text }))
        }
    }
}

/// The same at the burn rate of the last hour.
pub fn current_exhaustion(status: &SloStatus, group: &GroupStatus) -> (&'static str, StyledRun<'static>) {
    let rate = group.burn_near(BASIS).and_then(|burn| burn.rate);
    exhaustion_label(status, group.exhaustion, rate)
}

/// Why a number is missing.
pub fn doubt(status: &SloStatus, doubt: &MissingReason, cx: &Cx<'_>) -> String {
    match doubt {
        MissingReason::Unknown => "not measured yet".to_owned(),
        MissingReason::NeverHadData => "never had data".to_owned(),
        MissingReason::NoDataSince(at) => format!("no data since {}", moment(*at, cx.now, cx.zone)),
        MissingReason::Odd(odd, over) => odd.message(*over, status.evaluation),
        MissingReason::Missing(over) => format!("{} has no data", status.evaluation.ratio(*over)),
        MissingReason::Because(why) => why.to_string(),
        MissingReason::Refused(said) => format!("query rejected: {said}"),
        MissingReason::NoQuery => "the definition of the SLO has no query for this source".to_owned(),
    }
}

/// The part of the window that has data, if not all of it has: `6d of 30d`.
pub fn covered(status: &SloStatus, group_status: &GroupStatus) -> Option<String> {
    let share = group_status.covered?;
    Some(show::covered(share, group_status.covered_at_most, status.slo.window.elapsed(status.at)))
}

/// The state; with the part of the window that has data if that is too little: `insufficient data (1h29m of 30d)`.
pub fn state(status: &SloStatus) -> String {
    let covered = status.worst().and_then(|worst| covered(status, worst));
    let state = status.state();
    match covered.filter(|_| state == SloState::Insufficient) {
        Some(covered) => format!("{} ({covered})", state.word()),
        None => state.word().to_owned(),
    }
}

/// Remarks about the reliability of the numbers, the most important first.
pub fn notes(status: &SloStatus, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let mut notes = Vec::new();
    let Some(worst) = status.worst() else {
        let said = status.failure.as_ref().map(|said| format!("query rejected: {said}"));
        notes.push(StyledRun::new(said.unwrap_or_else(|| "not measured yet".to_owned()), Role::Unknown));
        return notes;
    };
    let is_thin = worst.state == SloState::Insufficient;
    notes.extend(
        covered(status, worst).filter(|_| is_thin).map(|covered| StyledRun::new(covered, Role::Pending)),
    );
    if let Some(said) = &worst.doubt {
        notes.push(StyledRun::new(doubt(status, said, cx), Role::Unknown));
    }
    if status.groups.len() > 1 {
        notes.push(StyledRun::new(format!("worst of {}: {}", status.groups.len(), group(worst)), Role::Text));
    }
    if let Some(covered) = covered(status, worst).filter(|_| !is_thin) {
        notes.push(StyledRun::new(covered, Role::Warning));
    }
    if let Some(remark) = remark(status, worst) {
        notes.push(StyledRun::new(remark.to_owned(), Role::Warning));
    }
    let basis = worst.burns.iter().find(|burn| burn.lookback == BASIS);
    if basis.is_some_and(|burn| burn.rate.is_some() && has_few_events(&status.slo, burn)) {
        notes.push(StyledRun::new("few events", Role::Muted));
    }
    if worst.is_time_weighted && worst.window.error().is_some() {
        notes.push(StyledRun::new("time-weighted", Role::Muted));
    }
    if status.evaluation == Evaluation::Live {
        notes.push(StyledRun::new("live", Role::Muted));
    }
    notes
}

/// A remark about the way the numbers were measured, unless it is already the reason for a missing number.
pub fn remark<'a>(status: &'a SloStatus, group_status: &GroupStatus) -> Option<&'a str> {
    status.remark.as_deref().filter(|_| !matches!(group_status.doubt, Some(MissingReason::Because(_))))
}

/// The labels of a group: `region=eu-west zone=b`.
pub fn group(group_status: &GroupStatus) -> String {
    let pairs: Vec<String> =
        group_status.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

/// The notes as one line, separated by commas.
pub fn joined(notes: Vec<StyledRun<'static>>) -> Vec<StyledRun<'static>> {
    let mut runs = Vec::with_capacity(2 * notes.len());
    for note in notes {
        if !runs.is_empty() {
            runs.push(StyledRun::new(", ", Role::Muted));
        }
        runs.push(note);
    }
    runs
}

/// The number of SLOs in each state, worst first.
pub fn count_states<'a>(slos: impl IntoIterator<Item = &'a SloStatus>) -> BTreeMap<SloState, usize> {
    let mut states = BTreeMap::new();
    for status in slos {
        *states.entry(status.state()).or_default() += 1;
    }
    states
}

/// The number of SLOs in each state; healthy ones and those without traffic are not counted.
pub fn totals(states: &BTreeMap<SloState, usize>) -> impl Iterator<Item = (String, Role)> {
    let bad = states.iter().filter(|(state, _)| !matches!(state, SloState::Fine | SloState::Quiet));
    bad.map(|(state, count)| (format!("{count} {}", state.word()), Role::of_slo(*state)))
}

/// The time of the measurement, on a screen that shows a moment in the past.
pub fn as_of(cx: &Cx<'_>, wanted: Timestamp, measured: Timestamp) -> StyledRun<'static> {
    let (at, shown) = (moment(wanted, cx.now, cx.zone), moment(measured, cx.now, cx.zone));
    // old numbers stay until the answers for the requested moment arrive
    let words = if at == shown { format!("  as of {at}") } else { format!("  as of {shown}, loading {at}") };
    StyledRun::new(words, Role::Banner)
}

/// Whether several sources have SLOs, so that the source must be shown.
pub fn are_shared(shared: &Shared) -> bool {
    shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos)).count() > 1
}

/// The burn rate of an SLO that pages, warns or burns and whose budget is unknown.
pub fn burn_runs(status: &SloStatus, group_status: &GroupStatus) -> Vec<StyledRun<'static>> {
    let is_alarming = matches!(group_status.state, SloState::Page | SloState::Ticket | SloState::Burning);
    let basis = group_status.burn_near(BASIS).filter(|_| is_alarming);
    let reported = basis.map(|basis| {
        let over = duration::text(basis.lookback);
        [
            StyledRun::new(format!("  burn {over} "), Role::Muted),
            burn(&status.slo, group_status, basis.lookback),
        ]
    });
    reported.into_iter().flatten().collect()
}

/// An SLO in one line: symbol, name, [`summary`], and its source if several sources have SLOs.
pub fn line(cx: &ScreenCx<'_>, status: &SloStatus, name: &str) -> Vec<StyledRun<'static>> {
    let role = Role::of_slo(status.state());
    let mut runs = vec![StyledRun::new(format!(" {} {name}  ", cx.symbol(role)), role)];
    runs.extend(summary(status));
    if are_shared(cx.shared) {
        runs.push(StyledRun::new(format!("  {}", status.source), Role::Muted));
    }
    runs
}

/// A one-line summary: state, remaining budget, burn rate, time to exhaustion.
fn summary(status: &SloStatus) -> Vec<StyledRun<'static>> {
    let role = Role::of_slo(status.state());
    let mut runs = vec![StyledRun::new(state(status), role)];
    let Some(worst) = status.worst() else { return runs };
    if worst.left().is_none() {
        runs.extend(burn_runs(status, worst));
        return runs;
    }
    let parts = [
        ("budget", left(Some(worst))),
        ("burn 1h", burn(&status.slo, worst, BASIS)),
        current_exhaustion(status, worst),
    ];
    for (name, value) in parts {
        runs.push(StyledRun::new(format!("  {name} "), Role::Muted));
        runs.push(value);
    }
    runs
}
