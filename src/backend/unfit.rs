//! A source that cannot be made as it is configured: every question is answered with the reason, so that it is told like any
//! other trouble of a source, and the others go on.

use std::future::ready;

use super::{Answering, Source};
use crate::config::settings::SourceSettings;
use crate::model::action::WriteSupport;
use crate::model::ask::Ask;
use crate::model::source::SourceError;
use crate::model::source_info::SourceInfo;
use crate::model::text::clean;

pub(super) struct Unfit {
    info: SourceInfo,
    error: SourceError,
}

impl Unfit {
    /// In place of a source that was configured so.
    pub(super) fn new(source: &SourceSettings, error: SourceError) -> Self {
        let info = super::info(&error.source_name, source, &clean(source.address()));
        Self { info: SourceInfo { writes: WriteSupport::NONE, ..info }, error }
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
