//! The typed configuration. A new option is one field here, with its default and its doc comment; the schema, the
//! sample that `config init` prints and `config show` follow from it.

mod access;
mod notify;
mod runbooks;
mod source;

pub use access::{
    AuthSettings, KeyringEntry, Login, NamedSecret, OAuth2Settings, SecretProgram, SecretRef, SecretText,
    SigV4Settings,
};
pub use notify::NotifySettings;
pub use runbooks::RunbookSettings;
pub use source::SourceSettings;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::action::OperationKind;
use crate::model::guard::Guard;

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The context to start in; without it the first in the order of their names.
    pub context: Option<String>,
    /// Named sets of sources: `[contexts.prod-eu]`.
    pub contexts: BTreeMap<String, ContextSettings>,
    /// Named sources: `[sources.prom-eu]`.
    pub sources: BTreeMap<String, SourceSettings>,
    /// How services are found and named.
    pub services: ServiceSettings,
    /// Above what a signal counts as bad.
    pub health: HealthSettings,
    /// Which label holds the severity of an alert, and what its values mean.
    pub severity: SeveritySettings,
    /// Service level objectives: where they are read, how they are judged.
    pub slo: SloSettings,
    /// Where runbooks are looked for, beside what alerts say of them.
    pub runbooks: RunbookSettings,
    /// What may be spent on asking.
    pub limits: LimitSettings,
    /// How you are called when a page comes.
    pub notify: NotifySettings,
    /// How it looks.
    pub ui: UiSettings,
}

/// A named set of sources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContextSettings {
    /// Names of sources; empty: all of them.
    pub sources: Vec<String>,
    /// Disable all actions that change external systems.
    pub read_only: bool,
    /// Show the context's name as a banner in its own colour, as a warning that this is production.
    pub production: bool,
    /// What may not be done here: `acknowledge`, `resolve`, `assign`, `reroute`, `escalate`, `snooze`, `note`, `priority`,
    /// `merge`, `add-responder`, `status-update`, `trigger`, `take-shift`, `silence`, `extend`, `expire`.
    pub deny: Vec<OperationKind>,
    /// How many objects one action may change at once.
    pub max_bulk: usize,
    /// The share of all alerts, 0 to 1, beyond which a silence asks for the context's name.
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
    /// Labels that name a service; the first that a metric or an alert has counts. Any name will do (`service.name`), as far as
    /// the server takes it (Prometheus 3).
    pub labels: Vec<String>,
    /// Labels that describe a service and can be filtered by, where its targets have them.
    pub describe_by: Vec<String>,
    /// Names of packs to use (`burnwatch config path` says where own ones go); empty: all.
    pub packs: Vec<String>,
    /// Over how long rates are taken; without it four scrape intervals, at least 1 minute.
    pub lookback: Option<ConfigDuration>,
    /// Satisfied below this latency, tolerating below four times it (Apdex).
    pub apdex: ConfigDuration,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            labels: words(&["service", "app", "app_kubernetes_io_name", "job"]),
            describe_by: words(&["team", "tier", "namespace", "cluster", "env"]),
            packs: Vec::new(),
            lookback: None,
            apdex: ConfigDuration(Duration::from_millis(250)),
        }
    }
}

/// Above what a signal counts as bad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HealthSettings {
    /// Failed / all requests from which a service is degraded, 0 to 1.
    pub error_ratio_degraded: f64,
    /// Failed / all requests from which a service is critical, 0 to 1.
    pub error_ratio_critical: f64,
    /// Failed requests within the lookback below which an error ratio says nothing.
    pub few_errors: f64,
    /// 95th percentile of latency from which a service is degraded.
    pub p95_degraded: ConfigDuration,
    /// Use of the fullest resource from which a service is degraded, 0 to 1.
    pub saturation_degraded: f64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            error_ratio_degraded: 0.01,
            error_ratio_critical: 0.05,
            few_errors: 3.0,
            p95_degraded: ConfigDuration(Duration::from_secs(1)),
            saturation_degraded: 0.9,
        }
    }
}

/// Service level objectives: where they are read, how they are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SloSettings {
    /// Files and folders with definitions (OpenSLO, Sloth, Pyrra, or our own in TOML); relative to this file.
    pub files: Vec<String>,
    /// Find SLOs by the series that the rules of Sloth, Pyrra and Grafana keep.
    pub discover: bool,
    /// Names of the sources that definitions in files are asked at; empty: every Prometheus of the context.
    pub sources: Vec<String>,
    /// The window of SLOs whose form does not say one.
    pub window: ConfigDuration,
}

impl Default for SloSettings {
    fn default() -> Self {
        let window = ConfigDuration(Duration::from_secs(30 * 86_400));
        Self { files: Vec::new(), discover: true, sources: Vec::new(), window }
    }
}

/// Which label holds the severity of an alert, and what its values mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SeveritySettings {
    /// Labels to look at; the first that is there counts.
    pub labels: Vec<String>,
    /// Values that mean critical, besides the built-in ones.
    pub critical: Vec<String>,
    /// Values that mean warning, besides the built-in ones.
    pub warning: Vec<String>,
    /// Values that mean info, besides the built-in ones.
    pub info: Vec<String>,
    /// Alerts that always fire while monitoring is alive (dead man's switch).
    pub watchdogs: Vec<String>,
}

impl Default for SeveritySettings {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            labels: words(&["severity", "priority", "sloth_severity"]),
            critical: Vec::new(),
            warning: Vec::new(),
            info: Vec::new(),
            watchdogs: words(&["Watchdog", "DeadMansSwitch", "DeadMansSnitch"]),
        }
    }
}

/// What may be spent on asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How long a connection may take.
    pub connect_timeout: ConfigDuration,
    /// How long a whole answer may take.
    pub timeout: ConfigDuration,
    /// The largest answer that is read, in MiB.
    pub body_mib: u64,
    /// Questions in flight to one source at once.
    pub in_flight: usize,
    /// How often services and alerts are asked for; longer where answers are expensive.
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

/// How it looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UiSettings {
    /// A theme's name: `dark`, `light`, `high-contrast`, `colour-without_outcome_label`, `terminal`, or one of your own.
    pub theme: Option<String>,
    /// Show times in UTC instead of your own zone.
    pub utc: bool,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Look at the mouse.
    pub mouse: Option<bool>,
    /// Spare the line to the terminal: fewer frames, coarser trends, no seconds. Unless said, that depends on how fast it is.
    pub low_bandwidth: Option<bool>,
    /// Other keys for commands, by the command's name: `quit = ["ctrl-q"]`.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// A duration as Prometheus writes it: `250ms`, `10s`, `1m30s`, `6h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigDuration(pub Duration);

impl ConfigDuration {
    /// What the schema says of it; by this the reader of the configuration knows a duration.
    pub(super) const PATTERN: &'static str =
        "^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
}

impl JsonSchema for ConfigDuration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration as Prometheus writes it: 250ms, 10s, 1m30s, 6h, 30d.",
            "type": "string",
            "minLength": 2,
            "pattern": Self::PATTERN,
        })
    }
}

impl Serialize for ConfigDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&crate::model::duration::text(self.0))
    }
}

impl<'de> Deserialize<'de> for ConfigDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::model::duration::parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}
