//! Configuration files: errors are reported, and valid settings are serialized and parsed again.
#![no_main]

use burnwatch::testing::app::commands::Command;
use burnwatch::testing::backend::KINDS;
use burnwatch::testing::config::KnownNames;
use burnwatch::testing::config::load::parse;
use burnwatch_fuzz::assert_ours;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let commands: Vec<&str> = Command::all().map(Command::name).collect();
    let known =
        KnownNames { kinds: &KINDS, themes: &["dark", "light"], commands: &commands, packs: &["http"], keys: None };
    match parse("burnwatch.toml", &text, &known) {
        Ok(settings) => {
            settings.health_policy();
            settings.severity_map();
            serde_json::to_string(&settings).expect("settings can be written");
        }
        Err(wrong) => assert_ours(wrong.to_string().as_bytes()),
    }
});
