//! The series of request counters and latency histograms with all their labels.
//!
//! A metric of a service is one family of series, which is divided only as far as a query asks: by the labels of its matchers,
//! and, where it adds the series up, by the labels that it groups by.

use std::collections::BTreeMap;
use std::rc::Rc;

use promql_parser::label::Matcher;
use promql_parser::parser::VectorSelector;

use super::breakdown::RequestCell;
use super::catalog::RequestFamily;
use super::promql::{SelectedSeries, SeriesFunction};
use super::rollout::VersionOf;
use super::sampling::{MOMENT, SCRAPE, SHORT, SeriesPart, merged, sample_times};
use super::scenario::ScenarioEvent;
use super::series::{RegionSeries, known, named};
use super::shares::PartShares;
use super::timeline::COUNTER_AGE_AT_START;
use super::world::{DemoWorld, ServiceInRegion};
use crate::model::labels::Labels;

/// The number of samples in each time range in which something happens.
const LOOKS: u32 = 24;

/// One series: an index of the cells, the versions and the status codes.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    cell: usize,
    version: usize,
    code: usize,
}

/// Some series of a family, added up.
struct FamilySum<'a> {
    all: &'a RegionSeries<'a>,
    place: &'a ServiceInRegion,
    part: SeriesPart,
    /// `None`: all of them.
    leaves: Option<Vec<Leaf>>,
    /// The pods with the versions of the leaves.
    runs: Vec<(u32, usize)>,
}

/// The value of one of the labels of a leaf.
fn value<'a>(
    place: &'a ServiceInRegion,
    part: SeriesPart,
    cell: &RequestCell,
    leaf: Leaf,
    name: &str,
) -> &'a str {
    match name {
        "code" => part.codes().get(leaf.code).copied().unwrap_or_default(),
        _ => place.breakdown.label(cell, leaf.version, name).map_or("", |text| &**text),
    }
}

impl RegionSeries<'_> {
    /// The series of a family that match the selector; `kept` as in [`RegionSeries::chosen`].
    pub(super) fn of_family<'s>(
        &'s self,
        family: &'s RequestFamily,
        selector: &VectorSelector,
        kept: Option<&dyn Fn(&str) -> bool>,
    ) -> Vec<SelectedSeries<'s>> {
        let Some(place) = self.world.places.get(family.place) else { return Vec::new() };
        let own = family.own_labels(place);
        let matchers = &selector.matchers.matchers;
        let (of_leaves, of_all): (Vec<&Matcher>, Vec<&Matcher>) =
            matchers.iter().partition(|matcher| own.contains(&matcher.name.as_str()));
        if !of_all.iter().all(|matcher| matcher.is_match(family.labels.value(&matcher.name))) {
            return Vec::new();
        }
        let part = family.part;
        let series = |labels: Labels, leaves: Option<Vec<Leaf>>| {
            let mut runs: Vec<(u32, usize)> = Vec::new();
            for leaf in leaves.iter().flatten() {
                let pod = place.breakdown.cells.get(leaf.cell).map_or(0, |cell| cell.pod);
                let run = (u32::try_from(pod).unwrap_or(0), leaf.version);
                if !runs.contains(&run) {
                    runs.push(run);
                }
            }
            SelectedSeries { labels, run: Box::new(FamilySum { all: self, place, part, leaves, runs }) }
        };
        let kept_names: Vec<&str> =
            own.iter().copied().filter(|name| kept.is_none_or(|kept| kept(name))).collect();
        let matching_codes: Vec<usize> = (0..part.codes().len())
            .filter(|code| {
                let code = part.codes().get(*code).copied().unwrap_or_default();
                of_leaves
                    .iter()
                    .filter(|matcher| matcher.name == "code")
                    .all(|matcher| matcher.is_match(code))
            })
            .collect();
        let is_whole = matching_codes.len() == part.codes().len()
            && of_leaves.iter().all(|matcher| matcher.name == "code");
        if matching_codes.is_empty() {
            return Vec::new();
        }
        if is_whole && kept_names.is_empty() {
            return vec![series(family.labels.clone(), None)];
        }
        let mut groups: BTreeMap<Vec<&str>, Vec<Leaf>> = BTreeMap::new();
        for (number, cell) in place.breakdown.cells.iter().enumerate() {
            for version in 0..place.breakdown.versions.len() {
                let of = |code: usize| Leaf { cell: number, version, code };
                let is_meant = |matcher: &&Matcher| {
                    matcher.name == "code" || matcher.is_match(value(place, part, cell, of(0), &matcher.name))
                };
                if !of_leaves.iter().all(is_meant) {
                    continue;
                }
                for code in &matching_codes {
                    let key =
                        kept_names.iter().map(|name| value(place, part, cell, of(*code), name)).collect();
                    groups.entry(key).or_default().push(of(*code));
                }
            }
        }
        let one = |(values, leaves): (Vec<&str>, Vec<Leaf>)| {
            series(family.labels.with_strs(kept_names.iter().zip(values)), Some(leaves))
        };
        groups.into_iter().map(one).collect()
    }

    /// The labels that only some series of the selected families have.
    pub(super) fn own_labels(&self, selector: &VectorSelector) -> Vec<&'static str> {
        let is_there =
            |family: &&RequestFamily| !self.of_family(family, selector, Some(&|_| false)).is_empty();
        let families = named(&self.catalog.families, selector).filter(is_there);
        let labels =
            families.filter_map(|family| Some(family.own_labels(self.world.places.get(family.place)?)));
        labels.flatten().collect()
    }

    /// How the requests of a part are divided between two Unix times.
    fn shares(&self, place: &ServiceInRegion, part: SeriesPart, (from, to): (f64, f64)) -> Rc<PartShares> {
        let key = (place.number, part_key(part), from.to_bits(), to.to_bits());
        known(&self.shares, key, || {
            let mut shares = PartShares::none(place, part);
            let (begin, end) = (self.world.time.demo_second(from), self.world.time.demo_second(to));
            if to - from <= MOMENT {
                self.add_shares(&mut shares, (place, part), end, 1.0);
            } else if end - begin <= SHORT {
                for t in sample_times(begin, end) {
                    self.add_shares(&mut shares, (place, part), t, self.numbers(place, t).rate);
                }
            } else {
                let mut calm = end - begin;
                for (from, to) in eventful(self.world, place, (begin, end)) {
                    let step = (to - from) / f64::from(LOOKS);
                    for look in 0..LOOKS {
                        self.add_shares(
                            &mut shares,
                            (place, part),
                            from + (f64::from(look) + 0.5) * step,
                            step,
                        );
                    }
                    calm -= to - from;
                }
                shares.add_calm(place, part, calm.max(0.0));
            }
            Rc::new(shares)
        })
    }

    fn add_shares(&self, shares: &mut PartShares, of: (&ServiceInRegion, SeriesPart), t: f64, weight: f64) {
        self.world.add_shares(shares, of, (&self.numbers(of.0, t), t), weight);
    }

    /// How the requests of a part are divided while nothing happens.
    fn calm_shares(&self, place: &ServiceInRegion, part: SeriesPart) -> Rc<PartShares> {
        known(&self.shares, (place.number, part_key(part), u64::MAX, u64::MAX), || {
            let mut shares = PartShares::none(place, part);
            shares.add_calm(place, part, 1.0);
            Rc::new(shares)
        })
    }
}

fn part_key(part: SeriesPart) -> u64 {
    match part {
        SeriesPart::All => 0,
        SeriesPart::Failed => 1,
        SeriesPart::Well => 2,
        SeriesPart::Seconds => 3,
        SeriesPart::Within(bound) => bound.to_bits(),
    }
}

/// The demo times within a range at which requests are divided differently than usual.
fn eventful(world: &DemoWorld, place: &ServiceInRegion, (from, to): (f64, f64)) -> Vec<(f64, f64)> {
    let effects = place.events.iter().filter_map(|ScenarioEvent { begin, effect }| {
        let is_seen = effect.errors > 0.0 || effect.latency > 0.0 || effect.slow > 0.0;
        is_seen.then_some((*begin, effect.rise[0].0, effect.fall[1].0))
    });
    let deploys =
        place.deploys.iter().map(|(begin, deploy)| (*begin, deploy.at.0, deploy.back.0 + deploy.drain.0));
    let ranges = effects.chain(deploys).flat_map(|(begin, first, last)| {
        let each = world.schedule.between(begin, from - last, to).into_iter();
        each.map(move |once| ((once.start + first).max(from), (once.start + last).min(to)))
    });
    merged(ranges.filter(|(start, end)| start < end).collect())
}

impl FamilySum<'_> {
    fn world(&self) -> &DemoWorld {
        self.all.world
    }

    fn demo(&self, t: f64) -> f64 {
        self.world().time.demo_second(t)
    }

    /// The version of each pod of the service.
    fn versions(&self, t: f64) -> Vec<usize> {
        let t = self.demo(t);
        (0..self.place.service.pods)
            .map(|pod| self.world().version_number(self.place, VersionOf::Pod(pod), t))
            .collect()
    }

    /// The leaves whose pods run their version.
    fn running<'b>(
        &self,
        leaves: &'b [Leaf],
        versions: &'b [usize],
    ) -> impl Iterator<Item = (usize, &'b Leaf)> {
        let pods: Vec<usize> = self.place.breakdown.cells.iter().map(|cell| cell.pod).collect();
        leaves.iter().filter_map(move |leaf| {
            let pod = *pods.get(leaf.cell)?;
            (versions.get(pod) == Some(&leaf.version)).then_some((pod, leaf))
        })
    }

    /// Whether a pod runs its version at some time within the range.
    fn is_running(&self, from: f64, to: f64) -> bool {
        let range = (self.demo(from), self.demo(to));
        self.runs.iter().any(|(pod, version)| {
            let is_only = self.place.deploys.is_empty();
            is_only || !self.world().version_ran(self.place, VersionOf::Pod(*pod), *version, range).is_empty()
        })
    }
}

impl SeriesFunction for FamilySum<'_> {
    fn at(&self, t: f64) -> Option<f64> {
        let Some(leaves) = &self.leaves else { return self.all.requests_at(self.place, self.part, t) };
        let versions = self.versions(t);
        let mut since: Vec<Option<(f64, f64)>> = vec![None; versions.len()];
        let mut count = None;
        for (pod, leaf) in self.running(leaves, &versions) {
            // a counter grows evenly from zero since its pod began to run the version
            let (start, reference) = *since.get_mut(pod)?.get_or_insert_with(|| {
                let number = u32::try_from(pod).unwrap_or(0);
                let start =
                    self.world().pod_since(self.place, number, self.demo(t)).unwrap_or(-COUNTER_AGE_AT_START);
                let lasts = leaf.version.checked_sub(1).and_then(|at| self.place.deploys.get(at));
                let lasts = lasts.map_or(0.0, |(_, deploy)| deploy.back.0 - deploy.at.0);
                (self.world().time.second(start), start + lasts / 2.0)
            });
            let (rate, shares) = if leaf.version == 0 {
                (self.all.rate(self.place, self.part, 0.0)?, self.all.calm_shares(self.place, self.part))
            } else {
                let moment = self.world().time.second(reference);
                let shares = self.all.shares(self.place, self.part, (moment, moment));
                (self.all.rate(self.place, self.part, reference)?, shares)
            };
            let share = shares.share(leaf.cell, leaf.version, leaf.code);
            *count.get_or_insert(0.0) += rate * share * (t - start).max(0.0);
        }
        count
    }

    fn is_there(&self, t: f64) -> bool {
        let Some(leaves) = &self.leaves else { return true };
        self.place.deploys.is_empty() || self.running(leaves, &self.versions(t)).next().is_some()
    }

    fn number(&self, t: f64) -> f64 {
        match &self.leaves {
            None => (self.place.breakdown.cells.len() * self.part.codes().len()) as f64,
            Some(leaves) => self.running(leaves, &self.versions(t)).count() as f64,
        }
    }

    fn increase(&self, from: f64, to: f64) -> Option<f64> {
        let all = || self.all.requests_increase(self.place, self.part, (from, to));
        let Some(leaves) = &self.leaves else { return all() };
        if !self.is_running(from, to) {
            return None;
        }
        let shares = self.all.shares(self.place, self.part, (from, to));
        let share: f64 = leaves.iter().map(|leaf| shares.share(leaf.cell, leaf.version, leaf.code)).sum();
        Some(all()? * share)
    }

    fn sample_ranges(&self, from: f64, to: f64) -> Vec<(f64, f64)> {
        if self.leaves.is_none() || self.place.deploys.is_empty() {
            return vec![(from, to + 1.0)];
        }
        let (range, time) = ((self.demo(from), self.demo(to)), self.world().time);
        let ran = self.runs.iter().flat_map(|(pod, version)| {
            self.world().version_ran(self.place, VersionOf::Pod(*pod), *version, range)
        });
        merged(ran.collect()).into_iter().map(|(from, to)| (time.second(from), time.second(to))).collect()
    }

    fn grid(&self) -> (f64, f64) {
        (0.0, SCRAPE)
    }
}
