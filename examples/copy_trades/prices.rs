//! Price bars from a file: columns Open, High, Low, Close by name, and Time (or Date and Time, as in the terminal's own bar
//! export; or the first column, if it has no name). Bars must go forward in time.

use std::path::Path;

use crate::decimal::Decimal;
use crate::rows::{self, BadRows, Reader, Row};

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    pub time: i64,
    pub open: Decimal,
    pub high: Decimal,
    pub low: Decimal,
    pub close: Decimal,
}

struct Columns {
    date: Option<usize>,
    time: usize,
    prices: [usize; 4],
}

/// The bars, and the bad rows in words.
pub fn read(path: &Path, on_bad: BadRows) -> Result<(Vec<Bar>, Vec<String>), String> {
    let mut reader = Reader::new(path, on_bad);
    let rows = reader.rows()?;
    let (header, rows) = rows.split_first().ok_or_else(|| format!("{} is empty", path.display()))?;
    let columns = columns(header).map_err(|name| format!("{}, line 1: no column {name}", path.display()))?;
    let mut bars: Vec<Bar> = Vec::new();
    for row in rows.iter().filter(|row| !row.is_empty()) {
        match bar(row, &columns) {
            Ok(bar) if bars.last().is_some_and(|last| last.time >= bar.time) => {
                reader.bad_row(row.line, "its time is not after that of the bar before")?;
            }
            Ok(bar) => bars.push(bar),
            Err(why) => reader.bad_row(row.line, why)?,
        }
    }
    if bars.is_empty() {
        return Err(format!("{} has no good price bar", path.display()));
    }
    Ok((bars, reader.bad))
}

fn columns(header: &Row) -> Result<Columns, &'static str> {
    let find = |name: &'static str| header.column(name).ok_or(name);
    let date = header.column("date");
    let time = match (header.column("time"), date) {
        (Some(time), _) => time,
        (None, Some(date)) => date,
        (None, None) => header.column("").filter(|column| *column == 0).ok_or("Time")?,
    };
    Ok(Columns {
        date: date.filter(|date| *date != time),
        time,
        prices: [find("Open")?, find("High")?, find("Low")?, find("Close")?],
    })
}

fn bar(row: &Row, columns: &Columns) -> Result<Bar, String> {
    let time = match columns.date {
        Some(date) => rows::time(&format!("{} {}", row.cell(date), row.cell(columns.time)))?,
        None => rows::time(row.cell(columns.time))?,
    };
    let mut prices = [Decimal::ZERO; 4];
    for (price, column) in prices.iter_mut().zip(columns.prices) {
        *price = row.cell(column).parse()?;
    }
    let [open, high, low, close] = prices;
    if !low.is_positive() || low > open.min(close) || high < open.max(close) {
        return Err(format!("open {open}, high {high}, low {low}, close {close} are not a bar"));
    }
    Ok(Bar { time, open, high, low, close })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::Folder;

    fn read_text(text: &str, on_bad: BadRows) -> Result<(Vec<Bar>, Vec<String>), String> {
        let folder = Folder::temporary("prices").unwrap();
        let path = folder.path().join("bars.csv");
        std::fs::write(&path, text).unwrap();
        read(&path, on_bad)
    }

    #[test]
    fn both_layouts_give_the_same_bars() {
        let named = ",Open,High,Low,Close,Volume\n2017-04-19 09:00:00,1.0716,1.0722,1.07083,1.07219,1413\n";
        let terminal = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\n2017.04.19\t09:00:00\t1.0716\t1.0722\t1.07083\t1.07219\t1413\n";
        let (bars, bad) = read_text(named, BadRows::Stop).unwrap();
        assert_eq!((bars.len(), bad.len(), bars[0].time), (1, 0, 1_492_592_400));
        assert_eq!(read_text(terminal, BadRows::Stop).unwrap().0, bars);
    }

    #[test]
    fn bad_rows_are_named_with_their_line() {
        let text = "Time,Open,High,Low,Close\n2017-04-19 09:00,1,2,1,2\n2017-04-19 10:00,1,x,1,2\n2017-04-19 11:00,1,2,1.5,2\n\
                    2017-04-19 09:00,1,2,1,2\nsoon,1,2,1,2\n2017-04-19 12:00,1,2\n2017-04-19 13:00,1,2,1,2\n";
        let (bars, bad) = read_text(text, BadRows::Skip).unwrap();
        assert_eq!(bars.len(), 2);
        let lines: Vec<bool> =
            bad.iter().zip(3..8).map(|(b, n)| b.contains(&format!("bars.csv, line {n}: "))).collect();
        assert_eq!(lines, [true; 5], "{bad:#?}");
        let error = read_text(text, BadRows::Stop).unwrap_err();
        assert!(error.contains("line 3") && error.contains("\"x\" is not a number"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_price_file() {
        assert!(read_text("", BadRows::Skip).unwrap_err().contains("empty"));
        assert!(read_text("Time,Open,High,Low\n", BadRows::Skip).unwrap_err().contains("no column Close"));
        assert!(read_text("Time,Open,High,Low,Close\n", BadRows::Skip).unwrap_err().contains("no good price bar"));
        assert!(read(Path::new("no-such.csv"), BadRows::Skip).unwrap_err().contains("no-such.csv"));
    }
}
