//! The identity of a label set, computed as Prometheus and Alertmanager do.

use std::fmt;

use super::labels::Labels;

/// The identity of a label set: the same alert has the same fingerprint at every source.
///
/// Source: `model.LabelSet.Fingerprint` of `prometheus/common`: FNV-1a (64 bit) over name, 0xFF, value, 0xFF of
/// each pair, sorted by name; Alertmanager prints it as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0100_0000_01b3;

impl Fingerprint {
    pub fn of(labels: &Labels) -> Self {
        let bytes = labels
            .iter()
            .flat_map(|(name, value)| name.bytes().chain([0xff]).chain(value.bytes()).chain([0xff]));
        Self(bytes.fold(OFFSET, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(PRIME)))
    }

    /// Parses hexadecimal digits as Alertmanager sends them; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        u64::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_labels_have_the_fingerprint_that_prometheus_gives_them() {
        // `emptyLabelSignature` in prometheus/common: the FNV-1a offset itself
        assert_eq!(Fingerprint::of(&Labels::default()).to_string(), "cbf29ce484222325");
    }

    #[test]
    fn text_and_number_are_the_same_identity() {
        let print = Fingerprint::of(&Labels::from_iter([("alertname", "Down"), ("job", "api")]));
        assert_eq!(Fingerprint::parse(&print.to_string()), Some(print));
        assert_eq!(Fingerprint::parse("not hex"), None);
    }
}
