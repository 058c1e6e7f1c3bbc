//! Draws the query, its errors and hints, and the list of completions.

use ratatui::widgets::{Clear, Widget as _};
use unicode_segmentation::UnicodeSegmentation;

use super::super::{Explore, Focus};
use crate::app::completion::{Completion, CompletionItem};
use crate::app::prelude::*;
use crate::app::widgets::bar::panel;
use crate::model::promql::QueryParseError;

/// The most hints that are shown.
const MAX_HINTS: usize = 3;
/// Columns and rows of the list of completions, with its border.
const LIST: (u16, u16) = (76, 10);
/// The cells before each line of the query.
const PROMPT: u16 = 3;

/// The query as lines of runs, with the cursor; and the line of the cursor.
fn lines(
    screen: &Explore,
    charset: crate::app::display_settings::Charset,
    width: u16,
) -> (Vec<Vec<StyledRun<'static>>>, usize) {
    let line = screen.editor.line();
    let wrong = place_of_error(screen);
    let mut lines: Vec<Vec<StyledRun<'static>>> = vec![Vec::new()];
    let (mut used, mut cursor_line) = (0, 0);
    let width = usize::from(width.saturating_sub(PROMPT + 1).max(1));
    let is_typed = screen.is_writing();
    let push = |lines: &mut Vec<Vec<StyledRun<'static>>>, part: &str, role: Role, used: &mut usize| {
        for piece in part.split_inclusive('\n') {
            for grapheme in piece.trim_end_matches('\n').graphemes(true) {
                let cells = usize::from(text::width(grapheme));
                if *used + cells > width {
                    lines.push(Vec::new());
                    *used = 0;
                }
                *used += cells;
                let Some(last) = lines.last_mut() else { continue };
                match last.last_mut().filter(|run| run.role == role) {
                    Some(run) => run.text.to_mut().push_str(grapheme),
                    None => last.push(StyledRun::new(grapheme.to_owned(), role)),
                }
            }
            if piece.ends_with('\n') {
                lines.push(Vec::new());
                *used = 0;
            }
        }
    };
    let whole = line.text();
    // cuts at the cursor and around the first error
    let mut cuts = vec![0, whole.len()];
    if is_typed {
        cuts.push(line.cursor());
    }
    if let Some(at) = wrong {
        let length = whole.get(at..).and_then(|rest| rest.graphemes(true).next()).map_or(0, str::len);
        cuts.extend([at, at + length]);
    }
    cuts.sort_unstable();
    cuts.dedup();
    let mut at = 0;
    for cut in cuts {
        let part = whole.get(at..cut).unwrap_or_default();
        let role = if wrong == Some(at) && !part.is_empty() { Role::Trouble } else { Role::Text };
        push(&mut lines, part, role, &mut used);
        if is_typed && cut == line.cursor() {
            push(&mut lines, charset.pick("▏", "|"), Role::Accent, &mut used);
            cursor_line = lines.len() - 1;
        }
        at = cut;
    }
    (lines, cursor_line)
}

/// The byte offset of the first error: of the text, or as the server names it.
fn place_of_error(screen: &Explore) -> Option<usize> {
    let text = screen.editor.text();
    let offset = |(line, column)| super::super::edit::offset(text, line, column);
    if let Some(error) = screen.error() {
        return Some(offset((error.line, error.column)));
    }
    let failure = screen.failure.as_ref().filter(|failure| text.trim() == &*failure.key.query)?;
    failure.place.map(offset)
}

/// The rows that the query needs.
pub(super) fn height(screen: &Explore, shared: &Shared, width: u16) -> u16 {
    u16::try_from(lines(screen, shared.look.charset, width).0.len()).unwrap_or(u16::MAX)
}

pub(super) fn render(screen: &Explore, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    if let Focus::Name(name) = &screen.focus {
        let mut runs = vec![StyledRun::new(" Name of the view: ", Role::Key)];
        runs.extend(name.runs(cx.charset));
        text::runs(cx, &runs, area, buf);
        return;
    }
    let role = if screen.is_writing() { Role::Accent } else { Role::Muted };
    if screen.editor.text().is_empty() && !screen.is_writing() {
        let key = cx.shared.key(Command::Explore);
        let runs = [
            StyledRun::new(" > ", role),
            StyledRun::new(format!("Press {key} to write a query."), Role::Muted),
        ];
        text::runs(cx, &runs, area, buf);
        return;
    }
    let (lines, cursor) = lines(screen, cx.charset, area.width);
    let top = (cursor + 1).saturating_sub(usize::from(area.height.max(1)));
    for (i, (y, line)) in (area.top()..area.bottom()).zip(lines.iter().skip(top)).enumerate() {
        let prompt = if i + top == 0 { " > " } else { "   " };
        text::put(buf, area.x, y, PROMPT, prompt, cx.style(role));
        let place = Rect {
            x: area.x + PROMPT.min(area.width),
            width: area.width.saturating_sub(PROMPT),
            y,
            height: 1,
        };
        text::runs(cx, line, place, buf);
    }
    let hidden = lines.len().saturating_sub(usize::from(area.height));
    if hidden > 0 && area.height > 0 {
        let words = format!(" +{hidden} lines");
        text::right(buf, area.x, area.bottom() - 1, area.width, &words, cx.style(Role::Muted));
    }
}

/// The first error, or the hints about the query and the warnings of its result.
pub(super) fn hint_lines(screen: &Explore, shared: &Shared, width: u16) -> Vec<Vec<StyledRun<'static>>> {
    let sign = |role: Role| shared.look.charset.pick(role.symbol(), role.ascii());
    let mut lines = Vec::new();
    let mut add = |role: Role, words: &str| {
        lines.extend(text::beside(&format!("   {} ", sign(role)), words, width, role));
    };
    match &screen.checked {
        Some(Err(QueryParseError::Refused(remark))) => {
            // while it is being written, the end of a query is always missing
            let is_unfinished =
                screen.is_writing() && !screen.is_refused && remark.message.starts_with("unexpected the end");
            add(if is_unfinished { Role::Muted } else { Role::Trouble }, &remark.to_string());
        }
        Some(Err(QueryParseError::Unknown(why))) => add(Role::Info, &format!("{why}; the server decides")),
        Some(Ok(lints)) => {
            for lint in lints.iter().take(MAX_HINTS) {
                add(Role::Warning, &format!("{}. {}", lint.remark, lint.fix));
            }
            let more = lints.len().saturating_sub(MAX_HINTS);
            if more > 0 {
                add(Role::Warning, &format!("{more} more hints: burnwatch query --lint"));
            }
        }
        None => {}
    }
    let is_of_text = |query: &str| screen.editor.text().trim() == query;
    if let Some(failure) = screen.failure.as_ref().filter(|failure| is_of_text(&failure.key.query)) {
        let place = failure.place.map(|(line, column)| format!("{line}:{column}: ")).unwrap_or_default();
        add(Role::Trouble, &format!("{}: {place}{}", failure.error.source_name, failure.words));
    }
    if let Some(shown) = screen.shown.as_ref().filter(|shown| is_of_text(&shown.key.query)) {
        for warning in shown.warnings.iter().take(MAX_HINTS) {
            let role = if warning.is_missing_data() { Role::Stale } else { Role::Info };
            add(role, &format!("{}: {warning}", shown.source));
        }
    }
    lines
}

/// Draws the list of completions below the query, or above it if there is more room.
pub(super) fn completions(cx: &Cx<'_>, list: &Completion, editor: Rect, body: Rect, buf: &mut Buffer) {
    let items = u16::try_from(list.items.len()).unwrap_or(u16::MAX);
    let room = body.bottom().saturating_sub(editor.bottom());
    let height = items.saturating_add(2).min(LIST.1).max(5).min(room);
    let width = LIST.0.min(body.width.saturating_sub(2));
    if height < 3 || width < 10 {
        return;
    }
    let area = Rect { x: body.x + 1, y: editor.bottom(), width, height };
    Clear.render(area, buf);
    buf.set_style(area, cx.style(Role::Text));
    let number = list.items.len();
    let title = format!("{number} {}, Tab accepts", if number == 1 { "match" } else { "matches" });
    let inner = panel(cx, &title, true, area, buf);
    let at = list.chosen.unwrap_or(0);
    let first = (at + 1).saturating_sub(usize::from(inner.height.max(1)));
    let names = list.items.iter().map(|item| text::width(&item.name)).max().unwrap_or(0);
    let name_width = names.min(inner.width * 3 / 5).max(8);
    for ((index, item), row) in list.items.iter().enumerate().skip(first).zip(inner.rows()) {
        let is_current = list.chosen == Some(index);
        let sign = if is_current { cx.symbol(Role::Selected) } else { " " };
        text::put(buf, row.x, row.y, 1, sign, cx.style(Role::Accent));
        let CompletionItem { name, kind, detail, .. } = item;
        let name = text::pad(name, name_width, cx.charset);
        let runs = [
            StyledRun::new(name, Role::Text),
            StyledRun::new(format!("  {kind}"), Role::Accent),
            StyledRun::new(format!("  {detail}"), Role::Muted),
        ];
        text::runs(cx, &runs, Rect { x: row.x + 1, width: row.width.saturating_sub(1), ..row }, buf);
        if is_current {
            buf.set_style(row, cx.style(Role::Selected));
        }
    }
}
