//! Draws a form: its fields, its error, and for a silence the alerts that it would affect.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use super::{ActionForm, Field, FormKind, Silencing, silence};
use crate::app::display_settings::Cx;
use crate::app::number::moment;
use crate::app::shared::Shared;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, StyledRun};
use crate::app::window::window;
use crate::model::matcher;

/// The maximum width in columns.
const WIDTH: u16 = 110;
/// The width of the labels in cells.
const NAMES: u16 = 10;
/// The maximum number of rows of the focused field.
const ROWS: usize = 4;

/// Draws the form over the screen.
pub(in crate::app) fn render(shared: &Shared, cx: &Cx<'_>, form: &ActionForm, buf: &mut Buffer) {
    let width = WIDTH.min(buf.area.width);
    let room = width.saturating_sub(NAMES + 3).max(1);
    let all = form.fields.iter().enumerate();
    let fields: Vec<Rows> = all.map(|(at, field)| rows(cx, field, at == form.at, room)).collect();
    let taken = fields.iter().map(Vec::len).sum::<usize>();
    let wanted = match &form.kind {
        FormKind::Silence(silencing) => {
            taken + 3 + silencing.preview.hidden.len().min(14) + several(silencing).len().min(14)
        }
        // an empty row separates them, because a low window has no border
        FormKind::Operation(_) => taken + 2,
    };
    let height = u16::try_from(wanted).unwrap_or(u16::MAX).saturating_add(2);
    let inner = window(cx, &form.title, (width, height), buf);
    let last = inner.bottom().saturating_sub(1);
    let mut y = inner.y;
    // the affected alerts stay visible in a small window, too
    let is_tight = taken + 1 > usize::from(last.saturating_sub(inner.y));
    let can_wait = |field: &Field| matches!(field.name, silence::BY | silence::STARTS | silence::WITHOUT);
    for (at, (field, lines)) in form.fields.iter().zip(fields).enumerate() {
        let is_current = at == form.at;
        if is_tight && !is_current && can_wait(field) {
            continue;
        }
        for (row, line) in lines.into_iter().enumerate() {
            if y >= last {
                break;
            }
            let role = if is_current { Role::Accent } else { Role::Muted };
            let name = if row == 0 { field.name } else { "" };
            let sign = if is_current && row == 0 { cx.symbol(Role::Selected) } else { " " };
            let mut runs =
                vec![StyledRun::new(format!("{sign}{}", text::pad(name, NAMES, cx.charset)), role)];
            runs.extend(line);
            if row == 0 {
                runs.push(beside(shared, form, field, is_current, cx));
            }
            text::runs(cx, &runs, Rect { y, height: 1, ..inner }, buf);
            y += 1;
        }
    }
    if let FormKind::Silence(silencing) = &form.kind {
        let area = Rect { y, height: last.saturating_sub(y), ..inner };
        hidden(shared, cx, (form, silencing), area, buf);
    }
    text::runs(cx, &keys(cx, form), Rect { y: last, height: inner.height.min(1), ..inner }, buf);
}

type Rows = Vec<Vec<StyledRun<'static>>>;

/// The text of a field. The focused field is wrapped and scrolled so that the cursor is visible.
fn rows(cx: &Cx<'_>, field: &Field, is_current: bool, room: u16) -> Rows {
    if !is_current {
        let shown = text::fit(field.line.text(), room, cx.charset).into_owned();
        return vec![vec![StyledRun::new(shown, Role::Text)]];
    }
    let mut rows: Rows = vec![Vec::new()];
    let mut used = 0;
    let mut push = |part: &str, role: Role| {
        let cells = text::width(part);
        if used + cells > room {
            rows.push(Vec::new());
            used = 0;
        }
        used += cells;
        if let Some(row) = rows.last_mut() {
            match row.last_mut().filter(|run| run.role == role) {
                Some(run) => run.text.to_mut().push_str(part),
                None => row.push(StyledRun::new(part.to_owned(), role)),
            }
        }
        rows.len()
    };
    for part in field.line.before_cursor().graphemes(true) {
        push(part, Role::Text);
    }
    let until_cursor = push(cx.charset.pick("▏", "|"), Role::Accent);
    for part in field.line.after_cursor().graphemes(true) {
        push(part, Role::Text);
    }
    rows.into_iter().skip(until_cursor.saturating_sub(ROWS)).take(ROWS).collect()
}

/// The hint beside a field: the resulting time, the number of characters left, or the keys that change the value.
fn beside(
    shared: &Shared,
    form: &ActionForm,
    field: &Field,
    is_current: bool,
    cx: &Cx<'_>,
) -> StyledRun<'static> {
    let mut field_hint = String::new();
    if let (FormKind::Silence(silencing), "for" | "starts") = (&form.kind, field.name) {
        let span = silence::span(shared, form, silencing.instead_of.as_deref(), cx.now);
        field_hint = match (span, field.name) {
            (Ok((_, end)), "for") => format!("  until {}", moment(end, cx.now, cx.zone)),
            (Ok((start, _)), _) => {
                let start = start.filter(|start| *start > cx.now);
                start.map_or_else(String::new, |start| format!("  at {}", moment(start, cx.now, cx.zone)))
            }
            (Err(_), "for") => "  a duration like 30m, 2h or 1d, or a time".to_owned(),
            (Err(_), _) => "  now, or a time like 22:00".to_owned(),
        };
    }
    if is_current && field.has_choices() {
        field_hint.push_str("  (+ more, - less)");
    } else if is_current && field.length() * 4 > field.limit * 3 {
        field_hint = format!("  {} left", field.limit.saturating_sub(field.length()));
    }
    StyledRun::new(field_hint, Role::Muted)
}

/// The matchers of each silence with the number of alerts that it would affect, if there are several silences.
fn several(silencing: &Silencing) -> Vec<String> {
    if silencing.lists.len() < 2 {
        return Vec::new();
    }
    let each = silencing.lists.iter().zip(&silencing.preview.each);
    each.map(|(matchers, count)| format!("affects {count}  {{{}}}", matcher::list(matchers))).collect()
}

/// How the affected alerts compare with the chosen ones.
fn compared(form: &ActionForm, silencing: &Silencing) -> StyledRun<'static> {
    let found = &silencing.preview;
    if let Some(matcher) = &found.unevaluated {
        return StyledRun::new(format!(": cannot preview {matcher}, more may be affected"), Role::Warning);
    }
    if silencing.marked.is_empty() {
        return StyledRun::new("", Role::Muted);
    }
    match (found.unmarked, found.missed, form.left_out(silencing)) {
        (0, 0, Some("")) => StyledRun::new(": exactly the selected ones", Role::Healthy),
        (0, 0, Some(labels)) => {
            StyledRun::new(format!(": exactly the selected ones, whatever their {labels}"), Role::Healthy)
        }
        (0, 0, None) => StyledRun::new(": the selected ones and no others now", Role::Text),
        (others, 0, _) => StyledRun::new(format!(": {others} of them not selected"), Role::Warning),
        (0, missed, _) => StyledRun::new(format!(": {missed} selected are not affected"), Role::Warning),
        (others, missed, _) => StyledRun::new(
            format!(": {others} not selected, and {missed} selected are not affected"),
            Role::Warning,
        ),
    }
}

/// The alerts that the silences would affect: their number, how many of them were not chosen, and their names.
fn hidden(
    shared: &Shared,
    cx: &Cx<'_>,
    (form, silencing): (&ActionForm, &Silencing),
    mut area: Rect,
    buf: &mut Buffer,
) {
    if area.height == 0 {
        return;
    }
    let found = &silencing.preview;
    let mut heading = Vec::new();
    if let Some(why) = &silencing.wrong {
        heading.push(StyledRun::new(format!(" {} {why}", cx.symbol(Role::Trouble)), Role::Trouble));
    } else {
        let count = found.hidden.len();
        let share = (count * 100).checked_div(found.all).unwrap_or(0);
        let who = match silencing.lists.len() {
            0 | 1 => "Affects".to_owned(),
            many => format!("{many} silences affect"),
        };
        let head = format!(" {who} {count} of {} alerts ({share}%)", found.all);
        heading.extend([StyledRun::new(head, Role::Title), compared(form, silencing)]);
        if shared.guard.requires_context_name(count, found.all) {
            heading.push(StyledRun::new("  needs the context's name", Role::Muted));
        }
    }
    text::runs(cx, &heading, Rect { height: 1, ..area }, buf);
    if silencing.wrong.is_some() {
        return;
    }
    let several = several(silencing);
    let room = usize::from(area.height / 2);
    for (at, words) in several.iter().enumerate().take(room) {
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
        let left = several.len() - at;
        let is_last = at + 1 == room && left > 1;
        let words = if is_last { format!("and {left} more silences") } else { words.clone() };
        let room = area.width.saturating_sub(2);
        text::put(buf, area.x + 2, area.y, room, &text::fit(&words, room, cx.charset), cx.style(Role::Text));
    }
    let rows = usize::from(area.height) - 1;
    let shown = if found.hidden.len() > rows { rows.saturating_sub(1) } else { rows };
    for (y, alert) in (area.y + 1..area.bottom()).zip(found.hidden.iter().take(shown)) {
        let (sign, word) = match (silencing.marked.is_empty(), silencing.marked.contains(&alert.fingerprint))
        {
            (true, _) => (Role::Text, ""),
            (false, true) => (Role::Marked, ""),
            (false, false) => (Role::Warning, "not chosen  "),
        };
        let role = Role::of_alert(alert);
        let rest = alert.labels.shown().filter(|(name, _)| &***name != "alertname");
        let rest: Vec<String> = rest.map(|(name, value)| format!("{name}={value}")).collect();
        let runs = [
            StyledRun::new(format!("  {} {word}", cx.symbol(sign)), sign),
            StyledRun::new(format!("{} {}  ", cx.symbol(role), alert.name()), role),
            StyledRun::new(rest.join(" "), Role::Muted),
        ];
        text::runs(cx, &runs, Rect { y, height: 1, ..area }, buf);
    }
    let more = found.hidden.len().saturating_sub(shown);
    if more > 0 && rows > 0 {
        let words = format!("    and {more} more");
        text::put(buf, area.x, area.bottom() - 1, area.width, &words, cx.style(Role::Muted));
    }
}

/// The error, or else the keys.
fn keys(cx: &Cx<'_>, form: &ActionForm) -> Vec<StyledRun<'static>> {
    if let Some(error) = &form.error {
        return vec![StyledRun::new(format!(" {} {error}", cx.symbol(Role::Trouble)), Role::Trouble)];
    }
    let mut runs = vec![StyledRun::new(" Enter ", Role::Key), StyledRun::new("continues", Role::Muted)];
    if form.fields.len() > 1 {
        runs.extend([StyledRun::new("  Tab ", Role::Key), StyledRun::new("next line", Role::Muted)]);
    }
    runs.extend([StyledRun::new("  Esc ", Role::Key), StyledRun::new("cancels", Role::Muted)]);
    runs
}
