//! Incidents of the demo: each firing of a paging alert is one incident, and somebody acknowledges it after a while.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::model::action::Operation;
use crate::model::incident::{
    AlertCounts, Attribution, Incident, IncidentEvent, IncidentStatus, Note, Person, Priority, Urgency,
};
use crate::model::labels::{Labels, Text};
use crate::model::source::SourceId;

use super::actions_done::{ActionsDone, IncidentAction, IncidentWithActions, escalation, event, opening};
use super::alerts::AlertSeriesKind;
use super::annotation;
use super::noise::{floor, mix_text};
use super::paging::{PagingAlert, Policy, named, time_to_acknowledge};
use super::payload::SentAlert;
use super::rules::DemoRule;
use super::world::DemoWorld;

/// How long resolved incidents are listed.
const PAST: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An alert that fires longer than this was acknowledged by somebody else; a younger one is left for the user.
const TAKEN_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// The time from the end of the alert to the resolution of its incident.
const WRAP_UP: Duration = Duration::from_secs(140);

/// A firing that caused a page.
struct Paged<'a> {
    rule: &'a DemoRule,
    page: &'a PagingAlert,
    /// Identifies the firing, independent of the time and the speed of the demo.
    key: u64,
    labels: Labels,
    from: Timestamp,
    /// The end of the firing; `None` while the alert fires.
    to: Option<Timestamp>,
}

impl DemoWorld {
    /// Incidents that are open or were resolved within the last week, sorted by id.
    pub(super) fn incidents(&self, done: &ActionsDone, now: Timestamp) -> Vec<IncidentWithActions> {
        let paged = self.paged(now);
        let of_story = paged.iter().map(|paged| self.with_user_actions(paged, done, now));
        let opened = done.opened().filter_map(|entry| self.opened(entry, done, now));
        let mut all: Vec<IncidentWithActions> = of_story.chain(opened).collect();
        all.sort_by(|a, b| a.incident.id.cmp(&b.incident.id));
        all.dedup_by(|a, b| a.incident.id == b.incident.id);
        all
    }

    /// An incident of the scenario, with the actions of the user applied.
    fn with_user_actions(
        &self,
        paged: &Paged<'_>,
        done: &ActionsDone,
        now: Timestamp,
    ) -> IncidentWithActions {
        let incident = self.incident(paged, done, now);
        let reported = done.over(incident, &self.paging, now, |incident| {
            let (mut steps, mut notes) = (steps(incident), notes(incident));
            steps.retain(|step| step.at <= now);
            notes.retain(|note| note.at <= now);
            (steps, notes)
        });
        IncidentWithActions { sent: Some(paged.sent()), ..reported }
    }

    /// An incident that the user triggered, with later actions applied.
    fn opened(
        &self,
        entry: &IncidentAction,
        done: &ActionsDone,
        now: Timestamp,
    ) -> Option<IncidentWithActions> {
        let Operation::Trigger { title, urgency, key, .. } = &entry.operation else { return None };
        let (target, at) = (&entry.target, entry.at);
        let team = self.fixtures.services.iter().find(|service| *service.name == *target.id);
        let team = team.map(|service| service.team.as_str()).unwrap_or_default();
        let policy = self.paging.policy_of(team);
        let first_on_call = self.paging.on_call(&policy.id, None, at, &done.taken_shifts_by(at));
        let incident = Incident {
            title: Arc::clone(title),
            urgency: *urgency,
            service: Some(named(&target.id, &target.name)),
            teams: (!team.is_empty()).then(|| named(team, team)).into_iter().collect(),
            key: Some(Arc::clone(key)),
            ..triggered(
                Arc::clone(&entry.id),
                90_000 + mix_text(0, &entry.id) % 10_000,
                policy,
                first_on_call,
                at,
            )
        };
        Some(done.over(incident, &self.paging, now, |incident| {
            let me = self.paging.me().name;
            let summary = format!("Opened by {me}");
            (opening(incident, (Some(&me), "api", summary)), Vec::new())
        }))
    }

    /// An incident of the scenario, without actions.
    fn incident(&self, paged: &Paged<'_>, done: &ActionsDone, now: Timestamp) -> Incident {
        let paging = &self.paging;
        let (key, service) = (paged.key, paged.labels.value("service"));
        let policy = paging.policy_of(paged.labels.value("team"));
        let first_on_call = paging.on_call(&policy.id, None, paged.from, &done.taken_shifts_by(paged.from));
        let wait = time_to_acknowledge(key);
        let acknowledged_at = paged.from.checked_add(SignedDuration::try_from(wait).unwrap_or_default()).ok();
        // a young incident is left for the user
        let is_taken = paged.to.is_some() || now.duration_since(paged.from) > TAKEN_AFTER;
        let acknowledged_at = acknowledged_at.filter(|at| is_taken && *at <= now);
        let acknowledged =
            first_on_call.clone().zip(acknowledged_at).map(|(who, at)| Attribution { who, at });
        let wrap_up = SignedDuration::try_from(WRAP_UP + wait).unwrap_or_default();
        let resolved_at = paged.to.and_then(|to| to.checked_add(wrap_up).ok()).filter(|at| *at <= now);
        let status = match (&resolved_at, &acknowledged) {
            (Some(_), _) => IncidentStatus::Resolved,
            (None, Some(_)) => IncidentStatus::Acknowledged,
            (None, None) => IncidentStatus::Triggered,
        };
        let rank = paged.page.priority.trim_start_matches('P').parse().ok();
        let sent = paged.sent();
        let is_open = status == IncidentStatus::Triggered;
        let fresh = triggered(paged.id(), 10_000 + key % 80_000, policy, first_on_call, paged.from);
        Incident {
            title: sent.title().into(),
            status,
            urgency: if paged.page.urgency == "high" { Urgency::High } else { Urgency::Low },
            priority: Some(Priority { named: named(&paged.page.priority, &paged.page.priority), rank }),
            service: (!service.is_empty()).then(|| named(service, service)),
            teams: vec![named(paged.labels.value("team"), paged.labels.value("team"))],
            changed_at: resolved_at.or(acknowledged.as_ref().map(|stamp| stamp.at)).unwrap_or(paged.from),
            acknowledged: acknowledged.into_iter().collect(),
            alerts: AlertCounts { all: 1, triggered: u32::from(resolved_at.is_none()) },
            pending: fresh.pending.iter().filter(|pending| is_open && pending.at > now).cloned().collect(),
            resolved_at,
            key: Some(sent.key().into()),
            firing: vec![paged.labels.clone()],
            ..fresh
        }
    }

    /// The firings of paging alerts within the last week.
    fn paged(&self, now: Timestamp) -> Vec<Paged<'_>> {
        let since = now.checked_sub(PAST).unwrap_or(now);
        let (t, span) = (self.time.demo(now), (self.time.demo(since), self.time.demo(now)));
        let mut all = Vec::new();
        for rule in &self.rules {
            let mut pages = self.paging.page.iter();
            let Some(page) = pages.find(|page| rule.shown.name.ends_with(&page.alert)) else { continue };
            for series in self.series_of(rule) {
                let labels = series.alert_labels();
                let firing_spans = self.alert_ranges(series, AlertSeriesKind::Firing, span).into_iter();
                all.extend(firing_spans.filter(|(from, _)| *from < span.1).map(|(from, to)| Paged {
                    rule,
                    page,
                    key: mix_text(floor(from).0.cast_unsigned(), &labels.to_string()),
                    labels: labels.clone(),
                    from: self.time.wall_time(from),
                    to: (to <= t).then(|| self.time.wall_time(to)),
                }));
            }
        }
        all
    }
}

/// An incident that was just opened, by whatever.
fn triggered(
    id: Text,
    number: u64,
    policy: &Policy,
    first_on_call: Option<Person>,
    at: Timestamp,
) -> Incident {
    Incident {
        number,
        title: Text::default(),
        status: IncidentStatus::Triggered,
        urgency: Urgency::High,
        priority: None,
        service: None,
        escalation_policy: Some(policy.named()),
        teams: Vec::new(),
        assigned: first_on_call.into_iter().map(|who| Attribution { who, at }).collect(),
        acknowledged: Vec::new(),
        alerts: AlertCounts::default(),
        pending: escalation(at),
        created_at: at,
        changed_at: at,
        resolved_at: None,
        key: None,
        conference: None,
        firing: Vec::new(),
        url: Some(format!("https://pager.shop.example/incidents/{id}").into()),
        source: SourceId::new("pager"),
        id,
    }
}

impl Paged<'_> {
    fn id(&self) -> Text {
        format!("Q{:012X}", self.key & 0xffff_ffff_ffff).into()
    }

    /// The details that Alertmanager sent to the paging system.
    fn sent(&self) -> SentAlert {
        let rule = self.rule;
        SentAlert {
            labels: self.labels.clone(),
            annotations: annotation::filled(&rule.shown.annotations, &self.labels, rule.threshold),
            generator: annotation::graph(rule.region.source(), &rule.shown.expr).unwrap_or_default(),
        }
    }
}

/// The timeline of an incident of the scenario.
fn steps(incident: &Incident) -> Vec<IncidentEvent> {
    let mut steps =
        opening(incident, (None, "prometheus", "Triggered through the Prometheus integration".to_owned()));
    steps.extend(incident.acknowledged.iter().map(|stamp| {
        let name = &stamp.who.name;
        event(stamp.at, "acknowledge", Some(name), "mobile", format!("Acknowledged by {name}"))
    }));
    let summary = || "Resolved through the Prometheus integration".to_owned();
    steps.extend(incident.resolved_at.map(|at| event(at, "resolve", None, "prometheus", summary())));
    steps.sort_by_key(|step| step.at);
    steps
}

/// The note that the person who acknowledged the incident writes.
fn notes(incident: &Incident) -> Vec<Note> {
    let write = |stamp: &Attribution| {
        let at = stamp.at.checked_add(80.seconds()).ok()?;
        let content = match incident.urgency {
            Urgency::High => "Looking at the last release first. Rollback is ready.",
            Urgency::Low => "Can wait for the morning; the volume grows by 1% a day.",
        };
        Some(Note { at, who: Arc::clone(&stamp.who.name), content: content.into() })
    };
    incident.acknowledged.iter().filter_map(write).collect()
}
