//! Proposed silences and regular expressions, compared with a real Alertmanager: a silence hides exactly the alerts that the
//! preview names.

use std::collections::BTreeSet;

use burnwatch::testing::model::matcher::{Matcher, Operator, lists};
use burnwatch::testing::model::silence::{ProposalInput, SilenceProposal, left_out, propose};
use reqwest::StatusCode;

use super::silencing::{VALUES, a_run, draft, expire, fire, make};
use super::*;

/// Pseudo-random numbers, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Labels and their possible values; the empty text means that the label is absent.
const LABELS: [(&str, &[&str]); 6] = [
    ("alertname", &["LatencyHigh", "SLOBurnFast", "Disk.full", "a|b"]),
    ("service", &["checkout", "search", "größe", ""]),
    ("zone", &["", "eu-1", "eu-2", "(x)+"]),
    ("pod", &["", "p.1", "p-1", "C:\\tmp \"x\""]),
    ("note", &["", "", "two\nlines", "日本語{}", "."]),
    ("replica", &["a", "b"]),
];

type Pairs = Vec<(&'static str, String)>;

fn some_alert(numbers: &mut Numbers) -> Pairs {
    let all = LABELS.iter().map(|(name, values)| (*name, numbers.of(values).to_owned()));
    all.filter(|(_, value)| !value.is_empty()).collect()
}

fn labels(pairs: &Pairs, run: &str) -> Labels {
    let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
    pairs.chain([("run", run)]).collect()
}

/// The labels of all alerts of a run, each with the ids of the silences that hide it at the server.
async fn proposals(url: &str, run: &str) -> Vec<(Labels, Vec<String>)> {
    let request = reqwest::Client::new().get(format!("{url}/api/v2/alerts?filter=run%3D%22{run}%22"));
    let body = request.send().await.expect("the server answers").bytes().await.expect("a body");
    let all: Vec<Value> = serde_json::from_slice(&body).expect("alerts");
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let one = |alert: &Value| {
        let labels = alert["labels"].as_object().expect("labels").iter();
        let labels: Labels = labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        (labels, texts(&alert["status"]["silencedBy"]))
    };
    all.iter().map(one).collect()
}

/// Whether a marked alert has the same values of all labels in the proposal.
fn is_meant(marked: &[&Labels], proposal: &SilenceProposal, labels: &Labels) -> bool {
    let names: BTreeSet<&str> = marked.iter().flat_map(|one| one.iter().map(|(name, _)| &**name)).collect();
    let kept: Vec<&str> =
        names.into_iter().filter(|name| !proposal.left_out.iter().any(|left| left == name)).collect();
    marked.iter().any(|one| kept.iter().all(|name| one.value(name) == labels.value(name)))
}

#[tokio::test]
async fn silences_that_are_proposed_hide_the_marked_alerts_and_no_other_combination_now_or_later() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let mut numbers = Numbers(14);
    for set in 0..300 {
        let run = format!("{}-{set}", a_run());
        let first: BTreeSet<Pairs> = (0..2 + numbers.below(14)).map(|_| some_alert(&mut numbers)).collect();
        let first: Vec<Pairs> = first.into_iter().collect();
        let all: Vec<Labels> = first.iter().map(|pairs| labels(pairs, &run)).collect();
        let is_marked: Vec<bool> = all.iter().map(|_| numbers.below(2) == 0).collect();
        let split = |wanted: bool| -> Vec<&Labels> {
            all.iter().zip(&is_marked).filter(|(_, marked)| **marked == wanted).map(|(one, _)| one).collect()
        };
        let (marked, others) = (split(true), split(false));
        if marked.is_empty() {
            continue;
        }
        let wanted =
            ProposalInput { others: &others, first: &[], without: &left_out(&marked, &others), most: 50 };
        let proposal = propose(&marked, wanted);
        fire(&url, &run, &first, now() + 5.minutes()).await;
        let mut made = Vec::new();
        for matchers in &proposal.silences {
            made.push(make(source, draft(matchers.clone(), "proposed")).await);
        }
        let later: Vec<Pairs> = (0..50).map(|_| some_alert(&mut numbers)).collect();
        for posted in [&first, &later] {
            fire(&url, &run, posted, now() + 5.minutes()).await;
            let proposals = proposals(&url, &run).await;
            assert!(proposals.len() >= first.len(), "they are there");
            for (labels, silenced_by) in &proposals {
                let is_hidden = made.iter().any(|id| silenced_by.iter().any(|by| **by == **id));
                let is_said =
                    proposal.silences.iter().any(|one| one.iter().all(|matcher| matcher.matches(labels)));
                let is_meant = is_meant(&marked, &proposal, labels);
                let shown = lists(&proposal.silences);
                assert_eq!((is_hidden, is_said), (is_meant, is_meant), "set {set}: {shown} on {labels:?}");
            }
        }
        for id in &made {
            expire(source, id).await;
        }
        fire(&url, &run, &first, now()).await;
        fire(&url, &run, &later, now()).await;
    }
}

/// The parts of random expressions.
const PARTS: [&str; 52] = [
    "a",
    "b",
    "cart",
    "Cart",
    ".",
    "*",
    "+",
    "?",
    "|",
    "(",
    ")",
    "(?:",
    "(?i)",
    "(?i:",
    "(?s)",
    "(?U)",
    "(?-i)",
    "[",
    "]",
    "[^",
    "-",
    r"\d",
    r"\W",
    r"\pL",
    r"\p{^Lu}",
    r"\p{Han}",
    r"\Q",
    r"\E",
    "{2}",
    "{1,3}",
    "{",
    "}",
    "^",
    "$",
    r"\b",
    r"\141",
    r"\x63",
    r"\.",
    "[[:alpha:]]",
    "ä",
    "{,2}",
    "(?P<n>",
    r"\C",
    r"\z",
    r"\1",
    "&&",
    ",",
    " ",
    "{400}",
    r"\x{D800}",
    r"\_",
    ".*",
];

/// Expressions that are rare among the random ones.
const ODD: [&str; 67] = [
    "(?P<n>a)(?P<n>b)",
    "(?P<1>a)",
    "(?i-i)A",
    "(?ii)a",
    "(?)a",
    "a(?i)*",
    "a*(?i)*",
    r"a\Q\E*",
    r"\Q\E*",
    "(a{10}){101}",
    "(a{10}){100}",
    "((a{10}){10}|b){10}",
    "((a{10}){10}|b){11}",
    "a{1000}",
    "a{1001}",
    "a{0}",
    "a{01}",
    "a{2,1}",
    "^*",
    "()*",
    "(|a)+",
    r"\pC",
    r"\p{Cs}",
    r"\p{Any}",
    r"\p{Greek}",
    r"\p{greek}",
    r"\p{Grek}",
    r"\p{Letter}",
    r"\p{Old_Italic}",
    r"[\pL&&]",
    "[a-]",
    "[]a]",
    "[^]a]",
    "[a-b-c]",
    r"[\d-a]",
    "[[:foo:]]",
    "[[:^alpha:]]",
    r"[\x{D7FF}-\x{E000}]",
    r"\x{110000}",
    r"\x{0000000061}",
    r"\01",
    r"\08",
    r"\8",
    r"\18",
    "(?m)^a$",
    "(?s)a.b",
    "a.b",
    r"\Aa\z",
    "a||b",
    "(?:a|b)??",
    "a???",
    "(?i)ſ",
    "(?i)k",
    r"(?i)\w",
    r"(?i)[^k]",
    r"(?i)\PL",
    "(?#a)",
    "(?=a)",
    "(?<=a)",
    "(?P=n)",
    "(?P<n",
    "(?P<>a)",
    "(?P<a-b>c)",
    r"\Qa\Eb",
    r"\Qa",
    r"(\Qa)",
    r"\",
];

/// Posts a silence with an expression to the server: its id, or the server's error.
async fn tried(url: &str, run: &str, pattern: &str) -> Result<String, String> {
    let body = json!({
        "matchers": [
            { "name": "value", "value": pattern, "isRegex": true, "isEqual": true },
            { "name": "run", "value": run, "isRegex": false, "isEqual": true },
        ],
        "startsAt": now().to_string(), "endsAt": (now() + 5.minutes()).to_string(), "createdBy": "burnwatch", "comment": "a pattern",
    });
    let request = reqwest::Client::new().post(format!("{url}/api/v2/silences"));
    let response = request.header("Content-Type", "application/json").body(body.to_string()).send().await;
    let response = response.expect("the server answers");
    let status = response.status();
    let text = response.text().await.expect("a body");
    if status == StatusCode::OK {
        let made: Value = serde_json::from_str(&text).expect("an id");
        return Ok(made["silenceID"].as_str().expect("an id").to_owned());
    }
    assert_eq!(status, StatusCode::BAD_REQUEST, "{pattern}: {text}");
    Err(text)
}

#[tokio::test]
async fn an_expression_is_taken_and_matches_here_as_at_the_server() {
    let Some(url) = real("BURNWATCH_TEST_ALERTMANAGER") else { return };
    let source = &*connected(&url);
    drop(source.answer(&Query::Probe.now(), None).await.expect("a probe"));
    let run = a_run();
    let values: Vec<Vec<(&str, String)>> = VALUES
        .into_iter()
        .chain(["a", "b", "ab", "aa", "bb", "A", "ä", "Ä", "-", "{,2}", "a\nb", "{2}", "[", "\u{212a}"])
        .map(|value| vec![("value", value.to_owned())])
        .collect();
    fire(&url, &run, &values, now() + 5.minutes()).await;
    let mut numbers = Numbers(2);
    let mut patterns: BTreeSet<String> =
        (0..900).map(|_| (0..=numbers.below(6)).map(|_| numbers.of(&PARTS)).collect()).collect();
    patterns.extend(ODD.map(str::to_owned));
    let mut made = Vec::new();
    let mut wrong = Vec::new();
    for pattern in &patterns {
        let here = Matcher::new("value", Operator::Matches, pattern.as_str());
        // the server accepts this one, and then no silence works any more
        if pattern.rsplit_once("\\Q").is_some_and(|(_, quoted)| !quoted.contains("\\E")) {
            if here.is_ok() {
                wrong.push(format!("{pattern:?} would break the server"));
            }
            continue;
        }
        match (tried(&url, &run, pattern).await, here) {
            (Ok(id), Ok(matcher)) => made.push((id, matcher)),
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => wrong.push(format!("only the server takes {pattern:?}: {error}")),
            (Err(why), Ok(_)) => wrong.push(format!("the server refuses {pattern:?}: {why}")),
        }
    }
    assert!(made.len() > 150, "{}", made.len());
    let proposals = proposals(&url, &run).await;
    assert_eq!(proposals.len(), values.len());
    for (id, matcher) in &made {
        if !matcher.can_be_evaluated() {
            continue;
        }
        for (labels, silenced_by) in &proposals {
            if matcher.matches(labels) != silenced_by.contains(id) {
                wrong.push(format!("{matcher} on {:?}: {}", labels.value("value"), silenced_by.contains(id)));
            }
        }
    }
    let unevaluated: Vec<String> =
        made.iter().filter(|(_, one)| !one.can_be_evaluated()).map(|(_, one)| one.to_string()).collect();
    assert!(unevaluated.len() * 50 < made.len(), "too many cannot be judged: {unevaluated:?}");
    for (id, _) in &made {
        expire(source, id).await;
    }
    fire(&url, &run, &values, now()).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
