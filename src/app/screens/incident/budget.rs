//! The SLOs of an incident's service: state, budget, what the incident spent, and the burn-down of the worst.

use super::OpenIncident;
use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::slo::burn_down as chart;
use crate::app::subjects::slo::course::{BudgetCourse, spent_between};
use crate::app::subjects::slo::words;
use crate::model::slo::{BASIS, TimeRange, show};

/// The SLOs whose spent budget is queried.
pub(super) const MAX_SLOS: usize = 2;

/// Below this width only the worst SLOs are listed.
const COMPACT: u16 = 80;

/// The page of the worst SLO.
pub(super) fn place(screen: &OpenIncident, shared: &Shared) -> Option<Place> {
    let name = screen.incident(shared)?.service.as_ref()?;
    shared.world.worst_slo_of(name).map(|one| Place::Slo(SloKey::of(one)))
}

fn its<'a>(c: &Cockpit<'a>) -> Vec<&'a SloStatus> {
    c.view.service.as_ref().map_or_else(Vec::new, |name| c.cx.world.slos_of(name))
}

/// From the beginning of the incident to its end, or now.
fn bounds(c: &Cockpit<'_>) -> TimeRange {
    let start = c.view.incident.created_at;
    TimeRange { start, end: c.view.incident.resolved_at.unwrap_or(c.cx.now).max(start) }
}

/// The SLOs, the worst first: state, budget, what the incident spent.
pub(super) fn slos(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let its = its(c);
    if its.is_empty() {
        let words = match (&c.view.service, c.cx.shared.answering(AskKind::Slos).next()) {
            (None, _) => "No service is known for this incident.",
            (Some(_), None) => "No source of SLOs is configured.",
            (Some(_), Some(source)) => {
                let is_known =
                    c.cx.world.cache(&source.id).is_some_and(|cache| cache.slos().value().is_some());
                if is_known { "No SLO of this service is known." } else { c.cx.shared.waiting() }
            }
        };
        page.paragraph(words, Role::Muted);
    }
    let is_narrow = width < COMPACT;
    let shown = if is_narrow { MAX_SLOS } else { its.len() };
    for (index, status) in its.iter().take(shown).enumerate() {
        let spent = spent_between(c.cx.shared, status, bounds(c));
        let spent =
            spent.map(|(share, _)| format!("   this incident spent {} of the budget", show::left(share)));
        let mut head = words::line(c.cx, status, &status.slo.id);
        if is_narrow && index == 0 {
            // symbol and name, and the state; the numbers have the next line for themselves
            let numbers = head.split_off(head.len().min(2));
            page.line(head);
            page.line(std::iter::once(StyledRun::new(" ", Role::Text)).chain(numbers).collect());
        } else {
            page.line(head);
        }
        if let Some(words) = spent.filter(|_| !is_narrow || index == 0) {
            page.line(vec![StyledRun::new(words, Role::Burning)]);
        }
    }
    if its.len() > shown {
        page.paragraph(&format!("and {} more", its.len() - shown), Role::Muted);
    }
    page
}

/// The burn-down of the worst SLO, with the incident as background.
pub(super) fn burn_down(c: &Cockpit<'_>, area: Rect, buf: &mut Buffer) {
    let its = its(c);
    let worst = its.first().and_then(|status| Some((*status, status.worst()?)));
    let Some((status, group)) = worst else { return };
    let Some(course) = BudgetCourse::of(c.cx.shared, status, group) else {
        let has_history = c.cx.shared.answering(AskKind::Series).any(|source| source.id == status.source);
        let words =
            if has_history { c.cx.shared.waiting() } else { "Its source has no history of the budget." };
        return text::say(c.cx, 1, words, Role::Muted, area, buf);
    };
    chart::draw(c.cx, (status, group), (&course, group.burn_near(BASIS)), Some(bounds(c)), area, buf);
}
