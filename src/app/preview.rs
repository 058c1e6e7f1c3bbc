//! Which item the preview beside a list shows: it follows the cursor after a short rest.

use std::time::Duration;

use super::event::Effect;
use super::place::Place;

/// How long the cursor rests on an item before the preview shows it.
const REST: Duration = Duration::from_millis(150);

/// What the preview shows, and what it will show when the cursor has rested.
#[derive(Debug, Default)]
pub struct Preview {
    /// Whether the user has switched it on.
    pub is_on: bool,
    pub(super) shown: Option<Place>,
    /// The row under the cursor, while the cursor has not rested on it.
    next: Option<PreviewTarget>,
    /// The number of moves so far, which identifies the last one.
    moves: u64,
}

/// A row of a list.
#[derive(Debug, PartialEq, Eq)]
struct PreviewTarget {
    /// Its item; none on the heading of a group.
    item: Option<Place>,
}

impl Preview {
    /// Notes the item under the cursor. The first item is shown at once, any other after the effect's delay.
    pub fn follow(&mut self, target: Option<Place>) -> Option<Effect> {
        if target == self.shown {
            self.next = None;
            return None;
        }
        if self.shown.is_none() {
            (self.shown, self.next) = (target, None);
            return None;
        }
        let target = PreviewTarget { item: target };
        if self.next.as_ref() == Some(&target) {
            return None;
        }
        (self.next, self.moves) = (Some(target), self.moves + 1);
        Some(Effect::Wake { after: REST, move_number: self.moves })
    }

    /// The cursor has rested since this move, unless it has moved again. Returns whether another item is shown now.
    pub fn rested(&mut self, move_number: u64) -> bool {
        match self.next.take_if(|_| self.moves == move_number) {
            Some(next) => {
                self.shown = next.item;
                true
            }
            None => false,
        }
    }

    /// The last move, while the cursor has not rested since.
    pub fn pending_move(&self) -> Option<u64> {
        self.next.as_ref().map(|_| self.moves)
    }

    /// Shows nothing, until an item is under the cursor of another list.
    pub fn clear(&mut self) {
        (self.shown, self.next) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str) -> Place {
        Place::Service(name.into())
    }

    #[test]
    fn the_first_item_is_shown_at_once_and_another_one_after_a_rest() {
        let mut preview = Preview::default();
        assert_eq!(preview.follow(Some(service("a"))), None);
        assert_eq!(preview.shown, Some(service("a")));
        assert_eq!(preview.follow(Some(service("b"))), Some(Effect::Wake { after: REST, move_number: 1 }));
        assert_eq!(preview.shown, Some(service("a")), "not before the cursor has rested");
        assert_eq!(preview.follow(Some(service("b"))), None, "waited for once");
        assert!(preview.rested(1));
        assert_eq!(preview.shown, Some(service("b")));
    }

    #[test]
    fn while_the_cursor_moves_only_its_last_item_is_shown() {
        let mut preview = Preview::default();
        preview.follow(Some(service("a")));
        preview.follow(Some(service("b")));
        preview.follow(Some(service("c")));
        assert!(!preview.rested(1), "the cursor has moved since");
        assert!(preview.rested(2));
        assert_eq!(preview.shown, Some(service("c")));
        // there and back within the rest
        preview.follow(Some(service("d")));
        preview.follow(Some(service("c")));
        assert!(!preview.rested(3));
        // onto the heading of a group
        preview.follow(None);
        assert!(preview.rested(4));
        assert_eq!(preview.shown, None);
    }
}
