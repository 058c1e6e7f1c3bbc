//! Creates, edits, extends and expires silences in Grafana's own Alertmanager.

use super::alerts::ALERTMANAGER;
use super::{Grafana, HANDLERS};
use crate::backend::alertmanager_api::silences::{self, SilencePath};
use crate::backend::handlers::Handler;
use crate::backend::kit::http::{Body, Http};
use crate::backend::writes::{Plan, Read, ReadAnswer, Refusal, Write, Writer, kinds, preview};
use crate::model::action::{ActionError, ActionResult, WriteContext, WriteSupport};
use crate::model::source::SourceError;
use crate::model::source_info::SourceInfo;

/// The supported operations.
pub(super) const SUPPORT: WriteSupport = WriteSupport {
    kinds: &kinds::<{ PLANS.len() }>(PLANS),
    preview: |action, address, cx| preview(PLANS, action, address, cx),
};

static PLANS: &[Plan] = &silences::plans::<Grafana>();

impl SilencePath for Grafana {
    const API: &'static str = ALERTMANAGER;
}

impl Writer for Grafana {
    const HANDLERS: &'static [Handler<Self>] = HANDLERS;
    const PLANS: &'static [Plan] = PLANS;

    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn http(&self) -> &Http {
        &self.http
    }

    fn explain(&self, error: SourceError) -> SourceError {
        Self::explained(error)
    }

    fn context(&self) -> WriteContext {
        WriteContext { clock_ahead: self.skew.ahead(), ..WriteContext::at(self.clock.now()) }
    }

    async fn read(&self, read: &Read) -> Result<ReadAnswer, SourceError> {
        silences::read(self, read).await
    }

    fn judge_answer(&self, write: &Write<'_>, body: &Body) -> Result<ActionResult, ActionError> {
        silences::judge_answer(self, write, body)
    }

    fn judge_refusal(&self, write: &Write<'_>, error: ActionError) -> Refusal {
        silences::judge_refusal(self, write, error, true)
    }
}
