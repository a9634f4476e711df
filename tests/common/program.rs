//! The program that uses a client, with deadlines: what it waits for comes in time, or the test says what was missing.

use super::fake_server::{FakeServer, Peer};
use super::folder::Folder;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::client::{Client, State};
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::{Properties, PropertiesBuf};
use mt5mqtt::codec::subscribe::{RetainHandling, SubscriptionOptions};
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::event::{Delivery, Disconnected, Event, Outcome, Token};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::{Failure, Status};
use mt5mqtt::types::topic::{TopicFilter, TopicName};
use mt5mqtt::types::{PacketType, QoS};
use std::ops::Deref;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The longest that anything here waits: far more than a busy machine needs.
const DEADLINE: Duration = Duration::from_secs(15);

pub struct Program {
    pub client: Client,
    /// The lines of the log that came between the events.
    pub log: Mutex<Vec<String>>,
    /// Messages of a shared connection that it was told it has missed.
    pub missed: Mutex<u64>,
}

impl Deref for Program {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Program {
    /// A client of the Server at `url`, which tries again at once when the connection is lost.
    pub fn new(url: &str, ints: &[(IntOption, i64)]) -> Self {
        Program::of(Client::new(), url, ints)
    }

    /// A program's part of the shared connection of this name; an empty inbox is none.
    pub fn sharing(connection: &str, inbox: &str, url: &str, ints: &[(IntOption, i64)]) -> Self {
        Program::of(Client::sharing(connection, inbox).expect("a place"), url, ints)
    }

    fn of(client: Client, url: &str, ints: &[(IntOption, i64)]) -> Self {
        let program = Program { client, log: Mutex::default(), missed: Mutex::default() };
        program.set_text(options::URL, url);
        for (option, value) in [(IntOption::ReconnectMinimum, 1), (IntOption::ReconnectMaximum, 1)].iter().chain(ints) {
            program.set_int(*option, *value);
        }
        program
    }

    /// The same, and asked to connect.
    pub fn connecting(url: &str, ints: &[(IntOption, i64)]) -> Self {
        let program = Self::new(url, ints);
        program.connect().expect("an idle client connects");
        program
    }

    #[track_caller]
    pub fn set_int(&self, option: IntOption, value: i64) {
        let set = self.client.set_option(|options, idle| options.set_int(option as i32, value, idle));
        set.unwrap_or_else(|failure| panic!("{failure:?}"));
    }

    #[track_caller]
    pub fn set_text(&self, option: i32, value: &str) {
        let set = self.client.set_option(|options, idle| options.set_text(option, Some(value), idle));
        set.unwrap_or_else(|failure| panic!("{failure:?}"));
    }

    #[track_caller]
    pub fn send(&self, payload: &str, qos: QoS) -> Token {
        self.try_send(payload.as_bytes(), qos).expect("an accepted publish")
    }

    /// Publishes to topic `t`.
    pub fn try_send(&self, payload: &[u8], qos: QoS) -> Result<Token, Status> {
        let topic = TopicName::new("t").expect("a Topic Name");
        self.client.publish(topic, payload, qos, false, Properties::EMPTY).map_err(|failure| failure.status)
    }

    /// Not connected yet, with a store in that folder.
    #[track_caller]
    pub fn stored(url: &str, folder: &Folder, ints: &[(IntOption, i64)]) -> Program {
        Program::stored_in(url, folder.path(), ints)
    }

    /// The same in a folder that may be another process's.
    #[track_caller]
    pub fn stored_in(url: &str, folder: &Path, ints: &[(IntOption, i64)]) -> Program {
        let program = Program::new(url, ints);
        program.set_text(options::CLIENT_ID, "c");
        program.set_text(options::STORE_PATH, folder.to_str().expect("a path in UTF-8"));
        program
    }

    /// Connects to the scripted Server, which says whether it has the Session.
    #[track_caller]
    pub fn connect_to(&self, server: &mut FakeServer, session_present: bool) -> Peer {
        self.client.connect().expect("an idle client connects");
        let mut peer = server.accept();
        peer.expect(PacketType::Connect);
        peer.connack(session_present);
        peer
    }

    pub fn subscribe_to(&self, filter: &str, maximum_qos: QoS) -> Token {
        self.try_subscribe(filter, maximum_qos, PropertiesBuf::new()).expect("an accepted subscribe")
    }

    /// Subscribes with these properties, or says why not.
    pub fn try_subscribe(&self, filter: &str, maximum_qos: QoS, properties: PropertiesBuf) -> Result<Token, Failure> {
        let options = SubscriptionOptions {
            maximum_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Always,
        };
        self.client.subscribe(TopicFilter::new(filter).expect("a Topic Filter"), options, properties)
    }

    /// The next event, if it comes in that time.
    pub fn event_within(&self, time: Duration) -> Option<Event> {
        let deadline = Instant::now() + time;
        loop {
            let polled = self.client.poll(|notice| match &notice.kind {
                NoticeKind::Session(event) => Some(event.clone()),
                NoticeKind::Log { line, .. } => {
                    self.log.lock().expect("the log").push(line.clone());
                    None
                }
                NoticeKind::Doctor { line, .. } => panic!("nobody waits for the doctor's '{line}'"),
                NoticeKind::DoctorAsks { asked, .. } => panic!("nobody waits for the doctor's {asked:?}"),
                NoticeKind::Missed(missed) => {
                    *self.missed.lock().expect("the count") += missed.count;
                    None
                }
                NoticeKind::Failed(text) => panic!("the client failed: {text}"),
                NoticeKind::Store(failure) => panic!("unexpected of the store: {failure:?}"),
            });
            match polled.expect("a client that lives") {
                Some(Some(event)) => return Some(event),
                Some(None) => continue,
                None => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            self.client.wait(left).expect("a client that lives");
        }
    }

    #[track_caller]
    pub fn event(&self, wanted: &str) -> Event {
        let event = self.event_within(DEADLINE);
        event.unwrap_or_else(|| panic!("waited for {wanted} until the deadline; the state is {:?}", self.state()))
    }

    /// The next event is Connected; returns Session Present.
    #[track_caller]
    pub fn expect_connected(&self) -> bool {
        match self.event("Connected") {
            Event::Connected { session_present, .. } => session_present,
            other => panic!("expected Connected, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn expect_disconnected(&self) -> Disconnected {
        match self.event("Disconnected") {
            Event::Disconnected(end) => end,
            other => panic!("expected Disconnected, got {other:?}"),
        }
    }

    #[track_caller]
    pub fn expect_message(&self) -> (Message, Option<Delivery>) {
        match self.event("a message") {
            Event::Message { message, delivery, .. } => (message, delivery),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The next event is a message with this payload.
    #[track_caller]
    pub fn expect_payload(&self, payload: &str) {
        assert_eq!(String::from_utf8_lossy(self.expect_message().0.payload()), payload);
    }

    /// The same of a message from Mosquitto, which may have exceeded our Receive Maximum before, as 2.0.11 does with many.
    #[track_caller]
    pub fn expect_payload_of_many(&self, payload: &str) {
        match self.event("a message or a breach") {
            Event::Breach(Breach::ReceiveMaximum) => self.expect_payload(payload),
            Event::Message { message, .. } => assert_eq!(String::from_utf8_lossy(message.payload()), payload),
            other => panic!("expected a message, got {other:?}"),
        }
    }

    /// The next event is the outcome of this publish.
    #[track_caller]
    pub fn expect_published(&self, token: Token) -> Outcome {
        match self.event("Published") {
            Event::Published { token: published, outcome } => {
                assert_eq!(published, token);
                outcome
            }
            other => panic!("expected Published, got {other:?}"),
        }
    }

    /// The next event is the outcome of this subscribe, with success.
    #[track_caller]
    pub fn expect_subscribed(&self, token: Token) {
        match self.event("Subscribed") {
            Event::Subscribed { token: subscribed, outcome, .. } => {
                assert_eq!((subscribed, outcome.failure), (token, None));
            }
            other => panic!("expected Subscribed, got {other:?}"),
        }
    }

    /// Nothing has happened that the program wasn't told of, and nothing happens for a while.
    #[track_caller]
    pub fn expect_nothing(&self) {
        let event = self.event_within(Duration::from_millis(20));
        assert!(event.is_none(), "expected nothing, got {event:?}");
    }

    /// Waits until something holds that no event tells of.
    #[track_caller]
    pub fn expect_soon(&self, what: &str, condition: impl Fn(&Client) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition(&self.client) {
            assert!(Instant::now() < deadline, "waited for {what} until the deadline: {:?}", self.statistics());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Calls everything that a program calls all day, and sees that nothing holds it up: the calls that must never wait.
    #[track_caller]
    pub fn assert_no_call_waits(&self) {
        let mut times: Vec<Duration> = Vec::new();
        for round in 0..25 {
            let mut time = |call: &dyn Fn()| {
                let start = Instant::now();
                call();
                times.push(start.elapsed());
            };
            let qos = QoS::from_u8(round % 3).expect("a QoS");
            time(&|| {
                let _ = self.try_send(b"payload", qos);
            });
            time(&|| {
                let _ = self.client.poll(|_| ());
            });
            time(&|| {
                let _ = self.client.wait(Duration::ZERO);
            });
            time(&|| {
                let _ = self.client.state();
            });
            time(&|| {
                let _ = self.subscribe_to("t", QoS::AtMostOnce);
            });
            time(&|| self.set_int(IntOption::WaitMaximum, 250));
            time(&|| {
                let _ = self.client.statistics();
            });
        }
        times.sort();
        // Another process may take the processor away now and then, but not from every other call.
        assert!(
            times[times.len() / 2] < Duration::from_millis(5),
            "half of the calls took {:?}",
            times[times.len() / 2]
        );
        assert!(times[times.len() - 1] < Duration::from_millis(250), "a call took {:?}", times[times.len() - 1]);
    }

    /// Ends the connection; the event of it says that the program wanted it.
    #[track_caller]
    pub fn disconnect_now(&self, timeout: Duration) {
        let ended = self.client.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, timeout);
        ended.unwrap_or_else(|failure| panic!("{failure:?}"));
        if !timeout.is_zero() {
            assert_eq!(self.state(), State::Idle);
        }
    }
}

/// A scripted Server, a client with these options that is connected to it, and the Server's end of the connection.
pub fn connected(ints: &[(IntOption, i64)]) -> (FakeServer, Program, Peer) {
    let mut server = FakeServer::start();
    let program = Program::connecting(&server.url(), ints);
    let peer = server.accept_mqtt();
    program.expect_connected();
    (server, program, peer)
}

/// Runs something and sees that it takes no longer than that.
#[track_caller]
pub fn within<R>(limit: Duration, what: &str, run: impl FnOnce() -> R) -> R {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < limit, "{what} took {:?}, the limit is {limit:?}", start.elapsed());
    result
}

/// Runs it on a thread of its own, which must be back within the limit, and what a loaded machine may take on top of it: a wait
/// without a bound takes for ever.
#[track_caller]
pub fn bounded<R: Send + 'static>(limit: Duration, what: &str, run: impl FnOnce() -> R + Send + 'static) -> R {
    const ON_TOP: Duration = Duration::from_secs(10);
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(run()));
    receiver.recv_timeout(limit + ON_TOP).unwrap_or_else(|_| panic!("{what} has no bound"))
}
