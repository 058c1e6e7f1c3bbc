//! SLOs: every promise with its budget and how fast that burns, worst first.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use crate::app::filter::{Fields, Haystack};
use crate::app::folds::{Folds, grouped};
use crate::app::found::{Found, passing};
use crate::app::list::List;
use crate::app::place::Place;
use crate::app::screens::Order;
use crate::app::state::State;
use crate::app::widest::Widest;
use crate::app::widgets::text;
use crate::model::labels::{Labels, Text};
use crate::model::slo::{BASIS, Exhaustion, RECENT, SloState, SloStatus, Standing, show};
use crate::model::source::SourceId;
use crate::model::world::World;

mod view;
pub(super) mod words;

pub use view::{list_area, render};

/// What tells one SLO from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SloKey {
    /// What it is called at its source.
    pub id: Text,
    /// Who says how it stands.
    pub source: SourceId,
}

impl SloKey {
    /// Of an SLO.
    pub fn of(status: &SloStatus) -> Self {
        Self { id: status.slo.id.clone(), source: status.source.clone() }
    }

    /// How it stands, if it is still there.
    pub fn status<'a>(&self, world: &'a World) -> Option<&'a SloStatus> {
        world.slo(&self.source, &self.id)
    }

    /// Its screen.
    pub fn place(&self) -> Place {
        Place::Slo { source: self.source.clone(), id: self.id.clone() }
    }
}

/// A row: the head of a group, or an SLO.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// The head of the SLOs that have this value of the label by which they are grouped; empty: that do not have it.
    Group(Text),
    /// An SLO.
    Slo(SloKey),
}

/// What the head of a group says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many of its SLOs are in which state, as far as they pass the filter.
    pub states: BTreeMap<SloState, usize>,
    /// Whether they are folded away.
    pub folded: bool,
}

/// How wide the columns of the list must be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cells {
    /// The longest name.
    pub name: u16,
    /// The longest service.
    pub service: u16,
    /// The SLI of the strictest objective, which has the most decimals.
    pub sli: u16,
}

/// The list of SLOs.
#[derive(Debug, Default)]
pub struct Slos {
    /// The rows.
    pub list: List<Row>,
    /// The filter.
    pub found: Found,
    /// The order.
    pub order: Order,
    /// The label by which they are grouped; `service` and `source` count as labels.
    pub grouping: Option<String>,
    /// The groups by the value of that label.
    pub groups: BTreeMap<Text, Group>,
    /// How many pass the filter.
    pub passing: usize,
    /// How many there are in each state, whatever passes.
    pub states: BTreeMap<SloState, usize>,
    /// Measured of all of them.
    pub widest: Widest<Cells>,
    /// Whether several sources know an SLO of one name, so that a row must say whose it is.
    pub is_shared: bool,
    folded: Folds<Text>,
}

/// By what SLOs can be ordered.
pub const ORDERS: [&str; 7] = [
    "state, worst first",
    "budget left, least first",
    "burn over 1h, fastest first",
    "exhaustion, soonest first",
    "name",
    "objective, strictest first",
    "service",
];

impl Slos {
    /// The group that the current row is of, if they are grouped.
    fn group_at_cursor(&self, world: &World) -> Option<Text> {
        let by = self.grouping.as_deref()?;
        match self.list.current()? {
            Row::Group(value) => Some(value.clone()),
            Row::Slo(key) => Some(value_of(key.status(world)?, by)),
        }
    }

    /// Folds or unfolds the group that the current row is of; the cursor goes to the head of a folded one.
    pub fn fold(&mut self, world: &World, fold: bool) {
        if let Some(group) = self.group_at_cursor(world) {
            let head = Row::Group(group.clone());
            self.folded.fold(group, &head, fold, &mut self.list);
        }
    }

    /// Whether the current row is the head of a folded group.
    pub fn is_folded(&self) -> bool {
        matches!(self.list.current(), Some(Row::Group(value)) if self.folded.contains(value))
    }
}

/// How much of its budget an SLO has left, for a list of names.
pub(in crate::app) fn left_text(status: &SloStatus) -> String {
    words::left(status.worst()).text.into_owned()
}

/// The value of a label of an SLO, empty without one: what it is given, or what its recorded series have.
pub(super) fn value_of(status: &SloStatus, label: &str) -> Text {
    let named = match label {
        "service" => status.service.clone(),
        "source" => Some(status.source.as_str().into()),
        _ => None,
    };
    let recorded = || status.slo.recorded.as_ref().and_then(|recorded| recorded.labels.get(label));
    named.or_else(|| status.slo.labels.get(label).or_else(recorded).cloned()).unwrap_or_default()
}

/// The labels by which SLOs can be grouped, the most frequent first; `service` leads.
pub fn labels(world: &World) -> Vec<String> {
    let mut names: HashMap<&str, usize> = HashMap::new();
    for status in world.slos() {
        let recorded = status.slo.recorded.iter().flat_map(|recorded| recorded.labels.iter());
        for (name, _) in status.slo.labels.iter().chain(recorded) {
            *names.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<(&str, usize)> = names.into_iter().filter(|(name, _)| *name != "service").collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    std::iter::once("service").chain(names.into_iter().map(|(name, _)| name)).map(str::to_owned).collect()
}

/// What SLOs can be found by: words look into all of it, matchers by name.
pub(super) fn haystack(slos: &[SloStatus]) -> Haystack {
    const FIELDS: Fields =
        Fields { words: &[], numbers: &["left", "burn", "burn_5m", "objective", "alerts"], flags: &[] };
    let states = SloState::ALL.map(|state| (state, Text::from(state.word())));
    let described: Vec<Labels> = slos.iter().map(|status| described(status, &states)).collect();
    let numbers = |status: &SloStatus| {
        let worst = status.worst();
        let burn = |lookback| worst.and_then(|worst| worst.burn(lookback));
        let objective = Some(status.slo.objective.as_ratio());
        let alerts = Some(status.alerts.len() as f64);
        let all = [worst.and_then(Standing::left), burn(BASIS), burn(RECENT), objective, alerts];
        all.map(|number| number.unwrap_or(f64::NAN))
    };
    Haystack::with_fields(
        FIELDS,
        slos.iter().zip(&described).map(|(status, labels)| (labels, [&status.slo.name], [], numbers(status))),
    )
}

/// All that a matcher can ask for; of equal names what is ours counts.
fn described(status: &SloStatus, states: &[(SloState, Text)]) -> Labels {
    let slo = &status.slo;
    let recorded = slo.recorded.iter().flat_map(|recorded| recorded.labels.iter());
    let given = recorded.chain(slo.labels.iter()).map(|(name, value)| (name.clone(), value.clone()));
    let state = states.iter().find(|(state, _)| *state == status.state()).map(|(_, word)| word.clone());
    let own = [
        ("slo", Some(slo.id.clone())),
        ("id", Some(slo.id.clone())),
        ("state", state),
        ("service", status.service.clone()),
        ("source", Some(status.source.as_str().into())),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((Text::from(name), value?)));
    Labels::new(given.chain(own).collect())
}

fn compare(a: &SloStatus, b: &SloStatus, column: usize) -> Ordering {
    // what is not known sorts behind everything that is
    let number = |status: &SloStatus| -> f64 {
        let worst = status.worst();
        let value = match column {
            1 => worst.and_then(Standing::left),
            2 => worst.and_then(|worst| worst.burn(BASIS)).map(|burn| -burn),
            3 => worst.and_then(|worst| worst.exhaustion).and_then(seconds),
            _ => Some(-status.slo.objective.as_ratio()),
        };
        value.unwrap_or(f64::INFINITY)
    };
    match column {
        1 | 2 | 3 | 5 => number(a).total_cmp(&number(b)),
        4 => a.slo.id.cmp(&b.slo.id),
        6 => (a.service.is_none(), &a.service).cmp(&(b.service.is_none(), &b.service)),
        _ => a.by_urgency(b),
    }
}

/// How long until the budget is gone, if it will be.
fn seconds(exhaustion: Exhaustion) -> Option<f64> {
    match exhaustion {
        Exhaustion::Exhausted => Some(0.0),
        Exhaustion::In(after) => Some(after.as_secs_f64()),
        Exhaustion::NotWithinWindow(_) | Exhaustion::NotBeforeReset(_) | Exhaustion::Never => None,
    }
}

/// The SLOs that pass, in order; the worst first among equals.
pub(super) fn ordered<'a>(
    slos: &'a [SloStatus],
    passes: Option<&[bool]>,
    order: Order,
) -> Vec<&'a SloStatus> {
    let mut shown: Vec<&SloStatus> = passing(slos, passes).collect();
    shown.sort_by(|a, b| order.apply(compare(a, b, order.column)).then_with(|| a.by_urgency(b)));
    shown
}

/// Brings groups and rows into their order again.
pub fn reorder(state: &mut State) {
    let is_typing = state.is_typing();
    let State { world, slos: screen, .. } = state;
    let passes = screen.found.select(world.revision(), is_typing, || haystack(world.slos()));
    let shown = ordered(world.slos(), passes.as_deref(), screen.order);
    screen.passing = shown.len();
    screen.states.clear();
    for status in world.slos() {
        *screen.states.entry(status.state()).or_default() += 1;
    }
    screen.groups.clear();
    let mut rows = Vec::with_capacity(shown.len());
    match &screen.grouping {
        None => rows.extend(shown.into_iter().map(|status| Row::Slo(SloKey::of(status)))),
        Some(by) => {
            for (value, members) in grouped(shown, |status| value_of(status, by)) {
                let folded = screen.folded.contains(&value);
                let mut group = Group { folded, ..Group::default() };
                for status in &members {
                    *group.states.entry(status.state()).or_default() += 1;
                }
                rows.push(Row::Group(value.clone()));
                if !folded {
                    rows.extend(members.into_iter().map(|status| Row::Slo(SloKey::of(status))));
                }
                screen.groups.insert(value, group);
            }
        }
    }
    let first = rows.iter().position(|row| matches!(row, Row::Slo(_)));
    screen.list.set_rows_from(rows, first.unwrap_or(0));
    // they stand in the order of their names
    screen.is_shared = world.slos().windows(2).any(|pair| matches!(pair, [a, b] if a.slo.id == b.slo.id));
    screen.widest.follow(world.revision(), || {
        world.slos().iter().fold(Cells::default(), |widest, status| Cells {
            name: widest.name.max(text::width(&status.slo.id)),
            service: widest.service.max(status.service.as_deref().map_or(0, text::width)),
            sli: widest.sli.max(text::width(&show::sli(1.0, status.slo.objective))),
        })
    });
}
