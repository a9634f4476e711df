//! Compiles translated programs and runs them in the terminal of `runtime/`: a process that takes commands on its standard
//! input and says on its standard output what its programs print and do.

use crate::common::library;
use crate::common::tools::{self, find, leave_out, project};
use crate::translator::{self, Refusal};
use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
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

/// What was built from the same sources before, or is built now. `build` gets the path to write.
fn built(name: &str, sources: &[PathBuf], build: impl FnOnce(&Path)) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    FLAGS.hash(&mut hasher);
    for source in sources {
        source.file_name().hash(&mut hasher);
        fs::read(source).unwrap_or_else(|error| panic!("{}: {error}", source.display())).hash(&mut hasher);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mql5");
    fs::create_dir_all(&folder).expect("create a folder for the host");
    let target = folder.join(format!("{name}-{:016x}", hasher.finish()));
    if !target.is_file() {
        // Another run may build the same at this moment: each writes a file of its own and moves it in place.
        let own = folder.join(format!("{name}-{}", std::process::id()));
        build(&own);
        fs::rename(&own, &target).expect("move what was built");
    }
    target
}

fn runtime() -> Vec<PathBuf> {
    let entries = fs::read_dir(project("tests/mql5/runtime")).expect("the runtime");
    let mut sources: Vec<PathBuf> = entries.map(|entry| entry.expect("a file of the runtime").path()).collect();
    sources.sort();
    sources
}

/// The terminal's executable.
fn executable() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let sources = runtime();
        built("terminal", &sources, |output| {
            let sources = sources.iter().filter(|path| path.extension().is_some_and(|extension| extension == "cpp"));
            let objects: Vec<PathBuf> = thread::scope(|scope| {
                let compiling: Vec<_> = sources.map(|source| scope.spawn(|| compile_part(source, output))).collect();
                compiling.into_iter().map(|part| part.join().expect("compile the runtime")).collect()
            });
            // Programs find the runtime's functions in the executable.
            let mut link = Command::new(find("g++").expect("g++"));
            tools::run(link.arg("-rdynamic").args(&objects).args(["-ldl", "-pthread", "-o"]).arg(output));
            for object in objects {
                fs::remove_file(object).expect("remove an object file");
            }
        })
    })
}

fn compile_part(source: &Path, output: &Path) -> PathBuf {
    let name = source.file_stem().expect("a name").to_string_lossy();
    let object = output.with_file_name(format!("{name}-{}.o", std::process::id()));
    let mut command = Command::new(find("g++").expect("g++"));
    tools::run(command.args(FLAGS).arg("-c").arg(source).arg("-o").arg(&object));
    object
}

/// What the C++ compiler says of a source that the translator takes; it has to refuse it.
pub fn compiler_errors(path: &Path) -> String {
    let output = path.with_extension("cpp.d");
    let program = translator::translate(path, &project("mql5/Include"), &output).expect("the translator takes it");
    let mut command = Command::new(find("g++").expect("g++"));
    command.args(FLAGS).args(["-fsyntax-only", "-I"]).arg(project("tests/mql5/runtime")).arg(&program.files[0]);
    let compiled = command.output().expect("run the compiler");
    assert!(!compiled.status.success(), "{} was compiled", path.display());
    String::from_utf8_lossy(&compiled.stderr).into_owned()
}

/// Translates a program, a path below the project, and compiles it.
pub fn program(path: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = project(path);
    let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mql5-{name}-{}", std::process::id()));
    let program = translator::translate(&path, &project("mql5/Include"), &output).unwrap_or_else(|refusals| {
        panic!("{}", refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n"))
    });
    let mut sources = program.files.clone();
    sources.extend(runtime().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "hpp")));
    let module = built(&name, &sources, |module| {
        let mut command = Command::new(find("g++").expect("g++"));
        command.args(FLAGS).args(["-shared", "-fvisibility=hidden", "-I"]).arg(project("tests/mql5/runtime"));
        tools::run(command.args(["-x", "c++"]).arg(&program.files[0]).arg("-o").arg(module));
    });
    let _ = fs::remove_dir_all(output);
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
    /// For each source and kind the line from which on it is read.
    read: BTreeMap<(String, String), usize>,
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
        // What an earlier program of this name has said is not this one's.
        let lines = self.said.0.lock().expect("the lines").lines.len();
        let _ = self.read.entry((name.to_owned(), "init".to_owned())).or_default();
        self.read.iter_mut().filter(|((source, _), _)| source == name).for_each(|(_, next)| *next = lines);
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
    }
}
