mod alerting;
mod changes;
mod contract;
mod dashboards;
mod double;
mod history;
mod rights;
mod scale;

use std::sync::Arc;

use super::*;
use crate::backend::Source;
use crate::backend::kit::double::CannedResponse;
use crate::model::alert::{Alert, AlertState};
use crate::model::ask::{Answer, Query, Reply};
use crate::model::rule::RuleSnapshot;
use crate::model::source::ErrorKind;
use double::{GrafanaDouble, GrafanaState, NOW, RuleOf};

async fn ask(source: &Grafana, query: Query) -> Reply {
    source.answer(&query.now(), None).await.unwrap()
}

async fn alerts(source: &Grafana) -> (Vec<Arc<Alert>>, Vec<String>) {
    let reply = ask(source, Query::Alerts).await;
    let warnings = reply.warnings.iter().map(|warning| warning.text.to_string()).collect();
    match reply.answer {
        Answer::Alerts(snapshot) => (snapshot.alerts, warnings),
        other => panic!("{other:?}"),
    }
}

async fn rules(source: &Grafana) -> (RuleSnapshot, Vec<String>) {
    let reply = ask(source, Query::Rules).await;
    let warnings = reply.warnings.iter().map(|warning| warning.text.to_string()).collect();
    match reply.answer {
        Answer::Rules(snapshot) => (snapshot, warnings),
        other => panic!("{other:?}"),
    }
}

/// Names and states, sorted.
fn states(alerts: &[Arc<Alert>]) -> Vec<(&str, AlertState)> {
    let mut states: Vec<_> = alerts.iter().map(|alert| (alert.name(), alert.state)).collect();
    states.sort();
    states
}
