//! One escalation policy: its levels with who is woken at each, now and over the next days.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::frame;
use crate::app::look::Cx;
use crate::app::screens::oncall::{self, words};
use crate::app::screens::page::Page;
use crate::app::state::State;
use crate::app::theme::Role;
use crate::app::widgets::text::{self, Run};
use crate::model::ask::AskKind;
use crate::model::duration;
use crate::model::incident::Named;
use crate::model::labels::Text;
use crate::model::oncall::{Cover, EscalationPolicy, OnCallBoard, Target};
use crate::model::source::SourceId;

/// Most hand-overs of a level that are listed.
const HAND_OVERS: usize = 8;

/// Draws the policy.
pub fn render(state: &State, source: &SourceId, id: &str, now: Timestamp, area: Rect, buf: &mut Buffer) {
    let cx = state.cx(now);
    let Some((board, policy)) = oncall::policy(&state.world, source, id) else {
        let words = "This policy is gone: its source does not name it any more. Esc goes back.";
        text::put(buf, area.x + 1, area.y, area.width.saturating_sub(1), words, cx.style(Role::Unknown));
        return;
    };
    let repeats = match policy.repeats {
        0 => "  woken once".to_owned(),
        1 => "  begins anew once".to_owned(),
        n => format!("  begins anew {n} times"),
    };
    let title = [
        Run::new(format!(" {}", policy.named.name), Role::Title),
        Run::new(repeats, Role::Muted),
        Run::new(format!("  {source}"), Role::Muted),
    ];
    let below = frame::heading(&cx, &title, &frame::doubt_runs(state, &[AskKind::OnCall], now), area, buf);
    page(state, &cx, source, board, policy, below.width).render(&cx, state.scroll, None, below, buf);
}

/// How far it can be scrolled that stands in this area.
pub fn last_scroll(state: &State, source: &SourceId, id: &str, area: Rect) -> u16 {
    let Some((board, policy)) = oncall::policy(&state.world, source, id) else { return 0 };
    // a hand-over more or less is of no account
    page(state, &state.cx(board.from), source, board, policy, area.width).last_scroll(area.height)
}

fn page(
    state: &State,
    cx: &Cx<'_>,
    source: &SourceId,
    board: &OnCallBoard,
    policy: &EscalationPolicy,
    width: u16,
) -> Page {
    let mut page = Page::new(width);
    let joined = |named: &[Named]| named.iter().map(|one| &*one.name).collect::<Vec<_>>().join(", ");
    for (name, all) in [("services", &policy.services), ("teams", &policy.teams)] {
        if !all.is_empty() {
            page.pair(name, &joined(all), Role::Text);
        }
    }
    for number in oncall::levels(board, policy) {
        let level = policy.levels.iter().find(|level| level.number == number);
        let delay = level.map(|level| format!(", the next after {}", duration::short(level.delay)));
        page.title(&format!("Level {number}{}", delay.unwrap_or_default()));
        for target in level.into_iter().flat_map(|level| &level.targets) {
            match target {
                Target::Person(person) => page.pair("person", &person.name, Role::Text),
                Target::Schedule(schedule) => page.pair("schedule", &schedule.name, Role::Text),
            }
        }
        let ahead = board.stints(&policy.named.id, number, cx.now, board.until.max(cx.now));
        if ahead.is_empty() {
            page.pair("now", "not known", Role::Muted);
        }
        for (i, stint) in
            ahead.iter().filter(|stint| stint.cover != Cover::Unknown).take(HAND_OVERS).enumerate()
        {
            let when = if i == 0 { "now".to_owned() } else { words::when(stint.from, cx.now, cx.zone) };
            let at = Cx { now: stint.from, ..*cx };
            let told = words::told(state, &at, source, &stint.cover);
            let also: Vec<String> = stint
                .cover
                .turns()
                .iter()
                .flat_map(|turn| &turn.also)
                .map(|level| format!("also level {level}"))
                .collect();
            let also = if also.is_empty() { String::new() } else { format!(" ({})", also.join(", ")) };
            page.pair(&when, &format!("{}{also}", told.text), told.role);
        }
    }
    page
}

/// Its pages: its own, and those of its schedules and services.
pub fn links(state: &State, source: &SourceId, id: &str) -> Vec<(String, Text)> {
    let Some((_, policy)) = oncall::policy(&state.world, source, id) else { return Vec::new() };
    let targets = policy.levels.iter().flat_map(|level| &level.targets);
    let schedules = targets.filter_map(|target| match target {
        Target::Schedule(schedule) => Some(schedule),
        Target::Person(_) => None,
    });
    let all = std::iter::once(&policy.named).chain(schedules).chain(&policy.services);
    let links = all.filter_map(|named| Some((named.name.to_string(), named.url.clone()?)));
    links.filter(|(_, url)| crate::app::navigate::is_link(url)).collect()
}
