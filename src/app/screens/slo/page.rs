//! Everything about an SLO that is text, as lines that scroll: what holds, when it is gone, what ate it, how it is defined.

use super::{ALERTS, GROUPS, OpenSlo, QUERIES, shown};
use crate::app::prelude::*;
use crate::app::subjects::slo::course::Course;
use crate::app::subjects::slo::queries::queries;
use crate::app::subjects::slo::words;
use crate::model::slo::Standing;
use budget::{bites, exhaustion};
use conditions::conditions;
use definition::definition;

mod budget;
mod conditions;
mod definition;

/// Whether the cursor is on a row.
fn is_current(screen: &OpenSlo, panel: usize, index: usize) -> bool {
    screen.spot.panel == panel && screen.list().is_some_and(|list| list.index() == index)
}

/// All of it, for a place of this width.
pub(super) fn page(screen: &OpenSlo, shared: &Shared, cx: &Cx<'_>, status: &SloStatus, width: u16) -> Page {
    let mut page = Page::new(width);
    let standing = shown(screen, status);
    let course = standing.and_then(|standing| Course::of(shared, status, standing));
    doubts(cx, status, standing, &mut page);
    broken(shared, cx, status, &mut page);
    if let Some(standing) = standing {
        conditions(cx, screen, shared, status, standing, &mut page);
        exhaustion(screen, shared, status, standing, course.as_ref(), &mut page);
        if let Some(course) = &course {
            bites(shared, cx, status, course, &mut page);
        }
    }
    groups(screen, shared, cx, status, &mut page);
    alerts(screen, shared, cx, status, &mut page);
    definition(shared, status, standing, &mut page);
    let all = queries(status, status.at);
    if !all.is_empty() {
        page.title("Queries (y copies the one under the cursor)");
    }
    for (index, (name, query)) in all.into_iter().enumerate() {
        page.row(
            cx,
            (QUERIES, index),
            is_current(screen, QUERIES, index),
            vec![Run::new(format!(" {name}"), Role::Muted)],
        );
        for line in text::wrap(&query, width.saturating_sub(5)) {
            page.line(vec![Run::new(format!("    {line}"), Role::Text)]);
        }
    }
    page
}

/// Why there is no number, or what is to be held against those that there are.
fn doubts(cx: &Cx<'_>, status: &SloStatus, standing: Option<&Standing>, page: &mut Page) {
    let sign = cx.symbol(Role::Unknown);
    match standing {
        None => {
            let said = status.trouble.as_deref().unwrap_or("its source has not said anything about it yet");
            page.paragraph(&format!("{sign} {said}"), Role::Unknown);
        }
        Some(standing) => {
            if let Some(doubt) = &standing.doubt {
                page.paragraph(&format!("{sign} {}", words::doubt(status, doubt, cx)), Role::Unknown);
            }
            if let Some(covered) = words::covered(status, standing) {
                let (about, role) = if standing.spent.is_none() && standing.window.error().is_some() {
                    let words = "too little to tell the window's budget. A condition counts once its lookbacks are covered.";
                    (format!("Insufficient data: {covered} are known, {words}"), Role::Pending)
                } else {
                    let words = "budget and SLI are of that time alone.";
                    (format!("Only {covered} are known: {words}"), Role::Warning)
                };
                page.paragraph(&format!("{} {about}", cx.symbol(role)), role);
            }
            if let Some(remark) = words::remark(status, standing) {
                page.paragraph(&format!("{} {remark}", cx.symbol(Role::Warning)), Role::Warning);
            }
        }
    }
}

/// The rules that it hangs on and that fail.
fn broken(shared: &Shared, cx: &Cx<'_>, status: &SloStatus, page: &mut Page) {
    for (source, rule) in shared.world.broken_rules() {
        if *source == status.source && status.slo.hangs_on(rule) {
            page.paragraph(&format!("{} {}", cx.symbol(Role::Warning), rule.sentence()), Role::Warning);
        }
    }
}

/// Each group with its own budget, the worst first.
fn groups(screen: &OpenSlo, shared: &Shared, cx: &Cx<'_>, status: &SloStatus, page: &mut Page) {
    let list = &screen.groups;
    if list.rows().is_empty() {
        return;
    }
    page.title(&format!("Groups: {} (the charts show the one under the cursor)", list.rows().len()));
    let named: Vec<_> =
        list.rows().iter().map(|labels| status.groups.iter().find(|group| group.labels == *labels)).collect();
    let widest =
        named.iter().flatten().map(|group| text::width(&words::group(group))).max().unwrap_or(0).min(40);
    for (index, group) in named.into_iter().enumerate() {
        let Some(group) = group else {
            page.row(cx, (GROUPS, index), is_current(screen, GROUPS, index), []);
            continue;
        };
        let role = Role::of_slo(group.state);
        let name = text::pad(&words::group(group), widest, cx.charset);
        let mut runs = vec![Run::new(format!(" {} {name}  ", cx.symbol(role)), role)];
        let left = words::left(Some(group));
        runs.push(Run::new(format!("left {:>6}", left.text), left.role));
        for lookback in [300, 3600, 21_600].map(std::time::Duration::from_secs) {
            let burn = words::burn(&status.slo, group, lookback);
            runs.push(Run::new(format!("  {} ", duration::short(lookback)), Role::Muted));
            runs.push(Run::new(format!("{:>6}", burn.text), burn.role));
        }
        runs.push(Run::new(format!("  {}", group.state.word()), role));
        let its = status.alerts.iter().filter_map(|alert| shared.world.alert(*alert));
        match its.filter(|alert| status.is_about(group, &alert.labels)).count() {
            0 => {}
            1 => runs.push(Run::new("  1 alert", Role::Muted)),
            more => runs.push(Run::new(format!("  {more} alerts"), Role::Muted)),
        }
        page.row(cx, (GROUPS, index), is_current(screen, GROUPS, index), runs);
    }
}

/// Its alerts that fire or are pending.
fn alerts(screen: &OpenSlo, shared: &Shared, cx: &Cx<'_>, status: &SloStatus, page: &mut Page) {
    let list = &screen.alerts;
    page.title(&format!("Alerts of this SLO: {}", list.rows().len()));
    for (index, fingerprint) in list.rows().iter().enumerate() {
        let Some(alert) = shared.world.alert(*fingerprint) else {
            page.row(cx, (ALERTS, index), is_current(screen, ALERTS, index), []);
            continue;
        };
        let role = Role::of_alert(alert);
        let about = format!("{}  {} {}  ", alert.severity.word(), alert.state, ago(alert.starts_at, cx.now));
        // which of the groups it is about
        let mut its = status.groups.iter().filter(|group| status.is_about(group, &alert.labels));
        let its = its.next().filter(|group| !group.labels.is_empty() && its.next().is_none());
        let about = its.map_or(about.clone(), |group| format!("{}  {about}", words::group(group)));
        let runs = vec![
            Run::new(format!(" {} {}  ", cx.symbol(role), alert.name()), role),
            Run::new(about, Role::Text),
            Run::new(alert.summary().map_or_else(String::new, ToString::to_string), Role::Muted),
        ];
        page.row(cx, (ALERTS, index), is_current(screen, ALERTS, index), runs);
    }
}
