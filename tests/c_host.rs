//! A C program, compiled against the header and linked to the built library, publishes and subscribes over a real
//! Mosquitto: what a C or C++ user does first.

mod common;

use common::folder::Folder;
use common::library;
use common::mosquitto::{Mosquitto, free_port};
use common::tools::{self, find, leave_out, project};
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(20);

/// The compiled examples/c/pubsub.c, in a folder of its own.
struct Pubsub {
    folder: PathBuf,
}

/// tests/sanitizers.sh instruments the hosts.
fn instrumentation() -> Vec<String> {
    std::env::var("MT5MQTT_CFLAGS").unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Compiles a C program against the header, and links it to the library.
fn compile(compiler: impl AsRef<OsStr>, standard: &str, source: &str, output: &Path) {
    let mut command = Command::new(compiler);
    command.arg(format!("-std={standard}")).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-I"]);
    command.arg(project("include")).arg(project(source)).arg(library::path());
    command.arg(format!("-Wl,-rpath,{}", library::folder().display()));
    command.args(instrumentation());
    tools::run(command.arg("-o").arg(output));
}

impl Pubsub {
    /// None, reported as left out, where there is no C compiler.
    fn compile(test: &str) -> Option<Self> {
        let Some(compiler) = ["cc", "gcc", "clang"].into_iter().find_map(find).filter(|_| cfg!(unix)) else {
            leave_out("the C host", "a C compiler on a Unix system");
            return None;
        };
        let folder = std::env::temp_dir().join(format!("mt5mqtt-c-host-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("create a folder");
        compile(&compiler, "c11", "examples/c/pubsub.c", &folder.join("pubsub"));
        Some(Self { folder })
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.folder.join("pubsub"));
        command.arg(url).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end, within the time of a test.
    fn run(&self, url: &str, arguments: &[&str]) -> Output {
        finish(self.command(url, arguments).spawn().expect("start pubsub"))
    }
}

impl Drop for Pubsub {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits for the end of a process; kills it and panics when it takes too long.
fn finish(mut child: Child) -> Output {
    let deadline = Instant::now() + TIMEOUT;
    while child.try_wait().expect("state of pubsub").is_none() {
        if Instant::now() >= deadline {
            child.kill().expect("kill pubsub");
            panic!("pubsub did not end: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("output of pubsub")
}

/// The subscriber, subscribed.
fn subscriber(pubsub: &Pubsub, url: &str, filter: &str, count: &str) -> Child {
    let mut child = pubsub.command(url, &["sub", filter, count]).spawn().expect("start pubsub");
    let mut errors = BufReader::new(child.stderr.take().expect("its standard error"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let _ = errors.read_line(&mut line);
        let _ = sender.send(line);
        // Keep the pipe open and empty until the process ends.
        let _ = errors.read_to_end(&mut Vec::new());
    });
    let line = receiver.recv_timeout(TIMEOUT);
    if !line.as_ref().is_ok_and(|line| line.starts_with("subscribed to ")) {
        let _ = child.kill();
        panic!("pubsub did not subscribe: {line:?}");
    }
    child
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn two_c_hosts_exchange_messages_with_each_qos() {
    let Some(pubsub) = Pubsub::compile("exchange") else { return };
    let Some(server) = Mosquitto::start() else {
        return leave_out("two C hosts over a Server", "mosquitto");
    };
    let receiving = subscriber(&pubsub, &server.url(), "mt5/+/command", "3");
    for (qos, payload) in [("0", "buy 0.10"), ("1", "Привет, 世界 🌍"), ("2", "")] {
        let output = pubsub.run(&server.url(), &["pub", "mt5/7/command", payload, qos]);
        assert!(output.status.success(), "QoS {qos}: {output:?}");
    }
    let output = finish(receiving);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "mt5/7/command buy 0.10\nmt5/7/command Привет, 世界 🌍\nmt5/7/command \n");
}

#[test]
fn the_c_host_speaks_with_mosquittos_own_clients() {
    let Some(pubsub) = Pubsub::compile("mosquitto") else { return };
    let Some(server) = Mosquitto::start() else {
        return leave_out("the C host with mosquitto_pub and mosquitto_sub", "mosquitto");
    };
    let deadline = Instant::now() + TIMEOUT;
    let listening = server.subscribe(&["-t", "from/c/#", "-q", "2", "-F", "%t %q %p"]);
    for qos in ["0", "1", "2"] {
        let output = pubsub.run(&server.url(), &["pub", &format!("from/c/{qos}"), "text", qos]);
        assert!(output.status.success(), "QoS {qos}: {output:?}");
        assert_eq!(listening.line(deadline), format!("from/c/{qos} {qos} text"));
    }

    // Retained: it is there before the subscriber is.
    server.publish(&["-t", "to/c", "-m", "kept", "-q", "1", "-r"]);
    let output = pubsub.run(&server.url(), &["sub", "to/c", "1"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(text(&output.stdout), "to/c kept\n");
}

#[test]
fn failures_are_clear_and_end_with_an_exit_code() {
    let Some(pubsub) = Pubsub::compile("failures") else { return };
    let nobody = format!("mqtt://127.0.0.1:{}", free_port());
    for (url, arguments, code, word) in [
        (nobody.as_str(), &["pub", "a", "b"][..], 1, "connect: "),
        ("http://127.0.0.1", &["pub", "a", "b"], 1, "URL: "),
        (&nobody, &["pub", "a"], 2, "usage: "),
        (&nobody, &["pub", "a", "b", "3"], 2, "usage: "),
        (&nobody, &["sub", "a", "-1"], 2, "usage: "),
        (&nobody, &["watch", "a"], 2, "usage: "),
    ] {
        let output = pubsub.run(url, arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{url} {arguments:?}: {errors}");
        assert!(errors.contains(word) && errors.trim().len() > word.len(), "{url} {arguments:?}: {errors}");
    }
    let Some(server) = Mosquitto::start() else {
        return leave_out("a wrong topic in the C host", "mosquitto");
    };
    for arguments in [&["pub", "a/#", "b"][..], &["sub", "a/#/b"]] {
        let output = pubsub.run(&server.url(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        assert!(text(&output.stderr).len() > "pubsub: publish: \n".len(), "{output:?}");
    }
    let refusing = Mosquitto::start_with("allow_anonymous false\n").expect("mosquitto");
    let output = pubsub.run(&refusing.url(), &["pub", "a", "b"]);
    let errors = text(&output.stderr);
    assert_eq!((output.status.code(), errors.matches("Not authorized").count()), (Some(1), 1), "{errors}");
}

/// Where the C host links the library from, in place of the folder that a text for users names.
fn linking(command: &str, output: &Path) -> String {
    let folder = library::folder().display().to_string();
    let here = command.replace("$PWD/target/release", &folder).replace("target/release", &folder);
    here.replace("-o pubsub", &format!("-o '{}'", output.display()))
}

#[test]
fn the_commands_that_the_texts_show_build_the_c_host() {
    if !cfg!(unix) || tools::lacks("the texts' commands", "cc") {
        return;
    }
    let folder = Folder::new("c-commands");
    for text in ["README.md", "examples/c/README.md"] {
        let lines = fs::read_to_string(project(text)).expect(text);
        let command = lines.lines().find(|line| line.starts_with("    cc ")).expect("a command");
        let output = folder.path().join("pubsub");
        tools::run(Command::new("sh").arg("-c").arg(linking(command, &output)).current_dir(project("")));
        let usage = Command::new(&output).output().expect("run pubsub");
        assert_eq!(usage.status.code(), Some(2), "{text}: {usage:?}");
        fs::remove_file(output).expect("remove pubsub");
    }
}

/// Linked as README.md says, in C and in C++.
#[test]
fn the_headers_example_gets_its_message_back() {
    if !cfg!(unix) || ["cc", "c++", "mosquitto"].iter().any(|tool| tools::lacks("the header's example", tool)) {
        return;
    }
    let header = fs::read_to_string(project("include/mt5mqtt.h")).expect("the header").replace("\r\n", "\n");
    let example = header.split_once(" * An example").expect("an example").1;
    let example = example.split_once("\n */").expect("its end").0;
    let code: String =
        example.lines().skip(2).map(|line| format!("{}\n", line.strip_prefix(" *   ").unwrap_or_default())).collect();
    let folder = Folder::new("header-example");
    let server = Mosquitto::start().expect("mosquitto");
    for (compiler, standard, extension) in [("cc", "c99", "c"), ("c++", "c++17", "cpp")] {
        let run = |url: &str| {
            assert!(code.contains("mqtt://127.0.0.1:1883"), "{code}");
            let source = folder.path().join(format!("example.{extension}"));
            fs::write(&source, code.replace("mqtt://127.0.0.1:1883", url)).expect("write the example");
            let output = folder.path().join("example");
            let mut command = Command::new(compiler);
            command.args(["-Wall", "-Wextra", "-pedantic", "-Werror"]).arg(format!("-std={standard}"));
            command.arg("-I").arg(project("include")).arg(source).arg(library::path());
            command.arg(format!("-Wl,-rpath,{}", library::folder().display())).args(instrumentation());
            command.arg("-o").arg(&output);
            tools::run(&mut command);
            let mut command = Command::new(output);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            finish(command.spawn().expect("start the example"))
        };
        let output = run(&server.url());
        assert_eq!((output.status.code(), &*text(&output.stdout)), (Some(0), "buy 0.10\n"), "{output:?}");
        let output = run("http://127.0.0.1");
        assert!(output.status.code() == Some(1) && text(&output.stdout).contains("unknown scheme"), "{output:?}");
    }
}

#[test]
fn a_process_that_fork_made_has_shared_connections_of_its_own() {
    if !cfg!(unix) || tools::lacks("a shared connection in a process that fork made", "cc") {
        return;
    }
    let folder = Folder::new("forked");
    let program = folder.path().join("forked");
    compile("cc", "gnu11", "tests/abi/forked.c", &program);
    let mut command = Command::new(program);
    command.arg(format!("mqtt://127.0.0.1:{}", free_port())).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = finish(command.spawn().expect("start forked"));
    assert!(output.status.success(), "{}", text(&output.stderr));
}
