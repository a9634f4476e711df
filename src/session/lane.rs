//! A queue whose entries are numbered upwards, and can be found and removed by their number. First and last are O(1), the
//! rest is O(log n), amortised.

use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Lane<T> {
    /// Sorted by number. What was removed from the middle leaves its place empty; the ends are never empty.
    slots: VecDeque<(u64, Option<T>)>,
    live: usize,
}

impl<T> Lane<T> {
    pub const fn new() -> Self {
        Lane { slots: VecDeque::new(), live: 0 }
    }

    pub fn first(&self) -> Option<u64> {
        self.slots.front().map(|slot| slot.0)
    }

    pub fn last(&self) -> Option<u64> {
        self.slots.back().map(|slot| slot.0)
    }

    /// Adds an entry. New ones have the highest number, which is O(1).
    pub fn insert(&mut self, number: u64, value: T) -> &T {
        self.live += 1;
        let place = if self.last().is_none_or(|last| last < number) {
            self.slots.len()
        } else {
            self.slots.partition_point(|slot| slot.0 < number)
        };
        match self.slots.get_mut(place) {
            Some(slot) if slot.0 == number => {
                debug_assert!(slot.1.is_none(), "number {number} is in use");
                slot.1 = Some(value);
            }
            _ => self.slots.insert(place, (number, Some(value))),
        }
        self.slots[place].1.as_ref().expect("just put there")
    }

    /// All entries in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.slots.iter().filter_map(|(number, value)| Some((*number, value.as_ref()?)))
    }

    pub fn remove(&mut self, number: u64) -> Option<T> {
        // Most leave in their order.
        let place = match self.first() {
            Some(first) if first == number => 0,
            _ => self.slots.binary_search_by_key(&number, |slot| slot.0).ok()?,
        };
        let value = self.slots[place].1.take()?;
        self.live -= 1;
        while self.slots.front().is_some_and(|slot| slot.1.is_none()) {
            self.slots.pop_front();
        }
        while self.slots.back().is_some_and(|slot| slot.1.is_none()) {
            self.slots.pop_back();
        }
        // Two entries that stay must not keep the empty places of all that lay between them.
        if self.slots.len() > 64 && self.slots.len() > 4 * self.live {
            self.slots.retain(|slot| slot.1.is_some());
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_in_the_order_of_their_numbers_whatever_was_removed() {
        let mut lane = Lane::new();
        for number in [5, 7, 9, 11] {
            lane.insert(number, number * 10);
        }
        assert_eq!((lane.remove(7), lane.remove(7), lane.remove(6)), (Some(70), None, None));
        lane.insert(3, 30);
        lane.insert(8, 80);
        lane.insert(7, 71);
        assert_eq!((lane.first(), lane.last()), (Some(3), Some(11)));
        assert_eq!((lane.remove(11), lane.remove(9), lane.last()), (Some(110), Some(90), Some(8)));
        let in_order: Vec<_> = std::iter::from_fn(|| lane.remove(lane.first()?)).collect();
        assert_eq!(in_order, [30, 50, 71, 80]);
    }

    #[test]
    fn two_entries_that_stay_keep_no_room_for_the_others() {
        let mut lane = Lane::new();
        lane.insert(0, 0);
        lane.insert(1_000_000, 0);
        for number in 1..1000 {
            lane.insert(number, number);
        }
        for number in 1..1000 {
            assert_eq!(lane.remove(number), Some(number));
        }
        assert!(lane.slots.len() <= 65, "{}", lane.slots.len());
    }
}
