//! The confirmation dialog that is shown before an external system is changed: operation, targets, requests and consequences.

use std::collections::BTreeSet;

use super::event::{Plan, Wait};
use super::form::ActionForm;
use super::key::{Code, Key, NamedKey};
use super::line_editor::LineEditor;
use super::number::plural;
use super::planner::consequences;
use super::shared::Shared;
use crate::model::action::{OperationKind, RequestPreview};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Text;
use crate::model::operation::{ConfirmBy, TargetKind};

mod view;

pub(super) use view::{last_scroll, render};

/// A plan that waits for confirmation.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// The plan, bound to the state of its targets when the key was pressed.
    pub plan: Plan,
    /// The requested parts that are left out, each as a sentence with the reason.
    pub left_out: Vec<Text>,
    pub requests: Vec<Vec<RequestPreview>>,
    /// The alerts that were marked for the plan.
    pub covers: BTreeSet<Fingerprint>,
    /// The typed part of the context's name, if the name is required.
    pub name: Option<LineEditor>,
    /// How many alerts the silences would affect, and the number of all alerts.
    pub share: Option<(usize, usize)>,
    /// How many alerts each silence would affect.
    pub hides: Vec<usize>,
    /// Whether keys are accepted: the dialog was visible long enough without a key press.
    pub is_armed: bool,
    /// The number of keys that came too early or have no meaning here; each of them restarts the wait.
    pub early_keys: u32,
    /// Why the last key had no effect.
    pub hint: Option<&'static str>,
    /// The form that opened the dialog; cancelling returns to it, so that the typed text is not lost.
    pub form: Option<Box<ActionForm>>,
    /// The scroll position in lines.
    pub scroll: u16,
}

/// The result of a key press.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Open,
    /// The key was too early or has no meaning here; with the reason.
    Stray(&'static str),
    /// A letter without a meaning here, probably typed for another screen.
    Typed,
    Left,
    Do,
}

const TOO_SOON: &str = "ignored, the dialog has just opened: press the key again";
const BY_LETTER: &str = "press y to confirm";
const NOT_NAMED: &str = "the context has another name";

/// A silence that affects more alerts than this needs `y`; Enter is not enough.
const MANY: usize = 10;

impl Confirm {
    /// The wait before keys are accepted; `None` when it is over.
    pub(super) fn waits(&self) -> Option<Wait> {
        (!self.is_armed).then_some(self.wait())
    }

    pub(super) fn wait(&self) -> Wait {
        Wait { plan: self.plan.id, early_keys: self.early_keys }
    }

    /// Whether only `y` confirms: the action cannot be undone, pages somebody, or silences many alerts.
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
                // the user probably types for another screen
                (None, Code::Char(_)) => return Outcome::Typed,
            },
        }
        Outcome::Open
    }

    fn kind(&self) -> Option<OperationKind> {
        self.plan.actions.first().map(|action| action.operation.kind())
    }
}

/// The number of targets as text: `3 incidents`, `1 silence`.
pub(super) fn counted(confirm: &Confirm) -> String {
    let count = confirm.plan.actions.len();
    let target = confirm.kind().map_or(TargetKind::Incident, OperationKind::target);
    if target != TargetKind::Alerts {
        return plural(count, target.noun());
    }
    let (hidden, _) = confirm.share.unwrap_or_default();
    let alerts = plural(hidden, "alert");
    if count == 1 { alerts } else { format!("{alerts} by {count} silences") }
}

/// Computes how many of all alerts the silences would affect, and whether the context's name must be typed.
pub(super) fn compute_silence_effect(shared: &Shared, confirm: &mut Confirm) {
    if confirm.plan.actions.iter().all(|action| action.operation.draft().is_none()) {
        return;
    }
    let found = consequences::silences::hidden(&shared.world, &confirm.plan.actions);
    confirm.share = Some((found.hidden.len(), found.all));
    confirm.hides = found.each;
    // a matcher that burnwatch cannot evaluate may match many alerts
    if found.unevaluated.is_some() || shared.guard.requires_context_name(found.hidden.len(), found.all) {
        confirm.name.get_or_insert_with(LineEditor::default);
    } else {
        confirm.name = None;
    }
}
