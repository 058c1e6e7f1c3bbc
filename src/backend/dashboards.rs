//! The kind `dashboards`: Grafana dashboards from files, and the reader of their JSON that the source `grafana` uses, too.

pub(super) mod read;
