//! A context as the runtime needs it: its sources, their limits and its guard.

use std::error::Error;
use std::sync::Arc;

use crate::backend::{Clock, Source};
use crate::config::settings::LimitSettings;
use crate::model::guard::Guard;
use crate::model::source_info::SourceInfo;

use super::gate::{Gates, SourceGate};

/// The sources of a context, and the limits for requests to each of them.
#[derive(Clone)]
pub struct GatedSources {
    list: Vec<Arc<dyn Source>>,
    limits: LimitSettings,
}

impl GatedSources {
    /// Combines sources with their limits.
    pub fn new(list: Vec<Arc<dyn Source>>, limits: LimitSettings) -> Self {
        Self { list, limits }
    }

    /// A new gate for each source.
    pub(super) fn gates(&self, clock: Clock) -> Gates {
        let gate =
            |source: &Arc<dyn Source>| Arc::new(SourceGate::new(Arc::clone(source), &self.limits, clock));
        self.list.iter().map(|source| (source.info().id.clone(), gate(source))).collect()
    }

    /// Name, kind and abilities of each source.
    pub fn infos(&self) -> Vec<SourceInfo> {
        self.list.iter().map(|source| source.info().clone()).collect()
    }
}

/// An opened context.
pub struct ContextHandle {
    pub sources: GatedSources,
    /// The guardrails of the context for actions.
    pub guard: Guard,
    /// Whether the context is marked as production.
    pub production: bool,
}

/// Opens the context of this name and builds its sources. May block; its error is shown to the user.
pub type ContextOpener =
    Arc<dyn Fn(&str) -> Result<ContextHandle, Box<dyn Error + Send + Sync>> + Send + Sync>;
