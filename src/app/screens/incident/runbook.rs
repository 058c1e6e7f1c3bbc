//! The beginning of the runbook of an incident.

use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::runbook;

/// "Runbook: Error budget burn".
pub(super) fn title(c: &Cockpit<'_>) -> String {
    c.screen.runbook.as_ref().map_or("Runbook".to_owned(), |wanted| format!("Runbook: {}", wanted.name))
}

/// The text as it was laid out for the panel; without one, where it is, or why there is none.
pub(super) fn beginning(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let Some(wanted) = &c.screen.runbook else {
        page.paragraph("No runbook is named.", Role::Muted);
        return page;
    };
    let lines = &c.screen.runbook_text.markdown.lines;
    if !lines.is_empty() {
        let own = |run: &StyledRun<'static>| StyledRun::new(run.text.clone(), run.role);
        page.lines.extend(lines.iter().map(|line| line.iter().map(own).collect()));
        return page;
    }
    let key = c.cx.shared.key(Command::Runbook);
    let words = match runbook::remote(c.cx.shared, wanted) {
        Some(remote) if remote.value().is_some_and(|search| search.found.is_some()) => {
            format!("{key} opens it.")
        }
        Some(remote) if remote.value().is_some() => {
            format!("No runbook was found. {key} shows where it was searched.")
        }
        Some(remote) if remote.failure().is_some() => "The search for the runbook failed.".to_owned(),
        None if runbook::wants(c.cx.shared, wanted).is_none() => {
            "No source of runbooks is configured.".to_owned()
        }
        Some(_) | None => c.cx.shared.waiting().to_owned(),
    };
    page.paragraph(&words, Role::Muted);
    if let Some(url) = &wanted.url {
        page.paragraph(url, Role::Accent);
    }
    page
}
