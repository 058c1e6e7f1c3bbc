//! The text of an SLO's page, as lines that scroll: conditions, forecast, worst slots, groups, alerts, definition, queries.

use super::{ALERTS, GROUPS, OpenSlo, QUERIES, shown};
use crate::app::prelude::*;
use crate::app::subjects::slo::course::BudgetCourse;
use crate::app::subjects::slo::queries::queries;
use crate::app::subjects::slo::words;
use crate::model::slo::GroupStatus;
use budget::{exhaustion, worst_slots};
use conditions::conditions;
use definition::definition;

mod budget;
mod conditions;
mod definition;

/// The whole text for this width.
pub(super) fn page(screen: &OpenSlo, cx: &ScreenCx<'_>, status: &SloStatus, width: u16) -> PageContent {
    let mut page = screen.new_page(width);
    let group_status = shown(screen, status);
    let course = group_status.and_then(|group_status| BudgetCourse::of(cx.shared, status, group_status));
    stale_sources(cx, status, group_status, &mut page);
    broken(cx, status, &mut page);
    if let Some(group_status) = group_status {
        conditions(cx, screen, status, group_status, &mut page);
        exhaustion(screen, cx.shared, status, group_status, course.as_ref(), &mut page);
        if let Some(course) = &course {
            worst_slots(cx, status, course, &mut page);
        }
    }
    groups(screen, cx, status, &mut page);
    alerts(screen, cx, status, &mut page);
    definition(cx.shared, status, group_status, &mut page);
    let all = queries(status, status.at);
    if !all.is_empty() {
        page.title("Queries (y copies the selected one)");
    }
    for (index, (name, query)) in all.into_iter().enumerate() {
        page.row(cx, (QUERIES, index), [StyledRun::new(format!(" {name}"), Role::Muted)]);
        for line in text::wrap(&query, width.saturating_sub(5)) {
            page.line(vec![StyledRun::new(format!("    {line}"), Role::Text)]);
        }
    }
    page
}

/// Why numbers are missing or not reliable.
fn stale_sources(
    cx: &Cx<'_>,
    status: &SloStatus,
    group_status: Option<&GroupStatus>,
    page: &mut PageContent,
) {
    match group_status {
        None => {
            let said = status.failure.as_deref().unwrap_or("its source has not answered yet");
            page.remark(cx, said, Role::Unknown);
        }
        Some(group_status) => {
            if let Some(doubt) = &group_status.doubt {
                page.remark(cx, words::doubt(status, doubt, cx), Role::Unknown);
            }
            if let Some(covered) = words::covered(status, group_status) {
                let (about, role) = if group_status.spent.is_none() && group_status.window.error().is_some() {
                    let words =
                        "too little for the budget. A condition is evaluated once its lookbacks have data.";
                    (format!("Insufficient data: {covered} have data, {words}"), Role::Pending)
                } else {
                    let words = "budget and SLI cover that time only.";
                    (format!("Only {covered} have data: {words}"), Role::Warning)
                };
                page.remark(cx, about, role);
            }
            if let Some(remark) = words::remark(status, group_status) {
                page.remark(cx, remark, Role::Warning);
            }
        }
    }
}

/// The failing recording or alerting rules that the SLO depends on.
fn broken(cx: &ScreenCx<'_>, status: &SloStatus, page: &mut PageContent) {
    for (source, rule) in cx.world.broken_rules() {
        if *source == status.source && status.slo.depends_on_rule(rule) {
            page.remark(cx, rule.sentence(), Role::Warning);
        }
    }
}

/// Each group with its own budget, worst first.
fn groups(screen: &OpenSlo, cx: &ScreenCx<'_>, status: &SloStatus, page: &mut PageContent) {
    let list = &screen.groups;
    if list.rows().is_empty() {
        return;
    }
    page.title(&format!("Groups: {} (the charts show the selected one)", list.rows().len()));
    let named = |labels: &Labels| status.groups.iter().find(|group| group.labels == *labels);
    let names = list.rows().iter().filter_map(named).map(words::group);
    let widest = names.map(|name| text::width(&name)).max().unwrap_or(0).min(40);
    page.list(cx, (GROUPS, list), |labels| {
        let group = named(labels)?;
        let role = Role::of_slo(group.state);
        let name = text::pad(&words::group(group), widest, cx.charset);
        let mut runs = vec![StyledRun::new(format!(" {} {name}  ", cx.symbol(role)), role)];
        let left = words::left(Some(group));
        runs.push(StyledRun::new(format!("budget {:>6}", left.text), left.role));
        for lookback in [300, 3600, 21_600].map(Duration::from_secs) {
            let burn = words::burn(&status.slo, group, lookback);
            runs.push(StyledRun::new(format!("  {} ", duration::short(lookback)), Role::Muted));
            runs.push(StyledRun::new(format!("{:>6}", burn.text), burn.role));
        }
        runs.push(StyledRun::new(format!("  {}", group.state.word()), role));
        let its = status.alerts.iter().filter_map(|alert| cx.world.alert(*alert));
        match its.filter(|alert| status.is_about(group, &alert.labels)).count() {
            0 => {}
            1 => runs.push(StyledRun::new("  1 alert", Role::Muted)),
            more => runs.push(StyledRun::new(format!("  {more} alerts"), Role::Muted)),
        }
        Some(runs)
    });
}

/// The pending and firing alerts of the SLO.
fn alerts(screen: &OpenSlo, cx: &ScreenCx<'_>, status: &SloStatus, page: &mut PageContent) {
    let list = &screen.alerts;
    page.title(&format!("Alerts of this SLO: {}", list.rows().len()));
    page.list(cx, (ALERTS, list), |fingerprint| {
        let alert = cx.world.alert(*fingerprint)?;
        let role = Role::of_alert(alert);
        let about = format!("{}  {} {}  ", alert.severity.word(), alert.state, ago(alert.starts_at, cx.now));
        // the group of the alert, if it is exactly one
        let mut its = status.groups.iter().filter(|group| status.is_about(group, &alert.labels));
        let its = its.next().filter(|group| !group.labels.is_empty() && its.next().is_none());
        let about = its.map_or(about.clone(), |group| format!("{}  {about}", words::group(group)));
        Some(vec![
            StyledRun::new(format!(" {} {}  ", cx.symbol(role), alert.name()), role),
            StyledRun::new(about, Role::Text),
            StyledRun::new(alert.summary().map_or_else(String::new, ToString::to_string), Role::Muted),
        ])
    });
}
