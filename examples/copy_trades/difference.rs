//! The actions that turn one book into another, and the differences between two in words.
//!
//! Open price and time are what an account got when it opened, not something that can be wanted; they are not compared.

use crate::book::{Action, Book, PendingOrder, Position};

/// Closing comes before opening, so that margin is free when it is needed.
pub fn actions(own: &Book, wanted: &Book) -> Vec<Action> {
    let mut closing = Vec::new();
    let mut changing = Vec::new();
    let mut opening = Vec::new();

    for (id, held) in &own.positions {
        match wanted.positions.get(id) {
            Some(want) if same_position(held, want) => {
                if want.volume < held.volume {
                    closing.push(Action::Reduce { id: *id, volume: held.volume.minus(want.volume) });
                } else if want.volume > held.volume {
                    opening.push(Action::Increase { id: *id, volume: want.volume.minus(held.volume) });
                }
                if (held.stop_loss, held.take_profit) != (want.stop_loss, want.take_profit) {
                    changing.push(Action::ModifyPosition {
                        id: *id,
                        stop_loss: want.stop_loss,
                        take_profit: want.take_profit,
                    });
                }
            }
            _ => closing.push(Action::Close { id: *id }),
        }
    }
    for (id, want) in &wanted.positions {
        if !own.positions.get(id).is_some_and(|held| same_position(held, want)) {
            opening.push(Action::Open { position: want.clone() });
        }
    }

    for (id, held) in &own.orders {
        match wanted.orders.get(id) {
            Some(want) if same_order(held, want) => {
                if (held.price, held.stop_loss, held.take_profit) != (want.price, want.stop_loss, want.take_profit) {
                    changing.push(Action::ModifyOrder {
                        id: *id,
                        price: want.price,
                        stop_loss: want.stop_loss,
                        take_profit: want.take_profit,
                    });
                }
            }
            _ => closing.push(Action::Remove { id: *id }),
        }
    }
    for (id, want) in &wanted.orders {
        if !own.orders.get(id).is_some_and(|held| same_order(held, want)) {
            opening.push(Action::Place { order: want.clone() });
        }
    }

    closing.append(&mut changing);
    closing.append(&mut opening);
    closing
}

/// The same trade, though perhaps with another volume, stop loss or take profit. What is not the same can't be modified into it.
fn same_position(held: &Position, want: &Position) -> bool {
    held.symbol == want.symbol && held.side == want.side
}

/// A pending order's volume can't be modified.
fn same_order(held: &PendingOrder, want: &PendingOrder) -> bool {
    held.symbol == want.symbol && held.kind == want.kind && held.volume == want.volume
}

/// One line for each thing in which the books differ; none when they are equal.
pub fn in_words(own: &Book, wanted: &Book) -> Vec<String> {
    actions(own, wanted)
        .into_iter()
        .map(|action| match action {
            Action::Open { position } => format!("position {} is not open", position.id),
            Action::Increase { id, volume } => format!("position {id} has {volume} too little"),
            Action::Reduce { id, volume } => format!("position {id} has {volume} too much"),
            Action::Close { id } => format!("position {id} should not be open"),
            Action::ModifyPosition { id, .. } => format!("position {id} has another stop loss or take profit"),
            Action::Place { order } => format!("pending order {} is not placed", order.id),
            Action::ModifyOrder { id, .. } => format!("pending order {id} has another price, stop loss or take profit"),
            Action::Remove { id } => format!("pending order {id} should not be placed"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Side;
    use crate::book::sample::*;

    fn book(positions: &[Position], orders: &[PendingOrder]) -> Book {
        Book {
            positions: positions.iter().map(|p| (p.id, p.clone())).collect(),
            orders: orders.iter().map(|o| (o.id, o.clone())).collect(),
        }
    }

    /// The actions, once executed, must give the wanted book, after which nothing is left to do.
    fn check(own: &Book, wanted: &Book) -> Vec<Action> {
        let found = actions(own, wanted);
        let mut after = own.clone();
        for action in &found {
            after.apply(action).unwrap();
        }
        assert_eq!(actions(&after, wanted), []);
        found
    }

    #[test]
    fn equal_books_need_nothing_even_if_filled_at_another_price() {
        let own = book(&[position(1, "0.5")], &[order(2, "0.1")]);
        let filled = Position { open_price: dec("1.08"), time: 5, ..position(1, "0.5") };
        assert_eq!(actions(&own, &book(&[filled], &[order(2, "0.1")])), []);
    }

    #[test]
    fn every_kind_of_difference() {
        let own = book(
            &[position(1, "0.5"), position(2, "0.5"), position(3, "0.5"), position(4, "0.2")],
            &[order(5, "0.1"), order(6, "0.1"), order(7, "0.1")],
        );
        let wanted = book(
            &[
                position(1, "0.3"),
                Position { take_profit: dec("1.1"), ..position(2, "0.5") },
                position(4, "0.3"),
                position(8, "1"),
            ],
            &[PendingOrder { price: dec("1.05"), ..order(5, "0.1") }, order(7, "0.2"), order(9, "0.1")],
        );
        let found = check(&own, &wanted);
        assert_eq!(found[0], Action::Reduce { id: 1, volume: dec("0.2") });
        assert_eq!(found[1], Action::Close { id: 3 });
        assert!(found.contains(&Action::Remove { id: 6 }));
        assert!(found.contains(&Action::Increase { id: 4, volume: dec("0.1") }));
        assert!(found.contains(&Action::Open { position: position(8, "1") }));
        assert_eq!(found.len(), 10, "{found:#?}");
        assert_eq!(in_words(&own, &wanted).len(), 10);
    }

    #[test]
    fn a_triggered_order_becomes_a_position_of_the_same_identifier() {
        let found = check(&book(&[], &[order(5, "0.1")]), &book(&[position(5, "0.1")], &[]));
        assert_eq!(found, [Action::Remove { id: 5 }, Action::Open { position: position(5, "0.1") }]);
    }

    #[test]
    fn a_reversed_position_is_closed_and_opened() {
        let sell = Position { side: Side::Sell, ..position(1, "0.5") };
        let found = check(&book(&[position(1, "0.5")], &[]), &book(std::slice::from_ref(&sell), &[]));
        assert_eq!(found, [Action::Close { id: 1 }, Action::Open { position: sell }]);
    }

    #[test]
    fn several_missed_partial_closes_are_one_reduction() {
        let found = check(&book(&[position(1, "1")], &[]), &book(&[position(1, "0.12")], &[]));
        assert_eq!(found, [Action::Reduce { id: 1, volume: dec("0.88") }]);
    }
}
