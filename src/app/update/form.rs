//! Handles the keys of an open form.

use jiff::Timestamp;

use super::confirm;
use crate::app::form::{ActionForm, planned, silence};
use crate::app::key::{Code, Key, NamedKey};
use crate::app::state::{Mode, State};

pub(super) fn press(state: &mut State, mut form: Box<ActionForm>, key: Key, now: Timestamp) {
    match key.code {
        Code::Named(NamedKey::Esc) => {
            return state.shared.messages.note("Cancelled. Nothing was sent.", now);
        }
        Code::Named(NamedKey::Enter) => {
            let missing = form.fields.iter().position(|field| !field.is_optional && field.text().is_empty());
            let planned = match missing.and_then(|at| Some((at, form.fields.get(at)?.name))) {
                Some((at, name)) => {
                    form.at = at;
                    Err(format!("{name} is missing").into())
                }
                None => planned(&state.shared, &form, now),
            };
            match planned {
                Ok((planned, covers)) => {
                    confirm::open(state, Ok(planned), covers, now);
                    confirm::comes_from(state, form);
                    return;
                }
                Err(why) => form.error = Some(why.to_string()),
            }
        }
        Code::Named(_) | Code::Char(_) => {
            form.take(key);
            silence::refresh(&state.shared, &mut form);
        }
    }
    state.mode = Mode::Form(form);
}
