//! GitLab's deployment events (`X-Gitlab-Event: Deployment Hook`), as its webhook documentation describes them.

use serde_json::Value;

use super::{Reading, line, text};

pub(super) fn read(event: &str, body: &Value) -> Reading {
    if event != "Deployment Hook" {
        return Reading::Ignored(format!("GitLab event {event:?}: only deployments are changes"));
    }
    let Some(status) = text(body, &["/status"]) else {
        return Reading::Unfit("a GitLab deployment without `status`".to_owned());
    };
    let state = match status.as_str() {
        "running" => "running",
        "success" => "done",
        "failed" | "canceled" => "failed",
        "created" | "blocked" | "skipped" => {
            return Reading::Ignored(format!("the deployment is only {status}"));
        }
        other => return Reading::Ignored(format!("unknown status {other:?} of a deployment")),
    };
    let commit = text(body, &["/commit_url"]);
    let commit = commit.as_deref().and_then(|url| url.rsplit('/').next()).map(str::to_owned);
    Reading::Changes(vec![line([
        ("time", text(body, &["/status_changed_at"])),
        ("kind", Some("deploy".to_owned())),
        ("state", Some(state.to_owned())),
        ("service", text(body, &["/project/name"])),
        ("to", text(body, &["/ref", "/short_sha"])),
        ("who", text(body, &["/user/username", "/user/name"])),
        ("link", text(body, &["/deployable_url", "/project/web_url"])),
        ("id", text(body, &["/deployment_id", "/deployable_id"]).map(|id| format!("gitlab-{id}"))),
        ("commit", commit.or_else(|| text(body, &["/short_sha"]))),
        ("environment", text(body, &["/environment"])),
        ("project", text(body, &["/project/path_with_namespace"])),
    ])])
}
