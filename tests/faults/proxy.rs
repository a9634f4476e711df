//! The line between a client and the Server: a TCP proxy that does what the plan says, and records every packet.

use crate::plan::{ConnectionPlan, LineFault, LineFaults, Passage, PlannedFault};
use crate::wire::{From, Reader, Record};
use fastrand::Rng;
use mt5mqtt::types::ProtocolVersion;
use socket2::SockRef;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

pub struct Line {
    shared: Arc<Shared>,
    port: u16,
}

struct Shared {
    server_port: u16,
    version: ProtocolVersion,
    seed: u64,
    faults: LineFaults,
    record: Arc<Record>,
    /// No more faults.
    calm: AtomicBool,
    ended: AtomicBool,
    connections: AtomicU64,
    /// Faults that happened.
    happened: AtomicU64,
    live: Mutex<Vec<Weak<Connection>>>,
}

struct Connection {
    number: u64,
    client: TcpStream,
    server: TcpStream,
    /// Nothing passes before this time.
    stalled: Mutex<Option<Instant>>,
    over: Condvar,
    cut: AtomicBool,
}

impl Line {
    /// A line to a Server on this machine.
    pub fn new(server_port: u16, version: ProtocolVersion, seed: u64, faults: LineFaults) -> Line {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a free port");
        let port = listener.local_addr().expect("the line's address").port();
        let shared = Arc::new(Shared {
            server_port,
            version,
            seed,
            faults,
            record: Arc::default(),
            calm: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            happened: AtomicU64::new(0),
            live: Mutex::default(),
        });
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.ended.load(Ordering::Acquire) {
                    return;
                }
                // The listener may be out of descriptors for a moment; the client tries again.
                if let Ok(client) = client {
                    accepting.connect(client);
                }
            }
        });
        Line { shared, port }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub fn record(&self) -> Arc<Record> {
        self.shared.record.clone()
    }

    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Acquire)
    }

    pub fn happened(&self) -> u64 {
        self.shared.happened.load(Ordering::Acquire)
    }

    /// Ends all connections of this moment.
    pub fn cut_all(&self) {
        for connection in self.shared.live.lock().expect("no panic under this lock").drain(..) {
            if let Some(connection) = connection.upgrade() {
                connection.cut(false);
            }
        }
    }

    /// From now on connections last.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::Release);
        self.cut_all();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        self.cut_all();
    }
}

impl Shared {
    fn connect(self: &Arc<Self>, client: TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::AcqRel);
        let calm = self.calm.load(Ordering::Acquire);
        let plan =
            if calm { ConnectionPlan::UNDISTURBED } else { ConnectionPlan::new(self.seed, number, &self.faults) };
        if plan.fault.as_ref().is_some_and(|planned| planned.fault == LineFault::Refuse) {
            self.happened.fetch_add(1, Ordering::AcqRel);
            return;
        }
        // A Server that is down: the client sees its connection accepted and closed.
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.server_port)) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("TCP_NODELAY");
        }
        let connection = Arc::new(Connection {
            number,
            client,
            server,
            stalled: Mutex::new(None),
            over: Condvar::new(),
            cut: AtomicBool::new(false),
        });
        let mut live = self.live.lock().expect("no panic under this lock");
        live.retain(|connection| connection.strong_count() > 0);
        live.push(Arc::downgrade(&connection));
        drop(live);
        if !calm && self.calm.load(Ordering::Acquire) {
            // It was planned before the calm and is not among those that were cut.
            connection.cut(false);
        }
        for from in [From::Client, From::Server] {
            let (shared, connection, plan) = (self.clone(), connection.clone(), plan.clone());
            thread::spawn(move || Pump::new(&shared, &connection, from, &plan).run());
        }
    }
}

impl Connection {
    fn cut(&self, reset: bool) {
        self.cut.store(true, Ordering::Release);
        self.over.notify_all();
        for stream in [&self.client, &self.server] {
            if reset {
                let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
            } else {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        if reset {
            // The RST goes out when the sockets are closed, which is when both directions have ended. None may wait in a read.
            let _ = self.client.shutdown(Shutdown::Read);
            let _ = self.server.shutdown(Shutdown::Read);
        }
    }

    fn stall(&self, until: Instant) {
        *self.stalled.lock().expect("no panic under this lock") = Some(until);
    }

    /// Waits while nothing may pass.
    fn wait_while_stalled(&self) {
        let mut stalled = self.stalled.lock().expect("no panic under this lock");
        while let Some(until) = *stalled
            && !self.cut.load(Ordering::Acquire)
        {
            // A cut that falls between the look and the wait is seen a moment later.
            let left = until.saturating_duration_since(Instant::now()).min(Duration::from_millis(50));
            if left.is_zero() {
                return;
            }
            stalled = self.over.wait_timeout(stalled, left).expect("no panic under this lock").0;
        }
    }
}

/// One direction of a connection.
struct Pump<'a> {
    shared: &'a Shared,
    connection: &'a Connection,
    from: From,
    planned: Option<&'a PlannedFault>,
    passage: Passage,
    rng: Rng,
    passed: u64,
}

/// Whether the direction goes on.
type Goes = bool;

impl<'a> Pump<'a> {
    fn new(shared: &'a Shared, connection: &'a Connection, from: From, plan: &'a ConnectionPlan) -> Self {
        let planned = plan.fault.as_ref().filter(|planned| planned.of_client == (from == From::Client));
        let rng = Rng::with_seed(plan.seed ^ from as u64);
        Pump { shared, connection, from, planned, passage: plan.passage, rng, passed: 0 }
    }

    fn ends(&self) -> (&'a TcpStream, &'a TcpStream) {
        match self.from {
            From::Client => (&self.connection.client, &self.connection.server),
            From::Server => (&self.connection.server, &self.connection.client),
        }
    }

    fn run(mut self) {
        let (mut from, to) = self.ends();
        let mut reader = Reader::new(self.from, self.connection.number, self.shared.version);
        let mut buffer = vec![0; 16 * 1024];
        loop {
            self.connection.wait_while_stalled();
            match from.read(&mut buffer) {
                Ok(0) => {
                    // The other direction goes on until its end.
                    let _ = to.shutdown(Shutdown::Write);
                    return;
                }
                Ok(count) => {
                    reader.read(&buffer[..count], &self.shared.record);
                    if !self.pass(&buffer[..count]) {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.connection.cut(false),
            }
        }
    }

    /// Passes bytes on, until the planned fault if it lies among them.
    fn pass(&mut self, bytes: &[u8]) -> Goes {
        let before = match self.planned {
            Some(planned) => planned.after.saturating_sub(self.passed).min(bytes.len() as u64) as usize,
            None => bytes.len(),
        };
        if !self.write(&bytes[..before]) {
            return false;
        }
        self.passed += before as u64;
        let Some(planned) = self.planned.take_if(|planned| self.passed >= planned.after) else { return true };
        self.shared.happened.fetch_add(1, Ordering::AcqRel);
        self.happen(planned) && self.write(&bytes[before..])
    }

    fn happen(&self, planned: &PlannedFault) -> Goes {
        match planned.fault {
            LineFault::Cut | LineFault::Refuse => {
                self.connection.cut(false);
                false
            }
            LineFault::Reset => {
                self.connection.cut(true);
                false
            }
            LineFault::HalfCloseToClient => {
                let _ = self.connection.client.shutdown(Shutdown::Write);
                true
            }
            LineFault::HalfCloseToServer => {
                let _ = self.connection.server.shutdown(Shutdown::Write);
                true
            }
            LineFault::Stall => {
                self.connection.stall(Instant::now() + planned.duration);
                self.connection.wait_while_stalled();
                !self.connection.cut.load(Ordering::Acquire)
            }
            LineFault::BlackHole => {
                // Until the calm, or for longer than any round.
                self.connection.stall(Instant::now() + Duration::from_secs(600));
                self.connection.wait_while_stalled();
                false
            }
        }
    }

    fn write(&mut self, mut bytes: &[u8]) -> Goes {
        let (_, mut to) = self.ends();
        while !bytes.is_empty() {
            self.connection.wait_while_stalled();
            let size = match self.passage {
                Passage::Split => match self.rng.u8(..4) {
                    0 => 1,
                    1 => self.rng.usize(1..8),
                    _ => self.rng.usize(1..4096),
                },
                _ => bytes.len(),
            };
            if self.passage == Passage::Delayed {
                thread::sleep(Duration::from_millis(self.rng.u64(..20)));
            }
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            if to.write_all(piece).is_err() {
                // After a half close the rest has nowhere to go, but the other direction may still be in use.
                return false;
            }
            bytes = rest;
        }
        true
    }
}
