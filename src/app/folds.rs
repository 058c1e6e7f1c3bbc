//! Groups of a list that are folded away, by what they have in common.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use super::list::List;

/// The groups that are folded away.
#[derive(Debug)]
pub struct Folds<G>(BTreeSet<G>);

impl<G> Default for Folds<G> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<G: Ord> Folds<G> {
    /// Whether this group is.
    pub fn contains(&self, group: &G) -> bool {
        self.0.contains(group)
    }

    /// Folds or unfolds a group; the cursor of the list goes to the head of a folded one.
    pub fn fold<R: Clone + Ord>(&mut self, group: G, head: &R, fold: bool, list: &mut List<R>) {
        if !fold {
            self.0.remove(&group);
            return;
        }
        if let Some(at) = list.rows().iter().position(|row| row == head) {
            list.move_to(at);
        }
        self.0.insert(group);
    }
}

/// Rows by their group; groups come in the order of their first rows.
pub fn grouped<R, G: Clone + Eq + Hash>(rows: Vec<R>, group_of: impl Fn(&R) -> G) -> Vec<(G, Vec<R>)> {
    let mut at: HashMap<G, usize> = HashMap::new();
    let mut grouped: Vec<(G, Vec<R>)> = Vec::new();
    for row in rows {
        let group = group_of(&row);
        let place = *at.entry(group.clone()).or_insert_with(|| {
            grouped.push((group, Vec::new()));
            grouped.len() - 1
        });
        if let Some((_, members)) = grouped.get_mut(place) {
            members.push(row);
        }
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_goes_to_the_head_of_what_is_folded_and_stays_when_it_is_unfolded() {
        let (mut folds, mut list) = (Folds::default(), List::default());
        list.set_rows(vec!["head", "one", "two"]);
        list.move_to(2);
        folds.fold("group", &"head", true, &mut list);
        assert_eq!((folds.contains(&"group"), list.index()), (true, 0));
        list.move_to(1);
        folds.fold("group", &"head", false, &mut list);
        assert_eq!((folds.contains(&"group"), list.index()), (false, 1));
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_rows() {
        let groups = grouped(vec!["mail 2", "cart 1", "mail 1"], |row| row.split(' ').next());
        assert_eq!(groups, [(Some("mail"), vec!["mail 2", "mail 1"]), (Some("cart"), vec!["cart 1"])]);
    }
}
