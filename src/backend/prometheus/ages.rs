//! How old the data of services are: a rate over a window that is longer than the data is a fraction of the truth.
//!
//! A store that has just been started is asked over shorter windows; a service that has just come to an old store has no rate
//! yet. That is found out by one query for each group of services, once and whenever a service comes (back).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::survey::Survey;
use crate::model::labels::Text;
use crate::model::remote::age;

/// A window is looked through in so many steps.
const STEPS: u32 = 20;

/// When the data of services begin, as far as that is within the window.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages {
    /// Those that began within the window, with the moment.
    begin: HashMap<Text, Timestamp>,
    /// Where nothing is older than the window: when the first data began.
    store_begins: Option<Timestamp>,
    /// Services that had a rate when it was last looked.
    seen: HashSet<Text>,
    /// For which window that was found out.
    known_for: Option<Duration>,
}

/// How far back a beginning may lie behind that of a window without a rate being wrong.
fn slack(survey: &Survey) -> Duration {
    let step = step(survey.lookback);
    survey.scrape_interval().map_or(step, |interval| interval.max(step))
}

fn step(window: Duration) -> Duration {
    Duration::from_secs((window / STEPS).as_secs().max(1))
}

impl Ages {
    /// Whether it was found out.
    pub(super) fn are_known(&self, survey: &Survey) -> bool {
        self.known_for == Some(survey.lookback)
    }

    /// Whether one of these services was not there when it was last looked.
    pub(super) fn lack(&self, rated: &HashSet<Text>) -> bool {
        rated.iter().any(|service| !self.seen.contains(service))
    }

    /// Notes which services have a rate now.
    pub(super) fn saw(&mut self, rated: HashSet<Text>) {
        self.seen = rated;
    }

    /// Finds out when the data of all services begin, looking back from `now` by the server's clock. What cannot be found out
    /// is taken for old.
    pub(super) async fn find(&mut self, call: &Call<'_>, survey: &Survey, now: Timestamp) {
        let window = survey.lookback;
        let slack = slack(survey);
        let start = before(now, window);
        // what is older than that was told before a hole, such as a server that was down
        let cut = before(start, slack + slack / 10).as_second();
        let range = format!("[{}s:{}s]", window.as_secs().max(1), step(window).as_secs());
        let lanes = survey
            .counters
            .iter()
            .flat_map(|found| found.lanes.iter().map(move |lane| (&found.entry.requests, lane)));
        let lanes: Vec<_> = lanes.collect();
        let found = join_all(lanes.iter().map(async |(requests, lane)| {
            let matchers = if requests.matchers.is_empty() {
                lane.selector.clone()
            } else {
                format!("{},{}", lane.selector, requests.matchers)
            };
            let series = format!("{}{{{matchers}}}", requests.metric);
            let by = lane.fill(window).by;
            let query = format!("min by ({by}) (min_over_time((timestamp({series}) >= {cut}){range}))");
            call.instant(&query, Some(now)).await
        }))
        .await;
        self.begin.clear();
        let mut oldest: Option<f64> = None;
        let covered = (start.as_second() as f64) + slack.as_secs_f64() + 1.0;
        for ((_, lane), samples) in lanes.iter().zip(&found) {
            for sample in samples.iter().flatten() {
                let Some(service) = sample.labels.get(&lane.label) else { continue };
                oldest = Some(oldest.map_or(sample.value, |known| known.min(sample.value)));
                if sample.value > covered
                    && let Some(begin) = moment(sample.value)
                {
                    let known = self.begin.entry(service.clone()).or_insert(begin);
                    *known = begin.min(*known);
                }
            }
        }
        self.store_begins = oldest.filter(|oldest| *oldest > covered).and_then(moment);
        self.known_for = (found.iter().any(Result::is_ok) || found.is_empty()).then_some(window);
    }

    /// Over how long rates are to be taken now; `None`: there is not enough for any.
    pub(super) fn lookback(&self, survey: &Survey, now: Timestamp) -> Option<Duration> {
        let Some(begin) = self.store_begins else { return Some(survey.lookback) };
        let age = age(begin, now);
        let least = survey.scrape_interval().unwrap_or(survey.lookback / 4);
        // one second more, for the first sample must lie within the window
        let whole = Duration::from_secs(age.as_secs() + 1);
        (age >= least).then(|| whole.min(survey.lookback))
    }

    /// How old the data of a service are, if they do not fill a window.
    pub(super) fn young(
        &self,
        service: &Text,
        window: Option<Duration>,
        survey: &Survey,
        now: Timestamp,
    ) -> Option<Duration> {
        let age = age(*self.begin.get(service)?, now);
        window.is_none_or(|window| age + slack(survey) + Duration::from_secs(1) < window).then_some(age)
    }

    /// How old the oldest data are, where all are younger than the window.
    pub(super) fn store_age(&self, now: Timestamp) -> Option<Duration> {
        self.store_begins.map(|begin| age(begin, now))
    }
}

fn before(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window).ok().and_then(|window| now.checked_sub(window).ok()).unwrap_or(now)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole seconds are enough, and what is out of range is none"
)]
fn moment(second: f64) -> Option<Timestamp> {
    Timestamp::from_second(second.floor() as i64).ok()
}
