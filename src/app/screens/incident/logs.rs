//! The patterns of log lines that are new since an incident began.

use super::OpenIncident;
use super::panel::Cockpit;
use crate::app::log_subject::LogSubject;
use crate::app::prelude::*;
use crate::app::subjects::logs;
use crate::config::kind;
use crate::model::incident::Incident;
use crate::model::log::LogComparison;

/// The queries for the patterns.
pub(super) fn wants(shared: &Shared, subject: &LogSubject, incident: &Incident, now: Timestamp) -> Vec<Want> {
    let begun = subject.since.unwrap_or(incident.created_at);
    let until = incident.resolved_at.unwrap_or(now).min(now);
    let split = logs::split(Some(begun), (begun.min(until), until));
    logs::pattern_wants(shared, &subject.query, split).collect()
}

/// "Logs of payments, new since 02:47:53".
pub(super) fn title(c: &Cockpit<'_>) -> String {
    let Some(subject) = &c.screen.logs else { return "Logs".to_owned() };
    let name = c.view.service.as_ref().unwrap_or(&subject.title);
    let mut answers = logs::pattern_answers(c.cx.shared, &subject.query);
    let split = answers.find_map(|(_, remote)| Some(remote.value()?.split));
    let since = split.map(|split| format!(", new since {}", moment(split.at, c.cx.now, c.cx.zone)));
    format!("Logs of {name}{}", since.unwrap_or_default())
}

/// The remarkable patterns with their counts, or why there are none.
pub(super) fn patterns(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let shared = c.cx.shared;
    if shared.answering(AskKind::LogLines).next().is_none() {
        let sources = kind::sources_to_add(shared.kinds, &[AskKind::LogLines]);
        page.paragraph(&format!("No source of logs is configured: add {sources}."), Role::Muted);
        return page;
    }
    let Some(subject) = &c.screen.logs else {
        page.paragraph("The incident names no service and no labels whose logs could be read.", Role::Muted);
        return page;
    };
    if shared.answering(AskKind::LogPatterns).next().is_none() {
        let key = shared.key(Command::Logs);
        page.paragraph(&format!("No source compares patterns; {key} shows the lines."), Role::Muted);
        return page;
    }
    let answers: Vec<_> = logs::pattern_answers(shared, &subject.query).collect();
    let compared: Vec<&LogComparison> = answers.iter().filter_map(|(_, remote)| remote.value()).collect();
    let shown = logs::shown_patterns(&compared);
    let is_new = shown.iter().any(|pattern| pattern.change.is_remarkable());
    if !compared.is_empty() && !is_new {
        page.paragraph(&logs::compared_words(c.cx, &compared), Role::Muted);
    }
    for pattern in &shown {
        page.line(logs::pattern_runs(pattern));
    }
    for (source, remote) in &answers {
        if let Some(error) = remote.failure() {
            page.remark(c.cx, format!("{error}. {}", error.kind.advice()), Role::Stale);
        } else if remote.value().is_some_and(|news| news.query.is_empty()) {
            page.remark(c.cx, format!("{source}: no stream has these labels"), Role::Unknown);
        }
    }
    if page.lines.is_empty() {
        page.paragraph(shared.waiting(), Role::Muted);
    } else if is_new {
        page.paragraph(&logs::compared_words(c.cx, &compared), Role::Muted);
    }
    page
}

impl OpenIncident {
    /// The lines themselves, of the same selection.
    pub(super) fn logs_place(&self, shared: &Shared) -> Option<Place> {
        shared.answering(AskKind::LogLines).next()?;
        self.logs.clone().map(Place::Logs)
    }
}
