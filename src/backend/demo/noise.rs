//! Pseudo-random numbers that are functions of their arguments, and the model of latencies.

/// Mixes two numbers into a pseudo-random one (the finaliser of `SplitMix64`).
pub(super) fn mix(seed: u64, salt: u64) -> u64 {
    let mut z = seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// [`mix`] over the bytes of a text.
pub(super) fn mix_text(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed, |sum, byte| mix(sum, u64::from(byte)))
}

/// A number from 0 to 1.
pub(super) fn unit(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// The integer part of `x`, rounded down, and the remainder.
pub(super) fn floor(x: f64) -> (i64, f64) {
    let whole = x.floor();
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and times are far from the ends")]
    let count = whole as i64;
    (count, x - whole)
}

/// Smooth pseudo-random noise from -1 to 1, a sum of slow and fast waves.
pub(super) fn smooth_noise(key: u64, t: f64) -> f64 {
    [(15.0, 0.4), (120.0, 0.35), (1800.0, 0.25)]
        .into_iter()
        .enumerate()
        .map(|(part, (period, weight))| {
            let (bucket, x) = floor(t / period);
            let key = mix(key, part as u64);
            let at = |bucket: i64| 2.0 * unit(mix(key, bucket.cast_unsigned())) - 1.0;
            let (from, to) = (at(bucket), at(bucket.wrapping_add(1)));
            weight * (from + (to - from) * x * x * (3.0 - 2.0 * x))
        })
        .sum()
}

/// The factor of the request rate at this time of day; demo time 0 is half past ten in the morning.
pub(super) fn day(t: f64, hours_behind: f64) -> f64 {
    let hour = t / 3600.0 + 10.5 - hours_behind;
    1.0 + 0.38 * ((hour - 9.0) * std::f64::consts::TAU / 24.0).sin()
}

/// A share of the requests, and the number of standard deviations of that quantile in a normal distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Quantile {
    share: f64,
    deviations: f64,
}

#[cfg(test)]
const P50: Quantile = Quantile { share: 0.5, deviations: 0.0 };
pub(super) const P95: Quantile = Quantile { share: 0.95, deviations: 1.644_853_627 };
#[cfg(test)]
const P99: Quantile = Quantile { share: 0.99, deviations: 2.326_347_874 };

/// A model of latencies: a lognormal distribution, and a share of requests that hang until a time-out.
#[derive(Debug, Clone, Copy)]
pub(super) struct LatencyModel {
    /// The median of the lognormal part, in seconds.
    pub(super) median: f64,
    /// The sigma of the lognormal part.
    pub(super) tail: f64,
    /// The share of requests that hang, 0 to 1.
    pub(super) slow: f64,
}

/// The median in seconds and the sigma of requests that hang.
const HANGING: (f64, f64) = (5.0, 0.12);

impl LatencyModel {
    /// The share of requests that take at most this long.
    pub(super) fn below(&self, seconds: f64) -> f64 {
        let bulk = |median: f64, sigma: f64| normal((seconds / median).ln() / sigma);
        (1.0 - self.slow) * bulk(self.median, self.tail) + self.slow * bulk(HANGING.0, HANGING.1)
    }

    /// The mean latency in seconds.
    pub(super) fn mean(&self) -> f64 {
        let mean = |median: f64, sigma: f64| median * (sigma * sigma / 2.0).exp();
        (1.0 - self.slow) * mean(self.median, self.tail) + self.slow * mean(HANGING.0, HANGING.1)
    }

    /// The latency at this quantile, in seconds.
    pub(super) fn quantile(&self, quantile: Quantile) -> f64 {
        if self.slow <= 0.0 {
            return self.median * (quantile.deviations * self.tail).exp();
        }
        self.at_share(quantile.share)
    }

    /// The latency, in seconds, that this share of the requests does not exceed.
    pub(super) fn at_share(&self, share: f64) -> f64 {
        let (mut low, mut high) = (1e-5_f64.ln(), 120.0_f64.ln());
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if self.below(middle.exp()) < share { low = middle } else { high = middle }
        }
        high.exp()
    }
}

/// The cumulative normal distribution, by formula 26.2.17 of Abramowitz and Stegun (error below 1e-7).
fn normal(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let poly = [0.319_381_53, -0.356_563_782, 1.781_477_937, -1.821_255_978, 1.330_274_429]
        .into_iter()
        .rev()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let above = (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt() * poly;
    if x < 0.0 { above } else { 1.0 - above }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_and_the_share_below_it_are_inverses() {
        let plain = LatencyModel { median: 0.1, tail: 0.5, slow: 0.0 };
        let hanging = LatencyModel { slow: 0.06, ..plain };
        assert!((4.0..6.0).contains(&hanging.quantile(P99)));
        for quantile in [P50, P95, P99] {
            for latency in [plain, hanging] {
                assert!((latency.below(latency.quantile(quantile)) - quantile.share).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn a_wobble_stays_in_bounds_and_is_the_same_every_time() {
        for i in 0..5000 {
            let t = f64::from(i) * 7.3 - 9000.0;
            assert!(smooth_noise(7, t).abs() <= 1.0);
            assert_eq!(smooth_noise(7, t).to_bits(), smooth_noise(7, t).to_bits());
        }
        assert!(smooth_noise(7, 100.0).to_bits() != smooth_noise(8, 100.0).to_bits());
    }
}
