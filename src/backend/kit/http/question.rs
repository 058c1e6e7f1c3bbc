//! Questions that are too long for an address, as POST with a JSON body.

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;

use super::{Body, Http, OutgoingRequest};
use crate::model::ask::Weight;
use crate::model::source::{ErrorKind, SourceError};

/// The last segments of the paths that only answer.
const QUESTIONS: [&str; 1] = ["_search"];
/// The path of Grafana's queries: it refuses with the results of the queries that did not fail.
const GRAFANA_QUERY: &str = "api/ds/query";

impl Http {
    /// Sends a question as POST with a JSON body; it is repeated like GET.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] for a path that is not known to change nothing; else as for GET.
    pub(crate) async fn post_question(
        &self,
        weight: Weight,
        path: &str,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Body, SourceError> {
        if !path.rsplit('/').next().is_some_and(|last| QUESTIONS.contains(&last)) {
            let reason = format!("{path} is not known as a path that changes nothing");
            return Err(self.error(ErrorKind::Internal { reason }));
        }
        self.ask(weight, self.posted(path, query, body).into()).await
    }

    /// Sends queries to Grafana. An answer with results is an answer whatever its status: if one query of several fails, Grafana
    /// refuses with 400 and the results of the others.
    ///
    /// # Errors
    /// As for GET, if there are no results.
    pub(crate) async fn post_grafana_query(
        &self,
        weight: Weight,
        query: &[(&str, &str)],
        body: &Value,
    ) -> Result<Body, SourceError> {
        let outgoing = OutgoingRequest {
            request: self.posted(GRAFANA_QUERY, query, body),
            query: None,
            keeps_results: true,
        };
        self.ask(weight, outgoing).await
    }

    fn posted(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Request {
        let mut request = Request::new(Method::POST, self.url(path, query));
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.to_string().into());
        request
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::backend::kit::double::{CannedResponse, Double};
    use crate::backend::{Clock, SourceDeps};
    use crate::config::settings::Settings;
    use crate::model::source::SourceId;

    #[tokio::test]
    async fn only_paths_that_change_nothing_are_posted_to() {
        let double = Double::start(|_| CannedResponse::json("{}")).await;
        let settings = Settings::default();
        let deps = SourceDeps::new(&settings, Clock::fixed(jiff::Timestamp::UNIX_EPOCH));
        let http = Http::new(&SourceId::new("x"), &double.source("elasticsearch"), deps).unwrap();
        for path in ["logs/_delete_by_query", "logs/_doc", "_bulk", "", "_search/../_bulk"] {
            let refused = http.post_question(Weight::Page, path, &[], &json!({})).await;
            assert!(matches!(refused.map(drop).unwrap_err().kind, ErrorKind::Internal { .. }), "{path}");
        }
        assert!(double.asked().is_empty());
        http.post_question(Weight::Page, "logs-*/_search", &[("a", "b")], &json!({"size": 1})).await.unwrap();
        let asked = double.asked();
        assert_eq!((asked[0].method.as_str(), asked[0].json()), ("POST", json!({"size": 1})));
        assert_eq!(
            (asked[0].header("content-type"), asked[0].parameter("a")),
            (Some("application/json"), "b")
        );
    }
}
