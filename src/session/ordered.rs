//! A map by Packet Identifier (or another number of that kind) that remembers the order of insertion. Everything is O(1),
//! amortised.

use crate::codec::PacketId;
use rustc_hash::FxHashMap;
use std::collections::VecDeque;

#[derive(Debug)]
pub(super) struct Ordered<T> {
    slots: VecDeque<Option<(PacketId, T)>>,
    /// The number of the first slot; slots are numbered through.
    first: u64,
    index: FxHashMap<PacketId, u64>,
}

impl<T> Ordered<T> {
    pub fn new() -> Self {
        Ordered { slots: VecDeque::new(), first: 0, index: FxHashMap::default() }
    }

    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn contains(&self, id: PacketId) -> bool {
        self.index.contains_key(&id)
    }

    /// Adds at the end. The identifier must not be in use.
    pub fn insert(&mut self, id: PacketId, value: T) {
        let number = self.first + self.slots.len() as u64;
        let previous = self.index.insert(id, number);
        debug_assert!(previous.is_none(), "Packet Identifier {id} is in use");
        self.slots.push_back(Some((id, value)));
    }

    pub fn get(&self, id: PacketId) -> Option<&T> {
        let number = *self.index.get(&id)?;
        self.slots[(number - self.first) as usize].as_ref().map(|(_, value)| value)
    }

    pub fn get_mut(&mut self, id: PacketId) -> Option<&mut T> {
        let number = *self.index.get(&id)?;
        self.slots[(number - self.first) as usize].as_mut().map(|(_, value)| value)
    }

    pub fn remove(&mut self, id: PacketId) -> Option<T> {
        let number = self.index.remove(&id)?;
        let value = self.slots[(number - self.first) as usize].take().map(|(_, value)| value);
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.first += 1;
        }
        // One entry that is never answered must not keep the empty slots of all later ones.
        if self.slots.len() > 64 && self.slots.len() > 4 * self.index.len() {
            self.compact();
        }
        value
    }

    fn compact(&mut self) {
        self.slots.retain(Option::is_some);
        for (position, slot) in self.slots.iter().enumerate() {
            if let Some((id, _)) = slot {
                self.index.insert(*id, self.first + position as u64);
            }
        }
    }

    /// The entry that was inserted before all others.
    pub fn first(&self) -> Option<(PacketId, &T)> {
        // `remove` leaves no empty slot in front.
        self.slots.front().and_then(Option::as_ref).map(|(id, value)| (*id, value))
    }

    /// The entry that was inserted last, unless it was removed.
    pub fn last(&self) -> Option<(PacketId, &T)> {
        self.slots.back().and_then(Option::as_ref).map(|(id, value)| (*id, value))
    }

    /// All entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (PacketId, &T)> {
        self.slots.iter().flatten().map(|(id, value)| (*id, value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (PacketId, &mut T)> {
        self.slots.iter_mut().flatten().map(|(id, value)| (*id, value))
    }

    /// Takes all entries out, in their order.
    pub fn drain(&mut self) -> impl Iterator<Item = (PacketId, T)> + use<T> {
        self.index.clear();
        std::mem::take(&mut self.slots).into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[test]
    fn order_survives_removal_in_any_order() {
        let mut map = Ordered::new();
        for number in 1..=5 {
            map.insert(id(number), number * 10);
        }
        assert_eq!(map.remove(id(3)), Some(30));
        assert_eq!(map.remove(id(1)), Some(10));
        assert_eq!(map.remove(id(1)), None);
        map.insert(id(1), 11);
        assert_eq!(map.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [20, 40, 50, 11]);
        assert_eq!((map.get(id(4)), map.get(id(3)), map.len()), (Some(&40), None, 4));
    }

    #[test]
    fn one_entry_that_stays_keeps_no_room_for_the_others() {
        let mut map = Ordered::new();
        map.insert(id(1), 0u32);
        for round in 0..100_000u32 {
            let other = id(2 + (round % 60_000) as u16);
            map.insert(other, round);
            assert_eq!(map.remove(other), Some(round));
        }
        assert!(map.slots.len() <= 65, "{}", map.slots.len());
        assert_eq!(map.get(id(1)), Some(&0));
    }

    #[test]
    fn entries_that_move_together_are_still_found() {
        let mut map = Ordered::new();
        let stay = [1, 201, 202];
        (1..=202).for_each(|number| map.insert(id(number), number));
        for number in 2..=200 {
            assert_eq!(map.remove(id(number)), Some(number));
        }
        assert!(map.slots.len() <= 65, "{}", map.slots.len());
        map.insert(id(2), 2);
        assert!(stay.iter().all(|number| map.get(id(*number)) == Some(number)));
        assert_eq!(map.remove(id(201)), Some(201));
        assert_eq!(map.drain().map(|entry| entry.1).collect::<Vec<_>>(), [1, 202, 2]);
        // It is as good as new.
        map.insert(id(7), 7);
        assert_eq!((map.get(id(7)), map.get(id(1)), map.len()), (Some(&7), None, 1));
    }
}
