//! `burnwatch why SERVICE|ALERT`: the likely causes, the most likely first.

use crate::app::identity::{WhySubject, WhyTarget};
use crate::app::place::Place;
use crate::app::screens::why::columns::{COLUMNS, CauseItem};
use crate::app::state::State;
use crate::app::subjects::why as subject;
use crate::model::alert::Alert;
use crate::model::ask::AskKind;
use crate::model::labels::{Labels, Text};
use crate::model::slo::TimeRange;
use crate::model::source_info::SourceInfo;
use crate::model::why::{Symptom, WhyAnalysis, WhyQuery, headline};

use super::args::{WhyArgs, WhySubjectName};
use super::printer::{ExitOutcome, print, print_error, print_gaps};
use super::report::{Cell, Fact, ReportDocument, ReportList};
use super::session::Session;
use super::view::WorldView;
use super::{CliContext, VerbResult, formatted};

pub(super) fn run(cx: &CliContext<'_>, wanted: &WhyArgs) -> VerbResult {
    let session = &cx.session(true)?;
    session.require_source_of(&[AskKind::Why])?;
    let infos = session.active.sources.infos();
    // the alerts of an Alertmanager are one request; rules are asked only where there is no Alertmanager
    let has_alerts = infos.iter().any(|source| source.answers.contains(&AskKind::Alerts));
    let alerts = if has_alerts { AskKind::Alerts } else { AskKind::Rules };
    let mut state = session.ask_only(&[alerts])?;
    let Some((target, alert_note)) = target(&state, wanted, session) else {
        let gaps = session.view(&state).gaps(&[alerts]);
        return Ok(if gaps.is_empty() { unknown(wanted) } else { print_gaps(&gaps) });
    };
    session.look_on(&mut state, Place::Why(target.clone()), &[AskKind::Why, AskKind::Changes])?;
    let view = session.view(&state);
    let gaps = view.common_gaps(&[AskKind::Why]);
    let found = subject::found(&state.shared.world, &target);
    let Some(analysis) = found.analysis.filter(|analysis| analysis.is_known) else {
        if !gaps.is_empty() {
            return Ok(print_gaps(&gaps));
        }
        return Ok(unknown(wanted));
    };
    let mut document = document(&state, &target, analysis, &wanted.subject.name);
    document.context.clone_from(&session.active.context);
    document.as_of = session.active.clock.now();
    // a source that analyses tells changes with its analysis
    let others: Vec<SourceInfo> =
        view.sources.iter().filter(|source| !source.answers.contains(&AskKind::Why)).cloned().collect();
    let mut missing = view.gaps(&[AskKind::Why, alerts]);
    missing.extend(WorldView { sources: &others, ..view }.gaps(&[AskKind::Changes]));
    document.is_partial = !missing.is_empty();
    document.notes.splice(0..0, missing);
    document.notes.extend(alert_note);
    let outcome = if document.is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine };
    Ok(print(&formatted(&document, wanted.listing.output), outcome))
}

fn unknown(wanted: &WhyArgs) -> ExitOutcome {
    print_error(&format!(
        "no source has a metric of a service {:?}, and no such alert fires; `burnwatch services` and `burnwatch alerts` list them",
        wanted.subject.name
    ));
    ExitOutcome::UsageError
}

/// What the name means: a firing alert, the most severe of several, else a service. `None`: there is no alert with such labels.
fn target(state: &State, wanted: &WhyArgs, session: &Session) -> Option<(WhyTarget, Option<String>)> {
    let (world, now) = (&state.shared.world, session.active.clock.now());
    let WhySubjectName { name, matchers } = &wanted.subject;
    let mut alerts: Vec<&Alert> = world
        .alerts()
        .iter()
        .map(|alert| &**alert)
        .filter(|alert| {
            alert.name() == *name && matchers.iter().all(|matcher| matcher.matches(&alert.labels))
        })
        .filter(|alert| world.service_of(&alert.labels).is_some())
        .collect();
    alerts.sort_by_key(|alert| (alert.state, alert.severity, alert.starts_at, alert.fingerprint));
    let of_alert =
        alerts.first().and_then(|alert| subject::target(world, WhySubject::Alert(alert.fingerprint), now));
    let note = of_alert.as_ref().filter(|_| alerts.len() > 1).map(|target| {
        format!("{} alerts {name} are listed; this is about that of {}", alerts.len(), target.wanted.service)
    });
    let name: Text = name.as_str().into();
    if of_alert.is_none() && !matchers.is_empty() {
        return None;
    }
    let target = of_alert.or_else(|| subject::target(world, WhySubject::Service(name.clone()), now));
    let target = target.unwrap_or_else(|| WhyTarget {
        subject: WhySubject::Service(name.clone()),
        wanted: WhyQuery::of(name).into(),
    });
    let filters = Labels::new(
        wanted.only.iter().map(|only| (only.0.as_str().into(), only.1.as_str().into())).collect(),
    );
    let signal = wanted.signal.or(target.wanted.signal);
    let wanted = WhyQuery { signal, filters, ..(*target.wanted).clone() };
    Some((WhyTarget { wanted: wanted.into(), ..target }, note))
}

fn document(state: &State, target: &WhyTarget, analysis: &WhyAnalysis, name: &str) -> ReportDocument {
    let causes = subject::ranked(&state.shared.world, target, analysis);
    let labels = analysis.labels();
    let onset = analysis.symptoms.first().map(|symptom| symptom.onset);
    let signal = analysis.symptoms.first().map(|symptom| symptom.signal.word());
    let said = analysis.symptoms.iter().map(headline).collect::<Vec<_>>().join("; ");
    let fact = Fact::new;
    let facts = vec![
        fact("subject", "", Cell::Text(name.to_owned())),
        fact("service", "Service", Cell::Text(target.wanted.service.to_string())),
        fact(
            "filters",
            if target.wanted.filters.is_empty() { "" } else { "Within" },
            Cell::Labels(target.wanted.filters.clone()),
        ),
        fact("signal", "", Cell::optional(signal)),
        fact("what", if onset.is_some() { "What" } else { "" }, Cell::words(said)),
        fact("onset", if onset.is_some() { "Since" } else { "" }, onset.map_or(Cell::Nothing, Cell::Moment)),
        fact("signals", "", Cell::Objects(analysis.symptoms.iter().map(signal_object).collect())),
        fact("signals_looked_at", "", Cell::texts(analysis.looked_at.iter().map(|signal| signal.word()))),
        fact("labels_looked_at", "", Cell::texts(&labels)),
        fact("requests", "", Cell::Count(analysis.requests.into())),
    ];
    let items = causes.iter().enumerate().map(|(at, cause)| CauseItem { rank: at + 1, cause });
    let list = ReportList::of(("causes", "Likely causes", "Nothing stands out."), COLUMNS, items);
    let mut notes = vec![subject::compared(analysis, !causes.is_empty())];
    notes.extend(analysis.notes.iter().map(ToString::to_string));
    let as_of = onset.unwrap_or_default();
    ReportDocument { context: String::new(), as_of, facts, lists: vec![list], notes, is_partial: false }
}

fn signal_object(symptom: &Symptom) -> Vec<(&'static str, Cell)> {
    let range = |range: TimeRange| {
        Cell::Object(vec![("from", Cell::Moment(range.start)), ("to", Cell::Moment(range.end))])
    };
    vec![
        ("signal", Cell::Text(symptom.signal.word().to_owned())),
        ("resource", Cell::optional(symptom.resource.as_ref())),
        ("metric", Cell::Text(symptom.measured_by.to_string())),
        ("slower_than_seconds", Cell::maybe(symptom.bound, Cell::Seconds)),
        ("before", Cell::maybe(symptom.before, Cell::Number)),
        ("now", Cell::Number(symptom.after)),
        ("onset", Cell::Moment(symptom.onset)),
        ("bad", range(symptom.bad)),
        ("good", symptom.good.map_or(Cell::Nothing, range)),
        ("words", Cell::Text(headline(symptom))),
    ]
}
