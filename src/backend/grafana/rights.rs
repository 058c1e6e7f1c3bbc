//! The rights that each feature needs, in Grafana's own names, and what the token has of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Grafana;
use crate::backend::kit::http::Body;
use crate::model::ask::Weight;
use crate::model::source::{ErrorKind, ProbeReport, SourceError};

/// A right, and what it is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Right {
    /// The action of Grafana's access control.
    pub(super) action: &'static str,
    /// Sets of other actions that allow the same.
    instead: &'static [&'static [&'static str]],
    feature: &'static str,
}

pub(super) const RULES_READ: Right =
    Right { action: "alert.rules:read", instead: &[], feature: "alert rules and their alerts" };
pub(super) const INSTANCES_READ: Right = Right {
    action: "alert.instances:read",
    instead: &[],
    feature: "silences, receivers and what is silenced",
};
pub(super) const DEFINITIONS_READ: Right = Right {
    action: "alert.provisioning:read",
    instead: &[&["alert.rules.provisioning:read"], &["alert.rules:read", "folders:read"]],
    feature: "the charts of alert rules",
};
pub(super) const DATA_SOURCES_READ: Right =
    Right { action: "datasources:read", instead: &[], feature: "the list of data sources" };
pub(super) const DATA_SOURCES_QUERY: Right =
    Right { action: "datasources:query", instead: &[], feature: "panels, charts and discovered sources" };
pub(super) const DASHBOARDS_READ: Right =
    Right { action: "dashboards:read", instead: &[], feature: "dashboards" };
pub(super) const ANNOTATIONS_READ: Right =
    Right { action: "annotations:read", instead: &[], feature: "annotations as changes" };

/// Every right that burnwatch uses; the last two for silences.
const RIGHTS: [Right; 9] = [
    RULES_READ,
    INSTANCES_READ,
    DEFINITIONS_READ,
    DATA_SOURCES_READ,
    DATA_SOURCES_QUERY,
    DASHBOARDS_READ,
    ANNOTATIONS_READ,
    Right {
        action: "alert.instances:create",
        instead: &[&["alert.silences:create"]],
        feature: "creating silences",
    },
    Right {
        action: "alert.instances:write",
        instead: &[&["alert.silences:write"]],
        feature: "changing and expiring silences",
    },
];

/// The actions that the token is granted, each with its scopes.
#[derive(Debug)]
pub(super) struct GrantedRights(BTreeMap<String, Value>);

impl GrantedRights {
    fn read(body: &Body) -> Option<Self> {
        let all: BTreeMap<String, Value> = body.json().ok()?;
        (!all.is_empty()).then_some(Self(all))
    }

    /// Whether the token has a right for at least one folder, data source or the organisation.
    pub(super) fn has(&self, right: Right) -> bool {
        let has = |action: &str| self.0.contains_key(action);
        has(right.action) || right.instead.iter().any(|actions| actions.iter().all(|action| has(action)))
    }

    /// Whether the token may query a data source.
    pub(super) fn may_query(&self, uid: &str) -> bool {
        let scopes = self.0.get(DATA_SOURCES_QUERY.action).and_then(Value::as_array);
        let mut scopes = scopes.into_iter().flatten().filter_map(Value::as_str);
        let is_all = |scope: &str| matches!(scope, "" | "*" | "datasources:*" | "datasources:uid:*");
        scopes.any(|scope| is_all(scope) || scope.strip_prefix("datasources:uid:") == Some(uid))
    }

    /// Adds each right to a report: those that the token has as a fact, the others as warnings.
    pub(super) fn report(&self, report: &mut ProbeReport) {
        let (has, lacks): (Vec<Right>, Vec<Right>) = RIGHTS.into_iter().partition(|right| self.has(*right));
        report.fact("rights", has.iter().map(|right| right.action).collect::<Vec<_>>().join(", "));
        for right in lacks {
            report.warn(format!("the token lacks `{}`: no {}", right.action, right.feature));
        }
        let (create, write) = (RIGHTS.get(7), RIGHTS.get(8));
        if ![create, write].into_iter().flatten().any(|right| self.has(*right)) {
            report.refuses =
                Some("the token may not create or change silences (`alert.instances:create`)".into());
        } else if !self.0.contains_key("alert.instances:create")
            && self.0.contains_key("alert.silences:create")
        {
            let words =
                "only in some folders: a silence needs the matcher `__alert_rule_uid__=<uid of the rule>`";
            report.fact("silences", words);
        }
    }
}

impl Grafana {
    /// The rights of the token; `None` if Grafana does not tell them.
    pub(super) async fn granted(&self) -> Option<GrantedRights> {
        let body = self.get(Weight::Vital, "api/access-control/user/permissions", &[]).await;
        GrantedRights::read(&body.ok()?)
    }

    /// Names the right that a refused question needs.
    pub(super) fn lacking(&self, error: SourceError, right: Right) -> SourceError {
        let ErrorKind::Forbidden { message } = &error.kind else { return error };
        if message.contains(right.action) {
            return error;
        }
        let needs = format!("{} needs the right `{}`", right.feature, right.action);
        let message = if message.is_empty() { needs } else { format!("{message}; {needs}") };
        let kind = ErrorKind::Forbidden { message };
        SourceError { kind: self.http.error(kind).kind, ..error }
    }
}
