//! Typed matchers and filters, applied to labels; and the silence that is proposed for these labels.
#![no_main]

use burnwatch::testing::app::filter::{Filter, Haystack};
use burnwatch::testing::model::labels::Text;
use burnwatch::testing::model::matcher::{self, Matcher};
use burnwatch::testing::model::silence::{ProposalInput, propose, refusal};
use burnwatch_fuzz::{labels, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = texts(input);
    let Some((typed, rest)) = texts.split_first() else { return };
    let (one, other) = (labels(rest), labels(rest.get(2..).unwrap_or_default()));
    if let Ok(matchers) = matcher::parse(typed) {
        let _reason = refusal(&matchers);
        let written: Vec<String> = matchers.iter().map(ToString::to_string).collect();
        let again = matcher::parse(&written.join(",")).expect("what is written can be read");
        for (first, second) in matchers.iter().zip(&again) {
            assert_eq!(first.matches(&one), second.matches(&one), "{first} and {second}");
        }
    }
    let filter = Filter::parse(typed);
    filter.match_range(rest.first().map_or("", String::as_str));
    let more: Vec<Text> = rest.iter().map(|text| text.as_str().into()).collect();
    Haystack::new([(&one, more.iter().collect()), (&other, Vec::new())]).select(&filter);
    let wanted = ProposalInput { others: &[&other], first: &[], without: &[], most: 50 };
    let proposed = propose(&[&one], wanted);
    let is_hidden = |matchers: &Vec<Matcher>| matchers.iter().all(|matcher| matcher.matches(&one));
    assert!(proposed.silences.iter().all(is_hidden), "{proposed:?} does not match {one}");
});
