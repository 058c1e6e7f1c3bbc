//! A paging system with incidents in every state, and policies with gaps, double bookings and overrides.

use burnwatch::testing::backend::{Answering, Source};
use burnwatch::testing::model::action::{OperationKind, RequestPreview, WriteSupport};
use burnwatch::testing::model::alert::{Alert, AlertSnapshot};
use burnwatch::testing::model::ask::{Answer, Ask, AskKind, Query, Reply};
use burnwatch::testing::model::fixtures;
use burnwatch::testing::model::incident::{
    AlertCounts, Attribution, Incident, IncidentAlert, IncidentDetail, IncidentEvent, IncidentSnapshot,
    IncidentStatus, Note, PagerRef, Pending, Person, Priority, SimilarIncident, Urgency,
};
use burnwatch::testing::model::labels::Labels;
use burnwatch::testing::model::oncall::{
    EscalationLevel, EscalationPolicy, EscalationTarget, OnCallSnapshot, Shift,
};
use burnwatch::testing::model::service::{ServiceReading, ServiceSnapshot};
use burnwatch::testing::model::silence::{Silence, SilenceState};
use burnwatch::testing::model::source::{ProbeReport, SourceId};
use burnwatch::testing::model::source_info::SourceInfo;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

use crate::stage::Stage;

/// The paging system as a source.
pub(crate) struct Pager {
    info: SourceInfo,
    incidents: Vec<Incident>,
    on_call: OnCallSnapshot,
    refuses: Option<&'static str>,
    clock_ahead_seconds: i64,
}

impl Pager {
    pub(crate) fn new(incidents: Vec<Incident>, on_call: OnCallSnapshot) -> Self {
        let answers = vec![
            AskKind::Probe,
            AskKind::Services,
            AskKind::Alerts,
            AskKind::Incidents,
            AskKind::Incident,
            AskKind::OnCall,
            AskKind::Silences,
        ];
        let info = SourceInfo {
            address: "https://pager.example".into(),
            writes: WriteSupport {
                kinds: OperationKind::ALL,
                preview: |action, address, _| {
                    let address = format!("{address}/incidents/{}", action.target.id).into();
                    let body = serde_json::to_string(&action.operation).expect("operations are plain").into();
                    Ok(vec![RequestPreview { method: "PUT".into(), address, body: Some(body) }])
                },
            },
            ..fixtures::source("pager", "demo", answers)
        };
        Self { info, incidents, on_call, refuses: None, clock_ahead_seconds: 0 }
    }

    /// The same with a clock that is this many seconds ahead.
    pub(crate) fn ahead(self, seconds: i64) -> Self {
        Self { clock_ahead_seconds: seconds, ..self }
    }

    /// The same with an API key without write permission.
    pub(crate) fn refusing(self, why: &'static str) -> Self {
        Self { refuses: Some(why), ..self }
    }

    fn reply(&self, ask: &Ask) -> Answer {
        match &ask.query {
            Query::Probe => Answer::Probe(ProbeReport {
                flavour: "pager".into(),
                version: "".into(),
                facts: Vec::new(),
                warnings: Vec::new(),
                refuses: self.refuses.map(Into::into),
                clock_ahead_seconds: Some(self.clock_ahead_seconds),
            }),
            Query::Services => {
                let readings = ["cart", "checkout"]
                    .map(|n| ServiceReading { name: n.into(), ..ServiceReading::default() });
                let lookback = Duration::from_secs(60);
                Answer::Services(ServiceSnapshot { readings: readings.to_vec(), lookback })
            }
            Query::Alerts => {
                let alerts = [("checkout", 13), ("cart", 40), ("search", 50)];
                let alerts = alerts.map(|(service, minutes)| burning(service, minutes));
                Answer::Alerts(AlertSnapshot { alerts: alerts.to_vec() })
            }
            Query::Silences => Answer::Silences(silences()),
            Query::Incidents => Answer::Incidents(IncidentSnapshot {
                incidents: self.incidents.clone(),
                ..IncidentSnapshot::default()
            }),
            Query::Incident { id } if &**id == "P1" => Answer::Incident(detail()),
            Query::Incident { .. } => Answer::Incident(IncidentDetail::default()),
            Query::OnCall => Answer::OnCall(self.on_call.clone()),
            _ => Answer::Unchanged,
        }
    }
}

impl Source for Pager {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, ask: &'a Ask, _known: Option<u64>) -> Answering<'a> {
        Box::pin(async move { Ok(Reply::free(self.reply(ask))) })
    }
}

fn id() -> SourceId {
    SourceId::new("pager")
}

pub(crate) fn named(name: &str) -> PagerRef {
    PagerRef { id: name.into(), name: name.into(), url: Some(format!("https://pager.example/{name}").into()) }
}

pub(crate) fn person(name: &str, zone: &str) -> Person {
    Person { id: name.into(), name: name.into(), email: None, zone: Some(zone.into()) }
}

fn ana() -> Person {
    person("Ana Lima", "Europe/Berlin")
}

fn kofi() -> Person {
    person("Kofi Mensah", "America/New_York")
}

/// This many minutes before the start of the test; negative: after it.
pub(crate) fn ago(minutes: i64) -> Timestamp {
    Stage::start() - SignedDuration::from_mins(minutes)
}

fn labels() -> Labels {
    labels_of("checkout")
}

fn labels_of(service: &str) -> Labels {
    let mut name = service.to_owned();
    name.get_mut(0..1).expect("a name").make_ascii_uppercase();
    let name = format!("{name}Burns");
    Labels::from_iter([("alertname", name.as_str()), ("service", service), ("severity", "page")])
}

fn burning(service: &str, minutes: i64) -> Arc<Alert> {
    let labels = labels_of(service);
    let annotations = Labels::from_iter([("summary", format!("{service} burns its budget").as_str())]);
    Arc::new(Alert { annotations, ..fixtures::alert(labels, ago(minutes), "pager") })
}

pub(crate) fn incident(number: u64, title: &str, minutes: i64) -> Incident {
    Incident {
        service: Some(named("Checkout")),
        escalation_policy: Some(named("Shop")),
        teams: vec![named("Store")],
        assigned: vec![Attribution { who: ana(), at: ago(minutes) }],
        alerts: AlertCounts { all: 1, triggered: 1 },
        url: Some(format!("https://pager.example/incidents/P{number}").into()),
        ..fixtures::incident(number, title, ago(minutes), "pager")
    }
}

/// An incident in every state, some with hostile titles.
pub(crate) fn incidents() -> Vec<Incident> {
    let priority = |name: &str, rank| Some(Priority { named: named(name), rank: Some(rank) });
    let acknowledged = |minutes| vec![Attribution { who: kofi(), at: ago(minutes) }];
    let over = |number, title, minutes| Incident {
        status: IncidentStatus::Resolved,
        acknowledged: acknowledged(minutes - 3),
        resolved_at: Some(ago(minutes - 40)),
        changed_at: ago(minutes - 40),
        ..incident(number, title, minutes)
    };
    vec![
        Incident {
            priority: priority("P1", 1),
            pending: vec![Pending { what: "escalate".into(), at: ago(-3) }],
            alerts: AlertCounts { all: 3, triggered: 2 },
            conference: Some("https://meet.example/checkout".into()),
            ..incident(1, "[FIRING:1] CheckoutBurns (checkout page)", 12)
        },
        Incident { assigned: Vec::new(), service: None, ..incident(2, "Nobody has this one", 30) },
        Incident {
            status: IncidentStatus::Acknowledged,
            acknowledged: acknowledged(50),
            service: Some(named("Cart")),
            ..incident(3, "Cart is slow in 東京 and elsewhere, as a long title says that goes on", 62)
        },
        Incident {
            status: IncidentStatus::Acknowledged,
            acknowledged: acknowledged(60 * 9),
            urgency: Urgency::Low,
            teams: Vec::new(),
            ..incident(4, "Disk of backups is nearly full", 60 * 10)
        },
        Incident { urgency: Urgency::Low, ..incident(5, "Certificate ends soon", 200) },
        over(6, "Checkout was down", 300),
        over(7, "Checkout was slow", 3000),
    ]
}

/// A silence that ends soon, one that lasts, and an expired one.
fn silences() -> Vec<Arc<Silence>> {
    let silence = |id: &str, matchers: &str, minutes: i64, state| {
        Arc::new(Silence {
            id: id.into(),
            state,
            matchers: burnwatch::testing::model::matcher::parse(matchers).expect("matchers"),
            starts_at: ago(60),
            ends_at: ago(-minutes),
            created_by: "kofi".into(),
            comment: "disks are being exchanged".into(),
            annotations: Labels::default(),
            updated_at: None,
            source: self::id(),
        })
    };
    vec![
        silence(
            "5f0c1a77-soon",
            "alertname=\"DiskFull\", service=~\"cart|search\"",
            12,
            SilenceState::Active,
        ),
        silence("77aa01c2-long", "team=\"data\"", 60 * 30, SilenceState::Active),
        silence("0123abcd-over", "team=\"store\"", -10, SilenceState::Expired),
    ]
}

fn detail() -> IncidentDetail {
    let step = |minutes, kind: &str, who: Option<&str>, channel: Option<&str>, summary: &str| IncidentEvent {
        at: ago(minutes),
        kind: kind.into(),
        who: who.map(Into::into),
        channel: channel.map(Into::into),
        summary: summary.into(),
    };
    let reported = |id: &str, summary: &str, is_resolved, labels: Labels| IncidentAlert {
        id: id.into(),
        is_resolved,
        summary: summary.into(),
        severity: Some("critical".into()),
        created_at: ago(12),
        key: None,
        labels,
        firing: Vec::new(),
        generator: None,
        details: Labels::from_iter([("firing", "1"), ("num_resolved", "0")]),
        links: vec![("dashboard".into(), "https://grafana.example/d/checkout".into())],
    };
    IncidentDetail {
        steps: vec![
            step(12, "trigger", None, Some("API"), "Triggered through the API"),
            step(12, "notify", Some("Ana Lima"), Some("phone"), "Notified Ana Lima by phone"),
            step(5, "annotate", Some("Kofi Mensah"), None, "Note added by Kofi Mensah"),
        ],
        notes: vec![Note {
            at: ago(5),
            who: "Kofi Mensah".into(),
            content: "Payments time out since the deploy of 02:40.\nRolling back.".into(),
        }],
        alerts: vec![
            reported("A1", "CheckoutBurns: checkout burns its budget", false, labels()),
            reported("A2", "Something else", true, Labels::default()),
        ],
        past: vec![SimilarIncident {
            id: "P0".into(),
            title: "CheckoutBurns (checkout page)".into(),
            created_at: ago(60 * 24 * 30),
            likeness: 870.0,
            url: Some("https://pager.example/incidents/P0".into()),
        }],
    }
}

/// A shift; `from` and `until` are hours after the start of the test.
fn shift(policy: &str, level: u32, person: Person, (from, until): (i64, i64)) -> Shift {
    Shift {
        policy: policy.into(),
        level,
        person,
        schedule: Some(named("Primary")),
        start: Some(ago(-60 * from)),
        end: Some(ago(-60 * until)),
        is_override: false,
    }
}

/// A policy with an override, a gap and a double booking; one with the same person at two levels; one with nobody on call.
pub(crate) fn on_call() -> OnCallSnapshot {
    let policy = |name: &str, levels: u32| EscalationPolicy {
        named: named(name),
        teams: vec![named("Store")],
        services: vec![named("Checkout"), named("Cart")],
        levels: (1..=levels)
            .map(|number| EscalationLevel {
                number,
                delay: Duration::from_secs(900),
                targets: vec![EscalationTarget::Schedule(named("Primary")), EscalationTarget::Person(kofi())],
            })
            .collect(),
        repeats: 2,
    };
    let stands_in = Shift { is_override: true, ..shift("Shop", 1, kofi(), (28, 32)) };
    let always = Shift { start: None, end: None, schedule: None, ..shift("Data", 2, kofi(), (0, 1)) };
    OnCallSnapshot {
        policies: vec![policy("Data", 2), policy("Search", 1), policy("Shop", 2)],
        shifts: vec![
            shift("Data", 1, kofi(), (-20, 200)),
            always,
            shift("Shop", 1, ana(), (-10, 4)),
            shift("Shop", 1, kofi(), (4, 16)),
            shift("Shop", 1, ana(), (16, 28)),
            stands_in,
            shift("Shop", 1, ana(), (32, 40)),
            shift("Shop", 1, ana(), (46, 60)),
            shift("Shop", 1, kofi(), (58, 160)),
            shift("Shop", 2, person("Jörg Müller", "Asia/Kathmandu"), (-10, 160)),
        ],
        me: Some(ana()),
        from: ago(60 * 3),
        until: ago(-60 * 24 * 7),
    }
}
