//! The verbs that change something outside: shown first, confirmed, and done through the same door as behind the screen.

mod plans;

use std::io::{self, IsTerminal, stdin};

use jiff::tz::TimeZone;

use crate::app::event::{Event, Plan};
use crate::app::planner::Planner;
use crate::model::action::{Action, ActionResult, Progress, RequestPreview};
use crate::model::labels::Text;
use crate::model::text::clean;
use crate::runtime::wait_for;

use super::args::ActVerb;
use super::printer::{Outcome, complain, complain_plainly, print};
use super::session::Session;
use super::{Cx, failed};
use plans::{Desk, Planned, Stop};

/// More objects than that are not all listed before the question, nor more calls.
const SHOWN: usize = 20;

const NOTHING_SENT: &str = "Nothing was sent (--dry-run).\n";

pub(super) fn run(cx: &Cx<'_>, verb: &ActVerb) -> Outcome {
    let can_ask = stdin().is_terminal() && io::stderr().is_terminal();
    let consent = verb.consent();
    let told = cx.session(true).and_then(|session| {
        if !consent.yes && !session.reach.guard.dry_run && !can_ask {
            complain("nobody can be asked here: --yes does it, --dry-run shows the calls");
            return Ok(Outcome::Misused);
        }
        let state = session.ask(plans::needs(verb))?;
        let planner = Planner {
            world: &state.shared.world,
            sources: &state.shared.sources,
            guard: &session.reach.guard,
        };
        let desk = Desk {
            planner,
            view: session.view(&state),
            who: session.journal.who(),
            service_labels: &state.shared.judgement.service_labels,
            source: consent.source.as_deref(),
        };
        Ok(match desk.plan(verb) {
            Ok(planned) => go(&session, &desk, planned, verb, can_ask)?,
            Err(stop) => stopped(&stop),
        })
    });
    told.unwrap_or_else(|error| failed(&error))
}

fn stopped(stop: &Stop) -> Outcome {
    complain(&stop.words);
    stop.outcome
}

/// Shows what is planned, asks, and does it.
fn go(
    session: &Session,
    desk: &Desk<'_>,
    planned: Planned,
    verb: &ActVerb,
    can_ask: bool,
) -> Result<Outcome, super::session::SessionError> {
    let already = planned.already.iter().map(|how| format!("{:<14} {how}", "was so already"));
    print(&lines(&already.collect::<Vec<_>>()), Outcome::Fine);
    if planned.actions.is_empty() {
        return Ok(left(&planned.left_out));
    }
    let plan = Plan { id: 1, context: session.reach.context.as_str().into(), actions: planned.actions };
    let calls = desk.planner.requests(&plan.actions, desk.view.now);
    let zone = if session.settings.ui.utc { TimeZone::UTC } else { TimeZone::system() };
    let mut text = heading(&plan);
    text.extend(objects(&plan, &calls));
    text.extend(planned.preview);
    text.extend(desk.consequences(&plan.actions, &zone));
    text.extend(planned.left_out.iter().map(|why| format!("! left out: {why}")));
    print(&lines(&text), Outcome::Fine);
    let dry_run = session.reach.guard.dry_run;
    // a dry run ends as the real one would, but asks nobody
    let can_ask = can_ask && !dry_run && !verb.consent().yes;
    if planned.wants_name && !is_named(verb, &session.reach.context, can_ask) {
        let name = &session.reach.context;
        complain(&format!("so much is hidden only where the context is named: --confirm-name {name}"));
        if dry_run {
            print(NOTHING_SENT, Outcome::Fine);
        }
        return Ok(Outcome::Misused);
    }
    if dry_run {
        return Ok(print(NOTHING_SENT, Outcome::Fine));
    }
    if !verb.consent().yes && !planned.wants_name && !is_yes(&asked("Do it? [y/N] ")) {
        complain("not confirmed; nothing was sent");
        return Ok(Outcome::Misused);
    }
    let actions = plan.actions.clone();
    let endings = wait_for(session.ground().perform(plan, |event| match event {
        Event::Acted { index, progress, .. } => {
            if let Some(action) = actions.get(*index) {
                tell(action, progress);
            }
        }
        Event::Told(message) => complain(&message.text),
        _ => {}
    }))?;
    Ok(if endings.iter().all(ActionResult::is_done) { left(&planned.left_out) } else { Outcome::Unwell })
}

/// How it ends when all else was done.
fn left(left_out: &[Text]) -> Outcome {
    if left_out.is_empty() { Outcome::Fine } else { Outcome::Unwell }
}

fn heading(plan: &Plan) -> Vec<String> {
    let verb = plan.actions.first().map_or("", |action| action.operation.kind().verb());
    let count = plan.actions.len();
    let many = if count == 1 { String::new() } else { format!(" ({count})") };
    vec![format!("{verb}{many}, in {}:", plan.context)]
}

fn objects(plan: &Plan, calls: &[Vec<RequestPreview>]) -> Vec<String> {
    let mut text = Vec::new();
    for (action, calls) in plan.actions.iter().zip(calls).take(SHOWN) {
        text.push(format!("  {}, at {}", action.target.name, action.source));
        text.extend(calls.iter().map(|call| format!("    {call}")));
    }
    let more = plan.actions.len().saturating_sub(SHOWN);
    if more > 0 {
        text.push(format!("  and {more} more"));
    }
    text
}

fn lines(text: &[String]) -> String {
    // a name or a note may have line breaks; nothing that a terminal obeys comes through
    text.iter().flat_map(|line| [clean(line), "\n".into()]).collect()
}

/// Whether the context was named, as it must be where much of everything would be hidden.
fn is_named(verb: &ActVerb, context: &str, can_ask: bool) -> bool {
    match verb.confirm_name() {
        Some(name) => name == context,
        None if can_ask => {
            asked(&format!("Type the context's name to do it ({context}): ")).trim() == context
        }
        None => false,
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// What the person types; nothing if they are gone.
fn asked(question: &str) -> String {
    complain_plainly(question);
    let mut answer = String::new();
    match stdin().read_line(&mut answer) {
        Ok(_) => answer,
        Err(_) => String::new(),
    }
}

/// A line for each ending; what delays it goes to standard error.
fn tell(action: &Action, progress: &Progress) {
    let name = &action.target.name;
    match progress {
        Progress::Sending => {}
        Progress::Waiting { until } => {
            let until = until.strftime("%H:%M:%S UTC");
            complain_plainly(&lines(&[format!("{name}: {} asks to wait until {until}", action.source)]));
        }
        Progress::ReadingBack => {
            complain_plainly(&lines(&[format!("{name}: sent, no sure answer; reading back")]));
        }
        Progress::Ended(how) => {
            let made = match how {
                ActionResult::Done { id: Some(id) } => format!(" ({id})"),
                _ => String::new(),
            };
            let words = how.words().map(|words| format!(": {words}")).unwrap_or_default();
            print(&lines(&[format!("{:<14} {name}{made}{words}", how.word())]), Outcome::Fine);
        }
    }
}
