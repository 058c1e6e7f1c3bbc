//! The one dialogue before anything outside is changed: what, where, on how many things, by which calls, and what follows.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::acts::{Ground, Planned, causes};
use super::event::{Effect, Link, Message, Plan, Tone};
use super::form::Form;
use super::key::{Code, Key, Named};
use super::line::Line;
use super::state::{Mode, State};
use crate::model::action::{Action, Call, Deed, DeedKind};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::silence::SilenceState;
use crate::model::world::World;

mod view;

pub(super) use view::{last_scroll, render};

/// A plan that waits for the person's word.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// What would be done; bound to what stood there when the key was pressed.
    pub plan: Plan,
    /// What was wanted, too, and is left alone, with the reasons.
    pub left_out: Vec<Text>,
    /// The calls of each action, once they are worked out.
    pub calls: Option<Vec<Vec<Call>>>,
    /// The alerts that were marked for it.
    pub covers: BTreeSet<Fingerprint>,
    /// The context's name as far as it is typed, where it has to be.
    pub name: Option<Line>,
    /// How many of all alerts a silence would hide.
    pub share: Option<(usize, usize)>,
    /// How many alerts each of the silences would hide.
    pub hides: Vec<usize>,
    /// Whether it was on the terminal long enough, with no key pressed meanwhile, for a key to be an answer to it.
    pub is_armed: bool,
    /// How many keys came too early, or were no answer: each of them begins a new wait.
    pub strays: u32,
    /// Why the last key did nothing.
    pub hint: Option<&'static str>,
    /// The form that it comes from: who goes on typing is back there, and what was written is not lost.
    pub form: Option<Box<Form>>,
    /// By how many lines it is scrolled.
    pub scroll: u16,
}

/// One wait for the person to have seen a dialog: another dialog, or a stray key, makes it another wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    plan: u64,
    strays: u32,
}

impl Wait {
    /// For the dialog of this plan, after so many stray keys.
    pub(crate) fn new(plan: u64, strays: u32) -> Self {
        Self { plan, strays }
    }
}

/// What became of a key.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Open,
    Stray(&'static str),
    Typed,
    Left,
    Do,
}

const TOO_SOON: &str = "too soon: read it, then press the key again";
const BY_LETTER: &str = "press y to confirm";
const NOT_NAMED: &str = "that is not the context's name";

/// A silence that hides more alerts than this is not confirmed by a bare Enter.
const MANY: usize = 10;

impl Confirm {
    /// The wait that its answer depends on, while it is not over.
    pub(super) fn waits(&self) -> Option<Wait> {
        (!self.is_armed).then_some(self.wait())
    }

    fn wait(&self) -> Wait {
        Wait::new(self.plan.id, self.strays)
    }

    /// Whether only `y` confirms it, not Enter: what cannot be taken back, wakes people, or hides much.
    fn wants_letter(&self) -> bool {
        match self.plan.actions.first().map(|action| action.deed.kind()) {
            Some(DeedKind::Resolve | DeedKind::Escalate | DeedKind::Trigger | DeedKind::Merge) => true,
            Some(DeedKind::Silence | DeedKind::Edit) => self.share.is_some_and(|(hidden, _)| hidden > MANY),
            Some(
                DeedKind::Acknowledge
                | DeedKind::Assign
                | DeedKind::Reroute
                | DeedKind::Snooze
                | DeedKind::Note
                | DeedKind::Priority
                | DeedKind::AddResponder
                | DeedKind::StatusUpdate
                | DeedKind::TakeShift
                | DeedKind::Extend
                | DeedKind::Expire,
            )
            | None => false,
        }
    }

    fn take(&mut self, key: Key, context: &str) -> Outcome {
        let step = |scroll: u16, by: i16| scroll.saturating_add_signed(by);
        let answer = if self.is_armed { Outcome::Do } else { Outcome::Stray(TOO_SOON) };
        match key.code {
            Code::Named(Named::Esc) => return Outcome::Left,
            Code::Named(Named::Up) => self.scroll = step(self.scroll, -1),
            Code::Named(Named::Down) => self.scroll = step(self.scroll, 1),
            Code::Named(Named::PageUp) => self.scroll = step(self.scroll, -8),
            Code::Named(Named::PageDown) => self.scroll = step(self.scroll, 8),
            Code::Named(Named::Enter) => {
                return match &self.name {
                    Some(line) if line.text() == context => answer,
                    Some(_) => Outcome::Stray(NOT_NAMED),
                    None if self.wants_letter() => Outcome::Stray(BY_LETTER),
                    None => answer,
                };
            }
            Code::Named(_) | Code::Char(_) => match (&mut self.name, key.code) {
                (Some(line), _) => {
                    line.take(key);
                }
                (None, Code::Named(Named::Space)) => return Outcome::Typed,
                (None, Code::Named(_)) => {}
                (None, Code::Char(_)) if key.ctrl || key.alt => {}
                (None, Code::Char('y')) => return answer,
                (None, Code::Char('k')) => self.scroll = step(self.scroll, -1),
                (None, Code::Char('n' | 'q')) => return Outcome::Left,
                (None, Code::Char('j')) => self.scroll = step(self.scroll, 1),
                // whoever types words here thinks that they are elsewhere
                (None, Code::Char(_)) => return Outcome::Typed,
            },
        }
        Outcome::Open
    }

    /// What kind of deed it is about.
    fn kind(&self) -> Option<DeedKind> {
        self.plan.actions.first().map(|action| action.deed.kind())
    }
}

/// Opens the dialogue for what was worked out, or says why there is nothing to confirm.
pub(super) fn open(
    state: &mut State,
    planned: Result<Planned, Text>,
    covers: BTreeSet<Fingerprint>,
    now: Timestamp,
) -> Vec<Effect> {
    state.mode = Mode::Browse;
    match planned {
        Ok(Planned { actions, left_out }) => {
            let plan = Plan { id: state.doings.number(), context: state.context.clone(), actions };
            let mut confirm = Confirm {
                plan: plan.clone(),
                left_out,
                calls: None,
                covers,
                name: None,
                share: None,
                hides: Vec::new(),
                is_armed: false,
                strays: 0,
                hint: None,
                form: None,
                scroll: 0,
            };
            weigh(state, &mut confirm);
            state.mode = Mode::Confirm(Box::new(confirm));
            vec![Effect::Rehearse(plan)]
        }
        Err(why) => {
            state
                .messages
                .tell(Message { tone: Tone::Trouble, text: format!("Nothing was done: {why}") }, now);
            Vec::new()
        }
    }
}

/// The dialog of this wait was on the terminal long enough: the next key is an answer to it.
pub(super) fn arm(state: &mut State, wait: Wait) {
    if let Mode::Confirm(confirm) = &mut state.mode
        && confirm.wait() == wait
    {
        confirm.is_armed = true;
        state.version += 1;
    }
}

/// Notes the form that the open dialog comes from.
pub(super) fn comes_from(state: &mut State, form: Box<Form>) {
    if let Mode::Confirm(confirm) = &mut state.mode {
        confirm.form = Some(form);
    }
}

/// Takes a key in the open dialogue.
pub(super) fn press(state: &mut State, mut confirm: Box<Confirm>, key: Key, now: Timestamp) -> Vec<Effect> {
    match confirm.take(key, &state.context) {
        Outcome::Open => {
            confirm.hint = None;
            confirm.scroll = confirm.scroll.min(last_scroll(state, &confirm, now));
            state.mode = Mode::Confirm(confirm);
            Vec::new()
        }
        Outcome::Stray(why) => {
            confirm.hint = Some(why);
            (confirm.is_armed, confirm.strays) = (false, confirm.strays.saturating_add(1));
            state.mode = Mode::Confirm(confirm);
            Vec::new()
        }
        Outcome::Typed => {
            state.messages.note("That key is no answer: nothing was sent", now);
            if let Some(form) = confirm.form {
                state.mode = Mode::Form(form);
            }
            Vec::new()
        }
        Outcome::Left => {
            state.messages.note("Left alone: nothing was sent", now);
            Vec::new()
        }
        // whoever cannot see the dialogue cannot mean it
        Outcome::Do if state.look.link == Link::Stalled => {
            let text = "Nothing was done: the terminal did not show this when it was confirmed".to_owned();
            state.messages.tell(Message { tone: Tone::Trouble, text }, now);
            state.mode = Mode::Confirm(confirm);
            Vec::new()
        }
        Outcome::Do => begin(state, *confirm, now),
    }
}

/// The person has confirmed it.
fn begin(state: &mut State, confirm: Confirm, now: Timestamp) -> Vec<Effect> {
    let Confirm { plan, covers, .. } = confirm;
    if let Some(why) = state.guard.refusal(&plan.actions) {
        state.messages.tell(Message { tone: Tone::Trouble, text: format!("Nothing was done: {why}") }, now);
        return Vec::new();
    }
    // what is not sent must not look as if it were
    if !state.guard.dry_run {
        for (index, action) in plan.actions.iter().enumerate() {
            state.world.suppose((plan.id, index), action.clone(), now);
        }
    }
    state.doings.begin(plan.clone(), covers, now);
    vec![Effect::Act(plan)]
}

/// Takes the calls that a plan would make.
pub(super) fn rehearsed(state: &mut State, plan: u64, calls: Vec<Vec<Call>>) {
    if let Mode::Confirm(confirm) = &mut state.mode
        && confirm.plan.id == plan
    {
        confirm.calls = Some(calls);
    }
}

/// Looks whether everything still stands as the person saw it. What does not is left out; if nothing is left, the dialogue
/// closes.
pub(super) fn watch(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut confirm = match std::mem::take(&mut state.mode) {
        Mode::Confirm(confirm) => confirm,
        mode => {
            state.mode = mode;
            return Vec::new();
        }
    };
    let (kept, gone): (Vec<Action>, Vec<(Action, Text)>) = {
        let mut kept = Vec::new();
        let mut gone = Vec::new();
        for action in std::mem::take(&mut confirm.plan.actions) {
            match moved(&state.world, &action) {
                Some(why) => gone.push((action, why)),
                None => kept.push(action),
            }
        }
        (kept, gone)
    };
    let words: Vec<Text> = gone.into_iter().map(|(_, why)| why).collect();
    confirm.plan.actions = kept;
    if words.is_empty() {
        weigh(state, &mut confirm);
        state.mode = Mode::Confirm(confirm);
        return Vec::new();
    }
    if confirm.plan.actions.is_empty() {
        let why = words.join("; ");
        state.messages.tell(Message { tone: Tone::Trouble, text: format!("Nothing was done: {why}") }, now);
        return Vec::new();
    }
    confirm.left_out.extend(words);
    // what is asked is another thing now: an answer to what stood there before does not count
    (confirm.plan.id, confirm.calls, confirm.is_armed) = (state.doings.number(), None, false);
    let plan = confirm.plan.clone();
    state.mode = Mode::Confirm(confirm);
    vec![Effect::Rehearse(plan)]
}

/// How an action's target stands, if otherwise than the person saw it.
fn moved(world: &World, action: &Action) -> Option<Text> {
    let target = &action.target;
    if let Some(seen) = target.seen {
        return match world.incident(&action.source, &target.id) {
            None => {
                Some(format!("{} is gone: {} does not name it any more", target.name, action.source).into())
            }
            Some(known) if known.incident.status != seen => {
                let who: Vec<&str> = known.holders().iter().map(|person| &*person.name).collect();
                let by = if who.is_empty() { String::new() } else { format!(" ({})", who.join(", ")) };
                Some(format!("{} is {} by now{by}", target.name, known.incident.status.word()).into())
            }
            Some(_) => None,
        };
    }
    if matches!(action.deed, Deed::Edit { .. } | Deed::Extend { .. } | Deed::Expire) {
        let silence =
            world.silences().find(|silence| silence.source == action.source && silence.id == target.id);
        let is_over = silence.is_none_or(|silence| silence.state == SilenceState::Expired);
        return is_over.then(|| format!("{} has ended by now", target.name).into());
    }
    None
}

/// How much of everything a silence would hide, and whether that needs the context's name.
fn weigh(state: &State, confirm: &mut Confirm) {
    if confirm.plan.actions.iter().all(|action| action.deed.draft().is_none()) {
        return;
    }
    let found = causes::silences::hidden(&state.world, &confirm.plan.actions);
    confirm.share = Some((found.hidden.len(), found.all));
    confirm.hides = found.each;
    // what cannot be judged may be much
    if found.unjudged.is_some() || state.guard.wants_name(found.hidden.len(), found.all) {
        confirm.name.get_or_insert_with(Line::default);
    } else {
        confirm.name = None;
    }
}

/// `3 incidents`, `1 silence`: what a plan is about.
pub(super) fn counted(confirm: &Confirm) -> String {
    let count = confirm.plan.actions.len();
    let plural = |one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    match confirm.kind() {
        Some(DeedKind::Silence) => {
            let (hidden, _) = confirm.share.unwrap_or_default();
            let alerts = if hidden == 1 { "1 alert".to_owned() } else { format!("{hidden} alerts") };
            if count == 1 { alerts } else { format!("{alerts} by {count} silences") }
        }
        Some(DeedKind::Edit | DeedKind::Extend | DeedKind::Expire) => plural("silence", "silences"),
        Some(DeedKind::TakeShift) => plural("shift", "shifts"),
        _ => plural("incident", "incidents"),
    }
}

/// What follows from what is to be confirmed, worked out for drawing.
fn ground(state: &State) -> Ground<'_> {
    Ground { world: &state.world, sources: &state.sources, guard: &state.guard }
}
