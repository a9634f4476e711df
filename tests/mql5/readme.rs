//! What README.md shows is executed: its Expert Advisor in the terminal, and its signal by the Python library that it names.

use crate::common::certificates::{Authority, Folder, Validity};
use crate::common::mosquitto::Mosquitto;
use crate::common::tools::{self, find, leave_out, project};
use crate::compile::{compiler, program};
use crate::host::Terminal;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// The system's Python has the system's libraries.
const PYTHON: &str = "/usr/bin/python3";
const PAHO: &str = "/usr/lib/python3/dist-packages/paho/mqtt/__init__.py";

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A text that a user copies, with what he puts in its place where the README has an example.
#[derive(Clone)]
struct Shown(String);

impl Shown {
    /// The code of this language.
    fn code(language: &str) -> Self {
        let readme = read("README.md");
        let behind = readme.split_once(&format!("```{language}\n")).expect("a block of that language").1;
        Shown(behind.split_once("```").expect("its end").0.to_owned())
    }

    /// What a file says word by word.
    fn words(file: &str, words: &str) -> Self {
        let text = read(file);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{file} doesn't say {words}");
        Shown(words.to_owned())
    }

    fn with(&self, old: &str, new: &str) -> Self {
        assert!(self.0.contains(old), "{old} is not in\n{}", self.0);
        Shown(self.0.replacen(old, new, 1))
    }
}

fn read(file: &str) -> String {
    fs::read_to_string(project(file)).expect(file).replace("\r\n", "\n")
}

/// A terminal that runs the Expert Advisor, which has subscribed.
fn running(files: &Folder, name: &str, source: &Shown, server: &Mosquitto) -> Terminal {
    let module = program(&files.write(name, &source.0));
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    terminal.load("expert", "readme", &module, ("1", "EURUSD"), &[]);
    assert_eq!(terminal.expect("readme", "init", ""), "0");
    // The terminal has a copy, and another run has another port in its source.
    fs::remove_file(module).expect("remove the program");
    let deadline = deadline();
    while !server.log().contains("mt5/commands") {
        assert!(Instant::now() < deadline, "{}\n{}", terminal.transcript(), server.log());
        thread::sleep(Duration::from_millis(5));
    }
    terminal
}

/// Has Python send the signal.
fn send(files: &Folder, source: &Shown) {
    tools::run(Command::new(PYTHON).arg(files.write("signal.py", &source.0)));
}

#[test]
fn the_readmes_expert_advisor_publishes_and_gets_the_readmes_signal() {
    let leg = "what README.md shows";
    let Some(()) = compiler(leg) else { return };
    let missing = [PYTHON, PAHO].into_iter().find(|path| !Path::new(path).is_file());
    if let Some(missing) = missing.or(["mosquitto", "mosquitto_passwd"].into_iter().find(|tool| find(tool).is_none())) {
        return leave_out(leg, missing);
    }
    let (expert, signal) = (Shown::code("mql5"), Shown::code("python"));
    let files = Folder::new();

    let server = Mosquitto::start().expect("mosquitto");
    let listening = server.subscribe(&["-t", "mt5/bid", "-F", "%p"]);
    let expert_here = expert.with("mqtt://127.0.0.1:1883", &server.url());
    let mut terminal = running(&files, "Plain.mq5", &expert_here, &server);
    send(&files, &signal.with("port=1883", &format!("port={}", server.port())));
    assert_eq!(terminal.expect("readme", "print", ""), "mt5/commands: buy EURUSD 0.10");
    terminal.command(&["tick", "EURUSD", "1.08512", "1.08520"]);
    assert_eq!(listening.line(deadline()), "1.08512");
    terminal.close();

    let authority = Authority::new("Test CA");
    let ca = files.write("ca.crt", &authority.certificate);
    let passwords = files.path().join("passwords");
    tools::run(
        Command::new(find("mosquitto_passwd").expect("it")).args(["-b", "-c"]).arg(&passwords).args(["me", "secret"]),
    );
    let listener = files.listener(&authority.issue("broker", &["127.0.0.1"], Validity::Now));
    let rules = format!("{listener}allow_anonymous false\npassword_file {}\n", passwords.display());
    let server = Mosquitto::start_with_listener(&rules).expect("mosquitto");
    let port = server.second_port().to_string();
    let connecting = Shown::words("README.md", r#"SetUrl("mqtts://<host>:8883") && SetCredentials("me","secret")"#)
        .with("<host>:8883", &format!("127.0.0.1:{port}"))
        .with("&& Set", "&& ExtClient.Set");
    let trusting =
        Shown::words("README.md", r#"SetOptionString(MT5MQTT_OPT_TLS_CA,"C:\\ca.crt")"#).with(r"C:\\ca.crt", &ca);
    let secure =
        expert.with(r#"SetUrl("mqtt://127.0.0.1:1883")"#, &format!("{} && ExtClient.{}", connecting.0, trusting.0));
    let mut terminal = running(&files, "Secure.mq5", &secure, &server);
    let words = r#"port=8883, tls={}, auth={"username": "me", "password": "secret"}"#;
    let words =
        Shown::words("README.md", words).with("8883", &port).with("tls={}", &format!(r#"tls={{"ca_certs": "{ca}"}}"#));
    send(&files, &signal.with("port=1883", &words.0));
    assert_eq!(terminal.expect("readme", "print", ""), "mt5/commands: buy EURUSD 0.10");
    terminal.close();
}

/// A script with what mql5/README.md shows before and in place of the connecting of `client`; returns the module.
fn script(files: &Folder, name: &str, connecting: &str) -> PathBuf {
    let source = format!(
        "#include <Mt5Mqtt\\Mt5Mqtt.mqh>\nvoid OnStart(void)\n  {{\n   CMqttClient client;\n   CMqttMessage message;\n   \
         if({connecting} && client.Wait(10000) && client.Next(message))\n      \
         Print(message.Kind()==MT5MQTT_EVENT_CONNECTED);\n  }}\n",
    );
    program(&files.write(name, &source))
}

#[test]
fn the_mql5_readmes_shared_connection_and_log_are_as_it_says() {
    let leg = "what mql5/README.md shows";
    let Some(()) = compiler(leg) else { return };
    let Some(server) = Mosquitto::start() else { return leave_out(leg, "mosquitto") };
    let url = format!("\"{}\"", server.url());
    let files = Folder::new();
    let shared = r#"client.CreateShared("main","feed EURUSD") && client.SetUrl(InpUrl) && client.SetClientId("terminal-7") && client.Connect()"#;
    let shared = Shown::words("mql5/README.md", shared).with("InpUrl", &url);
    let log = files.path().join("mqtt.log");
    let level = Shown::words("mql5/README.md", "client.SetOptionInteger(MT5MQTT_OPT_LOG_LEVEL,4)");
    let file = Shown::words("mql5/README.md", r#"client.SetOptionString(MT5MQTT_OPT_LOG_FILE,"C:\\mqtt.log")"#)
        .with(r"C:\\mqtt.log", &log.display().to_string());
    let client = format!("client.SetUrl({url}) && client.SetClientId(\"my-ea\")");
    let logging = format!(
        "{client} && {} && {} && client.SetOptionInteger(MT5MQTT_OPT_LOG_EVENTS,0) && client.Connect()",
        level.0, file.0
    );
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD"]);
    for (name, connecting) in [("shared", &shared.0), ("logging", &logging)] {
        let module = script(&files, &format!("{name}.mq5"), connecting);
        terminal.load("script", name, &module, ("1", "EURUSD"), &[]);
        assert_eq!(terminal.expect(name, "print", ""), "true");
        terminal.expect(name, "ended", "");
        fs::remove_file(module).expect("remove the program");
    }
    terminal.close();
    assert!(server.log().contains("as terminal-7 "), "{}", server.log());
    let logged = fs::read_to_string(log).expect("the log");
    let line = Shown::words("mql5/README.md", "Z info [my-ea] connected: a new Session").0;
    assert!(logged.contains(&line), "{logged}");
}
