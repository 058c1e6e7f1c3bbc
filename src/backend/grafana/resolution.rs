//! Which data source of Grafana a reference means: uids, names of old dashboards, and the default.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Grafana, wire};
use crate::backend::kit::lenient::{LenientList, RequiredList, unreadable_warning};
use crate::model::ask::Weight;
use crate::model::dashboard::{DataSource, DataSourceRef};
use crate::model::labels::Text;
use crate::model::source::SourceError;
use crate::model::warning::Warning;

/// How long the list of data sources is used.
const KEPT: SignedDuration = SignedDuration::from_mins(5);
/// The plug-in and uid of server-side expressions.
pub(super) const EXPRESSIONS: &str = "__expr__";

/// The list of data sources, as it was read last.
#[derive(Default)]
pub(super) struct KnownDataSources(Mutex<Option<(Timestamp, Arc<[DataSource]>)>>);

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
        let body = self.get(Weight::Page, "api/datasources", &[]).await?;
        let list: LenientList<wire::DataSourceItem<'_>> = body.json::<RequiredList<_>>()?.0;
        let warnings = unreadable_warning(list.lost, "data sources").into_iter().collect();
        let text = |text: &str| (!text.is_empty()).then(|| Text::from(text));
        let sources = list.all.iter().map(|one| DataSource {
            uid: (&*one.uid.0).into(),
            name: (&*one.name.0).into(),
            kind: (&*one.kind.0).into(),
            is_default: one.is_default.is_true(),
            may_query: None,
            interval: text(&one.json_data.time_interval.0),
        });
        let sources: Arc<[DataSource]> = sources.collect();
        let kept = (self.clock.now(), Arc::clone(&sources));
        *self.known_data_sources.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok((sources, warnings))
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
