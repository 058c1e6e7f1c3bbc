//! Version and health of Grafana, and what the token may do.

use super::{Grafana, wire};
use crate::backend::kit::probe::probe_report;
use crate::model::ask::{Answer, Answered, Reply, Weight};
use crate::model::source::{ErrorKind, SourceError};

impl Grafana {
    /// Answers a probe: reachable and healthy, the version, the organisation, and each right of the token.
    pub(super) async fn probe(&self) -> Answered {
        // the health needs no token, the organisation needs a valid one
        let health = self.get(Weight::Vital, "api/health", &[]);
        let organisation = self.get(Weight::Vital, "api/org", &[]);
        let (health, organisation, granted) = tokio::join!(health, organisation, self.granted());
        let body = health?;
        let health: wire::ServerHealth<'_> = body.json()?;
        if health.version.0.is_empty() && health.database.0.is_empty() {
            let reason = "JSON of another API: `api/health` has neither version nor database".to_owned();
            return Err(self.http.error(ErrorKind::Garbled { reason }));
        }
        let flavour = if health.enterprise_commit.0.is_empty() { "Grafana" } else { "Grafana Enterprise" };
        let mut report = probe_report(flavour, &*health.version.0);
        report.clock(body.date, self.clock.now(), "one of the two clocks is wrong");
        if !matches!(&*health.database.0, "ok" | "") {
            report.warn(format!("its database is {}", health.database.0));
        }
        if major(&health.version.0).is_some_and(|major| major < 11) {
            report.warn("versions before 11 are not supported: some lists may be incomplete");
        }
        match organisation {
            Ok(body) => report.fact("organisation", &*body.json::<wire::Organisation<'_>>()?.name.0),
            Err(error) if matches!(error.kind, ErrorKind::Unauthorised { .. }) => return Err(error),
            Err(error) => report.warn(format!("the organisation could not be read: {}", error.kind)),
        }
        match granted {
            Some(granted) => granted.report(&mut report),
            None => {
                report.fact("rights", "not told by this Grafana: each question says which right it lacks");
            }
        }
        Ok(Reply::free(Answer::Probe(report)))
    }

    /// Explains errors that have a typical cause at Grafana.
    pub(super) fn explained(error: SourceError) -> SourceError {
        let kind = match &error.kind {
            ErrorKind::Garbled { reason } if reason.starts_with("HTML") => {
                let reason = format!(
                    "{reason}: a login page, or another page than Grafana's API; check the address with its sub-path"
                );
                ErrorKind::Garbled { reason }
            }
            ErrorKind::Unauthorised { message } => {
                let message = match message.as_str() {
                    "" => "the token is not valid or has expired".to_owned(),
                    said => format!("{said}: the token is not valid or has expired"),
                };
                ErrorKind::Unauthorised { message }
            }
            ErrorKind::Refused { status: 404, message } => {
                let message = format!("{message}; check the address with its sub-path");
                ErrorKind::Refused { status: 404, message }
            }
            ErrorKind::Unreachable { .. }
            | ErrorKind::Certificate { .. }
            | ErrorKind::TimedOut { .. }
            | ErrorKind::Forbidden { .. }
            | ErrorKind::Redirected { .. }
            | ErrorKind::RateLimited { .. }
            | ErrorKind::Refused { .. }
            | ErrorKind::Garbled { .. }
            | ErrorKind::TooLarge { .. }
            | ErrorKind::BadQuery { .. }
            | ErrorKind::NotOffered { .. }
            | ErrorKind::Unfit { .. }
            | ErrorKind::NoSecret { .. }
            | ErrorKind::Local { .. }
            | ErrorKind::Internal { .. } => return error,
        };
        SourceError { kind, ..error }
    }
}

/// The first number of a version.
fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}
