//! Random stories with a Server that keeps the standard, over lines that are cut at any byte: QoS 1 loses nothing, QoS 2
//! neither loses nor doubles, first deliveries keep their order, and every token ends once.

mod server;
mod world;

use crate::trace;
use mt5mqtt::codec::message::Message;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::Session;
use mt5mqtt::session::event::Token;
use mt5mqtt::session::options::PublishOptions;
use mt5mqtt::session::record::Key;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use mt5mqtt::types::topic::TopicName;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::time::{Duration, Instant};
use world::World;

#[derive(Clone, Copy, Debug)]
enum Step {
    Publish(QoS),
    ServerPublish(QoS),
    /// So many bytes reach the Server, which answers.
    Up(usize),
    /// So many bytes reach the Session.
    Down(usize),
    /// The program acknowledges one of the messages that it holds.
    Acknowledge(usize),
    Cut,
    Connect,
    Pass(u64),
    /// The program withdraws the publish before the last so many.
    Cancel(i64),
    /// The Server drops the next packets that it has for the client.
    Drop(usize),
    /// What is to be stored is durable.
    Store,
    /// The process is killed, perhaps before it has taken its last events, and another one takes over what was stored.
    Crash {
        unheard: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let qos = prop_oneof![Just(QoS::AtMostOnce), Just(QoS::AtLeastOnce), Just(QoS::ExactlyOnce)];
    prop_oneof![
        6 => qos.clone().prop_map(Step::Publish),
        6 => qos.prop_map(Step::ServerPublish),
        8 => (0..60usize).prop_map(Step::Up),
        8 => (0..60usize).prop_map(Step::Down),
        6 => (0..8usize).prop_map(Step::Acknowledge),
        1 => Just(Step::Cut),
        3 => Just(Step::Connect),
        2 => (0..20u64).prop_map(Step::Pass),
        2 => (0..6i64).prop_map(Step::Cancel),
    ]
}

/// The same, of a durable Session whose process is killed now and then.
fn step_of_a_durable_session() -> impl Strategy<Value = Step> {
    prop_oneof![40 => step(), 10 => Just(Step::Store), 1 => any::<bool>().prop_map(|unheard| Step::Crash { unheard })]
}

/// The same, with a Server that drops what it should say.
fn step_with_a_server_that_drops() -> impl Strategy<Value = Step> {
    prop_oneof![20 => step(), 1 => (1..4usize).prop_map(Step::Drop)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("failed_once"))), ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_doubled(steps in prop::collection::vec(step(), 0..250)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
        world.comes_to_rest();
        world.check();
    }

    /// What was told to be durable survives any crash, and QoS 2 is still not doubled.
    #[test]
    fn a_durable_session_survives_the_death_of_its_process(
        steps in prop::collection::vec(step_of_a_durable_session(), 0..250),
    ) {
        let mut world = World::durable();
        for step in steps {
            world.take(step);
        }
        world.comes_to_rest();
        world.check();
        let left = world.disk.unwrap().records;
        prop_assert!(left.keys().all(|key| matches!(key, Key::Session)), "{:?}", left);
    }

    /// Each publish still ends, without any other to make the connection anew, and with the next connection all comes.
    #[test]
    fn what_a_server_drops_keeps_nothing_from_its_end(
        steps in prop::collection::vec(step_with_a_server_that_drops(), 0..250),
    ) {
        let mut world = World::impatient();
        for step in steps {
            world.take(step);
        }
        world.finishes_all_publishes();
        world.take(Step::Cut);
        world.comes_to_rest();
        world.check();
    }

    /// The Session survives whatever a Server sends, at any time of its life.
    #[test]
    fn no_bytes_of_a_server_do_harm(
        online in any::<bool>(),
        pieces in prop::collection::vec(prop::collection::vec(prop_oneof![any::<u8>(), 0..8u8, Just(0x40), Just(0x50), Just(0x62), Just(0x70)], 0..40), 0..20),
    ) {
        let mut session = Session::new(trace::options());
        let now = Instant::now();
        for (number, piece) in pieces.iter().enumerate() {
            if session.output().is_empty() && session.next_timeout().is_none() {
                session.handle_opened(now, now + Duration::from_secs(10));
                if online {
                    session.handle_input(now, &[0x20, 3, 0, 0, 0]);
                }
            }
            let topic = TopicName::new("t").unwrap();
            let qos = QoS::from_u8((number % 3) as u8).unwrap();
            let message = Message::new(topic, b"x", qos, false, Properties::EMPTY);
            session.publish(now, number as Token + 1, message, PublishOptions::default());
            let used = session.handle_input(now, piece);
            prop_assert!(used <= piece.len());
            session.handle_sent(now, session.output().len());
            while session.poll_event().is_some() {}
            if session.wants_close() {
                session.handle_closed(Status::Network, "closed");
            }
        }
    }
}
