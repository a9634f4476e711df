//! A background thread that can't be started: connect says so, takes back what it had begun, and may be called again.

mod common;

use common::fake_server::FakeServer;
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::client::thread::{Body, Hooks, Left, set_hooks};
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::{Failure, Status};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Whether the system has a thread for us.
static THREADS: AtomicBool = AtomicBool::new(false);

struct Joined(JoinHandle<()>);

impl Left for Joined {
    fn wait(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        while !self.0.is_finished() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        self.0.is_finished()
    }
}

fn spawn(body: Body) -> io::Result<Box<dyn Left>> {
    if !THREADS.load(Ordering::SeqCst) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    Ok(Box::new(Joined(std::thread::Builder::new().spawn(move || _ = body())?)))
}

#[test]
fn a_thread_that_cannot_be_started_leaves_an_idle_client_that_can_connect_later() {
    set_hooks(Hooks { hold: || {}, hold_in_background: || true, release: || {}, spawn });
    let mut server = FakeServer::start();
    let program = Program::new(&server.url(), &[]);
    for _ in 0..3 {
        let Failure { status, text } = program.connect().expect_err("there is no thread");
        assert_eq!(status, Status::Thread, "{text}");
        assert_eq!(program.state(), State::Idle);
        // What was begun is closed.
        let mut said = Vec::new();
        server.accept().into_stream().read_to_end(&mut said).expect("an end");
        // That a connection was there already is told as every other end.
        assert_eq!(program.expect_disconnected().failure.unwrap_or(Status::Thread), Status::Thread);
    }
    THREADS.store(true, Ordering::SeqCst);
    program.connect().expect("a thread");
    let mut peer = server.accept_mqtt();
    program.expect_connected();
    program.send("after all", QoS::AtMostOnce);
    peer.expect_publish("after all");
}
