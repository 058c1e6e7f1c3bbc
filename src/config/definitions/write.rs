//! Writing SLOs down in any of the known forms, and as rules for a Prometheus. What a form cannot say is named, never dropped.
//!
//! Pure text: no file is touched. Each SLO is read back as soon as it is written, so that nothing is lost without a word.

mod compare;
mod openslo;
mod own;
mod pyrra;
mod rules;
mod sloth;
mod toml;
mod yaml;

use std::path::Path;

use crate::model::labels::Text;
use crate::model::slo::{Sli, Slo};
use crate::model::words::words;

use super::{DEFAULT_PERIOD, parse};
use compare::FieldComparison;

words! {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Target: word {
        /// `openslo/v1`.
        OpenSlo = "openslo",
        /// Sloth's `prometheus/v1`.
        Sloth = "sloth",
        /// Pyrra's `ServiceLevelObjective`.
        Pyrra = "pyrra",
        /// Recording and alerting rules of a Prometheus.
        Rules = "rules",
        Own = "own",
    }
}

/// A document, and what is not in it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WrittenDocument {
    /// The document; what is not said stands in it as remarks as well.
    pub text: String,
    /// What the form could not say, by SLO.
    pub omissions: Vec<Omission>,
    /// The SLOs that are not in the document at all, by id.
    pub left_out: Vec<Text>,
}

/// Something of an SLO that a form cannot say, or not in the same way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    pub slo: Text,
    /// Which of its fields: one of `id`, `name`, `service`, `description`, `labels`, `objective`, `window`, `budgeting`, `sli`,
    /// `by`, `pairs`, `alert`, `recorded` and `plugins`.
    pub field: &'static str,
    /// What is lost, and what stands there instead; one line.
    pub what: String,
}

impl std::fmt::Display for Omission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.slo, self.field, self.what)
    }
}

/// Writes all of them, in their order as far as the form allows.
pub fn write(slos: &[Slo], target: Target) -> WrittenDocument {
    match target {
        Target::Rules => rules::write(slos),
        Target::Own => convert_all(slos, &own::OWN),
        Target::Sloth => convert_all(slos, &sloth::SLOTH),
        Target::OpenSlo => convert_all(slos, &openslo::OPENSLO),
        Target::Pyrra => convert_all(slos, &pyrra::PYRRA),
    }
}

/// What is said about one SLO while it is written.
#[derive(Debug)]
struct WriteNotes<'s> {
    slo: &'s Slo,
    list: Vec<Omission>,
}

impl<'s> WriteNotes<'s> {
    fn new(slo: &'s Slo) -> Self {
        let mut notes = Self { slo, list: Vec::new() };
        for plugin in slo.recorded.iter().flat_map(|recorded| &recorded.plugins) {
            notes.say("plugins", format!("what Sloth's plug-in {plugin} does is Sloth's to do"));
        }
        notes
    }

    fn say(&mut self, field: &'static str, what: impl AsRef<str>) {
        let what = crate::model::text::clean(what.as_ref()).into_owned();
        self.list.push(Omission { slo: self.slo.id.clone(), field, what });
    }

    fn no_query(&mut self) {
        let why =
            if self.slo.sli.is_some() { "its query is no template" } else { "it has no query that is known" };
        self.say("sli", format!("{why}: it is not written at all"));
    }

    fn has(&self, field: &str) -> bool {
        self.list.iter().any(|omissions| omissions.field == field)
    }

    fn remarks(&self) -> Vec<String> {
        self.list.iter().map(|omissions| format!("not said of {omissions}")).collect()
    }
}

/// One SLO, as YAML or TOML, with the SLI that it should read back as; `None` if it cannot be written at all, which is said.
type Put<P> = Option<(P, Option<Sli>)>;

/// A form that reads back what it writes.
struct ReadBackForm<P> {
    /// What a file of it is called, which says how it is read.
    file: &'static str,
    one: fn(&Slo, &mut WriteNotes<'_>) -> Put<P>,
    /// A whole file of pieces, each with its SLO and its remarks.
    file_of: fn(Vec<WrittenEntry<'_, P>>) -> String,
}

/// A written SLO among others; without a piece only its remarks are written.
struct WrittenEntry<'s, P> {
    slo: &'s Slo,
    remarks: Vec<String>,
    piece: Option<P>,
}

fn convert_all<P: Clone>(slos: &[Slo], form: &ReadBackForm<P>) -> WrittenDocument {
    let (mut entries, mut omissions, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for slo in slos {
        let mut notes = WriteNotes::new(slo);
        let piece = (form.one)(slo, &mut notes).map(|(piece, sli)| {
            verify(form, &piece, sli, &mut notes);
            piece
        });
        if piece.is_none() {
            left_out.push(slo.id.clone());
        }
        entries.push(WrittenEntry { slo, remarks: notes.remarks(), piece });
        omissions.extend(notes.list);
    }
    WrittenDocument { text: (form.file_of)(entries), omissions, left_out }
}

/// Reads a piece back, and says what became of each field that nothing was said about.
fn verify<P: Clone>(form: &ReadBackForm<P>, piece: &P, sli: Option<Sli>, notes: &mut WriteNotes<'_>) {
    let slo = notes.slo;
    let text = (form.file_of)(vec![WrittenEntry { slo, remarks: Vec::new(), piece: Some(piece.clone()) }]);
    let read = parse(Path::new(form.file), &text, DEFAULT_PERIOD);
    let Some(again) = read.slos.first() else {
        let why = read.findings.last().map_or_else(String::new, |finding| format!(": {}", finding.message));
        return notes.say("id", format!("what was written does not read back{why}"));
    };
    let meant = Slo { sli, ..slo.clone() };
    for field in FieldComparison::FIELDS.into_iter().filter(|field| !field.holds(&meant, again)) {
        if !notes.has(field.name) {
            notes.say(field.name, format!("{} reads back as {}", (field.shown)(slo), (field.shown)(again)));
        }
    }
}

#[cfg(test)]
mod tests;
