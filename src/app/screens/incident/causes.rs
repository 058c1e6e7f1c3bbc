//! Why the service of an incident fails: the likely causes, and the services that it calls.

use super::OpenIncident;
use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::why;
use crate::model::health::{Health, percent};
use crate::model::why::WhyAnalysis;

/// A bad time that ended this long before the analysis is over.
const OVER_SINCE: Duration = Duration::from_secs(60);
/// The most other services that are named.
const MAX_OTHERS: usize = 8;

/// The analysis, or why there is none.
fn analysis<'a>(c: &Cockpit<'a>) -> Result<&'a WhyAnalysis, (String, Role)> {
    let Some(target) = &c.screen.why else {
        return Err((
            "No service is known for this incident, so there is nothing to compare.".to_owned(),
            Role::Muted,
        ));
    };
    let found = why::found(c.cx.world, target);
    match (found.analysis, found.failure) {
        (Some(analysis), _) => Ok(analysis),
        (None, Some(error)) => {
            Err((format!("{} {error}. {}", c.cx.symbol(Role::Stale), error.kind.advice()), Role::Stale))
        }
        (None, None) if c.cx.shared.answering(AskKind::Why).next().is_none() => {
            Err(("No source can compare labels: add a Prometheus.".to_owned(), Role::Muted))
        }
        (None, None) => Err((c.cx.shared.waiting().to_owned(), Role::Muted)),
    }
}

/// The causes, the most likely first; then how much was compared.
pub(super) fn likely(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let analysis = match analysis(c) {
        Ok(analysis) => analysis,
        Err((words, role)) => {
            page.paragraph(&words, role);
            return page;
        }
    };
    for (index, cause) in c.screen.causes.iter().enumerate() {
        let role = if index == 0 { Role::Title } else { Role::Text };
        page.lines.extend(text::beside(
            &format!(" {} ", c.cx.charset.pick("•", "*")),
            &cause.words,
            width,
            role,
        ));
    }
    page.paragraph(&why::compared(analysis, !c.screen.causes.is_empty()), Role::Muted);
    if let Some(words) = over(c, analysis) {
        page.paragraph(&words, Role::Healthy);
    }
    page
}

/// "Over: the bad time was 02:44:10 to 02:47:20", if it is.
fn over(c: &Cockpit<'_>, analysis: &WhyAnalysis) -> Option<String> {
    let bad = analysis.symptoms.first()?.bad;
    let found = why::found(c.cx.world, c.screen.why.as_ref()?).at?;
    let clock = |at: Timestamp| at.to_zoned(c.cx.zone.clone()).strftime("%H:%M:%S").to_string();
    (age(bad.end, found) > OVER_SINCE)
        .then(|| format!("Over: the bad time from {} to {} was compared.", clock(bad.start), clock(bad.end)))
}

/// The causes in one line each for a small terminal; without any, why there are none.
pub(super) fn brief(c: &Cockpit<'_>) -> Vec<(String, Role)> {
    if c.screen.causes.is_empty() {
        return vec![match analysis(c) {
            Ok(analysis) => (why::compared(analysis, false), Role::Muted),
            Err(missing) => missing,
        }];
    }
    c.screen.causes.iter().map(|cause| (cause.words.clone(), Role::Text)).collect()
}

/// A service that is called, with whether its calls began to fail.
fn dependency(c: &Cockpit<'_>, name: &Text, after: f64, is_bad: bool) -> StyledRun<'static> {
    let health = c.cx.world.service(name).map(|service| service.health);
    let role = if is_bad { Role::Critical } else { health.map_or(Role::Text, Role::of_health) };
    let symbol = if is_bad || health.is_some() { c.cx.symbol(role) } else { " " };
    let state = match health.filter(|health| *health != Health::Healthy) {
        Some(health) => format!(" {}", health.word()),
        None => String::new(),
    };
    let failing = if is_bad { format!(" {} of calls fail", percent(after)) } else { String::new() };
    StyledRun::new(format!("{symbol} {name}{state}{failing}"), role)
}

/// The states of the services that it calls, and of others that broke with it, as rows of words.
pub(super) fn dependencies(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let analysis = match analysis(c) {
        Ok(analysis) => analysis,
        Err((words, role)) => {
            page.paragraph(&words, role);
            return page;
        }
    };
    if analysis.dependencies.is_empty() {
        let words = "No source tells which services it calls (metrics of Tempo, Istio or Linkerd).";
        page.paragraph(words, Role::Muted);
    } else {
        let bad_first = [true, false].into_iter().flat_map(|is_bad| {
            analysis.dependencies.iter().filter(move |state| state.onset.is_some() == is_bad)
        });
        let states = bad_first.map(|state| dependency(c, &state.name, state.after, state.onset.is_some()));
        flow(&mut page, states);
    }
    if !analysis.others.is_empty() {
        let others = analysis.others.iter().take(MAX_OTHERS);
        let named = others.map(|other| {
            let words = format!("{} {} {}", c.cx.symbol(Role::Critical), other.name, percent(other.after));
            StyledRun::new(words, Role::Critical)
        });
        flow(&mut page, std::iter::once(StyledRun::new("broke with it:", Role::Muted)).chain(named));
    }
    page
}

/// Adds runs beside each other, on as many lines as they need.
fn flow(page: &mut PageContent, runs: impl Iterator<Item = StyledRun<'static>>) {
    let mut line: Vec<StyledRun<'static>> = Vec::new();
    let mut used = 0;
    for run in runs {
        let cells = text::width(&run.text) + 2;
        if used > 0 && used + cells > page.width {
            page.line(std::mem::take(&mut line));
            used = 0;
        }
        let lead = if used == 0 { " " } else { "  " };
        line.extend([StyledRun::new(lead, Role::Text), run]);
        used += cells;
    }
    if !line.is_empty() {
        page.line(line);
    }
}

/// The page of the dependency that fails, else of the first one that is monitored.
pub(super) fn dependency_place(screen: &OpenIncident, shared: &Shared) -> Option<Place> {
    let analysis = why::found(&shared.world, screen.why.as_ref()?).analysis?;
    let failing = analysis.dependencies.iter().filter(|state| state.onset.is_some()).map(|state| &state.name);
    let all = failing
        .chain(analysis.others.iter().map(|other| &other.name))
        .chain(analysis.dependencies.iter().map(|state| &state.name));
    all.into_iter()
        .find_map(|name| shared.world.service(name))
        .map(|service| Place::Service(service.name.clone()))
}
