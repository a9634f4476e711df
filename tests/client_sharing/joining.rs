//! Programs that come and go.

use crate::common::fake_server::FakeServer;
use crate::common::program::Program;
use crate::shared::*;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::client::{Client, LONGEST_DISCONNECT, State};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::{Failure, Status};
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::Duration;

const QOS0: QoS = QoS::AtMostOnce;
const QOS1: QoS = QoS::AtLeastOnce;

#[test]
fn an_option_that_differs_is_named_and_a_program_s_own_may_differ() {
    let Pair { server, mut peer, first, second } = pair("options", &[]);
    let other = Program::sharing("options", "third", &server.url(), &[(IntOption::KeepAlive, 31)]);
    let Failure { status, text } = other.connect().expect_err("another Keep Alive");
    assert_eq!((status, other.state()), (Status::SharedDiffers, State::Idle));
    assert!(text.contains("KEEP_ALIVE_S") && text.contains("'options'"), "{text}");
    other.set_int(IntOption::KeepAlive, 30);
    other.set_text(options::USER_NAME, "somebody");
    assert!(other.connect().expect_err("another User Name").text.contains("USER_NAME"));
    other.client.set_option(|options, idle| options.set_text(options::USER_NAME, None, idle)).expect("the default");
    other.set_int(IntOption::EventsMaximum, 7);
    other.connect().expect("its own queue");
    assert!(!other.expect_connected());
    // While it is connected the others can't be set, nor lines of the log turned on for all.
    for (option, value, good) in [
        (IntOption::WaitMaximum, 5, true),
        (IntOption::EventsMaximum, 8, true),
        (IntOption::LogLevel, 5, false),
        (IntOption::KeepAlive, 31, false),
    ] {
        let set = other.client.set_option(|options, idle| options.set_int(option as i32, value, idle));
        assert_eq!(set.err().map(|failure| failure.status), (!good).then_some(Status::WrongState), "{option:?}");
    }
    // Another name is another connection.
    let alone = Program::sharing("Options", "first", &server.url(), &[(IntOption::KeepAlive, 31)]);
    alone.connect().expect("a connection of its own");
    for program in [&first, &second, &other] {
        program.send("all three", QOS0);
        peer.expect_publish("all three");
        assert_eq!(program.statistics().programs, 3);
    }
}

#[test]
fn what_a_shared_connection_can_t_have_is_refused() {
    let server = FakeServer::start();
    let program = Program::sharing("refused-options", "", &server.url(), &[(IntOption::Progress, 1)]);
    let Failure { status, text } = program.connect().expect_err("PROGRESS");
    assert_eq!(status, Status::WrongState);
    assert!(text.contains("PROGRESS"));
    program.set_int(IntOption::Progress, 0);
    program.set_text(options::AUTHENTICATION_METHOD, "OF-THE-PROGRAM");
    let Failure { status, text } = program.connect().expect_err("an authentication by steps of the program");
    assert_eq!(status, Status::WrongState);
    assert!(text.contains("AUTHENTICATION_METHOD"));
    for (connection, inbox) in [("", ""), (&*"x".repeat(256), ""), ("x", &*"x".repeat(256))] {
        let made = Client::sharing(connection, inbox);
        assert_eq!(made.err().map(|failure| failure.status), Some(Status::InvalidArgument));
    }
    let nowhere = Client::sharing("nowhere", "").expect("a place");
    assert_eq!(nowhere.connect().map_err(|failure| failure.status), Err(Status::WrongState), "no URL");
}

#[test]
fn the_doctor_examines_the_server_of_a_program_s_part_as_that_of_any_client() {
    let server = FakeServer::start();
    let url = server.url();
    drop(server);
    let program = Program::sharing("examined", "", &url, &[]);
    program.client.start_doctor().expect("an examination");
    program.expect_soon("the last line", |client| {
        let end = client.poll(|notice| match &notice.kind {
            NoticeKind::Doctor { end, .. } => *end,
            other => panic!("{other:?}"),
        });
        end.expect("a client that lives").flatten() == Some(Err(Status::ConnectFailed))
    });
}

#[test]
fn what_is_published_and_subscribed_to_before_connect_goes_out_then() {
    let mut server = FakeServer::start();
    let program = Program::sharing("early", "", &server.url(), &[]);
    // In this order it leaves, too, whether the connection is there before the switchboard has fetched it or not.
    let (subscribed, published) = (program.subscribe_to("a", QOS0), program.send("early", QOS1));
    program.connect().expect("an idle program connects");
    assert_eq!(program.connect().map_err(|failure| failure.status), Err(Status::WrongState));
    let mut peer = server.accept_mqtt();
    let identifier = granted(&mut peer, "a").identifier.expect("an identifier");
    let id = peer.expect_publish("early").id();
    peer.puback(id);
    program.expect_connected();
    program.expect_subscribed(subscribed);
    assert_eq!(program.expect_published(published).failure, None);
    send(&mut peer, "a", "x", &[identifier]);
    gets(&program, "x");
}

#[test]
fn who_leaves_gives_up_its_filters_and_messages_and_the_others_go_on() {
    let Pair { mut peer, first, second, .. } = pair("leaving", &[]);
    let shared = subscribe(&first, &mut peer, "a/#", QOS1);
    let own = subscribe(&second, &mut peer, "a/+", QOS1);
    subscribe(&second, &mut peer, "a/#", QOS1);
    send_qos1(&mut peer, "a/b", "both", 1, &[shared, own]);
    send_qos1(&mut peer, "a/b", "only the leaver's", 2, &[own]);
    send_qos1(&mut peer, "a/b/c", "both again", 3, &[shared]);
    // Both of its messages have come: the one behind them is there.
    gets(&first, "both");
    gets(&first, "both again");
    second.disconnect_now(LONGEST_DISCONNECT);
    let received = peer.expect(PacketType::Unsubscribe);
    let Packet::Unsubscribe(packet) = received.packet() else { panic!("no UNSUBSCRIBE") };
    assert_eq!(packet.filters.iter().map(|filter| filter.as_str()).collect::<Vec<_>>(), ["a/+"]);
    for id in [1, 2, 3] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    assert_eq!((first.state(), second.state()), (State::Connected, State::Idle));
    send_qos1(&mut peer, "a/b", "goes on", 4, &[shared]);
    gets(&first, "goes on");
    peer.expect(PacketType::Puback);
    // It comes back as one who was never there.
    second.connect().expect("it joins again");
    let mut messages = 0;
    let end = loop {
        match second.event("Connected") {
            Event::Connected { session_present, .. } => break session_present,
            Event::Message { .. } => messages += 1,
            Event::Disconnected(end) => assert_eq!(end.failure, None),
            other => panic!("{other:?}"),
        }
    };
    // What lay in its queue it still gets.
    assert_eq!((messages, end), (3, false));
    assert_eq!(second.state(), State::Connected);
    // The last one ends the connection.
    assert!(second.free());
    first.disconnect_now(LONGEST_DISCONNECT);
    peer.expect(PacketType::Disconnect);
}

#[test]
fn jobs_that_a_program_leaves_unread_are_done_by_another_one() {
    // MQTT-4.8.2-4, in small: a message of a Shared Subscription is for one, and must not be lost with it.
    for frees in [true, false] {
        let Pair { mut peer, first, second, .. } = pair(if frees { "jobs-freed" } else { "jobs-left" }, &[]);
        subscribe(&first, &mut peer, "$share/group/jobs", QOS1);
        let jobs = subscribe(&second, &mut peer, "$share/group/jobs", QOS1);
        let own = subscribe(&second, &mut peer, "own", QOS1);
        for job in 1..=4u16 {
            send_qos1(&mut peer, "jobs", &job.to_string(), job, &[jobs]);
        }
        send_qos1(&mut peer, "own", "own", 5, &[own]);
        second.expect_soon("all that is for it", |client| client.statistics().events == 3);
        if frees {
            assert!(second.free());
        } else {
            second.disconnect_now(LONGEST_DISCONNECT);
        }
        let mut done = Vec::new();
        while done.len() < 4 {
            done.push(String::from_utf8_lossy(first.expect_message().0.payload()).into_owned());
        }
        done.sort();
        assert_eq!(done, ["1", "2", "3", "4"]);
        first.expect_nothing();
        if !frees {
            // What was its own it still has, and nothing else.
            let mut messages = Vec::new();
            while let Some(event) = second.event_within(Duration::ZERO) {
                if let Event::Message { message, .. } = event {
                    messages.push(message.payload().to_vec());
                }
            }
            assert_eq!(messages, [b"own"]);
        }
        let mut acknowledged = Vec::new();
        while acknowledged.len() < 5 {
            let received = peer.read("PUBACKs and an UNSUBSCRIBE");
            if let Packet::Puback(ack) = received.packet() {
                acknowledged.push(ack.packet_id.get());
            }
        }
        assert_eq!(acknowledged, [1, 2, 3, 4, 5]);
    }
}

#[test]
fn the_last_one_s_disconnect_is_that_of_any_client_and_its_session_goes_on() {
    let Pair { mut server, mut peer, first, second } = pair("last", &[]);
    assert!(second.free());
    subscribe(&first, &mut peer, "a", QOS0);
    let ended = first.client.disconnect(ReasonCode::DISCONNECT_WITH_WILL, Properties::EMPTY, LONGEST_DISCONNECT);
    ended.expect("the connection is closed");
    let received = peer.expect(PacketType::Disconnect);
    let Packet::Disconnect(packet) = received.packet() else { panic!("no DISCONNECT") };
    assert_eq!(packet.reason, ReasonCode::DISCONNECT_WITH_WILL);
    assert_eq!(first.expect_disconnected().failure, None);
    first.connect().expect("an idle program connects");
    let mut peer = server.accept();
    let received = peer.expect(PacketType::Connect);
    let Packet::Connect(connect) = received.packet() else { panic!("no CONNECT") };
    assert!(!connect.clean_start);
    peer.connack(true);
    assert!(first.expect_connected());
    granted(&mut peer, "a");
    send(&mut peer, "a", "still subscribed", &[]);
    gets(&first, "still subscribed");
    // A second one, which the first sees leave, and come when it has left itself.
    let second = Program::sharing("last", "second", &server.url(), &[]);
    second.connect().expect("it joins");
    assert!(!second.expect_connected());
    assert!(first.free());
    peer.expect(PacketType::Unsubscribe);
    assert!(second.free());
    peer.expect(PacketType::Disconnect);
}

#[test]
fn one_that_comes_while_the_last_one_leaves_gets_a_connection_of_its_own_options() {
    let mut server = FakeServer::start();
    let first = Program::sharing("relay", "1", &server.url(), &[]);
    first.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    first.expect_connected();
    subscribe(&first, &mut peer, "of the first", QOS0);
    first.disconnect_now(Duration::ZERO);
    let second = Program::sharing("relay", "2", &server.url(), &[(IntOption::KeepAlive, 77)]);
    second.connect().expect("an idle program connects");
    peer.expect(PacketType::Disconnect);
    peer.close();
    let mut peer = server.accept();
    let received = peer.expect(PacketType::Connect);
    let Packet::Connect(connect) = received.packet() else { panic!("no CONNECT") };
    assert_eq!(connect.keep_alive, 77);
    peer.connack(true);
    assert!(second.expect_connected());
    peer.expect(PacketType::Unsubscribe);
    assert_eq!(first.state(), State::Idle);
    second.send("x", QOS0);
    peer.expect_publish("x");
}

#[test]
fn several_that_come_while_the_last_one_leaves_are_on_the_next_connection() {
    let mut server = FakeServer::start();
    let first = Program::sharing("relays", "1", &server.url(), &[]);
    let mut peer = first.connect_to(&mut server, false);
    first.expect_connected();
    first.disconnect_now(Duration::ZERO);
    let [second, third, other] = [("2", 77), ("3", 77), ("4", 30)]
        .map(|(inbox, time)| Program::sharing("relays", inbox, &server.url(), &[(IntOption::KeepAlive, time)]));
    second.connect().expect("an idle program connects");
    // They agree with the one that opens the next connection, not with the one that is about to end.
    third.connect().expect("it joins");
    assert_eq!(other.connect().map_err(|failure| failure.status), Err(Status::SharedDiffers));
    assert_eq!([&second, &third].map(|program| program.state()), [State::Connecting; 2]);
    peer.expect(PacketType::Disconnect);
    peer.close();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    for program in [&second, &third] {
        assert!(program.expect_connected());
        program.send("x", QOS0);
        peer.expect_publish("x");
        program.expect_nothing();
    }
}

#[test]
fn a_program_with_the_same_inbox_goes_on_where_the_other_one_was() {
    let Pair { server, mut peer, first, second } = pair("take-over", &[(IntOption::Acknowledge, 2)]);
    let identifiers = [subscribe(&first, &mut peer, "a/#", QOS1), subscribe(&second, &mut peer, "a/+", QOS1)];
    for (id, payload) in [(1, "taken and acknowledged"), (2, "taken"), (3, "not taken")] {
        send_qos1(&mut peer, "a/b", payload, id, &identifiers);
    }
    let delivery = gets(&first, "taken and acknowledged").expect("a QoS 1 message");
    first.client.acknowledge(delivery, ReasonCode::SUCCESS).expect("acknowledged");
    gets(&first, "taken");
    for payload in ["taken and acknowledged", "taken", "not taken"] {
        let delivery = gets(&second, payload).expect("a QoS 1 message");
        second.client.acknowledge(delivery, ReasonCode::SUCCESS).expect("acknowledged");
    }
    assert_eq!(peer.expect(PacketType::Puback).id().get(), 1);
    let successor = Program::sharing("take-over", "first", &server.url(), &[(IntOption::Acknowledge, 2)]);
    successor.connect().expect("it takes the place");
    let mut acknowledged = Vec::new();
    for _ in 0..3 {
        match successor.event("what the other one left") {
            Event::Connected { session_present, .. } => assert!(session_present),
            Event::Message { message, delivery: Some(delivery), .. } => {
                acknowledged.push(String::from_utf8_lossy(message.payload()).into_owned());
                successor.client.acknowledge(delivery, ReasonCode::SUCCESS).expect("acknowledged");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(acknowledged, ["taken", "not taken"]);
    for id in [2, 3] {
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    // The subscription is the successor's, and the other one knows.
    send(&mut peer, "a/b/c", "new", &identifiers[..1]);
    gets(&successor, "new");
    assert_eq!((first.expect_disconnected().failure, first.state()), (Some(Status::SharedTakenOver), State::Idle));
    first.expect_nothing();
    // To leave is to leave nothing behind.
    assert!(first.free());
    send(&mut peer, "a/b/c", "newer", &identifiers[..1]);
    gets(&successor, "newer");
}

#[test]
fn what_was_acknowledged_on_arrival_and_taken_is_nothing_to_go_on_with() {
    let on_arrival = [(IntOption::Acknowledge, 0)];
    let Pair { server, mut peer, first, second: _second } = pair("take-over-arrivals", &on_arrival);
    let identifier = subscribe(&first, &mut peer, "a", QOS1);
    for (id, payload) in [(1, "taken"), (2, "not taken")] {
        send_qos1(&mut peer, "a", payload, id, &[identifier]);
        assert_eq!(peer.expect(PacketType::Puback).id().get(), id);
    }
    gets(&first, "taken");
    first.send("behind", QOS0);
    peer.expect_publish("behind");
    let successor = Program::sharing("take-over-arrivals", "first", &server.url(), &on_arrival);
    successor.connect().expect("it takes the place");
    assert!(successor.expect_connected());
    gets(&successor, "not taken");
    successor.expect_nothing();
}

#[test]
fn a_program_that_takes_the_only_place_may_bring_other_options() {
    let mut server = FakeServer::start();
    let [killed, successor] =
        [30, 31].map(|time| Program::sharing("changed", "1", &server.url(), &[(IntOption::KeepAlive, time)]));
    killed.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    killed.expect_connected();
    let token = killed.subscribe_to("a", QOS0);
    granted(&mut peer, "a");
    killed.expect_subscribed(token);
    successor.connect().expect("it takes the place");
    peer.expect(PacketType::Disconnect);
    peer.close();
    let mut peer = server.accept();
    let received = peer.expect(PacketType::Connect);
    let Packet::Connect(connect) = received.packet() else { panic!("no CONNECT") };
    assert_eq!(connect.keep_alive, 31);
    peer.connack(true);
    assert!(successor.expect_connected());
    send(&mut peer, "a", "of the place", &[]);
    gets(&successor, "of the place");
    assert_eq!(killed.expect_disconnected().failure, Some(Status::SharedTakenOver));
}

#[test]
fn when_nobody_tries_any_longer_every_program_is_idle_and_may_connect_again() {
    let Pair { mut server, peer, first, second } = pair("given-up", &[(IntOption::Reconnect, 0)]);
    peer.close();
    for program in [&first, &second] {
        assert_eq!(program.expect_disconnected().failure, Some(Status::ConnectionClosed));
        assert_eq!(program.state(), State::Idle);
        program.expect_nothing();
    }
    second.connect().expect("an idle program connects");
    let mut peer = server.accept_mqtt();
    second.expect_connected();
    first.connect().expect("an idle program connects");
    assert!(!first.expect_connected());
    for program in [&first, &second] {
        program.send("x", QOS0);
        peer.expect_publish("x");
    }
}

#[test]
fn a_lost_connection_is_told_to_all_and_made_again() {
    let Pair { mut server, peer, first, second } = pair("lost", &[]);
    peer.reset();
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    peer.connack(true);
    for program in [&first, &second] {
        assert!(program.expect_disconnected().failure.is_some());
        assert!(program.expect_connected());
        assert_eq!(program.state(), State::Connected);
        program.send("x", QOS0);
        peer.expect_publish("x");
    }
}

#[test]
fn programs_that_come_and_go_at_once_are_on_one_connection_each_time() {
    let mut server = FakeServer::start();
    let url = server.url();
    for round in 0..10 {
        let programs: Vec<Program> = thread::scope(|scope| {
            let join = || {
                let program = Program::sharing("race", "", &url, &[]);
                program.connect().expect("an idle program connects");
                program
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(join)).collect();
            threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
        });
        let mut peer = server.accept_mqtt();
        for program in &programs {
            program.expect_connected();
            program.send("here", QOS0);
            peer.expect_publish("here");
            assert_eq!(program.statistics().programs, 4, "round {round}");
        }
        thread::scope(|scope| {
            programs.iter().for_each(|program| {
                scope.spawn(|| assert!(program.free()));
            });
        });
        peer.expect(PacketType::Disconnect);
        drop(programs);
    }
}

#[test]
fn who_has_left_has_no_figures_of_the_server_any_more() {
    let mut server = FakeServer::start();
    let pair = ["first", "second"].map(|inbox| Program::sharing("left-figures", inbox, &server.url(), &[]));
    pair[0].connect().expect("a connection");
    let mut peer = server.accept_mqtt();
    pair[0].expect_connected();
    pair[1].connect().expect("the same");
    pair[1].expect_connected();
    let figures = |program: &Program| {
        let figures = program.statistics();
        (figures.programs, figures.limits.is_some(), figures.version.is_some())
    };
    pair[0].client.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, Duration::from_secs(2)).expect("the end");
    assert_eq!(figures(&pair[0]), (0, false, false));
    assert!(pair[1].statistics().limits.is_some());
    // One that takes its place leaves nothing to it either.
    let third = Program::sharing("left-figures", "second", &server.url(), &[]);
    third.connect().expect("its place");
    assert_eq!(pair[1].expect_disconnected().failure, Some(Status::SharedTakenOver));
    assert_eq!((pair[1].state(), figures(&pair[1])), (State::Idle, (0, false, false)));
    assert!(third.statistics().limits.is_some());
    thread::scope(|scope| {
        scope.spawn(|| third.client.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, Duration::from_secs(2)));
        peer.expect_close(&[PacketType::Disconnect]);
        peer.close();
    });
    assert_eq!(figures(&third), (0, false, false));
}
