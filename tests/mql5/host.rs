//! Compiles translated programs and runs them in the terminal of `runtime/`: a process that takes commands on its standard
//! input and says on its standard output what its programs print and do.

use crate::common::library;
use crate::common::tools::{self, find, leave_out, project};
use crate::translator::{self, Refusal};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// `-Wconversion` stands for MetaEditor's "possible loss of data due to type conversion". Unused parameters are no fault
/// in MQL5: a handler's parameters are given.
const FLAGS: [&str; 9] = [
    "-std=c++17",
    "-O1",
    "-fPIC",
    "-fno-gnu-unique",
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wno-unused-parameter",
    "-Werror",
];

/// A C++ compiler for the host; None, reported as left out, where there is none.
pub fn compiler(leg: &str) -> Option<PathBuf> {
    let compiler = find("g++").filter(|_| cfg!(target_os = "linux"));
    if compiler.is_none() {
        leave_out(leg, "g++ on Linux");
    }
    compiler
}

fn folder() -> PathBuf {
    // A folder for each run: two runs at once don't disturb each other.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mql5-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("create a folder for the host");
    folder
}

/// The terminal's executable, compiled once.
fn executable() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let sources: Vec<PathBuf> = fs::read_dir(project("tests/mql5/runtime"))
            .expect("the runtime")
            .map(|entry| entry.expect("a file of the runtime").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "cpp"))
            .collect();
        let objects: Vec<PathBuf> = thread::scope(|scope| {
            let compiling: Vec<_> = sources.iter().map(|source| scope.spawn(|| compile_part(source))).collect();
            compiling.into_iter().map(|part| part.join().expect("compile the runtime")).collect()
        });
        let output = folder().join("terminal");
        // Programs find the runtime's functions in the executable.
        let mut link = Command::new(find("g++").expect("g++"));
        tools::run(link.arg("-rdynamic").args(objects).args(["-ldl", "-pthread", "-o"]).arg(&output));
        output
    })
}

fn compile_part(source: &Path) -> PathBuf {
    let object = folder().join(source.with_extension("o").file_name().expect("a name"));
    let mut command = Command::new(find("g++").expect("g++"));
    tools::run(command.args(FLAGS).arg("-c").arg(source).arg("-o").arg(&object));
    object
}

/// Translates a program and compiles it, once; a path below the project.
pub fn program(path: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    built.entry(path.to_owned()).or_insert_with(|| compile(path, &project("mql5/Include"))).clone()
}

/// The same with another `Include` folder, not remembered.
pub fn compile(path: &str, include: &Path) -> PathBuf {
    let path = project(path);
    let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    let output = folder().join(&name);
    let program = translator::translate(&path, include, &output).unwrap_or_else(|refusals| {
        panic!("{}", refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n"))
    });
    let module = output.join(format!("{name}.so"));
    let mut command = Command::new(find("g++").expect("g++"));
    command.args(FLAGS).args(["-shared", "-fvisibility=hidden", "-I"]).arg(project("tests/mql5/runtime"));
    tools::run(command.arg(program.main).arg("-o").arg(&module));
    module
}

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
    said: Arc<(Mutex<Said>, Condvar)>,
    /// For each source the line from which on it is read.
    read: BTreeMap<String, usize>,
}

impl Terminal {
    pub fn start() -> Self {
        let mut command = Command::new(executable());
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
        let mut terminal = Self { child, input, said, read: BTreeMap::new() };
        terminal.command(&["library", "mt5mqtt.dll", &library::path().display().to_string()]);
        terminal
    }

    /// One command, as `runtime/main.cpp` lists them.
    pub fn command(&mut self, fields: &[&str]) {
        let input = self.input.as_mut().expect("a terminal that was not closed");
        writeln!(input, "{}", fields.join("\t")).expect("write a command");
    }

    pub fn load(&mut self, kind: &str, name: &str, module: &Path, chart: (&str, &str), settings: &[(&str, &str)]) {
        let path = module.display().to_string();
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

    /// The next line of that source and kind that contains the text; lines before it are passed over.
    #[track_caller]
    pub fn expect(&mut self, source: &str, kind: &str, text: &str) -> String {
        match self.wait_for(source, Instant::now() + DEADLINE, |line| line.kind == kind && line.text.contains(text)) {
            Some(line) => line.text,
            None => panic!("'{source}' did not say '{kind}: {text}'; the terminal said:\n{}", self.transcript()),
        }
    }

    fn wait_for(&mut self, source: &str, deadline: Instant, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
        let next = self.read.entry(source.to_owned()).or_default();
        let mut said = self.said.0.lock().expect("the lines");
        loop {
            let unread = said.lines.iter().enumerate().skip(*next);
            if let Some((index, line)) = unread.into_iter().find(|(_, line)| line.source == source && wanted(line)) {
                *next = index + 1;
                return Some(line.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || said.over {
                return None;
            }
            said = self.said.1.wait_timeout(said, left).expect("the lines").0;
        }
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
    }
}
