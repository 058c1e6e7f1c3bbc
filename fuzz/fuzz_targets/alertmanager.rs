//! Every question to an Alertmanager; the answers are parts of the input.
#![no_main]

use burnwatch_fuzz::interview;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    interview("alertmanager", input);
});
