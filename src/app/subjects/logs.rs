//! The logs of a service, an alert, an SLO or an incident: which labels their lines have, and since when something is wrong.

use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::model::log::LogQuery;

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
