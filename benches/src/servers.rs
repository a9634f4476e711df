//! The two Servers as processes: a real Mosquitto, and the minimal one of `server.rs`.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Server {
    child: Child,
    pub port: u16,
    folder: Option<PathBuf>,
}

impl Server {
    pub fn minimal() -> Server {
        let own = std::env::current_exe().expect("this program");
        let mut child =
            Command::new(own).arg("server").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the Server");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("its output")).read_line(&mut line).expect("its port");
        Server { child, port: line.trim().parse().expect("a port"), folder: None }
    }

    /// Mosquitto without limits of its own on what is in flight or queued.
    pub fn mosquitto() -> Server {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let folder = std::env::temp_dir().join(format!("mt5mqtt-benches-{port}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = format!(
            "listener {port} 127.0.0.1\nallow_anonymous true\nuser root\nset_tcp_nodelay true\n\
             max_inflight_messages 0\nmax_queued_messages 0\nlog_type error\n"
        );
        let file = folder.join("mosquitto.conf");
        std::fs::write(&file, text).expect("write mosquitto.conf");
        let child = Command::new("mosquitto")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto (Debian: apt-get install mosquitto)");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "Mosquitto didn't come up");
            std::thread::sleep(Duration::from_millis(10));
        }
        Server { child, port, folder: Some(folder) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
