//! Finds the runbooks of alerts, services, incidents and SLOs.

use crate::app::prelude::*;

/// The annotations that hold a runbook's address.
const NAMES: [&str; 2] = ["runbook_url", "runbook"];

/// The labels that fill the runbook's placeholders.
pub fn labels(wanted: &RunbookQuery) -> Labels {
    if wanted.labels.get("alertname").is_some() {
        return wanted.labels.clone();
    }
    wanted.labels.with([("alertname", wanted.name.clone())])
}

pub fn of_alert(alert: &Alert) -> RunbookQuery {
    RunbookQuery { name: alert.name().into(), url: alert.runbook().cloned(), labels: alert.labels.clone() }
}

pub fn of_service(name: &Text) -> RunbookQuery {
    RunbookQuery { name: name.clone(), url: None, labels: Labels::from_iter([("service", name)]) }
}

/// The runbooks of an incident's alerts; for alerts that are not monitored, from the details that the paging system has.
pub fn of_incident(shared: &Shared, view: &IncidentView) -> Vec<RunbookQuery> {
    let tied = view.alerts.iter().filter_map(|alert| shared.world.alert(*alert));
    let mut all: Vec<RunbookQuery> = tied.map(|alert| of_alert(alert)).collect();
    let reported = shared.world.incident_detail(view).into_iter().flat_map(|detail| &detail.alerts);
    for alert in reported.filter(|alert| shared.world.alert_of(alert).is_none()) {
        let in_details = NAMES.into_iter().find_map(|name| alert.details.get(name).cloned());
        let link = || alert.links.iter().find(|(name, _)| name.to_lowercase().contains("runbook"));
        let url = in_details.or_else(|| link().map(|(_, url)| url.clone()));
        let name = alert.labels.get("alertname").unwrap_or(&alert.summary).clone();
        if url.is_some() || alert.labels.get("alertname").is_some() {
            all.push(RunbookQuery { name, url, labels: alert.labels.clone() });
        }
    }
    if all.is_empty() {
        all.extend(view.service.as_ref().map(of_service));
    }
    all
}

/// The runbooks of an SLO: those of its firing alerts, else the one of its definition, else the one of its service.
pub fn of_slo(shared: &Shared, status: &SloStatus) -> Vec<RunbookQuery> {
    let firing = shared.world.alerts().iter().filter(|alert| status.slo.is_about(&alert.labels));
    let all: Vec<RunbookQuery> = firing.map(|alert| of_alert(alert)).collect();
    if !all.is_empty() {
        return all;
    }
    let alerting = &status.slo.alerting;
    let notices = alerting.page.iter().chain(&alerting.ticket).map(|notice| &notice.annotations);
    let mut reported = std::iter::once(&alerting.annotations).chain(notices);
    let url =
        reported.find_map(|annotations| NAMES.into_iter().find_map(|name| annotations.get(name).cloned()));
    let name = alerting.name.clone();
    if url.is_none() && name.is_none() {
        return status.slo.service.as_ref().map(of_service).into_iter().collect();
    }
    let labels = status.slo.labels.with(status.slo.service.clone().map(|service| ("service", service)));
    vec![RunbookQuery { name: name.unwrap_or_else(|| status.slo.id.clone()), url, labels }]
}

/// Removes duplicates.
pub fn once(found: Vec<RunbookQuery>) -> Vec<Arc<RunbookQuery>> {
    let mut all: Vec<Arc<RunbookQuery>> = Vec::new();
    for wanted in found {
        let is_same = |known: &Arc<RunbookQuery>| known.name == wanted.name && known.url == wanted.url;
        if !all.iter().any(is_same) {
            all.push(Arc::new(wanted));
        }
    }
    all
}
