//! Version and health of Grafana.

use super::{Grafana, wire};
use crate::backend::kit::probe::probe_report;
use crate::model::ask::{Answer, Answered, Reply, Weight};

impl Grafana {
    /// Answers a probe.
    pub(super) async fn probe(&self) -> Answered {
        let body = self.get(Weight::Vital, "api/health", &[]).await?;
        let health: wire::Health<'_> = body.json()?;
        let flavour = if health.enterprise_commit.0.is_empty() { "Grafana" } else { "Grafana Enterprise" };
        let mut report = probe_report(flavour, &*health.version.0);
        report.clock(body.date, self.clock.now(), "one of the two clocks is wrong");
        Ok(Reply::free(Answer::Probe(report)))
    }
}
