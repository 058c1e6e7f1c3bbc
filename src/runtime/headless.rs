//! Questions and actions without a terminal, for the verbs that print: lists, `check`, `snapshot`, `doctor` and actions.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event, Plan};
use crate::backend::Clock;
use crate::model::action::{ActionProgress, ActionResult};
use crate::model::guard::Guard;
use crate::model::journal::ActionRecord;

use super::App;
use super::context::GatedSources;
use super::effects::EffectRunner;
use super::executor::{Executor, ReadBackResult};
use super::journal::{Journal, JournalError};
use super::recovery::OpenActions;

/// The context of actions that are run without a screen.
#[derive(Clone, Copy)]
pub struct HeadlessContext<'a> {
    pub context: &'a str,
    pub sources: &'a GatedSources,
    /// Its guardrails for actions.
    pub guard: &'a Guard,
    /// The journal of actions.
    pub journal: &'a Journal,
    pub clock: Clock,
}

impl HeadlessContext<'_> {
    fn executor(&self) -> Executor {
        let (context, guard) = (self.context.into(), self.guard.clone());
        Executor { context, guard, journal: Some(self.journal.clone()), clock: self.clock }
    }

    /// Does what a plan says through the same executor as the screen; tells each step, and gives the endings in the plan's order.
    pub async fn perform(&self, plan: Plan, mut tell: impl FnMut(&Event)) -> Vec<ActionResult> {
        let (mut effect_runner, mut reports) = EffectRunner::new(self.sources, None, self.executor());
        let mut endings: Vec<Option<ActionResult>> = vec![None; plan.actions.len()];
        effect_runner.act(plan);
        while endings.iter().any(Option::is_none) {
            let Some(report) = reports.recv().await else { break };
            let Some(event) = effect_runner.take(report) else { continue };
            tell(&event);
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
        &self,
        which: OpenActions,
    ) -> Result<Vec<(ActionRecord, ReadBackResult)>, JournalError> {
        let (effect_runner, _) = EffectRunner::new(self.sources, None, self.executor());
        effect_runner.read_back_open_actions(which).await
    }
}

/// Runs `state` without a terminal until `wanted` holds (returns true) or the deadline has passed (returns false).
///
/// `state` receives ticks and answers exactly as on a terminal. Questions in flight at the end are cancelled.
pub async fn gather<A: App>(
    state: &mut A,
    sources: &GatedSources,
    clock: Clock,
    wanted: impl Fn(&A) -> bool,
    deadline: Duration,
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
        for effect in state.update(event, clock.now()) {
            match effect {
                Effect::Fetch(question) => effect_runner.fetch(question),
                Effect::CancelFetch(question) => effect_runner.forget(&question),
                Effect::Enter(context) => effect_runner.enter(context),
                Effect::Quit => return wanted(state),
                // a verb that prints only asks questions, and there is no terminal
                Effect::Act(_)
                | Effect::ReadJournal
                | Effect::Copy(_)
                | Effect::Notify(_)
                | Effect::Title(_)
                | Effect::Redraw
                | Effect::Suspend => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fixtures::{Answers, FakeApp, sources};

    #[tokio::test(start_paused = true)]
    async fn it_asks_until_what_is_wanted_is_there() {
        let mut toy = FakeApp::asking("good");
        let sources = sources(&[("good", Answers::After(Duration::from_secs(2)))]);
        let deadline = Duration::from_secs(5);
        assert!(gather(&mut toy, &sources, Clock::real(), |toy| toy.good > 0, deadline).await);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_at_the_deadline_and_ticks_until_then() {
        let mut toy = FakeApp::asking("dead");
        let sources = sources(&[("dead", Answers::Never)]);
        let clock = Clock::fixed(jiff::Timestamp::UNIX_EPOCH);
        let deadline = Duration::from_millis(4500);
        assert!(!gather(&mut toy, &sources, clock, |toy| toy.good > 0, deadline).await);
        assert_eq!(toy.ticks, 5);
    }
}
