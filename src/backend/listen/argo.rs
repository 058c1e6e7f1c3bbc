//! Notifications of Argo CD. Their body is a template of the user; understood is the whole application, as the template
//! `{"app": {{toJson .app}}}` sends it. Other templates are generic JSON.

use serde_json::Value;

use super::{Reading, line, text};

/// The application in the body, if it is one.
pub(super) fn application(body: &Value) -> Option<&Value> {
    let candidates = [Some(body), body.get("app"), body.get("application")];
    let is_one = |value: &&Value| {
        let has = |pointer| value.pointer(pointer).is_some();
        has("/metadata/name") && (has("/status/operationState") || has("/status/sync"))
    };
    candidates.into_iter().flatten().find(is_one)
}

pub(super) fn read(application: &Value) -> Reading {
    let state = match text(application, &["/status/operationState/phase"]).as_deref() {
        Some("Succeeded") => "done",
        Some("Running") => "running",
        Some("Failed" | "Error") => "failed",
        Some(other) => return Reading::Ignored(format!("the sync is {other}")),
        None => return Reading::Ignored("an application without a sync".to_owned()),
    };
    let revision = text(
        application,
        &[
            "/status/operationState/syncResult/revision",
            "/status/operationState/operation/sync/revision",
            "/status/sync/revision",
        ],
    );
    let name = text(application, &["/metadata/name"]);
    let started = text(application, &["/status/operationState/startedAt"]);
    let id = [name.as_deref(), revision.as_deref(), started.as_deref()];
    let id: Vec<&str> = id.into_iter().flatten().collect();
    Reading::Changes(vec![line([
        ("time", started.clone().or_else(|| text(application, &["/status/operationState/finishedAt"]))),
        ("kind", Some("deploy".to_owned())),
        ("state", Some(state.to_owned())),
        ("service", name.clone()),
        ("to", revision.clone()),
        ("image", text(application, &["/status/summary/images/0"])),
        (
            "who",
            text(application, &["/status/operationState/operation/initiatedBy/username"])
                .or_else(|| Some("Argo CD".to_owned())),
        ),
        ("link", text(application, &["/status/summary/externalURLs/0", "/spec/source/repoURL"])),
        ("id", Some(format!("argocd-{}", id.join("-")))),
        ("namespace", text(application, &["/spec/destination/namespace"])),
        ("project", text(application, &["/spec/project"])),
    ])])
}
