//! How well the values of labels explain a difference between a bad and a good time. `docs/why.md` has the formulas with numbers.
//!
//! For each set of requests, selected by the value of one label or of two, the measure is Youden's J (1950): the set's share
//! of the excess minus its share of everything else. It is 1 if the set contains the whole excess and nothing else, and 0 if
//! the excess is spread as the traffic is.

use std::collections::{BTreeMap, BTreeSet};

use super::LabelFinding;
use crate::model::labels::{Labels, Text};
use weights::{CellWeight, Cells, is_excess, ratio, weights};

mod weights;

/// The requests of one side: bad or good time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// All requests; for a level, its value.
    pub all: f64,
    /// The failed or slow ones.
    pub failed: f64,
}

/// The requests with one combination of label values.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyCell {
    pub labels: Labels,
    pub good: Tally,
    pub bad: Tally,
}

/// What differs between bad and good time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The ratio of failed to all requests is higher. Counts of the two times need not be of the same length.
    Failed,
    /// There are more requests; counts are those of equally long times.
    Risen,
    /// There are fewer requests; counts are those of equally long times.
    Fallen,
    /// A level, such as a utilisation, is higher; `Tally::all` is the level.
    Higher,
    /// A level is lower.
    Lower,
}

/// The smallest J of a finding.
const LEAST: f64 = 0.1;
/// How many standard deviations the excess and its concentration must be from zero.
const SIGMAS: f64 = 4.0;
/// The least score of a set that has all of the excess, while significantly much was to be expected outside; and how much of the
/// excess is all of it.
const CONFINED: f64 = 0.3;
const ALL: f64 = 0.95;
/// The fewest requests of an excess.
const FEWEST: f64 = 3.0;
/// Two sets are equivalent if the requests that are only in one of them are at most this share of both.
const SAME: f64 = 0.005;
/// Pairs are built from the values that have at least this share of the excess, the best first.
const PAIRED_SHARE: f64 = 0.15;
const PAIRED_VALUES: usize = 40;
/// The most findings.
const FINDINGS: usize = 8;
/// A value that had at most this share of the good time's traffic is new, and one that has at most this share now is gone.
const NEW: f64 = 0.02;
/// A label's values were replaced if those that are new and those that are gone have at least this share of the traffic.
const REPLACED: f64 = 0.1;

/// A set of requests that may explain the difference.
#[derive(Debug, Clone)]
struct Candidate {
    labels: Vec<(Text, Text)>,
    cells: Cells,
    sum: CellWeight,
    explained: f64,
    /// Youden's J, or what [`CONFINED`] gives.
    score: f64,
    is_significant: bool,
    is_new: bool,
}

/// One table with its totals.
struct Table<'a> {
    weights: &'a [CellWeight],
    total: CellWeight,
    /// How many values each label has: the fewer, the broader.
    values: BTreeMap<&'a Text, usize>,
}

impl Table<'_> {
    fn candidate(&self, labels: Vec<(Text, Text)>, cells: Cells) -> Candidate {
        let sum = cells.sum(self.weights);
        let explained = ratio(sum.excess, self.total.excess);
        let other = if self.total.rest > 0.0 {
            ratio(sum.rest, self.total.rest)
        } else {
            ratio(sum.traffic, self.total.traffic)
        };
        let outside = self.total.minus(sum);
        let is_significant = self.separates(sum, outside);
        let is_confined = is_significant && sum.variance > 0.0 && explained >= ALL && !is_excess(outside);
        let least = if is_confined { CONFINED * explained } else { 0.0 };
        let score = (explained - other).max(least);
        Candidate { labels, cells, sum, explained, score, is_significant, is_new: false }
    }

    /// Whether significantly more of the excess is inside than its share of the traffic.
    fn separates(&self, inside: CellWeight, outside: CellWeight) -> bool {
        if self.total.variance <= 0.0 {
            // levels have no counts
            return true;
        }
        if inside.traffic <= 0.0 || outside.traffic <= 0.0 || !is_excess(inside) {
            return false;
        }
        let all = inside.plus(outside);
        let (part, share) = (inside.traffic / all.traffic, ratio(inside.excess, all.excess));
        if share <= part || all.variance <= 0.0 {
            return false;
        }
        // the signed root of the likelihood ratio of a binomial share: unlike the normal approximation it also is right for few
        // events that are all inside; the excess is as certain as this many events are
        let events = all.excess * all.excess / all.variance;
        let term = |share: f64, part: f64| if share > 0.0 { share * (share / part).ln() } else { 0.0 };
        let likelihood = 2.0 * events * (term(share, part) + term(1.0 - share, 1.0 - part));
        likelihood.max(0.0).sqrt() > SIGMAS
    }

    /// Whether a set inside another contains nearly all its excess, while what is left of the other has requests without.
    fn refines(&self, whole: &Candidate, part: &Candidate) -> bool {
        let left = whole.sum.minus(part.sum);
        let kept = ratio(part.sum.excess, whole.sum.excess);
        let rate =
            |weight: CellWeight| if weight.traffic > 0.0 { weight.excess / weight.traffic } else { 0.0 };
        kept >= 0.85
            && left.traffic > SAME * whole.sum.traffic
            && rate(left) < 0.25 * rate(part.sum)
            && self.separates(part.sum, left)
    }

    /// Whether two sets select the same requests.
    fn is_same(&self, a: &Candidate, b: &Candidate) -> bool {
        if a.cells == b.cells {
            return true;
        }
        let only = |a: &Cells, b: &Cells| a.without(b).sum(self.weights).traffic.abs();
        let differs = only(&a.cells, &b.cells) + only(&b.cells, &a.cells);
        differs <= SAME * (a.sum.traffic + b.sum.traffic) / 2.0
    }

    /// The order in which equivalent sets are named: few labels, then labels with few values.
    fn breadth(&self, candidate: &Candidate) -> (usize, usize, Vec<(Text, Text)>) {
        let values = candidate.labels.iter().filter_map(|(name, _)| self.values.get(name)).sum();
        (candidate.labels.len(), values, candidate.labels.clone())
    }

    fn finding(&self, candidate: &Candidate, equivalent: &[&Candidate]) -> LabelFinding {
        LabelFinding {
            labels: Labels::new(candidate.labels.clone()),
            equivalent: equivalent.iter().map(|other| Labels::new(other.labels.clone())).collect(),
            explained: candidate.explained,
            traffic: ratio(candidate.sum.traffic, self.total.traffic),
            traffic_before: ratio(candidate.sum.good, self.total.good),
            score: candidate.score.clamp(0.0, 1.0),
            is_new: candidate.is_new,
            failed: candidate.sum.failed.max(0.0),
            requests: candidate.sum.traffic.max(0.0),
        }
    }
}

/// The values of labels that explain a difference best, the best first; empty if nothing stands out.
///
/// `cells` are all requests of the service, each once. With the labels of several sets of requests in one table, also pairs of
/// values are tried.
pub fn rank(cells: &[WhyCell], difference: Difference) -> Vec<LabelFinding> {
    let weights = weights(cells, difference);
    let total = weights.iter().fold(CellWeight::default(), |sum, weight| sum.plus(*weight));
    if !is_excess(total) {
        return Vec::new();
    }
    let mut sets: BTreeMap<(&Text, &Text), Cells> = BTreeMap::new();
    for (at, cell) in cells.iter().enumerate() {
        for pair in cell.labels.iter() {
            sets.entry(pair).or_insert_with(|| Cells::none(cells.len())).insert(at);
        }
    }
    let mut values: BTreeMap<&Text, usize> = BTreeMap::new();
    for (name, _) in sets.keys() {
        *values.entry(name).or_default() += 1;
    }
    let table = Table { weights: &weights, total, values };
    let singles = sets
        .into_iter()
        .map(|((name, value), cells)| table.candidate(vec![(name.clone(), value.clone())], cells));
    let mut all: Vec<Candidate> = singles.collect();
    if matches!(difference, Difference::Risen | Difference::Fallen) {
        drop_replaced(&table, &mut all);
    }
    let pairs = pairs(&table, &all);
    all.extend(pairs);
    mark_new(&table, &mut all, difference);
    let arrived = with_arrived(&table, &all);
    all.extend(arrived);
    let is_found = |candidate: &Candidate| candidate.score >= LEAST && candidate.is_significant;
    all.retain(is_found);
    all.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| table.breadth(a).cmp(&table.breadth(b))));
    chosen(&table, all)
}

/// Pairs of values that explain clearly more than each of the two.
fn pairs(table: &Table<'_>, singles: &[Candidate]) -> Vec<Candidate> {
    let mut likely: Vec<&Candidate> =
        singles.iter().filter(|one| one.explained >= PAIRED_SHARE && one.sum.traffic > 0.0).collect();
    likely.sort_by(|a, b| b.score.total_cmp(&a.score));
    likely.truncate(PAIRED_VALUES);
    let mut found = Vec::new();
    for (at, one) in likely.iter().enumerate() {
        for other in likely.iter().skip(at + 1) {
            let name = |candidate: &Candidate| candidate.labels.first().map(|(name, _)| name.clone());
            if name(one) == name(other) {
                continue;
            }
            let mut labels = [one.labels.clone(), other.labels.clone()].concat();
            labels.sort();
            let both = table.candidate(labels, one.cells.and(&other.cells));
            if table.refines(one, &both) && table.refines(other, &both) {
                found.push(both);
            }
        }
    }
    found
}

/// Drops the values of labels that were replaced between the two times, such as the pods of a rollout: that the new ones have
/// more requests than before says nothing about where the additional requests come from.
fn drop_replaced(table: &Table<'_>, singles: &mut Vec<Candidate>) {
    let mut shares: BTreeMap<Text, (f64, f64)> = BTreeMap::new();
    for one in singles.iter() {
        let (before, now) = (ratio(one.sum.good, table.total.good), ratio(one.sum.bad, table.total.bad));
        let Some((name, _)) = one.labels.first() else { continue };
        let (new, gone) = shares.entry(name.clone()).or_default();
        *new += if before <= NEW { now } else { 0.0 };
        *gone += if now <= NEW { before } else { 0.0 };
    }
    let is_replaced = |one: &Candidate| {
        let shares = one.labels.first().and_then(|(name, _)| shares.get(name));
        shares.is_some_and(|(new, gone)| *new >= REPLACED && *gone >= REPLACED)
    };
    singles.retain(|one| !is_replaced(one));
}

/// Values that separate the failed requests, each together with a value that all its requests have since the bad time began: a
/// rollout to everywhere that fails at one place.
fn with_arrived(table: &Table<'_>, all: &[Candidate]) -> Vec<Candidate> {
    let arrived: Vec<&Candidate> = all.iter().filter(|one| one.is_new && one.labels.len() == 1).collect();
    let mut found = Vec::new();
    for one in all.iter().filter(|one| one.labels.len() == 1 && one.is_significant && !one.is_new) {
        for new in &arrived {
            let mut labels = [one.labels.clone(), new.labels.clone()].concat();
            labels.sort();
            let both = table.candidate(labels, one.cells.and(&new.cells));
            if ratio(both.sum.bad, one.sum.bad) >= 1.0 - SAME {
                found.push(Candidate { is_new: true, ..both });
            }
        }
    }
    found
}

/// Values that are new in the bad time, such as the version of a finished rollout: they separate the bad from the good time,
/// although not the failed requests of the bad time from the others. Anything that separates those, too, counts more.
fn mark_new(table: &Table<'_>, all: &mut [Candidate], difference: Difference) {
    if difference != Difference::Failed || table.total.good <= 0.0 {
        return;
    }
    let separating = all.iter().filter(|one| one.is_significant).map(|one| one.score);
    let best = separating.fold(0.0, f64::max).clamp(0.0, 1.0);
    for one in all.iter_mut().filter(|one| one.labels.len() == 1) {
        let (before, now) = (ratio(one.sum.good, table.total.good), ratio(one.sum.bad, table.total.bad));
        one.is_new = before <= NEW && now - before > NEW;
        if !one.is_new || !is_excess(one.sum) {
            continue;
        }
        let score = 0.9 * one.explained * (now - before) * (1.0 - best);
        if score > one.score || !one.is_significant {
            one.score = score.max(one.score);
            one.is_significant = true;
        }
    }
}

/// The best findings with their equivalents: those that explain something which the better ones do not, and alternatives that
/// are nearly as good as the best.
fn chosen(table: &Table<'_>, sorted: Vec<Candidate>) -> Vec<LabelFinding> {
    let mut groups: Vec<Vec<Candidate>> = Vec::new();
    for candidate in sorted {
        match groups
            .iter_mut()
            .find(|group| group.first().is_some_and(|first| table.is_same(first, &candidate)))
        {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    let best = groups.first().and_then(|group| group.first()).map_or(0.0, |first| first.score);
    let mut covered: Option<Cells> = None;
    let mut findings = Vec::new();
    for mut group in groups {
        group.sort_by_key(|candidate| table.breadth(candidate));
        let Some((first, others)) = group.split_first() else { continue };
        let own =
            covered.as_ref().map_or_else(|| first.cells.clone(), |covered| first.cells.without(covered));
        let sum = own.sum(table.weights);
        let is_own = ratio(sum.excess, table.total.excess) >= LEAST
            && is_excess(sum)
            && sum.excess >= 0.5 * first.sum.excess;
        if !is_own && first.score < 0.85 * best {
            continue;
        }
        // a pair with a value that alone selects the same requests says nothing more
        let single = |labels: &[(Text, Text)]| labels.len() == 1;
        let has_single = single(&first.labels);
        let others: Vec<&Candidate> =
            others.iter().filter(|other| !has_single || single(&other.labels) || other.is_new).collect();
        findings.push(table.finding(first, &others));
        covered = Some(covered.map_or_else(|| first.cells.clone(), |covered| covered.or(&first.cells)));
        if findings.len() == FINDINGS {
            break;
        }
    }
    findings
}

/// The names of the labels that have several values in these cells, sorted: the others explain nothing.
pub fn labels_of(cells: &[WhyCell]) -> Vec<Text> {
    let mut values: BTreeMap<&Text, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in cells.iter().flat_map(|cell| cell.labels.iter()) {
        values.entry(name).or_default().insert(value);
    }
    let is_partial = |name: &Text| cells.iter().any(|cell| cell.labels.get(name).is_none());
    let several = values.into_iter().filter(|(name, values)| values.len() > 1 || is_partial(name));
    several.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests;
