//! Finds the runbooks of alerts, services, incidents and SLOs.

use crate::app::display_settings::Charset;
use crate::app::markdown::{self, MarkdownPage};
use crate::app::prelude::*;
use crate::model::runbook::{RunbookSearch, SOURCE};

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

/// The inputs of the layout: it is laid out again only if one of them changes.
#[derive(Debug, Clone, PartialEq)]
struct RunbookLayoutKey {
    wanted: Arc<RunbookQuery>,
    digest: Option<u64>,
    /// Whether a runbook was found; a failed search has no digest.
    is_found: bool,
    width: u16,
    charset: Charset,
}

/// The text of a runbook, laid out for a width.
#[derive(Debug, Default)]
pub struct RunbookText {
    laid_out: Option<RunbookLayoutKey>,
    pub markdown: MarkdownPage,
}

impl RunbookText {
    /// Lays out the text again if the runbook, the width or the characters have changed; returns whether they have.
    pub fn lay_out(&mut self, shared: &Shared, wanted: &Arc<RunbookQuery>, width: u16) -> bool {
        let remote = remote(shared, wanted);
        let found = remote.and_then(|remote| remote.value()?.found.as_ref());
        let layout = RunbookLayoutKey {
            wanted: Arc::clone(wanted),
            digest: remote.and_then(|remote| remote.digest),
            is_found: found.is_some(),
            width,
            charset: shared.look.charset,
        };
        if self.laid_out.as_ref() == Some(&layout) {
            return false;
        }
        let page = found.map(|found| markdown::page(&found.text, &labels(wanted), width, layout.charset));
        (self.markdown, self.laid_out) = (page.unwrap_or_default(), Some(layout));
        true
    }
}

fn source() -> SourceId {
    SourceId::new(SOURCE)
}

/// The result of the search for a runbook, if it was sent.
pub fn remote<'a>(shared: &'a Shared, wanted: &Arc<RunbookQuery>) -> Option<&'a Remote<RunbookSearch>> {
    shared.world.cache(&source())?.runbooks().get(wanted)
}

/// The query for a runbook.
pub fn wants(shared: &Shared, wanted: &Arc<RunbookQuery>) -> Option<Want> {
    shared.world.cache(&source())?;
    Some(want::of(shared, &source(), Query::Runbook { wanted: Arc::clone(wanted) }))
}
