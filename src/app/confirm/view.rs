//! Draws the confirmation dialog.
//!
//! ```text
//! ┏ Acknowledge 2 incidents at pager (pagerduty) ━━━━━━━━━━━━━━━┓
//! ┃ ! PRODUCTION prod-eu                                        ┃
//! ┃ #4242 checkout burns its budget  triggered                  ┃
//! ┃ Ana Lima (you) has it: nobody else is paged ...             ┃
//! ┃ PUT https://api.pagerduty.com/incidents/Q1                  ┃
//! ┃ Enter y confirms   Esc n cancels                            ┃
//! ┗━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┛
//! ```

use jiff::Timestamp;
use ratatui::buffer::Buffer;

use super::{Confirm, counted};
use crate::app::display_settings::Cx;
use crate::app::number::moment;
use crate::app::planner::Planner;
use crate::app::planner::consequences::consequences;
use crate::app::selection::once;
use crate::app::shared::Shared;
use crate::app::subjects::on_call::words::left;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, StyledRun};
use crate::app::window::{last_top, on_border, text_window};
use crate::model::matcher;
use crate::model::operation::Argument;

/// The maximum width in columns.
const WIDTH: u16 = 100;
/// The maximum number of targets that are listed.
const NAMED: usize = 6;
/// The maximum number of lines of one parameter, so that the consequences stay visible.
const DETAIL: usize = 6;
/// The maximum number of actions whose requests are shown.
const CALLED: usize = 40;

type Lines = Vec<Vec<StyledRun<'static>>>;

/// Draws the dialog over the screen.
pub(in crate::app) fn render(shared: &Shared, cx: &Cx<'_>, confirm: &Confirm, buf: &mut Buffer) {
    let width = WIDTH.min(buf.area.width);
    let lines = lines(shared, cx, confirm, width.saturating_sub(4));
    let title = title(shared, confirm, cx.now);
    let (last, hidden) = text_window(cx, &title, width, (&lines, confirm.scroll), buf);
    on_border(cx, hidden, last, buf);
    text::runs(cx, &keys(shared, cx, confirm), last, buf);
}

/// The largest scroll position, in lines.
pub(in crate::app) fn last_scroll(shared: &Shared, confirm: &Confirm, now: Timestamp) -> u16 {
    let lines = lines(shared, &shared.cx(now), confirm, WIDTH.min(shared.size.0).saturating_sub(4));
    last_top(lines.len(), shared.size)
}

/// The title: operation, number of targets and source.
fn title(shared: &Shared, confirm: &Confirm, now: Timestamp) -> String {
    let Some(first) = confirm.plan.actions.first() else { return String::new() };
    let places = once(confirm.plan.actions.iter().map(|action| {
        let kind = shared.sources.iter().find(|info| info.id == action.source).map(|info| info.kind.name());
        match kind {
            Some(kind) if kind != action.source.as_str() => format!("{} ({kind})", action.source),
            _ => action.source.to_string(),
        }
    }));
    let said = first.operation.fill(first.operation.kind().spec().title, |name| match name {
        "things" => counted(confirm),
        "left" => first.operation.draft().map(|draft| left(draft.ends_at, now)).unwrap_or_default(),
        _ => first.target.name.to_string(),
    });
    format!("{said} at {}", places.join(", "))
}

/// All lines above the line with the keys.
fn lines(shared: &Shared, cx: &Cx<'_>, confirm: &Confirm, width: u16) -> Lines {
    let mut lines: Lines = Vec::new();
    let say = |lines: &mut Lines, words: &str, role: Role, indent: &str| {
        let room = width.saturating_sub(text::width(indent)).max(8);
        for (at, line) in text::wrap(words, room).into_iter().enumerate() {
            let head = if at == 0 { indent.to_owned() } else { " ".repeat(indent.chars().count()) };
            lines.push(vec![StyledRun::new(head, role), StyledRun::new(line, role)]);
        }
    };
    if shared.production {
        let banner = format!("{} PRODUCTION: {}", cx.symbol(Role::Banner), shared.context);
        let banner = text::pad(&banner, width, cx.charset);
        lines.push(vec![StyledRun::new(banner, Role::Banner)]);
    }
    if shared.guard.dry_run {
        let words = "DRY RUN: these requests are shown and not sent";
        lines.push(vec![StyledRun::new(text::pad(words, width, cx.charset), Role::Banner)]);
    }
    if let Some((hidden, all)) = confirm.share.filter(|_| confirm.name.is_some()) {
        let words = format!("{} {hidden} of all {all} alerts would be silenced.", cx.symbol(Role::Warning));
        say(&mut lines, &words, Role::Warning, "");
    }
    // in a small window the consequences come before the requests
    let many = confirm.plan.actions.len();
    let are_silences = many > 1 && confirm.hides.len() == many;
    let most = match (shared.size.1 < 16, are_silences) {
        // the user confirms the effect of each silence
        (_, true) => CALLED,
        (true, false) => 2,
        (false, false) => NAMED,
    };
    for (at, action) in confirm.plan.actions.iter().take(most).enumerate() {
        let stands = match (&action.target.seen, confirm.hides.get(at).filter(|_| are_silences)) {
            (Some(status), _) => format!("  {}", status.word()),
            (None, Some(hides)) => format!("  affects {hides} at {}", action.source),
            (None, None) => String::new(),
        };
        let name = text::fit(&action.target.name, width.saturating_sub(text::width(&stands)), cx.charset);
        lines.push(vec![StyledRun::new(name.into_owned(), Role::Title), StyledRun::new(stands, Role::Muted)]);
        if let Some(draft) = action.operation.draft().filter(|_| are_silences) {
            say(
                &mut lines,
                &text::fit(&matcher::list(&draft.matchers), width * 3, cx.charset),
                Role::Text,
                "  ",
            );
        }
    }
    let more = confirm.plan.actions.len().saturating_sub(most);
    if more > 0 {
        lines.push(vec![StyledRun::new(format!("and {more} more"), Role::Muted)]);
    }
    for (name, value) in details(confirm, cx) {
        let first = lines.len();
        say(&mut lines, &value, Role::Text, &format!("{name:<9} "));
        let left_out = lines.len().saturating_sub(first + DETAIL);
        if left_out > 0 {
            lines.truncate(first + DETAIL);
            let words = format!("and {left_out} more lines; the request below has the full text");
            say(&mut lines, &words, Role::Muted, "          ");
        }
    }
    lines.push(Vec::new());
    for consequence in consequences(Planner::of(shared), &confirm.plan.actions, cx.zone, cx.now) {
        let (sign, role) = if consequence.is_serious {
            (cx.symbol(Role::Warning), Role::Warning)
        } else {
            (cx.charset.pick("·", "-"), Role::Text)
        };
        say(&mut lines, &consequence.words, role, &format!("{sign} "));
    }
    if shared.paused.is_some() {
        let words = "Updates are paused: the data may be outdated.";
        say(&mut lines, words, Role::Stale, &format!("{} ", cx.symbol(Role::Stale)));
    }
    for why in &confirm.left_out {
        say(&mut lines, &format!("left out: {why}"), Role::Muted, "  ");
    }
    lines.push(Vec::new());
    calls(confirm, cx, &say, &mut lines);
    lines
}

/// The parameters of the operation; the least important ones come last.
fn details(confirm: &Confirm, cx: &Cx<'_>) -> Vec<(&'static str, String)> {
    let Some(first) = confirm.plan.actions.first() else { return Vec::new() };
    if let Some(draft) = first.operation.draft() {
        let mut all = Vec::new();
        if confirm.plan.actions.len() == 1 {
            all.push(("matchers", matcher::list(&draft.matchers)));
        }
        all.extend(draft.starts_at.map(|start| ("from", moment(start, cx.now, cx.zone))));
        all.extend([
            ("until", moment(draft.ends_at, cx.now, cx.zone)),
            ("by", draft.created_by.to_string()),
            ("comment", draft.comment.to_string()),
        ]);
        return all;
    }
    let mut shown: Vec<_> = first.operation.given().filter(|(param, _)| !param.label.is_empty()).collect();
    shown.sort_by_key(|(param, _)| param.kind.is_typed() && param.is_optional);
    let words = |value: &Argument| {
        if let Argument::Moment(at) = value { moment(*at, cx.now, cx.zone) } else { value.words() }
    };
    let said = shown.iter().map(|(param, value)| (param.label, words(value)));
    said.filter(|(_, words)| !words.is_empty()).collect()
}

/// The requests, one below the other.
fn calls(confirm: &Confirm, cx: &Cx<'_>, say: &impl Fn(&mut Lines, &str, Role, &str), lines: &mut Lines) {
    let calls = &confirm.requests;
    let count: usize = calls.iter().map(Vec::len).sum();
    let head = match count {
        0 => "the source cannot show its requests".to_owned(),
        1 => "1 request:".to_owned(),
        _ => format!("{count} requests:"),
    };
    lines.push(vec![StyledRun::new(head, Role::Muted)]);
    for call in calls.iter().take(CALLED).flatten() {
        say(lines, &format!("{} {}", call.method, call.address), Role::Accent, "  ");
        if let Some(body) = &call.body {
            say(lines, body, Role::Muted, "    ");
        }
    }
    let more: usize = calls.iter().skip(CALLED).map(Vec::len).sum();
    if more > 0 {
        let ellipsis = text::ellipsis(cx.charset);
        lines.push(vec![StyledRun::new(format!("  {ellipsis} and {more} more"), Role::Muted)]);
    }
}

/// The keys. The key that confirms is shown once it is accepted.
fn keys<'a>(shared: &Shared, cx: &Cx<'_>, confirm: &'a Confirm) -> Vec<StyledRun<'a>> {
    let mut runs = if let Some(line) = &confirm.name {
        let prompt = format!(" Type {} and press Enter: ", shared.context);
        std::iter::once(StyledRun::new(prompt, Role::Warning)).chain(line.runs(cx.charset)).collect()
    } else if confirm.is_armed {
        let word = if shared.guard.dry_run { "ends the dry run; nothing is sent" } else { "confirms" };
        let key = if confirm.wants_letter() { " y " } else { " Enter y " };
        vec![StyledRun::new(key, Role::Key), StyledRun::new(word, Role::Muted)]
    } else {
        vec![StyledRun::new(cx.charset.pick(" … ", " ~ "), Role::Muted)]
    };
    let key = if confirm.name.is_none() { "   Esc n " } else { "   Esc " };
    runs.extend([StyledRun::new(key, Role::Key), StyledRun::new("cancels", Role::Muted)]);
    runs.extend(confirm.hint.map(|hint| StyledRun::new(format!("   {hint}"), Role::Warning)));
    runs
}
