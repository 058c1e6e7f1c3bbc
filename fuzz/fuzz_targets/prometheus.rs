//! Every question to a Prometheus; the answers are parts of the input.
#![no_main]

use burnwatch_fuzz::interview;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    interview("prometheus", input);
});
