//! Converts SLOs to any supported format, and to rules for Prometheus. Fields that a format cannot express are listed, never
//! dropped silently.
//!
//! Returns text and writes no files. Each converted SLO is parsed again and compared, so that every loss is found.

mod compare;
mod openslo;
mod own;
mod pyrra;
mod rules;
mod sloth;
mod toml;
mod yaml;

use std::fmt::Write as _;
use std::path::Path;

use crate::model::labels::Text;
use crate::model::slo::{Sli, Slo};
use crate::model::words::words;

use super::{DEFAULT_PERIOD, parse};
use compare::FieldComparison;

words! {
    /// The output formats for SLOs.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Target: word {
        /// OpenSLO, `openslo/v1`.
        OpenSlo = "openslo",
        /// Sloth, `prometheus/v1`.
        Sloth = "sloth",
        /// Pyrra, `ServiceLevelObjective`.
        Pyrra = "pyrra",
        /// Recording and alerting rules for Prometheus.
        Rules = "rules",
        Own = "own",
    }
}

/// A converted document, and what it could not express.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WrittenDocument {
    /// The document; omissions are also comments in it.
    pub text: String,
    /// What the format could not express, by SLO.
    pub omissions: Vec<Omission>,
    /// The ids of the SLOs that are not in the document at all.
    pub left_out: Vec<Text>,
}

/// A field of an SLO that a format cannot express, or only differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Omission {
    /// The id of the SLO.
    pub slo: Text,
    /// The field: `id`, `name`, `service`, `description`, `labels`, `objective`, `window`, `budgeting`, `sli`,
    /// `by`, `pairs`, `alert`, `recorded` or `plugins`.
    pub field: &'static str,
    /// What is lost, and what is written instead; one line.
    pub what: String,
}

impl std::fmt::Display for Omission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.slo, self.field, self.what)
    }
}

/// Converts all SLOs, in order as far as the format allows.
pub fn write(slos: &[Slo], target: Target) -> WrittenDocument {
    match target {
        Target::Rules => rules::write(slos),
        Target::Own => convert_all(slos, &own::OWN),
        Target::Sloth => convert_all(slos, &sloth::SLOTH),
        Target::OpenSlo => convert_all(slos, &openslo::OPENSLO),
        Target::Pyrra => convert_all(slos, &pyrra::PYRRA),
    }
}

/// Collects the omissions of one SLO while it is converted.
#[derive(Debug)]
struct WriteNotes<'s> {
    slo: &'s Slo,
    list: Vec<Omission>,
}

impl<'s> WriteNotes<'s> {
    fn new(slo: &'s Slo) -> Self {
        let mut notes = Self { slo, list: Vec::new() };
        for plugin in slo.recorded.iter().flat_map(|recorded| &recorded.plugins) {
            notes.say("plugins", format!("the effect of Sloth's plug-in {plugin} is not included"));
        }
        notes
    }

    fn say(&mut self, field: &'static str, what: impl AsRef<str>) {
        let what = crate::model::text::clean(what.as_ref()).into_owned();
        self.list.push(Omission { slo: self.slo.id.clone(), field, what });
    }

    fn no_query(&mut self) {
        let why = if self.slo.sli.is_some() { "not a valid template" } else { "not known" };
        self.say("sli", format!("its query is {why}: the SLO is left out"));
    }

    fn has(&self, field: &str) -> bool {
        self.list.iter().any(|omissions| omissions.field == field)
    }

    /// The comment lines above the SLO in the document.
    fn remarks(&self) -> Vec<String> {
        self.list.iter().map(|omissions| format!("not included: {omissions}")).collect()
    }
}

/// One SLO, as YAML or TOML, with the SLI that it should read back as; `None` if it cannot be written at all, which is said.
type Put<P> = Option<(P, Option<Sli>)>;

/// A format that burnwatch can also parse.
struct ReadBackForm<P> {
    /// A file name of the format; its extension selects the parser.
    file: &'static str,
    write_slo: fn(&Slo, &mut WriteNotes<'_>) -> Put<P>,
    /// Joins pieces, each with its SLO and its comments, to a whole file.
    file_of: fn(Vec<WrittenEntry<'_, P>>) -> String,
}

/// One entry of a file; without a piece only its comments are written.
struct WrittenEntry<'s, P> {
    slo: &'s Slo,
    remarks: Vec<String>,
    piece: Option<P>,
}

fn convert_all<P: Clone>(slos: &[Slo], form: &ReadBackForm<P>) -> WrittenDocument {
    let (mut entries, mut omissions, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for slo in slos {
        let mut notes = WriteNotes::new(slo);
        let piece = (form.write_slo)(slo, &mut notes).map(|(piece, sli)| {
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

/// A text in double quotes with the escapes of YAML and TOML; of other characters only those that are plain are not escaped.
fn double_quoted(text: &str, is_plain: fn(char) -> bool) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_plain(c) => out.push(c),
            c => match u32::from(c) {
                code @ 0..=0xffff => write!(out, "\\u{code:04x}").expect("writing to a String cannot fail"),
                code => write!(out, "\\U{code:08x}").expect("writing to a String cannot fail"),
            },
        }
    }
    out.push('"');
    out
}

/// Parses a piece again and adds an omission for each changed field that has none yet.
fn verify<P: Clone>(form: &ReadBackForm<P>, piece: &P, sli: Option<Sli>, notes: &mut WriteNotes<'_>) {
    let slo = notes.slo;
    let text = (form.file_of)(vec![WrittenEntry { slo, remarks: Vec::new(), piece: Some(piece.clone()) }]);
    let read = parse(Path::new(form.file), &text, DEFAULT_PERIOD);
    let Some(again) = read.slos.first() else {
        let why = read.findings.last().map_or_else(String::new, |finding| format!(": {}", finding.message));
        return notes.say("id", format!("the written document cannot be read back{why}"));
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
