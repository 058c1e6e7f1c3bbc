//! The typed configuration. A new option is one field here, with its default and doc comment; the schema, the
//! sample that `config init` prints and `config show` are derived from it.

mod access;
mod notify;
mod source;

pub use access::{
    AuthSettings, KeyringEntry, Login, NamedSecret, OAuth2Settings, SecretProgram, SecretRef, SecretText,
    SigV4Settings,
};
pub use notify::NotifySettings;
pub use source::SourceSettings;

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::action::OperationKind;
pub use crate::model::duration::ConfigDuration;
use crate::model::guard::Guard;
use crate::model::health::Thresholds;
use crate::model::service::Dependencies;
use crate::model::world::HealthPolicy;

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The context at startup; by default the first in alphabetical order.
    pub context: Option<String>,
    /// Named sets of sources: `[contexts.prod-eu]`.
    pub contexts: BTreeMap<String, ContextSettings>,
    /// Named sources: `[sources.prom-eu]`.
    pub sources: BTreeMap<String, SourceSettings>,
    /// How services are found and named.
    pub services: ServiceSettings,
    /// The limits above which a signal counts as bad.
    pub health: Thresholds,
    /// The labels that hold the severity of alerts, and the meaning of their values.
    pub severity: SeveritySettings,
    /// Service level objectives: definition files and sources.
    pub slo: SloSettings,
    /// Where to look for runbooks, in addition to the links in alerts.
    pub runbooks: RunbookSettings,
    /// The screen for queries of your own.
    pub explore: ExploreSettings,
    /// Limits for queries.
    pub limits: LimitSettings,
    /// Notifications about new pages.
    pub notify: NotifySettings,
    /// Appearance of the terminal interface.
    pub ui: UiSettings,
}

/// A named set of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContextSettings {
    /// Names of sources; empty: all sources.
    pub sources: Vec<String>,
    /// Disable all actions that change external systems.
    pub read_only: bool,
    /// Show the context's name as a banner in its own colour, as a warning that this is production.
    pub production: bool,
    /// Operations that are denied: `acknowledge`, `resolve`, `assign`, `reroute`, `escalate`, `snooze`, `note`, `priority`,
    /// `merge`, `add-responder`, `status-update`, `trigger`, `take-shift`, `silence`, `extend`, `expire`.
    pub deny: Vec<OperationKind>,
    /// How many objects one action may change at once.
    pub max_bulk: usize,
    /// The share of all alerts, 0 to 1, above which a silence requires typing the context's name.
    pub silence_share: f64,
}

impl Default for ContextSettings {
    fn default() -> Self {
        let Guard { max_bulk, silence_share, .. } = Guard::default();
        Self {
            sources: Vec::new(),
            read_only: false,
            production: false,
            deny: Vec::new(),
            max_bulk,
            silence_share,
        }
    }
}

/// How services are found and named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceSettings {
    /// Labels that name a service; the first one that a metric or an alert has counts. Names such as `service.name` work if the
    /// server supports them (Prometheus 3).
    pub labels: Vec<String>,
    /// Labels that describe a service and can be filtered by, if its targets have them.
    pub describe_by: Vec<String>,
    /// Names of metric packs to use (`burnwatch config path` prints the folder for your own packs); empty: all.
    pub packs: Vec<String>,
    /// The lookback of rates; by default four scrape intervals, at least 1 minute.
    pub lookback: Option<ConfigDuration>,
    /// Apdex: requests below this latency are satisfied, below four times this latency tolerated.
    pub apdex: ConfigDuration,
    /// The services that a service calls, where no metric of calls between services tells: `checkout = ["payments", "ledger"]`.
    pub depends_on: BTreeMap<String, Vec<String>>,
}

impl ServiceSettings {
    pub fn dependencies(&self) -> Dependencies {
        self.depends_on.iter().collect()
    }
}

impl Default for ServiceSettings {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            labels: HealthPolicy::default().service_labels,
            describe_by: words(&["team", "tier", "namespace", "cluster", "env"]),
            packs: Vec::new(),
            lookback: None,
            apdex: ConfigDuration(Duration::from_millis(250)),
            depends_on: BTreeMap::new(),
        }
    }
}

/// Service level objectives: definition files and sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SloSettings {
    /// Files and folders with definitions (OpenSLO, Sloth, Pyrra, or burnwatch's own TOML format); relative to this file.
    pub files: Vec<String>,
    /// Also find SLOs by the series that recording rules of Sloth, Pyrra and Grafana keep.
    pub discover: bool,
    /// Names of the sources to query for SLOs from files; empty: every Prometheus of the context.
    pub sources: Vec<String>,
    /// The window of SLOs whose format does not define one.
    pub window: ConfigDuration,
}

impl Default for SloSettings {
    fn default() -> Self {
        let window = ConfigDuration(Duration::from_secs(30 * 86_400));
        Self { files: Vec::new(), discover: true, sources: Vec::new(), window }
    }
}

/// The labels that hold the severity of alerts, and the meaning of their values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeveritySettings {
    /// Labels that hold the severity; the first one that an alert has counts.
    pub labels: Vec<String>,
    /// Values that mean critical, in addition to the built-in ones.
    pub critical: Vec<String>,
    /// Values that mean warning, in addition to the built-in ones.
    pub warning: Vec<String>,
    /// Values that mean info, in addition to the built-in ones.
    pub info: Vec<String>,
    /// Alerts that always fire while monitoring works (dead man's switch).
    pub watchdogs: Vec<String>,
}

impl Default for SeveritySettings {
    fn default() -> Self {
        let HealthPolicy { watchdogs, severities, .. } = HealthPolicy::default();
        let (critical, warning, info) = (Vec::new(), Vec::new(), Vec::new());
        Self { labels: severities.labels, critical, warning, info, watchdogs }
    }
}

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

/// The screen for queries of your own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExploreSettings {
    /// The address of a trace, for exemplars: `https://tempo.example.net/trace/{{ trace_id }}`.
    pub trace_url: Option<String>,
}

/// Limits for queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// The timeout for establishing a connection.
    pub connect_timeout: ConfigDuration,
    /// The timeout for a complete answer.
    pub timeout: ConfigDuration,
    /// The size limit of an answer, in MiB.
    pub body_mib: u64,
    /// The number of simultaneous queries to one source.
    pub in_flight: usize,
    /// The interval between queries for services and alerts; longer if answers are expensive.
    pub interval: ConfigDuration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            connect_timeout: ConfigDuration(Duration::from_secs(3)),
            timeout: ConfigDuration(Duration::from_secs(10)),
            body_mib: 64,
            in_flight: 6,
            interval: ConfigDuration(Duration::from_secs(5)),
        }
    }
}

/// The characters that lines of charts are drawn with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChartSymbolChoice {
    /// Octants in terminals that are known to draw them (kitty 0.40, Ghostty 1.2, VTE 0.78), else braille.
    #[default]
    Auto,
    /// Solid blocks, 2 by 4 in a cell: characters of Unicode 16. For foot 1.20 and fonts that have them.
    Octant,
    /// Dots, 2 by 4 in a cell.
    Braille,
    /// Half blocks, for fonts without braille.
    Half,
    /// A character of its own for each series.
    Ascii,
}

/// Appearance of the terminal interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UiSettings {
    /// The name of a theme: `dark`, `light`, `high-contrast`, `colour-blind`, `terminal`, or one of your own.
    pub theme: Option<String>,
    /// Show times in UTC instead of your local time zone.
    pub utc: bool,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// The characters of lines in charts.
    pub chart_symbols: ChartSymbolChoice,
    /// Use the mouse.
    pub mouse: Option<bool>,
    /// Reduce output on slow connections: fewer frames, coarser trends, no seconds. By default detected from the connection's
    /// speed.
    pub low_bandwidth: Option<bool>,
    /// Show a preview of the selected item beside lists, in terminals of 120 columns and more.
    pub preview: bool,
    /// Keys for commands that replace the defaults, by the command's name: `quit = ["ctrl-q"]`.
    pub keys: BTreeMap<String, Vec<String>>,
}
