//! Test data for the lists: a world with a Prometheus and an Alertmanager whose answers the test chooses.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::model::alert::{Alert, AlertSnapshot, AlertState, Severity};
use crate::model::ask::{Answer, Answered, Ask, AskKind, Query, Question, Reply};
use crate::model::capacity::{CapacityReading, CapacitySnapshot};
use crate::model::fixtures::{self, person};
use crate::model::incident::{Attribution, Incident, IncidentSnapshot, IncidentStatus};
use crate::model::labels::Labels;
use crate::model::oncall::{EscalationPolicy, OnCallSnapshot, Shift};
use crate::model::rule::RuleSnapshot;
use crate::model::service::{ServiceReading, ServiceSnapshot, Signals};
use crate::model::slo::{MeasuredRatio, SloReading, SloSnapshot};
use crate::model::source::{ErrorKind, ProbeReport, SourceError, SourceId};
use crate::model::source_info::SourceInfo;
use crate::model::warning::Warning;
use crate::model::world::{HealthPolicy, World};

use super::view::WorldView;

static UTC: TimeZone = TimeZone::UTC;

pub(super) struct Fixture {
    pub(super) world: World,
    sources: Vec<SourceInfo>,
    pub(super) now: Timestamp,
}

pub(super) fn prom() -> SourceId {
    SourceId::new("prom")
}

pub(super) fn am() -> SourceId {
    SourceId::new("am")
}

/// A world whose sources have not answered yet.
pub(super) fn world() -> Fixture {
    let source = |id: &str, kind, address: &str, answers| SourceInfo {
        address: address.into(),
        ..fixtures::source(id, kind, answers)
    };
    let of_prom = vec![AskKind::Probe, AskKind::Services, AskKind::Rules, AskKind::Slos, AskKind::Capacity];
    let sources = vec![
        source("prom", "prometheus", "http://prom:9090", of_prom),
        source("am", "alertmanager", "http://am:9093", vec![AskKind::Alerts]),
    ];
    let ids = sources.iter().map(|source| source.id.clone());
    let world = World::new(ids, HealthPolicy::default());
    Fixture { world, sources, now: Timestamp::from_second(1_800_000_000).unwrap() }
}

impl Fixture {
    fn with_answer(mut self, source: &SourceId, ask: Ask, answered: Answered) -> Self {
        let question = Question { context: 0, source: source.clone(), ask, known: None };
        self.world.apply(&question, answered, self.now);
        self
    }

    fn with(self, source: &SourceId, ask: Ask, answer: Answer) -> Self {
        self.with_answer(source, ask, Ok(Reply::free(answer)))
    }

    pub(super) fn with_probe(self, source: &SourceId, clock_ahead_seconds: i64) -> Self {
        let offer = ProbeReport {
            flavour: "Prometheus".into(),
            version: "3.5.0".into(),
            facts: vec![("services by".into(), "service".into())],
            warnings: Vec::new(),
            refuses: None,
            clock_ahead_seconds: Some(clock_ahead_seconds),
        };
        self.with(source, Query::Probe.now(), Answer::Probe(offer))
    }

    pub(super) fn with_services(self, source: &SourceId, readings: Vec<ServiceReading>) -> Self {
        let snapshot = ServiceSnapshot { readings, lookback: Duration::from_secs(60) };
        self.with(source, Query::Services.now(), Answer::Services(snapshot))
    }

    pub(super) fn with_alerts(self, source: &SourceId, alerts: Vec<Arc<Alert>>) -> Self {
        self.with(source, Query::Alerts.now(), Answer::Alerts(AlertSnapshot { alerts }))
    }

    pub(super) fn with_rules(self, source: &SourceId) -> Self {
        self.with_rule_board(source, RuleSnapshot::default())
    }

    pub(super) fn with_rule_board(self, source: &SourceId, snapshot: RuleSnapshot) -> Self {
        self.with(source, Query::Rules.now(), Answer::Rules(snapshot))
    }

    pub(super) fn with_slos(self, source: &SourceId, readings: Vec<SloReading>) -> Self {
        let snapshot = SloSnapshot { at: self.now, readings };
        self.with(source, Query::Slos.now(), Answer::Slos(snapshot))
    }

    pub(super) fn with_capacity(self, source: &SourceId, readings: Vec<CapacityReading>) -> Self {
        let readings = readings.into_iter().map(Arc::new).collect();
        self.with(source, Query::Capacity.now(), Answer::Capacity(CapacitySnapshot { readings }))
    }

    /// Adds a second Prometheus and drops all answers.
    pub(super) fn with_prometheus(self, id: &SourceId) -> Self {
        let first = self.sources.iter().find(|source| source.id == prom());
        let other = first.map(|first| SourceInfo { id: id.clone(), ..first.clone() }).unwrap();
        self.with_source(other)
    }

    /// Adds a source and drops all answers.
    pub(super) fn with_source(mut self, source: SourceInfo) -> Self {
        self.sources.push(source);
        self.world = World::new(self.sources.iter().map(|source| source.id.clone()), HealthPolicy::default());
        self
    }

    /// Adds a paging system and drops all answers.
    fn with_pager(self) -> Self {
        self.with_source(fixtures::source("pager", "toy", vec![AskKind::Incidents, AskKind::OnCall]))
    }

    pub(super) fn with_incidents(self, incidents: Vec<Incident>) -> Self {
        let snapshot = IncidentSnapshot { incidents, ..IncidentSnapshot::default() };
        self.with_pager().with(&pager(), Query::Incidents.now(), Answer::Incidents(snapshot))
    }

    /// For the policy Checkout, Ana is on call and Kofi is next; for Search nobody is on call.
    pub(super) fn with_on_call(self) -> Self {
        let policy = |name: &str| EscalationPolicy {
            named: fixtures::pager_ref(name),
            teams: Vec::new(),
            services: Vec::new(),
            levels: Vec::new(),
            repeats: 0,
        };
        let hours = |hours: i64| self.now + SignedDuration::from_hours(hours);
        let shift = |who: &str, from: i64, until: i64| Shift {
            policy: "Checkout".into(),
            level: 1,
            person: person(who),
            schedule: None,
            start: Some(hours(from)),
            end: Some(hours(until)),
            is_override: false,
        };
        let snapshot = OnCallSnapshot {
            policies: vec![policy("Checkout"), policy("Search")],
            shifts: vec![shift("Ana Lima", -4, 4), shift("Kofi Mensah", 4, 12)],
            me: Some(person("Ana Lima")),
            from: hours(-1),
            until: hours(168),
        };
        self.with_pager().with(&pager(), Query::OnCall.now(), Answer::OnCall(snapshot))
    }

    pub(super) fn with_trouble(self, source: &SourceId) -> Self {
        self.with_this_trouble(source, ErrorKind::Unreachable { reason: "refused".into() })
    }

    pub(super) fn with_this_trouble(self, source: &SourceId, failure: ErrorKind) -> Self {
        let error = SourceError::new(source.clone(), failure);
        self.with_answer(source, Query::Services.now(), Err(error))
    }

    /// The source repeats its last answer with a warning.
    pub(super) fn with_warning(self, source: &SourceId, kind: AskKind, warning: Warning) -> Self {
        let ask = kind.vital().unwrap().now();
        let warnings = vec![warning];
        self.with_answer(source, ask, Ok(Reply { warnings, ..Reply::free(Answer::Unchanged) }))
    }

    pub(super) fn later(mut self, seconds: i64) -> Self {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self
    }

    pub(super) fn view(&self) -> WorldView<'_> {
        WorldView {
            world: &self.world,
            sources: &self.sources,
            context: "prod",
            now: self.now,
            limit: Duration::from_secs(15),
            zone: &UTC,
            findings: &[],
        }
    }
}

fn pager() -> SourceId {
    SourceId::new("pager")
}

/// An incident that was created and assigned to Ana `ago` seconds before.
pub(super) fn incident(number: u64, title: &str, status: IncidentStatus, ago: i64) -> Incident {
    let at = Timestamp::from_second(1_800_000_000 - ago).unwrap();
    let stamps = vec![Attribution { who: person("Ana Lima"), at }];
    let acknowledged = if status == IncidentStatus::Acknowledged { stamps.clone() } else { Vec::new() };
    Incident { status, assigned: stamps, acknowledged, ..fixtures::incident(number, title, at, "pager") }
}

pub(super) fn reading(name: &str, error_ratio: f64) -> ServiceReading {
    let signals = Signals { request_rate: Some(100.0), error_ratio: Some(error_ratio), ..Signals::default() };
    ServiceReading { name: name.into(), signals, ..ServiceReading::default() }
}

/// An SLO of 99.9 % over 30 days; `hour` is its error ratio over 5 minutes and over an hour.
pub(super) fn slo(id: &str, window: MeasuredRatio, hour: MeasuredRatio) -> SloReading {
    let recent = [300, 3600].map(|seconds| (Duration::from_secs(seconds), hour)).to_vec();
    fixtures::reading(fixtures::slo(id), vec![fixtures::group(window, recent)])
}

/// An alert that started `ago` seconds before.
pub(super) fn alert(
    name: &str,
    service: &str,
    state: AlertState,
    severity: Severity,
    ago: i64,
) -> Arc<Alert> {
    let word = severity.word();
    let labels = Labels::from_iter([("alertname", name), ("service", service), ("severity", word)]);
    let starts_at = Timestamp::from_second(1_800_000_000 - ago).unwrap();
    Arc::new(Alert { state, severity, ..fixtures::alert(labels, starts_at, "am") })
}
