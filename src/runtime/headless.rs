//! The same house without a terminal: for lists, `check`, `snapshot` and `doctor`.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::app::event::{Effect, Event};

use super::App;
use super::clock::Clock;
use super::effects::{Performer, Sources};

/// Lets `state` ask its sources until `wanted` holds: true, or until the deadline has passed: false.
///
/// `state` ticks and is answered exactly as behind the screen. Questions that are still out at the end are given up.
pub async fn gather<A: App>(
    state: &mut A,
    sources: &Sources,
    clock: Clock,
    wanted: impl Fn(&A) -> bool,
    deadline: Duration,
) -> bool {
    let (mut performer, mut reports) = Performer::new(sources, None, clock);
    let end = Instant::now() + deadline;
    let mut tick = Instant::now();
    loop {
        if wanted(state) {
            return true;
        }
        let event = tokio::select! {
            biased;
            () = sleep_until(end) => return false,
            Some(report) = reports.recv() => match performer.take(report) {
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
                Effect::Fetch(question) => performer.fetch(question),
                Effect::Forget(question) => performer.forget(&question),
                Effect::Enter(context) => performer.enter(context),
                Effect::Quit => return wanted(state),
                // a list asks and does nothing else, and there is no terminal
                Effect::Rehearse(_)
                | Effect::Act(_)
                | Effect::Copy(_)
                | Effect::Notify(_)
                | Effect::Title(_)
                | Effect::Mouse(_)
                | Effect::Redraw
                | Effect::Suspend => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::fixtures::{Answers, Toy, sources};

    #[tokio::test(start_paused = true)]
    async fn it_asks_until_what_is_wanted_is_there() {
        let mut toy = Toy::asking("good");
        let sources = sources(&[("good", Answers::After(Duration::from_secs(2)))]);
        let deadline = Duration::from_secs(5);
        assert!(gather(&mut toy, &sources, Clock::real(), |toy| toy.good > 0, deadline).await);
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_at_the_deadline_and_ticks_until_then() {
        let mut toy = Toy::asking("dead");
        let sources = sources(&[("dead", Answers::Never)]);
        let clock = Clock::fixed(jiff::Timestamp::UNIX_EPOCH);
        let deadline = Duration::from_millis(4500);
        assert!(!gather(&mut toy, &sources, clock, |toy| toy.good > 0, deadline).await);
        assert_eq!(toy.ticks, 5);
    }
}
