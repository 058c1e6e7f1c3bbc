//! Joins many small queries into a few large ones.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use super::subquery::{Beside, Joining, QueryWrap, RefreshPace, Subquery};
use crate::backend::prometheus::wire::Sample;
use crate::model::labels::Text;

/// The maximum length of a joined query, in bytes; longer queries are a load on the server's parser.
const LONGEST: usize = 48 * 1024;
/// The label that distinguishes the series of joined queries.
const TAG: &str = "burnwatch_slo";

#[derive(Debug)]
pub(super) struct QueryBatch {
    pub(super) query: String,
    pub(super) subqueries: Vec<Arc<Subquery>>,
    pub(super) pace: RefreshPace,
    split: SeriesSplit,
}

/// How the series of the answer are assigned to the queries.
#[derive(Debug)]
enum SeriesSplit {
    /// The request has a single query.
    Whole,
    /// By the value of this label.
    ByLabel(String, HashMap<Text, usize>),
    /// By the number in the tag label.
    ByTag,
}

impl QueryBatch {
    /// A request with one query.
    pub(super) fn alone(subquery: Arc<Subquery>) -> Self {
        Self {
            query: subquery.text(),
            pace: subquery.pace,
            subqueries: vec![subquery],
            split: SeriesSplit::Whole,
        }
    }

    /// A request for several values of a label.
    fn merged(label: &str, members: &[(Arc<Subquery>, String)]) -> Self {
        let values = members.iter().map(|(_, value)| value.as_str());
        let first = members.first().map(|(subquery, _)| subquery);
        let (query, pace) =
            first.map_or((String::new(), RefreshPace::Rarely), |subquery| match subquery.joining() {
                Joining::Merged(shape) => (subquery.wrap.apply(&shape.over(label, values)), subquery.pace),
                Joining::Alone | Joining::Tagged => (subquery.text(), subquery.pace),
            });
        let places = members.iter().enumerate().map(|(at, (_, value))| (value.as_str().into(), at));
        Self {
            query,
            pace,
            split: SeriesSplit::ByLabel(label.to_owned(), places.collect()),
            subqueries: members.iter().map(|(subquery, _)| Arc::clone(subquery)).collect(),
        }
    }

    /// A request with several queries, joined with `or`; each series gets the number of its query as a tag.
    fn tagged(subqueries: Vec<Arc<Subquery>>) -> Self {
        // the line break ends a comment in the query
        let part = |(at, subquery): (usize, &Arc<Subquery>)| {
            format!(r#"label_replace({}{}, "{TAG}", "{at}", "", "")"#, subquery.text(), '\n')
        };
        let query = subqueries.iter().enumerate().map(part).collect::<Vec<_>>().join(" or ");
        let pace = subqueries.first().map_or(RefreshPace::Rarely, |subquery| subquery.pace);
        Self { query, pace, subqueries, split: SeriesSplit::ByTag }
    }

    /// Assigns the series of the answer to the queries.
    pub(super) fn split(&self, samples: Vec<Sample>) -> Vec<Vec<Sample>> {
        let mut parts: Vec<Vec<Sample>> = self.subqueries.iter().map(|_| Vec::new()).collect();
        for sample in samples {
            let (at, label) = match &self.split {
                SeriesSplit::Whole => (Some(0), None),
                SeriesSplit::ByLabel(label, places) => (
                    sample.labels.get(label).and_then(|value| places.get(value)).copied(),
                    Some(label.as_str()),
                ),
                SeriesSplit::ByTag => (sample.labels.value(TAG).parse().ok(), Some(TAG)),
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

/// The maximum number of label values in one query: the longer the lookback, the more samples the server loads for each
/// value, and the server limits the samples of a query.
fn most_values(subquery: &Subquery) -> usize {
    match subquery.pace {
        RefreshPace::Rarely => 50,
        RefreshPace::Each if subquery.lookback > Duration::from_secs(3600) => 250,
        RefreshPace::Each => 500,
    }
}

/// The maximum number of queries that are joined into one.
fn most_tagged(subquery: &Subquery) -> usize {
    match subquery.pace {
        RefreshPace::Rarely => 25,
        RefreshPace::Each => 100,
    }
}

/// What must be equal for queries to be merged.
#[derive(PartialEq, Eq, Hash)]
struct MergeKey<'a> {
    pace: RefreshPace,
    wrap: QueryWrap,
    label: &'a str,
    beside: Beside<'a>,
}

/// Combines the queries that are due into as few requests as possible, the frequent ones first: queries that differ in one label
/// value are merged, others are joined with `or`. `max_joined` is the maximum number of queries in the request of a query.
pub(super) fn plan(subqueries: &[Arc<Subquery>], max_joined: impl Fn(&Subquery) -> usize) -> Vec<QueryBatch> {
    let mut batches = Vec::new();
    let mut left: BTreeMap<usize, &Arc<Subquery>> = BTreeMap::new();
    for (at, subquery) in subqueries.iter().enumerate() {
        if max_joined(subquery) < 2 || matches!(subquery.joining(), Joining::Alone) {
            batches.push(QueryBatch::alone(Arc::clone(subquery)));
        } else {
            left.insert(at, subquery);
        }
    }
    batches.extend(merge(&mut left, &max_joined));
    // queries with a long lookback must not delay those with a short one
    let mut tagged: BTreeMap<Option<Duration>, Vec<&Arc<Subquery>>> = BTreeMap::new();
    for subquery in left.into_values() {
        let weight = (subquery.pace == RefreshPace::Rarely).then_some(subquery.lookback);
        tagged.entry(weight).or_default().push(subquery);
    }
    batches.extend(tagged.into_values().flat_map(|subqueries| tag(&subqueries, &max_joined)));
    batches.sort_by_key(|batch| (batch.pace, batch.subqueries.first().map(|subquery| subquery.lookback)));
    batches
}

/// Merges queries that differ only in one label value; removes them from `left`.
fn merge(
    left: &mut BTreeMap<usize, &Arc<Subquery>>,
    max_joined: &impl Fn(&Subquery) -> usize,
) -> Vec<QueryBatch> {
    let mut by_merge_key: HashMap<MergeKey<'_>, BTreeMap<&str, usize>> = HashMap::new();
    for (at, subquery) in left.iter() {
        let Joining::Merged(shape) = subquery.joining() else { continue };
        for (label, value) in shape.labels() {
            let family =
                MergeKey { pace: subquery.pace, wrap: subquery.wrap, label, beside: shape.beside(label) };
            by_merge_key.entry(family).or_default().entry(value).or_insert(*at);
        }
    }
    let mut families: Vec<_> =
        by_merge_key.into_iter().map(|(by_merge_key, members)| (by_merge_key.label, members)).collect();
    // largest first, with a stable order
    families.sort_by_key(|(label, members)| {
        (usize::MAX - members.len(), members.values().copied().min(), *label)
    });
    let mut batches = Vec::new();
    for (label, members) in families {
        let members: Vec<_> = members.into_iter().filter(|(_, at)| left.contains_key(at)).collect();
        if members.len() < 2 {
            continue;
        }
        let rooms = members
            .iter()
            .filter_map(|(_, at)| left.get(at))
            .map(|subquery| max_joined(subquery).min(most_values(subquery)));
        let chunks = runs(&members, rooms.min().unwrap_or(1).max(1));
        for chunk in chunks {
            let taken = chunk
                .iter()
                .filter_map(|(value, at)| Some((Arc::clone(left.remove(at)?), (*value).to_owned())));
            batches.push(QueryBatch::merged(label, &taken.collect::<Vec<_>>()));
        }
    }
    batches
}

/// Splits the members so that no part has more than `most` members or values that are too long for one query.
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

/// Joins queries with `or`; each series gets the number of its query as a label.
fn tag(subqueries: &[&Arc<Subquery>], max_joined: &impl Fn(&Subquery) -> usize) -> Vec<QueryBatch> {
    let mut batches = Vec::new();
    let (mut joined, mut length, mut most) = (Vec::new(), 0, usize::MAX);
    let mut close = |joined: &mut Vec<Arc<Subquery>>| match joined.as_slice() {
        [] => {}
        [one] => batches.push(QueryBatch::alone(Arc::clone(one))),
        _ => batches.push(QueryBatch::tagged(joined.clone())),
    };
    for subquery in subqueries {
        let its = max_joined(subquery).min(most_tagged(subquery));
        most = most.min(its);
        if joined.len() >= most || length + subquery.query.len() > LONGEST {
            close(&mut joined);
            joined.clear();
            (length, most) = (0, its);
        }
        length += subquery.query.len();
        joined.push(Arc::clone(subquery));
    }
    close(&mut joined);
    batches
}
