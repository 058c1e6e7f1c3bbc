//! Which services call which others, as the configuration says it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::labels::Text;

/// The services that each service calls.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dependencies(BTreeMap<Text, Vec<Text>>);

impl<S: AsRef<str>, L: IntoIterator<Item = S>> FromIterator<(S, L)> for Dependencies {
    fn from_iter<I: IntoIterator<Item = (S, L)>>(all: I) -> Self {
        let one = |(caller, called): (S, L)| {
            (Text::from(caller.as_ref()), called.into_iter().map(|name| Text::from(name.as_ref())).collect())
        };
        Self(all.into_iter().map(one).collect())
    }
}

impl Dependencies {
    /// The services that this one calls, in the order of the configuration.
    pub fn of(&self, service: &str) -> &[Text] {
        self.0.get(service).map_or(&[], Vec::as_slice)
    }

    /// The services that call this one, sorted.
    pub fn callers_of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = &'a Text> + 'a {
        let calls = move |(_, called): &(&Text, &Vec<Text>)| called.iter().any(|name| **name == *service);
        self.0.iter().filter(calls).map(|(caller, _)| caller)
    }

    /// All names, sorted, each once.
    pub fn names(&self) -> BTreeSet<&Text> {
        self.0.keys().chain(self.0.values().flatten()).collect()
    }

    /// The services that call themselves through others, each as the path back to its beginning: `a`, `b`, `a`. Each service is in one
    /// path at most, the shortest from the first service of a circle by name. A service that calls itself directly is no circle.
    pub fn circles(&self) -> Vec<Vec<Text>> {
        let mut circles: Vec<Vec<Text>> = Vec::new();
        for start in self.0.keys() {
            let Some(circle) = self.path_back_to(start) else { continue };
            if !circles.iter().flatten().any(|known| circle.contains(known)) {
                circles.push(circle);
            }
        }
        circles
    }

    /// The shortest path from a service through others back to it.
    fn path_back_to(&self, start: &Text) -> Option<Vec<Text>> {
        let mut came_from: BTreeMap<&Text, &Text> = BTreeMap::new();
        let mut next: VecDeque<&Text> = VecDeque::from([start]);
        while let Some(at) = next.pop_front() {
            for called in self.of(at).iter().filter(|called| *called != at) {
                if called == start {
                    let mut path = vec![start.clone(), at.clone()];
                    let mut step = at;
                    while let Some(from) = came_from.get(step) {
                        path.push((*from).clone());
                        step = from;
                    }
                    path.reverse();
                    return Some(path);
                }
                if !came_from.contains_key(called) {
                    came_from.insert(called, at);
                    next.push_back(called);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dependencies(all: &[(&str, &[&str])]) -> Dependencies {
        all.iter().map(|(caller, called)| (*caller, called.to_vec())).collect()
    }

    fn circles(all: &[(&str, &[&str])]) -> Vec<String> {
        dependencies(all).circles().iter().map(|circle| circle.join(" ")).collect()
    }

    #[test]
    fn both_directions_are_known() {
        let all = dependencies(&[("shop", &["pay", "cart"]), ("web", &["shop", "cart"])]);
        let names = |names: &[Text]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(all.of("shop")), ["pay", "cart"]);
        assert_eq!(names(all.of("pay")), [""; 0]);
        assert_eq!(all.callers_of("cart").map(|name| &**name).collect::<Vec<_>>(), ["shop", "web"]);
        assert_eq!(all.names().len(), 4);
    }

    #[test]
    fn a_circle_is_told_once_by_its_shortest_path() {
        assert_eq!(circles(&[("a", &["b"]), ("b", &["c"])]), [""; 0]);
        assert_eq!(circles(&[("a", &["b"]), ("b", &["a"])]), ["a b a"]);
        assert_eq!(circles(&[("a", &["b"]), ("b", &["c"]), ("c", &["a", "b"])]), ["a b c a"]);
        // two circles, and a service that only leads to one
        let two: &[(&str, &[&str])] =
            &[("0", &["a"]), ("a", &["b"]), ("b", &["a"]), ("y", &["z"]), ("z", &["y"])];
        assert_eq!(circles(two), ["a b a", "y z y"]);
        assert_eq!(circles(&[("a", &["a"])]), [""; 0]);
        // many ways to the same service are none
        assert_eq!(circles(&[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"])]), [""; 0]);
    }

    proptest! {
        #[test]
        fn a_circle_is_a_path_of_calls_and_without_one_there_is_an_order(
            calls in prop::collection::vec((0..8_u8, 0..8_u8), 0..24),
        ) {
            let mut by_caller: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (caller, called) in calls {
                by_caller.entry(caller.to_string()).or_default().push(called.to_string());
            }
            let all: Dependencies = by_caller.into_iter().collect();
            let circles = all.circles();
            for circle in &circles {
                prop_assert!(circle.len() >= 3 && circle.first() == circle.last());
                prop_assert!(circle.windows(2).all(|pair| all.of(&pair[0]).contains(&pair[1])));
            }
            // services without open calls can be taken away one after the other exactly if there is no circle
            let mut left: BTreeSet<Text> = all.names().into_iter().cloned().collect();
            while let Some(free) =
                left.iter().find(|name| all.of(name).iter().all(|called| called == *name || !left.contains(called))).cloned()
            {
                left.remove(&free);
            }
            prop_assert_eq!(left.is_empty(), circles.is_empty());
        }
    }
}
