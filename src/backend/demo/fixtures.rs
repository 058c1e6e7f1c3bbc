//! The files under `assets/demo` as Rust types: services, scenario, rules and SLOs.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::model::duration;

/// The data that the demo world is built from.
#[derive(Debug, Clone)]
pub(super) struct Fixtures {
    pub(super) services: Vec<ServiceFixture>,
    pub(super) scenario: ScenarioFixture,
    pub(super) rules: RuleFixtures,
    pub(super) slos: Vec<SloFixture>,
}

impl Fixtures {
    pub(super) fn open() -> Self {
        const EMBEDDED_IS_VALID: &str = "the embedded files are read by the tests";
        let services: ServiceFixtures =
            toml::from_str(include_str!("../../../assets/demo/services.toml")).expect(EMBEDDED_IS_VALID);
        let promises: SloFixtures =
            toml::from_str(include_str!("../../../assets/demo/slos.toml")).expect(EMBEDDED_IS_VALID);
        Self {
            services: services.service,
            scenario: toml::from_str(include_str!("../../../assets/demo/story.toml"))
                .expect(EMBEDDED_IS_VALID),
            rules: toml::from_str(include_str!("../../../assets/demo/rules.toml")).expect(EMBEDDED_IS_VALID),
            slos: promises.slo,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFixtures {
    service: Vec<ServiceFixture>,
}

/// One service in normal operation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServiceFixture {
    pub(super) name: String,
    pub(super) team: String,
    pub(super) tier: String,
    pub(super) namespace: String,
    pub(super) version: String,
    pub(super) pods: u32,
    pub(super) rate: BTreeMap<Region, f64>,
    pub(super) latency: Option<f64>,
    #[serde(default)]
    pub(super) tail: f64,
    pub(super) errors: Option<f64>,
    pub(super) resources: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) needs: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) gauges: BTreeMap<String, f64>,
}

/// A region in which services run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Region {
    #[serde(rename = "eu-west-1")]
    Eu,
    #[serde(rename = "us-east-1")]
    Us,
}

impl Region {
    pub(super) const ALL: [Self; 2] = [Self::Eu, Self::Us];

    /// The value of the `region` label.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Eu => "eu-west-1",
            Self::Us => "us-east-1",
        }
    }

    /// The name of the Prometheus source of the region.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Eu => "prom-eu",
            Self::Us => "prom-us",
        }
    }
}

/// All scripted events.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioFixture {
    pub(super) cycle: Seconds,
    pub(super) chapter: Vec<Chapter>,
    pub(super) standing: Vec<BackgroundEffect>,
    pub(super) silence: Vec<SilenceFixture>,
}

/// The events of one cycle.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Chapter {
    /// Only a comment in the file.
    #[serde(rename = "name")]
    _name: String,
    pub(super) deploy: Option<Deploy>,
    pub(super) effect: Vec<SignalEffect>,
    #[serde(default)]
    pub(super) silence: Vec<SilenceFixture>,
}

/// The deployment of a new version, and its rollback.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    pub(super) service: String,
    pub(super) region: Region,
    pub(super) version: String,
    pub(super) at: Seconds,
    pub(super) back: Seconds,
}

/// A repeating event that does not belong to a chapter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackgroundEffect {
    pub(super) start: Seconds,
    pub(super) every: Seconds,
    pub(super) effect: SignalEffect,
}

/// What is added to the signals of a service for a while.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignalEffect {
    pub(super) service: String,
    pub(super) region: Region,
    #[serde(default)]
    pub(super) errors: f64,
    #[serde(default)]
    pub(super) latency: f64,
    #[serde(default)]
    pub(super) slow: f64,
    #[serde(default)]
    pub(super) rate: f64,
    #[serde(default)]
    pub(super) resources: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) gauges: BTreeMap<String, f64>,
    #[serde(default)]
    pub(super) down: u32,
    pub(super) rise: [Seconds; 2],
    pub(super) fall: [Seconds; 2],
}

impl SignalEffect {
    /// The strength of the effect this many seconds after the event began, 0 to 1.
    pub(super) fn level(&self, offset: f64) -> f64 {
        let [rise, risen] = self.rise.map(|at| at.0);
        let [fall, fallen] = self.fall.map(|at| at.0);
        match offset {
            at if at < rise || at >= fallen => 0.0,
            at if at < risen => (at - rise) / (risen - rise),
            at if at < fall => 1.0,
            at => (fallen - at) / (fallen - fall),
        }
    }

    /// The integral of the level between two offsets, in seconds.
    pub(super) fn area(&self, from: f64, to: f64) -> f64 {
        self.area_until(to) - self.area_until(from)
    }

    /// The integral of the level from the start of the event to `offset`.
    fn area_until(&self, offset: f64) -> f64 {
        let [rise, risen] = self.rise.map(|at| at.0);
        let [fall, fallen] = self.fall.map(|at| at.0);
        // the offset within each of the three phases: rise, plateau and fall
        let part = |from: f64, to: f64| (offset.clamp(from, to.max(from)) - from).max(0.0);
        let (up, level, down) = (part(rise, risen), part(risen, fall), part(fall, fallen));
        let slope =
            |passed: f64, length: f64| if length > 0.0 { passed * passed / length / 2.0 } else { 0.0 };
        slope(up, risen - rise) + level + down - slope(down, fallen - fall)
    }
}

/// A silence that a user created.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SilenceFixture {
    pub(super) matchers: String,
    pub(super) by: String,
    pub(super) comment: String,
    pub(super) from: Seconds,
    pub(super) until: Seconds,
    pub(super) every: Option<Seconds>,
}

/// The alerting rules, and the receivers and inhibitions of Alertmanager.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFixtures {
    pub(super) runbook: String,
    pub(super) dashboard: String,
    pub(super) rule: Vec<RuleFixture>,
    pub(super) receivers: BTreeMap<String, Vec<String>>,
    pub(super) inhibit: Vec<Inhibit>,
}

/// One alerting rule, or a pattern for one rule per service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleFixture {
    pub(super) name: String,
    pub(super) group: String,
    #[serde(default)]
    pub(super) services: Vec<String>,
    pub(super) measure: SimulatedNumber,
    pub(super) left: String,
    pub(super) op: Option<RuleComparison>,
    #[serde(default)]
    pub(super) threshold: f64,
    #[serde(rename = "for")]
    pub(super) hold: Seconds,
    pub(super) severity: String,
    #[serde(default)]
    pub(super) line: BTreeMap<String, String>,
    pub(super) summary: String,
    pub(super) description: String,
}

/// The comparison of a value with the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum RuleComparison {
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = "==")]
    Equal,
}

impl RuleComparison {
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::Below => "<",
            Self::Equal => "==",
        }
    }

    pub(super) fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::Equal => (value - threshold).abs() < f64::EPSILON,
        }
    }
}

/// A number of the simulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SimulatedNumber {
    /// Failed / all requests.
    Errors,
    P95,
    /// The utilisation of a resource.
    Resource(String),
    Gauge(String),
    /// Whether a pod can be scraped.
    Up,
    /// Always 1.
    Always,
}

impl<'de> Deserialize<'de> for SimulatedNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match (text.as_str(), text.split_once(':')) {
            (_, Some(("resource", name))) => Self::Resource(name.to_owned()),
            (_, Some(("gauge", name))) => Self::Gauge(name.to_owned()),
            ("errors", _) => Self::Errors,
            ("p95", _) => Self::P95,
            ("up", _) => Self::Up,
            ("always", _) => Self::Always,
            _ => return Err(D::Error::custom(format!("{text:?} is not a measure"))),
        })
    }
}

/// An inhibition rule of Alertmanager.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inhibit {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) equal: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SloFixtures {
    slo: Vec<SloFixture>,
}

/// An SLO for each of its services.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SloFixture {
    pub(super) name: String,
    pub(super) measure: SloObjective,
    pub(super) objective: String,
    pub(super) services: Vec<String>,
    pub(super) description: String,
}

/// What counts as a bad request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum SloObjective {
    /// A request that fails.
    Errors,
    /// A request that takes longer than this many seconds.
    Slower(f64),
}

impl<'de> Deserialize<'de> for SloObjective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let slower = text.strip_prefix("slower:").and_then(|seconds| seconds.parse().ok());
        match slower {
            Some(seconds) => Ok(Self::Slower(seconds)),
            None if text == "errors" => Ok(Self::Errors),
            None => Err(D::Error::custom(format!("{text:?} is not promised"))),
        }
    }
}

/// Seconds of demo time, written as `1m30s`; a time before the start as `-20h`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Seconds(pub(super) f64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (sign, size) = text.strip_prefix('-').map_or((1.0, &*text), |size| (-1.0, size));
        duration::parse(size).map(|size| Self(sign * size.as_secs_f64())).map_err(D::Error::custom)
    }
}
