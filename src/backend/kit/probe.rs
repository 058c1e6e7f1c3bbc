//! The parts of a probe report that all kinds of sources share.

use jiff::Timestamp;

use super::skew;
use crate::backend::kit::http::Allowance;
use crate::model::labels::Text;
use crate::model::source::ProbeReport;

/// A report without facts and warnings. `version` is empty if the server does not report one.
pub(crate) fn probe_report(flavour: impl Into<Text>, version: impl Into<Text>) -> ProbeReport {
    ProbeReport { flavour: flavour.into(), version: version.into(), ..ProbeReport::default() }
}

impl ProbeReport {
    /// Adds a fact, unless its value is empty.
    pub(in crate::backend) fn fact(&mut self, name: &str, value: impl Into<Text>) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push((name.into(), value));
        }
    }

    pub(in crate::backend) fn warn(&mut self, warning: impl Into<Text>) {
        self.warnings.push(warning.into());
    }

    /// Sets the offset of the server's clock, from the `Date` header; if the offset is large, adds a warning that ends with
    /// `consequence`.
    pub(in crate::backend) fn clock(&mut self, date: Option<Timestamp>, now: Timestamp, consequence: &str) {
        self.clock_ahead_seconds = skew::seconds_ahead(date, now);
        if let Some(ahead) = self.clock_ahead_seconds.filter(|ahead| skew::is_large(*ahead)) {
            let way = if ahead > 0 { "ahead of" } else { "behind" };
            self.warn(format!("its clock is {} s {way} this machine's: {consequence}", ahead.abs()));
        }
    }

    /// Adds the rest of the server's rate limit as a fact, and a warning if less than a tenth is left.
    pub(in crate::backend) fn allowance(&mut self, allowance: Option<Allowance>) {
        let Some(Allowance { limit, left, reset }) = allowance else { return };
        self.fact("requests left", format!("{left} of {limit}"));
        if left < limit / 10 {
            let wait = reset.as_secs();
            self.warn(format!(
                "only {left} of {limit} requests are left for the next {wait} s: other clients may use the same key"
            ));
        }
    }
}
