//! Draws the screen of logs.

use jiff::SignedDuration;

use super::{OpenLogs, PATTERNS, bars};
use crate::app::list_screen::{marked, titled};
use crate::app::log_list;
use crate::app::number::plural;
use crate::app::prelude::*;
use crate::app::range::lengths;
use crate::app::subjects::logs;
use crate::config::kind;
use crate::model::log::LogLines;
use crate::model::source_info::SourceInfo;

/// The areas of the screen below its heading.
pub(super) struct Parts {
    /// The query and how it was found.
    query: Rect,
    legend: Rect,
    bars: Rect,
    /// With its heading line; height 0 if there are no patterns.
    pub(super) patterns: Rect,
    pub(super) lines: Rect,
}

/// Divides the body: the lines get what is left, and always some rows.
pub(super) fn parts(screen: &OpenLogs, shared: &Shared, body: Rect) -> Parts {
    let room = layout::below_heading(body);
    let mut top = room.y;
    let mut take = |rows: u16| {
        let rows = rows.min(room.bottom().saturating_sub(top));
        let part = Rect { y: top, height: rows, ..room };
        top += rows;
        part
    };
    let height = room.height;
    let has_counts = screen.subject.as_ref().is_some_and(|subject| subject.around.is_none())
        && shared.answering(AskKind::LogCounts).next().is_some();
    let query = take(u16::from(height >= 5));
    let legend = take(u16::from(has_counts && height >= 7));
    let bars = take(match height {
        _ if !has_counts => 0,
        40.. => 7,
        24.. => 5,
        14.. => 3,
        9.. => 1,
        _ => 0,
    });
    let count = u16::try_from(screen.news.len()).unwrap_or(u16::MAX);
    let is_focused = screen.scroll_position.panel == PATTERNS;
    let most = match height {
        _ if is_focused => (height / 2).max(2),
        36.. => 6,
        24.. => 4,
        16.. => 2,
        _ => 0,
    };
    let patterns = take(if count == 0 || most == 0 { 0 } else { 1 + count.min(most) });
    let lines = take(u16::MAX);
    Parts { query, legend, bars, patterns, lines }
}

pub(super) fn render(screen: &OpenLogs, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let used = [AskKind::LogLines];
    layout::heading_with_staleness(cx, &title(screen, cx), &used, area, buf);
    let parts = parts(screen, cx.shared, area);
    text::runs(cx, &query(screen, cx), parts.query, buf);
    draw_bars(screen, cx, &parts, buf);
    draw_patterns(screen, cx, parts.patterns, buf);
    if screen.list.lines().is_empty() {
        none(screen, cx, parts.lines, buf);
    } else {
        let has_focus = screen.scroll_position.panel != PATTERNS;
        log_list::view::draw(&screen.list, cx, has_focus, parts.lines, buf);
    }
}

/// "Logs checkout  1,204 lines  following", what is hidden, cut or late, the filter.
fn title(screen: &OpenLogs, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let list = &screen.list;
    let name = screen.subject.as_ref().map_or("", |subject| &subject.title);
    let all = list.lines().len() + screen.hidden;
    let mut runs = titled(&format!("Logs {name}"), format!("{} of {all} loaded lines ", list.lines().len()));
    if screen.hidden == 0 {
        runs = titled(&format!("Logs {name}"), format!("{} ", plural(all, "line")));
    }
    runs.push(badge(screen, cx));
    runs.extend(marked(list.marked()));
    if let Some(least) = screen.least {
        runs.push(StyledRun::new(format!("  {} and worse", least.word()), Role::Match));
    }
    if let Some(text) = screen.subject.as_ref().and_then(|subject| subject.query.contains.clone()) {
        runs.push(StyledRun::new("  at the source: ", Role::Text));
        runs.push(StyledRun::new(text.to_string(), Role::Match));
    }
    if !screen.found.text().is_empty() {
        runs.extend(screen.found.title_runs());
        let key = cx.shared.key(Command::FilterServer);
        runs.push(StyledRun::new(format!(" (of the loaded lines; {key} asks the source)"), Role::Muted));
    }
    for said in limits(screen, cx) {
        runs.push(StyledRun::new(format!("  {} {said}", cx.symbol(Role::Stale)), Role::Stale));
    }
    runs
}

/// Whether new lines appear by themselves.
fn badge(screen: &OpenLogs, cx: &ScreenCx<'_>) -> StyledRun<'static> {
    let newer = screen.list.newer();
    let key = cx.shared.key(Command::FollowLogs);
    let around = screen.subject.as_ref().and_then(|subject| subject.around);
    if let Some((at, _)) = around {
        return StyledRun::new(format!(" around {}", moment(at, cx.now, cx.zone)), Role::Banner);
    }
    if let Some(end) = cx.shared.range.end {
        return StyledRun::new(format!(" until {}", moment(end, cx.now, cx.zone)), Role::Banner);
    }
    if cx.shared.paused.is_some() {
        return StyledRun::new(" paused", Role::Banner);
    }
    if screen.is_follow_off {
        return StyledRun::new(format!(" not following ({key})"), Role::Banner);
    }
    if screen.list.is_at_newest() {
        StyledRun::new(" following", Role::Healthy)
    } else {
        StyledRun::new(format!(" following, {newer} newer"), Role::New)
    }
}

/// What is missing among the loaded lines, and clocks that differ.
fn limits(screen: &OpenLogs, cx: &ScreenCx<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for (source, remote) in screen.loaded(cx.shared) {
        let Some(lines) = remote.value() else { continue };
        let LogLines { trimmed, unreadable, is_behind, until, crowded, .. } = lines;
        if *is_behind && cx.shared.range.end.is_none() {
            said.push(format!("{source}: {} behind", ago(*until, cx.now)));
        }
        if *trimmed > 0 {
            said.push(format!("{source}: {trimmed} older lines dropped from memory"));
        }
        if *unreadable > 0 {
            said.push(format!("{source}: {unreadable} unreadable"));
        }
        if let Some(at) = crowded.first() {
            said.push(format!(
                "{source}: too many lines at {}, some are missing",
                moment(*at, cx.now, cx.zone)
            ));
        }
        let newest = lines.lines.last().map(|line| line.at.duration_since(cx.now));
        if let Some(ahead) = newest.filter(|ahead| *ahead > SignedDuration::from_secs(2)) {
            said.push(format!("{source}: newest line is {}s in the future, clocks differ", ahead.as_secs()));
        }
    }
    said
}

/// The query of each source and how it was found; why there is none.
fn query(screen: &OpenLogs, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = Vec::new();
    for (source, remote) in screen.loaded(cx.shared) {
        runs.push(StyledRun::new(format!(" {source} "), Role::Muted));
        let Some(lines) = remote.value() else {
            match remote.failure() {
                Some(error) => runs.push(StyledRun::new(
                    format!("{} {}", cx.symbol(Role::Trouble), error.kind),
                    Role::Trouble,
                )),
                None => runs.push(StyledRun::new(cx.shared.waiting(), Role::Muted)),
            }
            continue;
        };
        let role = if lines.query.is_empty() { Role::Unknown } else { Role::Accent };
        let shown = if lines.query.is_empty() { "no query" } else { &lines.query };
        runs.push(StyledRun::new(shown.to_owned(), role));
        // the first of several sources needs its room for the query
        for note in lines.notes.iter().chain(remote.warnings.iter().map(|warning| &warning.text)) {
            runs.push(StyledRun::new(format!("  {note}"), Role::Muted));
        }
    }
    runs
}

fn draw_bars(screen: &OpenLogs, cx: &ScreenCx<'_>, parts: &Parts, buf: &mut Buffer) {
    let query = screen.subject.as_ref().map(|subject| &subject.query);
    let mut states = cx.shared.answering(AskKind::LogCounts).filter_map(|source: &SourceInfo| {
        Some((&source.id, cx.world.cache(&source.id)?.log_counts().get(query?)?))
    });
    let failed = states.find_map(|(source, remote)| Some((source, remote.failure()?)));
    if let Some((source, error)) = failed {
        let words = format!(" {} {source}: no histogram: {}", cx.symbol(Role::Trouble), error.kind);
        text::runs(cx, &[StyledRun::new(words, Role::Trouble)], parts.legend, buf);
    }
    let Some(counts) = screen.histogram(cx.shared) else {
        if failed.is_none() {
            text::say(cx, 1, cx.shared.waiting(), Role::Muted, parts.legend, buf);
        }
        return;
    };
    let since = screen.subject.as_ref().and_then(|subject| subject.since);
    let marks: Vec<(Timestamp, &str, Role)> =
        since.iter().map(|since| (*since, cx.symbol(Role::Critical), Role::Accent)).collect();
    if failed.is_none() {
        let mut runs = bars::legend(cx, &counts, parts.bars.height);
        if let Some(since) = since.filter(|since| *since >= counts.span.start()) {
            runs.push(StyledRun::new(
                format!(" {} first alert {}", cx.symbol(Role::Critical), moment(since, cx.now, cx.zone)),
                Role::Accent,
            ));
        }
        let advice = cx.shared.answering(AskKind::LogCounts).filter_map(|source| {
            cx.world.cache(&source.id)?.log_counts().get(query?)?.warnings.first().cloned()
        });
        runs.extend(advice.map(|warning| StyledRun::new(format!("  {}", warning.text), Role::Stale)));
        text::runs(cx, &runs, parts.legend, buf);
    }
    bars::draw(cx, &counts, &marks, parts.bars, buf);
}

fn draw_patterns(screen: &OpenLogs, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    if area.height == 0 {
        return;
    }
    let is_focused = screen.scroll_position.panel == PATTERNS;
    let words = format!(" {}", logs::compared_words(cx, &screen.comparisons(cx.shared)));
    let role = if is_focused { Role::Accent } else { Role::Title };
    text::runs(cx, &[StyledRun::new(words, role)], Rect { height: 1, ..area }, buf);
    let rows = layout::below_heading(area);
    for (y, (index, at)) in (rows.top()..rows.bottom()).zip(screen.patterns.shown(usize::from(rows.height))) {
        let Some(pattern) = screen.news.get(*at) else { continue };
        let line = Rect { y, height: 1, ..rows };
        text::runs(cx, &logs::pattern_runs(pattern), line, buf);
        if is_focused && index == screen.patterns.index() {
            text::select(cx, line, buf);
        }
    }
    let hidden = screen.news.len().saturating_sub(usize::from(rows.height));
    if hidden > 0 {
        text::right(buf, area.x, area.y, area.width, &format!("+{hidden} more "), cx.style(Role::Muted));
    }
}

/// Why there are no lines.
fn none(screen: &OpenLogs, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let mut words: Vec<(String, Role)> = Vec::new();
    if screen.hidden > 0 {
        let text =
            format!("None of the {} loaded lines matches. Press Esc to clear the filter.", screen.hidden);
        words.push((text, Role::Muted));
    } else if cx.shared.answering(AskKind::LogLines).next().is_none() {
        let sources = kind::sources_to_add(cx.shared.kinds, &[AskKind::LogLines]);
        words.push((format!("No source of logs is configured: add {sources}."), Role::Muted));
    }
    for (source, remote) in screen.loaded(cx.shared).filter(|_| words.is_empty()).collect::<Vec<_>>() {
        match (remote.value(), remote.failure()) {
            (_, Some(error)) => words.push((format!("{error}. {}", error.kind.advice()), Role::Trouble)),
            (Some(lines), None) if lines.query.is_empty() => {
                words.extend(lines.notes.iter().map(|note| (format!("{source}: {note}"), Role::Unknown)));
            }
            (Some(_), None) => {
                let longer = lengths().into_iter().find(|length| *length > cx.shared.range.length);
                let advice = longer.map_or(String::new(), |_| {
                    format!(" {} chooses a longer range.", cx.shared.key(Command::Range))
                });
                let range = cx.shared.range.words(cx.now);
                words
                    .push((format!("{source}: no lines in this time range ({range}).{advice}"), Role::Muted));
            }
            (None, None) => words.push((format!("{source}: {}", cx.shared.waiting()), Role::Muted)),
        }
    }
    if words.is_empty() {
        words.push((cx.shared.waiting().to_owned(), Role::Muted));
    }
    let place = Rect { x: area.x + 3, width: area.width.saturating_sub(3), ..area };
    let lines = words.into_iter().flat_map(|(words, role)| {
        text::wrap(&words, place.width.min(100)).into_iter().map(move |line| vec![StyledRun::new(line, role)])
    });
    text::lines(cx, lines, place, buf);
}
