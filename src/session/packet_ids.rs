//! Packet Identifiers 1 to 65,535 (section 2.2.1): which are in use.
//!
//! They are given out in turn, so that an identifier rests as long as possible before it is used again.

use crate::codec::PacketId;

const WORDS: usize = 65_536 / 64;

#[derive(Debug)]
pub(super) struct PacketIds {
    used: Box<[u64; WORDS]>,
    in_use: usize,
    last: u16,
}

impl PacketIds {
    pub fn new() -> Self {
        let mut used = Box::new([0; WORDS]);
        // 0 is no Packet Identifier.
        used[0] = 1;
        PacketIds { used, in_use: 0, last: 0 }
    }

    /// An identifier that is not in use \[MQTT-2.2.1-3\], or `None` when all are.
    pub fn allocate(&mut self) -> Option<PacketId> {
        if self.in_use == usize::from(u16::MAX) {
            return None;
        }
        let start = self.last.wrapping_add(1);
        let mut word = usize::from(start) / 64;
        // In the first word only what lies at or behind the start counts; after a full turn all of it does.
        let mut free = !self.used[word] & (u64::MAX << (start % 64));
        while free == 0 {
            word = (word + 1) % WORDS;
            free = !self.used[word];
        }
        let id = (word * 64) as u16 + free.trailing_zeros() as u16;
        self.used[word] |= free & free.wrapping_neg();
        self.in_use += 1;
        self.last = id;
        PacketId::new(id)
    }

    /// Takes an identifier that an earlier process had in use. False if it is taken already.
    pub fn claim(&mut self, id: PacketId) -> bool {
        let (word, bit) = (usize::from(id.get()) / 64, 1 << (id.get() % 64));
        let free = self.used[word] & bit == 0;
        self.used[word] |= bit;
        self.in_use += usize::from(free);
        self.last = id.get();
        free
    }

    /// Has an identifier not be given out until it is released. False if it is in use.
    pub fn keep_away(&mut self, id: PacketId) -> bool {
        let last = self.last;
        let free = self.claim(id);
        self.last = last;
        free
    }

    pub fn release(&mut self, id: PacketId) {
        let (word, bit) = (usize::from(id.get()) / 64, 1 << (id.get() % 64));
        debug_assert!(self.used[word] & bit != 0, "Packet Identifier {id} was not in use");
        self.used[word] &= !bit;
        self.in_use -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_never_given_out_twice_and_never_zero() {
        // MQTT-2.2.1-3, MQTT311-2.3.1-1, MQTT311-2.3.1-2
        let mut ids = PacketIds::new();
        let all: Vec<u16> = std::iter::from_fn(|| ids.allocate()).map(PacketId::get).collect();
        assert_eq!(all, (1..=65_535).collect::<Vec<_>>());
        ids.release(PacketId::new(40_000).unwrap());
        assert_eq!(ids.allocate().map(PacketId::get), Some(40_000));
        assert_eq!(ids.allocate(), None);
    }

    #[test]
    fn identifiers_are_given_out_in_turn() {
        let mut ids = PacketIds::new();
        for expected in (1..=65_535).chain(1..=10) {
            let id = ids.allocate().unwrap();
            assert_eq!(id.get(), expected);
            ids.release(id);
        }
    }

    #[test]
    fn what_others_have_in_use_is_not_given_out() {
        // MQTT-2.2.1-3, MQTT-4.4.0-1
        let mut ids = PacketIds::new();
        let id = |number| PacketId::new(number).unwrap();
        assert!(ids.claim(id(7)) && !ids.claim(id(7)));
        assert_eq!(ids.allocate(), Some(id(8)), "those of an earlier process rest, too");
        assert!(ids.keep_away(id(3)) && !ids.keep_away(id(7)));
        assert_eq!(ids.allocate(), Some(id(9)), "the turn doesn't go back");
        assert_eq!(std::iter::from_fn(|| ids.allocate()).count(), 65_535 - 4);
        ids.release(id(3));
        assert_eq!((ids.allocate(), ids.allocate()), (Some(id(3)), None));
    }
}
