//! The logs of a service, an alert, an SLO or an incident: which labels their lines have, since when something is wrong, and which
//! patterns are new since then.

use jiff::SignedDuration;

use super::runbook;
use super::service::compare_by_health;
use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::model::log::{LogComparison, LogPattern, LogQuery, LogSplit};

/// Something begins this long before its alert fires.
const LEAD: SignedDuration = SignedDuration::from_mins(3);
/// The time before that whose patterns are not new.
const BEFORE: SignedDuration = SignedDuration::from_mins(15);
/// The most frequent patterns that are shown where none is remarkable.
const MAX_USUAL: usize = 20;

/// What the selection of a screen names, as its runbooks do: the labels of alerts, services, SLOs.
pub fn of_selection(found: &[RunbookQuery], shared: &Shared) -> Vec<LogSubject> {
    let mut all: Vec<LogSubject> = Vec::new();
    for wanted in found {
        let subject = of_labels(shared, &wanted.name, &wanted.labels);
        if !all.iter().any(|known| known.query == subject.query) {
            all.push(subject);
        }
    }
    // alerts of one service: what they have in common is where to look
    let common = found
        .iter()
        .map(|wanted| wanted.labels.clone())
        .reduce(|one, other| one.without(|name| one.get(name) != other.get(name)));
    if let (Some(common), [first, _, ..]) = (common, all.as_slice())
        && let Some(service) = shared.world.service_of(&common)
    {
        let since = all.iter().filter_map(|subject| subject.since).min().or(first.since);
        let subject = of_labels(shared, service, &common);
        return vec![LogSubject { since, ..subject }];
    }
    all
}

/// The logs of an incident: those of its alerts, since it began or the first of them fired. `None` without alerts and service.
pub fn of_incident(shared: &Shared, view: &IncidentView) -> Option<LogSubject> {
    let mut all = of_selection(&runbook::of_incident(shared, view), shared);
    let of_service = |name: &Text| of_labels(shared, name, &Labels::from_iter([("service", name)]));
    let subject = match (all.pop().filter(|_| all.is_empty()), &view.service) {
        (Some(only), _) => only,
        (None, Some(service)) => of_service(service),
        (None, None) => return None,
    };
    let begun = view.incident.created_at;
    let since = Some(subject.since.map_or(begun, |since| since.min(begun)));
    Some(LogSubject { since, ..subject })
}

/// The logs of each service, that with the worst health first.
pub fn of_services(shared: &Shared) -> Vec<LogSubject> {
    let mut services: Vec<_> = shared.world.services().iter().collect();
    services.sort_by(|a, b| compare_by_health(a, b));
    let of = |name: &Text| of_labels(shared, name, &Labels::from_iter([("service", name)]));
    services.into_iter().map(|service| of(&service.name)).collect()
}

/// The times whose patterns are compared over a time range: what is new begins a little before the first alert, else in the last
/// quarter.
pub fn split(since: Option<Timestamp>, (from, until): (Timestamp, Timestamp)) -> LogSplit {
    let quarter = until.checked_sub(age(from, until) / 4).unwrap_or(from);
    let at = since.and_then(|since| since.checked_sub(LEAD).ok()).filter(|at| *at < until).unwrap_or(quarter);
    let before = at.checked_sub(BEFORE).unwrap_or(at);
    // without an alert all of the range before the last quarter is compared
    let before = if since.is_some() { before } else { before.min(from) };
    LogSplit { from: before, at, until }
}

/// The question for the patterns of these lines, to each source that compares them.
pub fn pattern_wants<'a>(
    shared: &'a Shared,
    wanted: &'a Arc<LogQuery>,
    split: LogSplit,
) -> impl Iterator<Item = Want> + 'a {
    let query = move || Query::LogPatterns { wanted: Arc::clone(wanted), split };
    shared.answering(AskKind::LogPatterns).map(move |source| want::of(shared, &source.id, query()))
}

/// What the sources have answered about patterns.
pub fn pattern_answers<'a>(
    shared: &'a Shared,
    wanted: &'a LogQuery,
) -> impl Iterator<Item = (&'a SourceId, &'a Remote<LogComparison>)> {
    shared.answering(AskKind::LogPatterns).filter_map(move |source| {
        Some((&source.id, shared.world.cache(&source.id)?.log_patterns().get(wanted)?))
    })
}

/// The patterns that are new or more frequent; without any, the most frequent ones.
pub fn shown_patterns(compared: &[&LogComparison]) -> Vec<LogPattern> {
    let remarkable: Vec<LogPattern> = compared.iter().flat_map(|all| all.remarkable().cloned()).collect();
    if !remarkable.is_empty() {
        return remarkable;
    }
    compared.iter().flat_map(|all| all.patterns.iter().take(MAX_USUAL).cloned()).collect()
}

/// What was compared, and how many patterns are remarkable: `New or more frequent since 02:47  2 of 31 patterns`.
pub fn compared_words(cx: &Cx<'_>, compared: &[&LogComparison]) -> String {
    let since = compared.first().map(|news| moment(news.split.at, cx.now, cx.zone)).unwrap_or_default();
    let all: usize = compared.iter().map(|news| news.patterns.len()).sum();
    let remarkable: usize = compared.iter().map(|news| news.remarkable().count()).sum();
    let has_before = compared.iter().any(|news| news.before.lines > 0);
    let words = if all == 0 {
        format!("No lines since {since}")
    } else if remarkable > 0 {
        format!("New or more frequent since {since}  {remarkable} of {all} patterns")
    } else if has_before {
        format!("No new pattern since {since}; the most frequent of {all}")
    } else {
        format!("The most frequent of {all} patterns; no lines before {since} to compare with")
    };
    let cut = compared.iter().filter(|news| news.before.is_cut || news.after.is_cut);
    let sampled: u64 = cut.map(|news| news.after.lines).sum();
    if sampled > 0 { format!("{words}, of the newest {sampled} lines") } else { words }
}

/// `812x error (new) POST /charge: nil amount`
pub fn pattern_runs(pattern: &LogPattern) -> Vec<StyledRun<'static>> {
    let role = Role::of_log(pattern.severity);
    let change = pattern.change.words();
    let change_role = if pattern.change.is_remarkable() { Role::New } else { Role::Muted };
    vec![
        StyledRun::new(format!(" {:>7} ", format!("{}x", pattern.after)), Role::Text),
        StyledRun::new(format!("{:<7} ", pattern.severity.word()), role),
        StyledRun::new(if change.is_empty() { String::new() } else { format!("{change} ") }, change_role),
        StyledRun::new(pattern.text.to_string(), Role::Text),
    ]
}

/// The logs of what these labels describe.
pub fn of_labels(shared: &Shared, name: &Text, labels: &Labels) -> LogSubject {
    let world = &shared.world;
    let service = world.service_of(labels).cloned();
    let since = first_firing(shared, labels, service.as_deref());
    // labels that describe the alert itself are at no line
    let labels =
        labels.without(|name| matches!(name, "alertname" | "severity" | "alertstate" | "prometheus"));
    let labels = match service {
        Some(service) if labels.get("service").is_none() => labels.with([("service", service)]),
        Some(_) | None => labels,
    };
    LogSubject::new(name.clone(), LogQuery { labels, ..LogQuery::default() }, since)
}

/// The start of the first of the active alerts that have these labels; without any, of those of the service.
fn first_firing(shared: &Shared, labels: &Labels, service: Option<&str>) -> Option<Timestamp> {
    let active = || shared.world.alerts().iter().filter(|alert| alert.is_active());
    let own = active().filter(|alert| labels.is_within(&alert.labels)).map(|alert| alert.starts_at).min();
    own.or_else(|| {
        let of_service = |alert: &&Arc<Alert>| {
            service.is_some() && shared.world.service_of(&alert.labels).map(|name| &**name) == service
        };
        active().filter(of_service).map(|alert| alert.starts_at).min()
    })
}
