//! The service of an alert is the same in every verb, also if it is known only from the services behind a proxy.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::backend::{Answering, Clock, Source};
use crate::cli::fixtures::{self, reading};
use crate::cli::report::table;
use crate::cli::{alerts, needs};
use crate::model;
use crate::model::alert::{AlertSnapshot, AlertState, Severity};
use crate::model::ask::Ask;
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::rule::RuleSnapshot;
use crate::model::service::{ServiceReading, ServiceSnapshot};
use crate::model::source::{ErrorKind, SourceError};
use crate::model::source_info::SourceInfo;

/// The Prometheus of a proxy `edge` with a backend `alldead`.
struct Edge {
    info: SourceInfo,
    labels: &'static [(&'static str, &'static str)],
    tells_services: bool,
    asked: Arc<Mutex<Vec<AskKind>>>,
}

impl Source for Edge {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        self.asked.lock().unwrap().push(ask.kind());
        let answered = match &ask.query {
            Query::Services if !self.tells_services => {
                let failure = ErrorKind::TimedOut { after: Duration::from_secs(5) };
                Err(SourceError::new(self.info.id.clone(), failure))
            }
            Query::Services => {
                let backend = ServiceReading { named_by: Some("proxy".into()), ..reading("alldead", 0.0) };
                let readings = vec![backend, reading("edge", 0.0)];
                Ok(Answer::Services(ServiceSnapshot { readings, lookback: Duration::from_secs(60) }))
            }
            Query::Alerts => {
                let known = fixtures::alert("Down", "edge", AlertState::Firing, Severity::Critical, 60);
                let labels: Labels = self.labels.iter().copied().collect();
                let alert = Alert { fingerprint: Fingerprint::of(&labels), labels, ..(*known).clone() };
                Ok(Answer::Alerts(AlertSnapshot { alerts: vec![Arc::new(alert)] }))
            }
            Query::Rules => Ok(Answer::Rules(RuleSnapshot::default())),
            _ => Ok(Answer::Unchanged),
        };
        Box::pin(async move { answered.map(Reply::free) })
    }
}

/// The output of `burnwatch alerts`, whether it is partial, and the kinds of questions that were asked.
fn listed(
    labels: &'static [(&'static str, &'static str)],
    tells_services: bool,
) -> (String, bool, Vec<AskKind>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let answers = vec![AskKind::Services, AskKind::Alerts, AskKind::Rules];
    let info = model::fixtures::source("prom", "prometheus", answers);
    let edge = Edge { info, labels, tells_services, asked: Arc::clone(&asked) };
    let settings = Settings::default();
    let sources = GatedSources::new(vec![Arc::new(edge)], settings.limits);
    let clock = Clock::real();
    let active = SourceChoice {
        context: "default".to_owned(),
        contexts: Vec::new(),
        sources,
        guard: Guard::default(),
        production: false,
        clock,
        context_opener: None,
        findings: Vec::new(),
    };
    let session = Session {
        keys: KeyMap::new(&settings.ui.keys).unwrap(),
        settings,
        active,
        journal: Journal::new(None, "ana", clock.now()),
        themes: Vec::new(),
        labels_of_proxies: vec!["proxy".to_owned()],
    };
    let state = session.ask(&needs::ALERTS.kinds()).unwrap();
    let document = alerts::document(&session.view(&state), &alerts::AlertFilter::default());
    let asked = asked.lock().unwrap().clone();
    (table::render(&document), document.is_partial, asked)
}

#[test]
fn an_alert_of_a_backend_is_the_backends_in_the_list_of_alerts_too() {
    let of_backend = &[("alertname", "Down"), ("service", "edge"), ("proxy", "alldead")];
    let (table, is_partial, _) = listed(of_backend, true);
    assert!(table.contains(" alldead ") && !table.contains(" edge "), "{table}");
    assert!(!is_partial);
    // without the services the list of alerts is still not partial
    let (table, is_partial, _) = listed(of_backend, false);
    assert!(table.contains(" edge ") && !is_partial, "{table}");
}

#[test]
fn services_are_not_asked_for_where_no_alert_is_of_a_proxy() {
    let (table, _, asked) = listed(&[("alertname", "Down"), ("service", "edge")], true);
    assert!(table.contains(" edge "), "{table}");
    assert!(!asked.contains(&AskKind::Services), "{asked:?}");
}
