//! An account's open positions and pending orders, and the actions that change them.
//!
//! Master and followers use the same types. In a follower's book the identifier is that of the master's position or order which
//! it copies (in a terminal it stands in the comment), the symbol and the volume are the follower's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Decimal;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Buy,
    Sell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    BuyStop,
    SellStop,
}

/// A stop loss or take profit of 0 means none, as in the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// POSITION_IDENTIFIER: never changes in the position's life; that of the pending order which opened it, if one did.
    pub id: u64,
    pub symbol: String,
    pub side: Side,
    pub volume: Decimal,
    pub open_price: Decimal,
    pub stop_loss: Decimal,
    pub take_profit: Decimal,
    /// Market time in UNIX seconds.
    pub time: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingOrder {
    pub id: u64,
    pub symbol: String,
    pub kind: OrderKind,
    pub volume: Decimal,
    pub price: Decimal,
    pub stop_loss: Decimal,
    pub take_profit: Decimal,
    pub time: i64,
}

/// One trade request, as executed on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    Open {
        position: Position,
    },
    /// Adds to an open position (netting accounts only).
    Increase {
        id: u64,
        volume: Decimal,
    },
    /// Closes a part.
    Reduce {
        id: u64,
        volume: Decimal,
    },
    Close {
        id: u64,
    },
    ModifyPosition {
        id: u64,
        stop_loss: Decimal,
        take_profit: Decimal,
    },
    Place {
        order: PendingOrder,
    },
    ModifyOrder {
        id: u64,
        price: Decimal,
        stop_loss: Decimal,
        take_profit: Decimal,
    },
    Remove {
        id: u64,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Book {
    pub positions: BTreeMap<u64, Position>,
    pub orders: BTreeMap<u64, PendingOrder>,
}

impl Book {
    pub fn apply(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Open { position } => {
                // A second opening is what a hedging account would do as well: it holds the volume twice.
                self.positions
                    .entry(position.id)
                    .and_modify(|open| open.volume = open.volume.plus(position.volume))
                    .or_insert_with(|| position.clone());
            }
            Action::Increase { id, volume } => {
                let open = self.position(*id)?;
                open.volume = open.volume.plus(*volume);
            }
            Action::Reduce { id, volume } => {
                let open = self.position(*id)?;
                if *volume >= open.volume {
                    return Err(format!("{volume} can't be part of position {id}, which has {}", open.volume));
                }
                open.volume = open.volume.minus(*volume);
            }
            Action::Close { id } => {
                self.position(*id)?;
                self.positions.remove(id);
            }
            Action::ModifyPosition { id, stop_loss, take_profit } => {
                let open = self.position(*id)?;
                (open.stop_loss, open.take_profit) = (*stop_loss, *take_profit);
            }
            Action::Place { order } => {
                self.orders.insert(order.id, order.clone());
            }
            Action::ModifyOrder { id, price, stop_loss, take_profit } => {
                let order = self.order(*id)?;
                (order.price, order.stop_loss, order.take_profit) = (*price, *stop_loss, *take_profit);
            }
            Action::Remove { id } => {
                self.order(*id)?;
                self.orders.remove(id);
            }
        }
        Ok(())
    }

    fn position(&mut self, id: u64) -> Result<&mut Position, String> {
        self.positions.get_mut(&id).ok_or_else(|| format!("position {id} is not open"))
    }

    fn order(&mut self, id: u64) -> Result<&mut PendingOrder, String> {
        self.orders.get_mut(&id).ok_or_else(|| format!("pending order {id} is not placed"))
    }
}

/// The master's message: everything that a follower needs to know, whatever it has or hasn't heard before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Names the master's run, so that sequence numbers of different runs are never compared.
    pub run: String,
    pub seq: u64,
    /// UNIX microseconds, read just before the publish call.
    pub sent_us: i64,
    pub positions: Vec<Position>,
    pub orders: Vec<PendingOrder>,
}

impl State {
    pub fn book(&self) -> Book {
        Book {
            positions: self.positions.iter().map(|p| (p.id, p.clone())).collect(),
            orders: self.orders.iter().map(|o| (o.id, o.clone())).collect(),
        }
    }
}

#[cfg(test)]
pub mod sample {
    use super::*;

    pub fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    pub fn position(id: u64, volume: &str) -> Position {
        Position {
            id,
            symbol: "EURUSD".into(),
            side: Side::Buy,
            volume: dec(volume),
            open_price: dec("1.07219"),
            stop_loss: dec("1.069"),
            take_profit: Decimal::ZERO,
            time: 1_492_592_400,
        }
    }

    pub fn order(id: u64, volume: &str) -> PendingOrder {
        PendingOrder {
            id,
            symbol: "EURUSD".into(),
            kind: OrderKind::SellStop,
            volume: dec(volume),
            price: dec("1.06"),
            stop_loss: dec("1.063"),
            take_profit: dec("1.05"),
            time: 1_492_592_400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::*;
    use super::*;

    #[test]
    fn actions_change_the_book_and_impossible_ones_are_refused() {
        let mut book = Book::default();
        book.apply(&Action::Open { position: position(1, "0.5") }).unwrap();
        book.apply(&Action::Reduce { id: 1, volume: dec("0.2") }).unwrap();
        assert_eq!(book.positions[&1].volume, dec("0.3"));
        assert!(book.apply(&Action::Reduce { id: 1, volume: dec("0.3") }).is_err());
        book.apply(&Action::Open { position: position(1, "0.5") }).unwrap();
        assert_eq!(book.positions[&1].volume, dec("0.8"), "a doubled opening doubles the exposure");
        book.apply(&Action::Close { id: 1 }).unwrap();
        assert!(book.apply(&Action::Close { id: 1 }).is_err());
        assert!(book.apply(&Action::Remove { id: 9 }).is_err());
        assert_eq!(book, Book::default());
    }

    #[test]
    fn a_state_survives_json() {
        let state = State {
            run: "r1".into(),
            seq: 7,
            sent_us: 1_700_000_000_000_001,
            positions: vec![position(3, "0.29")],
            orders: vec![order(4, "1")],
        };
        let json = serde_json::to_vec(&state).unwrap();
        assert_eq!(serde_json::from_slice::<State>(&json).unwrap(), state);
    }
}
