//! The conditions of an SLO: which hold, how soon they notice, and whether its alerts say the same.

use crate::app::prelude::*;
use crate::app::screens::slo::OpenSlo;
use crate::app::screens::slo::forecast_burns;
use crate::app::subjects::slo::words;
use crate::model::alert::AlertState;
use crate::model::promql;
use crate::model::rule::Rule;
use crate::model::slo::{BurnConditionState, BurnReading, GroupStatus, Severity, show};

/// Longer than this the alert and its condition may not disagree: two evaluations of the usual length.
const AGREES_WITHIN: std::time::Duration = std::time::Duration::from_secs(120);

/// The pairs: whether each holds now, its burns, how soon it notices; and whether the alerts say the same.
pub(super) fn conditions(
    cx: &Cx<'_>,
    screen: &OpenSlo,
    shared: &Shared,
    status: &SloStatus,
    group_status: &GroupStatus,
    page: &mut PageContent,
) {
    if group_status.pairs.is_empty() {
        return;
    }
    page.title("Conditions");
    let objective = status.slo.objective;
    let sentences: Vec<(String, Role)> = group_status.pairs.iter().map(sentence).collect();
    let widest = sentences.iter().map(|(words, _)| text::width(words)).max().unwrap_or(0);
    for (now, (words, role)) in group_status.pairs.iter().zip(sentences) {
        let pair = now.pair;
        let told = |burn: Option<f64>| burn.map_or_else(|| "-".to_owned(), show::burn);
        let burn = |lookback, burn| format!("  {:>4} {:>6}", duration::short(lookback), told(burn));
        let head = format!("  {} {}", cx.symbol(role), text::pad(&words, widest, cx.charset));
        let mut line = vec![StyledRun::new(head, role)];
        let burns = [burn(pair.long, now.long), burn(pair.short, now.short)];
        let burns = burns.map(|words| StyledRun::new(words, Role::Text));
        let notices: Vec<StyledRun<'static>> = if pair.can_never_fire(objective) {
            let most = show::burn(objective.max_burn_rate());
            vec![StyledRun::new(
                format!("  can never fire: the most at this objective is {most}"),
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
            // half a number would be another number
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
        let words = format!(
            "{} Few events: {}. One failure more or less changes these burns much.",
            cx.symbol(Role::Info),
            few.join(", ")
        );
        page.paragraph(&words, Role::Muted);
    }
    if let Some((words, role)) = disagreement(cx, shared, status, group_status) {
        page.paragraph(&format!("{} {words}", cx.symbol(role)), role);
    }
}

/// "1h and 5m above 14.4x: yes, page".
fn sentence(now: &BurnConditionState) -> (String, Role) {
    let pair = now.pair;
    let (answer, role) = match (now.holds, pair.severity) {
        (Some(true), Severity::Page) => ("yes, page", Role::Critical),
        (Some(true), Severity::Ticket) => ("yes, ticket", Role::Warning),
        (Some(false), _) => ("no", Role::Healthy),
        (None, _) => ("not known", Role::Unknown),
    };
    let above = if pair.at_least { "at least" } else { "above" };
    let lookbacks = format!("{} and {}", duration::short(pair.long), duration::short(pair.short));
    let factor = show::factor(pair.factor);
    let severity =
        if now.holds == Some(true) { String::new() } else { format!(" ({})", pair.severity.word()) };
    (format!("{lookbacks} {above} {factor}: {answer}{severity}"), role)
}

/// "5m 12 of 240": the events of a lookback, with those that were bad.
fn counted(burn: &BurnReading) -> String {
    let (all, error) = (burn.measured.events().unwrap_or(0.0), burn.measured.error().unwrap_or(0.0));
    format!(
        "{} {} of {} bad",
        duration::short(burn.lookback),
        show::events((all * error).round()),
        show::events(all)
    )
}

/// Where alerts and conditions say different things for longer than evaluation takes.
fn disagreement(
    cx: &Cx<'_>,
    shared: &Shared,
    status: &SloStatus,
    group_status: &GroupStatus,
) -> Option<(String, Role)> {
    let holds = group_status.pairs.iter().any(|now| now.holds == Some(true));
    let are_known = group_status.pairs.iter().all(|now| now.holds.is_some());
    // what fires at another source that has an SLO of this name is about that one
    let tells = |id: &SourceId| {
        shared.sources.iter().any(|source| source.id == *id && source.answers.contains(&AskKind::Slos))
    };
    let is_ours = |alert: &&std::sync::Arc<Alert>| {
        alert.sources.contains(&status.source) || !alert.sources.iter().any(tells)
    };
    let alerts = status.alerts.iter().filter_map(|alert| shared.world.alert(*alert));
    let alerts = alerts.filter(|alert| status.is_about(group_status, &alert.labels));
    let alerts: Vec<_> = alerts.filter(is_ours).collect();
    if alerts.is_empty() {
        let words = if has_rule(shared, status) {
            "A condition holds, but no alert of this SLO fires or is pending."
        } else {
            "A condition holds, but no alerting rule of this SLO is known: nobody may be told."
        };
        return holds.then(|| (words.to_owned(), Role::Warning));
    }
    let firing = alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    let longest = firing.min_by_key(|alert| alert.starts_at)?;
    (!holds && are_known && age(longest.starts_at, cx.now) > AGREES_WITHIN).then(|| {
        let since = ago(longest.starts_at, cx.now);
        (format!("{} fires since {since}, though no condition holds now.", longest.name()), Role::Warning)
    })
}

/// Whether a rule is known that alerts for this SLO, or rules are not known at all.
fn has_rule(shared: &Shared, status: &SloStatus) -> bool {
    let boards: Vec<_> = shared.world.sources().filter_map(|(_, cache)| cache.rules().value()).collect();
    let id = status.slo.recorded.as_ref().map(|recorded| promql::quoted(&recorded.id));
    let mut rules = boards.iter().flat_map(|board| &board.rules);
    let is_its = |rule: &std::sync::Arc<Rule>| {
        let labels = rule.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
        let labels = Labels::new(labels.chain([("alertname".into(), rule.name.clone())]).collect());
        status.slo.is_about(&labels) || id.as_ref().is_some_and(|id| rule.expr.contains(id.as_str()))
    };
    boards.is_empty() || rules.any(is_its)
}
