//! The verbs that change external systems: they show the plan, ask for confirmation, and run it through the action executor.

mod plans;

use std::io::{self, IsTerminal, stdin};

use jiff::tz::TimeZone;

use crate::app::event::{Event, Plan};
use crate::app::planner::Planner;
use crate::model::action::{Action, ActionProgress, ActionResult, RequestPreview};
use crate::model::labels::Text;
use crate::model::text::clean;
use crate::runtime::{headless, wait_for};

use super::args::ActVerb;
use super::printer::{ExitOutcome, print, print_error, print_stderr_plain};
use super::session::Session;
use super::{CliContext, VerbResult};
use plans::{PlanInputs, PlannedActions};

/// The maximum number of targets, and of actions whose requests are listed, in the output.
const SHOWN: usize = 20;

const NOTHING_SENT: &str = "Nothing was sent (--dry-run).\n";

pub(super) fn run(cx: &CliContext<'_>, verb: &ActVerb) -> VerbResult {
    let can_ask = stdin().is_terminal() && io::stderr().is_terminal();
    let consent = verb.consent();
    let session = cx.session(true)?;
    if !consent.yes && !session.active.guard.dry_run && !can_ask {
        print_error("there is no terminal to confirm on: --yes confirms, --dry-run shows the requests");
        return Ok(ExitOutcome::UsageError);
    }
    let state = session.ask(plans::needs(verb))?;
    let guard = &session.active.guard;
    let inputs = PlanInputs {
        planner: Planner { world: &state.shared.world, sources: &state.shared.sources, guard },
        view: session.view(&state),
        who: session.journal.who(),
        service_labels: &state.shared.world.health_policy.service_labels,
        source: consent.source.as_deref(),
    };
    match inputs.plan(verb) {
        Ok(planned) => go(&session, &inputs, planned, verb, can_ask),
        Err(refusal) => {
            print_error(&refusal.words);
            Ok(refusal.outcome)
        }
    }
}

/// Shows the plan, asks for confirmation, and runs it.
fn go(
    session: &Session,
    inputs: &PlanInputs<'_>,
    planned: PlannedActions,
    verb: &ActVerb,
    can_ask: bool,
) -> VerbResult {
    let already = planned.already.iter().map(|how| format!("{:<14} {how}", "was so already"));
    print(&lines(&already.collect::<Vec<_>>()), ExitOutcome::Fine);
    if planned.actions.is_empty() {
        return Ok(left(&planned.left_out));
    }
    let plan = Plan { id: 1, context: session.active.context.as_str().into(), actions: planned.actions };
    let calls = inputs.planner.requests(&plan.actions, inputs.view.now);
    let zone = if session.settings.ui.utc { TimeZone::UTC } else { TimeZone::system() };
    let mut text = heading(&plan);
    text.extend(objects(&plan, &calls));
    text.extend(planned.preview);
    text.extend(inputs.consequences(&plan.actions, &zone));
    text.extend(planned.left_out.iter().map(|why| format!("! left out: {why}")));
    print(&lines(&text), ExitOutcome::Fine);
    let dry_run = session.active.guard.dry_run;
    // a dry run has the exit code of the real run, but asks for nothing
    let can_ask = can_ask && !dry_run && !verb.consent().yes;
    if planned.requires_context_name && !is_named(verb, &session.active.context, can_ask) {
        let name = &session.active.context;
        print_error(&format!(
            "to hide this many alerts, confirm with the context's name: --confirm-name {name}"
        ));
        if dry_run {
            print(NOTHING_SENT, ExitOutcome::Fine);
        }
        return Ok(ExitOutcome::UsageError);
    }
    if dry_run {
        return Ok(print(NOTHING_SENT, ExitOutcome::Fine));
    }
    if !verb.consent().yes && !planned.requires_context_name && !is_yes(&asked("Send? [y/N] ")) {
        print_error("not confirmed; nothing was sent");
        return Ok(ExitOutcome::UsageError);
    }
    let actions = plan.actions.clone();
    let endings = wait_for(headless::perform(&session.active.sources, session.executor(), plan, |event| {
        if let Event::ActionProgressed { index, progress, .. } = event
            && let Some(action) = actions.get(*index)
        {
            tell(action, progress);
        } else if let Event::MessageReceived(message) = event {
            print_error(&message.text);
        }
    }))?;
    Ok(if endings.iter().all(ActionResult::is_done) { left(&planned.left_out) } else { ExitOutcome::Failure })
}

/// The exit code if nothing else failed.
fn left(left_out: &[Text]) -> ExitOutcome {
    if left_out.is_empty() { ExitOutcome::Fine } else { ExitOutcome::Failure }
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
    // names and notes may have line breaks; control characters are removed
    text.iter().flat_map(|line| [clean(line), "\n".into()]).collect()
}

/// Whether the context's name was typed or passed, which is required if a large share of the alerts would be silenced.
fn is_named(verb: &ActVerb, context: &str, can_ask: bool) -> bool {
    match verb.confirm_name() {
        Some(name) => name == context,
        None if can_ask => {
            asked(&format!("Type the context's name to confirm ({context}): ")).trim() == context
        }
        None => false,
    }
}

fn is_yes(answer: &str) -> bool {
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

/// The line that the user types; empty if standard input is closed.
fn asked(question: &str) -> String {
    print_stderr_plain(question);
    let mut answer = String::new();
    stdin().read_line(&mut answer).map_or_else(|_| String::new(), |_| answer)
}

/// Prints the result of an action; progress goes to standard error.
fn tell(action: &Action, progress: &ActionProgress) {
    let name = &action.target.name;
    let line = match progress {
        ActionProgress::Sending => return,
        ActionProgress::Waiting { until } => {
            format!("{name}: {} asks to wait until {}", action.source, until.strftime("%H:%M:%S UTC"))
        }
        ActionProgress::ReadingBack => format!("{name}: sent, no clear answer; reading it back"),
        ActionProgress::Ended(how) => {
            let made = if let ActionResult::Done { id: Some(id) } = how {
                format!(" ({id})")
            } else {
                String::new()
            };
            let words = how.words().map(|words| format!(": {words}")).unwrap_or_default();
            print(&lines(&[format!("{:<14} {name}{made}{words}", how.word())]), ExitOutcome::Fine);
            return;
        }
    };
    print_stderr_plain(&lines(&[line]));
}
