//! GitHub's events `deployment`, `deployment_status`, `workflow_run`, `release` and `push`, as its webhook documentation
//! describes them.

use serde_json::{Map, Value};

use super::{Reading, line, text};

pub(super) fn read(event: &str, body: &Value) -> Reading {
    match event {
        "deployment" => Reading::Changes(vec![deployment(body, "running", &["/deployment/created_at"])]),
        "deployment_status" => deployment_status(body),
        "workflow_run" => workflow_run(body),
        "release" => release(body),
        "push" => push(body),
        "ping" => Reading::Ignored("ping: the webhook works".to_owned()),
        other => Reading::Ignored(format!("GitHub event {other:?} is no change")),
    }
}

fn deployment(body: &Value, state: &str, time: &[&str]) -> Map<String, Value> {
    line([
        ("time", text(body, time)),
        ("kind", Some("deploy".to_owned())),
        ("state", Some(state.to_owned())),
        ("service", text(body, &["/repository/name"])),
        ("to", text(body, &["/deployment/ref", "/deployment/sha"])),
        ("who", text(body, &["/deployment/creator/login", "/sender/login"])),
        (
            "link",
            text(
                body,
                &["/deployment_status/log_url", "/deployment_status/target_url", "/repository/html_url"],
            ),
        ),
        ("id", text(body, &["/deployment/id"]).map(|id| format!("github-{id}"))),
        ("commit", text(body, &["/deployment/sha"])),
        ("committed_at", text(body, &["/workflow_run/head_commit/timestamp"])),
        ("environment", text(body, &["/deployment/environment"])),
        ("project", text(body, &["/repository/full_name"])),
    ])
}

fn deployment_status(body: &Value) -> Reading {
    let state = match text(body, &["/deployment_status/state"]).as_deref() {
        Some("success") => "done",
        Some("failure" | "error") => "failed",
        Some("in_progress") => "running",
        Some(other) => return Reading::Ignored(format!("the deployment is {other}")),
        None => return Reading::Unfit("a deployment status without `state`".to_owned()),
    };
    Reading::Changes(vec![deployment(
        body,
        state,
        &["/deployment_status/created_at", "/deployment/created_at"],
    )])
}

fn workflow_run(body: &Value) -> Reading {
    let action = text(body, &["/action"]).unwrap_or_default();
    if action != "completed" {
        return Reading::Ignored(format!("the workflow run is {action}"));
    }
    let name = text(body, &["/workflow_run/name"]).unwrap_or_else(|| "workflow".to_owned());
    let conclusion = text(body, &["/workflow_run/conclusion"]).unwrap_or_default();
    let is_done = conclusion == "success";
    let is_deployment =
        ["deploy", "release", "rollout"].iter().any(|word| name.to_lowercase().contains(word));
    Reading::Changes(vec![line([
        ("time", text(body, &["/workflow_run/updated_at", "/workflow_run/run_started_at"])),
        ("kind", Some(if is_deployment { "deploy" } else { "other" }.to_owned())),
        ("state", Some(if is_done { "done" } else { "failed" }.to_owned())),
        ("title", Some(format!("workflow {name}: {conclusion}"))),
        ("service", text(body, &["/repository/name"])),
        ("who", text(body, &["/workflow_run/actor/login", "/sender/login"])),
        ("link", text(body, &["/workflow_run/html_url"])),
        ("id", text(body, &["/workflow_run/id"]).map(|id| format!("github-run-{id}"))),
        ("commit", text(body, &["/workflow_run/head_sha"])),
        ("committed_at", text(body, &["/workflow_run/head_commit/timestamp"])),
        ("branch", text(body, &["/workflow_run/head_branch"])),
        ("project", text(body, &["/repository/full_name"])),
    ])])
}

fn release(body: &Value) -> Reading {
    let action = text(body, &["/action"]).unwrap_or_default();
    if action != "published" {
        return Reading::Ignored(format!("the release is {action}"));
    }
    let tag = text(body, &["/release/tag_name"]);
    Reading::Changes(vec![line([
        ("time", text(body, &["/release/published_at", "/release/created_at"])),
        ("kind", Some("other".to_owned())),
        ("title", Some(format!("release {} published", tag.as_deref().unwrap_or("without a tag")))),
        ("service", text(body, &["/repository/name"])),
        ("to", tag),
        ("who", text(body, &["/release/author/login", "/sender/login"])),
        ("link", text(body, &["/release/html_url"])),
        ("id", text(body, &["/release/id"]).map(|id| format!("github-release-{id}"))),
        ("project", text(body, &["/repository/full_name"])),
    ])])
}

/// A push to the default branch; others change nothing that runs.
fn push(body: &Value) -> Reading {
    let Some(reference) = text(body, &["/ref"]) else {
        return Reading::Unfit("a push without `ref`".to_owned());
    };
    let default = text(body, &["/repository/default_branch", "/repository/master_branch"]);
    let branch = reference.strip_prefix("refs/heads/");
    if branch.is_none() || branch != default.as_deref() {
        return Reading::Ignored(format!("a push to {reference}, which is not the default branch"));
    }
    let commits = body.pointer("/commits").and_then(Value::as_array).map_or(0, Vec::len);
    let message = text(body, &["/head_commit/message"]).unwrap_or_default();
    let first = message.lines().next().unwrap_or_default();
    Reading::Changes(vec![line([
        ("time", text(body, &["/head_commit/timestamp"])),
        ("kind", Some("other".to_owned())),
        ("title", Some(format!("pushed {commits} commits to {}: {first}", branch.unwrap_or_default()))),
        ("service", text(body, &["/repository/name"])),
        ("who", text(body, &["/pusher/name", "/sender/login"])),
        ("link", text(body, &["/compare"])),
        ("commit", text(body, &["/after"])),
        ("project", text(body, &["/repository/full_name"])),
    ])])
}
