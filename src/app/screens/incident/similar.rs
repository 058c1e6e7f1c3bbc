//! Earlier incidents that are similar: when they were, how they ended, how similar they are.

use super::OpenIncident;
use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::incident::earlier::{EarlierIncident, earlier};
use crate::app::subjects::incident::remote;
use crate::model::why::share;

/// The latest of them that its source still lists.
pub(super) fn place(screen: &OpenIncident, shared: &Shared) -> Option<Place> {
    let all = earlier(&shared.world, screen.incident(shared)?);
    all.into_iter().find_map(|one| one.view).map(IncidentKey::of).map(Place::Incident)
}

/// `#23188  12d ago  resolved after 31m  87%  payments is failing users`
fn line(c: &Cockpit<'_>, one: &EarlierIncident<'_>) -> Vec<StyledRun<'static>> {
    let number = one.view.map(|view| format!("#{}  ", view.incident.number)).unwrap_or_default();
    let end = Some(one.end()).filter(|end| !end.is_empty()).map(|end| format!("{end}  ")).unwrap_or_default();
    let likeness = one
        .likeness
        .map_or_else(|| "same service".to_owned(), |likeness| format!("{} similar", share(likeness)));
    vec![
        StyledRun::new(format!(" {number}{} ago  ", ago(one.created_at, c.cx.now)), Role::Text),
        StyledRun::new(format!("{end}{likeness}  "), Role::Muted),
        StyledRun::new(one.title.to_owned(), Role::Text),
    ]
}

/// One line for each, the latest first, or why there is none.
pub(super) fn earlier_ones(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let all = earlier(c.cx.world, c.view);
    for one in &all {
        page.line(line(c, one));
    }
    if !all.is_empty() {
        return page;
    }
    let remote = remote(c.cx.shared, c.view);
    let answers = c.cx.shared.answering(AskKind::Incident).any(|info| info.id == c.view.incident.source);
    match (remote.and_then(|remote| remote.failure()), remote.and_then(|remote| remote.value())) {
        (_, Some(_)) => page.paragraph("No similar incident is known.", Role::Muted),
        (Some(error), None) => page.remark(c.cx, error, Role::Stale),
        (None, None) if !answers => {
            page.paragraph("Its source does not tell earlier incidents.", Role::Muted);
        }
        (None, None) => page.paragraph(c.cx.shared.waiting(), Role::Muted),
    }
    page
}
