//! Label sets with shared strings, so that ten thousand similar alerts need little memory.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use super::promql::quoting;

/// An immutable string that is cheap to clone, such as a name or a value. It is unchanged from its source and is sanitised when
/// it is drawn or printed.
pub type Text = Arc<str>;

/// A set of labels, sorted by name, each name once.
///
/// A clone copies one pointer. A label with an empty value is the same as a missing label (Prometheus' data model), and is
/// not stored.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Arc<[(Text, Text)]>);

impl Labels {
    /// A set of these pairs; of duplicate names the last one counts.
    pub fn new(mut pairs: Vec<(Text, Text)>) -> Self {
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|later, kept| later.0 == kept.0);
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs.into())
    }

    /// The value of the label; `None` if it is missing.
    pub fn get(&self, name: &str) -> Option<&Text> {
        let at = self.0.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// Whether a label or annotation is for machines only, such as Grafana's `__alert_rule_uid__`: screens hide it, silences use it.
    pub fn is_internal(name: &str) -> bool {
        name.len() > 4 && name.starts_with("__") && name.ends_with("__")
    }

    /// The value of the label, or an empty string if it is missing, as matchers treat it.
    pub fn value(&self, name: &str) -> &str {
        self.get(name).map_or("", |value| value)
    }

    /// All pairs, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// The pairs that are shown to users; see [`Self::is_internal`].
    pub fn shown(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.iter().filter(|(name, _)| !Self::is_internal(name))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set with these pairs, which replace labels of the same name.
    #[must_use]
    pub fn with<N: Into<Text>>(&self, pairs: impl IntoIterator<Item = (N, Text)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value));
        Self::new(self.0.iter().cloned().chain(pairs).collect())
    }

    /// The set without the labels whose names `drop` returns true for.
    #[must_use]
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| !drop(name)).cloned().collect())
    }

    /// As [`Self::with`]; copies the texts.
    #[must_use]
    pub fn with_strs<N: AsRef<str>, V: AsRef<str>>(&self, more: impl IntoIterator<Item = (N, V)>) -> Self {
        let more = more.into_iter().map(|(name, value)| (name.as_ref().into(), value.as_ref().into()));
        Self::new(self.0.iter().cloned().chain(more).collect())
    }

    /// All labels of both sets; where both have a name, the value of `over` counts.
    #[must_use]
    pub fn merged_with(&self, over: &Self) -> Self {
        Self::new(self.0.iter().chain(over.0.iter()).cloned().collect())
    }

    /// Whether `other` has all of these labels with the same values.
    pub fn is_within(&self, other: &Self) -> bool {
        // both are sorted by name, and shared strings compare by pointer
        let mut theirs = other.0.iter();
        self.0.iter().all(|mine| theirs.by_ref().find(|(name, _)| *name == mine.0) == Some(mine))
    }

    /// The number of labels that both sets have with the same value: a measure of how related two alerts are.
    pub fn shared_with(&self, other: &Self) -> usize {
        self.iter().filter(|(name, value)| other.get(name) == Some(value)).count()
    }
}

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Labels {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::new(pairs.into_iter().map(|(n, v)| (n.as_ref().into(), v.as_ref().into())).collect())
    }
}

/// Formats as PromQL label matchers on one line, which parse back to the same labels: `{job="api", severity="page"}`.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            f.write_str(comma)?;
            write!(f, "{}={}", quoting::label(name), quoting::quoted(value))?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Returns one shared copy for equal strings; each source has its own interner.
#[derive(Debug, Default)]
pub struct Interner {
    known: HashSet<Text>,
    sweep_at: usize,
}

impl Interner {
    pub fn text(&mut self, text: &str) -> Text {
        if let Some(known) = self.known.get(text) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.sweep_at.max(4096) {
            self.remove_unused();
        }
        let new: Text = text.into();
        self.known.insert(Arc::clone(&new));
        new
    }

    /// Removes strings that are not used elsewhere, so that frequently changing labels do not accumulate.
    fn remove_unused(&mut self) {
        self.known.retain(|text| Arc::strong_count(text) > 1);
        self.sweep_at = self.known.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_repeated_name_counts_and_empty_values_are_absent() {
        let labels = Labels::from_iter([("b", "1"), ("a", "x"), ("b", "2"), ("c", "")]);
        assert_eq!(labels.to_string(), r#"{a="x", b="2"}"#);
        assert_eq!(labels.value("c"), "");
        assert_eq!(labels.get("c"), None);
    }

    #[test]
    fn labels_are_told_as_promql_reads_them() {
        let labels = Labels::from_iter([("val", "a\n\"b\" 👩\u{200d}👧"), ("service.name", "x\u{1b}")]);
        assert_eq!(labels.to_string(), "{\"service.name\"=\"x\\u001b\", val=\"a\\n\\\"b\\\" 👩\u{200d}👧\"}");
    }

    #[test]
    fn equal_strings_are_stored_once_and_forgotten_when_unused() {
        let mut interner = Interner::default();
        let one = interner.text("checkout");
        assert!(Arc::ptr_eq(&one, &interner.text("checkout")));
        for i in 0..20_000 {
            interner.text(&format!("pod-{i}"));
        }
        assert!(interner.known.len() <= 8192, "{} strings kept", interner.known.len());
        assert!(Arc::ptr_eq(&one, &interner.text("checkout")));
    }

    #[test]
    fn related_alerts_are_those_that_share_values() {
        let one = Labels::from_iter([("service", "cart"), ("region", "eu")]);
        let two = Labels::from_iter([("service", "cart"), ("region", "us")]);
        assert_eq!(one.shared_with(&two), 1);
        assert_eq!(one.without(|name| name == "region"), Labels::from_iter([("service", "cart")]));
    }

    #[test]
    fn a_set_is_within_another_that_has_all_of_it() {
        let whole = Labels::from_iter([("a", "1"), ("b", "2"), ("c", "3")]);
        for (part, is_within) in [
            (vec![], true),
            (vec![("a", "1"), ("c", "3")], true),
            (vec![("b", "2")], true),
            (vec![("b", "3")], false),
            (vec![("a", "1"), ("d", "4")], false),
            (vec![("a", "1"), ("aa", "1"), ("b", "2")], false),
        ] {
            assert_eq!(Labels::from_iter(part.clone()).is_within(&whole), is_within, "{part:?}");
        }
    }
}
