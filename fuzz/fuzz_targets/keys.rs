//! Key names of the configuration, and typed and pasted input.
#![no_main]

use burnwatch::testing::app::commands::KeyMap;
use burnwatch::testing::app::event::Event;
use burnwatch::testing::app::key::Key;
use burnwatch_fuzz::{Stage, replaced, texts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let texts = texts(input);
    for text in &texts {
        if let Ok(key) = text.parse::<Key>() {
            assert_eq!(key.to_string().parse(), Ok(key), "{text:?}");
        }
    }
    KeyMap::new(&replaced(&texts)).ok();
    let mut stage = Stage::new(vec!["text".into()], b"# Runbook".to_vec(), (80, 24));
    for text in texts.iter().take(40) {
        match text.strip_prefix('=') {
            Some(pasted) => stage.send(Event::Pasted(burnwatch::testing::model::text::clean(pasted).into_owned())),
            None => stage.press(text),
        }
    }
    stage.check();
});
