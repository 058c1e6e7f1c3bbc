//! On-call: who is on call now and next at each level of each escalation policy, and a week calendar of the selected level.

use std::collections::BTreeSet;

use crate::app::identity::{LevelKey, PolicyKey};
use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, NO_PAGING, lists};
use crate::app::prelude::*;
use crate::app::subjects::on_call::{self, levels, words};
use crate::app::widgets::table;
use crate::model::oncall::{EscalationPolicy, OnCallSnapshot};

mod calendar;
pub mod columns;

use columns::LevelItem;

#[derive(Debug, Default)]
pub struct OnCall {
    /// The levels of all policies.
    pub rows: FilteredList<LevelKey>,
}

/// Whether the user has an on-call shift in a policy.
fn is_assigned_to_user(snapshot: &OnCallSnapshot, policy: &EscalationPolicy) -> bool {
    let Some(me) = &snapshot.me else { return false };
    snapshot.shifts.iter().any(|shift| shift.policy == policy.named.id && shift.person.id == me.id)
}

/// All levels of all policies: those with shifts of the user first, then by the policy's name.
fn all(world: &World) -> Vec<(LevelKey, Labels)> {
    let mut policies: Vec<(&SourceId, &OnCallSnapshot, &EscalationPolicy)> = world
        .on_call()
        .flat_map(|(source, snapshot)| snapshot.policies.iter().map(move |policy| (source, snapshot, policy)))
        .collect();
    policies.sort_by_cached_key(|(source, snapshot, policy)| {
        (
            !is_assigned_to_user(snapshot, policy),
            policy.named.name.clone(),
            (*source).clone(),
            policy.named.id.clone(),
        )
    });
    let keys = policies.into_iter().flat_map(|(source, snapshot, policy)| {
        levels(snapshot, policy).into_iter().map(move |level| {
            let key =
                LevelKey { policy: PolicyKey { source: source.clone(), id: policy.named.id.clone() }, level };
            let labels = described(&key, snapshot, policy);
            (key, labels)
        })
    });
    keys.collect()
}

/// The fields of a level that a filter can use.
fn described(key: &LevelKey, snapshot: &OnCallSnapshot, policy: &EscalationPolicy) -> Labels {
    let its =
        snapshot.shifts.iter().filter(|shift| shift.policy == key.policy.id && shift.level == key.level);
    let people: BTreeSet<&str> = its.map(|shift| &*shift.person.name).collect();
    let joined = |names: Vec<&str>| Text::from(names.join(", "));
    let pairs = [
        ("policy", policy.named.name.clone()),
        ("level", key.level.to_string().into()),
        ("who", joined(people.into_iter().collect())),
        ("team", joined(policy.teams.iter().map(|team| &*team.name).collect())),
        ("service", joined(policy.services.iter().map(|service| &*service.name).collect())),
        ("source", key.policy.source.as_str().into()),
    ];
    Labels::default().with(pairs)
}

impl Screen for OnCall {
    offers! { [List, AnyAction]: Open "policy", Act "take shift", Filter, Links }

    fn render(&self, cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
        let parts = parts(self, cx.shared, area);
        list_screen::heading(self, cx, area, buf);
        list_screen::draw_rows(self, cx, parts.table, buf);
        if let Some(key) = self.rows.list.current().filter(|_| parts.week.height > 0) {
            calendar::render(cx, key, parts.week, buf);
        }
        if parts.own.height > 0 {
            own(cx, parts.own, buf);
        }
    }

    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let all = all(&shared.world);
        let haystack = || Haystack::new(all.iter().map(|(_, labels)| (labels, [])));
        let passes = self.rows.found.select(shared.world.revision(), is_typing, haystack);
        self.rows.list.set_rows(passing(all, passes.as_deref()).map(|(key, _)| key).collect());
    }

    lists_rows!();

    fn grid(&self, shared: &Shared, body: Rect) -> Grid {
        Grid::list(table::body(parts(self, shared, body).table))
    }

    fn open(&mut self, _shared: &Shared) -> Opened {
        self.rows.list.current().map(|key| Place::Policy(key.policy.clone())).into()
    }

    fn selection(&self, _shared: &Shared) -> Selection {
        self.rows.list.current().cloned().map_or(Selection::Nothing, Selection::Level)
    }

    /// The policy, the level and who is on call, for the clipboard.
    fn copied(&self, shared: &Shared, now: Timestamp) -> Option<String> {
        self.rows.list.copied(|key| {
            let (snapshot, policy) = key.policy.policy(&shared.world)?;
            let on_call_at = snapshot.on_call_at(&key.policy.id, key.level, now);
            let names = words::names(shared, &key.policy.source, &on_call_at.now);
            Some(format!("{}, level {}: {names}", policy.named.name, key.level))
        })
    }

    fn links(&self, shared: &Shared) -> Vec<(String, Text)> {
        self.rows.list.current().map_or_else(Vec::new, |key| on_call::links(shared, &key.policy))
    }

    fn badge(&self, cx: &ScreenCx<'_>) -> Badge {
        let count = words::uncovered(cx.shared, cx.now);
        Badge { count, worst: Some(Role::Down), newest: None, has_symbol: true }
    }
}

impl ListScreen for OnCall {
    lists!(LevelKey);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::OnCall];
    const NOUN: &'static str = "policy";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: Self::USED,
        no_source: NO_PAGING,
        source: "paging source",
        loading: "the on-call schedule",
        one: None,
    });

    /// The title: "On-call 3 policies", and as an alarm how many policies have nobody on call.
    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let shown: BTreeSet<&PolicyKey> = self.rows.list.rows().iter().map(|key| &key.policy).collect();
        let all: usize = cx.world.on_call().map(|(_, snapshot)| snapshot.policies.len()).sum();
        let noun = if all == 1 { "policy" } else { "policies" };
        let mut runs = list_screen::titled("On-call", format!("{} {noun}", count(shown.len(), all)));
        let uncovered = words::uncovered(cx.shared, cx.now);
        if uncovered > 0 {
            let words = format!("  {} {uncovered} with nobody on call", cx.symbol(Role::Down));
            runs.push(StyledRun::new(words, Role::Down));
        }
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(self.rows.found.title_runs());
        if cx.shared.range.end.is_some() {
            runs.push(StyledRun::new("  current schedule", Role::Stale));
        }
        let warning = cx.world.sources().find_map(|(_, cache)| cache.on_call().warnings.first());
        if let Some(warning) = warning {
            runs.push(StyledRun::new(format!("  {} {warning}", cx.symbol(Role::Warning)), Role::Warning));
        }
        runs
    }

    /// Whether several sources have on-call data.
    fn widths(&self, shared: &Shared) -> bool {
        shared.answering(AskKind::OnCall).count() > 1
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, LevelKey>) -> Option<Line<'a, Self>> {
        let LineInput { cx, key, above, stale } = of;
        let (source, number) = (&key.policy.source, key.level);
        let (snapshot, policy) = key.policy.policy(cx.world)?;
        let on_call_at = snapshot.on_call_at(&key.policy.id, number, cx.now);
        let is_first = above.is_none_or(|above| above.policy != key.policy);
        let item = LevelItem { source, snapshot, policy, number, on_call_at, is_first };
        let is_stale = stale.contains(source);
        Some(Line::Item(ListRow { is_stale, ..self.row(cx, item, Role::Text) }))
    }

    fn has_items(&self, world: &World) -> bool {
        world.on_call().any(|(_, snapshot)| !snapshot.policies.is_empty())
    }

    fn none(&self, _cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let words = "The source has no escalation policies, or the API token has no access to them.";
        vec![(words.to_owned(), Role::Warning)]
    }
}

/// Rows of the week calendar if there is room for all of it.
const WEEK: u16 = 12;
/// From this height on, the user's own shifts are shown.
const TALL: u16 = 26;
/// Rows of the user's own shifts.
const OWN: u16 = 7;

/// The areas of the table, the week calendar and the user's own shifts.
struct Layout {
    table: Rect,
    week: Rect,
    own: Rect,
}

fn parts(screen: &OnCall, shared: &Shared, body: Rect) -> Layout {
    let room = layout::below_heading(body);
    let rows = u16::try_from(screen.rows.list.rows().len()).unwrap_or(u16::MAX).saturating_add(1);
    let is_known = rows > 1;
    let week = match room.height {
        _ if !is_known => 0,
        0..12 => 0,
        height => (height / 2).clamp(6, WEEK),
    };
    let has_own = shared.world.on_call().any(|(_, snapshot)| snapshot.me.is_some());
    let own = if is_known && has_own && room.height >= TALL { OWN } else { 0 };
    let table = if week == 0 { room.height } else { rows.min(room.height - week - own - 1) };
    let gap = u16::from(week > 0);
    let table = Rect { height: table, ..room };
    let week = Rect { y: table.bottom() + gap, height: week, ..room };
    let own = Rect { y: week.bottom(), height: own, ..room };
    Layout { table, week, own }
}

/// The current and coming shifts of the user.
fn own(cx: &ScreenCx<'_>, area: Rect, buf: &mut Buffer) {
    let line = |y: u16| Rect { y, height: 1, ..area };
    let turns = cx.world.on_call().flat_map(|(source, snapshot)| {
        let mine = snapshot.me.as_ref().map(|me| snapshot.shifts_of(me, cx.now)).unwrap_or_default();
        mine.into_iter().map(move |shift| (source, snapshot, shift))
    });
    let turns: Vec<_> = turns.collect();
    let title = [
        StyledRun::new(" Your shifts ", Role::Title),
        StyledRun::new(turns.len().to_string(), Role::Text),
        StyledRun::new(if turns.is_empty() { ": none in the loaded days" } else { "" }, Role::Muted),
    ];
    text::runs(cx, &title, line(area.y), buf);
    let names = turns.iter().map(|(_, snapshot, shift)| {
        snapshot.policies.iter().find(|p| p.named.id == shift.policy).map_or(&shift.policy, |p| &p.named.name)
    });
    let widest = names.clone().map(|name| text::width(name)).max().unwrap_or(0).min(30);
    for (y, ((_, snapshot, shift), name)) in (area.y + 1..area.bottom()).zip(turns.iter().zip(names)) {
        let is_now = shift.covers(cx.now);
        let from = match shift.start {
            _ if is_now => "now".to_owned(),
            Some(start) => words::when(start, cx.now, cx.zone),
            None => "always".to_owned(),
        };
        let until = shift.end.map_or_else(|| "no end".to_owned(), |end| words::when(end, cx.now, cx.zone));
        let (start, end) = (shift.start.unwrap_or(snapshot.from), shift.end.unwrap_or(snapshot.until));
        let night = shift.person.night(start.max(cx.now), end).filter(|night| !night.is_zero());
        let night = night.map(|night| format!("  {} {}", words::night_symbol(cx), duration::short(night)));
        let stands_in =
            if shift.is_override { format!("  {} override", words::stands_in(cx)) } else { String::new() };
        let runs = [
            StyledRun::new(
                format!("   {from:<13} to {until:<13} "),
                if is_now { Role::Accent } else { Role::Text },
            ),
            StyledRun::new(text::pad(name, widest, cx.charset), Role::Text),
            StyledRun::new(
                format!("  level {}{stands_in}{}", shift.level, night.unwrap_or_default()),
                Role::Muted,
            ),
        ];
        text::runs(cx, &runs, line(y), buf);
    }
}
