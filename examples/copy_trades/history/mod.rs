//! A MetaTrader 5 history as the master's script. The terminal's History tab saves a report (HTML or XML, which spreadsheets turn
//! into CSV) with a table of positions and one of deals, and scripts export the same columns as CSV. Either table is read:
//!
//! - **Deals**: Time, Symbol, Type (buy, sell), Direction (in, out, in/out, out by), Volume, Price; if there: Deal, Order,
//!   Position (or Position ID), S / L, T / P. Without a position column an `out` deal closes the oldest open position of the
//!   opposite type with exactly its volume, else the oldest ones until its volume is used up. Other types (balance, credit, …)
//!   are no trades and are passed over.
//! - **Positions**: Time, Position, Symbol, Type, Volume, Price, S / L, T / P, Time, Price; the second Time and Price are of
//!   the closing.
//!
//! Whatever stands before the table (account, name, date) is passed over; of a whole report the deals are taken. The
//! histories hold no changes of stops and no pending orders, so none are made up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::book::{Action, Position, Side};
use crate::decimal::Decimal;
use crate::rows::{self, BadRows, Reader, Row};
use crate::script::{Script, Writer};

pub fn read(path: &Path, on_bad: BadRows) -> Result<Script, String> {
    let mut reader = Reader::new(path, on_bad);
    let rows = reader.rows()?;
    let mut writer = if let Some((start, columns)) = find(&rows, Deals::from_header) {
        deals(&mut reader, table(&rows, start), &columns)?
    } else if let Some((start, columns)) = find(&rows, Positions::from_header) {
        positions(&mut reader, table(&rows, start), &columns)?
    } else {
        return Err(format!(
            "{} has no table of deals (columns Time, Symbol, Type, Direction, Volume, Price) and none of positions \
             (Time, Position, Symbol, Type, Volume, Price, Time, Price)",
            path.display()
        ));
    };
    if writer.script.changes.is_empty() {
        return Err(format!("{} has no good trade", path.display()));
    }
    writer.script.bad_rows = reader.bad;
    Ok(writer.script)
}

fn find<T>(rows: &[Row], columns: fn(&Row) -> Option<T>) -> Option<(usize, T)> {
    rows.iter().enumerate().find_map(|(index, row)| Some((index + 1, columns(row)?)))
}

/// The rows of the table that starts there: until an empty row or the next table's heading.
fn table(rows: &[Row], start: usize) -> &[Row] {
    let rest = &rows[start..];
    let end =
        rest.iter().position(|row| row.is_empty() || row.heading().is_some_and(|h| !h.contains(char::is_numeric)));
    &rest[..end.unwrap_or(rest.len())]
}

struct Deals {
    time: usize,
    symbol: usize,
    kind: usize,
    direction: usize,
    volume: usize,
    price: usize,
    deal: Option<usize>,
    order: Option<usize>,
    position: Option<usize>,
    stop_loss: Option<usize>,
    take_profit: Option<usize>,
}

impl Deals {
    fn from_header(row: &Row) -> Option<Deals> {
        Some(Deals {
            time: row.column("Time")?,
            symbol: row.column("Symbol")?,
            kind: row.column("Type")?,
            direction: row.column("Direction").or(row.column("Entry"))?,
            volume: row.column("Volume")?,
            price: row.column("Price")?,
            deal: row.column("Deal").or(row.column("Ticket")),
            order: row.column("Order"),
            position: row.column("Position").or(row.column("Position ID")),
            stop_loss: row.column("S/L"),
            take_profit: row.column("T/P"),
        })
    }
}

struct Positions {
    open_time: usize,
    close_time: usize,
    position: usize,
    symbol: usize,
    kind: usize,
    volume: usize,
    open_price: usize,
    stop_loss: Option<usize>,
    take_profit: Option<usize>,
}

impl Positions {
    fn from_header(row: &Row) -> Option<Positions> {
        let (&[open_time, close_time], &[open_price, _]) =
            (row.columns("Time").as_slice(), row.columns("Price").as_slice())
        else {
            return None;
        };
        Some(Positions {
            open_time,
            close_time,
            position: row.column("Position")?,
            symbol: row.column("Symbol")?,
            kind: row.column("Type")?,
            volume: row.column("Volume")?,
            open_price,
            stop_loss: row.column("S/L"),
            take_profit: row.column("T/P"),
        })
    }
}

/// `1 234.50` as the terminal groups thousands.
fn number(text: &str) -> Result<Decimal, String> {
    text.chars().filter(|c| !c.is_whitespace()).collect::<String>().parse()
}

fn positive(name: &str, text: &str) -> Result<Decimal, String> {
    let value = number(text).map_err(|why| format!("{name}: {why}"))?;
    if value.is_positive() { Ok(value) } else { Err(format!("{name} is {value}")) }
}

/// An empty stop loss or take profit is none.
fn level(row: &Row, column: Option<usize>) -> Result<Decimal, String> {
    match column.map_or("", |column| row.cell(column)) {
        "" => Ok(Decimal::ZERO),
        text => number(text),
    }
}

fn identifier(name: &str, text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(id) if id > 0 => Ok(id),
        _ => Err(format!("{name}: {text:?} is not an identifier")),
    }
}

fn side(text: &str) -> Option<Side> {
    match text.to_lowercase().as_str() {
        "buy" => Some(Side::Buy),
        "sell" => Some(Side::Sell),
        _ => None,
    }
}

const NO_TRADES: [&str; 11] = [
    "balance",
    "credit",
    "charge",
    "correction",
    "bonus",
    "commission",
    "interest",
    "dividend",
    "tax",
    "agent",
    "so compensation",
];

struct Deal {
    time: i64,
    symbol: String,
    side: Side,
    direction: String,
    volume: Decimal,
    price: Decimal,
    /// Of the position, if the table says.
    position: Option<u64>,
    /// What a position that this deal opens is called otherwise: its order's number, or its own.
    opens: Option<u64>,
    stop_loss: Decimal,
    take_profit: Decimal,
}

fn deal(row: &Row, columns: &Deals) -> Result<Option<Deal>, String> {
    let kind = row.cell(columns.kind).to_lowercase();
    if row.cell(columns.time).is_empty() && row.cell(columns.symbol).is_empty() {
        return Ok(None); // the report's line of totals
    }
    let Some(side) = side(&kind) else {
        if NO_TRADES.iter().any(|known| kind.starts_with(known)) {
            return Ok(None);
        }
        return Err(format!("Type {kind:?} is not known"));
    };
    if row.cell(columns.symbol).is_empty() {
        return Err("Symbol is empty".into());
    }
    let optional = |name, column: Option<usize>| match column.map(|column| row.cell(column)) {
        None | Some("") => Ok(None),
        Some(text) => identifier(name, text).map(Some),
    };
    let opens = optional("Order", columns.order)?.or(optional("Deal", columns.deal)?);
    Ok(Some(Deal {
        time: rows::time(row.cell(columns.time))?,
        symbol: row.cell(columns.symbol).to_owned(),
        side,
        direction: row.cell(columns.direction).to_lowercase(),
        volume: positive("Volume", row.cell(columns.volume))?,
        price: positive("Price", row.cell(columns.price))?,
        position: optional("Position", columns.position)?,
        opens,
        stop_loss: level(row, columns.stop_loss)?,
        take_profit: level(row, columns.take_profit)?,
    }))
}

fn deals(reader: &mut Reader, rows: &[Row], columns: &Deals) -> Result<Writer, String> {
    let mut read: Vec<(u64, Deal)> = Vec::new();
    for row in rows {
        match deal(row, columns) {
            Ok(Some(deal)) => read.push((row.line, deal)),
            Ok(None) => {}
            Err(why) => reader.bad_row(row.line, why)?,
        }
    }
    // Exports come newest first as well as oldest first; deals of one second keep their order.
    if read.first().zip(read.last()).is_some_and(|((_, first), (_, last))| first.time > last.time) {
        read.reverse();
    }
    read.sort_by_key(|(_, deal)| deal.time);
    let mut writer = Writer::default();
    for (line, deal) in read {
        match changes(&writer, &deal, line) {
            Ok(changes) => {
                for change in changes {
                    writer.change(vec![change])?;
                }
            }
            Err(why) => reader.bad_row(line, why)?,
        }
        writer.next_step();
    }
    Ok(writer)
}

fn changes(writer: &Writer, deal: &Deal, line: u64) -> Result<Vec<Action>, String> {
    match deal.direction.as_str() {
        "in" => Ok(vec![open(writer, deal, deal.volume, line)?]),
        "out" | "out by" => {
            let (actions, rest) = close(writer, deal);
            if rest.is_positive() {
                let Deal { volume, symbol, .. } = deal;
                return Err(format!("closes {volume} {symbol}, of which {rest} was not open"));
            }
            Ok(actions)
        }
        "in/out" => {
            let (mut actions, rest) = close(writer, deal);
            if rest.is_positive() {
                let reversed = Deal { position: None, symbol: deal.symbol.clone(), direction: String::new(), ..*deal };
                actions.push(open(writer, &reversed, rest, line)?);
            }
            Ok(actions)
        }
        other => Err(format!("Direction {other:?} is not known")),
    }
}

fn open(writer: &Writer, deal: &Deal, volume: Decimal, line: u64) -> Result<Action, String> {
    // Without any number the line will do as one.
    let id = deal.position.or(deal.opens).unwrap_or(line);
    match writer.book.positions.get(&id) {
        Some(open) if open.symbol == deal.symbol && open.side == deal.side => Ok(Action::Increase { id, volume }),
        Some(open) => Err(format!("opens position {id}, which is open in {}", open.symbol)),
        None => Ok(Action::Open {
            position: Position {
                id,
                symbol: deal.symbol.clone(),
                side: deal.side,
                volume,
                open_price: deal.price,
                stop_loss: deal.stop_loss,
                take_profit: deal.take_profit,
                time: deal.time,
            },
        }),
    }
}

/// The actions, and what is left of the deal's volume after them.
fn close(writer: &Writer, deal: &Deal) -> (Vec<Action>, Decimal) {
    let mut open: Vec<&Position> = writer
        .book
        .positions
        .values()
        .filter(|p| p.symbol == deal.symbol && p.side != deal.side && deal.position.is_none_or(|id| p.id == id))
        .collect();
    open.sort_by_key(|p| (p.volume != deal.volume, p.time, p.id));
    let mut rest = deal.volume;
    let mut actions = Vec::new();
    for position in open {
        if !rest.is_positive() {
            break;
        }
        if position.volume <= rest {
            actions.push(Action::Close { id: position.id });
            rest = rest.minus(position.volume);
        } else {
            actions.push(Action::Reduce { id: position.id, volume: rest });
            rest = Decimal::ZERO;
        }
    }
    (actions, rest)
}

/// An opened and a closed position, in the order of their times; one that isn't closed has no second event.
fn positions(reader: &mut Reader, rows: &[Row], columns: &Positions) -> Result<Writer, String> {
    let mut events: BTreeMap<(i64, u64, bool), Action> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        match position(row, columns) {
            Ok(Some((position, _))) if !seen.insert(position.id) => {
                reader.bad_row(row.line, format!("position {} is there twice", position.id))?;
            }
            Ok(Some((position, closed))) => {
                let id = position.id;
                if let Some(closed) = closed {
                    events.insert((closed, id, true), Action::Close { id });
                }
                events.insert((position.time, id, false), Action::Open { position });
            }
            Ok(None) => {}
            Err(why) => reader.bad_row(row.line, why)?,
        }
    }
    let mut writer = Writer::default();
    for action in events.into_values() {
        writer.change(vec![action])?;
        writer.next_step();
    }
    Ok(writer)
}

fn position(row: &Row, columns: &Positions) -> Result<Option<(Position, Option<i64>)>, String> {
    if row.cell(columns.open_time).is_empty() && row.cell(columns.symbol).is_empty() {
        return Ok(None); // the report's line of totals
    }
    let kind = row.cell(columns.kind);
    let time = rows::time(row.cell(columns.open_time))?;
    let closed = match row.cell(columns.close_time) {
        "" => None,
        text => Some(rows::time(text)?),
    };
    if closed.is_some_and(|closed| closed < time) {
        return Err("closed before it was opened".into());
    }
    if row.cell(columns.symbol).is_empty() {
        return Err("Symbol is empty".into());
    }
    let position = Position {
        id: identifier("Position", row.cell(columns.position))?,
        symbol: row.cell(columns.symbol).to_owned(),
        side: side(kind).ok_or_else(|| format!("Type {kind:?} is not known"))?,
        volume: positive("Volume", row.cell(columns.volume))?,
        open_price: positive("Price", row.cell(columns.open_price))?,
        stop_loss: level(row, columns.stop_loss)?,
        take_profit: level(row, columns.take_profit)?,
        time,
    };
    Ok(Some((position, closed)))
}

#[cfg(test)]
mod tests;
