//! What all sources with the Alertmanager API v2 share, be it Alertmanager's own or Grafana's: reading alerts and silences, finding
//! out what silences an alert, and the operations on silences.

pub(super) mod alerts;
pub(super) mod derived;
pub(super) mod silences;
mod wire;
