//! The example copy_trades as a whole: its processes, through their kills; its checker, on journals that were tampered with; and
//! what it says about bad input. The run needs the library and the loopback interface, nothing else.

#[path = "common/example.rs"]
mod example;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| example::build("copy_trades"));

fn copy_trades(arguments: &[&str]) -> Output {
    Command::new(&*PROGRAM).args(arguments).output().expect("the example can be started")
}

fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A folder that is deleted at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("the folder's name is text")
    }

    fn write(&self, name: &str, contents: &str) -> String {
        std::fs::create_dir_all(&self.0).unwrap();
        let path = self.0.join(name);
        std::fs::write(&path, contents).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The cells of a row of the table.
fn row<'a>(table: &'a str, label: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(label));
    let cells = line.unwrap_or_else(|| panic!("no row {label:?} in\n{table}"))[label.len()..].split_whitespace();
    cells.collect()
}

#[test]
fn trades_survive_the_kills_and_the_checker_believes_nobody() {
    let folder = Folder::new("run");
    let output = copy_trades(&["--quick", "--folder", folder.text()]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for event in ["server killed", "server started again", "follower-b killed", "follower-b started again"] {
        assert!(text.contains(event), "{event}: {text}");
    }
    assert_eq!(row(&text, "trades missed"), ["0", "0"]);
    assert_eq!(row(&text, "trades doubled"), ["0", "0"]);
    assert_eq!(row(&text, "book equal at the end"), ["yes", "yes"]);
    for copied in row(&text, "trades copied") {
        assert!(copied.parse::<usize>().unwrap() > 10, "{text}");
    }
    assert!(row(&text, "master's call to follower's message, p50").len() == 4, "{text}");

    // The journals alone give the same verdict again.
    let again = copy_trades(&["check", folder.text()]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));

    // An execution that is taken off an account, or there twice, is found without asking the follower.
    let account = folder.0.join("follower-a/account.jsonl");
    let statement = std::fs::read_to_string(&account).unwrap();
    let opening = statement.lines().find(|line| line.contains("\"open\"")).expect("a trade was opened");
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let id = json(opening)["position"]["id"].clone();
    let of_it = |line: &&str| json(line)["position"]["id"] == id || json(line)["id"] == id;
    let without: Vec<&str> = statement.lines().filter(|line| !of_it(line)).collect();
    std::fs::write(&account, without.join("\n")).unwrap();
    let missed = copy_trades(&["check", folder.text()]);
    assert_eq!(missed.status.code(), Some(1), "{}", said(&missed));
    assert!(said(&missed).contains(&format!("follower-a: trades MISSED: {id}")), "{}", said(&missed));

    std::fs::write(&account, statement.replacen(opening, &format!("{opening}\n{opening}"), 1)).unwrap();
    let doubled = copy_trades(&["check", folder.text()]);
    assert_eq!(doubled.status.code(), Some(1), "{}", said(&doubled));
    assert!(said(&doubled).contains(&format!("follower-a: trades DOUBLED: {id}")), "{}", said(&doubled));
}

const HISTORY: &str = "\
Time;Deal;Symbol;Type;Direction;Volume;Price;Order;Commission;Fee;Swap;Profit;Balance;Comment
2024.01.02 10:00:00;2;EURUSD;buy;in;0.50;1.1;11;0;0;0;0;10 000.00;
2024.01.02 11:00:00;3;XAUUSD;buy;in;plenty;2063.5;12;0;0;0;0;10 000.00;
2024.01.02 12:00:00;4;XAUUSD;sell;in;0.20;2063.5;13;0;0;0;0;10 000.00;
2024.01.02 13:00:00;5;EURUSD;sell;out;0.20;1.2;14;0;0;0;5;10 005.00;
2024.01.02 14:00:00;6;XAUUSD;buy;out;0.20;2060;15;0;0;0;5;10 010.00;
";

#[test]
fn a_history_is_replayed_and_its_bad_row_named() {
    let folder = Folder::new("history");
    let history = folder.write("deals.csv", HISTORY);
    let output = copy_trades(&["--quick", "--history", &history, "--speed", "5"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("deals.csv, line 3: Volume: \"plenty\" is not a number"), "{text}");
    assert_eq!(row(&text, "trades missed"), ["0", "0"]);
    assert_eq!(row(&text, "book equal at the end"), ["yes", "yes"]);

    let strict = copy_trades(&["--quick", "--history", &history, "--strict"]);
    assert_eq!(strict.status.code(), Some(2), "{}", said(&strict));
    assert!(said(&strict).contains("line 3") && !said(&strict).contains("trades copied"), "{}", said(&strict));
}

#[test]
fn what_cannot_work_says_why() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_port = taken.local_addr().unwrap().port().to_string();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let folder = Folder::new("wrong");
    let no_history = folder.write("notes.txt", "nothing of use\n");
    for (arguments, why) in [
        (vec!["--port", &taken_port], format!("the Server can't listen on 127.0.0.1:{taken_port}")),
        (vec!["--library", "no-such-library.so"], "no-such-library.so".to_owned()),
        (vec!["--library", "no-such-library.so"], "cargo build --release".to_owned()),
        (vec!["--server", &free], format!("the Server {free} can't be reached")),
        (vec!["--history", &no_history], "notes.txt has no table of deals".to_owned()),
        (vec!["--prices", "no-such-prices.csv"], "no-such-prices.csv can't be read".to_owned()),
        (vec!["--folder", folder.text()], "is not empty".to_owned()),
        (vec!["--swift"], "\"--swift\" is not known".to_owned()),
    ] {
        let mut all = vec!["--quick"];
        all.extend(&arguments);
        let output = copy_trades(&all);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(&why), "{arguments:?}: {}", said(&output));
    }
}
