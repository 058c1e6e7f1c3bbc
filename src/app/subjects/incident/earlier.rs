//! Incidents that came before another one and are similar to it.

use crate::app::prelude::*;

/// An earlier incident that is similar to another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlierIncident<'a> {
    pub title: &'a str,
    pub created_at: Timestamp,
    /// 0 to 1, as the paging system scores it; `None`: an incident of the same service with the same subject.
    pub likeness: Option<f64>,
    /// The incident, if its source still lists it.
    pub view: Option<&'a IncidentView>,
}

impl EarlierIncident<'_> {
    /// How it ended: `resolved after 31m`; empty if that is not known.
    pub fn end(&self) -> String {
        match self.view.map(|view| (view.incident.is_open(), view.incident.resolved_at)) {
            Some((false, Some(at))) => {
                format!("resolved after {}", duration::short(age(self.created_at, at)))
            }
            Some((false, None)) => "resolved".to_owned(),
            Some((true, _)) => "still open".to_owned(),
            None => String::new(),
        }
    }
}

/// The similar ones that the paging system names, then those of its list with the same service and subject; the latest first.
pub fn earlier<'a>(world: &'a World, view: &'a IncidentView) -> Vec<EarlierIncident<'a>> {
    let incident = &view.incident;
    let past = world.incident_detail(view).map_or(&[][..], |detail| &detail.past);
    let mut all: Vec<EarlierIncident<'a>> = past
        .iter()
        .map(|past| EarlierIncident {
            title: &past.title,
            created_at: past.created_at,
            likeness: Some((past.likeness / 1000.0).clamp(0.0, 1.0)),
            view: world.incident(&incident.source, &past.id),
        })
        .collect();
    let is_named = |other: &IncidentView| past.iter().any(|past| past.id == other.incident.id);
    let has_same_service = |other: &IncidentView| match (&incident.service, &other.incident.service) {
        (Some(one), Some(two)) => one.id == two.id,
        (Some(_) | None, _) => false,
    };
    let same = world.incidents().iter().filter(|other| {
        let is_before = other.incident.created_at < incident.created_at;
        let has_same_subject = other.incident.subject() == incident.subject();
        is_before && has_same_subject && has_same_service(other) && !is_named(other)
    });
    all.extend(same.map(|other| EarlierIncident {
        title: other.incident.subject(),
        created_at: other.incident.created_at,
        likeness: None,
        view: Some(other),
    }));
    all.sort_by_key(|one| std::cmp::Reverse(one.created_at));
    all
}
