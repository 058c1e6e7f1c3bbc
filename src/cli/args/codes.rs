//! The exit codes in the help of each verb. Those of actions and of `slo` are in their own modules.

/// For lists and documents.
pub(super) const LISTING: &str = "\
Exit codes:
  0  success, also while alerts are firing
  1  the output could not be written
  2  wrong usage or configuration, or no source of the context has such data
  3  incomplete: a source failed; the data of the other sources are printed";

/// For `check`.
pub(super) const CHECK: &str = "\
Exit codes, as of monitoring plug-ins:
  0  OK
  1  WARNING: an SLO in ticket or exhausted, a degraded service
  2  CRITICAL: an SLO in page, a service that is down or critical
  3  UNKNOWN: no data, a source that does not answer, an unknown name, wrong
     usage or configuration
The worst result decides: CRITICAL, WARNING, UNKNOWN, OK. While the firing
alerts are unknown, UNKNOWN is worse than WARNING, because one of the alerts
may be critical.";

/// For `doctor`.
pub(super) const DOCTOR: &str = "\
Exit codes:
  0  every source is healthy
  1  a source failed, or the output could not be written
  2  wrong usage or configuration";

/// For `snapshot`.
pub(super) const SNAPSHOT: &str = "\
Exit codes:
  0  drawn with all data
  1  the output could not be written
  2  wrong usage or configuration
  3  incomplete: some data did not arrive in time; the others are drawn";

/// For `query`.
pub(super) const QUERY: &str = "\
Examples:
  burnwatch query 'sum by (service) (rate(http_requests_total[5m]))'
  burnwatch query up --since 1h --step 30s --output json
  burnwatch query --lint 'rate(temperature[5m])'
Exit codes:
  0  success, also with an empty result or with hints
  1  the output could not be written
  2  wrong usage or configuration, or the expression is wrong: the place of
     the error is printed
  3  incomplete: a source failed; the results of the others are printed";

/// For `config`.
pub(super) const CONFIG: &str = "\
Exit codes:
  0  success, or no errors found
  1  the output could not be written
  2  the configuration has errors, or the file exists already";

/// For `journal`.
pub(super) const JOURNAL: &str = "\
Exit codes:
  0  printed
  1  the journal cannot be read; --read-back: a result is still unknown
  2  wrong usage or configuration
  3  a line of the journal cannot be read; --read-back: a source failed";
