//! `burnwatch oncall`: who is on call now and next, at each level of each escalation policy.

use crate::app::screens::oncall::columns::{COLUMNS, LevelItem};
use crate::app::subjects::on_call::levels;
use crate::model::labels::Text;
use crate::model::oncall::{Coverage, EscalationPolicy, OnCallSnapshot};
use crate::model::source::SourceId;

use super::needs;
use super::report::{Fact, ReportDocument, ReportList};
use super::view::WorldView;

/// A row for each level of each policy, sorted by the policy's name and source.
fn list(view: &WorldView<'_>) -> ReportList {
    let mut policies: Vec<_> = policies(view).collect();
    policies.sort_by_key(|(source, _, policy)| (&policy.named.name, *source));
    let items = policies.into_iter().flat_map(|(source, snapshot, policy)| {
        levels(snapshot, policy).into_iter().map(move |number| {
            let on_call_at = snapshot.on_call_at(&policy.named.id, number, view.now);
            LevelItem { source, snapshot, policy, number, on_call_at, is_first: true }
        })
    });
    ReportList::of(("levels", "On call", "No escalation policies found."), COLUMNS, items)
}

/// The list as a document; a note names each policy with nobody on call.
pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let mut document = view.document(Vec::new(), vec![list(view)], needs::ONCALL);
    document.notes.extend(uncovered(view).map(|name| format!("{name}: nobody is on call at any level")));
    document
}

/// How many policies have nobody on call.
pub(super) fn count(view: &WorldView<'_>) -> Fact {
    let is_known = view.world.on_call().next().is_some();
    Fact::count("policies_uncovered", "Nobody on call", is_known, uncovered(view).count())
}

/// The names of the policies with nobody on call at any level now.
fn uncovered<'w>(view: &WorldView<'w>) -> impl Iterator<Item = &'w Text> {
    let now = view.now;
    let has_nobody_on_call = move |(_, snapshot, policy): &PolicyOf<'_>| {
        let mut levels = levels(snapshot, policy).into_iter();
        levels.all(|level| snapshot.on_call_at(&policy.named.id, level, now).now == Coverage::Nobody)
    };
    policies(view).filter(has_nobody_on_call).map(|(_, _, policy)| &policy.named.name)
}

/// A policy with its source and what that has answered.
type PolicyOf<'w> = (&'w SourceId, &'w OnCallSnapshot, &'w EscalationPolicy);

fn policies<'w>(view: &WorldView<'w>) -> impl Iterator<Item = PolicyOf<'w>> {
    let snapshots = view.world.on_call();
    snapshots.flat_map(|(id, snapshot)| snapshot.policies.iter().map(move |policy| (id, snapshot, policy)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::world;
    use crate::cli::report::{Cell, json, table};

    #[test]
    fn who_is_on_call_who_comes_then_and_that_it_is_nobody() {
        let fixture = world().with_on_call();
        let document = document(&fixture.view());
        let text = table::render(&document);
        assert!(text.contains("Checkout      1  Ana Lima") && text.contains("Kofi Mensah"), "{text}");
        assert!(text.contains("! Search: nobody is on call at any level"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json::render(&document)).unwrap();
        assert_eq!(json["levels"][0]["is_me"], true);
        assert_eq!(json["levels"][1]["now"], serde_json::json!([]));
        assert_eq!(json["levels"][1]["is_covered"], false);
        assert_eq!(count(&fixture.view()).value, Cell::Count(1));
        assert_eq!(count(&world().view()).value, Cell::Nothing);
    }
}
