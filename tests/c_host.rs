//! A C program, compiled against the header and linked to the built library, publishes and subscribes over a real
//! Mosquitto: what a C or C++ user does first.

mod common;

use common::library;
use common::mosquitto::{Mosquitto, free_port};
use common::tools::{self, find, leave_out, project};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(20);

/// The compiled examples/c/pubsub.c, in a folder of its own.
struct Pubsub {
    folder: PathBuf,
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
        let mut command = Command::new(compiler);
        command.args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O1", "-I"]);
        command.arg(project("include")).arg(project("examples/c/pubsub.c")).arg(library::path());
        command.arg(format!("-Wl,-rpath,{}", library::folder().display()));
        // tests/sanitizers.sh instruments the host.
        command.args(std::env::var("MT5MQTT_CFLAGS").unwrap_or_default().split_whitespace());
        tools::run(command.arg("-o").arg(folder.join("pubsub")));
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
}
