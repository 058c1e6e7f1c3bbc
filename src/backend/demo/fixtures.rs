//! The files under `assets/demo` as Rust types: services, scenario, rules and SLOs.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::model::duration;
use crate::model::words::words;

/// Defines the tables of the files as structs. A table with an unknown key is refused.
macro_rules! fixtures {
    ($($(#[$about:meta])* struct $Name:ident { $($(#[$note:meta])* $field:ident : $Type:ty,)* })*) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $Name { $($(#[$note])* pub(super) $field: $Type,)* }
    )*};
}
pub(super) use fixtures;

/// The data that the demo world is built from.
#[derive(Debug, Clone)]
pub(super) struct Fixtures {
    pub(super) services: Vec<ServiceFixture>,
    pub(super) scenario: ScenarioFixture,
    pub(super) rules: RuleFixtures,
    pub(super) slos: Vec<SloFixture>,
    pub(super) voices: Vec<VoiceFixture>,
}

impl Fixtures {
    pub(super) fn open() -> Self {
        Self {
            services: read::<ServiceFixtures>(include_str!("../../../assets/demo/services.toml")).service,
            scenario: read(include_str!("../../../assets/demo/story.toml")),
            rules: read(include_str!("../../../assets/demo/rules.toml")),
            slos: read::<SloFixtures>(include_str!("../../../assets/demo/slos.toml")).slo,
            voices: read::<VoiceFixtures>(include_str!("../../../assets/demo/logs.toml")).voice,
        }
    }
}

/// The contents of an embedded file.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).expect("the embedded files are read by the tests")
}

fixtures! {
    struct ServiceFixtures {
        service: Vec<ServiceFixture>,
    }

    /// One service in normal operation.
    struct ServiceFixture {
        name: String,
        team: String,
        tier: String,
        namespace: String,
        version: String,
        pods: u32,
        rate: BTreeMap<Region, f64>,
        latency: Option<f64>,
        #[serde(default)]
        tail: f64,
        errors: Option<f64>,
        resources: BTreeMap<String, f64>,
        #[serde(default)]
        needs: BTreeMap<String, f64>,
        #[serde(default)]
        gauges: BTreeMap<String, f64>,
        #[serde(default)]
        routes: Vec<RouteFixture>,
        #[serde(default)]
        flags: BTreeMap<String, bool>,
    }

    struct RouteFixture {
        /// The method and the route: `GET /carts/{id}`.
        request: String,
        /// The share of the service's requests, 0 to 1.
        share: f64,
        #[serde(default)]
        calls: Vec<String>,
    }

    /// All scripted events.
    struct ScenarioFixture {
        cycle: Seconds,
        chapter: Vec<Chapter>,
        standing: Vec<BackgroundEffect>,
        routine: Vec<RoutineDeploy>,
        silence: Vec<SilenceFixture>,
    }

    /// The events of one cycle.
    struct Chapter {
        /// Only a comment in the file.
        #[serde(rename = "name")]
        _name: String,
        deploy: Option<Deploy>,
        #[serde(default)]
        flag: Vec<FlagChange>,
        effect: Vec<SignalEffect>,
        #[serde(default)]
        silence: Vec<SilenceFixture>,
    }

    /// The deployment of a new version, and its rollback.
    struct Deploy {
        service: String,
        region: Region,
        version: String,
        /// Who deployed it, and the number of the merge request.
        by: String,
        merge_request: u32,
        /// Who brought the version before back.
        back_by: String,
        at: Seconds,
        back: Seconds,
        rollout: Seconds,
        drain: Seconds,
    }

    /// A feature flag that is on for a while.
    struct FlagChange {
        service: String,
        region: Region,
        flag: String,
        by: String,
        back_by: String,
        on: Seconds,
        off: Seconds,
    }

    /// A repeated deployment without any effect.
    struct RoutineDeploy {
        start: Seconds,
        every: Seconds,
        deploy: Deploy,
    }

    /// A repeating event that does not belong to a chapter.
    struct BackgroundEffect {
        start: Seconds,
        every: Seconds,
        effect: SignalEffect,
    }

    /// What is added to the signals of a service for a while.
    struct SignalEffect {
        service: String,
        region: Region,
        #[serde(default)]
        errors: f64,
        #[serde(default)]
        latency: f64,
        #[serde(default)]
        slow: f64,
        #[serde(default)]
        rate: f64,
        #[serde(default)]
        resources: BTreeMap<String, f64>,
        #[serde(default)]
        gauges: BTreeMap<String, f64>,
        #[serde(default)]
        down: u32,
        #[serde(default)]
        crashes: Vec<Seconds>,
        #[serde(default)]
        oom: bool,
        #[serde(default)]
        only: EffectScope,
        code: Option<String>,
        from: Option<String>,
        /// What the service logs meanwhile.
        #[serde(default)]
        logs: Vec<LoggedText>,
        rise: [Seconds; 2],
        fall: [Seconds; 2],
    }

    /// A line that is logged again and again while an effect lasts.
    struct LoggedText {
        level: LogLevel,
        /// The message, and after ` | ` its fields: `charge failed | amount={n:100:9000}`.
        text: String,
        /// How often at the full strength of the effect; without it, once at each crash.
        every: Option<Seconds>,
        #[serde(default)]
        stack: Vec<String>,
    }

    struct VoiceFixtures {
        voice: Vec<VoiceFixture>,
    }

    /// What some services log in normal operation.
    struct VoiceFixture {
        /// Empty: all services without a voice of their own.
        #[serde(default)]
        services: Vec<String>,
        format: LogLayout,
        /// The mean time between two lines; by default it follows from the request rate.
        every: Option<Seconds>,
        /// Class or module names of a format that has them.
        #[serde(default)]
        class: String,
        line: Vec<UsualLine>,
    }

    /// One of the usual lines.
    struct UsualLine {
        level: LogLevel,
        /// How often, compared with the other lines.
        share: f64,
        text: String,
    }

    /// The requests that an effect hits: those that have all of these labels.
    #[derive(Default, PartialEq)]
    struct EffectScope {
        version: Option<String>,
        route: Option<String>,
        zone: Option<String>,
        /// Requests that call this dependency.
        #[serde(skip)]
        calls: Option<String>,
    }

    /// A silence that a user created.
    struct SilenceFixture {
        matchers: String,
        by: String,
        comment: String,
        from: Seconds,
        until: Seconds,
        every: Option<Seconds>,
    }

    /// The alerting rules, and the receivers and inhibitions of Alertmanager.
    struct RuleFixtures {
        runbook: String,
        dashboard: String,
        rule: Vec<RuleFixture>,
        receivers: BTreeMap<String, Vec<String>>,
        inhibit: Vec<Inhibit>,
    }

    /// One alerting rule, or a pattern for one rule per service.
    struct RuleFixture {
        name: String,
        group: String,
        #[serde(default)]
        services: Vec<String>,
        measure: SimulatedNumber,
        left: String,
        op: Option<RuleComparison>,
        #[serde(default)]
        threshold: f64,
        #[serde(rename = "for")]
        hold: Seconds,
        severity: String,
        #[serde(default)]
        line: BTreeMap<String, String>,
        summary: String,
        description: String,
    }

    /// An inhibition rule of Alertmanager.
    struct Inhibit {
        source: String,
        target: String,
        equal: Vec<String>,
    }

    struct SloFixtures {
        slo: Vec<SloFixture>,
    }

    /// An SLO for each of its services.
    struct SloFixture {
        name: String,
        measure: SloObjective,
        objective: String,
        services: Vec<String>,
        description: String,
    }
}

words! {
    /// A region in which services run; the word is the value of the `region` label.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    pub(super) enum Region: name {
        #[serde(rename = "eu-west-1")]
        Eu = "eu-west-1",
        #[serde(rename = "us-east-1")]
        Us = "us-east-1",
    }
}

words! {
    /// The severity of a line, as Loki detects it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum LogLevel: word {
        Debug = "debug",
        Info = "info",
        Warn = "warn",
        Error = "error",
        Fatal = "fatal",
    }
}

/// How a service writes its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogLayout {
    Json,
    Logfmt,
    /// Log4j's usual layout.
    Java,
    /// The access log and the error log of nginx.
    Nginx,
    Postgres,
    Redis,
}

impl Region {
    /// The name of the Prometheus source of the region.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::Eu => "prom-eu",
            Self::Us => "prom-us",
        }
    }
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

words! {
    /// The comparison of a value with the threshold.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
    pub(super) enum RuleComparison: sign {
        #[serde(rename = ">")]
        Above = ">",
        #[serde(rename = "<")]
        Below = "<",
        #[serde(rename = "==")]
        Equal = "==",
    }
}

impl RuleComparison {
    pub(super) fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::Equal => (value - threshold).abs() < f64::EPSILON,
        }
    }
}

/// A number of the simulation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
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

/// What counts as a bad request.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SloObjective {
    /// A request that fails.
    Errors,
    /// A request that takes longer than this many seconds.
    Slower(f64),
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
