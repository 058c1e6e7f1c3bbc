//! What changed, as a table in Markdown: the page Changes, and the section of the handoff and of the postmortem.

use super::markdown_writer::MarkdownWriter;
use super::number::plural;
use super::prelude::*;
use super::subjects::change::{self, ChangeCoverage};
use crate::model::change::Change;
use crate::model::slo::TimeRange;

/// Most changes of a table.
const MAX_ROWS: usize = 200;
/// Most changes of a section.
const MAX_SECTION_ROWS: usize = 25;

/// The page with the changes of the last period of this length.
pub fn markdown(shared: &Shared, length: Duration, now: Timestamp) -> String {
    let end = shared.range.end.unwrap_or(now);
    let time = TimeRange { start: end.checked_sub(length).unwrap_or(Timestamp::MIN), end };
    let title = format!("Changes: {}, last {}", shared.context, duration::short(length));
    let mut writer = MarkdownWriter::titled(&title);
    table(shared, time, MAX_ROWS, &mut writer);
    writer.into_text()
}

/// A section with the changes of a time range.
pub(super) fn section(shared: &Shared, time: TimeRange, writer: &mut MarkdownWriter) {
    writer.section("Changes");
    table(shared, time, MAX_SECTION_ROWS, writer);
}

fn table(shared: &Shared, time: TimeRange, most: usize, writer: &mut MarkdownWriter) {
    let coverage = change::coverage(&shared.world, &shared.sources);
    let is_within = |change: &&Arc<Change>| (time.start..=time.end).contains(&change.at);
    let changes: Vec<&Arc<Change>> = shared.world.changes().iter().filter(is_within).collect();
    let moment = |at: Timestamp| at.to_zoned(shared.look.zone.clone()).strftime("%m-%d %H:%M:%S").to_string();
    let rows = changes.iter().take(most).map(|change| {
        let text = |text: Option<&Text>| text.map(ToString::to_string).unwrap_or_default();
        let sources: Vec<&str> = change.sources.iter().map(SourceId::as_str).collect();
        let link = change.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
        [
            format!("{}{}", if change.is_about { "~" } else { "" }, moment(change.at)),
            text(change.service.as_ref()),
            change.kind.word().to_owned(),
            format!("{}{link}", change.title),
            text(change.who.as_ref()),
            sources.join(", "),
        ]
    });
    writer.table(&["Time", "Service", "Kind", "Change", "By", "Source"], rows);
    if changes.len() > most {
        writer.paragraph(&format!("and {} earlier ones.", changes.len() - most));
    }
    match coverage {
        ChangeCoverage::NoSource => writer.paragraph(change::NO_SOURCE),
        ChangeCoverage::NotLoaded => writer.paragraph("Unknown: no source of changes has answered yet."),
        ChangeCoverage::Failed(why) => writer.paragraph(&format!("Unknown: {why}")),
        ChangeCoverage::Since(since) if since > time.start => {
            writer.paragraph(&format!("Complete since {}.", moment(since)));
        }
        ChangeCoverage::Since(_) if changes.is_empty() => writer.paragraph("Nothing changed."),
        ChangeCoverage::Since(_) => writer.paragraph(&format!("{}.", plural(changes.len(), "change"))),
    }
}
