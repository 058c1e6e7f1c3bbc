//! What changed around the beginning of an incident, as lines, and as marks of the charts with the same numbers.

use jiff::SignedDuration;

use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::widgets::chart::ChartMark;
use crate::model::change::{Change, ChangeKind};

/// A change beside the incident, and its symbol on the charts if it is one of the incident's service.
type MarkedChange<'a> = (&'a Arc<Change>, Option<&'static str>);

/// The changes around the beginning. Several of the service have numbers, a single one has the usual symbol.
fn marked<'a>(c: &Cockpit<'a>) -> Vec<MarkedChange<'a>> {
    let service = c.view.service.as_deref();
    let near = change::beside(c.cx.world, service, c.view.incident.created_at);
    let is_own = |change: &Change| service.is_some_and(|service| change.is_of(service));
    let is_only = near.iter().filter(|change| is_own(change)).count() == 1;
    let symbol = |index| if is_only { c.cx.charset.pick("▲", "^") } else { ChartMark::number(index) };
    // those of the service come first, so that their numbers have no gaps
    near.into_iter().enumerate().map(|(index, one)| (one, is_own(one).then(|| symbol(index)))).collect()
}

/// The marks of the changes of the service.
pub(super) fn marks<'a>(c: &Cockpit<'a>) -> Vec<ChartMark<'a>> {
    let own = marked(c).into_iter().filter_map(|(change, symbol)| {
        Some(ChartMark { at: change.at, symbol: symbol?, role: change::role(change) })
    });
    own.collect()
}

/// Why no change proves nothing; `None` if the hour before is known.
fn doubt(c: &Cockpit<'_>) -> Option<String> {
    let begun = c.view.incident.created_at;
    let from = begun.checked_sub(SignedDuration::from_hours(1)).unwrap_or(begun);
    change::coverage(c.cx.world, &c.cx.shared.sources).doubt(from, c.cx)
}

/// What changed: the time, how long before, the service if it is another one.
pub(super) fn beside(c: &Cockpit<'_>, width: u16) -> PageContent {
    let begun = c.view.incident.created_at;
    let mut page = PageContent::new(width);
    let near = marked(c);
    for (one, symbol) in &near {
        let its = one.service.as_deref().filter(|_| symbol.is_none()).map(|its| format!("{its} "));
        let time = one.at.to_zoned(c.cx.zone.clone()).strftime("%H:%M:%S").to_string();
        let words =
            format!("{}  {}{}", change::relative(one, begun), its.unwrap_or_default(), one.sentence());
        let role = if symbol.is_some() { change::role(one) } else { Role::Muted };
        page.lines.extend(text::beside(&format!(" {} {time} ", symbol.unwrap_or(" ")), &words, width, role));
    }
    match doubt(c) {
        Some(doubt) => page.paragraph(&doubt, Role::Muted),
        None if near.is_empty() => page.paragraph("Nothing changed in the hour before.", Role::Muted),
        None => page.paragraph("nothing else", Role::Muted),
    }
    page
}

/// Whether somebody made the change. Crashes and scaling are often consequences of what began.
const fn is_made(change: &Change) -> bool {
    match change.kind {
        ChangeKind::Deploy
        | ChangeKind::Rollback
        | ChangeKind::Config
        | ChangeKind::Flag
        | ChangeKind::Other => true,
        ChangeKind::Restart | ChangeKind::OutOfMemory | ChangeKind::Scale => false,
    }
}

/// The change that is nearest to the beginning in a few words, or why none is known. Of those of the service, one that somebody
/// made.
pub(super) fn last(c: &Cockpit<'_>) -> (String, Role) {
    let begun = c.view.incident.created_at;
    let near = marked(c);
    let made = near.iter().find(|(one, symbol)| symbol.is_some() && is_made(one) && one.at <= begun);
    match made.or(near.first()) {
        Some((one, symbol)) => {
            let its = one.service.as_deref().filter(|_| symbol.is_none()).map(|its| format!("{its} "));
            let its = its.unwrap_or_default();
            (format!("{} {its}{}", change::relative(one, begun), one.sentence()), change::role(one))
        }
        None => (doubt(c).unwrap_or_else(|| "nothing in the hour before".to_owned()), Role::Muted),
    }
}
