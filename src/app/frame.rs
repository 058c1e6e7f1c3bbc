//! The frame around every screen: context, sources and clocks above, the way here and the keys below.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::commands::Command;
use super::doings::Doing;
use super::doubt::doubts;
use super::event::Tone;
use super::hints;
use super::look::Cx;
use super::navigate;
use super::number::ago;
use super::overlay;
use super::place::{Paper, Place, SCREENS};
use super::screens;
use super::screens::incidents::words as incident_words;
use super::screens::oncall::words as on_call_words;
use super::state::{Mode, State};
use super::theme::Role;
use super::widgets::text::{self, Run};
use crate::model::alert::AlertState;
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::health::Health;
use crate::model::remote::age;
use crate::model::slo::{SloState, SloStatus};

/// For how long an answer to a key stands before what is on its way.
const ANSWERED: Duration = Duration::from_secs(5);
/// Smaller than this, the screen is one line.
const SMALLEST: (u16, u16) = (40, 10);

/// Where the parts of the frame stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Areas {
    /// Line 1.
    pub bar: Rect,
    /// Line 2.
    pub tabs: Rect,
    /// The screen.
    pub body: Rect,
    /// The last line.
    pub footer: Rect,
}

/// Where the parts of the frame stand in a terminal of this size.
pub(super) fn areas((width, height): (u16, u16)) -> Areas {
    let line = |y| Rect { x: 0, y, width, height: 1.min(height) };
    Areas {
        bar: line(0),
        tabs: line(1),
        body: Rect { x: 0, y: 2, width, height: height.saturating_sub(3) },
        footer: line(height.saturating_sub(1)),
    }
}

/// The rows of a table that has a heading line above its header.
pub(super) fn table_rows(body: Rect) -> Rect {
    super::widgets::table::body(below_heading(body))
}

/// What is left below a heading line.
pub(super) fn below_heading(body: Rect) -> Rect {
    let line = 1.min(body.height);
    Rect { y: body.y + line, height: body.height - line, ..body }
}

/// Draws a heading line: what this is, and on the right what is to be doubted about it. Gives the room below.
pub(super) fn heading(
    cx: &Cx<'_>,
    left: &[Run<'_>],
    right: &[Run<'_>],
    area: Rect,
    buf: &mut Buffer,
) -> Rect {
    let line = Rect { height: 1.min(area.height), ..area };
    let wide = |runs: &[Run<'_>]| runs.iter().map(|run| text::width(&run.text)).sum::<u16>();
    // a doubt must be seen: it gets three fifths of the line, and more where the rest needs less
    let most = (line.width * 3 / 5).max(line.width.saturating_sub(wide(left) + 2));
    let width = wide(right).min(most);
    let gap = if width > 0 { 2 } else { 0 };
    text::runs(cx, left, Rect { width: line.width.saturating_sub(width + gap), ..line }, buf);
    text::runs(cx, right, Rect { x: line.right() - width, width, ..line }, buf);
    below_heading(area)
}

/// What is to be doubted about a screen that uses answers of these kinds, for its heading.
pub(super) fn doubt_runs(state: &State, kinds: &[AskKind], now: Timestamp) -> Vec<Run<'static>> {
    // what is about one thing is asked by the screen that is about it
    let about_one = AskKind::ALL.into_iter().filter(|kind| kind.is_about_one());
    let kinds: Vec<AskKind> = kinds.iter().copied().chain(about_one).collect();
    let all = doubts(state, &kinds, now);
    let Some(first) = all.first() else { return Vec::new() };
    let more = if all.len() > 1 { format!(" (+{} more, see Sources)", all.len() - 1) } else { String::new() };
    let sign = state.look.charset.pick(Role::Stale.symbol(), Role::Stale.ascii());
    vec![Run::new(format!("{sign} {}{more}", first.sentence(now)), Role::Stale)]
}

/// Draws all of the screen: same state, moment and size, same cells.
pub fn render(state: &State, now: Timestamp, buf: &mut Buffer) {
    let area = buf.area;
    let cx = state.cx(now);
    buf.set_style(area, cx.style(Role::Text));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        summary(state, &cx, area, buf);
        return;
    }
    let areas = areas((area.width, area.height));
    bar(state, &cx, areas.bar, buf);
    tabs(state, &cx, areas.tabs, buf);
    screens::render(state, now, areas.body, buf);
    footer(state, &cx, areas.footer, buf);
    overlay::render(state, &cx, buf);
}

/// One line for a terminal that is too small for more: the worst first.
fn summary(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let firing = state.world.tally().in_state(AlertState::Firing);
    let mut runs = Vec::new();
    let in_doubt = doubts(state, &AskKind::ALL, cx.now).len();
    if in_doubt > 0 {
        runs.push(Run::new(format!("{} {in_doubt} stale ", cx.symbol(Role::Stale)), Role::Stale));
    }
    for health in Health::ALL {
        let count = state.world.services().iter().filter(|service| service.health == health).count();
        if count > 0 {
            let role = Role::of_health(health);
            runs.push(Run::new(format!("{}{count} ", cx.symbol(role)), role));
        }
    }
    runs.push(Run::new(format!("alerts {firing}"), if firing > 0 { Role::Critical } else { Role::Text }));
    text::runs(cx, &runs, Rect { height: 1.min(area.height), ..area }, buf);
}

fn bar(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    // line 1 of production has a colour of its own, and says the word
    let ground = if state.production { Role::Production } else { Role::Bar };
    buf.set_style(area, cx.style(ground));
    let mut left = vec![Run::new(" burnwatch  ", ground)];
    left.push(if state.production {
        Run::new(format!(" {} PROD {} ", cx.symbol(Role::Banner), state.context), Role::Banner)
    } else {
        Run::new(state.context.to_string(), Role::Accent)
    });
    if state.guard.read_only.is_some() {
        left.push(Run::new("  read-only", Role::Muted));
    } else if state.guard.dry_run {
        left.push(Run::new("  ", ground));
        left.push(Run::new(" DRY RUN ", Role::Banner));
    }
    if cx.sparing {
        left.push(Run::new("  slow line", Role::Muted));
    }
    if let Some(since) = state.paused {
        left.push(Run::new(format!("  PAUSED {}", duration::short(age(since, cx.now))), Role::Banner));
    }
    if state.range.end.is_some() {
        left.push(Run::new(format!("  {}", state.range.words(cx.now)), Role::Banner));
    }
    let all = state.sources.len();
    let in_doubt = doubts(state, &AskKind::ALL, cx.now);
    let answered = state
        .sources
        .iter()
        .filter(|s| state.world.held(&s.id).is_some_and(|h| h.probe().at().is_some()))
        .count();
    let well = all.saturating_sub(in_doubt.len()).min(answered);
    let role = if !in_doubt.is_empty() {
        Role::Stale
    } else if well == all {
        Role::Healthy
    } else {
        Role::Muted
    };
    let sources = Run::new(format!("{} {well}/{all} sources", cx.symbol(role)), role);
    let time = clock(cx, area.width >= 60);
    let mut right = vec![sources, Run::new(format!("  {time} "), ground)];
    let width = |runs: &[Run<'_>]| runs.iter().map(|run| text::width(&run.text)).sum::<u16>();
    if width(&left) + width(&right) > area.width {
        left.remove(0);
    }
    if width(&left) + width(&right) > area.width {
        right.pop();
    }
    let used = text::runs(cx, &left, area, buf);
    let wide = width(&right).min(area.width);
    let between = Rect { x: area.x + used, width: area.width.saturating_sub(used + wide), ..area };
    on_call(state, cx, between, buf);
    text::runs(cx, &right, Rect { x: area.right() - wide, width: wide, ..area }, buf);
}

/// Who is on call now and next, in the middle between what is more important; whole or not at all.
fn on_call(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let Some((mut runs, next)) = on_call_words::line(state, cx) else { return };
    let width = |runs: &[Run<'_>]| runs.iter().map(|run| text::width(&run.text)).fold(0, u16::saturating_add);
    // two blanks at both ends
    let room = area.width.saturating_sub(4);
    if width(&runs).saturating_add(width(&next)) <= room {
        runs.extend(next);
    }
    let wide = width(&runs);
    if wide <= room {
        let x = area.x + 2 + (room - wide) / 2;
        text::runs(cx, &runs, Rect { x, width: wide, ..area }, buf);
    }
}

/// The time here and, where there is room and it differs, in UTC.
fn clock(cx: &Cx<'_>, with_utc: bool) -> String {
    let here = cx.now.to_zoned(cx.zone.clone());
    let time = here.strftime(if cx.sparing { "%H:%M" } else { "%H:%M:%S" });
    if here.offset().is_zero() {
        return format!("{time} UTC");
    }
    let local = format!("{time} {}", here.strftime("%Z"));
    if with_utc { format!("{local} ({})", cx.now.to_zoned(TimeZone::UTC).strftime("%H:%MZ")) } else { local }
}

/// What each tab of line 2 says: its text, its count, and how the count is to look.
fn tab_runs(state: &State, cx: &Cx<'_>) -> Vec<(Command, Vec<Run<'static>>)> {
    let width = |tabs: &[(Command, Vec<Run<'_>>)]| -> u16 {
        tabs.iter().flat_map(|(_, runs)| runs).map(|run| text::width(&run.text)).sum()
    };
    let present = state.place().screen();
    let mut tabs = titled_tabs(state, cx);
    // all numbers and counts say more than whole titles: these keep the letters that there is room for
    for letters in (1..=5).rev() {
        if width(&tabs) <= state.size.0 {
            break;
        }
        for (_, runs) in tabs.iter_mut().filter(|(screen, _)| present != Some(*screen)) {
            if let Some(title) = runs.get_mut(1) {
                title.text = title.text.chars().take(letters).collect::<String>().into();
            }
        }
    }
    if width(&tabs) > state.size.0 {
        // where nothing is counted, the number alone will do
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

fn titled_tabs(state: &State, cx: &Cx<'_>) -> Vec<(Command, Vec<Run<'static>>)> {
    let narrow = state.size.0 < 72;
    let looked = |screen| state.looked.get(&screen).copied();
    let present = state.place().screen();
    let tabs = SCREENS.into_iter().map(|screen| {
        let role = if present == Some(screen.command) { Role::Accent } else { Role::Text };
        let title = if narrow { screen.short } else { screen.title };
        let mut runs = vec![Run::new(format!(" {} ", screen.number), Role::Key), Run::new(title, role)];
        let (count, worst, newest) = match screen.command {
            Command::Services => {
                let bad = state.world.services().iter().filter(|s| s.health < Health::Unknown);
                (
                    bad.clone().count(),
                    bad.clone().map(|s| Role::of_health(s.health)).min_by_key(|r| *r as usize),
                    bad.filter_map(|s| s.since).max(),
                )
            }
            Command::Slos => {
                let bad = state.world.slos().iter().map(SloStatus::state);
                let is_bad = |state: &SloState| match state {
                    SloState::Page | SloState::Ticket | SloState::Exhausted | SloState::Burning => true,
                    SloState::NoData | SloState::Insufficient | SloState::Fine | SloState::Quiet => false,
                };
                let bad = bad.filter(is_bad);
                (bad.clone().count(), bad.min().map(Role::of_slo), None)
            }
            Command::Alerts => {
                let tally = state.world.tally();
                (tally.loud(), tally.worst().map(Role::of_severity), tally.newest())
            }
            Command::Incidents => {
                let open = state.world.incidents().iter().filter(|known| known.incident.is_open());
                (
                    open.clone().count(),
                    open.clone().map(|known| incident_words::role(known, cx.now)).min_by_key(|r| *r as usize),
                    open.map(|known| known.incident.created_at).max(),
                )
            }
            Command::OnCall => (on_call_words::uncovered(state, cx.now), Some(Role::Down), None),
            Command::Sources => {
                let bad = doubts(state, &AskKind::ALL, cx.now).len();
                (bad, Some(Role::Stale), None)
            }
            _ => (0, None, None),
        };
        if let (1.., Some(role)) = (count, worst) {
            // a count that grew since the last look at its screen has a sign, not only a colour
            let is_new = present != Some(screen.command)
                && newest.zip(looked(screen.command)).is_some_and(|(n, l)| n > l);
            // what an SLO is like is not told by its number alone
            let sign = match screen.command {
                Command::Slos | Command::OnCall => cx.symbol(role),
                _ if is_new => cx.symbol(Role::New),
                _ => "",
            };
            runs.push(Run::new(format!(" {sign}{count}"), role));
        }
        runs.push(Run::new(if narrow { "" } else { " " }, Role::Text));
        (screen.command, runs)
    });
    tabs.collect()
}

fn tabs(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    let runs: Vec<Run<'static>> = tab_runs(state, cx).into_iter().flat_map(|(_, runs)| runs).collect();
    text::runs(cx, &runs, area, buf);
}

/// The screen whose tab is at this cell.
pub(super) fn tab_at(state: &State, column: u16, row: u16) -> Option<Command> {
    if row != areas(state.size).tabs.y {
        return None;
    }
    let mut x = 0;
    // symbols are one cell wide in every charset, so the moment and the theme do not matter here
    tab_runs(state, &state.cx(Timestamp::UNIX_EPOCH)).into_iter().find_map(|(command, runs)| {
        x += runs.iter().map(|run| text::width(&run.text)).sum::<u16>();
        (column < x).then_some(command)
    })
}

fn footer(state: &State, cx: &Cx<'_>, area: Rect, buf: &mut Buffer) {
    buf.set_style(area, cx.style(Role::Bar));
    if let Mode::Filter { line, .. } = &state.mode {
        let mut runs = vec![
            Run::new(" / ", Role::Key),
            Run::new(line.before_cursor().to_owned(), Role::Text),
            Run::new(cx.charset.pick("▏", "|"), Role::Accent),
            Run::new(line.after_cursor().to_owned(), Role::Text),
        ];
        let hint = navigate::filter(state).and_then(super::found::Found::error);
        let hint = hint.unwrap_or_else(|| "Enter keeps it, Esc takes it back".to_owned());
        runs.push(Run::new(format!("   {hint}"), Role::Muted));
        text::runs(cx, &runs, area, buf);
        return;
    }
    // what was said a moment ago is an answer to a key: it goes before what is still on its way
    let is_new = |doing: &Doing| {
        let newest = state.messages.newest(cx.now);
        newest.is_some_and(|told| told.at > doing.begun_at && age(told.at, cx.now) < ANSWERED)
    };
    let running = state.doings.running().next().filter(|doing| !is_new(doing));
    let left = match (running, state.messages.newest(cx.now)) {
        (Some(doing), _) => {
            let words = doing.standing(cx.zone, text::ellipsis(cx.charset));
            vec![Run::new(format!(" {} {words}", cx.symbol(Role::Sending)), Role::Sending)]
        }
        (None, Some(told)) => {
            let (sign, role) = match told.message.tone {
                Tone::Trouble => (cx.symbol(Role::Trouble), Role::Trouble),
                Tone::Note => ("", Role::Text),
            };
            let ago = match ago(told.at, cx.now) {
                new if new.starts_with('<') => "now".to_owned(),
                old => format!("{old} ago"),
            };
            vec![Run::new(format!(" {sign} {} ({ago})", told.message.text), role)]
        }
        (None, None) => standing(state, cx),
    };
    let wide = |hint: &[Run<'_>]| hint.iter().map(|run| text::width(&run.text)).sum::<u16>();
    let mut hints = hints::shown(state);
    // the first say most, and help, the last, knows all others: it keeps its place beside a long message, too
    let help = hints.last().map_or(0, |help| wide(help) + 2);
    let used = text::runs(cx, &left, Rect { width: area.width.saturating_sub(help), ..area }, buf);
    while hints.len() > 1 && used + 2 + hints.iter().map(|hint| wide(hint)).sum::<u16>() > area.width {
        hints.remove(hints.len() - 2);
    }
    let hints: Vec<Run<'_>> = hints.into_iter().flatten().collect();
    let width = wide(&hints);
    if used + 2 + width <= area.width {
        text::runs(cx, &hints, Rect { x: area.right() - width, width, ..area }, buf);
    }
}

/// The way here, and as long as a source is in trouble what is wrong and what to do.
fn standing(state: &State, cx: &Cx<'_>) -> Vec<Run<'static>> {
    let mut runs = breadcrumb(state);
    if let Some(doubt) = doubts(state, &AskKind::ALL, cx.now).first() {
        let sign = cx.symbol(Role::Stale);
        let words = format!("  {sign} {}: {}. {}", doubt.source, doubt.reason, doubt.advice);
        runs.push(Run::new(words, Role::Stale));
    }
    runs
}

/// The way from the last screen of line 2 to here.
fn breadcrumb(state: &State) -> Vec<Run<'static>> {
    let from = state.places.iter().rposition(|stop| stop.place.is_top()).unwrap_or(0);
    let steps = state.places.iter().skip(from).map(|stop| match &stop.place {
        Place::Overview => "Overview".to_owned(),
        Place::Services => "Services".to_owned(),
        Place::Service(name) => name.to_string(),
        Place::Slos => "SLOs".to_owned(),
        Place::Slo { id, .. } => id.to_string(),
        Place::Alerts => "Alerts".to_owned(),
        Place::Alert(fingerprint) => match state.world.alert(*fingerprint) {
            Some(alert) => {
                let service =
                    state.world.service_of(&alert.labels).map(|name| format!(" {name}")).unwrap_or_default();
                format!("{}{service}", alert.name())
            }
            None => "an alert that is gone".to_owned(),
        },
        Place::Incidents => "Incidents".to_owned(),
        Place::Incident { source, id } => match state.world.incident(source, id) {
            Some(known) => format!("#{}", known.incident.number),
            None => "an incident that is gone".to_owned(),
        },
        Place::OnCall => "On-call".to_owned(),
        Place::Policy { source, id } => screens::oncall::policy(&state.world, source, id)
            .map_or_else(|| "a policy that is gone".to_owned(), |(_, policy)| policy.named.name.to_string()),
        Place::Runbook(wanted) => format!("Runbook {}", wanted.name),
        Place::Silences => "Silences".to_owned(),
        Place::Timeline => "Timeline".to_owned(),
        Place::Sources => "Sources".to_owned(),
        Place::Paper(Paper::Handover(_)) => "Hand-over".to_owned(),
        Place::Paper(Paper::Statistics(_)) => "Statistics".to_owned(),
        Place::Paper(Paper::Postmortem { .. }) => "Review".to_owned(),
        Place::Messages => "Messages".to_owned(),
    });
    vec![Run::new(format!(" {}", steps.collect::<Vec<_>>().join(" > ")), Role::Title)]
}
