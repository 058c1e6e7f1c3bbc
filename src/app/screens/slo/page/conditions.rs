//! The burn-rate conditions of an SLO: whether they are met, their detection times, and whether the alerts agree.

use crate::app::prelude::*;
use crate::app::screens::slo::OpenSlo;
use crate::app::screens::slo::forecast_burns;
use crate::app::subjects::slo::words;
use crate::model::promql;
use crate::model::rule::Rule;
use crate::model::slo::{BurnConditionState, BurnReading, BurnSeverity, GroupStatus, show};

/// How long an alert and its condition may disagree: two evaluation intervals of the usual length.
const AGREES_WITHIN: Duration = Duration::from_secs(120);

/// Writes each condition: whether it is met, its burn rates, its detection time; then whether the alerts agree.
pub(super) fn conditions(
    cx: &ScreenCx<'_>,
    screen: &OpenSlo,
    status: &SloStatus,
    group_status: &GroupStatus,
    page: &mut PageContent,
) {
    if group_status.pairs.is_empty() {
        return;
    }
    page.title("Burn-rate conditions");
    let objective = status.slo.objective;
    let sentences: Vec<(String, Role)> = group_status.pairs.iter().map(sentence).collect();
    let widest = sentences.iter().map(|(words, _)| text::width(words)).max().unwrap_or(0);
    for (now, (words, role)) in group_status.pairs.iter().zip(sentences) {
        let pair = now.pair;
        let formatted = |burn: Option<f64>| burn.map_or_else(|| "-".to_owned(), show::burn);
        let burn = |lookback, burn| format!("  {:>4} {:>6}", duration::short(lookback), formatted(burn));
        let head = format!("  {} {}", cx.symbol(role), text::pad(&words, widest, cx.charset));
        let mut line = vec![StyledRun::new(head, role)];
        let burns = [burn(pair.long, now.long), burn(pair.short, now.short)];
        let burns = burns.map(|words| StyledRun::new(words, Role::Text));
        let notices: Vec<StyledRun<'static>> = if pair.can_never_fire(objective) {
            let most = show::burn(objective.max_burn_rate());
            vec![StyledRun::new(
                format!("  can never fire: the maximum at this objective is {most}"),
                Role::Warning,
            )]
        } else {
            let soon = |error| pair.time_to_detection(objective, error).map(duration::short);
            let present = now.short.and_then(|burn| soon(burn * objective.budget()));
            let outage = soon(1.0).map(|soon| format!("  detects a full outage in {soon}"));
            let this = present.map(|soon| format!(", this burn in {soon}"));
            [outage, this].into_iter().flatten().map(|words| StyledRun::new(words, Role::Muted)).collect()
        };
        for notice in burns.into_iter().chain(notices) {
            // a cut number would be read as another number
            let used: u16 = line.iter().map(|run| text::width(&run.text)).sum();
            if used + text::width(&notice.text) <= page.width {
                line.push(notice);
            } else if notice.role == Role::Warning {
                page.line(std::mem::take(&mut line));
                line.push(StyledRun::new(format!("  {}", notice.text), notice.role));
            } else {
                break;
            }
        }
        page.line(line);
    }
    let few = forecast_burns(group_status, screen.basis)
        .into_iter()
        .filter(|burn| words::has_few_events(&status.slo, burn));
    let few: Vec<String> = few.map(counted).collect();
    if !few.is_empty() {
        let words =
            format!("Few events: {}. A single failure changes these burn rates a lot.", few.join(", "));
        page.paragraph(&format!("{} {words}", cx.symbol(Role::Info)), Role::Muted);
    }
    if let Some((words, role)) = disagreement(cx, status, group_status) {
        page.remark(cx, words, role);
    }
}

/// The text of a condition: "1h and 5m above 14.4x: yes, page".
fn sentence(now: &BurnConditionState) -> (String, Role) {
    let pair = now.pair;
    let (answer, role) = match (now.holds, pair.severity) {
        (Some(true), BurnSeverity::Page) => ("yes, page", Role::Critical),
        (Some(true), BurnSeverity::Ticket) => ("yes, ticket", Role::Warning),
        (Some(false), _) => ("no", Role::Healthy),
        (None, _) => ("unknown", Role::Unknown),
    };
    let above = if pair.at_least { "at least" } else { "above" };
    let lookbacks = format!("{} and {}", duration::short(pair.long), duration::short(pair.short));
    let factor = show::factor(pair.factor);
    let severity =
        if now.holds == Some(true) { String::new() } else { format!(" ({})", pair.severity.word()) };
    (format!("{lookbacks} {above} {factor}: {answer}{severity}"), role)
}

/// The events of a lookback and how many were bad: "5m 12 of 240 bad".
fn counted(burn: &BurnReading) -> String {
    let (all, error) = (burn.measured.events().unwrap_or(0.0), burn.measured.error().unwrap_or(0.0));
    format!(
        "{} {} of {} bad",
        duration::short(burn.lookback),
        show::events((all * error).round()),
        show::events(all)
    )
}

/// A warning if alerts and conditions disagree for longer than rule evaluation takes.
fn disagreement(cx: &ScreenCx<'_>, status: &SloStatus, group_status: &GroupStatus) -> Option<(String, Role)> {
    let holds = group_status.pairs.iter().any(|now| now.holds == Some(true));
    let are_known = group_status.pairs.iter().all(|now| now.holds.is_some());
    // an alert of another source that has an SLO of the same id belongs to that SLO
    let tells = |id: &SourceId| {
        cx.shared.sources.iter().any(|source| source.id == *id && source.answers.contains(&AskKind::Slos))
    };
    let is_ours =
        |alert: &&Arc<Alert>| alert.sources.contains(&status.source) || !alert.sources.iter().any(tells);
    let alerts = status.alerts.iter().filter_map(|alert| cx.world.alert(*alert));
    let alerts = alerts.filter(|alert| status.is_about(group_status, &alert.labels));
    let alerts: Vec<_> = alerts.filter(is_ours).collect();
    if alerts.is_empty() {
        let words = if has_rule(cx.shared, status) {
            "A burn-rate condition is met, but no alert of this SLO is pending or firing."
        } else {
            "A burn-rate condition is met, but this SLO has no known alerting rule: nobody may be notified."
        };
        return holds.then(|| (words.to_owned(), Role::Warning));
    }
    let firing = alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    let longest = firing.min_by_key(|alert| alert.starts_at)?;
    (!holds && are_known && age(longest.starts_at, cx.now) > AGREES_WITHIN).then(|| {
        let since = ago(longest.starts_at, cx.now);
        (
            format!("{} has been firing for {since}, but no burn-rate condition is met now.", longest.name()),
            Role::Warning,
        )
    })
}

/// Whether an alerting rule of this SLO is known; also true if no source lists rules.
fn has_rule(shared: &Shared, status: &SloStatus) -> bool {
    let snapshots: Vec<_> = shared.world.sources().filter_map(|(_, cache)| cache.rules().value()).collect();
    let id = status.slo.recorded.as_ref().map(|recorded| promql::quoted(&recorded.id));
    let mut rules = snapshots.iter().flat_map(|snapshot| &snapshot.rules);
    let is_its = |rule: &Arc<Rule>| {
        let labels = rule.labels.with([("alertname", rule.name.clone())]);
        status.slo.is_about(&labels) || id.as_ref().is_some_and(|id| rule.expr.contains(id.as_str()))
    };
    snapshots.is_empty() || rules.any(is_its)
}
