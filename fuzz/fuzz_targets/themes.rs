//! Theme files.
#![no_main]

use burnwatch::testing::app::themes;
use burnwatch::testing::config::theme::parse;
use burnwatch_fuzz::assert_ours;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match parse("theme.toml", &String::from_utf8_lossy(input)) {
        Ok(file) => {
            let (_, wrong) = themes::all(&[file]);
            for error in wrong {
                assert_ours(burnwatch::testing::model::text::clean(&error.to_string()).as_bytes());
            }
        }
        Err(wrong) => assert_ours(wrong.to_string().as_bytes()),
    }
});
