//! `burnwatch silences`: active and pending silences, the first to end first; with `--all` also expired ones, the last to end
//! first.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::app::screens::silences::columns::{COLUMNS, SilenceItem};
use crate::model::silence::{Silence, SilenceState};

use super::needs;
use super::report::{ReportDocument, ReportList};
use super::view::WorldView;

/// The silences, each once; expired ones only if `is_all`.
pub(super) fn document(view: &WorldView<'_>, is_all: bool) -> ReportDocument {
    let mut seen = BTreeSet::new();
    let is_over = |silence: &Silence| silence.state == SilenceState::Expired;
    let wanted = view.world.silences().filter(|silence| is_all || !is_over(silence));
    // all members of an Alertmanager cluster report the same silences
    let mut all: Vec<&Arc<Silence>> = wanted.filter(|silence| seen.insert(&silence.id)).collect();
    all.sort_by(|a, b| {
        let by_end = if is_over(a) { b.ends_at.cmp(&a.ends_at) } else { a.ends_at.cmp(&b.ends_at) };
        is_over(a).cmp(&is_over(b)).then(by_end).then_with(|| a.id.cmp(&b.id))
    });
    let hides = view.world.hidden_by_each();
    let items = all.into_iter().map(|silence| {
        let hides = hides.get(&silence.id).copied().unwrap_or(0);
        SilenceItem { silence: Arc::clone(silence), hides }
    });
    let empty = if is_all { "No silences found." } else { "No active or pending silences found." };
    let list = ReportList::of(("silences", "Silences", empty), COLUMNS, items);
    view.document(Vec::new(), vec![list], needs::SILENCES)
}
