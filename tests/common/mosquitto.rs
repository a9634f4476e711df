//! A real Server: Mosquitto, one process per test, on a free port, with its files in a folder of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::tools;
use mt5mqtt::types::QoS;

const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A running Mosquitto; dropping it ends the process and removes its folder.
pub struct Mosquitto {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    /// Of the second listener, if there is one.
    second_port: Option<u16>,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts a Server that lets everybody in and keeps Sessions and retained messages over `restart`.
    /// None when Mosquitto is not installed.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// The same with more lines for mosquitto.conf.
    pub fn start_with(config: &str) -> Option<Self> {
        Self::launch_with(config, None)
    }

    /// The same with a second listener, which has these lines: `certfile`, `protocol websockets`…
    pub fn start_with_listener(config: &str) -> Option<Self> {
        Self::launch_with(config, Some("127.0.0.1"))
    }

    /// The same with a second listener at another address.
    pub fn start_with_listener_at(address: &str, config: &str) -> Option<Self> {
        Self::launch_with(config, Some(address))
    }

    fn launch_with(config: &str, second: Option<&str>) -> Option<Self> {
        let program = tools::find("mosquitto")?;
        // Between choosing a free port and Mosquitto's bind another process may take the port: choose again then.
        for _ in 0..10 {
            let port = free_port();
            let folder = new_folder(port);
            let second_port = second.map(|_| free_port());
            let mut server = Self { program: program.clone(), folder, port, second_port, child: None };
            let listener = second.zip(second_port).map(|(address, port)| format!("listener {port} {address}\n"));
            server.write_config(&format!("{}{config}", listener.unwrap_or_default()));
            if server.launch() {
                return Some(server);
            }
        }
        panic!("Mosquitto found no free port in ten attempts");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port of the second listener.
    pub fn second_port(&self) -> u16 {
        self.second_port.expect("a second listener")
    }

    /// The path of a file in the Server's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The Server's address as `mqtt://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Ends the process at once, as a crash does: no DISCONNECT, nothing saved.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill mosquitto");
            child.wait().expect("end of mosquitto");
        }
    }

    /// Ends the process as its service manager does, which lets it save Sessions and retained messages.
    #[cfg(unix)]
    pub fn stop(&mut self) {
        self.signal("-TERM");
        if let Some(mut child) = self.child.take() {
            let status = child.wait().expect("end of mosquitto");
            assert!(status.success(), "Mosquitto did not save and end, but: {status}\n{}", self.log());
        }
    }

    /// Stops the process as a machine that sleeps does, until `resume`.
    #[cfg(unix)]
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    #[cfg(unix)]
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Has it read its files anew.
    #[cfg(unix)]
    pub fn reload(&self) {
        self.signal("-HUP");
    }

    /// Has it save Sessions and retained messages, which it does each half an hour by itself.
    #[cfg(unix)]
    pub fn save(&self) {
        self.signal("-USR1");
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.file("mosquitto.db").exists() {
            assert!(Instant::now() < deadline, "Mosquitto did not save:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            tools::run(Command::new("kill").args([signal, &child.id().to_string()]));
        }
    }

    /// Starts a new process on the same port, with what the old one has saved; ends the old one first if it runs.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.launch() {
            assert!(Instant::now() < deadline, "Mosquitto did not come back on port {}", self.port);
        }
    }

    /// Publishes with `mosquitto_pub`, which waits for the acknowledgement; `arguments` are its own (`-t`, `-m`, `-q`…).
    pub fn publish(&self, arguments: &[&str]) {
        tools::run(self.client("mosquitto_pub").args(arguments));
    }

    /// Publishes each line as a message of its own, as fast as the Server takes them.
    pub fn publish_lines(&self, topic: &str, qos: QoS, lines: &str) {
        let mut command = self.client("mosquitto_pub");
        command.args(["-t", topic, "-q", &(qos as u8).to_string(), "-l"]).stdin(Stdio::piped());
        let mut child = command.spawn().expect("start mosquitto_pub");
        child.stdin.take().expect("its input").write_all(lines.as_bytes()).expect("write to mosquitto_pub");
        assert!(child.wait().expect("the end of mosquitto_pub").success());
    }

    /// Starts `mosquitto_sub` and returns when its subscription is in force; `arguments` are its own (`-t`, `-q`, `-F`…).
    pub fn subscribe(&self, arguments: &[&str]) -> Subscriber {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let client_id = format!("subscriber-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let mut command = self.client("mosquitto_sub");
        command.args(["-i", &client_id]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("start mosquitto_sub");
        let stdout = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.split(b'\n') {
                let Ok(line) = line else { return };
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        self.wait_for_log(&format!(": {client_id} "));
        Subscriber { child, lines }
    }

    /// Waits until the Server has logged a text.
    pub fn wait_for_log(&self, wanted: &str) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.log().contains(wanted) {
            assert!(Instant::now() < deadline, "Mosquitto did not log '{wanted}':\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the Server has logged: its messages and each subscription as `time: client QoS filter`.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.join("mosquitto.log")).unwrap_or_default()).into_owned()
    }

    fn client(&self, program: &str) -> Command {
        let path = tools::find(program).unwrap_or_else(|| panic!("{program} is not installed, mosquitto is"));
        let mut command = Command::new(path);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command
    }

    fn write_config(&self, more: &str) {
        let folder = self.folder.display();
        // `user root` keeps a Mosquitto that root starts from becoming a user who can't write the folder. By itself Mosquitto throws
        // away what a slow subscriber has not taken, from the thousandth message on; and with no bound for it (0), it ends the
        // connection of whoever publishes what he may not.
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous true\nuser root\npersistence true\npersistence_location {folder}/\n\
             max_queued_messages 1000000\nlog_dest stderr\nlog_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_type subscribe\n{more}\n",
            self.port
        );
        fs::write(self.folder.join("mosquitto.conf"), text).expect("write mosquitto.conf");
    }

    /// Starts the process; true when it accepts connections, false when it ended (its port was taken).
    fn launch(&mut self) -> bool {
        let log = fs::File::create(self.folder.join("mosquitto.log")).expect("create mosquitto.log");
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(self.folder.join("mosquitto.conf")).stdin(Stdio::null());
        command.stdout(log.try_clone().expect("its log")).stderr(log);
        let mut child = command.spawn().expect("start mosquitto");
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            // By its own word: it may be another process that accepts connections there.
            if self.log().contains(" running\n") {
                self.child = Some(child);
                return true;
            }
            if child.try_wait().expect("state of mosquitto").is_some() {
                return false;
            }
            if Instant::now() >= deadline {
                child.kill().expect("kill mosquitto");
                child.wait().expect("end of mosquitto");
                panic!("Mosquitto does not accept connections:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running `mosquitto_sub`.
pub struct Subscriber {
    child: Child,
    lines: Receiver<String>,
}

impl Subscriber {
    /// The next line that it printed for a message; panics when none comes before the deadline.
    #[track_caller]
    pub fn line(&self, deadline: Instant) -> String {
        self.next_line(deadline).expect("a line of mosquitto_sub before the deadline")
    }

    /// The next line that it printed for a message, if it comes before the deadline.
    pub fn next_line(&self, deadline: Instant) -> Option<String> {
        self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nothing listens on at this moment. Not one of those that the operating system gives to clients: while a Server
/// is down, such a port could be taken by any connection, even by one that looks for this very Server.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(61).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 20_000 + (number % 12_000) as u16;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn new_folder(port: u16) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("mt5mqtt-mosquitto-{}-{port}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).expect("create a folder for mosquitto");
    folder
}
