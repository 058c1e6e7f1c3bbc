//! The frame around every screen: context, sources and clocks above; breadcrumb, messages and key hints below.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::event::Tone;
use super::layout::areas;
use super::overlay;
use super::prelude::*;
use super::preview_pane;
use super::runs::PlanRun;
use super::screens::Screens;
use super::state::{Mode, State};
use super::subjects::on_call::words as on_call_words;
use crate::model::alert::AlertState;
use crate::model::health::Health;
use crate::model::source_info::SourceInfo;

/// How long the answer to a key is shown instead of the progress of running actions.
const ANSWER_SHOWN_FOR: Duration = Duration::from_secs(5);
/// Below this size, the whole screen is a one-line summary.
const MIN_SIZE: (u16, u16) = (40, 10);

/// Draws the whole screen. The same state, moment and size always give the same cells.
pub fn render(state: &State, now: Timestamp, buf: &mut Buffer) {
    let area = buf.area;
    let cx = state.shared.cx(now);
    buf.set_style(area, cx.style(Role::Text));
    if area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1 {
        summary(state, &cx, area, buf);
        return;
    }
    let areas = areas((area.width, area.height));
    bar(state, &cx, areas.bar, buf);
    tabs(state, &cx, areas.tabs, buf);
    let (body, beside) = preview_pane::split(state.screen(), &state.shared, areas.body);
    state.screen().render(&cx, body, buf);
    if let Some(beside) = beside {
        preview_pane::render(&cx, beside, buf);
    }
    footer(state, &cx, areas.footer, buf);
    overlay::render(state, &cx, buf);
}

/// A one-line summary for a terminal that is too small for more, worst first.
fn summary(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let firing = state.shared.world.totals().in_state(AlertState::Firing);
    let mut runs = Vec::new();
    let stale_count = stale_sources(&state.shared, &AskKind::ALL, cx.now).len();
    if stale_count > 0 {
        runs.push(StyledRun::new(format!("{} {stale_count} stale ", cx.symbol(Role::Stale)), Role::Stale));
    }
    for health in Health::ALL {
        let count = state.shared.world.services().iter().filter(|service| service.health == health).count();
        if count > 0 {
            let role = Role::of_health(health);
            runs.push(StyledRun::new(format!("{}{count} ", cx.symbol(role)), role));
        }
    }
    let role = if firing > 0 { Role::Critical } else { Role::Text };
    runs.push(StyledRun::new(format!("alerts {firing}"), role));
    text::runs(cx, &runs, Rect { height: 1.min(area.height), ..area }, buf);
}

fn bar(state: &State, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let shared = &state.shared;
    // a production context has its own colour in line 1 and the word PROD
    let ground = if shared.production { Role::Production } else { Role::Bar };
    buf.set_style(area, cx.style(ground));
    let mut left = vec![StyledRun::new(" burnwatch  ", ground)];
    left.push(if shared.production {
        StyledRun::new(format!(" {} PROD {} ", cx.symbol(Role::Banner), shared.context), Role::Banner)
    } else {
        StyledRun::new(shared.context.to_string(), Role::Accent)
    });
    if shared.guard.read_only.is_some() {
        left.push(StyledRun::new("  read-only", Role::Muted));
    } else if shared.guard.dry_run {
        left.push(StyledRun::new("  ", ground));
        left.push(StyledRun::new(" DRY RUN ", Role::Banner));
    }
    if cx.is_slow_link {
        left.push(StyledRun::new("  slow connection", Role::Muted));
    }
    if let Some(since) = shared.paused {
        left.push(StyledRun::new(format!("  PAUSED {}", duration::short(age(since, cx.now))), Role::Banner));
    }
    if shared.range.end.is_some() {
        left.push(StyledRun::new(format!("  {}", shared.range.words(cx.now)), Role::Banner));
    }
    let all = shared.sources.len();
    let stale = stale_sources(shared, &AskKind::ALL, cx.now);
    let is_answered =
        |info: &&SourceInfo| shared.world.cache(&info.id).is_some_and(|cache| cache.probe().at.is_some());
    let answered = shared.sources.iter().filter(is_answered).count();
    let well = all.saturating_sub(stale.len()).min(answered);
    let role = if !stale.is_empty() {
        Role::Stale
    } else if well == all {
        Role::Healthy
    } else {
        Role::Muted
    };
    let sources = StyledRun::new(format!("{} {well}/{all} sources", cx.symbol(role)), role);
    let time = clock(cx, area.width >= 60);
    let mut right = vec![sources, StyledRun::new(format!("  {time} "), ground)];
    if text::runs_width(&left) + text::runs_width(&right) > area.width {
        left.remove(0);
    }
    if text::runs_width(&left) + text::runs_width(&right) > area.width {
        right.pop();
    }
    let used = text::runs(cx, &left, area, buf);
    let wide = text::runs_width(&right).min(area.width);
    let between = Rect { x: area.x + used, width: area.width.saturating_sub(used + wide), ..area };
    on_call(cx, between, buf);
    text::runs(cx, &right, Rect { x: area.right() - wide, width: wide, ..area }, buf);
}

/// Who is on call now and next, centred between the left and the right part; left out if it does not fit whole.
fn on_call(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let Some((mut runs, next)) = on_call_words::line(cx) else { return };
    // two blanks at each end
    let room = area.width.saturating_sub(4);
    if text::runs_width(&runs).saturating_add(text::runs_width(&next)) <= room {
        runs.extend(next);
    }
    let wide = text::runs_width(&runs);
    if wide <= room {
        let x = area.x + 2 + (room - wide) / 2;
        text::runs(cx, &runs, Rect { x, width: wide, ..area }, buf);
    }
}

/// The local time and, if there is room and it differs, UTC.
fn clock(cx: &Cx<'_>, with_utc: bool) -> String {
    let here = cx.now.to_zoned(cx.zone.clone());
    let time = here.strftime(if cx.is_slow_link { "%H:%M" } else { "%H:%M:%S" });
    if here.offset().is_zero() {
        return format!("{time} UTC");
    }
    let local = format!("{time} {}", here.strftime("%Z"));
    if with_utc { format!("{local} ({})", cx.now.to_zoned(TimeZone::UTC).strftime("%H:%MZ")) } else { local }
}

/// The texts of each tab in line 2: number, title, count.
fn tab_runs(state: &State, cx: &ScreenCx<'_>) -> Vec<(Tab, Vec<StyledRun<'static>>)> {
    let width = |tabs: &[(Tab, Vec<StyledRun<'_>>)]| -> u16 {
        tabs.iter().map(|(_, runs)| text::runs_width(runs)).sum()
    };
    let present = Screens::tab(state.place());
    let mut tabs = titled_tabs(state, cx);
    // numbers and counts matter more than full titles: titles are cut to the letters that fit
    for letters in (1..=5).rev() {
        if width(&tabs) <= state.shared.size.0 {
            break;
        }
        for (_, runs) in tabs.iter_mut().filter(|(screen, _)| present != Some(*screen)) {
            if let Some(title) = runs.get_mut(1) {
                title.text = title.text.chars().take(letters).collect::<String>().into();
            }
        }
    }
    if width(&tabs) > state.shared.size.0 {
        // a tab without a count shows only its number
        let uncounted = tabs.iter_mut().filter(|(_, runs)| runs.len() < 4);
        for (_, runs) in uncounted.filter(|(screen, _)| present != Some(*screen)) {
            if let [number, title, ..] = runs.as_mut_slice() {
                number.text = number.text.trim_end().to_owned().into();
                title.text = "".into();
            }
        }
    }
    tabs
}

fn titled_tabs(state: &State, cx: &ScreenCx<'_>) -> Vec<(Tab, Vec<StyledRun<'static>>)> {
    let narrow = state.shared.size.0 < 72;
    let last_seen = |tab: &Tab| state.shared.last_seen.get(tab).copied();
    let present = Screens::tab(state.place());
    let tabs = Tab::ALL.iter().map(|tab| {
        let role = if present == Some(*tab) { Role::Accent } else { Role::Text };
        let title = if narrow { tab.short() } else { tab.title() };
        let mut runs =
            vec![StyledRun::new(format!(" {} ", tab.key()), Role::Key), StyledRun::new(title, role)];
        let Badge { count, worst, newest, has_symbol } = state.screens.at(&tab.place()).badge(cx);
        if let (1.., Some(role)) = (count, worst) {
            // a count that grew since the user last looked has a symbol, not only a colour
            let is_new =
                present != Some(*tab) && newest.zip(last_seen(tab)).is_some_and(|(newest, at)| newest > at);
            let sign = match (has_symbol, is_new) {
                (true, _) => cx.symbol(role),
                (false, true) => cx.symbol(Role::New),
                (false, false) => "",
            };
            runs.push(StyledRun::new(format!(" {sign}{count}"), role));
        }
        runs.push(StyledRun::new(if narrow { "" } else { " " }, Role::Text));
        (*tab, runs)
    });
    tabs.collect()
}

fn tabs(state: &State, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let runs: Vec<StyledRun<'static>> = tab_runs(state, cx).into_iter().flat_map(|(_, runs)| runs).collect();
    text::runs(cx, &runs, area, buf);
}

pub(super) fn tab_at(state: &State, column: u16, row: u16) -> Option<Tab> {
    if row != areas(state.shared.size).tabs.y {
        return None;
    }
    let mut x = 0;
    // symbols are one cell wide in every charset, so the time and the theme do not matter here
    tab_runs(state, &state.shared.cx(Timestamp::UNIX_EPOCH)).into_iter().find_map(|(command, runs)| {
        x += text::runs_width(&runs);
        (column < x).then_some(command)
    })
}

fn footer(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    buf.set_style(area, cx.style(Role::Bar));
    if let Mode::Filter { line, .. } = &state.mode {
        let mut runs = vec![StyledRun::new(" / ", Role::Key)];
        runs.extend(line.runs(cx.charset));
        let hint = state.screen().found().and_then(super::list_filter::ListFilter::error);
        let hint = hint.unwrap_or_else(|| "Enter applies the filter, Esc cancels".to_owned());
        runs.push(StyledRun::new(format!("   {hint}"), Role::Muted));
        text::runs(cx, &runs, area, buf);
        return;
    }
    // a message of the last seconds answers a key: it is shown before the progress of running actions
    let is_new = |run: &PlanRun| {
        let newest = state.shared.messages.newest(cx.now);
        newest.is_some_and(|logged| logged.at > run.begun_at && age(logged.at, cx.now) < ANSWER_SHOWN_FOR)
    };
    let running = state.shared.runs.running().next().filter(|run| !is_new(run));
    let left = match (running, state.shared.messages.newest(cx.now)) {
        (Some(run), _) => {
            let words = run.standing(cx.zone, text::ellipsis(cx.charset));
            vec![StyledRun::new(format!(" {} {words}", cx.symbol(Role::Sending)), Role::Sending)]
        }
        (None, Some(logged)) => {
            let (sign, role) = match logged.message.tone {
                Tone::Trouble => (cx.symbol(Role::Trouble), Role::Trouble),
                Tone::Note => ("", Role::Text),
            };
            let ago = match ago(logged.at, cx.now) {
                new if new.starts_with('<') => "now".to_owned(),
                old => format!("{old} ago"),
            };
            vec![StyledRun::new(format!(" {sign} {} ({ago})", logged.message.text), role)]
        }
        (None, None) => standing(state, cx),
    };
    let mut hints = hints(state);
    // the first hints matter most; help, the last one, lists all keys and stays even beside a long message
    let help = hints.last().map_or(0, |help| text::runs_width(help) + 2);
    let used = text::runs(cx, &left, Rect { width: area.width.saturating_sub(help), ..area }, buf);
    while hints.len() > 1
        && used + 2 + hints.iter().map(|hint| text::runs_width(hint)).sum::<u16>() > area.width
    {
        hints.remove(hints.len() - 2);
    }
    let hints: Vec<StyledRun<'_>> = hints.into_iter().flatten().collect();
    let width = text::runs_width(&hints);
    if used + 2 + width <= area.width {
        text::runs(cx, &hints, Rect { x: area.right() - width, width, ..area }, buf);
    }
}

/// The breadcrumb and, if a source is stale or failing, the reason and what to do.
fn standing(state: &State, cx: &Cx<'_>) -> Vec<StyledRun<'static>> {
    let mut runs = breadcrumb(state);
    if let Some(doubt) = stale_sources(&state.shared, &AskKind::ALL, cx.now).first() {
        let sign = cx.symbol(Role::Stale);
        let words = format!("  {sign} {}: {}. {}", doubt.source, doubt.reason, doubt.advice);
        runs.push(StyledRun::new(words, Role::Stale));
    }
    runs
}

/// The path from the last top-level screen to the current place.
fn breadcrumb(state: &State) -> Vec<StyledRun<'static>> {
    let from = state.places().rposition(Screens::is_top).unwrap_or(0);
    let steps = state.places().skip(from).map(|place| Screens::title(place, &state.shared));
    vec![StyledRun::new(format!(" {}", steps.collect::<Vec<_>>().join(" > ")), Role::Title)]
}

/// The key hints of the screen, the most important first, then palette and help.
fn hints(state: &State) -> Vec<Vec<StyledRun<'static>>> {
    let shared = &state.shared;
    let all = [(Command::Palette, "palette"), (Command::Help, "help")];
    // while the keys are text, these two are, too
    let common = if state.screen().is_editing() { &[][..] } else { &all };
    let is_read_only = shared.guard.read_only.is_some();
    let here = state.screen().hints().into_iter();
    let here = here.filter(|(command, _)| !(is_read_only && command.scope().writes()));
    let shown = here.chain(common.iter().copied()).filter_map(|(command, word)| {
        let key = shared.keys.of(command).first()?;
        Some(vec![
            StyledRun::new(format!("{key} "), Role::Key),
            StyledRun::new(format!("{word}  "), Role::Muted),
        ])
    });
    shown.collect()
}
