//! `[runbooks]`: where to look for runbooks, in addition to the links in alerts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// Where to look for runbooks, in addition to the links in alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunbookSettings {
    /// A folder with files named after the alert or its service: `HighErrorRatio.md`, `checkout.md`; relative to this file.
    pub folder: Option<String>,
    /// URLs with placeholders: `https://wiki.example.net/{{ labels.alertname }}.md`, tried in this order.
    pub templates: Vec<String>,
    /// Hosts in private networks that requests are allowed to.
    pub hosts: Vec<String>,
    /// Allow requests to hosts in private networks and on this machine, for any link in an alert.
    pub allow_private: bool,
    /// Tokens for hosts that require one, sent to no other host: `tokens."gitlab.example.net" = { env = "GITLAB_TOKEN" }`.
    pub tokens: BTreeMap<String, SecretRef>,
}
