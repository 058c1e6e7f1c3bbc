//! `[runbooks]`: where runbooks are looked for, beside what alerts say of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// Where runbooks are looked for, beside what alerts say of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunbookSettings {
    /// A folder with files called as the alert or its service: `HighErrorRatio.md`, `checkout.md`; relative to this file.
    pub folder: Option<String>,
    /// Addresses with placeholders: `https://wiki.example.net/{{ labels.alertname }}.md`, tried in this order.
    pub templates: Vec<String>,
    /// Hosts that may be asked though they are in a private network.
    pub hosts: Vec<String>,
    /// Ask hosts in private networks and on this machine, whatever alerts name.
    pub allow_private: bool,
    /// A token for each host that wants one, sent to no other: `tokens."gitlab.example.net" = { env = "GITLAB_TOKEN" }`.
    pub tokens: BTreeMap<String, SecretRef>,
}
