use super::*;
use crate::book::sample::dec;
use crate::folder::Folder;

fn read_bytes(bytes: &[u8], on_bad: BadRows) -> Result<Script, String> {
    let folder = Folder::temporary("history").unwrap();
    let path = folder.path().join("deals.csv");
    std::fs::write(&path, bytes).unwrap();
    read(&path, on_bad)
}

fn actions(script: &Script) -> Vec<&Action> {
    script.changes.iter().flat_map(|c| &c.actions).collect()
}

fn ids(script: &Script) -> Vec<String> {
    let name = |action: &&Action| match action {
        Action::Open { position } => format!("open {} {}", position.id, position.volume),
        Action::Increase { id, volume } => format!("increase {id} {volume}"),
        Action::Reduce { id, volume } => format!("reduce {id} {volume}"),
        Action::Close { id } => format!("close {id}"),
        other => format!("{other:?}"),
    };
    actions(script).iter().map(name).collect()
}

const DEALS: &str = "\
Time;Deal;Symbol;Type;Direction;Volume;Price;Order;Commission;Fee;Swap;Profit;Balance;Comment
2024.01.02 09:00:00;1;;balance;;;;;0.00;0.00;0.00;10 000.00;10 000.00;
2024.01.02 10:00:00;2;EURUSD;buy;in;0.50;1.1;11;0;0;0;0;10 000.00;
2024.01.02 11:00:00;3;EURUSD;buy;in;0.20;1.1;12;0;0;0;0;10 000.00;
2024.01.02 12:00:00;4;EURUSD;sell;out;0.20;1.2;13;0;0;0;5;10 005.00;
2024.01.02 13:00:00;5;EURUSD;sell;out;0.10;1.2;14;0;0;0;5;10 010.00;
2024.01.02 14:00:00;6;EURUSD;sell;in/out;0.70;1.2;15;0;0;0;5;10 015.00;
";

#[test]
fn deals_without_a_position_column_are_matched() {
    let wanted = ["open 11 0.5", "open 12 0.2", "close 12", "reduce 11 0.1", "close 11", "open 15 0.3"];
    assert_eq!(ids(&read_bytes(DEALS.as_bytes(), BadRows::Stop).unwrap()), wanted);
    // Newest first, and UTF-16 with tabs, are the same history.
    let mut lines: Vec<&str> = DEALS.lines().collect();
    lines[1..].reverse();
    assert_eq!(ids(&read_bytes(lines.join("\n").as_bytes(), BadRows::Stop).unwrap()), wanted);
    let wide = DEALS.replace(';', "\t");
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(ids(&read_bytes(&wide, BadRows::Stop).unwrap()), wanted);
}

#[test]
fn deals_with_a_position_column() {
    let text = "Time,Symbol,Type,Direction,Volume,Price,Position ID,S / L,T / P\n\
                    2024.01.02 10:00:00,EURUSD,buy,in,0.50,1.1,7,1.05,\n\
                    2024.01.02 11:00:00,EURUSD,buy,in,0.50,1.1,8,,\n\
                    2024.01.02 12:00:00,EURUSD,buy,in,0.10,1.1,7,,\n\
                    2024.01.02 13:00:00,EURUSD,sell,out,0.50,1.1,8,,\n";
    let script = read_bytes(text.as_bytes(), BadRows::Stop).unwrap();
    assert_eq!(ids(&script), ["open 7 0.5", "open 8 0.5", "increase 7 0.1", "close 8"]);
    let Action::Open { position } = actions(&script)[0] else { panic!("{script:?}") };
    assert_eq!((position.stop_loss, position.take_profit), (dec("1.05"), Decimal::ZERO));
}

const REPORT: &str = "\
Trade History Report,,,,,,,,,,,,
Account:,,,12345 (USD),,,,,,,,,
Positions,,,,,,,,,,,,
Time,Position,Symbol,Type,Volume,Price,S / L,T / P,Time,Price,Commission,Swap,Profit
2024.01.02 10:00:00,7,EURUSD,buy,0.50,1.1,1.05,1.3,2024.01.02 13:00:00,1.2,0,0,5
2024.01.02 11:00:00,8,XAUUSD,sell,0.10,2 063.55,,,2024.01.02 12:00:00,2 060.00,0,0,5
Orders,,,,,,,,,,,,
Open Time,Order,Symbol,Type,Volume,Price,S / L,T / P,Time,State,,Comment,
";

#[test]
fn a_report_with_positions() {
    let script = read_bytes(REPORT.as_bytes(), BadRows::Stop).unwrap();
    assert_eq!(ids(&script), ["open 7 0.5", "open 8 0.1", "close 8", "close 7"]);
    assert_eq!(script.symbols.iter().collect::<Vec<_>>(), ["EURUSD", "XAUUSD"]);
}

#[test]
fn of_a_whole_report_the_deals_are_taken() {
    let text = format!(
        "{REPORT}Deals,,,,,,,,,,,,\nTime,Deal,Symbol,Type,Direction,Volume,Price,Order,Commission,Fee,Swap,Profit,Balance\n\
             2024.01.02 10:00:00,2,EURUSD,buy,in,0.50,1.1,11,0,0,0,0,1\n,,,,,,,,0,0,0,0,1\n"
    );
    assert_eq!(ids(&read_bytes(text.as_bytes(), BadRows::Stop).unwrap()), ["open 11 0.5"]);
}

#[test]
fn bad_rows_are_named_and_left_out_or_stop_the_reading() {
    let text = format!(
        "{DEALS}2024.01.02 15:00:00;7;EURUSD;buy;in;lots;1.1;16;;;;;;\n2024.01.02 16:00:00;8;EURUSD;swap;in;1;1.1;17;;;;;;\n\
             2024.01.02 17:00:00;9;GBPUSD;sell;out;1;1.1;18;;;;;;\n2024.13.02 17:00:00;10;GBPUSD;sell;in;1;1.1;19;;;;;;\n\
             2024.01.02 18:00:00;11;GBPUSD;sell;sideways;1;1.1;20;;;;;;\n"
    );
    let script = read_bytes(text.as_bytes(), BadRows::Skip).unwrap();
    assert_eq!(actions(&script).len(), 6);
    for (line, why) in
        [(8, "\"lots\" is not a number"), (9, "\"swap\""), (10, "was not open"), (11, "2024.13.02"), (12, "sideways")]
    {
        let named = |bad: &String| bad.contains(&format!("deals.csv, line {line}: ")) && bad.contains(why);
        assert!(script.bad_rows.iter().any(named), "{line} {why}: {:#?}", script.bad_rows);
    }
    assert!(read_bytes(text.as_bytes(), BadRows::Stop).unwrap_err().contains("line "));
}

#[test]
fn what_is_no_history_says_which_columns_it_lacks() {
    assert!(read_bytes(b"a;b;c\n1;2;3\n", BadRows::Skip).unwrap_err().contains("Direction"));
    let empty = DEALS.lines().next().unwrap();
    assert!(read_bytes(empty.as_bytes(), BadRows::Skip).unwrap_err().contains("no good trade"));
}
