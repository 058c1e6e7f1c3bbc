//! One escalation policy: its levels with who is woken at each, now and over the next days.

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::commands::{Command, Scope};
use crate::app::grid::Grid;
use crate::app::identity::PolicyKey;
use crate::app::layout;
use crate::app::look::Cx;
use crate::app::page::Page;
use crate::app::place::{Spot, Tab};
use crate::app::screen::{About, Hint, Screen, keeps_spot};
use crate::app::selection::Selection;
use crate::app::shared::Shared;
use crate::app::subjects::on_call::{self, words};
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

/// The escalation policy that is open.
#[derive(Debug, Default)]
pub struct OpenPolicy {
    key: Option<PolicyKey>,
    spot: Spot,
}

impl About for OpenPolicy {
    type Subject = PolicyKey;

    fn enter(&mut self, key: &PolicyKey) {
        self.key = Some(key.clone());
    }

    fn title(key: &PolicyKey, shared: &Shared) -> String {
        let known = key.policy(&shared.world);
        known.map_or_else(|| "a policy that is gone".to_owned(), |(_, policy)| policy.named.name.to_string())
    }

    fn tab(_key: &PolicyKey) -> Option<Tab> {
        Some(Tab::OnCall)
    }
}

impl Screen for OpenPolicy {
    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Things]
    }

    fn hints(&self, _shared: &Shared) -> Vec<Hint> {
        vec![(Command::Act, "take the shift"), (Command::Links, "links"), (Command::Back, "back")]
    }

    fn render(&self, shared: &Shared, now: Timestamp, area: Rect, buf: &mut Buffer) {
        if let Some(key) = &self.key {
            render(self, shared, key, now, area, buf);
        }
    }

    keeps_spot!();

    fn grid(&self, _shared: &Shared, body: Rect) -> Grid {
        Grid::list(layout::below_heading(body))
    }

    fn page(&self, shared: &Shared, width: u16) -> Option<Page> {
        let known = self.key.as_ref().and_then(|key| Some((key, key.policy(&shared.world)?)));
        let laid_out = known.map(|(key, (board, policy))| {
            // a hand-over more or less is of no account
            page(shared, &shared.cx(board.from), &key.source, board, policy, width)
        });
        Some(laid_out.unwrap_or_default())
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        self.key.clone().map_or(Selection::Nothing, Selection::Policy)
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        let (_, policy) = self.key.as_ref()?.policy(&shared.world)?;
        Some(policy.named.name.to_string())
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.key.as_ref().map_or_else(Vec::new, |key| on_call::links(shared, key))
    }
}

/// Draws the policy.
fn render(
    screen: &OpenPolicy,
    shared: &Shared,
    key: &PolicyKey,
    now: Timestamp,
    area: Rect,
    buf: &mut Buffer,
) {
    let cx = shared.cx(now);
    let Some((board, policy)) = key.policy(&shared.world) else {
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
        Run::new(format!("  {}", key.source), Role::Muted),
    ];
    let below = layout::heading(&cx, &title, &layout::doubt_runs(shared, &[AskKind::OnCall], now), area, buf);
    page(shared, &cx, &key.source, board, policy, below.width).render(
        &cx,
        screen.spot.scroll,
        None,
        below,
        buf,
    );
}

fn page(
    shared: &Shared,
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
    for number in on_call::levels(board, policy) {
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
            let told = words::told(shared, &at, source, &stint.cover);
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
