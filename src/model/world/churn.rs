//! Detects services that a source has stopped reporting: one lost service is shown as such, but many at once point to a problem
//! of the source.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::labels::Text;
use crate::model::service::ServiceReading;

use super::LOST_SERVICES_KEPT;

/// Services that disappear within this time count as lost together: the series of several targets do not end in the same second.
const LOSS_INTERVAL: SignedDuration = SignedDuration::from_mins(10);
/// How long a warning about a partial loss is shown.
const PARTIAL_LOSS_SHOWN: SignedDuration = SignedDuration::from_hours(1);
/// The fewest lost services that count as many.
const MIN_LOST_SERVICES: usize = 3;

/// Which services of one source appeared and disappeared recently.
#[derive(Debug, Default)]
pub(super) struct ServiceChurn {
    gone: BTreeMap<Text, Timestamp>,
    came: BTreeMap<Text, Timestamp>,
    /// How many services the source reports now.
    present: usize,
}

/// Many services that disappeared together.
pub(super) struct MassDisappearance {
    pub(super) gone: usize,
    pub(super) of: usize,
    pub(super) came: usize,
    pub(super) at: Timestamp,
}

impl ServiceChurn {
    /// Compares the services of the new answer with those of the previous one; both sorted by name.
    pub(super) fn follow(
        &mut self,
        before: Option<&[ServiceReading]>,
        readings: &[ServiceReading],
        now: Timestamp,
    ) {
        self.gone.retain(|_, at| now.duration_since(*at) < LOST_SERVICES_KEPT);
        self.came.retain(|_, at| now.duration_since(*at) < PARTIAL_LOSS_SHOWN);
        let mut left = readings.iter().map(|reading| &reading.name).peekable();
        for old in before.unwrap_or_default() {
            while let Some(new) = left.next_if(|new| **new < old.name) {
                self.came.insert(new.clone(), now);
            }
            if left.next_if(|new| **new == old.name).is_none() {
                self.gone.insert(old.name.clone(), now);
                self.came.remove(&old.name);
            }
        }
        if before.is_some() {
            self.came.extend(left.map(|new| (new.clone(), now)));
        }
        if !self.gone.is_empty() {
            for reading in readings {
                if self.gone.remove(&reading.name).is_some() {
                    self.came.remove(&reading.name);
                }
            }
        }
        self.present = readings.len();
    }

    /// The last loss of many services, or of all.
    pub(super) fn loss(&self, now: Timestamp) -> Option<MassDisappearance> {
        let last = *self.gone.values().max()?;
        let together = |at: &&Timestamp| last.duration_since(**at).abs() < LOSS_INTERVAL;
        let gone = self.gone.values().filter(together).count();
        let at = self.gone.values().filter(together).min().copied().unwrap_or(last);
        let came = self.came.values().filter(together).count();
        let of = gone + self.present.saturating_sub(came);
        let is_many =
            gone >= MIN_LOST_SERVICES && 2 * gone >= of && now.duration_since(last) < PARTIAL_LOSS_SHOWN;
        (self.present == 0 || is_many).then_some(MassDisappearance { gone, of, came, at })
    }

    /// Whether a service disappeared in a renaming: many services were lost and about as many new ones appeared.
    pub(super) fn was_renamed(&self, name: &Text, now: Timestamp) -> bool {
        self.gone.contains_key(name) && self.loss(now).is_some_and(|loss| loss.is_renaming())
    }
}

impl MassDisappearance {
    /// Whether as many new services came as went, as when a rule or a relabelling calls them otherwise.
    pub(super) fn is_renaming(&self) -> bool {
        self.came > 0 && 5 * self.came >= 4 * self.gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn readings(names: &[&str]) -> Vec<ServiceReading> {
        names
            .iter()
            .map(|name| ServiceReading { name: (*name).into(), ..ServiceReading::default() })
            .collect()
    }

    /// Applies each answer at its time; returns the numbers of the loss after the last one: gone, of, came.
    fn followed(answers: &[(&[&str], i64)]) -> (ServiceChurn, Option<(usize, usize, usize)>) {
        let mut lost = ServiceChurn::default();
        let mut before: Option<Vec<ServiceReading>> = None;
        for (names, second) in answers {
            let readings = readings(names);
            lost.follow(before.as_deref(), &readings, at(*second));
            before = Some(readings);
        }
        let end = at(answers.last().unwrap().1);
        let readings = lost.loss(end).map(|loss| (loss.gone, loss.of, loss.came));
        (lost, readings)
    }

    #[test]
    fn one_service_that_goes_is_no_news_of_its_source_and_many_or_all_are() {
        let all: &[&str] = &["a", "b", "c", "d"];
        for (then, expected) in [
            (&["a", "b", "c"][..], None),
            (&["a", "b"], None),
            (&["a"], Some((3, 4, 0))),
            (&[], Some((4, 4, 0))),
            (&["a", "x", "y", "z"], Some((3, 4, 3))),
        ] {
            assert_eq!(followed(&[(all, 0), (then, 10)]).1, expected, "{then:?}");
        }
        assert_eq!(followed(&[(&["a"], 0), (&[], 10)]).1, Some((1, 1, 0)), "the last one is all");
        assert_eq!(followed(&[(&[], 0)]).1, None);
    }

    #[test]
    fn series_that_end_one_after_the_other_are_lost_together_and_what_comes_back_is_not_lost() {
        let slowly: &[(&[&str], i64)] = &[(&["a", "b", "c"], 0), (&["b", "c"], 10), (&["c"], 20), (&[], 30)];
        assert_eq!(followed(slowly).1, Some((3, 3, 0)));
        let back: &[(&[&str], i64)] = &[(&["a", "b", "c"], 0), (&[], 10), (&["a", "b", "c"], 40)];
        assert_eq!(followed(back).1, None);
        // while there are no services the warning stays, a partial loss is shown for an hour
        let (lost, _) = followed(&[(&["a", "b", "c"], 0), (&[], 10)]);
        assert!(lost.loss(at(10 + 7200)).is_some());
        let (lost, _) = followed(&[(&["a", "b", "c", "d"], 0), (&["a"], 10)]);
        assert!(lost.loss(at(10 + 7200)).is_none());
    }
}
