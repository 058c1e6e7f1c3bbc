//! How the values of flags are read, each with the words for one that cannot be.

use crate::app::key::Key;
use crate::app::place::{SCREENS, Screen};
use crate::config::hint;

/// An environment variable that switches a flag.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err("write true or false".to_owned()),
    }
}

pub(super) fn size(text: &str) -> Result<(u16, u16), String> {
    let side = |text: &str| text.parse().ok().filter(|side| (1..=1000).contains(side));
    text.split_once('x')
        .and_then(|(width, height)| Some((side(width)?, side(height)?)))
        .ok_or_else(|| "write columns x rows, each 1 to 1000: 120x36".to_owned())
}

/// The names of the screens, as they are written here.
pub(super) fn screens() -> Vec<String> {
    SCREENS.iter().map(|screen| screen.title.to_lowercase()).collect()
}

pub(super) fn screen(text: &str) -> Result<Screen, String> {
    let found = SCREENS.into_iter().find(|screen| screen.title.eq_ignore_ascii_case(text));
    let hint = || hint(text, screens().iter().map(String::as_str).collect::<Vec<_>>());
    found.ok_or_else(|| format!("there is no such screen{}", hint()))
}

pub(super) fn key(text: &str) -> Result<Key, String> {
    text.parse().map_err(|error| format!("{error}"))
}

pub(super) fn speed(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|speed: &f64| *speed >= 0.01 && *speed <= 1000.0);
    number.ok_or_else(|| "write a number from 0.01 to 1000".to_owned())
}

pub(super) fn minute(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|minute: &f64| *minute >= 0.0 && *minute <= 1_000_000.0);
    number.ok_or_else(|| "write a minute, from 0 up".to_owned())
}
