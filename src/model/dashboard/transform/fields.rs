//! Steps on fields: rename, order, hide, filter by name, convert.

use std::collections::HashMap;
use std::fmt::Write;

use jiff::tz::TimeZone;

use super::columns::{find, of_kind};
use crate::model::dashboard::display::mapping::compiled;
use crate::model::dashboard::display::moment::{format_moment, timestamp};
use crate::model::dashboard::display::naming::default_name;
use crate::model::dashboard::field::FieldKind;
use crate::model::frame::{DataFrame, FieldValues, FrameCell};
use crate::model::labels::Text;

/// The names under which the fields of each frame are shown.
fn names(frames: &[DataFrame]) -> Vec<Vec<String>> {
    let of =
        |frame: &DataFrame| frame.fields.iter().map(|field| default_name(frames, frame, field)).collect();
    frames.iter().map(of).collect()
}

pub(super) fn organise(
    frames: Vec<DataFrame>,
    renames: &[(Text, Text)],
    order: &[(Text, u32)],
    excluded: &[Text],
    included: &[Text],
) -> Vec<DataFrame> {
    let names = names(&frames);
    let places: HashMap<&str, u32> = order.iter().map(|(name, place)| (&**name, *place)).collect();
    let new_names: HashMap<&str, &Text> = renames.iter().map(|(from, to)| (&**from, to)).collect();
    let organised = |(mut frame, names): (DataFrame, Vec<String>)| {
        let mut fields: Vec<_> = frame.fields.drain(..).zip(names).collect();
        let is_in = |list: &[Text], name: &str| list.iter().any(|listed| **listed == *name);
        fields.retain(|(_, name)| !is_in(excluded, name) && (included.is_empty() || is_in(included, name)));
        if !order.is_empty() {
            // fields without a place keep their order, after the others
            fields.sort_by_key(|(_, name)| places.get(name.as_str()).copied().unwrap_or(u32::MAX));
        }
        let renamed = fields.into_iter().map(|(mut field, name)| {
            if let Some(new) = new_names.get(name.as_str()) {
                field.display_name = Some((*new).clone());
            }
            field
        });
        frame.fields = renamed.collect();
        frame
    };
    frames.into_iter().zip(names).map(organised).filter(|frame| !frame.fields.is_empty()).collect()
}

pub(super) fn rename(
    mut frames: Vec<DataFrame>,
    pattern: &str,
    replacement: &str,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    let Some(pattern) = compiled(pattern) else {
        notes
            .push(format!("The regular expression {pattern} cannot be read; names stay as they are.").into());
        return frames;
    };
    let replacement = braced(replacement);
    let names = names(&frames);
    for (frame, names) in frames.iter_mut().zip(names) {
        for (field, name) in frame.fields.iter_mut().zip(names) {
            if pattern.is_match(&name) {
                field.display_name = Some(pattern.replace_all(&name, replacement.as_str()).into());
            }
        }
    }
    frames
}

/// `$1x` is the group 1 in JavaScript, and the group `1x` in Rust.
fn braced(replacement: &str) -> String {
    let mut out = String::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            out.push('$');
            rest = after;
        } else {
            let _infallible = write!(out, "${{{digits}}}");
            rest = after.strip_prefix(digits.as_str()).unwrap_or("");
        }
    }
    out.push_str(rest);
    out
}

pub(super) fn filter(
    frames: Vec<DataFrame>,
    wanted: &[Text],
    pattern: Option<&str>,
    is_exclude: bool,
    notes: &mut Vec<Text>,
) -> Vec<DataFrame> {
    let expression = pattern.map(compiled);
    if let (Some(None), Some(pattern)) = (&expression, pattern) {
        notes.push(
            format!("The regular expression {pattern} cannot be read; no field is filtered by it.").into(),
        );
        return frames;
    }
    let expression = expression.flatten();
    let is_wanted = |name: &str| {
        wanted.iter().any(|wanted| **wanted == *name)
            || expression.as_ref().is_some_and(|expression| expression.is_match(name))
    };
    let names = names(&frames);
    let filtered = frames.into_iter().zip(names).map(|(mut frame, names)| {
        let mut names = names.iter();
        frame.fields.retain(|field| {
            let shown = names.next().is_some_and(|name| is_wanted(name));
            (shown || is_wanted(&field.name)) != is_exclude
        });
        frame
    });
    filtered.filter(|frame| !frame.fields.is_empty()).collect()
}

pub(super) fn convert(mut frames: Vec<DataFrame>, fields: &[(Text, FieldKind)]) -> Vec<DataFrame> {
    for (name, kind) in fields {
        on_field(&mut frames, name, |values| of_kind(&values.cells().collect::<Vec<_>>(), *kind));
    }
    frames
}

pub(super) fn format_time(
    mut frames: Vec<DataFrame>,
    field: &str,
    format: &str,
    zone: &TimeZone,
) -> Vec<DataFrame> {
    let written = |cell: FrameCell| {
        let at = cell.number().and_then(timestamp)?;
        Some(Text::from(format_moment(&at.to_zoned(zone.clone()), format)))
    };
    on_field(&mut frames, field, |values| FieldValues::Texts(values.cells().map(written).collect()));
    frames
}

/// Changes the values of the field with this name in each frame.
fn on_field(frames: &mut [DataFrame], name: &str, change: impl Fn(&FieldValues) -> FieldValues) {
    let places: Vec<Option<usize>> = frames.iter().map(|frame| find(frames, frame, name)).collect();
    for (frame, place) in frames.iter_mut().zip(places) {
        if let Some(field) = place.and_then(|place| frame.fields.get_mut(place)) {
            field.values = change(&field.values);
        }
    }
}
