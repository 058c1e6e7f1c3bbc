//! Many small queries as few large ones.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::leaf::{Beside, Joining, Leaf, Pace, Wrap};
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::Text;

/// How long the queries that are joined into one may be together; more is a load on the server's parser.
const LONGEST: usize = 48 * 1024;
/// The label that tells apart the series of joined queries.
const TAG: &str = "burnwatch_slo";

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) query: String,
    pub(super) leaves: Vec<Arc<Leaf>>,
    pub(super) pace: Pace,
    split: Split,
}

/// Whose a series of the answer is.
#[derive(Debug)]
enum Split {
    /// There is just one query.
    Whole,
    /// That with this value of the label.
    ByLabel(String, HashMap<Text, usize>),
    /// That whose number is in the tag.
    ByTag,
}

impl Batch {
    pub(super) fn alone(leaf: Arc<Leaf>) -> Self {
        Self { query: leaf.text(), pace: leaf.pace, leaves: vec![leaf], split: Split::Whole }
    }

    fn merged(label: &str, members: &[(Arc<Leaf>, String)]) -> Self {
        let values = members.iter().map(|(_, value)| value.as_str());
        let first = members.first().map(|(leaf, _)| leaf);
        let (query, pace) = first.map_or((String::new(), Pace::Rarely), |leaf| match leaf.joining() {
            Joining::Merged(shape) => (leaf.wrap.around(&shape.over(label, values)), leaf.pace),
            Joining::Alone | Joining::Tagged => (leaf.text(), leaf.pace),
        });
        let places = members.iter().enumerate().map(|(at, (_, value))| (value.as_str().into(), at));
        Self {
            query,
            pace,
            split: Split::ByLabel(label.to_owned(), places.collect()),
            leaves: members.iter().map(|(leaf, _)| Arc::clone(leaf)).collect(),
        }
    }

    fn tagged(leaves: Vec<Arc<Leaf>>) -> Self {
        // the line break ends a comment
        let part = |(at, leaf): (usize, &Arc<Leaf>)| {
            format!(r#"label_replace({}{}, "{TAG}", "{at}", "", "")"#, leaf.text(), '\n')
        };
        let query = leaves.iter().enumerate().map(part).collect::<Vec<_>>().join(" or ");
        let pace = leaves.first().map_or(Pace::Rarely, |leaf| leaf.pace);
        Self { query, pace, leaves, split: Split::ByTag }
    }

    /// The answer's series, each with its query.
    pub(super) fn split(&self, samples: Vec<Sample>) -> Vec<Vec<Sample>> {
        let mut parts: Vec<Vec<Sample>> = self.leaves.iter().map(|_| Vec::new()).collect();
        for sample in samples {
            let (at, label) = match &self.split {
                Split::Whole => (Some(0), None),
                Split::ByLabel(label, places) => (
                    sample.labels.get(label).and_then(|value| places.get(value)).copied(),
                    Some(label.as_str()),
                ),
                Split::ByTag => (sample.labels.value(TAG).parse().ok(), Some(TAG)),
            };
            let Some(part) = at.and_then(|at| parts.get_mut(at)) else { continue };
            let labels = match label {
                Some(label) => sample.labels.without(|name| name == label),
                None => sample.labels,
            };
            part.push(Sample { labels, value: sample.value });
        }
        parts
    }
}

/// Most values of a label in one query: the further it looks back, the more samples each has the server load, which it
/// bounds for all of them together.
fn most_values(leaf: &Leaf) -> usize {
    match leaf.pace {
        Pace::Rarely => 50,
        Pace::Each if leaf.lookback > Duration::from_secs(3600) => 250,
        Pace::Each => 500,
    }
}

/// Most queries joined into one.
fn most_tagged(leaf: &Leaf) -> usize {
    match leaf.pace {
        Pace::Rarely => 25,
        Pace::Each => 100,
    }
}

/// What must agree for queries to be merged.
#[derive(PartialEq, Eq, Hash)]
struct Kin<'a> {
    pace: Pace,
    wrap: Wrap,
    label: &'a str,
    beside: Beside<'a>,
}

/// As few requests as these queries need, the frequent ones first. `room` says with how many each may be joined at most.
pub(super) fn plan(leaves: &[Arc<Leaf>], room: impl Fn(&Leaf) -> usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut left: BTreeMap<usize, &Arc<Leaf>> = BTreeMap::new();
    for (at, leaf) in leaves.iter().enumerate() {
        if room(leaf) < 2 || matches!(leaf.joining(), Joining::Alone) {
            batches.push(Batch::alone(Arc::clone(leaf)));
        } else {
            left.insert(at, leaf);
        }
    }
    batches.extend(merge(&mut left, &room));
    // what looks back far must not hold up what does not
    let mut tagged: BTreeMap<Option<Duration>, Vec<&Arc<Leaf>>> = BTreeMap::new();
    for leaf in left.into_values() {
        let weight = (leaf.pace == Pace::Rarely).then_some(leaf.lookback);
        tagged.entry(weight).or_default().push(leaf);
    }
    batches.extend(tagged.into_values().flat_map(|leaves| tag(&leaves, &room)));
    batches.sort_by_key(|batch| (batch.pace, batch.leaves.first().map(|leaf| leaf.lookback)));
    batches
}

fn merge(left: &mut BTreeMap<usize, &Arc<Leaf>>, room: &impl Fn(&Leaf) -> usize) -> Vec<Batch> {
    let mut kin: HashMap<Kin<'_>, BTreeMap<&str, usize>> = HashMap::new();
    for (at, leaf) in left.iter() {
        let Joining::Merged(shape) = leaf.joining() else { continue };
        for (label, value) in shape.labels() {
            let family = Kin { pace: leaf.pace, wrap: leaf.wrap, label, beside: shape.beside(label) };
            kin.entry(family).or_default().entry(value).or_insert(*at);
        }
    }
    let mut families: Vec<_> = kin.into_iter().map(|(kin, members)| (kin.label, members)).collect();
    // the largest first; which of two is the same each time
    families.sort_by_key(|(label, members)| {
        (usize::MAX - members.len(), members.values().copied().min(), *label)
    });
    let mut batches = Vec::new();
    for (label, members) in families {
        let members: Vec<_> = members.into_iter().filter(|(_, at)| left.contains_key(at)).collect();
        if members.len() < 2 {
            continue;
        }
        let rooms =
            members.iter().filter_map(|(_, at)| left.get(at)).map(|leaf| room(leaf).min(most_values(leaf)));
        let chunks = runs(&members, rooms.min().unwrap_or(1).max(1));
        for chunk in chunks {
            let taken = chunk
                .iter()
                .filter_map(|(value, at)| Some((Arc::clone(left.remove(at)?), (*value).to_owned())));
            batches.push(Batch::merged(label, &taken.collect::<Vec<_>>()));
        }
    }
    batches
}

/// The members in runs of at most so many, and of values no longer together than a query may be.
fn runs<'a, 'b>(members: &'a [(&'b str, usize)], most: usize) -> Vec<&'a [(&'b str, usize)]> {
    let mut runs = Vec::new();
    let mut rest = members;
    while !rest.is_empty() {
        let ends = rest.iter().scan(0, |length, (value, _)| {
            *length += value.len();
            Some(*length)
        });
        let fit = ends.take(most).take_while(|length| *length <= LONGEST).count().max(1);
        let (run, others) = rest.split_at(fit);
        runs.push(run);
        rest = others;
    }
    runs
}

fn tag(leaves: &[&Arc<Leaf>], room: &impl Fn(&Leaf) -> usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let (mut joined, mut length, mut most) = (Vec::new(), 0, usize::MAX);
    let mut close = |joined: &mut Vec<Arc<Leaf>>| match joined.as_slice() {
        [] => {}
        [one] => batches.push(Batch::alone(Arc::clone(one))),
        _ => batches.push(Batch::tagged(joined.clone())),
    };
    for leaf in leaves {
        let its = room(leaf).min(most_tagged(leaf));
        most = most.min(its);
        if joined.len() >= most || length + leaf.query.len() > LONGEST {
            close(&mut joined);
            joined.clear();
            (length, most) = (0, its);
        }
        length += leaf.query.len();
        joined.push(Arc::clone(leaf));
    }
    close(&mut joined);
    batches
}
