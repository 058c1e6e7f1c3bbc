//! How an SLO is told in words and numbers, on every screen that names it.

use std::time::Duration;

use crate::app::number::UNKNOWN;
use crate::app::prelude::*;
use crate::model::slo::{
    BASIS, BurnCondition, BurnReading, Evaluation, Exhaustion, GroupStatus, MeasuredRatio, MissingReason,
    Severity, Slo, SloState, are_few, show,
};

/// The share of the budget that is left, in the role of how it stands.
pub fn left(group_status: Option<&GroupStatus>) -> StyledRun<'static> {
    match group_status.and_then(GroupStatus::left) {
        Some(left) if left <= 0.0 => StyledRun::new(show::left(left), Role::Down),
        Some(left) => StyledRun::new(show::left(left), Role::Text),
        None => StyledRun::new(UNKNOWN, Role::Muted),
    }
}

/// How the bar of a budget looks: what is well does not shine, so that the others are seen.
pub fn bar_role(status: &SloStatus) -> Role {
    match Role::of_slo(status.state()) {
        Role::Healthy | Role::Info => Role::Muted,
        role => role,
    }
}

/// The share of good events over the window.
pub fn sli(slo: &Slo, measured: MeasuredRatio) -> StyledRun<'static> {
    match measured.error() {
        Some(error) => {
            let role = if error > slo.objective.budget() { Role::Down } else { Role::Text };
            StyledRun::new(show::sli(1.0 - error, slo.objective), role)
        }
        None => StyledRun::new(nothing(measured), Role::Muted),
    }
}

/// What stands where there is no number: not asked, gone, idle and odd are different things.
fn nothing(measured: MeasuredRatio) -> &'static str {
    match measured {
        MeasuredRatio::Unknown | MeasuredRatio::Ratio { .. } => UNKNOWN,
        MeasuredRatio::NoTraffic => "idle",
        MeasuredRatio::Absent => "none",
        MeasuredRatio::Odd(_) => "odd",
    }
}

/// The burn over a lookback: in the role of the pair that it would hold, hollow where a single event could make it.
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

/// How a burn over this lookback looks: as the gravest pair whose factor it exceeds there.
pub fn burn_role(slo: &Slo, lookback: Duration, rate: f64) -> Role {
    let exceeded = |pair: &&BurnCondition| of_lookback(pair, lookback) && pair.is_exceeded_by(rate);
    match slo.pairs.iter().filter(exceeded).map(|pair| pair.severity).min() {
        Some(Severity::Page) => Role::Critical,
        Some(Severity::Ticket) => Role::Warning,
        None if rate > 1.0 => Role::Burning,
        None => Role::Text,
    }
}

fn of_lookback(pair: &BurnCondition, lookback: Duration) -> bool {
    pair.long == lookback || pair.short == lookback
}

/// Whether there are so few events that one failure among them would exceed the factor.
///
/// Of several pairs with this lookback the smallest factor counts; without one, a burn of 1.
pub fn has_few_events(slo: &Slo, burn: &BurnReading) -> bool {
    let factors = slo.pairs.iter().filter(|pair| of_lookback(pair, burn.lookback)).map(|pair| pair.factor);
    let factor = factors.reduce(f64::min).unwrap_or(1.0);
    burn.measured.events().is_some_and(|events| are_few(events, slo.objective, factor))
}

/// When the budget is gone at the present burn, at the earliest.
pub fn exhaustion(status: &SloStatus, group_status: &GroupStatus) -> StyledRun<'static> {
    let rate = group_status.burn_near(BASIS).and_then(|burn| burn.rate);
    exhaustion_label(status, group_status.exhaustion, rate).1
}

/// When the budget is gone at this burn, with its name, as a part of a line: the header, the list and the chart say the same.
pub fn exhaustion_label(
    status: &SloStatus,
    exhaustion: Option<Exhaustion>,
    rate: Option<f64>,
) -> (&'static str, StyledRun<'static>) {
    let window = status.slo.window.length(status.at);
    let text = show::gone_in(exhaustion, window);
    let is_burning = rate.is_some_and(|rate| rate > 1.0);
    match exhaustion {
        Some(Exhaustion::Exhausted) => ("budget", StyledRun::new(text, Role::Down)),
        Some(Exhaustion::NotBeforeReset(_)) => ("lasts until", StyledRun::new(text, Role::Muted)),
        Some(Exhaustion::Never) => ("gone", StyledRun::new(text, Role::Muted)),
        // what is beyond the window will not be
        Some(Exhaustion::In(after)) if after > window => ("gone in", StyledRun::new(text, Role::Muted)),
        None | Some(Exhaustion::NotWithinWindow(_)) => ("gone in", StyledRun::new(text, Role::Muted)),
        Some(Exhaustion::In(_)) => {
            ("gone in", StyledRun::new(text, if is_burning { Role::Burning } else { Role::Text }))
        }
    }
}

/// The same at the burn of the last hour.
pub fn current_exhaustion(
    status: &SloStatus,
    group_status: &GroupStatus,
) -> (&'static str, StyledRun<'static>) {
    exhaustion_label(
        status,
        group_status.exhaustion,
        group_status.burn_near(BASIS).and_then(|burn| burn.rate),
    )
}

/// The comment: why a number is missing.
pub fn doubt(status: &SloStatus, doubt: &MissingReason, cx: &Cx<'_>) -> String {
    match doubt {
        MissingReason::Unknown => "not measured yet".to_owned(),
        MissingReason::NeverHadData => "never had data".to_owned(),
        MissingReason::NoDataSince(at) => format!("no data since {}", moment(*at, cx.now, cx.zone)),
        MissingReason::Odd(odd, over) => odd.told(*over, status.evaluation),
        MissingReason::Missing(over) => format!("{} is missing", status.evaluation.ratio(*over)),
        MissingReason::Because(why) => why.to_string(),
        MissingReason::Refused(said) => format!("refused: {said}"),
        MissingReason::NoQuery => "its definition has no query for this source".to_owned(),
    }
}

/// How much of the window is covered, if not all: `6d of 30d`.
pub fn covered(status: &SloStatus, group_status: &GroupStatus) -> Option<String> {
    let share = group_status.covered?;
    Some(show::covered(share, group_status.covered_at_most, status.slo.window.elapsed(status.at)))
}

/// How it is, with how much there are data for where that is too little: `insufficient data (1h29m of 30d)`.
pub fn state(status: &SloStatus) -> String {
    let covered = status.worst().and_then(|worst| covered(status, worst));
    let state = status.state();
    match covered.filter(|_| state == SloState::Insufficient) {
        Some(covered) => format!("{} ({covered})", state.word()),
        None => state.word().to_owned(),
    }
}

/// What must be known about the numbers, the most important first.
pub fn notes(status: &SloStatus, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let mut notes = Vec::new();
    let Some(worst) = status.worst() else {
        let said = status.trouble.as_ref().map(|said| format!("refused: {said}"));
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

/// What must be known about how the numbers were had, where it is not why one is missing.
pub fn remark<'a>(status: &'a SloStatus, group_status: &GroupStatus) -> Option<&'a str> {
    status.remark.as_deref().filter(|_| !matches!(group_status.doubt, Some(MissingReason::Because(_))))
}

/// What tells a group from the others: `eu-west` of one label, `region=eu-west zone=b` of several.
pub fn group(group_status: &GroupStatus) -> String {
    let pairs: Vec<String> =
        group_status.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(" ")
}

/// Notes one behind the other.
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

/// How many are in which state, the worst first; what is well is not counted.
pub fn totals(states: &std::collections::BTreeMap<SloState, usize>) -> Vec<StyledRun<'static>> {
    let told = states.iter().filter(|(state, _)| !matches!(state, SloState::Fine | SloState::Quiet));
    told.map(|(state, count)| StyledRun::new(format!("  {count} {}", state.word()), Role::of_slo(*state)))
        .collect()
}

/// At which moment it was measured, where another one than now is wanted.
pub fn as_of(cx: &Cx<'_>, wanted: Timestamp, measured: Timestamp) -> StyledRun<'static> {
    let (at, shown) = (moment(wanted, cx.now, cx.zone), moment(measured, cx.now, cx.zone));
    // old numbers stay until those that were asked for are there
    let words = if at == shown { format!("  as of {at}") } else { format!("  of {shown}, asking for {at}") };
    StyledRun::new(words, Role::Banner)
}

/// Whether several sources tell of SLOs, so that whose one is must be said.
pub fn are_shared(shared: &Shared) -> bool {
    shared.sources.iter().filter(|source| source.answers.contains(&AskKind::Slos)).count() > 1
}

/// The burn of what pages, warns or burns: what there is to say of it where nothing can be said of the budget.
pub fn burn_runs(status: &SloStatus, group_status: &GroupStatus) -> Vec<StyledRun<'static>> {
    let is_alarming = matches!(group_status.state, SloState::Page | SloState::Ticket | SloState::Burning);
    let basis = group_status.burn_near(BASIS).filter(|_| is_alarming);
    let told = basis.map(|basis| {
        let over = duration::text(basis.lookback);
        [
            StyledRun::new(format!("  burn {over} "), Role::Muted),
            burn(&status.slo, group_status, basis.lookback),
        ]
    });
    told.into_iter().flatten().collect()
}

/// How it stands in one line: state, budget left, burn, and when it is gone.
pub fn summary(status: &SloStatus) -> Vec<StyledRun<'static>> {
    let role = Role::of_slo(status.state());
    let mut runs = vec![StyledRun::new(state(status), role)];
    let Some(worst) = status.worst() else { return runs };
    if worst.left().is_none() {
        runs.extend(burn_runs(status, worst));
        return runs;
    }
    let parts = [
        ("left", left(Some(worst))),
        ("burn 1h", burn(&status.slo, worst, BASIS)),
        current_exhaustion(status, worst),
    ];
    for (name, value) in parts {
        runs.push(StyledRun::new(format!("  {name} "), Role::Muted));
        runs.push(value);
    }
    runs
}
