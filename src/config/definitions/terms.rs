//! Converts values of definition files to types of the model: objectives, queries, selectors, names.

use std::time::Duration;

use crate::model::labels::{Labels, Text};
use crate::model::promql::{self, QueryParseError};
use crate::model::slo::{AlertMetadata, DefinitionOrigin, Form, Objective, Selector, Template};
use crate::model::text::is_harmless;

use super::table::{DocumentTable, TableValue};

/// The lookback for checking a query.
const CHECK_LOOKBACK: Duration = Duration::from_secs(300);

impl TableValue<'_> {
    /// Where an SLO was read that begins here.
    pub(super) fn as_origin(&self, form: Form) -> DefinitionOrigin {
        DefinitionOrigin::File { path: self.origin().path.to_owned(), line: self.line(), form }
    }

    /// A name: not empty.
    pub(super) fn word(&self) -> Option<Text> {
        let word = self.label()?;
        if word.is_empty() { self.reject("must not be empty") } else { Some(word.into()) }
    }

    /// A description, on one line.
    pub(super) fn sentence(&self) -> Option<Text> {
        let words = self.text()?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(words.into())
    }

    pub(super) fn percent(&self) -> Option<Objective> {
        self.accept(Objective::percent(self.digits()?))
    }

    /// Reads an objective in percent; warns if it is below 1 %, because it was probably meant as a ratio.
    pub(super) fn percent_or_warn(&self) -> Option<Objective> {
        let objective = self.percent()?;
        if objective.is_likely_a_ratio() {
            self.warn("must be in percent: below 1 % nearly all events may fail. Did you mean 99.9 instead of 0.999?");
        }
        Some(objective)
    }

    /// The meaning of a keyword; an error for a word that is not in `known`.
    pub(super) fn one_of<T: Copy>(&self, known: &[(&str, T)]) -> Option<T> {
        let text = self.text()?.trim();
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        found.or_else(|| {
            let mut words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let last = words.pop().unwrap_or_default();
            self.reject(&format!("cannot be `{text}`; there is {} and {last}", words.join(", ")))
        })
    }

    pub(super) fn ratio(&self) -> Option<Objective> {
        self.accept(Objective::ratio(self.digits()?))
    }

    /// The text of a number, quoted or not.
    fn digits(&self) -> Option<&str> {
        self.node().text().or_else(|| self.number())
    }

    /// A finite number.
    pub(super) fn amount(&self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    /// A number above 0 and at most `most`; `message` says so.
    pub(super) fn amount_up_to(&self, most: f64, message: &str) -> Option<f64> {
        let amount = self.amount()?;
        if amount > 0.0 && amount <= most { Some(amount) } else { self.reject(message) }
    }

    /// A query, with or without a placeholder for the lookback. A query that the parser rejects is still accepted: the server may
    /// support it.
    pub(super) fn query(&self) -> Option<Template> {
        self.query_from(self.text()?)
    }

    /// A query with the text `text`, made from this value; tabs and carriage returns become blanks.
    pub(super) fn query_from(&self, text: &str) -> Option<Template> {
        let template = self.template(text)?;
        self.check_query(&template.in_place(CHECK_LOOKBACK));
        Some(template)
    }

    /// The same without checking the PromQL.
    pub(super) fn template(&self, text: &str) -> Option<Template> {
        let text = text.replace("\r\n", "\n").replace(['\t', '\r'], " ");
        if let Some(hidden) = text.chars().find(|c| *c != '\n' && !is_harmless(*c)) {
            return self.reject(&format!("the query contains the invisible character {hidden:?}"));
        }
        self.accept(Template::parse(&text))
    }

    /// Warns about what Prometheus would reject in a query, with the position. Compatible servers may still accept the query.
    pub(super) fn check_query(&self, query: &str) {
        match promql::check(query) {
            Ok(remarks) => {
                for remark in remarks {
                    self.warn(&format!("the query, line:column {remark}"));
                }
            }
            Err(QueryParseError::Refused(remark)) => {
                self.warn(&format!("Prometheus rejects this query, line:column {remark}"));
            }
            Err(QueryParseError::Unknown(what)) => {
                self.warn(&format!("this query could not be checked and is sent unchanged: {what}"));
            }
        }
    }

    /// A metric name with label matchers.
    pub(super) fn selector(&self) -> Option<Selector> {
        let selector = self.accept(Selector::parse(self.text()?))?;
        if let Some(bound) = selector.invalid_bound() {
            return self.reject(&format!(
                "le=\"{bound}\" matches nothing: the bound of a bucket is a number, as in le=\"0.5\""
            ));
        }
        Some(selector)
    }

    pub(super) fn words(&self) -> Vec<Text> {
        self.list().iter().filter_map(Self::word).collect()
    }
}

impl DocumentTable<'_> {
    /// The labels or annotations under the key `name`; empty if the key is missing.
    pub(super) fn labels(&self, name: &'static str) -> Labels {
        self.get(name).map_or_else(Labels::default, |value| value.labels())
    }

    /// What it says that alerts of one severity carry.
    pub(super) fn notice(&self) -> AlertMetadata {
        AlertMetadata { labels: self.labels("labels"), annotations: self.labels("annotations") }
    }
}

/// Letters and digits of a name in lower case, separated by dashes: `SLA for search` becomes `sla-for-search`.
pub(super) fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}
