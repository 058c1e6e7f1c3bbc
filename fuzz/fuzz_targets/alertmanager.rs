//! Every question to a Alertmanager, with answers out of bytes.
#![no_main]

use burnwatch_fuzz::interview;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    interview("alertmanager", input);
});
