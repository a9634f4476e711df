//! The examination of one Server: connects, subscribes, publishes to itself, measures.

use super::advice::{Reached, advice};
use super::{Asked, Client, REPORT_IT, Report};
use crate::client::address::{Address, Scheme};
use crate::client::clock;
use crate::client::events::NoticeKind;
use crate::client::log::Level;
use crate::client::options::Options;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId};
use crate::codec::subscribe::{RetainHandling, SubscriptionOptions};
use crate::session::event::{Disconnected, Event, Outcome, Token};
use crate::types::reason::ReasonCode;
use crate::types::status::{Failure, Status};
use crate::types::topic::{TopicFilter, TopicName};
use crate::types::{ProtocolVersion, QoS};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long the Server may take for an answer once it is connected.
const ANSWER: Duration = Duration::from_secs(10);
/// What to do when the program leaves a step of the authentication to the doctor.
const ANSWER_STEPS: &str = "the connection is good up to this step, and the rest of it was not tried. Only your program knows what to \
                            answer: let it start the doctor itself, and answer MT5MQTT_EVENT_AUTHENTICATE as for its own connection \
                            (the script Doctor and the example doctor can't; SCRAM-SHA-256 needs no answer)";
/// What to do when the message of the doctor's own doesn't come through.
const ACCESS_RULES: &str = "the connection is good, but the Server's access rules may not allow the topic mt5mqtt/doctor/…: check \
                            them for the topics that you use";
/// How often it is looked whether anybody still wants to know.
const SLICE: Duration = Duration::from_millis(50);
/// How long another scheme is tried on the same port.
const PROBE_MS: i64 = 5_000;

pub(super) struct Examination<'a> {
    options: &'a Options,
    address: &'a Address,
    report: &'a Report,
    reached: Cell<Reached>,
}

impl<'a> Examination<'a> {
    pub fn new(options: &'a Options, address: &'a Address, report: &'a Report) -> Self {
        Examination { options, address, report, reached: Cell::new(Reached::Nothing) }
    }

    pub fn run(&mut self) -> Result<(), Status> {
        let client = Client::with_options(self.options.for_doctor(self.address.clone()));
        let result = self.examine(&client);
        client.free();
        result
    }

    pub(super) fn examine(&self, client: &Client) -> Result<(), Status> {
        if let Err(failure) = client.connect() {
            return self.failed(failure.status, &failure.text, "correct the option that is named");
        }
        // The step of an authentication that the program was asked for last.
        let mut asked: Option<Arc<Asked>> = None;
        let connected = loop {
            let happened = self.next(client, None, |event| match event {
                Event::Connected { .. } => Some(Connecting::Done(Ok(()))),
                Event::Disconnected(end) => Some(Connecting::Done(Err(end.clone()))),
                Event::Authenticate { step, properties } => Some(Connecting::Asks(*step, properties.clone())),
                _ => None,
            });
            match happened {
                Ok(Connecting::Asks(step, properties)) => asked = Some(self.ask(client, step, properties)),
                Ok(Connecting::Done(Err(end))) if end.next_version == Some(ProtocolVersion::V311) => {
                    self.report.line(&end.detail);
                    self.reached.set(Reached::Nothing);
                }
                Ok(Connecting::Done(done)) => break done,
                Err(Missing::Failed(failure)) => return self.failed(failure.status, &failure.text, REPORT_IT),
                // Nobody reads the report.
                Err(Missing::InTime) => return Err(Status::Timeout),
            }
        };
        match connected {
            Ok(()) => {}
            Err(end) => {
                let status = end.failure.unwrap_or(Status::Network);
                if status == Status::ConnectTimeout && asked.as_ref().is_some_and(|asked| !asked.is_answered()) {
                    let cause = "the Server asked for Authentication Data, and nobody answered in time";
                    return self.failed(status, cause, ANSWER_STEPS);
                }
                if asked.is_none()
                    && let Some(scheme) = self.probe(status)
                {
                    let port = self.address.port;
                    let speaks = if scheme.is_tls() { "TLS" } else { "plain MQTT" };
                    let cause = format!("port {port} answers, but the Server on it speaks {speaks}");
                    return self.failed(Status::WrongProtocol, &cause, &format!("use {}:// in the URL", scheme.name()));
                }
                let advice = advice(&end, self.address, self.reached.get(), self.options.has_client_id());
                return self.failed(status, &end.detail, &advice);
            }
        }
        self.tell_connack(client);
        if let Some(why) = client.statistics().limits.and_then(|limits| self.options.will_against(&limits)) {
            let cause =
                format!("{why}: it refuses the connection of the program itself, as the doctor has no Will Message");
            let advice = "set another Will Message, or ask whoever runs the Server to allow this one";
            return self.failed(Status::NotSupportedByServer, &cause, advice);
        }
        self.echo(client)
    }

    /// Hands a step of the authentication on to the program.
    fn ask(&self, client: &Client, step: u64, properties: PropertiesBuf) -> Arc<Asked> {
        let asked = Arc::new(Asked::new(&client.shared, step));
        let method = properties.as_properties().text(PropertyId::AuthenticationMethod).unwrap_or_default();
        self.report.remark(&format!("with Authentication Method {method}, which the program has to answer"));
        self.report.shared.events.push(NoticeKind::DoctorAsks { properties, asked: asked.clone() });
        asked
    }

    /// Sends a message to itself, and tells how long that took.
    fn echo(&self, client: &Client) -> Result<(), Status> {
        let topic = format!("mt5mqtt/doctor/{}", clock::unix_us());
        let Ok(name) = TopicName::new(&topic) else { return Ok(()) };
        let Ok(filter) = TopicFilter::new(&topic) else { return Ok(()) };
        let maximum_qos = client.statistics().limits.map_or(QoS::AtLeastOnce, |limits| limits.maximum_qos);
        let qos = maximum_qos.min(QoS::AtLeastOnce);
        let options = SubscriptionOptions {
            maximum_qos: qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Never,
        };
        let subscribed = client.subscribe(filter, options, PropertiesBuf::new());
        if let Err(failure) = subscribed.and_then(|token| self.outcome(client, token)) {
            return self.failed(failure.status, &format!("subscribing to {topic} failed: {failure}"), ACCESS_RULES);
        }
        self.report.line("subscribed to a topic of its own");
        let start = clock::now();
        match client.publish(name, b"doctor", qos, false, Properties::EMPTY) {
            Ok(token) => self.await_echo(client, name, token, qos, start),
            Err(failure) => self.publishing_failed(&failure),
        }
    }

    /// Waits until the message is acknowledged and has come back, in either order.
    fn await_echo(
        &self,
        client: &Client,
        name: TopicName<'_>,
        token: Token,
        qos: QoS,
        start: Instant,
    ) -> Result<(), Status> {
        let (mut acknowledged, mut back) = (qos == QoS::AtMostOnce, false);
        while !(acknowledged && back) {
            let happened = self.next(client, Some(start + ANSWER), |event| match event {
                Event::Published { token: published, outcome } if *published == token => {
                    Some(Happened::Published(outcome.clone()))
                }
                Event::Message { message, .. } if message.topic() == name => Some(Happened::Message),
                Event::Disconnected(end) => Some(Happened::Disconnected(end.clone())),
                _ => None,
            });
            let milliseconds = clock::now().saturating_duration_since(start).as_secs_f64() * 1000.0;
            match happened {
                Ok(Happened::Published(outcome)) => {
                    if let Some(failure) = failure(&outcome) {
                        return self.publishing_failed(&failure);
                    }
                    acknowledged = true;
                    self.report.line(&format!("the Server acknowledged a message after {milliseconds:.1} ms"));
                }
                Ok(Happened::Message) => {
                    back = true;
                    self.report.line(&format!("the message came back after {milliseconds:.1} ms"));
                }
                Ok(Happened::Disconnected(end)) => {
                    let status = end.failure.unwrap_or(Status::Network);
                    return self.failed(status, &end.detail, ACCESS_RULES);
                }
                Err(Missing::Failed(failure)) => return self.failed(failure.status, &failure.text, REPORT_IT),
                Err(Missing::InTime) => {
                    let what = match acknowledged {
                        true => "the message didn't come back",
                        false => "the Server didn't acknowledge the message",
                    };
                    let text = format!("{what} within {} s", ANSWER.as_secs());
                    return self.failed(Status::Timeout, &text, ACCESS_RULES);
                }
            }
        }
        Ok(())
    }

    fn publishing_failed(&self, failure: &Failure) -> Result<(), Status> {
        self.failed(failure.status, &format!("publishing failed: {failure}"), ACCESS_RULES)
    }

    fn outcome(&self, client: &Client, token: Token) -> Result<(), Failure> {
        let happened = self.next(client, Some(clock::now() + ANSWER), |event| match event {
            Event::Subscribed { token: subscribed, outcome, .. } if *subscribed == token => Some(Ok(outcome.clone())),
            Event::Disconnected(end) => Some(Err(end.failure.unwrap_or(Status::Network).because(&*end.detail))),
            _ => None,
        });
        match happened {
            Ok(Ok(outcome)) => failure(&outcome).map_or(Ok(()), Err),
            Ok(Err(failure)) | Err(Missing::Failed(failure)) => Err(failure),
            Err(Missing::InTime) => Err(Status::Timeout.because(format!("no answer within {} s", ANSWER.as_secs()))),
        }
    }

    /// Waits for an event that `wanted` finds; the steps of the connection are told meanwhile. The client's own timeouts end
    /// the wait for a connection.
    fn next<T>(
        &self,
        client: &Client,
        deadline: Option<Instant>,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<T, Missing> {
        loop {
            let found = client.poll(|notice| match &notice.kind {
                NoticeKind::Session(event) => wanted(event).map(Ok),
                // It says where; the status of the calls that come after it doesn't.
                NoticeKind::Failed(text) => Some(Err(Missing::Failed(Status::Panic.because(&**text)))),
                NoticeKind::Log { level: Level::Debug, line, text_at } if deadline.is_none() => {
                    self.step(&line[*text_at..]);
                    None
                }
                _ => None,
            });
            match found {
                Ok(Some(Some(found))) => return found,
                Err(failure) => return Err(Missing::Failed(failure)),
                // A Server may send something without a pause.
                _ if self.report.shared.doctor.stop.load(Ordering::Acquire) => return Err(Missing::InTime),
                _ if deadline.is_some_and(|deadline| clock::now() >= deadline) => return Err(Missing::InTime),
                Ok(Some(None)) => {}
                Ok(None) => drop(client.wait(SLICE)),
            }
        }
    }

    /// A step of the connection, as the client's log tells it.
    fn step(&self, text: &str) {
        let direct = self.options.proxy.is_none();
        match text {
            _ if text.starts_with("the proxy connected to ") => self.reached.set(Reached::Server),
            _ if text.starts_with("TCP connected to ") => {
                self.reached.set(if direct { Reached::Server } else { Reached::Proxy });
            }
            _ => {}
        }
        self.report.line(text);
    }

    /// Whether another scheme than the URL's is answered on this port, if that may be what is wrong.
    fn probe(&self, status: Status) -> Option<Scheme> {
        let other = match (self.address.scheme, status) {
            (
                Scheme::Mqtt,
                Status::ConnectionClosed | Status::ConnectTimeout | Status::Network | Status::WrongProtocol,
            ) => Scheme::Mqtts,
            (Scheme::Mqtts, Status::WrongProtocol | Status::ConnectTimeout) => Scheme::Mqtt,
            _ => return None,
        };
        let address = Address { scheme: other, ..self.address.clone() };
        let client = Client::with_options(self.options.for_probe(address, PROBE_MS));
        client.connect().ok()?;
        let mut tls = false;
        let answered = loop {
            let found = client.poll(|notice| match &notice.kind {
                NoticeKind::Session(Event::Connected { .. }) => Some(true),
                // A refusal is an answer in MQTT.
                NoticeKind::Session(Event::Disconnected(end)) => Some(end.reason.is_some()),
                NoticeKind::Log { line, text_at, .. } => {
                    tls |= line[*text_at..].starts_with("TLS ");
                    None
                }
                _ => None,
            });
            match found {
                Ok(Some(Some(answered))) => break answered || tls,
                Ok(Some(None)) => {}
                // Its own timeout ends it, in an event that comes after the state.
                Ok(None) if self.report.shared.doctor.stop.load(Ordering::Acquire) => break tls,
                Ok(None) => drop(client.wait(SLICE)),
                Err(_) => break false,
            }
        };
        client.free();
        answered.then_some(other)
    }

    fn tell_connack(&self, client: &Client) {
        let figures = client.statistics();
        let version = match figures.version {
            Some(ProtocolVersion::V311) => "MQTT 3.1.1",
            _ => "MQTT 5.0",
        };
        self.report.line(&format!("the Server accepted the connection (CONNACK), {version}"));
        let Some(limits) = figures.limits else { return };
        let retained = if limits.retain_available { "keeps retained messages" } else { "keeps no retained messages" };
        self.report.remark(&format!(
            "it takes QoS {} at most, {} messages in flight, packets of {} bytes, {retained}; Keep Alive {} s",
            limits.maximum_qos as u8, limits.receive_maximum, limits.maximum_packet_size, limits.keep_alive
        ));
        if figures.version == Some(ProtocolVersion::V311) {
            return;
        }
        let missing: Vec<&str> = [
            (limits.wildcard_subscription_available, "Wildcard Subscriptions"),
            (limits.shared_subscription_available, "Shared Subscriptions"),
            (limits.subscription_identifier_available, "Subscription Identifiers"),
        ]
        .into_iter()
        .filter_map(|(available, what)| (!available).then_some(what))
        .collect();
        let missing = if missing.is_empty() { String::new() } else { format!("; it has no {}", missing.join(", no ")) };
        self.report.remark(&format!("it takes {} Topic Aliases{missing}", limits.topic_alias_maximum));
    }

    fn failed(&self, status: Status, cause: &str, advice: &str) -> Result<(), Status> {
        let advice = if matches!(status, Status::Panic | Status::LeftLocked) { REPORT_IT } else { advice };
        self.report.failed(cause, advice);
        Err(status)
    }
}

/// What comes before a connection is accepted.
enum Connecting {
    Asks(u64, PropertiesBuf),
    Done(Result<(), Disconnected>),
}

/// Why an event that is waited for isn't there.
enum Missing {
    /// It hasn't come in time, or nobody wants to know any more.
    InTime,
    /// The doctor's client has failed.
    Failed(Failure),
}

enum Happened {
    Published(Outcome),
    Message,
    Disconnected(Disconnected),
}

fn failure(outcome: &Outcome) -> Option<Failure> {
    let status = outcome.failure?;
    let reason = outcome.reason.map(|reason: ReasonCode| format!("{}: {}", reason.name(), reason.text()));
    Some(reason.map_or_else(|| status.into(), |reason| status.because(reason)))
}
