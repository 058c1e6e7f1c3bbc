//! The description of the kind `exec` and its options.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ANSWERS;
use crate::config::kind::{KindSpec, Options, OwnSettings};
use crate::model::duration::ConfigDuration;

pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "exec",
    title: "program",
    summary: "the output of a program: Terraform, Ansible, cron, CI, journalctl",
    about: "With `gives = \"changes\"` a program that prints what changed, one JSON object per line as for `kind = \"file\"`, or one JSON
list of such objects. With `gives = \"logs\"` one that prints log lines; their time and severity are found in each line (JSON, logfmt, or
the first words), and a line without a time belongs to the one before. Its arguments may have `{{ labels.NAME }}` for the labels of
the service or alert, `{{ since }}` and `{{ until }}`.
It runs without a shell, gets the wanted time range in its environment (`BURNWATCH_SINCE` and `BURNWATCH_UNTIL` in RFC 3339,
`BURNWATCH_SINCE_EPOCH` and `BURNWATCH_UNTIL_EPOCH` in seconds), and is killed with its children after `timeout`. Its first error lines
are shown if it fails.",
    example: r#"
[sources.terraform]
kind = "exec"
command = ["terraform-changes", "--workspace", "prod"]
gives = "changes"
interval = "2m"
timeout = "10s"
max_bytes = 4194304

[sources.pods]
kind = "exec"
command = ["kubectl", "logs", "-n", "{{ labels.namespace }}", "deploy/{{ labels.service }}", "--timestamps", "--since-time={{ since }}"]
gives = "logs"
# New lines are followed by running it again.
interval = "5s"
timeout = "10s"
max_bytes = 4194304
"#,
    ..KindSpec::local(ANSWERS, Options::of::<Settings>())
};

/// What the output of the program is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Gives {
    /// Changes as JSON lines.
    Changes,
    /// Log lines.
    Logs,
}

impl Gives {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Logs => "logs",
        }
    }
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The program and its arguments. There is no shell: no pipes, no `*`, no variables.
    pub(super) command: Vec<String>,
    /// What it prints: `changes` or `logs`.
    pub(super) gives: Gives,
    /// How often it is run at most; default `1m`.
    #[serde(default = "interval")]
    pub(super) interval: ConfigDuration,
    /// How long it may run; default `10s`.
    #[serde(default = "timeout")]
    pub(super) timeout: ConfigDuration,
    /// The most bytes of its output; default 4194304.
    #[serde(default = "max_bytes")]
    pub(super) max_bytes: usize,
}

fn interval() -> ConfigDuration {
    ConfigDuration(Duration::from_secs(60))
}

fn timeout() -> ConfigDuration {
    ConfigDuration(Duration::from_secs(10))
}

fn max_bytes() -> usize {
    4 * 1024 * 1024
}

impl OwnSettings for Settings {
    fn failures(&self) -> Vec<(&'static str, String)> {
        let mut failures = Vec::new();
        if self.command.first().is_none_or(|program| program.trim().is_empty()) {
            failures.push(("command", "must begin with a program, like [\"git\", \"log\"]".to_owned()));
        }
        for (key, span) in [("interval", self.interval), ("timeout", self.timeout)] {
            if span.0.as_secs() == 0 {
                failures.push((key, "must be at least 1s".to_owned()));
            }
        }
        if !(1024..=256 * 1024 * 1024).contains(&self.max_bytes) {
            failures.push(("max_bytes", format!("must be 1024 to 268435456, not {}", self.max_bytes)));
        }
        failures
    }
}
