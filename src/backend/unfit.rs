//! A replacement for a source that cannot be created from its configuration: it answers every question with the error. Other
//! sources are not affected.

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
    /// Replaces the source with these settings.
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
