//! A program's thread that is ended in the middle of a call (TerminateThread) leaves locked what it had locked. The other
//! programs on the connection don't notice.

use crate::common::program::{Program, bounded};
use crate::shared::*;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::client::{LONGEST_DISCONNECT, LONGEST_FREE, Locked, State};
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::{PacketType, QoS};
use std::thread;
use std::time::Duration;

#[test]
fn the_others_go_on_whatever_a_program_has_left_locked() {
    for what in Locked::ALL {
        let name = format!("left-{what:?}");
        let Pair { server, mut peer, first, second } = pair(&name, &[]);
        let both = subscribe(&first, &mut peer, "both", QoS::AtLeastOnce);
        let token = second.subscribe_to("both", QoS::AtLeastOnce);
        let both = [both, granted(&mut peer, "both").identifier.expect("an identifier")][1];
        second.expect_subscribed(token);
        // The thread that was ended had a hold on it, so it is never dropped.
        let killed: &'static Program = Box::leak(Box::new(first));
        thread::spawn(move || killed.leave_locked(what)).join().expect("a thread that locks");
        send_qos1(&mut peer, "both", "for both", 1, &[both]);
        gets(&second, "for both");
        let token = second.send("goes on", QoS::AtLeastOnce);
        let id = loop {
            let received = peer.read("PUBLISH");
            match received.packet().packet_type() {
                PacketType::Publish => break received.id(),
                // The killed program isn't waited for if it can't be reached.
                PacketType::Puback => {}
                other => panic!("{what:?}: {other:?}"),
            }
        };
        peer.puback(id);
        assert_eq!(second.expect_published(token).failure, None);
        // One that comes back under the name goes on.
        let successor = Program::sharing(&name, "first", &server.url(), &[]);
        successor.connect().expect("it takes the place");
        assert!(successor.expect_connected());
        // What the other one got it has now, or knows that it has missed it.
        let got = std::cell::Cell::new(0);
        successor.expect_soon("the message", |_| {
            if let Some(Event::Message { .. }) = successor.event_within(Duration::ZERO) {
                got.set(got.get() + 1);
            }
            got.get() + *successor.missed.lock().unwrap() == 1
        });
        send(&mut peer, "both", "new", &[both]);
        gets(&successor, "new");
        gets(&second, "new");
        // And everybody gets out.
        let disconnected = bounded(LONGEST_DISCONNECT, "disconnect", move || {
            killed.disconnect(ReasonCode::SUCCESS, Properties::EMPTY, LONGEST_DISCONNECT).is_ok()
        });
        let freed = bounded(LONGEST_FREE, "free", move || killed.free());
        assert!(freed || matches!(what, Locked::Events | Locked::Commands), "{what:?}: {disconnected}");
        assert_eq!((second.state(), successor.state()), (State::Connected, State::Connected));
        for program in [second, successor] {
            assert!(bounded(LONGEST_FREE, "free", move || program.free()));
        }
        while peer.read("DISCONNECT").packet().packet_type() != PacketType::Disconnect {}
    }
}

#[test]
fn the_last_one_closes_the_connection_though_one_that_can_t_be_reached_is_on_it() {
    let Pair { mut peer, first, second, .. } = pair("last-alive", &[(IntOption::SharedRelease, 1)]);
    let killed: &'static Program = Box::leak(Box::new(first));
    thread::spawn(move || killed.leave_locked(Locked::Events)).join().expect("a thread that locks");
    second.send("x", QoS::AtMostOnce);
    peer.expect_publish("x");
    peer.disconnect(ReasonCode::SERVER_SHUTTING_DOWN);
    peer.close();
    second.expect_disconnected();
    assert!(bounded(LONGEST_FREE, "free", move || second.free()));
}
