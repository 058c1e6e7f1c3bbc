//! `burnwatch changes`: what changed, newest first.

use std::sync::Arc;

use crate::app::place::{Document, Place};
use crate::app::subjects::change::{COLUMNS, ChangeCoverage, ChangeItem, NO_SOURCE, coverage, haystack};
use crate::model::change::Change;

use super::alerts::AlertFilter;
use super::args::ChangesArgs;
use super::report::{ReportDocument, ReportList};
use super::session::{Session, SessionError};
use super::view::WorldView;
use super::{CliContext, VerbResult, needs};

/// Prints the changes that match the filter.
pub(super) fn run(cx: &CliContext<'_>, wanted: &ChangesArgs) -> VerbResult {
    let filter = AlertFilter::new(&wanted.filter, true).map_err(SessionError::Filter)?;
    let place = Place::Report(Document::Changes(wanted.since));
    let ask = |session: &Session| session.look(place);
    cx.print_report(wanted.listing, needs::CHANGES, ask, |view, _| document(view, &filter, wanted))
}

/// The changes of the last period of this length as a document. The notes say from when on they are complete.
pub(super) fn document(view: &WorldView<'_>, filter: &AlertFilter, wanted: &ChangesArgs) -> ReportDocument {
    let length = wanted.since;
    let start = view.now.checked_sub(length).unwrap_or(view.now);
    let within: Vec<Arc<Change>> =
        view.world.changes().iter().filter(|change| change.at >= start).cloned().collect();
    let (changes, unknown) = filter.matching(&within, haystack(within.iter(), view.now), |change| {
        let labels = change.filter_labels();
        labels.iter().map(|(_, value)| value.to_string()).chain([change.title.to_string()]).collect()
    });
    let items = changes.into_iter().map(|change| ChangeItem { change });
    let list = ReportList::of(("changes", "Changes", "Nothing changed."), COLUMNS, items);
    let coverage = coverage(view.world, view.sources);
    let list = match coverage {
        ChangeCoverage::Since(_) if wanted.filter.is_empty() => list,
        ChangeCoverage::Since(_) => ReportList { empty: "No matching changes found.", ..list },
        ChangeCoverage::NoSource | ChangeCoverage::NotLoaded | ChangeCoverage::Failed(_) => {
            ReportList { empty: "No changes known.", ..list }
        }
    };
    let mut document = view.document(Vec::new(), vec![list], needs::CHANGES);
    match coverage {
        ChangeCoverage::NoSource => document.notes.push(NO_SOURCE.to_owned()),
        ChangeCoverage::Since(since) if since > start => {
            let since = since.to_zoned(view.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z");
            document.notes.push(format!("changes are complete since {since}"));
        }
        // a missing answer is noted by the document
        ChangeCoverage::Since(_) | ChangeCoverage::NotLoaded | ChangeCoverage::Failed(_) => {}
    }
    document.notes.extend(unknown);
    document
}
