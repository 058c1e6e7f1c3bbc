//! Which data source of Grafana a reference means: uids, names of old dashboards, and the default.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;

use super::Grafana;
use crate::backend::kit::http::segment;
use crate::model::ask::Weight;
use crate::model::dashboard::{DataSource, DataSourceRef};
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;

/// How long the list of data sources is used.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// How long the test of a data source is used.
const TESTED: SignedDuration = SignedDuration::from_hours(1);
/// The most data sources that are tested.
const MOST_TESTED: usize = 100;
/// The most tests at the same time.
const AT_ONCE: usize = 4;
/// How long a test may take.
const TEST_TIME: Duration = Duration::from_secs(3);
/// The plug-in and uid of server-side expressions.
pub(super) const EXPRESSIONS: &str = "__expr__";

/// The list of data sources as it was read last, and which of them may be queried.
#[derive(Default)]
pub(super) struct KnownDataSources(
    Mutex<Option<(Timestamp, Arc<[DataSource]>)>>,
    Mutex<BTreeMap<Text, (Timestamp, bool)>>,
);

/// A data source to which a query can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvedDataSource {
    pub(super) uid: Text,
    /// The plug-in, if it is known.
    pub(super) kind: Option<Text>,
    /// Its name for messages: the uid, if it has no other.
    pub(super) name: Text,
}

impl ResolvedDataSource {
    /// Whether its queries are expressions over the results of others.
    pub(super) fn is_expression(&self) -> bool {
        &*self.uid == EXPRESSIONS
    }

    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.kind.as_deref() == Some(kind)
    }

    /// Whether it speaks PromQL: Prometheus itself, and the plug-ins for Amazon's and Azure's.
    pub(super) fn is_prometheus(&self) -> bool {
        self.kind.as_deref().is_some_and(is_prometheus)
    }
}

/// Whether a plug-in is one for Prometheus.
pub(super) fn is_prometheus(kind: &str) -> bool {
    matches!(
        kind,
        "prometheus" | "grafana-amazonprometheus-datasource" | "grafana-azureprometheus-datasource"
    )
}

impl Grafana {
    /// All data sources that the token may see, and what could not be read.
    pub(super) async fn listed_data_sources(&self) -> Result<(Arc<[DataSource]>, Vec<Warning>), SourceError> {
        let (sources, warnings) = self.read_data_sources().await?;
        let sources: Arc<[DataSource]> = sources.into();
        let kept = (self.clock.now(), Arc::clone(&sources));
        *self.known_data_sources.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok((sources, warnings))
    }

    /// The data sources with whether the token may query them. Where the rights of the token do not say it, each is tested at most
    /// once an hour by asking for its health, which needs the same right (`datasources:query`). Those beyond [`MOST_TESTED`], and those that do not answer in time, stay unknown.
    pub(super) async fn tested(&self, sources: &[DataSource]) -> Vec<DataSource> {
        let now = self.clock.now();
        let kept = {
            let mut tests = self.known_data_sources.1.lock().unwrap_or_else(PoisonError::into_inner);
            tests.retain(|_, (since, _)| now.duration_since(*since) < TESTED);
            tests.clone()
        };
        let turns = Semaphore::new(AT_ONCE);
        let test = async |source: &DataSource| {
            if source.may_query.is_some() {
                return source.may_query;
            }
            if let Some((_, may_query)) = kept.get(&source.uid) {
                return Some(*may_query);
            }
            let _turn = turns.acquire().await.ok()?;
            let path = format!("api/datasources/uid/{}/health", segment(&source.uid));
            let answer = tokio::time::timeout(TEST_TIME, self.get(Weight::Page, &path, &[])).await.ok()?;
            let may_query = match answer {
                Ok(_) => true,
                Err(error) => may_query_after(&error.kind)?,
            };
            let mut tests = self.known_data_sources.1.lock().unwrap_or_else(PoisonError::into_inner);
            tests.insert(source.uid.clone(), (now, may_query));
            Some(may_query)
        };
        let results = join_all(sources.iter().take(MOST_TESTED).map(test)).await;
        let results = results.into_iter().chain(std::iter::repeat(None));
        let with = |(source, may_query): (&DataSource, _)| DataSource { may_query, ..source.clone() };
        sources.iter().zip(results).map(with).collect()
    }

    /// The same from memory, if it is not old.
    async fn known_data_sources(&self) -> Result<Arc<[DataSource]>, SourceError> {
        let kept = self.known_data_sources.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.clock.now();
        match kept.filter(|(since, _)| now.duration_since(*since) < KEPT) {
            Some((_, sources)) => Ok(sources),
            None => Ok(self.listed_data_sources().await?.0),
        }
    }

    /// The data source that a reference means.
    ///
    /// # Errors
    /// Why there is none, and what helps.
    pub(super) async fn resolved(&self, wanted: &DataSourceRef) -> Result<ResolvedDataSource, String> {
        let (uid, kind) = (wanted.uid.as_deref().unwrap_or_default(), wanted.kind.as_deref());
        if kind == Some(EXPRESSIONS) || matches!(uid, EXPRESSIONS | "-100") {
            let word = Text::from(EXPRESSIONS);
            return Ok(ResolvedDataSource { uid: word.clone(), kind: Some(word.clone()), name: word });
        }
        match uid {
            "-- Mixed --" => return Err("the query names no data source of its own".to_owned()),
            "-- Dashboard --" => return Err("it shows the result of another panel".to_owned()),
            "-- Grafana --" | "grafana" => {
                return Err("Grafana's own test data and file lists are not queried".to_owned());
            }
            _ if uid.contains('$') => {
                return Err(format!("its data source is the variable {uid}, which has no value"));
            }
            _ => {}
        }
        let known = self.known_data_sources().await;
        let list: &[DataSource] = known.as_deref().unwrap_or_default();
        let is_default = matches!(uid, "" | "default");
        let of_kind = |one: &&DataSource| kind.is_none_or(|kind| *one.kind == *kind);
        let found = if is_default {
            let default = list.iter().find(|one| one.is_default);
            default
                .filter(of_kind)
                .or_else(|| list.iter().find(of_kind))
                .filter(|_| kind.is_some())
                .or(default)
        } else {
            let named = |one: &&DataSource| *one.name == *uid;
            list.iter().find(|one| *one.uid == *uid).or_else(|| list.iter().find(named))
        };
        match (found, &known) {
            (Some(found), _) => Ok(ResolvedDataSource {
                uid: found.uid.clone(),
                kind: Some(found.kind.clone()),
                name: found.name.clone(),
            }),
            // the list may lack it; Grafana decides
            (None, _) if !is_default => {
                Ok(ResolvedDataSource { uid: uid.into(), kind: kind.map(Text::from), name: uid.into() })
            }
            (None, Ok(_)) => Err(match kind {
                Some(kind) => format!("Grafana has no data source of the kind {kind} that the token may see"),
                None => "Grafana has no default data source that the token may see".to_owned(),
            }),
            (None, Err(error)) => Err(format!(
                "the default data source is not known, because the list cannot be read (right datasources:read): {}",
                error.kind
            )),
        }
    }
}

/// Whether a data source may be queried whose test failed; `None` if the failure does not say.
fn may_query_after(failure: &ErrorKind) -> Option<bool> {
    match failure {
        // the right is missing, or the plug-in has no backend
        ErrorKind::Forbidden { .. } | ErrorKind::Refused { status: 404 | 501, .. } => Some(false),
        // the right is there, the data source is not well
        ErrorKind::Refused { .. } | ErrorKind::BadQuery { .. } | ErrorKind::TooLarge { .. } => Some(true),
        ErrorKind::Unreachable { .. }
        | ErrorKind::Certificate { .. }
        | ErrorKind::TimedOut { .. }
        | ErrorKind::Unauthorised { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Garbled { .. }
        | ErrorKind::NotOffered { .. }
        | ErrorKind::Unfit { .. }
        | ErrorKind::NoSecret { .. }
        | ErrorKind::Local { .. }
        | ErrorKind::Internal { .. } => None,
    }
}
