//! The one dialogue before anything outside is changed: what, where, on how many things, by which calls, and what follows.

use std::collections::BTreeSet;

use super::event::{Plan, Wait};
use super::form::ActionForm;
use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;
use super::planner::consequences;
use super::shared::Shared;
use crate::model::action::{OperationKind, RequestPreview};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::operation::{ConfirmBy, TargetKind};

mod view;

pub(super) use view::{last_scroll, render};

/// A plan that waits for the person's word.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// What would be done; bound to what stood there when the key was pressed.
    pub plan: Plan,
    /// What was wanted, too, and is left alone, with the reasons.
    pub left_out: Vec<Text>,
    /// The requests of each action.
    pub requests: Vec<Vec<RequestPreview>>,
    /// The alerts that were marked for it.
    pub covers: BTreeSet<Fingerprint>,
    /// The context's name as far as it is typed, where it has to be.
    pub name: Option<LineEditor>,
    /// How many of all alerts a silence would hide.
    pub share: Option<(usize, usize)>,
    /// How many alerts each of the silences would hide.
    pub hides: Vec<usize>,
    /// Whether it was on the terminal long enough, with no key pressed meanwhile, for a key to be an answer to it.
    pub is_armed: bool,
    /// How many keys came too early, or were no answer: each of them begins a new wait.
    pub early_keys: u32,
    /// The comment: why the last key did nothing.
    pub hint: Option<&'static str>,
    /// The form that it comes from: who goes on typing is back there, and what was written is not lost.
    pub form: Option<Box<ActionForm>>,
    /// By how many lines it is scrolled.
    pub scroll: u16,
}

/// What became of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Still deciding.
    Open,
    /// It was too soon, or no answer; why.
    Stray(&'static str),
    /// Somebody types words.
    Typed,
    /// Nothing is to be done.
    Left,
    /// It is to be done.
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

    pub(super) fn wait(&self) -> Wait {
        Wait { plan: self.plan.id, early_keys: self.early_keys }
    }

    /// Whether only `y` confirms it, not Enter: what cannot be taken back, wakes people, or hides much.
    fn wants_letter(&self) -> bool {
        self.kind().is_some_and(|kind| match kind.spec().confirm {
            ConfirmBy::Letter => true,
            ConfirmBy::LetterIfMany => self.share.is_some_and(|(hidden, _)| hidden > MANY),
            ConfirmBy::Enter => false,
        })
    }

    pub(super) fn take(&mut self, key: Key, context: &str) -> Outcome {
        let step = |scroll: u16, by: i16| scroll.saturating_add_signed(by);
        let answer = if self.is_armed { Outcome::Do } else { Outcome::Stray(TOO_SOON) };
        match key.code {
            Code::Named(NamedKey::Esc) => return Outcome::Left,
            Code::Named(NamedKey::Up) => self.scroll = step(self.scroll, -1),
            Code::Named(NamedKey::Down) => self.scroll = step(self.scroll, 1),
            Code::Named(NamedKey::PageUp) => self.scroll = step(self.scroll, -8),
            Code::Named(NamedKey::PageDown) => self.scroll = step(self.scroll, 8),
            Code::Named(NamedKey::Enter) => {
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
                (None, Code::Named(NamedKey::Space)) => return Outcome::Typed,
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

    /// What kind of operation it is about.
    fn kind(&self) -> Option<OperationKind> {
        self.plan.actions.first().map(|action| action.operation.kind())
    }
}

/// `3 incidents`, `1 silence`: what a plan is about.
pub(super) fn counted(confirm: &Confirm) -> String {
    let count = confirm.plan.actions.len();
    let plural = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let target = confirm.kind().map_or(TargetKind::Incident, OperationKind::target);
    if target != TargetKind::Alerts {
        return plural(count, target.noun());
    }
    let (hidden, _) = confirm.share.unwrap_or_default();
    let alerts = plural(hidden, "alert");
    if count == 1 { alerts } else { format!("{alerts} by {count} silences") }
}

/// How much of everything a silence would hide, and whether that needs the context's name.
pub(super) fn weigh(shared: &Shared, confirm: &mut Confirm) {
    if confirm.plan.actions.iter().all(|action| action.operation.draft().is_none()) {
        return;
    }
    let found = consequences::silences::hidden(&shared.world, &confirm.plan.actions);
    confirm.share = Some((found.hidden.len(), found.all));
    confirm.hides = found.each;
    // what cannot be judged may be much
    if found.unevaluated.is_some() || shared.guard.requires_context_name(found.hidden.len(), found.all) {
        confirm.name.get_or_insert_with(LineEditor::default);
    } else {
        confirm.name = None;
    }
}
