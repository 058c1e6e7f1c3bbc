//! Runbooks: the input is an address, a template, labels and a page.
#![no_main]

use std::sync::Arc;

use burnwatch::testing::backend::runbooks;
use burnwatch::testing::config::settings::{RunbookSettings, Settings};
use burnwatch::testing::model::ask::Query;
use burnwatch::testing::model::runbook::RunbookQuery;
use burnwatch_fuzz::{assert_clean, in_turns, labels, parts, texts, wait};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (parts, texts) = (parts(input), texts(input));
    let [address, template, page, ..] = texts.as_slice() else { return };
    // files of this machine are not read
    if address.trim().starts_with(['/', 'f']) || template.trim().starts_with(['/', 'f']) {
        return;
    }
    let page = parts.get(2).cloned().unwrap_or_else(|| page.clone().into_bytes());
    let runbook_settings =
        RunbookSettings { templates: vec![template.clone()], ..RunbookSettings::default() };
    let settings = Settings { runbooks: runbook_settings, ..Settings::default() };
    let url = Some(address.as_str().into());
    let wanted = RunbookQuery { name: "Alert".into(), url, labels: labels(texts.get(3..).unwrap_or_default()) };
    let answered = wait(runbooks(&settings, &in_turns(vec![page])).answer(&Query::Runbook { wanted: Arc::new(wanted) }.now(), None));
    assert_clean(&answered);
});
