//! Templates with placeholders for labels: the parts joined again are the original text.
#![no_main]

use burnwatch::testing::model::placeholder::{TemplatePart, parts};
use burnwatch_fuzz::{labels, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = texts(input);
    let Some((text, rest)) = texts.split_first() else { return };
    let labels = labels(rest);
    let written: String = parts(text, &labels)
        .into_iter()
        .map(|part| match part {
            TemplatePart::Plain(written) | TemplatePart::Filled { written, .. } | TemplatePart::Missing { written } => written,
        })
        .collect();
    assert_eq!(written, *text);
});
