//! What a Server sends for as long as it likes takes no more memory than what the client has announced allows: Receive
//! Maximum, Maximum Packet Size and Topic Alias Maximum.

use crate::memory::Meter;
use mt5mqtt::client::options::Options;
use mt5mqtt::codec::ack::Ack;
use mt5mqtt::codec::connack::Connack;
use mt5mqtt::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use mt5mqtt::codec::publish::Publish;
use mt5mqtt::codec::{Decoded, Packet, PacketId, decode, encode};
use mt5mqtt::session::Session;
use mt5mqtt::session::event::Event;
use mt5mqtt::session::options::{Acknowledge, SessionOptions};
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use mt5mqtt::types::{ProtocolVersion, QoS};
use std::time::{Duration, Instant};

const RECEIVE_MAXIMUM: u16 = 8;
const MAXIMUM_PACKET_SIZE: usize = 2048;
const TOPIC_ALIAS_MAXIMUM: u16 = 4;
/// A Session without messages, and its lists of small things.
const EMPTY: usize = 64 * 1024;
/// Each of these may be there as a message, as an event of it and as bytes.
const BOUND: usize = EMPTY + 3 * (RECEIVE_MAXIMUM as usize + TOPIC_ALIAS_MAXIMUM as usize + 1) * MAXIMUM_PACKET_SIZE;
/// So many that no more than the smallest entry of a list can stay of each.
const MESSAGES: usize = BOUND / 8;

struct Line {
    session: Session,
    now: Instant,
}

impl Line {
    fn connected(acknowledge: Acknowledge, strict: bool) -> Self {
        let options = SessionOptions {
            client_id: "c".to_owned(),
            receive_maximum: RECEIVE_MAXIMUM,
            maximum_packet_size: MAXIMUM_PACKET_SIZE as u32,
            topic_alias_maximum: TOPIC_ALIAS_MAXIMUM,
            acknowledge,
            strict,
            ..Options::default().session_options().expect("the defaults")
        };
        let mut line = Line { session: Session::new(options), now: Instant::now() };
        line.session.handle_opened(line.now, line.now + Duration::from_secs(10));
        line.sends();
        let connack = Connack { session_present: false, reason: ReasonCode::SUCCESS, properties: Properties::EMPTY };
        line.receives(&Packet::Connack(connack));
        line
    }

    fn receives(&mut self, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        encode(packet, ProtocolVersion::V5, MAXIMUM_PACKET_SIZE, &mut bytes).expect("a packet that is small enough");
        assert_eq!(self.session.handle_input(self.now, &bytes), bytes.len());
    }

    /// Takes what the client sends; the Packet Identifiers of its PUBRECs.
    fn sends(&mut self) -> Vec<PacketId> {
        let mut confirmed = Vec::new();
        let mut bytes = self.session.output();
        let size = bytes.len();
        while let Ok(Decoded::Packet { packet, used }) = decode(bytes, ProtocolVersion::V5, usize::MAX) {
            if let Packet::Pubrec(ack) = packet {
                confirmed.push(ack.packet_id);
            }
            bytes = &bytes[used..];
        }
        self.session.handle_sent(self.now, size);
        confirmed
    }

    /// Message number `number`: as large as it may be, with an alias for a topic that is another one each time.
    fn receives_message(&mut self, number: usize) {
        let topic = format!("{number:01000}");
        let packet_id = PacketId::new((number % 65_535 + 1) as u16);
        let qos = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce][number % 3];
        let mut properties = PropertiesBuf::new();
        let alias = 1 + (number % usize::from(TOPIC_ALIAS_MAXIMUM)) as u32;
        properties.set(PropertyId::TopicAlias, Value::Int(alias)).expect("an alias");
        self.receives(&Packet::Publish(Publish {
            dup: false,
            qos,
            retain: false,
            topic: Some(TopicName::new(&topic).expect("a Topic Name")),
            packet_id: packet_id.filter(|_| qos != QoS::AtMostOnce),
            properties: properties.as_properties(),
            payload: &[b'x'; 1000],
        }));
    }
}

#[test]
fn any_number_of_messages_takes_no_more_memory_than_was_announced() {
    // MQTT-3.1.2-24, MQTT-3.1.2-26, MQTT-3.3.4-9
    for acknowledge in [Acknowledge::OnArrival, Acknowledge::WhenTaken, Acknowledge::Explicitly] {
        let meter = Meter::start();
        let mut line = Line::connected(acknowledge, false);
        let mut messages = 0;
        for number in 0..MESSAGES {
            line.receives_message(number);
            while let Some(event) = line.session.poll_event() {
                if let Event::Message { delivery, .. } = event {
                    messages += 1;
                    if let Some(delivery) = delivery {
                        line.session.acknowledge(delivery, ReasonCode::SUCCESS);
                    }
                }
            }
            for packet_id in line.sends() {
                line.receives(&Packet::Pubrel(Ack::new(packet_id, ReasonCode::SUCCESS)));
            }
            line.sends();
            assert!(meter.peak() <= BOUND, "{} bytes of memory after {number} messages", meter.peak());
        }
        assert_eq!(messages, MESSAGES);
        assert!(line.session.is_online());
    }
}

#[test]
fn a_program_that_answers_nothing_costs_a_strict_client_no_more_than_the_receive_maximum() {
    // MQTT-3.3.4-9
    let meter = Meter::start();
    let mut line = Line::connected(Acknowledge::Explicitly, true);
    for number in 0..3 * usize::from(RECEIVE_MAXIMUM) {
        line.receives_message(number);
    }
    assert!(meter.peak() <= BOUND, "{} bytes of memory", meter.peak());
    assert!(line.session.wants_close(), "the Server has exceeded our Receive Maximum");
    while let Some(event) = line.session.poll_event() {
        assert!(matches!(event, Event::Connected { .. } | Event::Message { .. }), "{event:?}");
    }
    line.session.handle_closed(Status::Network, "closed");
    match line.session.poll_event() {
        Some(Event::Disconnected(end)) => assert_eq!(end.reason, Some(ReasonCode::RECEIVE_MAXIMUM_EXCEEDED)),
        other => panic!("{other:?} instead of the end"),
    }
}
