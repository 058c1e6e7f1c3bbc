//! Pack files, which describe how services are discovered.
#![no_main]

use burnwatch::testing::backend::packs::{Pack, chosen};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(pack) = Pack::parse(&String::from_utf8_lossy(input)) {
        chosen(&[pack], &[]);
    }
});
