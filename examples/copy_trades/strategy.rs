//! The master's rule, made to use everything that a copier has to copy rather than to earn money. On hourly bars, each walked as
//! four ticks (open, the nearer extreme, the other extreme, close):
//!
//! - **Market orders**: when the simple moving average of 10 closes crosses that of 30, the position of the last crossing is
//!   closed and one opened in the direction of the cross, stop loss 2 and take profit 4 average ranges away.
//! - **Pending orders**: every 12 bars a buy stop above and a sell stop below the range of the last 12 bars, moved to the
//!   newer range after 4 bars and removed after 8; when one triggers, the other is removed.
//! - **Stop loss** trails the close by 1.5 average ranges, in steps of at least 3 points.
//! - **Closing in parts**: half at 1 average range of profit, half of the rest at 2, the remainder by its stops.
//!
//! The average range is that of 14 bars. Volumes (0.10 to 1.00) come from the seed; everything else from the prices. Positions
//! that are open after the last bar stay open.

use std::collections::BTreeMap;

use crate::book::{Action, OrderKind, PendingOrder, Position, Side};
use crate::decimal::Decimal;
use crate::prices::Bar;
use crate::script::{Script, Writer};

const FAST: usize = 10;
const SLOW: usize = 30;
const RANGE_BARS: usize = 14;
const BREAKOUT_BARS: usize = 12;
const MOVE_AFTER: usize = 4;
const REMOVE_AFTER: usize = 8;
const LOT_STEP: Decimal = Decimal::from_units(1_000_000);
const POINT: i64 = 10_000;

pub const TICKS_PER_BAR: usize = 4;

struct Rule<'a> {
    bars: &'a [Bar],
    symbol: &'a str,
    seed: u64,
    trades_left: usize,
    next_id: u64,
    writer: Writer,
    /// The position of the last crossing.
    crossing: Option<u64>,
    /// How often a position was closed in part.
    parts_closed: BTreeMap<u64, u8>,
    /// Breakout orders and the bar at which they were placed.
    pair: Vec<u64>,
    placed_at: usize,
}

/// At most `trades` positions are opened.
pub fn script(bars: &[Bar], symbol: &str, seed: u64, trades: usize) -> Result<Script, String> {
    let mut rule = Rule {
        bars,
        symbol,
        // Xorshift must not start at 0.
        seed: seed.wrapping_mul(2).wrapping_add(1),
        trades_left: trades,
        next_id: 1000,
        writer: Writer::default(),
        crossing: None,
        parts_closed: BTreeMap::new(),
        pair: Vec::new(),
        placed_at: 0,
    };
    for index in 0..bars.len() {
        rule.bar(index)?;
    }
    Ok(rule.writer.script)
}

impl Rule<'_> {
    fn bar(&mut self, index: usize) -> Result<(), String> {
        let bar = self.bars[index];
        let extremes = if bar.close >= bar.open { [bar.low, bar.high] } else { [bar.high, bar.low] };
        for price in [bar.open, extremes[0], extremes[1], bar.close] {
            self.trigger(price, bar.time)?;
            self.stops(price)?;
            self.close_parts(price, index)?;
            self.writer.next_step();
        }
        if index > SLOW {
            self.trail(bar.close, index)?;
            self.cross(index)?;
            self.breakout(index)?;
        }
        Ok(())
    }

    /// Pending orders that the price reached.
    fn trigger(&mut self, price: Decimal, time: i64) -> Result<(), String> {
        let reached = |order: &PendingOrder| match order.kind {
            OrderKind::BuyStop => price >= order.price,
            OrderKind::SellStop => price <= order.price,
        };
        let Some(order) = self.writer.book.orders.values().find(|o| reached(o)).cloned() else {
            return Ok(());
        };
        let side = match order.kind {
            OrderKind::BuyStop => Side::Buy,
            OrderKind::SellStop => Side::Sell,
        };
        let position = Position {
            id: order.id,
            symbol: order.symbol,
            side,
            volume: order.volume,
            open_price: price,
            stop_loss: order.stop_loss,
            take_profit: order.take_profit,
            time,
        };
        self.trades_left = self.trades_left.saturating_sub(1);
        self.writer.change(vec![Action::Remove { id: order.id }, Action::Open { position }])?;
        self.pair.retain(|id| *id != order.id);
        self.remove_pair()
    }

    fn remove_pair(&mut self) -> Result<(), String> {
        for id in std::mem::take(&mut self.pair) {
            self.writer.change(vec![Action::Remove { id }])?;
        }
        Ok(())
    }

    fn stops(&mut self, price: Decimal) -> Result<(), String> {
        let hit = |p: &Position| match p.side {
            Side::Buy => price <= p.stop_loss || price >= p.take_profit,
            Side::Sell => price >= p.stop_loss || price <= p.take_profit,
        };
        let closed: Vec<u64> = self.writer.book.positions.values().filter(|p| hit(p)).map(|p| p.id).collect();
        for id in closed {
            self.writer.change(vec![Action::Close { id }])?;
        }
        Ok(())
    }

    fn close_parts(&mut self, price: Decimal, index: usize) -> Result<(), String> {
        let range = self.average_range(index);
        let positions: Vec<Position> = self.writer.book.positions.values().cloned().collect();
        for position in positions {
            let profit = match position.side {
                Side::Buy => price.minus(position.open_price),
                Side::Sell => position.open_price.minus(price),
            };
            let parts = self.parts_closed.entry(position.id).or_default();
            if *parts >= 2 || profit.units() < range * i64::from(*parts + 1) {
                continue;
            }
            *parts += 1;
            let half = Decimal::from_units(position.volume.units() / 2).down_to_step(LOT_STEP);
            if half.is_positive() {
                self.writer.change(vec![Action::Reduce { id: position.id, volume: half }])?;
            }
        }
        Ok(())
    }

    fn trail(&mut self, close: Decimal, index: usize) -> Result<(), String> {
        let distance = self.average_range(index) * 3 / 2;
        let positions: Vec<Position> = self.writer.book.positions.values().cloned().collect();
        for position in positions {
            let (stop, gained) = match position.side {
                Side::Buy => {
                    let stop = points(close.units() - distance);
                    (stop, stop.units() - position.stop_loss.units())
                }
                Side::Sell => {
                    let stop = points(close.units() + distance);
                    (stop, position.stop_loss.units() - stop.units())
                }
            };
            if gained >= 3 * POINT {
                let (id, take_profit) = (position.id, position.take_profit);
                self.writer.change(vec![Action::ModifyPosition { id, stop_loss: stop, take_profit }])?;
            }
        }
        Ok(())
    }

    fn cross(&mut self, index: usize) -> Result<(), String> {
        let above = |end: usize| {
            let sum = |n: usize| self.bars[end + 1 - n..=end].iter().map(|b| b.close.units()).sum::<i64>();
            sum(FAST) * SLOW as i64 > sum(SLOW) * FAST as i64
        };
        let (before, now) = (above(index - 1), above(index));
        if before == now {
            return Ok(());
        }
        if let Some(id) = self.crossing.take()
            && self.writer.book.positions.contains_key(&id)
        {
            self.writer.change(vec![Action::Close { id }])?;
        }
        if self.trades_left == 0 {
            return Ok(());
        }
        self.trades_left -= 1;
        let bar = self.bars[index];
        let side = if now { Side::Buy } else { Side::Sell };
        let (stop_loss, take_profit) = self.stops_of(side, bar.close, index);
        let position = Position {
            id: self.new_id(),
            symbol: self.symbol.to_owned(),
            side,
            volume: self.volume(),
            open_price: bar.close,
            stop_loss,
            take_profit,
            time: bar.time,
        };
        self.crossing = Some(position.id);
        self.writer.change(vec![Action::Open { position }])
    }

    fn breakout(&mut self, index: usize) -> Result<(), String> {
        let age = index - self.placed_at;
        if !self.pair.is_empty() && (age >= REMOVE_AFTER || self.trades_left == 0) {
            return self.remove_pair();
        }
        if !self.pair.is_empty() && age == MOVE_AFTER {
            for id in self.pair.clone() {
                let kind = self.writer.book.orders[&id].kind;
                let (price, stop_loss, take_profit) = self.breakout_prices(kind, index);
                self.writer.change(vec![Action::ModifyOrder { id, price, stop_loss, take_profit }])?;
            }
        } else if index.is_multiple_of(BREAKOUT_BARS) && self.trades_left > 0 {
            self.remove_pair()?;
            self.placed_at = index;
            for kind in [OrderKind::BuyStop, OrderKind::SellStop] {
                let (price, stop_loss, take_profit) = self.breakout_prices(kind, index);
                let id = self.new_id();
                let (symbol, volume, time) = (self.symbol.to_owned(), self.volume(), self.bars[index].time);
                let order = PendingOrder { id, symbol, kind, volume, price, stop_loss, take_profit, time };
                self.pair.push(id);
                self.writer.change(vec![Action::Place { order }])?;
            }
        }
        Ok(())
    }

    fn breakout_prices(&self, kind: OrderKind, index: usize) -> (Decimal, Decimal, Decimal) {
        let window = &self.bars[index + 1 - BREAKOUT_BARS..=index];
        let (side, price) = match kind {
            OrderKind::BuyStop => (Side::Buy, window.iter().map(|b| b.high.units()).fold(0, i64::max) + 2 * POINT),
            OrderKind::SellStop => {
                (Side::Sell, window.iter().map(|b| b.low.units()).fold(i64::MAX, i64::min) - 2 * POINT)
            }
        };
        let price = Decimal::from_units(price);
        let (stop_loss, take_profit) = self.stops_of(side, price, index);
        (price, stop_loss, take_profit)
    }

    fn stops_of(&self, side: Side, price: Decimal, index: usize) -> (Decimal, Decimal) {
        let range = self.average_range(index);
        match side {
            Side::Buy => (points(price.units() - 2 * range), points(price.units() + 4 * range)),
            Side::Sell => (points(price.units() + 2 * range), points(price.units() - 4 * range)),
        }
    }

    fn average_range(&self, index: usize) -> i64 {
        let window = &self.bars[(index + 1).saturating_sub(RANGE_BARS)..=index];
        window.iter().map(|b| b.high.units() - b.low.units()).sum::<i64>() / window.len() as i64
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn volume(&mut self) -> Decimal {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let steps = 10 + i64::try_from(self.seed % 91).unwrap_or(0);
        Decimal::from_units(steps * LOT_STEP.units())
    }
}

fn points(units: i64) -> Decimal {
    Decimal::from_units(units).down_to_step(Decimal::from_units(POINT / 10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::BadRows;
    use std::path::Path;

    fn bars() -> Vec<Bar> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/EURUSD_H1.csv");
        crate::prices::read(&path, BadRows::Stop).unwrap().0
    }

    #[test]
    fn it_does_everything_that_has_to_be_copied() {
        let bars = bars();
        let script = script(&bars, "EURUSD", 1, usize::MAX).unwrap();
        let count =
            |wanted: fn(&Action) -> bool| script.changes.iter().flat_map(|c| &c.actions).filter(|a| wanted(a)).count();
        assert!(script.trades() > 300, "{}", script.trades());
        assert!(count(|a| matches!(a, Action::ModifyPosition { .. })) > 300);
        assert!(count(|a| matches!(a, Action::Reduce { .. })) > 100);
        assert!(count(|a| matches!(a, Action::Close { .. })) > 300);
        assert!(count(|a| matches!(a, Action::Place { .. })) > 300);
        assert!(count(|a| matches!(a, Action::ModifyOrder { .. })) > 50);
        assert!(count(|a| matches!(a, Action::Remove { .. })) > 300);
        assert!(script.changes.iter().any(|c| c.actions.len() == 2), "no pending order triggered");
        assert_eq!(script.steps, bars.len() * TICKS_PER_BAR);
        assert!(script.changes.is_sorted_by_key(|c| c.step));
    }

    #[test]
    fn the_seed_decides_the_volumes_and_the_limit_the_trades() {
        let bars = bars();
        let make = |seed, trades| script(&bars[..1000], "EURUSD", seed, trades).unwrap();
        assert_eq!(make(1, 1000).changes, make(1, 1000).changes);
        assert_ne!(make(1, 1000).changes, make(2, 1000).changes);
        assert_eq!(make(1, 20).trades(), 20);
    }
}
