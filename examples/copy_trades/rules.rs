//! A follower's rules: what its book has to be, given the master's. A pure function of the complete state, so that it gives the
//! same answer however many states were missed in between.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::book::{Book, PendingOrder, Position};
use crate::decimal::Decimal;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rules {
    pub multiplier: Decimal,
    pub volume_step: Decimal,
    pub volume_minimum: Decimal,
    /// The master's symbol to the follower's. A symbol that isn't here is not copied.
    pub symbols: BTreeMap<String, String>,
}

impl Rules {
    /// The volume is scaled from what remains of the master's position, never from the part closed just now: a second partial
    /// close, or one that was missed, then needs no memory. Rounded down; below the minimum nothing is held.
    pub fn volume(&self, master: Decimal) -> Option<Decimal> {
        let volume = master.times(self.multiplier).down_to_step(self.volume_step);
        (volume >= self.volume_minimum && volume.is_positive()).then_some(volume)
    }

    pub fn wanted(&self, master: &Book) -> Book {
        Book {
            positions: master.positions.values().filter_map(|p| Some((p.id, self.position(p)?))).collect(),
            orders: master.orders.values().filter_map(|o| Some((o.id, self.order(o)?))).collect(),
        }
    }

    fn position(&self, master: &Position) -> Option<Position> {
        let (symbol, volume) = (self.symbols.get(&master.symbol)?.clone(), self.volume(master.volume)?);
        Some(Position { symbol, volume, ..master.clone() })
    }

    fn order(&self, master: &PendingOrder) -> Option<PendingOrder> {
        let (symbol, volume) = (self.symbols.get(&master.symbol)?.clone(), self.volume(master.volume)?);
        Some(PendingOrder { symbol, volume, ..master.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::sample::*;

    fn rules(multiplier: &str, step: &str, minimum: &str) -> Rules {
        Rules {
            multiplier: dec(multiplier),
            volume_step: dec(step),
            volume_minimum: dec(minimum),
            symbols: BTreeMap::from([("EURUSD".into(), "EURUSD.r".into())]),
        }
    }

    #[test]
    fn volumes_are_scaled_cut_to_the_step_and_held_above_the_minimum() {
        let half = rules("0.5", "0.01", "0.01");
        assert_eq!(half.volume(dec("0.29")), Some(dec("0.14")));
        assert_eq!(half.volume(dec("0.02")), Some(dec("0.01")));
        assert_eq!(half.volume(dec("0.01")), None);
        let twice = rules("2", "0.1", "0.1");
        assert_eq!(twice.volume(dec("0.29")), Some(dec("0.5")));
        assert_eq!(twice.volume(dec("0.05")), Some(dec("0.1")));
        assert_eq!(twice.volume(dec("0.04")), None);
        assert_eq!(rules("1", "0.01", "0.2").volume(dec("0.19")), None);
    }

    #[test]
    fn symbols_are_mapped_and_unmapped_ones_left_out() {
        let mut master = Book::default();
        master.positions.insert(1, position(1, "1"));
        master.positions.insert(2, Position { symbol: "XAUUSD".into(), ..position(2, "1") });
        master.orders.insert(3, order(3, "0.4"));
        let wanted = rules("0.5", "0.01", "0.01").wanted(&master);
        assert_eq!(wanted.positions.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(wanted.positions[&1].symbol, "EURUSD.r");
        assert_eq!(wanted.positions[&1].volume, dec("0.5"));
        assert_eq!(wanted.positions[&1].stop_loss, dec("1.069"));
        assert_eq!((wanted.orders[&3].symbol.as_str(), wanted.orders[&3].volume), ("EURUSD.r", dec("0.2")));
    }
}
