//! The list of silences: matchers, author, end, and the number of alerts that each silences now.

use std::collections::{BTreeSet, HashMap};

use crate::app::identity::SilenceKey;
use crate::app::list_screen::{self, EmptyState, LineInput, ListScreen, drawn_as_list, lists};
use crate::app::planner::silence_label;
use crate::app::prelude::*;
use crate::app::staleness::none;
use crate::model::silence::{Silence, SilenceState};

pub mod columns;

use columns::SilenceItem;

/// A silence that ends within this time is highlighted.
const SOON: Duration = Duration::from_secs(3600);

#[derive(Debug, Default)]
pub struct Silences {
    pub rows: FilteredList<SilenceKey>,
    /// Whether expired silences are shown, too.
    show_ended: bool,
    /// The number of hidden expired silences that match the filter.
    hidden: usize,
    /// The number of alerts that each silence silences now, by the silence's id.
    hides: HashMap<Text, usize>,
}

/// Whether an active silence ends within [`SOON`].
fn ends_soon(silence: &Silence, now: Timestamp) -> bool {
    silence.state == SilenceState::Active && age(now, silence.ends_at) < SOON
}

/// The role of a silence: its state, and whether it ends soon.
fn role(silence: &Silence, now: Timestamp) -> Role {
    match silence.state {
        SilenceState::Active if ends_soon(silence, now) => Role::Warning,
        SilenceState::Active => Role::Silenced,
        SilenceState::Pending => Role::Pending,
        SilenceState::Expired => Role::Muted,
    }
}

/// The fields of a silence that a filter can use.
fn described(silence: &Silence) -> Labels {
    let pairs = [
        ("id", silence.id.clone()),
        ("state", silence.state.word().into()),
        ("matchers", silence_label(silence)),
        ("by", silence.created_by.clone()),
        ("comment", comment_with_annotations(silence)),
        ("source", silence.source.as_str().into()),
    ];
    Labels::default().with(pairs)
}

/// The comment, followed by the annotations.
fn comment_with_annotations(silence: &Silence) -> Text {
    let more: Vec<String> =
        silence.annotations.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if more.is_empty() {
        return Text::clone(&silence.comment);
    }
    format!("{}  {}", silence.comment, more.join(" ")).into()
}

/// Whether no action on the silence is running.
fn is_settled(world: &World, silence: &Silence) -> bool {
    world.optimistic_changes().iter().all(|one| one.action.target.id != silence.id)
}

/// A filter for the alerts that a silence matches. Matchers that burnwatch cannot evaluate are left out.
fn filter(silence: &Silence) -> String {
    let judged = silence.matchers.iter().filter(|matcher| matcher.can_be_evaluated());
    judged.map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

impl Item for SilenceKey {
    fn place(&self, _shared: &Shared) -> Option<Place> {
        None
    }

    fn selection(_shared: &Shared, chosen: Vec<Self>) -> Selection {
        Selection::Silences(chosen)
    }

    /// The matchers.
    fn copied(&self, shared: &Shared, _now: Timestamp) -> Option<String> {
        self.silence(&shared.world).map(|one| silence_label(&one).to_string())
    }

    fn is_handled(&self, handled: &Handled<'_>) -> bool {
        match handled {
            Handled::Silence(done) => self == *done,
            Handled::Alerts(_) | Handled::Incident { .. } => false,
        }
    }
}

impl Screen for Silences {
    offers! { [List, HiddenRows, AnyAction]:
        Open "alerts", Act "extend, edit, expire", NewSilence "new", Filter, Fold "expired"
    }

    drawn_as_list!();

    /// Active silences first, then by end time. Members of one cluster list the same silences; each is shown once.
    fn reorder(&mut self, shared: &Shared, is_typing: bool) {
        let world = &shared.world;
        let mut seen = BTreeSet::new();
        let mut all: Vec<Arc<Silence>> =
            world.shown_silences().map(|(one, _)| one).filter(|one| seen.insert(one.id.clone())).collect();
        all.sort_by(|a, b| {
            let ended = |one: &Silence| one.state == SilenceState::Expired;
            let by_end = if ended(a) { b.ends_at.cmp(&a.ends_at) } else { a.ends_at.cmp(&b.ends_at) };
            a.state.cmp(&b.state).then(by_end).then_with(|| a.id.cmp(&b.id))
        });
        let passes = self.rows.found.select(world.revision(), is_typing, || {
            let described: Vec<Labels> = all.iter().map(|one| described(one)).collect();
            Haystack::new(described.iter().map(|labels| (labels, [])))
        });
        let mut rows = Vec::new();
        self.hidden = 0;
        for silence in passing(all, passes.as_deref()) {
            if silence.state == SilenceState::Expired && !self.show_ended && is_settled(world, &silence) {
                self.hidden += 1;
            } else {
                rows.push(SilenceKey { id: silence.id.clone(), source: silence.source.clone() });
            }
        }
        self.rows.list.set_rows(rows);
        self.hides = world.hidden_by_each();
    }

    lists_rows!(rows.list);

    fn show_hidden(&mut self, is_shown: Option<bool>) {
        self.show_ended = is_shown.unwrap_or(!self.show_ended);
    }

    /// Opens the alerts that the silence matches, including silenced ones.
    fn open(&mut self, shared: &Shared) -> Opened {
        let Some(silence) = self.rows.list.current().and_then(|key| key.silence(&shared.world)) else {
            return Opened::Nothing;
        };
        let unknown = silence.matchers.iter().find(|matcher| !matcher.can_be_evaluated());
        let note =
            unknown.map(|unknown| format!("burnwatch cannot evaluate {unknown}: left out of the filter"));
        Opened::Search { place: Place::Alerts, filter: filter(&silence), note }
    }
}

impl ListScreen for Silences {
    lists!(SilenceKey);

    const COLUMNS: &'static [ListColumn<Self>] = columns::COLUMNS;
    const USED: &'static [AskKind] = &[AskKind::Silences, AskKind::Alerts];
    const NOUN: &'static str = "silence";
    const LACK: Option<EmptyState> = Some(EmptyState {
        kinds: &[AskKind::Silences],
        no_source: ("No source of silences: add", "."),
        source: "source of silences",
        loading: "silences",
        one: Some("silence"),
    });

    fn title(&self, cx: &ScreenCx<'_>) -> Vec<StyledRun<'static>> {
        let mut runs = list_screen::titled("Silences", self.rows.list.rows().len().to_string());
        let all = cx.world.silences();
        let soon = all.filter(|silence| ends_soon(silence, cx.now)).count();
        if soon > 0 {
            let verb = if soon == 1 { "ends" } else { "end" };
            let words = format!("  {} {soon} {verb} within 1h", cx.symbol(Role::Warning));
            runs.push(StyledRun::new(words, Role::Warning));
        }
        let hidden = (self.hidden > 0).then(|| format!("{} ended", self.hidden));
        runs.extend(list_screen::hidden_rows(cx.shared, hidden.as_slice()));
        runs.extend(list_screen::marked(self.rows.list.marks().len()));
        runs.extend(self.rows.found.title_runs());
        runs
    }

    fn line<'a>(&'a self, of: &LineInput<'a, '_, SilenceKey>) -> Option<Line<'a, Self>> {
        let LineInput { cx, stale, key, .. } = of;
        let mut all = cx.world.shown_silences();
        let (silence, stage) = all.find(|(one, _)| one.id == key.id && one.source == key.source)?;
        let role = role(&silence, cx.now);
        Some(Line::Item(ListRow {
            plain: if silence.state == SilenceState::Expired { Role::Muted } else { Role::Text },
            stage,
            is_stale: stale.contains(&key.source),
            ..self.row(
                cx,
                SilenceItem { hides: self.hides.get(&silence.id).copied().unwrap_or(0), silence },
                role,
            )
        }))
    }

    /// No silences is neither good nor bad, so the text is muted.
    fn none(&self, cx: &ScreenCx<'_>) -> Vec<(String, Role)> {
        let (words, role) = none(cx.shared, Self::USED, "active silences", cx.now);
        vec![(words, if role == Role::Healthy { Role::Muted } else { role })]
    }
}
