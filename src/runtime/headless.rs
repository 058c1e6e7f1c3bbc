//! Questions and actions without a terminal, for the verbs that print: lists, `check`, `snapshot`, `doctor` and actions.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event, Plan};
use crate::backend::Clock;
use crate::model::action::{ActionProgress, ActionResult};
use crate::model::journal::ActionRecord;

use super::context::GatedSources;
use super::effects::EffectRunner;
use super::executor::{Executor, ReadBackResult};
use super::journal::JournalError;
use super::recovery::{self, OpenActions};

/// Runs a plan through the same executor as the screen. `report` receives each step; the results have the plan's order.
pub async fn perform(
    sources: &GatedSources,
    executor: Executor,
    plan: Plan,
    mut report: impl FnMut(&Event),
) -> Vec<ActionResult> {
    let (mut effect_runner, mut reports) = EffectRunner::new(sources, None, executor);
    let mut endings: Vec<Option<ActionResult>> = vec![None; plan.actions.len()];
    effect_runner.act(plan);
    while endings.iter().any(Option::is_none) {
        let Some(task_report) = reports.recv().await else { break };
        let Some(event) = effect_runner.take(task_report) else { continue };
        report(&event);
        if let Event::ActionProgressed { index, progress: ActionProgress::Ended(how), .. } = event
            && let Some(ending) = endings.get_mut(index)
        {
            // a second result (after a panic in the plan) does not replace the first
            ending.get_or_insert(how);
        }
    }
    let lost = || ActionResult::Unknown { words: "burnwatch stopped before the result was known".into() };
    endings.into_iter().map(|ending| ending.unwrap_or_else(lost)).collect()
}

/// Reads back the actions of earlier runs in this context whose result is unknown.
///
/// # Errors
/// [`JournalError`] if the journal cannot be read.
pub async fn recover(
    sources: &GatedSources,
    executor: &Executor,
    which: OpenActions,
) -> Result<Vec<(ActionRecord, ReadBackResult)>, JournalError> {
    recovery::recover(executor, &sources.gates(executor.clock), which).await
}

/// Runs `state` without a terminal until `wanted` holds (returns true) or the deadline has passed (returns false).
///
/// `update` receives ticks and answers exactly as on a terminal. Questions in flight at the end are cancelled.
pub async fn gather<S>(
    state: &mut S,
    mut update: impl FnMut(&mut S, Event, Timestamp) -> Vec<Effect>,
    sources: &GatedSources,
    (clock, deadline): (Clock, Duration),
    wanted: impl Fn(&S) -> bool,
) -> bool {
    let (mut effect_runner, mut reports) = EffectRunner::new(sources, None, Executor::closed(clock));
    let end = Instant::now() + deadline;
    let mut tick = Instant::now();
    loop {
        if wanted(state) {
            return true;
        }
        let event = tokio::select! {
            biased;
            () = sleep_until(end) => return false,
            Some(report) = reports.recv() => match effect_runner.take(report) {
                Some(event) => event,
                None => continue,
            },
            () = sleep_until(tick) => {
                tick = Instant::now() + clock.until_tick();
                Event::Tick
            }
        };
        for effect in update(state, event, clock.now()) {
            match effect {
                Effect::Fetch(question) => effect_runner.fetch(question),
                Effect::CancelFetch(question) => effect_runner.forget(&question),
                Effect::Enter(context) => effect_runner.enter(context),
                Effect::Quit => return wanted(state),
                // a verb that prints only asks questions, and there is no terminal
                Effect::Act(_)
                | Effect::ReadJournal
                | Effect::ReadQueries
                | Effect::ChangeQueries(_)
                | Effect::Copy(_)
                | Effect::Pipe(_)
                | Effect::Notify(_)
                | Effect::Title(_)
                | Effect::Wake { .. }
                | Effect::Redraw
                | Effect::Suspend => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::App;
    use crate::runtime::fixtures::{Answers, FakeApp, sources};

    #[tokio::test(start_paused = true)]
    async fn it_asks_until_what_is_wanted_is_there() {
        let mut toy = FakeApp::asking("good");
        let sources = sources(&[("good", Answers::After(Duration::from_secs(2)))]);
        let until = (Clock::real(), Duration::from_secs(5));
        assert!(gather(&mut toy, App::update, &sources, until, |toy| toy.good > 0).await);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_at_the_deadline_and_ticks_until_then() {
        let mut toy = FakeApp::asking("dead");
        let sources = sources(&[("dead", Answers::Never)]);
        let until = (Clock::fixed(Timestamp::UNIX_EPOCH), Duration::from_millis(4500));
        assert!(!gather(&mut toy, App::update, &sources, until, |toy| toy.good > 0).await);
        assert_eq!(toy.ticks, 5);
    }
}
