use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::app::display_settings::DisplaySettings;
use crate::app::display_settings::{Charset, Colours};
use crate::app::event::{Arrival, Effect, Event};
use crate::app::identity::{
    DashboardKey, DashboardTarget, IncidentKey, PolicyKey, ReviewSubject, SloKey, WhySubject,
};
use crate::app::log_subject::LogSubject;
use crate::app::place::{Document, Place};
use crate::app::screens;
use crate::app::shared::Shared;
use crate::app::state::State;
use crate::app::statistics::Statistics;
use crate::app::subjects::why;
use crate::backend::{Clock, Source, demo};
use crate::cli::alerts::AlertFilter;
use crate::cli::args::{ChangesArgs, ListingArgs, StatsArgs, StatsGrouping};
use crate::cli::report::{ReportDocument, json};
use crate::cli::view::WorldView;
use crate::cli::{
    alerts, capacity, changes, check, dashboards, doctor, incidents, oncall, services, silences, slos,
    sources, stats, status, traces,
};
use crate::model::ask::{Answered, Ask, Question};
use crate::model::capacity::CapacityKey;
use crate::model::fixtures;
use crate::model::labels::Text;
use crate::model::log::LogQuery;
use crate::model::runbook::RunbookQuery;
use crate::model::source::SourceId;
use crate::model::source_info::SourceInfo;
use crate::model::trace::{Trace, TraceId};
use crate::model::world::{HealthPolicy, World};
use crate::runtime::App;

static UTC: TimeZone = TimeZone::UTC;

fn now() -> Timestamp {
    Timestamp::from_second(1_768_445_520).unwrap()
}

fn demo_sources() -> Vec<Arc<dyn Source>> {
    demo::sources(1, Clock::fixed(now()), demo::origin(now(), 12.0, 1.0), 1.0)
}

type RecordedAnswers = Vec<(SourceId, Ask, Answered)>;

/// A world with all answers of the demo sources, except those to one kind of question.
fn world(answers: &RecordedAnswers, but: Option<AskKind>) -> World {
    let ids = answers.iter().map(|(id, ..)| id.clone());
    let mut world = World::new(ids, HealthPolicy::default());
    for (source, ask, answered) in answers.iter().filter(|(_, ask, _)| Some(ask.kind()) != but) {
        let question = Question { context: 0, source: source.clone(), ask: ask.clone(), known: None };
        world.apply(&question, answered.clone(), now());
    }
    world
}

/// The output of each verb for a world, without the notes on missing data.
fn printed(world: &World, sources: &[SourceInfo]) -> BTreeMap<&'static str, String> {
    let view = WorldView {
        world,
        sources,
        context: "demo",
        now: now(),
        limit: Duration::from_secs(60),
        zone: &UTC,
        findings: &[],
    };
    let all = AlertFilter::new(&[], true).unwrap();
    let since = Duration::from_secs(7 * 86_400);
    let listing = ListingArgs { output: crate::cli::args::Format::Json };
    let one = fixtures::span(1, None, "shop", "POST /order", 0, 9);
    let one = Trace::new(TraceId::new(1).unwrap(), vec![one]).unwrap();
    let changed = ChangesArgs { filter: Vec::new(), since, listing };
    let documents: [(Needs, ReportDocument); 15] = [
        (STATUS, status::document(&view)),
        (SERVICES, services::document(&view)),
        (SLOS, slos::document(&view)),
        (ALERTS, alerts::document(&view, &all)),
        (INCIDENTS, incidents::document(&view, &all)),
        (ONCALL, oncall::document(&view)),
        (
            STATS,
            stats::document(
                &view,
                &Statistics::default(),
                StatsArgs { by: StatsGrouping::Service, since, listing },
            ),
        ),
        (SILENCES, silences::document(&view, false)),
        (SOURCES, sources::document(&view)),
        (CHANGES, changes::document(&view, &all, &changed)),
        (DOCTOR, doctor::document(&view)),
        (TRACE, traces::trace_document(&view, &SourceId::new("tempo"), &one, Vec::new())),
        (TRACES, traces::list_document(&view, "shop", Vec::new(), false, Vec::new())),
        (CAPACITY, capacity::document(&view, &all, None)),
        (DASHBOARDS, dashboards::list_document(&view, &all, Vec::new())),
    ];
    let texts = documents.into_iter().map(|(needs, document)| {
        let answers = ReportDocument { notes: Vec::new(), is_partial: false, ..document };
        (needs.verb, json::render(&answers))
    });
    texts.chain([(CHECK.verb, check::verdict(&view, &[]).text)]).collect()
}

#[tokio::test]
async fn a_verb_waits_for_every_question_whose_answer_changes_what_it_prints() {
    let sources = demo_sources();
    let infos: Vec<SourceInfo> = sources.iter().map(|source| source.info().clone()).collect();
    let mut answers: RecordedAnswers = Vec::new();
    for source in &sources {
        for ask in source.info().answers.iter().filter_map(|kind| Some(kind.vital()?.now())) {
            let answered = source.answer(&ask, None).await;
            answers.push((source.info().id.clone(), ask, answered));
        }
    }
    let whole = printed(&world(&answers, None), &infos);
    assert_eq!(whole.len(), VERBS.len(), "every verb is looked at");
    for kind in AskKind::ALL.into_iter().filter(|kind| kind.is_vital()) {
        let without = printed(&world(&answers, Some(kind)), &infos);
        for needs in VERBS {
            let is_changed = whole[needs.verb] != without[needs.verb];
            assert!(
                !is_changed || needs.kinds().contains(&kind),
                "`{}` shows something else without {}, and does not wait for it",
                needs.verb,
                kind.word()
            );
        }
    }
}

/// One example of each place with its name in `docs/waits.md`, with identities that exist in the demo world.
fn places(state: &State) -> Vec<(Place, &'static str)> {
    let world = &state.shared.world;
    let slo = world.slos().first().unwrap();
    let incident = world.incidents().first().unwrap();
    let (at, policies) =
        world.on_call().next().map(|(at, snapshot)| (at.clone(), &snapshot.policies)).unwrap();
    let ruled = world.alerts().iter().find(|alert| world.rule_of(&alert.labels).is_some()).unwrap();
    let wanted = RunbookQuery { name: "A".into(), url: None, labels: ruled.labels.clone() };
    let hours = Duration::from_secs(12 * 3600);
    let service = WhySubject::Service(world.services().first().unwrap().name.clone());
    let why = why::target(world, service, now());
    let [service, resource, part] = ["ledger", "disk", "/data"].map(Text::from);
    let key = CapacityKey { source: SourceId::new("prom-eu"), service, resource, instance: "".into(), part };
    let board = DashboardKey { source: SourceId::new("dashboards"), uid: "golden".into() };
    let about = vec![
        (Place::Service(world.services().first().unwrap().name.clone()), "a service"),
        (Place::Slo(SloKey::of(slo)), "an SLO"),
        (Place::Alert(ruled.fingerprint), "an alert"),
        (Place::Incident(IncidentKey::of(incident)), "an incident"),
        (
            Place::Policy(PolicyKey { source: at, id: policies.first().unwrap().named.id.clone() }),
            "an escalation policy",
        ),
        (Place::Runbook(Arc::new(wanted)), "a runbook"),
        (Place::Logs(Arc::new(LogSubject::new("a".into(), LogQuery::default(), None))), "logs, `logs`"),
        (Place::Why(why.unwrap()), "why, `why`"),
        (Place::Trace(TraceId::new(1).unwrap()), "a trace"),
        (Place::Traces(world.services().first().unwrap().name.clone()), "the traces of a service"),
        (Place::Resource(key), "a resource"),
        (Place::Dashboard(Arc::new(DashboardTarget::of(board))), "a dashboard, `dashboards UID`"),
        (Place::Report(Document::Handoff(hours)), "the handoff, `handoff`"),
        (Place::Report(Document::Statistics(hours)), "statistics, `stats`"),
        (Place::Report(Document::Changes(hours)), "the changes, `changes`"),
        (
            Place::Report(Document::Postmortem(ReviewSubject::Incident(IncidentKey::of(incident)))),
            "the postmortem, `postmortem`",
        ),
    ];
    let kinds: HashSet<_> = about.iter().map(|(place, _)| std::mem::discriminant(place)).collect();
    assert_eq!(kinds.len(), Place::ABOUT.len(), "an example of each of {:?}", Place::ABOUT);
    Place::LISTS.iter().cloned().chain(about).collect()
}

/// Answers the questions of the state until it asks no more.
async fn answered(state: &mut State, sources: &[Arc<dyn Source>]) {
    let mut effects = state.update(Event::Tick, now());
    while !effects.is_empty() {
        let mut next = Vec::new();
        for effect in effects {
            let Effect::Fetch(question) = effect else { continue };
            let Some(source) = sources.iter().find(|source| source.info().id == question.source) else {
                continue;
            };
            let answered = source.answer(&question.ask, question.known).await;
            let arrival = Arrival { question, answered, took: Duration::ZERO };
            next.extend(state.update(Event::Answered(Box::new(arrival)), now()));
        }
        effects = next;
    }
}

fn listed(kinds: impl IntoIterator<Item = AskKind>) -> String {
    let words: Vec<&str> = kinds.into_iter().map(AskKind::word).collect();
    if words.is_empty() { "nothing more".to_owned() } else { words.join(", ") }
}

/// The text of `docs/waits.md`, and the kinds of questions that it names.
async fn page() -> (String, Vec<AskKind>) {
    // logs and traces are asked for and never answered here, so that their screens still wait for them
    let mut sources = demo_sources();
    let is_answered = |kind: &AskKind| !matches!(kind, AskKind::LogLines | AskKind::Traces);
    sources.retain(|source| source.info().answers.iter().all(is_answered));
    let mut infos: Vec<SourceInfo> = sources.iter().map(|source| source.info().clone()).collect();
    let of_logs = vec![AskKind::LogLines, AskKind::LogCounts, AskKind::LogPatterns];
    infos.push(fixtures::source("logs", "loki", of_logs));
    infos.push(fixtures::source("tempo", "tempo", vec![AskKind::Trace, AskKind::Traces]));
    let look = DisplaySettings::probe(Colours::None, Charset::Ascii);
    let mut state = State::new(Shared::new("demo", infos, look, (120, 40)));
    answered(&mut state, &sources).await;
    let mut page = String::from(
        "# What each verb waits for\n\n\
         A verb asks each source the questions that the source supports, and waits until they are answered or refused. It waits\n\
         for `limits.connect_timeout` plus `limits.timeout` plus three seconds at most. Missing answers are named, `is_partial` is\n\
         true, and the exit code is 3 (of `doctor` 1; `check` reports UNKNOWN, unless a known result is worse).\n\n\
         This page is generated from the tables that the program uses.\n\n\
         ## Verbs\n| verb | waits for |\n| --- | --- |\n",
    );
    let mut used = AskKind::all_vital().to_vec();
    for needs in VERBS {
        used.extend(needs.kinds());
        writeln!(page, "| `{}` | {} |", needs.verb, listed(needs.kinds())).unwrap();
    }
    page.push_str(
        "\n`check NAME` with names of SLOs only waits for SLOs only. Actions (`ack`, `silence` and so on) wait for the incidents, alerts or silences that they change. `query` waits for the result of its expression, `discover` for the data sources of one source.\n\n\
         ## Screens\n",
    );
    used.push(AskKind::DataSources);
    writeln!(
        page,
        "Every screen, and so `snapshot`, waits for {}.\nSome screens wait for more:\n",
        listed(AskKind::all_vital().to_vec())
    )
    .unwrap();
    page.push_str("| screen | waits for |\n| --- | --- |\n");
    for (place, name) in places(&state) {
        state.reset_to(place);
        // a page asks more questions once the answers to the first ones have arrived
        answered(&mut state, &sources).await;
        let wants = screens::wants(state.screen(), &state.shared, now());
        let mut kinds: Vec<AskKind> = wants.iter().map(|want| want.ask.kind()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let has_all = AskKind::all_vital().iter().all(|kind| kinds.contains(kind));
        assert!(has_all, "{name} does not ask for what every screen asks for");
        kinds.retain(|kind| !AskKind::all_vital().contains(kind));
        used.extend(&kinds);
        writeln!(page, "| {name} | {} |", listed(kinds)).unwrap();
    }
    (page, used)
}

#[tokio::test]
async fn the_page_of_what_is_waited_for_is_what_the_tables_print_and_every_question_has_a_place_in_it() {
    let (page, used) = Box::pin(page()).await;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/waits.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "run with UPDATE_DOCS=1");
    // what a user writes decides about the others
    for kind in AskKind::ALL.into_iter().filter(|kind| !kind.is_of_user()) {
        assert!(used.contains(&kind), "nothing waits for {}", kind.word());
    }
}
