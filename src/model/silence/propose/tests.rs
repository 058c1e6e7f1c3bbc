use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().copied().collect()
}

fn proposed(marked: &[&Labels], others: &[&Labels], most: usize) -> SilenceProposal {
    let (first, without) = (["service".to_owned()], left_out(marked, others));
    propose(marked, ProposalInput { others, first: &first, without: &without, most })
}

fn shown(marked: &[Labels]) -> String {
    let marked: Vec<&Labels> = marked.iter().collect();
    crate::model::matcher::lists(&proposed(&marked, &[], 50).silences)
}

fn hides(proposal: &SilenceProposal, labels: &Labels) -> bool {
    proposal.silences.iter().any(|one| one.iter().all(|matcher| matcher.matches(labels)))
}

#[test]
fn one_alert_is_named_by_all_of_its_labels_the_telling_ones_first() {
    let one = labels(&[("pod", "a-1"), ("service", "cart"), ("alertname", "Slow")]);
    assert_eq!(shown(&[one]), r#"alertname="Slow", service="cart", pod="a-1""#);
}

#[test]
fn what_differs_in_one_label_is_one_silence() {
    let alert = |instance: &str| labels(&[("alertname", "Slow"), ("instance", instance), ("replica", "a")]);
    assert_eq!(shown(&[alert("a.1"), alert("b|2")]), r#"alertname="Slow", instance=~"a\\.1|b\\|2""#);
}

#[test]
fn what_differs_in_two_labels_is_one_silence_only_if_all_combinations_are_marked() {
    let alert = |name: &str, service: &str| labels(&[("alertname", name), ("service", service)]);
    let all = [alert("A", "x"), alert("A", "y"), alert("B", "x"), alert("B", "y")];
    assert_eq!(shown(&all), r#"alertname=~"A|B", service=~"x|y""#);
    assert_eq!(
        shown(&[alert("A", "x"), alert("B", "y")]),
        r#"{alertname="A", service="x"} or {alertname="B", service="y"}"#
    );
    assert_eq!(
        shown(&all[..3]),
        r#"{alertname="A", service=~"x|y"} or {alertname="B", service="x"}"#,
        "as few as can be"
    );
}

#[test]
fn a_label_that_only_some_have_counts_as_absent_in_the_others() {
    let one = labels(&[("alertname", "Slow"), ("pod", "a.1")]);
    let other = labels(&[("alertname", "Slow"), ("pod", "b"), ("zone", "x")]);
    assert_eq!(
        shown(&[one.clone(), other]),
        r#"{alertname="Slow", pod="a\\.1", zone=""} or {alertname="Slow", pod="b", zone="x"}"#
            .replace(r"a\\.1", "a.1")
    );
    let same_pod = labels(&[("alertname", "Slow"), ("pod", "a.1"), ("zone", "x")]);
    assert_eq!(shown(&[one, same_pod]), r#"alertname="Slow", pod="a.1", zone=~"x|""#);
}

#[test]
fn who_sent_an_alert_is_left_out_and_the_instance_beside_its_pod() {
    let of = |instance: &str, more: &[(&str, &str)]| {
        labels(&[&[("alertname", "Slow"), ("instance", instance)], more].concat())
    };
    let alert = |more: &[(&str, &str)]| of("10.0.0.7:9100", more);
    for (more, expected) in [
        (&[("replica", "a")][..], &["replica"][..]),
        (&[("prometheus_replica", "a"), ("__replica__", "b")], &["__replica__", "prometheus_replica"]),
        (&[("pod", "p")], &["instance"]),
        (&[("replicas", "3")], &[]),
    ] {
        assert_eq!(left_out(&[&alert(more)], &[]), expected, "{more:?}");
    }
    let pod = [("pod", "p")];
    assert_eq!(left_out(&[&of("[::1]:80", &pod)], &[]), ["instance"]);
    assert!(left_out(&[&alert(&pod), &alert(&[])], &[]).is_empty(), "one has no pod");
    for instance in ["db-1:3306", "https://shop.example", "10.0.0.7"] {
        assert!(left_out(&[&of(instance, &pod)], &[]).is_empty(), "{instance} is what an exporter asks");
    }
    assert!(left_out(&[&alert(&pod)], &[&of("10.0.0.8:9100", &pod)]).is_empty(), "it asks several");
    let one = alert(&[("replica", "a")]);
    let proposal = proposed(&[&one], &[], 50);
    assert_eq!(proposal.left_out, ["replica"]);
    assert!(hides(&proposal, &alert(&[("replica", "b")])));
}

#[test]
fn where_nothing_is_left_to_tell_an_alert_by_there_is_no_silence() {
    let one = labels(&[("alertname", "Slow")]);
    let without = ["alertname".to_owned()];
    let wanted = ProposalInput { others: &[], first: &[], without: &without, most: 50 };
    assert_eq!(propose(&[&one], wanted), SilenceProposal::default());
    assert_eq!(propose(&[], wanted), SilenceProposal::default());
}

/// The labels of a pod with its own address, id and node.
fn pod(i: usize) -> Labels {
    let own = |name: &str| format!("{name}-{i:05}");
    labels(&[
        ("alertname", "Slow"),
        ("pod", &own("checkout-7d9f8b6c5d")),
        ("address", &own("10.0")),
        ("node", &format!("n{}", i % 7)),
        ("team", "shop"),
    ])
}

#[test]
fn for_hundreds_labels_that_tell_nothing_more_apart_are_left_out_and_named() {
    let all: Vec<Labels> = (0..501).map(pod).collect();
    let marked: Vec<&Labels> = all.iter().take(500).collect();
    let proposal = proposed(&marked, &[&all[500]], 50);
    assert_eq!(proposal.left_out, ["address"], "what costs nothing is looked at");
    assert_eq!(proposal.silences.len(), 7);
    assert!(marked.iter().all(|one| hides(&proposal, one)) && !hides(&proposal, &all[500]));
    let proposal = proposed(&marked, &[&all[500]], 1);
    assert_eq!(proposal.left_out, ["address", "node"]);
    let shown = crate::model::matcher::lists(&proposal.silences);
    assert!(shown.contains(r#"pod=~"checkout-7d9f8b6c5d-00(000|001|"#), "{shown}");
    // names and services are always considered
    let all: Vec<Labels> =
        (0..60).map(|i| labels(&[("alertname", &format!("A{i}")), ("service", &format!("s{i}"))])).collect();
    let marked: Vec<&Labels> = all.iter().collect();
    assert_eq!(proposed(&marked, &[], 50).silences.len(), 60);
}

fn some_labels() -> impl Strategy<Value = Labels> {
    let value = prop_oneof!["[a-c]{0,2}", "[.*+?()|\\[\\]{}^$\\\\\n\"é-]{0,4}"];
    prop::collection::btree_map("[a-d]|alertname|replica", value, 1..5)
        .prop_map(|map| map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect())
}

proptest! {
    #[test]
    fn what_is_hidden_has_a_combination_of_values_that_a_marked_alert_has_and_nothing_else_is(
        marked in prop::collection::vec(some_labels(), 1..30),
        later in prop::collection::vec(some_labels(), 0..60),
        most in 0_usize..40,
    ) {
        let marked: Vec<&Labels> = marked.iter().collect();
        let proposal = proposed(&marked, &[], most);
        if proposal.silences.is_empty() {
            return Ok(());
        }
        let mut names: BTreeSet<&str> = marked.iter().flat_map(|one| one.iter().map(|(name, _)| &**name)).collect();
        names.retain(|name| !proposal.left_out.iter().any(|left| left == name));
        let seen = |labels: &Labels| marked.iter().any(|one| names.iter().all(|name| one.value(name) == labels.value(name)));
        // existing alerts, possible later alerts, and mixtures of two alerts
        let mixed = marked.iter().zip(marked.iter().rev()).flat_map(|(one, other)| {
            names.iter().map(move |name| {
                let pairs = one.iter().filter(|(own, _)| &***own != *name).map(|(own, value)| (&**own, &**value));
                let mixed = pairs.chain([(*name, other.value(name))]).filter(|(_, value)| !value.is_empty());
                mixed.collect::<Labels>()
            })
        });
        for labels in later.iter().cloned().chain(mixed).chain(marked.iter().copied().cloned()) {
            prop_assert_eq!(hides(&proposal, &labels), seen(&labels), "{:?} {:?}", &proposal, &labels);
        }
    }
}

#[test]
fn five_hundred_of_ten_thousand_are_proposed_for_in_no_time() {
    let all: Vec<Labels> = (0..10_000)
        .map(|i| {
            let own = |name: &str| (name.to_owned(), format!("{name}-{i}"));
            let shared = (0..15).map(|n| (format!("label{n}"), format!("value{}", i % (n + 1))));
            let pairs: Vec<(String, String)> = shared.chain([own("pod"), own("address")]).collect();
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
        })
        .collect();
    let marked: Vec<&Labels> = all.iter().take(500).collect();
    let others: Vec<&Labels> = all.iter().skip(500).collect();
    let proposal = proposed(&marked, &others, 50);
    assert!(!proposal.silences.is_empty() && proposal.silences.len() <= 50);
    assert!(marked.iter().all(|labels| hides(&proposal, labels)));
    assert!(!others.iter().any(|labels| hides(&proposal, labels)));
}

#[test]
fn for_thousands_that_only_many_silences_would_hide_no_labels_are_tried_in_turn() {
    let all: Vec<Labels> = (0..4000)
        .map(|n| {
            let (name, service) = (format!("A{}", n % 503), format!("s{}", n * 37 % 997));
            let pairs = [("alertname", name), ("service", service), ("pod", n.to_string())];
            pairs.iter().map(|(name, value)| (*name, value.as_str())).collect()
        })
        .collect();
    let marked: Vec<&Labels> = all.iter().collect();
    let proposal = proposed(&marked, &[], 50);
    assert!(proposal.silences.len() > 50 && proposal.left_out.is_empty(), "{}", proposal.silences.len());
}
