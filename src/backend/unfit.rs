//! A source that cannot be made as it is configured: every question is answered with the reason, so that it is told like any
//! other trouble of a source, and the others go on.

use std::future::ready;

use super::{Answering, Source};
use crate::config::is_exposed;
use crate::config::settings::SourceSettings;
use crate::model::ask::{Ask, AskKind};
use crate::model::source::{SourceError, SourceInfo};
use crate::model::text::clean;

pub(super) struct Unfit {
    info: SourceInfo,
    error: SourceError,
}

impl Unfit {
    /// In place of a source of this kind, which would answer these questions.
    pub(super) fn new(source: &SourceSettings, answers: &[AskKind], error: SourceError) -> Self {
        let info = SourceInfo {
            tenant: source.tenant.as_deref().map(|tenant| clean(tenant).into()),
            is_exposed: is_exposed(source),
            id: error.source_name.clone(),
            kind: source.kind.into(),
            address: clean(source.address()).into(),
            answers: answers.to_vec(),
            acts: Vec::new(),
        };
        Self { info, error }
    }
}

impl Source for Unfit {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn answer<'a>(&'a self, _: &'a Ask, _: Option<u64>) -> Answering<'a> {
        Box::pin(ready(Err(self.error.clone())))
    }
}
