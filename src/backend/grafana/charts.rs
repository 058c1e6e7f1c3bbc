//! The charts of alert rules: a rule's expression is asked at the Prometheus behind Grafana that the rule asks.

use std::collections::BTreeSet;

use super::Grafana;
use super::definitions::RuleDefinitions;
use super::rights::DATA_SOURCES_QUERY;
use crate::backend::kit::http::segment;
use crate::backend::prometheus::Prometheus;
use crate::backend::{Source, SourceDeps};
use crate::config::settings::SourceSettings;
use crate::model::ask::{Answered, Ask, Moment, Query, QueryRange, SeriesKey};
use crate::model::labels::Text;
use crate::model::promql;
use crate::model::source::{ErrorKind, SourceError};

impl Grafana {
    /// Answers the question for the series of a rule.
    pub(super) async fn series(&self, series: &SeriesKey, time_range: &QueryRange) -> Answered {
        let definitions = self.known_definitions().await;
        let uid = match data_source(&definitions, &series.query) {
            Ok(uid) => uid,
            Err(reason) => {
                let refused = self.refused_definitions().await;
                return Err(refused.unwrap_or_else(|| self.http.error(ErrorKind::Unfit { reason })));
            }
        };
        let prometheus = self.prometheus_behind(&uid)?;
        let ask =
            Ask { query: Query::Series { series: series.clone(), time_range: *time_range }, at: Moment::Now };
        let answered = prometheus.answer(&ask, None).await;
        answered.map_err(|error| {
            let kind = if let ErrorKind::Refused { status, message } = &error.kind {
                ErrorKind::Refused { status: *status, message: format!("data source {uid}: {message}") }
            } else {
                error.kind.clone()
            };
            self.lacking(SourceError { kind, ..error }, DATA_SOURCES_QUERY)
        })
    }

    /// The Prometheus behind the proxy of Grafana, with the same token.
    fn prometheus_behind(&self, uid: &str) -> Result<Prometheus, SourceError> {
        let url = format!(
            "{}/api/datasources/proxy/uid/{}",
            self.http.base().as_str().trim_end_matches('/'),
            segment(uid)
        );
        let settings = SourceSettings {
            url,
            kind: &crate::backend::prometheus::SPEC,
            own: SourceSettings::new(&crate::backend::prometheus::SPEC, "").own,
            ..self.source.clone()
        };
        let deps = SourceDeps { transport: &self.transport, ..SourceDeps::new(&self.settings, self.clock) };
        Prometheus::new(&self.info.id, &settings, deps)
    }
}

/// The data source of the rules whose expression has all selectors of the query.
fn data_source(definitions: &RuleDefinitions, query: &str) -> Result<Text, String> {
    let asked =
        promql::selectors(query).map_err(|error| format!("its query cannot be drawn here: {error}"))?;
    let has_all = |promql: &Text| promql::selectors(promql).is_ok_and(|own| asked.is_subset(&own));
    let rules = definitions.all().filter(|rule| rule.promql.as_ref().is_ok_and(has_all));
    let uids: BTreeSet<&Text> = rules.filter_map(|rule| rule.data_source.as_ref()).collect();
    let mut uids = uids.into_iter();
    match (uids.next(), uids.next()) {
        (Some(uid), None) => Ok(uid.clone()),
        (Some(_), Some(_)) => Err("rules of several data sources have this expression".to_owned()),
        (None, _) => {
            let reasons: BTreeSet<&String> =
                definitions.all().filter_map(|rule| rule.promql.as_ref().err()).collect();
            let reason = reasons.first().map_or("no known rule has this expression", |reason| reason);
            Err(format!("no chart: {reason}"))
        }
    }
}
