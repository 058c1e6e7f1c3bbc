//! What a postmortem is about: an incident of a paging system, or the time of an alert or a service without one.

use jiff::{SignedDuration, Timestamp};

use crate::app::identity::{Outage, ReviewSubject};
use crate::app::prelude::*;
use crate::model::detection::OnsetQuery;
use crate::model::slo::TimeRange;

/// The charts begin this long before the trouble and end this long after it.
const CHART_MARGIN: SignedDuration = SignedDuration::from_mins(30);

/// The subject of a postmortem with its time.
pub(super) struct Reviewed<'a> {
    pub(super) title: String,
    /// The monitored service.
    pub(super) service: Option<&'a Text>,
    pub(super) from: Timestamp,
    /// The end; `None` if it lasts or if the end is unknown.
    pub(super) until: Option<Timestamp>,
    /// The incident; `None` if no paging system has one.
    pub(super) view: Option<&'a IncidentView>,
    /// Whether `from` is the time of a page or an alert.
    is_alerted: bool,
}

impl<'a> Reviewed<'a> {
    /// The subject; `None` if its incident is not known any more.
    pub(super) fn of(world: &'a World, subject: &'a ReviewSubject) -> Option<Self> {
        match subject {
            ReviewSubject::Incident(key) => {
                let view = key.incident(world)?;
                let incident = &view.incident;
                Some(Self {
                    title: format!("#{} {}", incident.number, incident.title),
                    service: view.service.as_ref(),
                    from: incident.created_at,
                    until: incident.resolved_at,
                    view: Some(view),
                    is_alerted: true,
                })
            }
            ReviewSubject::Outage(Outage { title, service, from, until, is_alerted }) => Some(Self {
                title: title.to_string(),
                service: service.as_ref(),
                from: *from,
                until: *until,
                view: None,
                is_alerted: *is_alerted,
            }),
        }
    }

    /// The time range of the charts: from before the trouble until after it, at most until now.
    pub(super) fn around(&self, now: Timestamp) -> TimeRange {
        let end = self.until.unwrap_or(now);
        TimeRange {
            start: self.from.checked_sub(CHART_MARGIN).unwrap_or(self.from),
            end: end.checked_add(CHART_MARGIN).unwrap_or(end).min(now),
        }
    }

    /// The question when the service became bad before the page or the alert; `None` without a monitored service, or if a user
    /// gave the time.
    pub(super) fn onset(&self) -> Option<OnsetQuery> {
        self.is_alerted.then_some(())?;
        Some(OnsetQuery::new(self.service?.clone(), self.from, self.until))
    }
}

/// The postmortem of an alert: of its incident, else of the time since it fires.
pub fn subject_of_alert(world: &World, alert: Fingerprint) -> Option<ReviewSubject> {
    if let Some(view) = world.incident_of(alert) {
        return Some(ReviewSubject::Incident(IncidentKey::of(view)));
    }
    let alert = world.alert(alert)?;
    Some(ReviewSubject::Outage(Outage {
        title: alert.name().into(),
        service: world.service_of(&alert.labels).cloned(),
        from: alert.starts_at,
        until: alert.resolved_at,
        is_alerted: true,
    }))
}

/// The postmortem of a service: of its most urgent incident, else of the time since the first of its alerts fires; `None` if
/// nothing is wrong with it.
pub fn subject_of_service(world: &World, name: &Text) -> Option<ReviewSubject> {
    if let Some(view) = world.incidents_of(name).next() {
        return Some(ReviewSubject::Incident(IncidentKey::of(view)));
    }
    let firing = world.alerts().iter().filter(|alert| alert.state == AlertState::Firing);
    let its = firing.filter(|alert| world.service_of(&alert.labels) == Some(name));
    let from = its.map(|alert| alert.starts_at).min()?;
    Some(ReviewSubject::Outage(Outage {
        title: name.clone(),
        service: Some(name.clone()),
        from,
        until: None,
        is_alerted: true,
    }))
}
