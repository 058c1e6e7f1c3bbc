//! The text below the chart of an alert, as lines that scroll.

use super::{INCIDENT, OpenAlert, RELATED, SLO, subject};
use crate::app::firing_history::{self, AlertHistory};
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::subjects::incident::words as incidents;
use crate::app::subjects::slo::words;
use crate::model::silence::{Silence, SilenceState};
use crate::model::slo::TimeRange;

/// The label that holds the name of an alert.
const ALERTNAME: &str = "alertname";
/// Most past firings in the list.
const MAX_FIRINGS: usize = 12;

/// The whole text: description, silences, labels, related alerts, firing history, rule, sources.
pub(super) fn page(screen: &OpenAlert, cx: &ScreenCx<'_>, alert: &Arc<Alert>, width: u16) -> PageContent {
    let mut page = screen.new_page(width);
    if let Some(known) = cx.world.incident_of(alert.fingerprint) {
        let runs = std::iter::once(StyledRun::new(" incident ", Role::Muted));
        let runs = runs.chain(incidents::line(cx, known));
        page.row(cx, (INCIDENT, 0), runs);
    }
    if let Some(status) = super::slo(cx.shared, alert) {
        page.row(cx, (SLO, 0), words::line(cx, status, &format!("SLO {}", status.slo.id)));
    }
    if let Some(runbook) = alert.runbook() {
        page.pair("runbook", runbook, Role::Accent);
    }
    let service = cx.world.service_of(&alert.labels);
    change::write_beside(cx, (alert.starts_at, "alert"), service.map(|name| &**name), &mut page);
    // a summary of one line is already in the heading
    if let Some(summary) = alert.summary().filter(|summary| summary.trim().contains(['\n', '\r'])) {
        page.paragraph(summary, Role::Text);
    }
    for key in ["description", "message"] {
        if let Some(value) = alert.annotations.get(key).filter(|value| Some(*value) != alert.summary()) {
            page.paragraph(value, Role::Text);
        }
    }
    suppression(cx, alert, &mut page);
    page.title("Labels");
    for (name, value) in alert.labels.shown() {
        page.pair(name, value, Role::Text);
    }
    let said = |name: &str| matches!(name, "summary" | "description" | "message" | "runbook_url" | "runbook");
    let more: Vec<_> = alert.annotations.shown().filter(|(name, _)| !said(name)).collect();
    if !more.is_empty() {
        page.title("Annotations");
        for (name, value) in more {
            page.pair(name, value, Role::Text);
        }
    }
    related(screen, cx, alert, &mut page);
    if let Some(subject) = subject(cx.shared, alert) {
        earlier(cx, alert, &mut page);
        page.title("Rule");
        page.pair("source", subject.source.as_str(), Role::Text);
        page.pair("group", &subject.rule.group, Role::Text);
        page.pair("for", &duration::short(subject.rule.hold), Role::Text);
        page.pair("expression", &subject.rule.expr, Role::Text);
        if let Some(error) = &subject.rule.error {
            page.pair("error", error, Role::Trouble);
        }
    }
    page.title("Origin");
    page.names("sources", alert.sources.iter().map(SourceId::as_str), Role::Text);
    page.names("receivers", alert.receivers.iter().map(|receiver| &**receiver), Role::Text);
    page.pair("fingerprint", &alert.fingerprint.to_string(), Role::Muted);
    page
}

/// The silences that match the alert, and the alerts that inhibit it.
fn suppression(cx: &ScreenCx<'_>, alert: &Alert, page: &mut PageContent) {
    let is_its = |silence: &&Arc<Silence>| match silence.state {
        SilenceState::Active => alert.silenced_by.contains(&silence.id),
        SilenceState::Pending => silence.matches(&alert.labels),
        SilenceState::Expired => false,
    };
    let matching: Vec<_> = cx.world.silences().filter(is_its).collect();
    let is_told = |id: &&Text| matching.iter().any(|silence| silence.id == **id);
    let untold: Vec<&Text> = alert.silenced_by.iter().filter(|id| !is_told(id)).collect();
    let sending = cx.world.silencing(alert.fingerprint);
    if !matching.is_empty() || !untold.is_empty() || sending.is_some() {
        page.title("Matching silences");
    }
    if alert.is_derived && alert.state != AlertState::Resolved {
        let words =
            "its Alertmanager does not report which alerts are silenced: derived from the active silences";
        page.pair("derived", words, Role::Muted);
    }
    if let Some(stage) = sending {
        let words = format!("{}{}", text::ellipsis(cx.charset), stage.word());
        page.pair("in progress", &words, Role::Sending);
    }
    for silence in matching {
        let until = moment(silence.ends_at, cx.now, cx.zone);
        let left = duration::short(age(cx.now, silence.ends_at));
        let from = match silence.state {
            SilenceState::Pending => format!("from {} ", moment(silence.starts_at, cx.now, cx.zone)),
            SilenceState::Active | SilenceState::Expired => String::new(),
        };
        let words = format!("{from}until {until} (in {left}): {}", silence.comment);
        page.pair(&silence.created_by, &words, Role::Silenced);
    }
    for id in untold {
        page.pair("silence", &format!("{id} (details are not available)"), Role::Silenced);
    }
    if alert.state == AlertState::Inhibited {
        page.title("Inhibited by");
        for other in alert.inhibited_by.iter() {
            let known = Fingerprint::parse(other).and_then(|fingerprint| cx.world.alert(fingerprint));
            page.pair("alert", known.map_or(&**other, |alert| alert.name()), Role::Inhibited);
        }
    }
}

/// The related alerts, each with the labels that differ from this one.
fn related(screen: &OpenAlert, cx: &ScreenCx<'_>, alert: &Alert, page: &mut PageContent) {
    let list = &screen.related;
    let most = if list.rows().len() == super::MAX_RELATED { " or more" } else { "" };
    page.title(&format!("Related alerts (shared labels): {}{most}", list.rows().len()));
    let others = list.rows().iter().filter_map(|fingerprint| cx.world.alert(*fingerprint));
    let names = others.map(|other| text::width(other.name())).max().unwrap_or(0).min(40);
    page.list(cx, (RELATED, list), |fingerprint| {
        let other = cx.world.alert(*fingerprint)?;
        let role = Role::of_alert(other);
        let service = cx.world.service_of(&other.labels).map_or("", |name| name);
        let name = text::pad(other.name(), names, cx.charset);
        let state = format!("{service}  {} {}  ", other.state, ago(other.starts_at, cx.now));
        Some(vec![
            StyledRun::new(format!(" {} {name}  ", cx.symbol(role)), role),
            StyledRun::new(state, Role::Muted),
            StyledRun::new(differences(&alert.labels, &other.labels, service), Role::Text),
        ])
    });
}

/// The labels of the other alert that this one does not have, or has with another value. Name and service are in the row anyway.
fn differences(mine: &Labels, others: &Labels, service: &str) -> String {
    let is_said = |name: &str, value: &str| name == ALERTNAME || value == service;
    let new = others.shown().filter(|(name, value)| mine.value(name) != &***value && !is_said(name, value));
    // a label that an alert of another name does not have is no useful difference
    let is_same = mine.value(ALERTNAME) == others.value(ALERTNAME);
    let gone = mine.shown().filter(|(name, _)| is_same && others.get(name).is_none());
    let new = new.map(|(name, value)| format!("{name}={value}"));
    let all: Vec<String> = new.chain(gone.map(|(name, _)| format!("{name}=\"\""))).collect();
    all.join(" ")
}

/// The firings of the last 7 days: count, total time, flapping, the newest ones with their times.
fn earlier(cx: &ScreenCx<'_>, alert: &Alert, page: &mut PageContent) {
    let (firings, is_whole) = match firing_history::of_alert(cx.world, &cx.shared.sources, alert, cx.now) {
        AlertHistory::NotRecorded => return,
        AlertHistory::Unknown(failure) => {
            page.title("Firings in 7 days");
            let words = failure.unwrap_or_else(|| cx.shared.waiting().to_owned());
            return page.line(vec![StyledRun::new(format!("  {words}"), Role::Muted)]);
        }
        AlertHistory::Known { firings, is_whole } => (firings, is_whole),
    };
    let week = TimeRange { start: cx.now.checked_sub(firing_history::PAST).unwrap_or(cx.now), end: cx.now };
    let at_least = if is_whole { "" } else { "at least " };
    let about = if firings.iter().any(|firing| firing.is_about) { "about " } else { "" };
    let total = duration::short(firing_history::time(&firings, week));
    let in_all = if firings.is_empty() { String::new() } else { format!(", {about}{total} in total") };
    page.title(&format!("Firings in 7 days: {at_least}{}{in_all}", firings.len()));
    if firing_history::are_flapping(&firings) {
        let words = format!("  {} flapping: three firings or more within an hour", cx.symbol(Role::Warning));
        page.line(vec![StyledRun::new(words, Role::Warning)]);
    }
    for firing in firings.iter().rev().take(MAX_FIRINGS) {
        let words =
            format!("  {}  for {}", moment(firing.from, cx.now, cx.zone), firing_history::lasted(firing));
        page.line(vec![StyledRun::new(words, Role::Text)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_related_alert_names_the_labels_that_tell_it_from_this_one() {
        let labels =
            |text: &str| -> Labels { text.split(' ').filter_map(|pair| pair.split_once('=')).collect() };
        let mine = labels("alertname=Slow job=web pod=web-1 zone=a");
        for (others, shown) in [
            ("alertname=Slow job=web pod=web-2 zone=a", "pod=web-2"),
            ("alertname=Slow job=web pod=web-1 zone=b instance=i", "instance=i zone=b"),
            ("alertname=Slow job=web zone=a", "pod=\"\""),
            ("alertname=Down job=web severity=page", "severity=page"),
            ("alertname=Slow job=db pod=web-1 zone=a", "job=db"),
        ] {
            assert_eq!(differences(&mine, &labels(others), "web"), shown, "{others}");
        }
    }
}
