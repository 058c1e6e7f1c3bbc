//! From marked alerts to a silence: which matchers would hide them, and exactly what any matchers would hide.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::alert::{Alert, AlertState};
use crate::model::fingerprint::Fingerprint;
use crate::model::labels::Labels;
use crate::model::matcher::{Matcher, Operator};

/// Values of an alternation that a person still reads.
const FEW_VALUES: usize = 8;
/// Characters of an alternation that a person still reads.
const SHORT: usize = 120;
/// Characters of an alternation that a server still takes without wondering.
const LONG: usize = 20_000;

/// Matchers that hide all of the marked alerts and, as far as matchers can tell them apart, no others.
///
/// Shape: what all have in common as `=`; what differs as `=~` of its values where they are few, and where they are many
/// as long as others would be hidden otherwise. Never empty unless there is nothing to tell the marked ones by: no label
/// that any of them has. `first` names the labels that are to come first.
pub fn propose(marked: &[&Labels], others: &[&Labels], first: &[String]) -> Vec<Matcher> {
    let mut names: Vec<&str> =
        marked.iter().flat_map(|labels| labels.iter().map(|(name, _)| &**name)).collect();
    let rank = |name: &str| match name {
        "alertname" => 0,
        _ => first.iter().position(|one| one == name).map_or(usize::MAX, |at| at + 1),
    };
    names.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    names.dedup();
    let mut matchers: Vec<(usize, Matcher)> = Vec::new();
    let mut long = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let values: BTreeSet<&str> = marked.iter().map(|labels| labels.value(name)).collect();
        let (matcher, length) = match values.first() {
            Some(only) if values.len() == 1 => (Matcher::new(*name, Operator::Equal, *only), 0),
            _ => {
                let short = alternation(&values);
                let taken = Matcher::new(*name, Operator::Matches, short.as_str());
                // plain texts are taken however many they are
                let taken = taken.or_else(|_| Matcher::new(*name, Operator::Matches, listed(&values)));
                let length = taken.as_ref().map_or(0, |matcher| matcher.value().len());
                (taken, length)
            }
        };
        let Ok(matcher) = matcher else { continue };
        if length <= SHORT && values.len() <= FEW_VALUES {
            matchers.push((place, matcher));
        } else if length <= LONG {
            long.push((place, matcher));
        }
    }
    let mut caught: Vec<&Labels> =
        others.iter().copied().filter(|labels| matchers.iter().all(|(_, one)| one.matches(labels))).collect();
    // the one that spares most of the others first; what spares none is not worth its length
    while !caught.is_empty() || !matchers.iter().any(|(_, one)| !one.matches_value("")) {
        let spared = |one: &Matcher| caught.iter().filter(|labels| !one.matches(labels)).count();
        let told_by = |one: &Matcher| (spared(one), !one.matches_value(""));
        let best = long.iter().enumerate().max_by_key(|(at, (_, one))| (told_by(one), usize::MAX - at));
        let Some((at, _)) = best.filter(|(_, (_, one))| told_by(one) > (0, false)) else { break };
        let (place, one) = long.remove(at);
        caught.retain(|labels| one.matches(labels));
        matchers.push((place, one));
    }
    matchers.sort_by_key(|(place, _)| *place);
    matchers.into_iter().map(|(_, matcher)| matcher).collect()
}

/// A regular expression that these values match and no others, in the syntax that Go and Rust share. What many long values
/// begin with alike is written once.
fn alternation(values: &BTreeSet<&str>) -> String {
    let some = || values.iter().copied().filter(|value| !value.is_empty());
    let plain = listed(values);
    let head = some().reduce(shared_head).unwrap_or_default();
    if plain.len() <= SHORT || head.is_empty() {
        return plain;
    }
    let end = if values.contains("") { "|" } else { "" };
    let tails = some().map(|value| escaped(value.strip_prefix(head).unwrap_or(value)));
    format!("{}({}){end}", escaped(head), tails.collect::<Vec<_>>().join("|"))
}

/// The same with each value written out; the empty text, which is an absent label, stands last, where it is easiest seen.
fn listed(values: &BTreeSet<&str>) -> String {
    let end = if values.contains("") { "|" } else { "" };
    let some = values.iter().filter(|value| !value.is_empty());
    format!("{}{end}", some.map(|value| escaped(value)).collect::<Vec<_>>().join("|"))
}

/// What both begin with.
fn shared_head<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b);
    let length = same.map(|((at, c), _)| at + c.len_utf8()).last().unwrap_or(0);
    one.get(..length).unwrap_or_default()
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What a silence with some matchers would hide now.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// The alerts that it would hide, those that were marked first, then in the order in which they were given.
    pub hidden: Vec<Arc<Alert>>,
    /// How many of them were not marked.
    pub unmarked: usize,
    /// How many of those that were marked it would not hide.
    pub missed: usize,
    /// How many alerts there are in all.
    pub all: usize,
}

/// Whether a silence would be of any account to an alert: what is over notifies nobody.
pub fn can_be_hidden(alert: &Alert) -> bool {
    alert.state != AlertState::Resolved
}

/// What a silence with these matchers would hide of these alerts; no matchers hide nothing.
pub fn preview<'a>(
    matchers: &[Matcher],
    alerts: impl Iterator<Item = &'a Arc<Alert>>,
    marked: &BTreeSet<Fingerprint>,
) -> Preview {
    let mut found = Preview::default();
    let mut others = Vec::new();
    for alert in alerts.filter(|alert| can_be_hidden(alert)) {
        found.all += 1;
        let is_marked = marked.contains(&alert.fingerprint);
        let is_hidden = !matchers.is_empty() && matchers.iter().all(|one| one.matches(&alert.labels));
        match (is_hidden, is_marked) {
            (true, true) => found.hidden.push(Arc::clone(alert)),
            (true, false) => others.push(Arc::clone(alert)),
            (false, true) => found.missed += 1,
            (false, false) => {}
        }
    }
    found.unmarked = others.len();
    found.hidden.extend(others);
    found
}

/// Why Alertmanager would not take a silence with these matchers, if it would not.
pub fn refusal(matchers: &[Matcher]) -> Option<&'static str> {
    if matchers.is_empty() {
        return Some("at least one matcher is needed");
    }
    let all_match_nothing = matchers.iter().all(|one| one.matches_value(""));
    all_match_nothing.then_some("at least one matcher must not match the empty text")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn shown(marked: &[Labels], others: &[Labels]) -> String {
        let marked: Vec<&Labels> = marked.iter().collect();
        let others: Vec<&Labels> = others.iter().collect();
        let first = ["service".to_owned()];
        propose(&marked, &others, &first).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn one_alert_is_named_by_all_of_its_labels_the_telling_ones_first() {
        let one = labels(&[("pod", "a-1"), ("service", "cart"), ("alertname", "Slow")]);
        assert_eq!(shown(&[one], &[]), r#"alertname="Slow", service="cart", pod="a-1""#);
    }

    #[test]
    fn what_differs_becomes_an_alternation_and_what_some_lack_the_empty_text() {
        let one = labels(&[("alertname", "Slow"), ("pod", "a.1")]);
        let other = labels(&[("alertname", "Slow"), ("pod", "b|2"), ("zone", "x")]);
        assert_eq!(shown(&[one, other], &[]), r#"alertname="Slow", pod=~"a\\.1|b\\|2", zone=~"x|""#);
    }

    #[test]
    fn many_values_are_listed_only_where_that_spares_others() {
        let alert = |pod: usize| labels(&[("alertname", "Slow"), ("pod", &format!("pod-{pod}"))]);
        let marked: Vec<Labels> = (0..20).map(alert).collect();
        assert_eq!(shown(&marked, &[]), r#"alertname="Slow""#);
        assert_eq!(shown(&marked, &[labels(&[("alertname", "Other")])]), r#"alertname="Slow""#);
        assert!(shown(&marked, &[alert(20)]).contains("pod-(0|1|"));
    }

    #[test]
    fn five_hundred_long_names_still_make_one_alternation() {
        let alert = |pod: usize| {
            let pod = format!("checkout-7d9f8b6c5d-{pod:05}");
            labels(&[("alertname", "Slow"), ("pod", &pod)])
        };
        let marked: Vec<Labels> = (0..500).map(alert).collect();
        let shown = shown(&marked, &[alert(501)]);
        assert!(shown.contains(r#"pod=~"checkout-7d9f8b6c5d-00(000|001|"#), "{shown}");
    }

    #[test]
    fn alerts_that_have_nothing_in_common_are_told_by_their_names() {
        let marked: Vec<Labels> = (0..30).map(|i| labels(&[("alertname", &format!("Alert{i}"))])).collect();
        assert!(shown(&marked, &[]).starts_with(r#"alertname=~"Alert(0|1|"#));
    }

    #[test]
    fn what_alertmanager_refuses_is_refused_here() {
        let matchers = |text| crate::model::matcher::parse(text).unwrap();
        assert!(refusal(&[]).is_some());
        assert!(refusal(&matchers(r#"a=~".*", b!="c""#)).is_some());
        assert_eq!(refusal(&matchers(r#"a=~".*", b="c""#)), None);
    }

    fn some_labels() -> impl Strategy<Value = Labels> {
        let value = prop_oneof!["[a-c]{0,2}", "[.*+?()|\\[\\]{}^$\\\\\n\"é-]{0,4}"];
        prop::collection::btree_map("[a-d]|alertname", value, 1..5)
            .prop_map(|map| map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
    }

    proptest! {
        #[test]
        fn all_that_is_marked_is_matched(
            marked in prop::collection::vec(some_labels(), 1..30),
            others in prop::collection::vec(some_labels(), 0..30),
        ) {
            let marked: Vec<&Labels> = marked.iter().collect();
            let others: Vec<&Labels> = others.iter().collect();
            let proposed = propose(&marked, &others, &[]);
            for labels in marked {
                prop_assert!(proposed.iter().all(|one| one.matches(labels)), "{proposed:?} {labels:?}");
            }
        }

        #[test]
        fn one_alert_hides_no_other(one in some_labels(), others in prop::collection::vec(some_labels(), 0..30)) {
            let others: Vec<&Labels> = others.iter().filter(|other| !one.is_within(other)).collect();
            let proposed = propose(&[&one], &others, &[]);
            for other in others {
                let differs = one.iter().any(|(name, value)| other.value(name) != &**value);
                let is_hidden = !proposed.is_empty() && proposed.iter().all(|matcher| matcher.matches(other));
                prop_assert!(!differs || !is_hidden);
            }
        }
    }

    #[test]
    fn five_hundred_of_ten_thousand_are_proposed_for_in_no_time() {
        let all: Vec<Labels> = (0..10_000)
            .map(|i| {
                let own = |name: &str| (name.to_owned(), format!("{name}-{i}"));
                let shared = (0..15).map(|n| (format!("label{n}"), format!("value{}", i % (n + 1))));
                let pairs: Vec<(String, String)> = shared.chain([own("pod"), own("instance")]).collect();
                pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
            })
            .collect();
        let marked: Vec<&Labels> = all.iter().take(500).collect();
        let others: Vec<&Labels> = all.iter().skip(500).collect();
        let proposed = propose(&marked, &others, &[]);
        assert!(marked.iter().all(|labels| proposed.iter().all(|one| one.matches(labels))));
        assert_eq!(others.iter().filter(|labels| proposed.iter().all(|one| one.matches(labels))).count(), 0);
    }
}
