//! The page of one escalation policy: its levels, and who is on call at each one now and in the coming days.

use crate::app::identity::PolicyKey;
use crate::app::prelude::*;
use crate::app::subjects::on_call::{self, words};
use crate::model::oncall::{Coverage, EscalationPolicy, EscalationTarget, OnCallSnapshot};

/// Most handoffs per level in the list.
const MAX_HANDOFFS: usize = 8;

#[derive(Debug, Default)]
pub struct OpenPolicy {
    pub(super) subject: Option<PolicyKey>,
    scroll_position: ScrollPosition,
}

impl SubjectScreen for OpenPolicy {
    type Subject = PolicyKey;
    const TAB: Option<Tab> = Some(Tab::OnCall);

    fn title(key: &PolicyKey, shared: &Shared) -> String {
        let known = key.policy(&shared.world);
        known
            .map_or_else(|| "policy no longer listed".to_owned(), |(_, policy)| policy.named.name.to_string())
    }
}

impl Screen for OpenPolicy {
    offers! { [AnyAction]: Act "take shift", Links, Back }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let Some(key) = &self.subject else { return };
        let Some((snapshot, policy)) = key.policy(cx.world) else {
            let words = "This escalation policy is no longer listed by its source. Press Esc to go back.";
            text::say(cx, 1, words, Role::Unknown, area, buf);
            return;
        };
        let repeats = match policy.repeats {
            0 => "  no repeats".to_owned(),
            1 => "  repeats once".to_owned(),
            n => format!("  repeats {n} times"),
        };
        let title = [
            StyledRun::new(format!(" {}", policy.named.name), Role::Title),
            StyledRun::new(repeats, Role::Muted),
            StyledRun::new(format!("  {}", key.source), Role::Muted),
        ];
        let below = layout::heading(
            cx,
            &title,
            &layout::staleness_runs(cx.shared, &[AskKind::OnCall], cx.now),
            area,
            buf,
        );
        let page = page(cx, &key.source, snapshot, policy, below.width);
        page.render(cx, self.scroll_position.scroll, below, buf);
    }

    keeps_scroll_position!();

    fn page(&self, shared: &Shared, width: u16) -> Option<PageContent> {
        let known = self.subject.as_ref().and_then(|key| Some((key, key.policy(&shared.world)?)));
        let laid_out = known.map(|(key, (snapshot, policy))| {
            // the number of lines may differ by a handoff or two, which does not matter
            page(&shared.cx(snapshot.from), &key.source, snapshot, policy, width)
        });
        Some(laid_out.unwrap_or_default())
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        self.subject.clone().map_or(Selection::Nothing, Selection::Policy)
    }

    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        let (_, policy) = self.subject.as_ref()?.policy(&shared.world)?;
        Some(policy.named.name.to_string())
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.subject.as_ref().map_or_else(Vec::new, |key| on_call::links(shared, key))
    }
}

fn page(
    cx: &ScreenCx<'_>,
    source: &SourceId,
    snapshot: &OnCallSnapshot,
    policy: &EscalationPolicy,
    width: u16,
) -> PageContent {
    let mut page = PageContent::new(width);
    for (name, all) in [("services", &policy.services), ("teams", &policy.teams)] {
        page.names(name, all.iter().map(|one| &*one.name), Role::Text);
    }
    for number in on_call::levels(snapshot, policy) {
        let level = policy.levels.iter().find(|level| level.number == number);
        let delay = level.map(|level| format!(", escalates after {}", duration::short(level.delay)));
        page.title(&format!("Level {number}{}", delay.unwrap_or_default()));
        for target in level.into_iter().flat_map(|level| &level.targets) {
            match target {
                EscalationTarget::Person(person) => page.pair("user", &person.name, Role::Text),
                EscalationTarget::Schedule(schedule) => page.pair("schedule", &schedule.name, Role::Text),
            }
        }
        let ahead = snapshot.coverage_slots(&policy.named.id, number, cx.now, snapshot.until.max(cx.now));
        if ahead.is_empty() {
            page.pair("now", "unknown", Role::Muted);
        }
        let known = ahead.iter().filter(|coverage_slot| coverage_slot.cover != Coverage::Unknown);
        for (i, coverage_slot) in known.take(MAX_HANDOFFS).enumerate() {
            let when =
                if i == 0 { "now".to_owned() } else { words::when(coverage_slot.from, cx.now, cx.zone) };
            let at = cx.at(coverage_slot.from);
            let on_call = words::on_call_names(&at, source, &coverage_slot.cover);
            let also = coverage_slot.cover.on_duty().iter().flat_map(|person_on_duty| &person_on_duty.also);
            let also: Vec<String> = also.map(|level| format!("also level {level}")).collect();
            let also = if also.is_empty() { String::new() } else { format!(" ({})", also.join(", ")) };
            page.pair(&when, &format!("{}{also}", on_call.text), on_call.role);
        }
    }
    page
}
