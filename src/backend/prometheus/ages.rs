//! How old the data of services are: a rate over a window that is longer than the data is a fraction of the truth.
//!
//! A store that has just been started is asked over shorter windows; a service that has just come to an old store has no rate
//! yet. That is found out by one query for each group of services, once and whenever a service comes (back).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::QuestionRequests;
use super::metric_discovery::{MetricDiscovery, RequestCounter, SelectorGroup, selector_groups};
use crate::backend::kit::time::Epoch;
use crate::model::labels::Text;
use crate::model::remote::age;

/// No server answers with data that ended longer ago than this; what says so does not tell moments.
const MAX_LATENESS: Duration = Duration::from_secs(900);
/// A window is looked through in so many steps.
const STEPS: u32 = 20;

/// When the data of services begin, as far as that is within the window.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    /// Those that began within the window, with the moment.
    begin: HashMap<Text, Timestamp>,
    /// Those of which anything was found, if all could be looked at.
    told: HashSet<Text>,
    /// Where nothing is older than the window: when the first data began.
    oldest_data_begin: Option<Timestamp>,
    /// When the newest data of each service are from, as far as it is told.
    newest: HashMap<Text, Timestamp>,
    /// Services that had a rate when it was last looked.
    seen: HashSet<Text>,
    /// Whether one of those before had none any more then.
    has_lost: bool,
    /// For which window that was found out.
    known_for: Option<Duration>,
}

/// How far back a beginning may lie behind that of a window without a rate being wrong: it is found out to a step, and the server
/// fills up a scrape by itself.
fn slack(discovery: &MetricDiscovery) -> Duration {
    let step = step(discovery.lookback);
    discovery.scrape_interval().map_or(step, |interval| interval.max(step))
}

/// The same for a window that may be shorter: no more than a tenth of it, or a scrape.
fn lag(discovery: &MetricDiscovery, window: Duration) -> Duration {
    let usual = slack(discovery) + Duration::from_secs(1);
    usual.min((window / 10).max(discovery.scrape_interval().unwrap_or_default()))
}

fn step(window: Duration) -> Duration {
    Duration::from_secs((window / STEPS).as_secs().max(1))
}

impl Ages {
    /// Whether it was found out.
    pub(super) fn are_known(&self, discovery: &MetricDiscovery) -> bool {
        self.known_for == Some(discovery.lookback)
    }

    /// Whether one of these services was not there when it was last looked.
    pub(super) fn has_unknown(&self, rated: &HashSet<Text>) -> bool {
        rated.iter().any(|service| !self.seen.contains(service))
    }

    /// Notes which services have a rate now. Of one that was not found the data began after the last step of the look back.
    pub(super) fn update_rated(&mut self, rated: HashSet<Text>, now: Timestamp) {
        let is_new = |service: &&Text| !self.told.is_empty() && !self.told.contains(*service);
        for service in rated.iter().filter(is_new) {
            self.begin.entry(service.clone()).or_insert(now);
        }
        self.has_lost = !self.seen.is_subset(&rated);
        self.seen = rated;
    }

    /// Whether a service had no rate any more when it was last looked.
    pub(super) fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// Finds out when the data of all services begin, looking back from `now` by the server's clock. What cannot be found out
    /// is taken for old.
    pub(super) async fn find(
        &mut self,
        call: &QuestionRequests<'_>,
        discovery: &MetricDiscovery,
        now: Timestamp,
    ) {
        let window = discovery.lookback;
        let slack = slack(discovery);
        let start = before(now, window);
        // what is older than that was told before a hole, such as a server that was down
        let cut = before(start, slack + slack / 10).as_second();
        let range = format!("[{}s:{}s]", window.as_secs().max(1), step(window).as_secs());
        let selector_groups: Vec<_> = selector_groups(&discovery.counters).collect();
        let found = join_all(selector_groups.iter().map(async |(counter, selector_group)| {
            let series = series(counter, selector_group);
            let by = selector_group.fill(window).by;
            let query = format!("min by ({by}) (min_over_time((timestamp({series}) >= {cut}){range}))");
            call.instant(&query, Some(now)).await
        }))
        .await;
        self.begin.clear();
        self.told.clear();
        let mut oldest: Option<f64> = None;
        let covered = (start.as_second() as f64) + slack.as_secs_f64() + 1.0;
        for ((_, selector_group), samples) in selector_groups.iter().zip(&found) {
            for (service, sample) in samples.iter().flat_map(|samples| selector_group.told(samples)) {
                self.told.insert(service.clone());
                oldest = Some(oldest.map_or(sample.value, |known| known.min(sample.value)));
                if sample.value > covered
                    && let Some(begin) = Epoch::<1>::at(sample.value)
                {
                    let known = self.begin.entry(service.clone()).or_insert(begin);
                    *known = begin.min(*known);
                }
            }
        }
        if found.iter().any(Result::is_err) {
            self.told.clear();
        }
        self.oldest_data_begin = oldest.filter(|oldest| *oldest > covered).and_then(Epoch::<1>::at);
        self.known_for = (found.iter().any(Result::is_ok) || found.is_empty()).then_some(window);
    }

    /// Finds out when the data of all services end, at this moment or now.
    pub(super) async fn follow(
        &mut self,
        call: &QuestionRequests<'_>,
        discovery: &MetricDiscovery,
        at: Option<Timestamp>,
    ) {
        let selector_groups: Vec<_> = selector_groups(&discovery.counters).collect();
        let found = join_all(selector_groups.iter().map(async |(counter, selector_group)| {
            let by = selector_group.fill(discovery.lookback).by;
            call.instant(&format!("max by ({by}) (timestamp({}))", series(counter, selector_group)), at).await
        }))
        .await;
        self.newest.clear();
        for ((_, selector_group), samples) in selector_groups.iter().zip(&found) {
            for (service, sample) in samples.iter().flat_map(|samples| selector_group.told(samples)) {
                if let Some(moment) = Epoch::<1>::at(sample.value) {
                    let newest = self.newest.entry(service.clone()).or_insert(moment);
                    *newest = moment.max(*newest);
                }
            }
        }
    }

    /// How long ago the data of a service ended, if that is so long that a rate over a window until now is a fraction of the
    /// truth: they come late, as by remote write, or not at all any more.
    pub(super) fn late(
        &self,
        service: &Text,
        window: Duration,
        discovery: &MetricDiscovery,
        now: Timestamp,
    ) -> Option<Duration> {
        let ended = age(*self.newest.get(service)?, now);
        let usual = 2 * discovery.scrape_interval().unwrap_or(window / 4);
        (ended > usual.max(window / 10) + Duration::from_secs(1) && ended < MAX_LATENESS).then_some(ended)
    }

    /// Over how long rates are to be taken now; `None`: there is not enough for any.
    pub(super) fn lookback(&self, discovery: &MetricDiscovery, now: Timestamp) -> Option<Duration> {
        let Some(begin) = self.oldest_data_begin else { return Some(discovery.lookback) };
        let age = age(begin, now);
        let interval = discovery.scrape_interval();
        let least = interval.unwrap_or(discovery.lookback / 4);
        // the first sample must lie within the window though the server asks its clock a moment later; it fills up a scrape
        let more = interval.unwrap_or(Duration::from_secs(2)) / 2;
        let whole = Duration::from_millis(u64::try_from((age + more).as_millis()).unwrap_or(u64::MAX));
        (age >= least).then(|| whole.min(discovery.lookback))
    }

    /// How old the data of a service are, if they do not fill a window.
    pub(super) fn young(
        &self,
        service: &Text,
        window: Option<Duration>,
        discovery: &MetricDiscovery,
        now: Timestamp,
    ) -> Option<Duration> {
        let age = age(*self.begin.get(service)?, now);
        window.is_none_or(|window| age + lag(discovery, window) < window).then_some(age)
    }

    /// How old the oldest data are, where all are younger than the window.
    pub(super) fn store_age(&self, now: Timestamp) -> Option<Duration> {
        self.oldest_data_begin.map(|begin| age(begin, now))
    }
}

/// The series of a counter in a group of services.
fn series(RequestCounter { requests, .. }: &RequestCounter, selector_group: &SelectorGroup) -> String {
    let more = if requests.matchers.is_empty() { String::new() } else { format!(",{}", requests.matchers) };
    format!("{}{{{}{more}}}", requests.metric, selector_group.selector)
}

fn before(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window).ok().and_then(|window| now.checked_sub(window).ok()).unwrap_or(now)
}
