//! The definitions of alert rules: which expression of which data source a rule compares with which threshold.
//!
//! They are read for active and broken rules only, a few with each poll, and kept.

mod compile;
mod condition;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::Grafana;
use super::rights::DEFINITIONS_READ;
use super::rules::FoundRule;
use crate::backend::kit::http::segment;
use crate::backend::kit::parts::AnswerParts;
use crate::model::alert::Alert;
use crate::model::ask::Weight;
use crate::model::labels::Text;
use crate::model::source::{ErrorKind, SourceError};
use crate::model::warning::Warning;
pub(super) use compile::CompiledRule;

/// How many definitions a poll reads at most.
const EACH_POLL: usize = 10;
/// How long a definition is used.
const KEPT: Duration = Duration::from_secs(600);
/// After how long a refused definition is asked for again.
const REFUSED_FOR: Duration = Duration::from_secs(300);
/// The most definitions that are kept.
const MOST: usize = 2000;

/// The definitions of rules by uid: the rule as `PromQL`, or why it has none.
#[derive(Debug, Clone, Default)]
pub(super) struct RuleDefinitions(BTreeMap<Text, (Instant, Arc<CompiledRule>)>);

/// What is kept of definitions.
#[derive(Default)]
pub(super) struct DefinitionCache {
    known: RuleDefinitions,
    /// Definitions were refused, with the error and when.
    refused: Option<(Instant, SourceError)>,
}

impl RuleDefinitions {
    fn of(&self, found: &FoundRule) -> Option<&CompiledRule> {
        self.0.get(&found.uid).map(|(_, compiled)| &**compiled)
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &CompiledRule> {
        self.0.values().map(|(_, compiled)| &**compiled)
    }

    /// The expression of a rule with its threshold; the queries alone while the definition is not known or is not `PromQL`.
    pub(super) fn expression(&self, found: &FoundRule) -> Text {
        match self.of(found).map(|compiled| &compiled.promql) {
            Some(Ok(promql)) => promql.clone(),
            Some(Err(_)) | None => found.query.clone(),
        }
    }

    /// The alert with the value that its rule compares, as far as that is known.
    pub(super) fn with_value(&self, alert: &Alert, found: &FoundRule) -> Alert {
        let compared = self.of(found).and_then(|compiled| compiled.compared.as_deref());
        let values: Map<String, Value> = alert
            .annotations
            .get("__values__")
            .and_then(|values| serde_json::from_str(values).ok())
            .unwrap_or_default();
        let named = compared.and_then(|name| values.get(name)).and_then(Value::as_f64);
        Alert { value: named.or(alert.value).filter(|value| value.is_finite()), ..alert.clone() }
    }
}

impl Grafana {
    /// The definitions of these rules, as far as they are known; reads some of those that are missing.
    ///
    /// # Errors
    /// If the whole source cannot be reached.
    pub(super) async fn definitions_of(
        &self,
        rules: &[&FoundRule],
        parts: &mut AnswerParts,
    ) -> Result<RuleDefinitions, SourceError> {
        let mut cache = self.definitions.lock().await;
        cache.known.0.retain(|_, (at, _)| at.elapsed() < KEPT);
        let is_missing = |uid: &&Text| !uid.is_empty() && !cache.known.0.contains_key(*uid);
        let alerting = rules.iter().filter(|rule| !rule.records);
        let missing: Vec<Text> = alerting.map(|rule| &rule.uid).filter(is_missing).cloned().collect();
        let refused = cache.refused.take_if(|(at, _)| at.elapsed() >= REFUSED_FOR);
        drop(refused);
        for uid in missing.iter().take(EACH_POLL) {
            if cache.refused.is_some() || cache.known.0.len() >= MOST {
                break;
            }
            let path = format!("api/v1/provisioning/alert-rules/{}", segment(uid));
            match self.get(Weight::Page, &path, &[]).await.and_then(|body| body.json::<Value>()) {
                Ok(definition) => {
                    let compiled = compile::compiled(&definition);
                    cache.known.0.insert(uid.clone(), (Instant::now(), Arc::new(compiled)));
                }
                Err(error) if matches!(error.kind, ErrorKind::Forbidden { .. }) => {
                    cache.refused = Some((Instant::now(), self.lacking(error, DEFINITIONS_READ)));
                }
                Err(error) if error.kind.is_source_wide() => return Err(error),
                Err(error) => {
                    let reason = format!("its definition could not be read: {}", error.kind);
                    let compiled = CompiledRule { promql: Err(reason), ..CompiledRule::default() };
                    cache.known.0.insert(uid.clone(), (Instant::now(), Arc::new(compiled)));
                }
            }
        }
        if let Some((_, error)) = &cache.refused {
            parts
                .warnings
                .push(Warning::notice(format!("rules are shown without their thresholds: {}", error.kind)));
        }
        Ok(cache.known.clone())
    }

    /// The definitions that are known without asking.
    pub(super) async fn known_definitions(&self) -> RuleDefinitions {
        self.definitions.lock().await.known.clone()
    }

    /// Why no definitions are read, if they are refused.
    pub(super) async fn refused_definitions(&self) -> Option<SourceError> {
        self.definitions.lock().await.refused.as_ref().map(|(_, error)| error.clone())
    }
}
