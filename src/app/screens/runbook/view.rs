//! Draws a runbook.

use super::OpenRunbook;
use crate::app::page::scroll_to;
use crate::app::prelude::*;
use crate::model::runbook::RunbookSearch;

/// Maximum width of the text; longer lines are hard to read.
const MAX_TEXT_WIDTH: u16 = 110;
/// Cells left of the text.
const LEFT_MARGIN: u16 = 2;

/// The width of the text in a terminal of this width.
pub(super) fn room(width: u16) -> u16 {
    width.saturating_sub(LEFT_MARGIN + 1).clamp(1, MAX_TEXT_WIDTH)
}

/// Draws the page.
pub(super) fn render(screen: &OpenRunbook, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = shared.cx(now);
    let remote = screen.remote(shared);
    let search = remote.and_then(|remote| remote.value());
    let from = search.and_then(|search| search.found.as_ref()).map(|found| format!("  {}", found.from));
    let name = screen.wanted.as_ref().map_or("", |wanted| &wanted.name);
    let title = [
        StyledRun::new(format!(" Runbook {name}"), Role::Title),
        StyledRun::new(from.unwrap_or_default(), Role::Muted),
    ];
    let failure = remote.and_then(|remote| remote.failure());
    let read = remote.and_then(|remote| remote.at).map(|at| format!("read {} ago ", ago(at, now)));
    let right = match failure {
        Some(error) => vec![StyledRun::new(format!("{} {error} ", cx.symbol(Role::Stale)), Role::Stale)],
        None => vec![StyledRun::new(read.unwrap_or_default(), Role::Muted)],
    };
    let below = layout::heading(&cx, &title, &right, area, buf);
    let (page, _) = page(screen, shared, &cx, below.width);
    page.render(&cx, screen.scroll_position.scroll, None, below, buf);
}

/// The scroll position that shows the selected block: all of it if it fits, else its first line.
pub(super) fn scroll_to_block(screen: &OpenRunbook, shared: &Shared, height: u16) -> u16 {
    let scroll = screen.scroll_position.scroll;
    let (_, before) = page(screen, shared, &shared.cx(Timestamp::UNIX_EPOCH), shared.size.0);
    let at = screen.scroll_position.panel.checked_sub(1);
    let Some(block) = at.and_then(|at| screen.markdown.blocks.get(at)) else { return scroll };
    let last = scroll_to(before + block.lines.end.saturating_sub(1), scroll, height);
    last.min(u16::try_from(before + block.lines.start).unwrap_or(u16::MAX))
}

/// The whole page, and the number of lines before the runbook's own text.
pub(super) fn page(screen: &OpenRunbook, shared: &Shared, cx: &Cx<'_>, width: u16) -> (PageContent, usize) {
    let mut page = PageContent::new(width.min(room(width) + LEFT_MARGIN + 1));
    let remote = screen.remote(shared);
    let Some(search) = remote.and_then(|remote| remote.value()) else {
        let words = match remote {
            None => "No runbook source is configured.",
            Some(remote) if remote.failure().is_some() => "The search failed.",
            Some(_) => shared.waiting(),
        };
        page.paragraph(&format!(" {words}"), Role::Muted);
        return (page, 0);
    };
    tried(cx, search, &mut page);
    let Some(found) = &search.found else {
        return (page, 0);
    };
    for warning in &found.warnings {
        page.paragraph(&format!(" {} {warning}", cx.symbol(Role::Warning)), Role::Warning);
    }
    let markdown = &screen.markdown;
    if !markdown.filled.is_empty() {
        let label = |written: &str| {
            let inside = written.trim_matches(['{', '}', '$', '<', '>', ' ', '-']);
            inside.rsplit("abels.").next().unwrap_or(inside).to_owned()
        };
        let mut pairs: Vec<String> =
            markdown.filled.iter().map(|(written, value)| format!("{}={value}", label(written))).collect();
        pairs.sort();
        pairs.dedup();
        page.pair("filled in", &pairs.join("  "), Role::Match);
    }
    if !markdown.missing.is_empty() {
        page.pair("no label for", &markdown.missing.join("  "), Role::Trouble);
    }
    if !page.lines.is_empty() {
        page.line(Vec::new());
    }
    let before = page.lines.len();
    let current = screen
        .scroll_position
        .panel
        .checked_sub(1)
        .and_then(|at| markdown.blocks.get(at))
        .map(|block| &block.lines);
    for (index, line) in markdown.lines.iter().enumerate() {
        let is_current = current.is_some_and(|lines| lines.contains(&index));
        let sign = if is_current { cx.symbol(Role::Selected) } else { " " };
        let mut runs = vec![StyledRun::new(text::pad(sign, LEFT_MARGIN, cx.charset), Role::Accent)];
        runs.extend(line.iter().map(|run| {
            let role = if is_current && run.role == Role::Border { Role::Accent } else { run.role };
            StyledRun::new(run.text.clone(), role)
        }));
        page.line(runs);
    }
    (page, before)
}

/// Lists the places that were searched without success.
fn tried(cx: &Cx<'_>, search: &RunbookSearch, page: &mut PageContent) {
    if search.found.is_none() {
        page.paragraph(&format!(" {} No runbook found.", cx.symbol(Role::Unknown)), Role::Unknown);
    }
    for tried in &search.tried {
        page.pair("searched", &tried.place, Role::Accent);
        page.pair("", &tried.why, Role::Stale);
    }
    if search.found.is_none() {
        page.line(Vec::new());
        let advice = "A runbook comes from the alert's runbook_url annotation or from [runbooks] in the configuration: a folder \
                      of files named after alerts or services, or URL templates.";
        page.paragraph(&format!(" {advice}"), Role::Muted);
    }
}
