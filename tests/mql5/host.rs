//! Runs compiled programs in the terminal of `runtime/`: a process that takes commands on its standard input and says on its
//! standard output what its programs print and do.

use crate::compile::{self, program};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// A line that the terminal said.
#[derive(Debug, Clone)]
pub struct Line {
    pub source: String,
    pub kind: String,
    pub text: String,
}

#[derive(Default)]
struct Said {
    lines: Vec<Line>,
    over: bool,
}

/// A running terminal.
pub struct Terminal {
    child: Child,
    input: Option<ChildStdin>,
    /// Where it copies programs to when it loads them.
    copies: PathBuf,
    said: Arc<(Mutex<Said>, Condvar)>,
    /// What it was told of folders, the account, symbols and their last prices.
    set_up: Vec<Vec<String>>,
    /// For each source and kind the line from which on it is read.
    read: BTreeMap<(String, String), usize>,
}

impl Terminal {
    pub fn start() -> Self {
        let mut terminal = Self::begin();
        // Wine's server throws one out now and then before its first instruction: "recvmsg: Connection reset by peer".
        for _ in 0..3 {
            if terminal.has_started() {
                break;
            }
            terminal = Self::begin();
        }
        terminal.library(&compile::library());
        terminal
    }

    fn begin() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let copies =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mql5-copies-{}-{number}", std::process::id()));
        fs::create_dir_all(&copies).expect("create a folder");
        let mut command = compile::terminal();
        command.arg(compile::as_terminal_sees(&copies));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("start the terminal");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let said = Arc::new((Mutex::new(Said::default()), Condvar::new()));
        let shared = Arc::clone(&said);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let mut parts = line.splitn(3, '\t').map(str::to_owned);
                let mut next = || parts.next().unwrap_or_default();
                let line = Line { source: next(), kind: next(), text: next() };
                shared.0.lock().expect("the lines").lines.push(line);
                shared.1.notify_all();
            }
            shared.0.lock().expect("the lines").over = true;
            shared.1.notify_all();
        });
        Self { child, input, copies, said, set_up: Vec::new(), read: BTreeMap::new() }
    }

    fn has_started(&self) -> bool {
        let said = self.said.0.lock().expect("the lines");
        let is_silent = |said: &mut Said| said.lines.is_empty() && !said.over;
        !self.said.1.wait_timeout_while(said, DEADLINE, is_silent).expect("the lines").0.lines.is_empty()
    }

    /// The library that programs import from.
    pub fn library(&mut self, path: &Path) {
        self.command(&["library", "mt5mqtt.dll", &compile::as_terminal_sees(path)]);
    }

    /// One command, as `runtime/main.cpp` lists them.
    pub fn command(&mut self, fields: &[&str]) {
        let input = self.input.as_mut().expect("a terminal that was not closed");
        writeln!(input, "{}", fields.join("\t")).expect("write a command");
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        match fields[0].as_str() {
            "files" | "symbol" | "account" | "keep" => self.set_up.push(fields),
            "tick" => {
                self.set_up.retain(|other| other[..2] != fields[..2]);
                self.set_up.push(fields);
            }
            _ => {}
        }
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while self.child.try_wait().expect("its end").is_none() {
            assert!(Instant::now() < deadline, "the terminal goes on:\n{}", self.transcript());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it without a word to its programs. Another one begins with the same set-up, and with the account as the trade
    /// server has it, if it was told to keep it in a file.
    pub fn kill(&mut self) {
        let mut next = Self::start();
        std::mem::swap(self, &mut next);
        let _ = next.child.kill();
        let _ = next.child.wait();
        // The file of the account is read last: what it says goes before what the account began with.
        let (keep, set_up): (Vec<_>, Vec<_>) = next.set_up.iter().partition(|fields| fields[0] == "keep");
        for fields in set_up.into_iter().chain(keep) {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            self.command(&fields);
        }
    }

    pub fn load(&mut self, kind: &str, name: &str, module: &Path, chart: (&str, &str), settings: &[(&str, &str)]) {
        // What an earlier program of this name has said is not this one's.
        let lines = self.said.0.lock().expect("the lines").lines.len();
        let _ = self.read.entry((name.to_owned(), "init".to_owned())).or_default();
        self.read.iter_mut().filter(|((source, _), _)| source == name).for_each(|(_, next)| *next = lines);
        let path = compile::as_terminal_sees(module);
        let settings: Vec<String> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut fields = vec!["load", kind, name, &path, chart.0, chart.1];
        fields.extend(settings.iter().map(String::as_str));
        self.command(&fields);
    }

    /// An Expert Advisor on chart 1 of EURUSD, which has to start.
    #[track_caller]
    pub fn expert(&mut self, name: &str, path: &str, settings: &[(&str, &str)]) {
        self.load("expert", name, &program(path), ("1", "EURUSD"), settings);
        assert_eq!(self.expect(name, "init", ""), "0");
    }

    /// The next line of that source and kind that contains the text; those before it are passed over.
    #[track_caller]
    pub fn expect(&mut self, source: &str, kind: &str, text: &str) -> String {
        let next = self.read.entry((source.to_owned(), kind.to_owned())).or_default();
        let deadline = Instant::now() + DEADLINE;
        let mut said = self.said.0.lock().expect("the lines");
        loop {
            let unread = said.lines.iter().enumerate().skip(*next);
            let mut of_source = unread.filter(|(_, line)| line.source == source && line.kind == kind);
            if let Some((index, line)) = of_source.find(|(_, line)| line.text.contains(text)) {
                *next = index + 1;
                return line.text.clone();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || said.over {
                drop(said);
                panic!("'{source}' did not say '{kind}: {text}'; the terminal said:\n{}", self.transcript());
            }
            said = self.said.1.wait_timeout(said, left).expect("the lines").0;
        }
    }

    /// The account's positions, by their fields.
    #[track_caller]
    pub fn positions(&mut self) -> Vec<BTreeMap<String, String>> {
        self.dumped("position")
    }

    /// Its pending orders.
    #[track_caller]
    pub fn orders(&mut self) -> Vec<BTreeMap<String, String>> {
        self.dumped("order")
    }

    /// Requests of programs that have reached the trade server.
    #[track_caller]
    pub fn requests(&mut self) -> u32 {
        let account = self.dumped("account").pop().expect("an account");
        account["requests"].parse().expect("a number")
    }

    /// Looks of programs at single positions.
    #[track_caller]
    pub fn looks(&mut self) -> u32 {
        let account = self.dumped("account").pop().expect("an account");
        account["looks"].parse().expect("a number")
    }

    #[track_caller]
    fn dumped(&mut self, kind: &str) -> Vec<BTreeMap<String, String>> {
        let before = self.said("*", kind).len();
        self.command(&["dump"]);
        self.expect("*", "account", "");
        let fields = |line: &String| {
            let fields = line.split(' ').filter_map(|field| field.split_once('='));
            fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        self.said("*", kind).split_off(before).iter().map(fields).collect()
    }

    /// All lines of that source and kind so far.
    pub fn said(&self, source: &str, kind: &str) -> Vec<String> {
        let said = self.said.0.lock().expect("the lines");
        let lines = said.lines.iter().filter(|line| line.source == source && line.kind == kind);
        lines.map(|line| line.text.clone()).collect()
    }

    pub fn transcript(&self) -> String {
        let said = self.said.0.lock().expect("the lines");
        let lines = said.lines.iter().map(|line| format!("{} {}: {}\n", line.source, line.kind, line.text));
        lines.collect()
    }

    /// Closes the terminal: each program gets its OnDeinit; it has to end well, and no program may have failed.
    #[track_caller]
    pub fn close(mut self) {
        self.command(&["quit"]);
        self.input = None;
        self.expect("*", "closed", "");
        let status = self.child.wait().expect("the end of the terminal");
        let transcript = self.transcript();
        assert!(status.success(), "the terminal ended with {status}:\n{transcript}");
        for kind in [" critical: ", " late: ", " load-error: ", " unknown: "] {
            assert!(!transcript.contains(kind), "{transcript}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.copies);
    }
}
