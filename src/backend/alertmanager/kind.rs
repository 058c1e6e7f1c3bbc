//! The description of the kind `alertmanager` for the configuration.

use super::ANSWERS;
use super::act::SUPPORT;
use crate::config::kind::{Address, Flag, KindSpec, NoOptions, Options, Scheme};

/// Alertmanager, also the one of Mimir or Grafana.
pub(in crate::backend) static SPEC: KindSpec = KindSpec {
    name: "alertmanager",
    title: "Alertmanager",
    summary: "also the one in Mimir or Grafana",
    about: "Alerts with their groups and receivers, and silences. Silences can be created, edited, extended and expired at an
Alertmanager, or at Grafana's built-in one with `url = \"https://grafana.example.net/api/alertmanager/grafana\"` and `auth.bearer`
(a service account's token). In a cluster, one member receives the change and replicates it to the others.",
    example: r#"
[sources.am-eu]
kind = "alertmanager"
url = "https://alertmanager.eu.example.net"
auth.basic = { user = "ana", password = { command = ["pass", "show", "alertmanager"] } }
"#,
    address: Some(Address::Needed),
    is_https_only: false,
    auth: &Scheme::ANY,
    is_auth_needed: false,
    answers: ANSWERS,
    writes: SUPPORT,
    flag: Some(Flag { source: "am", example: "http://localhost:9093" }),
    options: Options::of::<NoOptions>(),
};
