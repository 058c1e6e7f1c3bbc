use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// `"gitlab 0 deploy payments 4.18.2 4.19.0"`: source, second, kind, service, from, to; `-` for none.
fn report(words: &str) -> Change {
    let mut words = words.split(' ');
    let mut next = || words.next().unwrap();
    let source = SourceId::new(next());
    let (time, is_about) = match next() {
        about if about.starts_with('~') => (about.trim_start_matches('~'), true),
        exact => (exact, false),
    };
    let at = at(time.parse().unwrap());
    let kind = ChangeKind::of_word(next()).unwrap();
    let mut text = || words.next().filter(|word| *word != "-").map(Text::from);
    let (service, from, to) = (text(), text(), text());
    let title = kind.title(from.as_deref(), to.as_deref());
    let labels = words.clone().filter_map(|word| word.split_once('=')).filter(|(name, _)| *name != "id");
    let id = words.find_map(|word| word.strip_prefix("id=")).map(Text::from);
    let labels: Labels = labels.collect();
    Change { is_about, service, labels, from, to, id, ..Change::new(at, kind, title, source) }
}

fn told(change: &Change) -> String {
    let sources: Vec<&str> = change.sources.iter().map(SourceId::as_str).collect();
    let second = change.at.as_second() - 1_800_000_000;
    format!("{second} {} {} [{}]", change.kind.word(), change.title, sources.join(" "))
}

fn merge(reports: &[&str]) -> Vec<String> {
    let mut changes = merged(reports.iter().map(|words| report(words)));
    changes.reverse();
    changes.iter().map(told).collect()
}

#[test]
fn one_change_reported_by_several_sources_is_one() {
    for (why, reports, expected) in [
        (
            "a rollout: pipeline, ReplicaSet, image, version label",
            &[
                "gitlab 0 deploy payments 4.18.2 v4.19.0 id=991",
                "prom 20 deploy payments - registry.example.net/pay:4.19.0",
                "prom ~35 deploy payments 4.18.2 4.19.0",
                "gitlab 140 deploy payments 4.18.2 v4.19.0 id=991",
            ][..],
            &["0 deploy 4.18.2 -> v4.19.0 [gitlab prom]"][..],
        ),
        (
            "the earliest exact time is used",
            &["prom ~0 deploy payments 1 2", "file 20 deploy payments 1 2", "argo 40 deploy payments 1 2"],
            &["20 deploy 1 -> 2 [file argo prom]"],
        ),
        (
            "an approximate time that is much earlier is used",
            &["prom ~0 deploy payments 1 2", "file 300 deploy payments 1 2"],
            &["0 deploy 1 -> 2 [prom file]"],
        ),
        (
            "the same version an hour later",
            &["gitlab 0 deploy payments 1 2 id=1", "gitlab 3600 deploy payments 1 2 id=2"],
            &["0 deploy 1 -> 2 [gitlab]", "3600 deploy 1 -> 2 [gitlab]"],
        ),
        (
            "the same version again after a return to the old one",
            &["prom 0 deploy payments 1 2", "prom 60 rollback payments 2 1", "prom 120 deploy payments 1 2"],
            &["0 deploy 1 -> 2 [prom]", "60 rollback rolled back 2 -> 1 [prom]", "120 deploy 1 -> 2 [prom]"],
        ),
        (
            "a rollback that one source reports as deployment",
            &["file 0 deploy payments 2 1", "prom 30 rollback payments 2 1"],
            &["0 rollback rolled back 2 -> 1 [file prom]"],
        ),
        (
            "a commit in two lengths",
            &["github 0 deploy payments - 9f31c2ab77e1", "prom ~30 deploy payments - 2.0 commit=9f31c2a"],
            &["0 deploy -> 9f31c2ab77e1 [github prom]"],
        ),
        (
            "different regions",
            &["file 0 deploy payments 1 2 region=eu", "prom 5 deploy payments 1 2 region=us"],
            &["0 deploy 1 -> 2 [file]", "5 deploy 1 -> 2 [prom]"],
        ),
        (
            "different services",
            &["file 0 deploy payments 1 2", "prom 5 deploy cart 1 2"],
            &["0 deploy 1 -> 2 [file]", "5 deploy 1 -> 2 [prom]"],
        ),
        (
            "a flag, as two sources name its values",
            &["file 0 flag fraud bulk=0 bulk=1 flag=bulk", "prom ~8 flag fraud off on flag=bulk"],
            &["0 flag flag changed bulk=0 -> bulk=1 [file prom]"],
        ),
        (
            "other flags of a service",
            &["prom 0 flag fraud off on flag=bulk", "prom 1 flag fraud off on flag=beta"],
            &["0 flag flag changed off -> on [prom]", "1 flag flag changed off -> on [prom]"],
        ),
        (
            "a report without a version belongs to the nearest one",
            &["file 0 deploy cart 1 2", "argo 100 deploy cart - -", "file 130 deploy cart 2 3"],
            &["0 deploy 1 -> 2 [file]", "100 deploy 2 -> 3 [argo file]"],
        ),
        (
            "two restarts of one source",
            &["prom 0 restart cart - -", "prom 60 restart cart - -"],
            &["0 restart restarted [prom]", "60 restart restarted [prom]"],
        ),
        (
            "a restart of which another source knows the reason",
            &["exec 0 restart cart - -", "prom 10 oom cart - -"],
            &["0 oom OOM killed [exec prom]"],
        ),
        (
            "one id for everything",
            &["file 0 deploy cart 1 2 id=x", "file 5 deploy cart 2 3 id=x", "file 9 deploy api 1 2 id=x"],
            &["0 deploy 1 -> 2 [file]", "5 deploy 2 -> 3 [file]", "9 deploy 1 -> 2 [file]"],
        ),
        (
            "without a service only ids and targets count",
            &["one 0 other - - -", "two 5 other - - -", "one 9 other - - - id=7", "two 99 other - - - id=7"],
            &["0 other changed [one]", "5 other changed [two]", "9 other changed [one two]"],
        ),
    ] {
        assert_eq!(merge(reports), expected, "{why}");
    }
}

#[test]
fn a_merged_change_keeps_what_each_source_knows_and_the_worst_state() {
    let mut gitlab = report("gitlab 0 deploy cart - 2 id=7");
    (gitlab.who, gitlab.state) = (Some("ana".into()), ChangeState::Running);
    let mut argo = report("argo 60 deploy cart - 2 cluster=eu");
    (argo.link, argo.state) = (Some("https://argo/cart".into()), ChangeState::Failed);
    let prom = report("prom ~30 deploy cart 1 2 region=eu-west-1");
    let all = merged([prom, argo, gitlab]);
    let [change] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(told(change), "0 deploy 1 -> 2 [gitlab argo prom]");
    assert_eq!((change.who.as_deref(), change.id.as_deref()), (Some("ana"), Some("7")));
    assert_eq!(change.link.as_deref(), Some("https://argo/cart"));
    assert_eq!(change.labels, Labels::from_iter([("cluster", "eu"), ("region", "eu-west-1")]));
    assert_eq!(change.state, ChangeState::Failed);
}

#[test]
fn the_title_is_of_the_kind_that_is_told() {
    let counted = |words: &str, title: &str| Change { title: title.into(), ..report(words) };
    let starts = counted("starts 0 restart cart - -", "restarted, 2 pods");
    let kills = counted("pods 5 oom cart - -", "OOM killed 8 times, 2 pods");
    assert_eq!(
        merged([starts, kills]).iter().map(told).collect::<Vec<_>>(),
        ["0 oom OOM killed 8 times, 2 pods [starts pods]"]
    );
}

#[test]
fn later_answers_extend_the_earlier_ones_and_replace_what_they_are_about() {
    let snapshot = |reports: &[&str], since, until| {
        let reports = reports.iter().map(|words| report(words)).collect();
        ChangeSnapshot::new(reports, at(since), at(until), vec!["versions".into()])
    };
    let mut all = snapshot(&["prom 10 deploy a 1 2", "prom ~90 deploy b 1 2"], 0, 100);
    all.extend(snapshot(&["prom ~85 deploy b 1 2", "prom 110 deploy c 1 2"], 60, 130));
    assert_eq!(
        all.changes.iter().map(told).collect::<Vec<_>>(),
        ["10 deploy 1 -> 2 [prom]", "85 deploy 1 -> 2 [prom]", "110 deploy 1 -> 2 [prom]"]
    );
    assert_eq!((all.wanted, all.since, all.until), (at(0), at(0), at(130)));
    // it is unknown what happened between 130 and 500
    all.extend(snapshot(&[], 500, 600));
    assert_eq!((all.changes.len(), all.since, all.until), (3, at(500), at(600)));
    // an earlier range is added in front
    all.extend(snapshot(&["prom -50 deploy a 0 1"], -100, 600));
    assert_eq!((all.changes.len(), all.since), (1, at(-100)));
}

#[test]
fn of_too_many_changes_the_oldest_go_and_that_is_said() {
    let many = (0..6_000).map(|second| report(&format!("file {second} restart s{second} - -"))).collect();
    let snapshot = ChangeSnapshot::new(many, at(0), at(6_000), Vec::new());
    assert_eq!((snapshot.changes.len(), snapshot.wanted, snapshot.since), (5_000, at(0), at(999)));
}

#[test]
fn targets_are_compared_without_the_ways_to_write_them() {
    for (kind, value, expected) in [
        (ChangeKind::Deploy, "v4.19.0", "4.19.0"),
        (ChangeKind::Deploy, "registry.example.net:5000/pay/api:4.19.0@sha256:77aa", "4.19.0"),
        (ChangeKind::Deploy, "valiant", "valiant"),
        (ChangeKind::Flag, "bulk=1", "on"),
        (ChangeKind::Flag, "FALSE", "off"),
        (ChangeKind::Flag, "variant-b", "variant-b"),
    ] {
        assert_eq!(merge::comparable(kind, value), expected, "{value}");
    }
}

fn any_report() -> impl Strategy<Value = Change> {
    ((0..40_i64, 0..3_usize, any::<bool>(), 0..4_usize), (0..3_usize, 0..4_usize, 0..3_usize, 0..3_usize))
        .prop_map(|((time, source, is_about, kind), (service, to, region, id))| {
            let source = ["gitlab", "prom", "argo"][source];
            let about = if is_about { "~" } else { "" };
            let kind = ["deploy", "rollback", "restart", "config"][kind];
            let service = ["-", "cart", "pay"][service];
            let to = ["-", "1", "2", "3"][to];
            let region = ["", " region=eu", " region=us"][region];
            let id = ["", " id=1", " id=2"][id];
            report(&format!("{source} {about}{} {kind} {service} - {to}{region}{id}", time * 25))
        })
}

proptest! {
    #[test]
    fn merging_depends_on_no_order_repeats_nothing_and_loses_no_source(
        reports in prop::collection::vec(any_report(), 0..24), turn in 0..24_usize,
    ) {
        let once = merged(reports.clone());
        let mut turned = reports.clone();
        turned.rotate_left(turn.min(reports.len()));
        turned.reverse();
        turned.extend(reports.first().cloned());
        prop_assert_eq!(&merged(turned), &once);
        prop_assert_eq!(&merged(once.clone()), &once);
        prop_assert!(once.windows(2).all(|pair| pair[0].at >= pair[1].at));
        prop_assert!(once.len() <= reports.len());
        for report in &reports {
            let is_told = once.iter().any(|change| {
                change.service == report.service && change.sources.contains(&report.sources[0])
            });
            prop_assert!(is_told, "{report:?}");
        }
    }

    #[test]
    fn changes_far_apart_are_never_joined(kind in 0..4_usize, gap in 6..48_i64) {
        let kind = ["deploy", "rollback", "restart", "config"][kind];
        let far = gap * 3600 + 1;
        let reports = [format!("a 0 {kind} cart 1 2 id=1"), format!("b {far} {kind} cart 1 2 id=1")];
        prop_assert_eq!(merged(reports.iter().map(|words| report(words))).len(), 2);
    }
}
