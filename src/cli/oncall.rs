//! `burnwatch oncall`: who is on call now and next, at each level of each escalation policy.

use crate::app::screens::oncall::columns::{COLUMNS, LevelItem};
use crate::app::subjects::on_call::levels;
use crate::model::oncall::{Coverage, EscalationPolicy, OnCallSnapshot};
use crate::model::source::SourceId;

use super::needs;
use super::report::{Cell, Fact, ListLayout, ReportColumn, ReportDocument, ReportList};
use super::view::WorldView;

/// A row for each level of each policy, sorted by the policy's name and source.
fn list(view: &WorldView<'_>) -> ReportList {
    let snapshots = view.world.on_call();
    let policies = snapshots
        .flat_map(|(id, snapshot)| snapshot.policies.iter().map(move |policy| (id, snapshot, policy)));
    let mut policies: Vec<_> = policies.collect();
    policies.sort_by(|a, b| (&a.2.named.name, a.0).cmp(&(&b.2.named.name, b.0)));
    ReportList {
        key: "levels",
        title: "On call".to_owned(),
        columns: ReportColumn::of(COLUMNS),
        rows: policies
            .into_iter()
            .flat_map(|(id, snapshot, policy)| rows(view, id, snapshot, policy))
            .collect(),
        empty: "No escalation policies found.",
        layout: ListLayout::Rows,
    }
}

/// The list as a document; a note names each policy with nobody on call.
pub(super) fn document(view: &WorldView<'_>) -> ReportDocument {
    let mut document = view.document(Vec::new(), vec![list(view)], needs::ONCALL);
    document
        .notes
        .extend(uncovered(view).into_iter().map(|name| format!("{name}: nobody is on call at any level")));
    document
}

/// How many policies have nobody on call; unknown, not zero, before a source has answered.
pub(super) fn counts(view: &WorldView<'_>) -> Vec<Fact> {
    let is_known = view.world.on_call().next().is_some();
    let value = if is_known { Cell::count(uncovered(view).len()) } else { Cell::Nothing };
    vec![Fact { key: "policies_uncovered", title: "Nobody on call", value }]
}

/// The names of the policies with nobody on call at any level now.
fn uncovered(view: &WorldView<'_>) -> Vec<String> {
    let policies =
        view.world.on_call().flat_map(|(_, snapshot)| snapshot.policies.iter().map(move |p| (snapshot, p)));
    let has_nobody_on_call = |(snapshot, policy): &(&OnCallSnapshot, &EscalationPolicy)| {
        let mut levels = levels(snapshot, policy).into_iter();
        levels.all(|level| snapshot.on_call_at(&policy.named.id, level, view.now).now == Coverage::Nobody)
    };
    policies.filter(has_nobody_on_call).map(|(_, policy)| policy.named.name.to_string()).collect()
}

fn rows(
    view: &WorldView<'_>,
    source: &SourceId,
    snapshot: &OnCallSnapshot,
    policy: &EscalationPolicy,
) -> Vec<Vec<Cell>> {
    let of_level = |number| {
        let on_call_at = snapshot.on_call_at(&policy.named.id, number, view.now);
        ReportColumn::values(
            COLUMNS,
            &LevelItem { source, snapshot, policy, number, on_call_at, is_first: true },
        )
    };
    levels(snapshot, policy).into_iter().map(of_level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::fixtures::world;
    use crate::cli::report::{json, table};

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
        assert_eq!(counts(&fixture.view())[0].value, Cell::Count(1));
        assert_eq!(counts(&world().view())[0].value, Cell::Nothing);
    }
}
