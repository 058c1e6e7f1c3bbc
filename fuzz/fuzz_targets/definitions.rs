//! Files with SLO definitions in YAML and TOML; valid ones are written in each format and read again.
#![no_main]

use std::path::Path;

use burnwatch::testing::config::definitions::write::{Target, write};
use burnwatch::testing::config::definitions::{DEFAULT_PERIOD, parse};
use burnwatch_fuzz::{assert_clean, assert_ours};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let name = if first % 2 == 0 { "slo.yaml" } else { "slo.toml" };
    let defined = parse(Path::new(name), &String::from_utf8_lossy(rest), DEFAULT_PERIOD);
    assert_clean(&defined.findings);
    for finding in &defined.findings {
        assert_ours(finding.to_string().as_bytes());
    }
    for target in Target::ALL {
        let written = write(&defined.slos, target);
        assert_clean(&written.omissions);
        assert_ours(written.text.as_bytes());
        let name = if target == Target::Own { "again.toml" } else { "again.yaml" };
        let again = parse(Path::new(name), &written.text, DEFAULT_PERIOD);
        if target == Target::Own {
            let left_out = written.omissions.iter().filter(|omissions| omissions.what.ends_with("the SLO is left out"));
            let read = again.slos.len() + left_out.count();
            assert_eq!(read, defined.slos.len(), "{}\n{:?}", written.text, again.findings);
        }
    }
});
