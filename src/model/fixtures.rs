//! Test data with ordinary values: a test changes the fields that it is about.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::action::WriteSupport;
use super::alert::{Alert, Severity};
use super::ask::AskKind;
use super::incident::{AlertCounts, Incident, IncidentStatus, PagerRef, Person, Urgency};
use super::labels::Labels;
use super::query_language::QueryLanguage;
use super::slo::{
    BudgetingMethod, DefinitionOrigin, Evaluation, GroupReading, MeasuredRatio, Objective, Slo, SloAlerting,
    SloReading, Window, standard,
};
use super::source::{Kind, SourceId};
use super::source_info::SourceInfo;
use super::trace::{Span, SpanId, SpanKind, SpanStatus};

/// A source that answers these questions and changes nothing.
pub fn source(id: &str, kind: &'static str, answers: Vec<AskKind>) -> SourceInfo {
    SourceInfo {
        id: SourceId::new(id),
        kind: Kind::new(kind),
        address: format!("http://{id}").into(),
        tenant: None,
        is_exposed: false,
        answers,
        language: QueryLanguage::default(),
        writes: WriteSupport::NONE,
    }
}

/// A critical alert that fires since this time.
pub fn alert(labels: Labels, since: Timestamp, source: &str) -> Alert {
    let alert = Alert::new(labels, Severity::Critical, SourceId::new(source));
    Alert { starts_at: since, updated_at: since, ..alert }
}

/// A service, team or policy of a paging system, whose id is its name.
pub fn pager_ref(name: &str) -> PagerRef {
    PagerRef { id: name.into(), name: name.into(), url: None }
}

/// A person whose id is the name.
pub fn person(name: &str) -> Person {
    Person { id: name.into(), name: name.into(), email: None, zone: None }
}

/// A triggered incident of high urgency, created at this time and assigned to nobody; its id is `P` and its number.
pub fn incident(number: u64, title: &str, created_at: Timestamp, source: &str) -> Incident {
    Incident {
        id: format!("P{number}").into(),
        number,
        title: title.into(),
        status: IncidentStatus::Triggered,
        urgency: Urgency::High,
        priority: None,
        service: None,
        escalation_policy: None,
        teams: Vec::new(),
        assigned: Vec::new(),
        acknowledged: Vec::new(),
        alerts: AlertCounts::default(),
        pending: Vec::new(),
        created_at,
        changed_at: created_at,
        resolved_at: None,
        key: None,
        conference: None,
        firing: Vec::new(),
        url: None,
        source: SourceId::new(source),
    }
}

/// An SLO of 99.9 % over 30 days with the standard conditions, known only by its recorded series.
#[expect(clippy::missing_panics_doc, reason = "99.9 is a percentage")]
pub fn slo(id: &str) -> Slo {
    let days = Duration::from_secs(30 * 86_400);
    Slo {
        id: id.into(),
        name: id.into(),
        service: None,
        description: "".into(),
        labels: Labels::default(),
        objective: Objective::percent("99.9").expect("a percentage"),
        window: Window::Rolling(days),
        budgeting: BudgetingMethod::Occurrences,
        sli: None,
        grouping: Vec::new(),
        pairs: standard(days),
        alerting: SloAlerting::default(),
        recorded: None,
        origin: DefinitionOrigin::Series,
    }
}

/// The measurements of an SLO without groups: over its window, and over shorter lookbacks.
pub fn group(window: MeasuredRatio, recent: Vec<(Duration, MeasuredRatio)>) -> GroupReading {
    let labels = Labels::default();
    GroupReading { labels, recent, window, is_time_weighted: false, extent: None, newest: None }
}

/// The measurements of an SLO by its own queries.
pub fn reading(slo: Slo, groups: Vec<GroupReading>) -> SloReading {
    SloReading { slo: Arc::new(slo), evaluation: Evaluation::Live, groups, failure: None, remark: None }
}

/// A span without attributes that begins this many milliseconds after 2026-11-20 22:00 UTC. Its ids are these numbers.
#[expect(clippy::missing_panics_doc, reason = "the moment is one")]
pub fn span(id: u64, parent: Option<u64>, service: &str, operation: &str, from: u64, millis: u64) -> Span {
    let began = Timestamp::from_second(1_795_212_000).expect("a moment");
    Span {
        id: SpanId::new(id).expect("an id is not 0"),
        parent: parent.and_then(SpanId::new),
        service: service.into(),
        operation: operation.into(),
        kind: SpanKind::Unspecified,
        starts_at: began + Duration::from_millis(from),
        duration: Duration::from_millis(millis),
        status: SpanStatus::Unset,
        message: "".into(),
        attributes: Vec::new(),
        resource: Arc::from([]),
        scope: "".into(),
        events: Vec::new(),
        links: Vec::new(),
        dropped: 0,
    }
}
