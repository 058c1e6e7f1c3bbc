//! Why the service of an incident fails: the likely causes, and the services that it calls.

use super::OpenIncident;
use super::panel::Cockpit;
use crate::app::prelude::*;
use crate::app::subjects::{service, why};
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

/// A service with its health; with how many of the calls to it fail, if that is more than before.
fn state(
    c: &Cockpit<'_>,
    (name, health): (&Text, Option<Health>),
    failing: Option<f64>,
) -> StyledRun<'static> {
    let role = match (failing, health) {
        (Some(_), _) => Role::Critical,
        (None, Some(health)) => Role::of_health(health),
        (None, None) => Role::Unknown,
    };
    let word = health.filter(|health| *health != Health::Healthy).map(|health| format!(" {}", health.word()));
    let failing = failing.map(|ratio| format!(" {} of calls fail", percent(ratio)));
    let words = [word, failing].into_iter().flatten().collect::<String>();
    StyledRun::new(format!("{} {name}{words}", c.cx.symbol(role)), role)
}

/// The states of the services that it calls, of those that call it, and of others that broke with it, as rows of words.
pub(super) fn dependencies(c: &Cockpit<'_>, width: u16) -> PageContent {
    let mut page = PageContent::new(width);
    let found = analysis(c);
    let Some(service) = &c.view.service else {
        page.paragraph("No service is known for this incident.", Role::Muted);
        return page;
    };
    let analysis = found.as_ref().ok();
    let called = analysis.map_or(&[][..], |analysis| &analysis.dependencies);
    let failing = |name: &Text| {
        called.iter().find(|state| state.name == *name && state.onset.is_some()).map(|state| state.after)
    };
    let mut known = service::dependencies(c.cx.world, service, called.iter().map(|state| &state.name));
    known.sort_by_key(|(name, _)| failing(name).is_none());
    match &found {
        _ if !known.is_empty() => {
            flow(&mut page, known.into_iter().map(|one| state(c, one, failing(one.0))));
        }
        Err((words, role)) => page.paragraph(words, *role),
        Ok(_) => {
            let words = "Which services it calls is not known: no metrics of Tempo, Istio or Linkerd, none configured.";
            page.paragraph(words, Role::Muted);
        }
    }
    let callers = service::callers(c.cx.world, service);
    let others = analysis.map_or(&[][..], |analysis| &analysis.others).iter().take(MAX_OTHERS);
    let broken = others.map(|other| {
        let words = format!("{} {} {}", c.cx.symbol(Role::Critical), other.name, percent(other.after));
        StyledRun::new(words, Role::Critical)
    });
    let callers: Vec<_> = callers.into_iter().map(|one| state(c, one, None)).collect();
    for (title, services) in [("used by:", callers), ("broke with it:", broken.collect())] {
        if !services.is_empty() {
            flow(&mut page, std::iter::once(StyledRun::new(title, Role::Muted)).chain(services));
        }
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

/// The page of the dependency that fails, else of the one with the worst health that is monitored.
pub(super) fn dependency_place(screen: &OpenIncident, shared: &Shared) -> Option<Place> {
    let world = &shared.world;
    let analysis = screen.why.as_ref().and_then(|target| why::found(world, target).analysis);
    let called = analysis.map_or(&[][..], |analysis| &analysis.dependencies);
    let failing = called.iter().filter(|state| state.onset.is_some()).map(|state| &state.name);
    let service = screen.incident(shared)?.service.as_ref()?;
    let known = service::dependencies(world, service, called.iter().map(|state| &state.name));
    let others = analysis.into_iter().flat_map(|analysis| &analysis.others).map(|other| &other.name);
    let mut all = failing.chain(known.into_iter().map(|(name, _)| name)).chain(others);
    all.find_map(|name| world.service(name)).map(|service| Place::Service(service.name.clone()))
}
