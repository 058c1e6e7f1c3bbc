//! `burnwatch logs`: the log lines of a service or an alert, what is new in them, or new lines as they come.

mod output;

pub(super) use output::line_list;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::app;
use crate::app::event::{Effect, Event};
use crate::app::log_subject::LogSubject;
use crate::app::place::Place;
use crate::app::range::lengths;
use crate::app::state::State;
use crate::app::{readiness, subjects};
use crate::model::ask::{AskKind, Topic};
use crate::model::labels::{Labels, Text};
use crate::model::log::{LogLineKey, LogQuery};
use crate::model::remote::age;

use super::args::{Format, LogsArgs};
use super::needs;
use super::printer::{ExitOutcome, print, print_bytes, print_error, print_gaps, print_stderr_plain};
use super::report::{json, markdown, table};
use super::session::{Session, SessionError};
use super::{CliContext, VerbResult, printer};

/// The lines begin this long before the first alert.
const BEFORE: Duration = Duration::from_secs(15 * 60);
/// The time range without an alert.
const USUAL: Duration = Duration::from_secs(3600);
/// Following ends after this time, if nothing ends it before.
const FOREVER: Duration = Duration::from_secs(3650 * 86_400);
/// Lines are remembered as printed for this long, because lines that are this late are still printed.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(10);

pub(super) fn run(cx: &CliContext<'_>, wanted: &LogsArgs) -> VerbResult {
    let session = cx.session(true)?;
    session.require_source_of(&[AskKind::LogLines])?;
    let (subject, unknown) = subject(&session, wanted)?;
    let length = wanted.since.unwrap_or_else(|| range(&subject, session.active.clock.now()));
    let mut state = session.state_at(Place::Logs(Arc::new(subject)));
    state.shared.range.length = length;
    state.screens.logs.set_following(false);
    let kinds = kinds(wanted);
    let update = |state: &mut State, event: Event, now: Timestamp| {
        let mut effects = app::update(state, event, now);
        keep(&mut effects, kinds);
        ask_further_pages(state, now);
        effects
    };
    let now = || session.active.clock.now();
    let is_complete = |state: &State| {
        readiness::is_screen_settled(state, kinds, now())
            && state.screens.logs.has_enough(&state.shared, now())
    };
    // a page at a time
    let pages = u32::try_from(wanted.limit / 1000).unwrap_or(20).clamp(1, 20);
    session.gather(&mut state, update, is_complete, session.deadline() * pages)?;
    let gaps = readiness::screen_gaps(&state, kinds, now());
    let is_partial = !gaps.is_empty();
    let view = output::LogReport {
        state: &state,
        wanted,
        unknown: unknown.as_deref(),
        gaps,
        now: now(),
        context: &session.active.context,
    };
    let outcome = if is_partial { ExitOutcome::Partial } else { ExitOutcome::Fine };
    let printed = if wanted.raw {
        let notes: Vec<String> = view.heading().iter().map(|line| format!("# {line}")).collect();
        print_stderr_plain(
            &(notes.join(
                "
",
            ) + "
"),
        );
        print_bytes(&view.raw(), print_gaps(&view.gaps))
    } else {
        match wanted.listing.output {
            Format::Table if wanted.patterns => {
                print(&table::render_within(&view.document(), printer::width()), outcome)
            }
            Format::Table => print(&view.text(), outcome),
            Format::Json => print(&json::render(&view.document()), outcome),
            Format::Markdown => print(&markdown::render(&view.document()), outcome),
        }
    };
    if view.has_no_query() && view.gaps.is_empty() {
        return Ok(ExitOutcome::UsageError);
    }
    if wanted.follow && printed == ExitOutcome::Fine {
        follow(&session, &mut state, wanted)
    } else {
        Ok(printed)
    }
}

/// The kinds of questions whose answers are printed.
fn kinds(wanted: &LogsArgs) -> &'static [AskKind] {
    match (wanted.patterns, wanted.raw) {
        // the notes of the lines tell how the query was found
        (true, _) => &[AskKind::LogPatterns, AskKind::LogCounts],
        (false, true) => &[AskKind::LogLines],
        (false, false) => &[AskKind::LogLines, AskKind::LogCounts],
    }
}

/// Leaves out the questions that are not printed, so that they do not delay the others.
fn keep(effects: &mut Vec<Effect>, kinds: &[AskKind]) {
    effects
        .retain(|effect| !matches!(effect, Effect::Fetch(question) if !kinds.contains(&question.ask.kind())));
}

/// Asks for the next page at once, instead of with the next poll.
fn ask_further_pages(state: &mut State, now: Timestamp) {
    let Place::Logs(subject) = state.place().clone() else { return };
    if state.screens.logs.has_enough(&state.shared, now) {
        return;
    }
    let topic = Topic::LogLines(Arc::clone(&subject.query));
    let is_waiting =
        state.shared.sources.iter().any(|source| state.shared.scheduler.is_waiting(&source.id, &topic));
    if !is_waiting {
        state.shared.scheduler.query_now(|asked| *asked == topic, now);
    }
}

/// What the lines are about: a query, a known service or alert, else a service that no source lists. The text says that it is
/// not listed.
fn subject(session: &Session, wanted: &LogsArgs) -> Result<(LogSubject, Option<String>), SessionError> {
    let contains = wanted.contains.as_deref().map(Text::from);
    let finished = |mut subject: LogSubject| {
        let query = LogQuery { contains: contains.clone(), ..(*subject.query).clone() };
        (subject.query, subject.enough) = (Arc::new(query), wanted.limit);
        subject
    };
    if let Some(query) = &wanted.query {
        let title = wanted.subject.as_deref().unwrap_or("query");
        let query = LogQuery { written: Some(query.as_str().into()), ..LogQuery::default() };
        return Ok((finished(LogSubject::new(title.into(), query, None)), None));
    }
    let name = wanted.subject.as_deref().unwrap_or_default();
    let state = session.ask(&needs::LOGS.kinds())?;
    let world = &state.shared.world;
    let of_service = || {
        let labels = Labels::from_iter([("service", name)]);
        subjects::logs::of_labels(&state.shared, &name.into(), &labels)
    };
    if world.service(name).is_some() {
        return Ok((finished(of_service()), None));
    }
    // of several alerts of a name the first that fired
    let alerts = world.alerts().iter().filter(|alert| alert.name() == name && alert.is_active());
    if let Some(alert) = alerts.min_by_key(|alert| alert.starts_at) {
        let subject = subjects::logs::of_labels(&state.shared, &name.into(), &alert.labels);
        return Ok((finished(subject), None));
    }
    let missing = session.view(&state).gaps(&needs::LOGS.kinds());
    let missing = if missing.is_empty() { String::new() } else { format!(" ({})", missing.join("; ")) };
    let unknown = format!(
        "no source lists a service or an active alert {name:?}: its logs are looked for as those of a service{missing}"
    );
    Ok((finished(of_service()), Some(unknown)))
}

/// The time range: from some minutes before the first alert; without one, the last hour.
fn range(subject: &LogSubject, now: Timestamp) -> Duration {
    let needed = subject.since.map_or(USUAL, |since| age(since, now) + BEFORE);
    lengths().into_iter().find(|length| *length >= needed).unwrap_or(needed)
}

/// Prints new lines as they come, until it is interrupted or nobody reads any more.
fn follow(session: &Session, state: &mut State, wanted: &LogsArgs) -> VerbResult {
    let mut printed: BTreeSet<LogLineKey> = output::lines(state).iter().map(|line| line.key()).collect();
    state.screens.logs.set_following(true);
    let has_failed = Cell::new(None);
    let mut failures: Vec<String> = Vec::new();
    let update = |state: &mut State, event: Event, now: Timestamp| {
        let is_answer = matches!(event, Event::Answered(_));
        let mut effects = app::update(state, event, now);
        keep(&mut effects, &[AskKind::LogLines]);
        if is_answer {
            // a failure is said once, and following goes on
            let gaps = readiness::screen_gaps(state, &[AskKind::LogLines], now);
            for gap in gaps.iter().filter(|gap| !failures.contains(gap)) {
                print_error(gap);
            }
            failures = gaps;
            let all = output::lines(state);
            let new: Vec<_> = all.iter().filter(|line| !printed.contains(&line.key())).collect();
            let text: Vec<u8> =
                new.iter().flat_map(|line| output::followed(state, line, wanted, now)).collect();
            if !text.is_empty() && print_bytes(&text, ExitOutcome::Fine) != ExitOutcome::Fine {
                has_failed.set(Some(ExitOutcome::Failure));
            }
            printed.extend(new.iter().map(|line| line.key()));
            let forgotten = now.checked_sub(REMEMBERED).unwrap_or(now);
            printed.retain(|(at, _)| *at > forgotten);
        }
        effects
    };
    session.gather(state, update, |_| has_failed.get().is_some() || printer::is_reader_gone(), FOREVER)?;
    Ok(has_failed.get().unwrap_or(ExitOutcome::Fine))
}
