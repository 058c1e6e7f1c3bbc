//! Signals of services over time, for charts and sparklines.

use crate::model::labels::Text;
use crate::model::series::{Matrix, TimeGrid};
use crate::model::signal::{Signal, UnknownSignals};

/// Short histories of all services of one source; each series has only the label `service`.
#[derive(Debug, Clone)]
pub struct ServiceTrends {
    /// Requests per second.
    pub request_rate: Matrix,
    /// Failed requests / all requests.
    pub error_ratio: Matrix,
    /// 95th percentile of latency, in seconds.
    pub p95: Matrix,
}

impl ServiceTrends {
    /// Moves all three to `window` and adds the newer points; see [`Matrix::extend`].
    pub fn extend(&mut self, tail: Self, window: TimeGrid) {
        self.request_rate.extend(tail.request_rate, window);
        self.error_ratio.extend(tail.error_ratio, window);
        self.p95.extend(tail.p95, window);
    }
}

/// The golden signals of one service over time.
#[derive(Debug, Clone)]
pub struct ServiceDetail {
    /// Requests per second; one series without labels.
    pub request_rate: Matrix,
    /// Failed requests / all requests; one series without labels.
    pub error_ratio: Matrix,
    /// Seconds; one series for each `quantile` (0.5, 0.95, 0.99).
    pub latency: Matrix,
    /// 0 to 1; one series for each `resource`.
    pub saturation: Matrix,
    /// Requests per second in each latency bucket, not cumulative; one series for each `le`.
    pub buckets: Matrix,
    /// The expressions of the charts.
    pub queries: Vec<SignalQuery>,
    /// The charts whose newest points could not be read, and why; [`Signal::Apdex`] stands for the buckets.
    pub unknown: UnknownSignals,
}

impl ServiceDetail {
    /// Moves all charts to `window` and adds the newer points; see [`Matrix::extend`].
    pub fn extend(&mut self, tail: Self, window: TimeGrid) {
        self.request_rate.extend(tail.request_rate, window);
        self.error_ratio.extend(tail.error_ratio, window);
        self.latency.extend(tail.latency, window);
        self.saturation.extend(tail.saturation, window);
        self.buckets.extend(tail.buckets, window);
        self.queries = tail.queries;
        self.unknown = tail.unknown;
    }
}

/// The expression of a signal of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalQuery {
    pub signal: Signal,
    /// Its PromQL expression.
    pub query: Text,
}
