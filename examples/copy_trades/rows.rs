//! Tables in text files, as terminals and spreadsheets write them: UTF-8 or UTF-16, separated by `;`, tab or `,`. Columns are
//! found by their names. A bad row is named with its line, and left out or the end of the reading, as the caller wants.

use std::fmt::Display;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    Skip,
    Stop,
}

pub struct Row {
    pub line: u64,
    cells: Vec<String>,
}

impl Row {
    /// The cell in that column; empty if the row is too short.
    pub fn cell(&self, column: usize) -> &str {
        self.cells.get(column).map_or("", |cell| cell.trim())
    }

    pub fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// The only cell with text in it: a heading between two tables of a report.
    pub fn heading(&self) -> Option<&str> {
        let mut filled = self.cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
        match (filled.next(), filled.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// The columns with that name (case, spaces and the angle brackets of the terminal's bar exports don't count).
    pub fn columns(&self, name: &str) -> Vec<usize> {
        let wanted = plain(name);
        let found = self.cells.iter().enumerate().filter(|(_, cell)| plain(cell) == wanted);
        found.map(|(index, _)| index).collect()
    }

    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns(name).first().copied()
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !"<>\u{feff}".contains(*c)).flat_map(char::to_lowercase).collect()
}

/// Collects what is wrong with rows; with `Stop` the first wrong row is an error.
pub struct Reader<'a> {
    path: &'a Path,
    on_bad: BadRows,
    pub bad: Vec<String>,
}

impl<'a> Reader<'a> {
    pub fn new(path: &'a Path, on_bad: BadRows) -> Reader<'a> {
        Reader { path, on_bad, bad: Vec::new() }
    }

    pub fn bad_row(&mut self, line: u64, why: impl Display) -> Result<(), String> {
        let text = format!("{}, line {line}: {why}", self.path.display());
        if self.on_bad == BadRows::Stop {
            return Err(text);
        }
        self.bad.push(text);
        Ok(())
    }

    pub fn rows(&mut self) -> Result<Vec<Row>, String> {
        let bytes = std::fs::read(self.path).map_err(|e| format!("{} can't be read: {e}", self.path.display()))?;
        let text = decode(&bytes).map_err(|why| format!("{}: {why}", self.path.display()))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator(&text))
            .from_reader(text.as_bytes());
        let mut rows = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    let line = record.position().map_or(0, csv::Position::line);
                    rows.push(Row { line, cells: record.iter().map(str::to_owned).collect() });
                }
                Err(e) => {
                    let line = e.position().map_or(0, csv::Position::line);
                    self.bad_row(line, e)?;
                }
            }
        }
        Ok(rows)
    }
}

/// The terminal writes UTF-16 with a byte order mark, other programs UTF-8 with or without one.
fn decode(bytes: &[u8]) -> Result<String, String> {
    let wide = |pairs: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = pairs.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|e| format!("not good UTF-16: {e}"))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|e| format!("not good UTF-8: {e}")),
        _ => String::from_utf8(bytes.to_vec()).map_err(|e| format!("not good UTF-8: {e}")),
    }
}

/// The candidate that occurs most in the first lines.
fn separator(text: &str) -> u8 {
    let count = |separator: u8| text.lines().take(50).flat_map(str::bytes).filter(|b| *b == separator).count();
    [b';', b'\t', b','].into_iter().max_by_key(|s| count(*s)).unwrap_or(b',')
}

/// UNIX seconds of `2017.04.19 09:00:00` (also with `-`, without seconds, or with `.123` after them).
pub fn time(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is not a time like 2017.04.19 09:00:00");
    let (date, clock) = text.split_once([' ', 'T']).unwrap_or((text, "00:00"));
    let clock = clock.split_once('.').map_or(clock, |(whole, _)| whole);
    let numbers = |part: &str, separators: &[char]| -> Option<Vec<i64>> {
        part.split(separators).map(|n| if n.len() <= 4 { n.parse().ok() } else { None }).collect()
    };
    let date = numbers(date, &['.', '-', '/']).ok_or_else(wrong)?;
    let clock = numbers(clock, &[':']).ok_or_else(wrong)?;
    let (&[year, month, day], [hour, minute, rest @ ..]) = (date.as_slice(), clock.as_slice()) else {
        return Err(wrong());
    };
    let second = match rest {
        [] => 0,
        [second] => *second,
        _ => return Err(wrong()),
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_of = |month: i64| match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => 31,
    };
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=days_of(month)).contains(&day) {
        return Err(wrong());
    }
    if !(0..24).contains(hour) || !(0..60).contains(minute) || !(0..60).contains(&second) {
        return Err(wrong());
    }
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    let days = (year - 1970) * 365 + leap_days + (1..month).map(days_of).sum::<i64>() + day - 1;
    Ok(((days * 24 + hour) * 60 + minute) * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(time("1970-01-01 00:00:00"), Ok(0));
        assert_eq!(time("2017-04-19 09:00:00"), Ok(1_492_592_400));
        assert_eq!(time("2017.04.19 09:00"), Ok(1_492_592_400));
        assert_eq!(time("2024.02.29 23:59:59.123"), Ok(1_709_251_199));
        assert_eq!(time("2000.03.01"), Ok(951_868_800));
        for text in
            ["", "yesterday", "2023.02.29 00:00", "2017.13.01 00:00", "2017.04.19 24:00", "2017.04.19 1", "2017.04"]
        {
            assert!(time(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_three_separators_and_encodings() {
        for separator in [";", "\t", ","] {
            let text = ["Time", "Deal", "Symbol"].join(separator);
            assert_eq!(super::separator(&text), separator.as_bytes()[0]);
        }
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain("Time;Ö".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&wide).unwrap(), "Time;Ö");
        assert_eq!(decode(b"\xef\xbb\xbfTime").unwrap(), "Time");
        assert!(decode(b"Time\xff").is_err());
    }
}
