//! The age of each service's data: a rate over a window that is longer than the data would be too low.
//!
//! On a server that has just started, rates are taken over shorter windows; a service whose data began recently on an older
//! server has no rate yet. The ages are found with one query for each group of services, once and whenever a service appears
//! or comes back.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::QuestionRequests;
use super::metric_discovery::{MetricDiscovery, SelectorGroup};
use crate::backend::kit::time::Epoch;
use crate::backend::packs::Requests;
use crate::model::labels::Text;
use crate::model::remote::age;
use crate::model::source::SourceError;

/// Data that ended longer ago than this are ignored: Prometheus does not return samples that old, so such a value is not a
/// time.
const MAX_LATENESS: Duration = Duration::from_secs(900);
const STEPS: u32 = 20;

#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    /// The services whose data begin within the window, with the begin.
    begin: HashMap<Text, Timestamp>,
    /// The services with any data in the window; empty if one of the queries failed.
    reported: HashSet<Text>,
    /// If no service has data older than the window: the begin of the oldest data.
    oldest_data_begin: Option<Timestamp>,
    /// The time of the newest sample of each service, where known.
    newest: HashMap<Text, Timestamp>,
    /// The services that had a request rate at the last update.
    seen: HashSet<Text>,
    /// Whether a service lost its request rate at the last update.
    has_lost: bool,
    /// The window for which the ages were found; `None` if they are not known.
    known_for: Option<Duration>,
}

/// How much later than the window the data may begin without the rate being wrong: the begin is only known to one step, and
/// the server extrapolates by up to one scrape interval.
fn slack(discovery: &MetricDiscovery) -> Duration {
    let step = step(discovery.lookback);
    discovery.scrape_interval().map_or(step, |interval| interval.max(step))
}

/// The tolerance for a window that may be shorter than the lookback: at most a tenth of it, or a scrape interval.
fn lag(discovery: &MetricDiscovery, window: Duration) -> Duration {
    let usual = slack(discovery) + Duration::from_secs(1);
    usual.min((window / 10).max(discovery.scrape_interval().unwrap_or_default()))
}

/// The step in which a window is searched; at least a second.
fn step(window: Duration) -> Duration {
    Duration::from_secs((window / STEPS).as_secs().max(1))
}

impl Ages {
    /// Whether the ages are known for the current lookback.
    pub(super) fn are_known(&self, discovery: &MetricDiscovery) -> bool {
        self.known_for == Some(discovery.lookback)
    }

    /// Whether one of these services had no request rate at the last update.
    pub(super) fn has_unknown(&self, rated: &HashSet<Text>) -> bool {
        rated.iter().any(|service| !self.seen.contains(service))
    }

    /// Stores which services have a request rate now. A service that the last search did not find began after it.
    pub(super) fn update_rated(&mut self, rated: HashSet<Text>, now: Timestamp) {
        let is_new = |service: &&Text| !self.reported.is_empty() && !self.reported.contains(*service);
        for service in rated.iter().filter(is_new) {
            self.begin.entry(service.clone()).or_insert(now);
        }
        self.has_lost = !self.seen.is_subset(&rated);
        self.seen = rated;
    }

    /// Whether a service lost its request rate at the last update.
    pub(super) fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// Finds when the data of all services begin, within the window that ends at `now` by the server's clock. If a query
    /// fails, the services count as old.
    pub(super) async fn find(
        &mut self,
        call: &QuestionRequests<'_>,
        discovery: &MetricDiscovery,
        now: Timestamp,
    ) {
        let window = discovery.lookback;
        let slack = slack(discovery);
        let start = before(now, window);
        // an earlier begin belongs to data before a gap, for example before the server was down
        let cut = before(start, slack + slack / 10).as_second();
        let range = format!("[{}s:{}s]", window.as_secs().max(1), step(window).as_secs());
        let query = |by: &str, series: &str| {
            format!("min by ({by}) (min_over_time((timestamp({series}) >= {cut}){range}))")
        };
        let found = of_each_service(call, discovery, Some(now), query).await;
        self.begin.clear();
        self.reported.clear();
        let mut oldest: Option<f64> = None;
        let covered = (start.as_second() as f64) + slack.as_secs_f64() + 1.0;
        for (service, seconds) in found.iter().flatten().flatten() {
            self.reported.insert(service.clone());
            oldest = Some(oldest.map_or(*seconds, |known| known.min(*seconds)));
            if *seconds > covered
                && let Some(begin) = Epoch::<1>::at(*seconds)
            {
                let known = self.begin.entry(service.clone()).or_insert(begin);
                *known = begin.min(*known);
            }
        }
        if found.iter().any(Result::is_err) {
            self.reported.clear();
        }
        self.oldest_data_begin = oldest.filter(|oldest| *oldest > covered).and_then(Epoch::<1>::at);
        self.known_for = (found.iter().any(Result::is_ok) || found.is_empty()).then_some(window);
    }

    /// Finds the newest samples of all services, at this time or now.
    pub(super) async fn follow(
        &mut self,
        call: &QuestionRequests<'_>,
        discovery: &MetricDiscovery,
        at: Option<Timestamp>,
    ) {
        let query = |by: &str, series: &str| format!("max by ({by}) (timestamp({series}))");
        let found = of_each_service(call, discovery, at, query).await;
        self.newest.clear();
        for (service, seconds) in found.into_iter().flatten().flatten() {
            if let Some(moment) = Epoch::<1>::at(seconds) {
                let newest = self.newest.entry(service).or_insert(moment);
                *newest = moment.max(*newest);
            }
        }
    }

    /// How long ago the data of a service ended, if that is so long that a rate over the window is too low: the samples
    /// arrive late, for example by remote write, or have stopped. `None` if the data are current.
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

    /// The window for rates; `None` if there are not enough data for any rate.
    pub(super) fn lookback(&self, discovery: &MetricDiscovery, now: Timestamp) -> Option<Duration> {
        let Some(begin) = self.oldest_data_begin else { return Some(discovery.lookback) };
        let age = age(begin, now);
        let interval = discovery.scrape_interval();
        let least = interval.unwrap_or(discovery.lookback / 4);
        // half a scrape interval more, so that the first sample is still in the window when the server evaluates a moment
        // later
        let more = interval.unwrap_or(Duration::from_secs(2)) / 2;
        let whole = Duration::from_millis(u64::try_from((age + more).as_millis()).unwrap_or(u64::MAX));
        (age >= least).then(|| whole.min(discovery.lookback))
    }

    /// The age of a service's data, if the data do not fill the window; `None` if they do.
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

    /// The age of the oldest data, if all data are younger than the window.
    pub(super) fn store_age(&self, now: Timestamp) -> Option<Duration> {
        self.oldest_data_begin.map(|begin| age(begin, now))
    }
}

/// The value that a query has for each service, for each selector group of a request counter; `query` gets the label and the
/// series selector.
async fn of_each_service(
    call: &QuestionRequests<'_>,
    discovery: &MetricDiscovery,
    at: Option<Timestamp>,
    query: impl Fn(&str, &str) -> String,
) -> Vec<Result<Vec<(Text, f64)>, SourceError>> {
    let values = async |(requests, group): (&Requests, &SelectorGroup)| {
        let Requests { metric, matchers, .. } = requests;
        let more = if matchers.is_empty() { String::new() } else { format!(",{matchers}") };
        let query = query(&group.by, &format!("{metric}{{{}{more}}}", group.selector));
        let samples = call.instant(&query, at).await?;
        let values = group.samples_by_service(&samples);
        Ok(values.map(|(service, sample)| (service.clone(), sample.value)).collect())
    };
    join_all(discovery.counters().map(|((requests, _), group)| values((requests, group)))).await
}

fn before(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window).ok().and_then(|window| now.checked_sub(window).ok()).unwrap_or(now)
}
