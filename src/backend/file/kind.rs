//! The description of the kind `file` and its options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::config::kind::{KindSpec, Options, OwnSettings};

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "file",
    title: "file of changes",
    summary: "JSON lines that a deployment tool, a script or `burnwatch listen` appends",
    about: "What changed, one JSON object per line: `time` (RFC 3339, or seconds, milliseconds, microseconds or nanoseconds since 1970),
`title`, `service`, `kind` (deploy, rollback, restart, oom, scale, config, flag), `from`, `to`, `who` (also `actor`, `by`), `link` (also
`url`), `id`, `state` (running, done, failed). Other fields become labels, such as `region`. `time` and one of `title`, `kind`, `to` are
needed. Lines that cannot be read are counted and named in a warning. New lines are followed through rotation and truncation.",
    example: r#"
[sources.deploys]
kind = "file"
# {"time": "2026-03-01T11:59:00Z", "kind": "deploy", "service": "payments", "from": "4.18.2", "to": "4.19.0", "who": "j.doe"}
path = "/var/lib/deploys/changes.jsonl"
max_bytes = 8388608
"#,
    ..KindSpec::local(ANSWERS, Options::of::<Settings>())
};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The path of the file, relative to the configuration file.
    pub(super) path: String,
    /// How much of the end of the file is read at most, in bytes; default 8388608.
    #[serde(default = "max_bytes")]
    pub(super) max_bytes: u64,
}

fn max_bytes() -> u64 {
    8 * 1024 * 1024
}

impl OwnSettings for Settings {
    const FILES: &'static [&'static str] = &["path"];

    fn failures(&self) -> Vec<(&'static str, String)> {
        let mut failures = Vec::new();
        if self.path.trim().is_empty() {
            failures.push(("path", "must not be empty".to_owned()));
        }
        if !(4096..=1024 * 1024 * 1024).contains(&self.max_bytes) {
            failures.push(("max_bytes", format!("must be 4096 to 1073741824, not {}", self.max_bytes)));
        }
        failures
    }
}
