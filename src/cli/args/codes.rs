//! What the exit codes of each verb mean, for its help. Those of the verbs that act or write definitions stand beside them.

/// Of what is printed.
pub(super) const LISTING: &str = "\
Exit codes:
  0  printed, also while alerts are firing
  1  the output could not be written
  2  wrong usage or configuration, or no source of the context can tell it
  3  data are missing because a source is in trouble; what is known is printed";

/// Of a check.
pub(super) const CHECK: &str = "\
Exit codes, as of monitoring plug-ins:
  0  OK
  1  WARNING: an SLO in ticket or exhausted, a degraded service
  2  CRITICAL: an SLO in page, a service that is down or critical
  3  UNKNOWN: no data, a source that does not answer, a name that nobody
     knows, wrong usage or configuration
The worst decides; what is known to be bad counts more than what is unknown.
While a source does not tell which alerts fire, only CRITICAL counts more:
one of them may be.";

/// Of the doctor.
pub(super) const DOCTOR: &str = "\
Exit codes:
  0  every source is healthy
  1  a source is in trouble, or the output could not be written
  2  wrong usage or configuration";

/// Of a picture.
pub(super) const SNAPSHOT: &str = "\
Exit codes:
  0  drawn, with all that it shows
  1  the output could not be written
  2  wrong usage or configuration
  3  not all came in time; what is known is drawn";

/// Of the configuration.
pub(super) const CONFIG: &str = "\
Exit codes:
  0  printed, written, or nothing is wrong
  1  the output could not be written
  2  something is wrong with the configuration, or the file is there already";

/// Of the journal.
pub(super) const JOURNAL: &str = "\
Exit codes:
  0  printed
  1  the journal cannot be read; --read-back: what was sent stays unknown
  2  wrong usage or configuration
  3  a line of it cannot be read; --read-back: a source is in trouble";
