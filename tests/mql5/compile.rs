//! Compiles the runtime and translated programs: for Linux, or for Windows, where Wine runs them.
//!
//! With `MT5MQTT_WINDOWS_DLL`, the path of a built mt5mqtt.dll, the same tests run on the other side: 16 bits in `wchar_t`,
//! the calling convention of Windows, its loader, and that DLL. `tests/windows/run.sh` sets it.

use crate::common::library;
use crate::common::tools::{self, find, leave_out, project};
use crate::translator::{self, Refusal};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use std::thread;

/// `-Wconversion` stands for MetaEditor's "possible loss of data due to type conversion". Unused parameters are no fault
/// in MQL5: a handler's parameters are given.
const FLAGS: [&str; 7] = ["-std=c++17", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Wno-unused-parameter", "-Werror"];
/// What MetaEditor warns of in programs alone: "declaration of 'x' hides member", local or global variable.
const PROGRAM_FLAGS: [&str; 1] = ["-Wshadow"];
const LINUX_FLAGS: [&str; 2] = ["-fPIC", "-fno-gnu-unique"];
/// The C library's own formats differ from the standard's.
const WINDOWS_FLAGS: [&str; 1] = ["-D__USE_MINGW_ANSI_STDIO=1"];

fn windows_dll() -> Option<PathBuf> {
    env::var_os("MT5MQTT_WINDOWS_DLL").map(PathBuf::from)
}

fn is_for_windows() -> bool {
    windows_dll().is_some()
}

/// std::thread needs the variant with POSIX threads.
fn cpp() -> Command {
    let name = if is_for_windows() { "x86_64-w64-mingw32-g++-posix" } else { "g++" };
    let mut command = Command::new(find(name).expect(name));
    command.args(FLAGS);
    if is_for_windows() {
        command.args(WINDOWS_FLAGS)
    } else {
        command.args(LINUX_FLAGS)
    };
    command
}

/// Whether the host can be built and run here; reported as left out where it can't.
pub fn compiler(leg: &str) -> Option<()> {
    let needs: &[&str] = if is_for_windows() { &["x86_64-w64-mingw32-g++-posix", "wine"] } else { &["g++"] };
    if !cfg!(target_os = "linux") {
        leave_out(leg, "Linux");
        return None;
    }
    for tool in needs {
        if tools::lacks(leg, tool) {
            return None;
        }
    }
    Some(())
}

/// The library under test.
pub fn library() -> PathBuf {
    windows_dll().unwrap_or_else(library::path)
}

/// A path as the terminal has to be told it: Wine sees the root of Linux as drive Z.
pub fn as_terminal_sees(path: &Path) -> String {
    let path = path.display().to_string();
    if is_for_windows() { format!("Z:{}", path.replace('/', "\\")) } else { path }
}

/// What was built from the same sources before, or is built now. `build` gets the path to write, a file or a folder.
fn built(name: &str, sources: &[PathBuf], build: impl FnOnce(&Path)) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (FLAGS, PROGRAM_FLAGS, LINUX_FLAGS, WINDOWS_FLAGS).hash(&mut hasher);
    for source in sources {
        source.file_name().hash(&mut hasher);
        fs::read(source).unwrap_or_else(|error| panic!("{}: {error}", source.display())).hash(&mut hasher);
    }
    let system = if is_for_windows() { "mql5-windows" } else { "mql5" };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(system);
    fs::create_dir_all(&folder).expect("create a folder for the host");
    let target = folder.join(format!("{name}-{:016x}", hasher.finish()));
    if !target.exists() {
        // Another run may build the same at this moment: each writes a file of its own and moves it in place.
        // The linker for Windows would add an extension to a name that has none.
        let own = folder.join(format!("{name}-{}.new", std::process::id()));
        build(&own);
        if let Err(error) = fs::rename(&own, &target) {
            assert!(target.is_dir(), "{}: {error}", own.display());
            fs::remove_dir_all(own).expect("remove what another run has built, too");
        }
    }
    target
}

fn runtime() -> Vec<PathBuf> {
    let entries = fs::read_dir(project("tests/mql5/runtime")).expect("the runtime");
    let mut sources: Vec<PathBuf> = entries.map(|entry| entry.expect("a file of the runtime").path()).collect();
    sources.sort();
    sources
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension == wanted)
}

/// The folder of the terminal's executable, which for Windows has the import library for programs beside it.
fn terminal_folder() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let sources = runtime();
        built("terminal", &sources, |folder| {
            fs::create_dir_all(folder).expect("create a folder for the terminal");
            let sources = sources.iter().filter(|path| has_extension(path, "cpp"));
            let objects: Vec<PathBuf> = thread::scope(|scope| {
                let compiling: Vec<_> = sources.map(|source| scope.spawn(|| compile_part(source, folder))).collect();
                compiling.into_iter().map(|part| part.join().expect("compile the runtime")).collect()
            });
            // Programs find the runtime's functions in the executable.
            let mut link = cpp();
            link.args(&objects);
            if is_for_windows() {
                let import =
                    format!("-Wl,--export-all-symbols,--out-implib,{}", folder.join("libterminal.a").display());
                link.arg(import).arg("-o").arg(folder.join("terminal.exe"));
            } else {
                link.args(["-rdynamic", "-ldl", "-pthread", "-o"]).arg(folder.join("terminal"));
            }
            tools::run(&mut link);
            for object in objects {
                fs::remove_file(object).expect("remove an object file");
            }
        })
    })
}

fn compile_part(source: &Path, folder: &Path) -> PathBuf {
    let object = folder.join(source.file_name().expect("a name")).with_extension("o");
    tools::run(cpp().arg("-c").arg(source).arg("-o").arg(&object));
    object
}

/// A terminal to be started.
pub fn terminal() -> Command {
    if !is_for_windows() {
        return Command::new(terminal_folder().join("terminal"));
    }
    let mut command = Command::new(find("wine").expect("wine"));
    command.arg(terminal_folder().join("terminal.exe"));
    // Where the compiler keeps the DLLs that its programs need.
    let folders = ["libstdc++-6.dll", "libwinpthread-1.dll"].map(|name| {
        let found = PathBuf::from(tools::run(cpp().arg(format!("-print-file-name={name}"))).trim());
        let found = found.canonicalize().unwrap_or_else(|error| panic!("{name}: {error}"));
        as_terminal_sees(found.parent().expect("its folder"))
    });
    command.env("WINEPATH", folders.join(";"));
    command
}

/// What the C++ compiler says of a source that the translator takes; it has to refuse it.
pub fn compiler_errors(path: &Path) -> String {
    let output = path.with_extension("cpp.d");
    let program = translator::translate(path, &project("mql5/Include"), &output).expect("the translator takes it");
    let mut command = cpp();
    command.args(PROGRAM_FLAGS).args(["-fsyntax-only", "-I"]).arg(project("tests/mql5/runtime")).arg(&program.files[0]);
    let compiled = command.output().expect("run the compiler");
    assert!(!compiled.status.success(), "{} was compiled", path.display());
    String::from_utf8_lossy(&compiled.stderr).into_owned()
}

/// A program, a path below the project, translated and compiled: once in a process, whose sources stay as they are.
pub fn program(path: &str) -> PathBuf {
    static COMPILED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    // Also one at a time, as each is the compiler's whole attention for a while.
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    compiled.entry(path.to_owned()).or_insert_with(|| compile(&project(path))).clone()
}

fn compile(path: &Path) -> PathBuf {
    let name = path.file_stem().expect("a file name").to_string_lossy().into_owned();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mql5-{name}-{}", std::process::id()));
    let program = translator::translate(path, &project("mql5/Include"), &output).unwrap_or_else(|refusals| {
        panic!("{}", refusals.iter().map(Refusal::to_string).collect::<Vec<_>>().join("\n"))
    });
    let mut sources = program.files.clone();
    sources.extend(runtime().into_iter().filter(|path| has_extension(path, "hpp")));
    let module = built(&name, &sources, |module| {
        let mut command = cpp();
        command.args(PROGRAM_FLAGS).args(["-shared", "-I"]).arg(project("tests/mql5/runtime"));
        command.args(["-x", "c++"]).arg(&program.files[0]).args(["-x", "none", "-o"]).arg(module);
        if is_for_windows() {
            command.arg("-Wl,--wrap=atexit").arg(terminal_folder().join("libterminal.a"));
        } else {
            command.arg("-fvisibility=hidden");
        }
        tools::run(&mut command);
    });
    let _ = fs::remove_dir_all(output);
    module
}

/// Compiles a library in C, which the caller removes.
pub fn c_library(name: &str, code: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.c", std::process::id()));
    let library = source.with_extension(if is_for_windows() { "dll" } else { "so" });
    fs::write(&source, code).expect("write a source");
    let compiler = if is_for_windows() { "x86_64-w64-mingw32-gcc" } else { "gcc" };
    let mut command = Command::new(find(compiler).expect("gcc beside g++"));
    tools::run(command.args(["-shared", "-fPIC", "-Wall", "-Wextra", "-o"]).arg(&library).arg(&source));
    fs::remove_file(source).expect("remove a source");
    library
}
