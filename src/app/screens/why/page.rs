//! The text of the page: the causes, and beside them what else was looked at.

use super::OpenWhy;
use crate::app::prelude::*;
use crate::app::subjects::change;
use crate::app::subjects::why::{self, WhyFound};
use crate::model::health::percent;
use crate::model::value::elapsed;
use crate::model::why::{
    Cause, CauseKind, DependencyMeasure, LOOKED_BACK, Symptom, WhyAnalysis, WhySignal, amount, headline,
    named,
};

/// The cells of the bar of a share.
const BAR: u16 = 8;
/// The most changes that are listed.
const MAX_CHANGES: usize = 12;
/// The most dependencies and services that are listed.
const MAX_BESIDE: usize = 10;

/// The causes: the left part of the page.
pub(super) fn causes(
    screen: &OpenWhy,
    cx: &ScreenCx<'_>,
    found: &WhyFound<'_>,
    mut page: PageContent,
) -> PageContent {
    let Some(target) = &screen.subject else { return page };
    if !target.wanted.filters.is_empty() {
        page.paragraph(&format!("within {}", named(&target.wanted.filters)), Role::Accent);
    }
    let Some(analysis) = found.analysis else {
        missing(cx, found, &mut page);
        return page;
    };
    if !analysis.is_known {
        let words = format!("no source has a metric of {}", target.wanted.service);
        page.remark(cx, words, Role::Unknown);
        return page;
    }
    for symptom in &analysis.symptoms {
        page.paragraph(
            &headline(symptom),
            if symptom.signal <= WhySignal::Latency { Role::Critical } else { Role::Warning },
        );
        page.paragraph(&times(symptom, cx), Role::Muted);
    }
    if !screen.causes.is_empty() {
        page.title("Likely causes");
    }
    for (at, cause) in screen.causes.iter().enumerate() {
        row(cx, at, cause, &mut page);
    }
    if !page.lines.is_empty() {
        page.line(Vec::new());
    }
    page.paragraph(&why::compared(analysis, !screen.causes.is_empty()), Role::Muted);
    for note in &analysis.notes {
        page.remark(cx, note, Role::Unknown);
    }
    page
}

/// What else was looked at: the right part of the page.
pub(super) fn beside(
    screen: &OpenWhy,
    cx: &ScreenCx<'_>,
    analysis: &WhyAnalysis,
    mut page: PageContent,
) -> PageContent {
    changes(screen, cx, analysis, &mut page);
    if !analysis.dependencies.is_empty() {
        page.title("Dependencies");
        for state in analysis.dependencies.iter().take(MAX_BESIDE) {
            let is_bad = state.onset.is_some();
            let before = if is_bad { format!(" ({} before)", percent(state.before)) } else { String::new() };
            let what = match state.measured_by {
                DependencyMeasure::Calls => "calls fail",
                DependencyMeasure::Requests => "its requests fail",
                DependencyMeasure::Targets => "its targets are down",
            };
            let words = format!("{} of {what}{before}", percent(state.after));
            page.pair(&state.name, &words, if is_bad { Role::Critical } else { Role::Text });
        }
        more(analysis.dependencies.len(), &mut page);
    }
    let levels = analysis.symptoms.iter().filter(|symptom| symptom.signal == WhySignal::Saturation);
    let levels: Vec<&Symptom> = levels.collect();
    if !levels.is_empty() || !analysis.resources.is_empty() {
        page.title("Resources");
        for symptom in levels {
            page.paragraph(&headline(symptom), Role::Warning);
        }
        for state in &analysis.resources {
            page.pair(&state.name, &amount(&state.metric, state.after), Role::Warning);
        }
    }
    if !analysis.others.is_empty() {
        page.title("Other services that broke");
        for other in analysis.others.iter().take(MAX_BESIDE) {
            let words =
                format!("{} of requests fail, since {} ago", percent(other.after), ago(other.onset, cx.now));
            page.pair(&other.name, &words, Role::Critical);
        }
        more(analysis.others.len(), &mut page);
    }
    page.title("Analysis");
    let signals: Vec<&str> = analysis.looked_at.iter().map(|signal| signal.word()).collect();
    page.pair("signals", &signals.join(", "), Role::Muted);
    page.pair("requests", &analysis.requests.to_string(), Role::Muted);
    page
}

fn more(count: usize, page: &mut PageContent) {
    if count > MAX_BESIDE {
        page.paragraph(&format!("and {} more", count - MAX_BESIDE), Role::Muted);
    }
}

fn changes(screen: &OpenWhy, cx: &ScreenCx<'_>, analysis: &WhyAnalysis, page: &mut PageContent) {
    let Some(target) = &screen.subject else { return };
    page.title("Changes in the hour before");
    let onset = analysis.symptoms.first().map_or(cx.now, |symptom| symptom.onset);
    let from = onset.checked_sub(LOOKED_BACK).unwrap_or(Timestamp::MIN);
    let near = why::changes_since(cx.world, &target.wanted.service, analysis, from);
    for change in near.iter().take(MAX_CHANGES) {
        let words = format!("{}: {}", change.kind.word(), change.title);
        page.pair(&moment(change.at, cx.now, cx.zone), &words, Role::Text);
    }
    if near.len() > MAX_CHANGES {
        page.paragraph(&format!("and {} more", near.len() - MAX_CHANGES), Role::Muted);
    }
    // an empty list means that nothing changed only if a source can tell
    match change::coverage(cx.world, &cx.shared.sources).doubt(from, cx) {
        Some(doubt) if analysis.changes.is_empty() => page.paragraph(&doubt, Role::Muted),
        None if near.is_empty() => page.paragraph("nothing changed", Role::Muted),
        Some(_) | None => {}
    }
}

/// The text while there is no analysis.
fn missing(cx: &ScreenCx<'_>, found: &WhyFound<'_>, page: &mut PageContent) {
    if let Some(error) = found.failure {
        page.remark(cx, format!("{error}. {}", error.kind.advice()), Role::Stale);
    } else if cx.shared.answering(AskKind::Why).next().is_none() {
        page.paragraph("no source can compare metrics: add a source of kind prometheus", Role::Muted);
    } else if cx.shared.paused.is_some() {
        page.paragraph(cx.shared.waiting(), Role::Muted);
    } else {
        page.paragraph("comparing the bad time with the time before...", Role::Muted);
    }
}

/// Which times are compared: "since 02:41:10 (3m), compared with the 20m before".
fn times(symptom: &Symptom, cx: &ScreenCx<'_>) -> String {
    let start = moment(symptom.onset, cx.now, cx.zone);
    let length = elapsed(age(symptom.onset, symptom.bad.end));
    let compared = symptom.good.map_or_else(
        || "no data from before".to_owned(),
        |good| format!("compared with the {} before", elapsed(good.length())),
    );
    format!("since {start} ({length}), {compared}")
}

/// One cause: its share as a bar, then the sentence on as many lines as it needs.
fn row(cx: &ScreenCx<'_>, at: usize, cause: &Cause, page: &mut PageContent) {
    let role = if at == 0 { Role::Critical } else { Role::Text };
    let is_wide = page.width >= 60;
    let (number, kind) = (format!("{:>2} ", at + 1), text::pad(cause.kind.word(), 11, cx.charset));
    let head = if is_wide { format!("{number}{kind}{} ", bar(cx, cause)) } else { number };
    let indent = text::width(&head) + 1;
    let mut lines = text::wrap(&cause.words, page.width.saturating_sub(indent + 1)).into_iter();
    let first = lines.next().unwrap_or_default();
    page.row(cx, (0, at), [StyledRun::new(head, Role::Muted), StyledRun::new(first, role)]);
    let pad = " ".repeat(usize::from(indent));
    for line in lines {
        page.line(vec![StyledRun::new(format!("{pad}{line}"), role)]);
    }
    if !cause.equivalent.is_empty() {
        let others: Vec<String> = cause.equivalent.iter().map(named).collect();
        let words = format!("the same requests: {}", others.join(", "));
        for line in text::wrap(&words, page.width.saturating_sub(indent + 1)) {
            page.line(vec![StyledRun::new(format!("{pad}{line}"), Role::Muted)]);
        }
    }
}

/// The share of the difference as a bar of eighths; `#` in ASCII.
fn bar(cx: &ScreenCx<'_>, cause: &Cause) -> String {
    let Some(share) = cause.explained.filter(|_| cause.kind == CauseKind::Label) else {
        return " ".repeat(usize::from(BAR) + 5);
    };
    let cells = (share * f64::from(BAR)).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and BAR")]
    let full = cells as usize;
    let (on, off) = cx.charset.pick(("█", "░"), ("#", "."));
    format!(
        "{}{} {:>4}",
        on.repeat(full),
        off.repeat(usize::from(BAR) - full),
        format!("{:.0}%", share * 100.0)
    )
}
