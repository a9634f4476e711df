//! Received messages of Sessions that were left behind (`elsewhere`): what a Server sends again when the client is back.

use crate::elsewhere::{at_a, moves};
use crate::trace::*;
use mt5mqtt::codec::Packet;
use mt5mqtt::session::breaches::Breach;
use mt5mqtt::session::options::{Acknowledge, SessionOptions};
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

#[test]
fn what_the_first_server_sends_again_is_known() {
    // MQTT-4.3.3-10, MQTT-4.4.0-1: the program has done with the order while the connection was another one.
    for qos in [QOS_1, QOS_2] {
        let mut trace = at_a();
        trace.receives(publish("order", qos, 7));
        trace.receives(publish("second", qos, 8));
        let first = trace.tells_message("order");
        let second = trace.tells_message("second");
        moves(&mut trace, "b", false);
        // The Server of this connection has not sent it.
        assert!(!trace.session.acknowledge(first.unwrap(), ReasonCode::SUCCESS));
        trace.sends_nothing();
        trace.receives(publish("order at b", qos, 7));
        let other = trace.tells_message("order at b");
        trace.acknowledge(other);
        trace.takes_packet(|_| ());
        moves(&mut trace, "a", true);
        trace.receives(publish_again("order", qos, 7));
        trace.tells_nothing();
        let answer = |id| if qos == QOS_1 { puback(id) } else { pubrec(id) };
        trace.sends(answer(7));
        trace.receives(publish_again("second", qos, 8));
        trace.tells_nothing();
        trace.sends_nothing();
        trace.acknowledge(second);
        trace.sends(answer(8));
        if qos == QOS_2 {
            trace.receives(pubrel(7));
            trace.sends(pubcomp(7));
        }
        // A new message that looks the same is a new one.
        trace.receives(publish("order", qos, 7));
        trace.tells_message("order");
    }
}

#[test]
fn what_is_done_with_before_the_first_server_sends_it_again_is_answered_then() {
    // MQTT-4.3.2-4, MQTT-4.3.3-8: it would wait for its answer for ever.
    for qos in [QOS_1, QOS_2] {
        let mut trace = at_a();
        trace.receives(publish("order", qos, 7));
        let delivery = trace.tells_message("order").expect("it is above QoS 0");
        moves(&mut trace, "b", false);
        moves(&mut trace, "a", true);
        trace.session.acknowledge(delivery, ReasonCode::SUCCESS);
        trace.sends_nothing();
        trace.receives(publish_again("order", qos, 7));
        trace.sends(if qos == QOS_1 { puback(7) } else { pubrec(7) });
        trace.tells_nothing();
    }
}

#[test]
fn what_comes_from_servers_that_share_their_sessions_after_all_is_known() {
    // MQTT-4.3.3-10: the first one knew nothing of a Session for a while.
    for qos in [QOS_1, QOS_2] {
        let mut trace = at_a();
        moves(&mut trace, "b", false);
        trace.receives(publish("order", qos, 7));
        let delivery = trace.tells_message("order");
        moves(&mut trace, "a", true);
        trace.receives(publish_again("order", qos, 7));
        trace.tells_nothing();
        trace.acknowledge(delivery);
        trace.sends(if qos == QOS_1 { puback(7) } else { pubrec(7) });
    }
}

#[test]
fn what_the_first_server_has_finished_is_not_taken_for_what_comes_after_it() {
    // MQTT-4.3.3-12: after PUBCOMP its Packet Identifier is another message's, which comes with DUP when the first attempt is lost.
    let mut trace = at_a();
    trace.receives(publish("tick", QOS_2, 7));
    trace.takes_message("tick");
    trace.sends(pubrec(7));
    moves(&mut trace, "b", false);
    moves(&mut trace, "a", true);
    trace.receives(pubrel(7));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Pubcomp(_))));
    trace.reconnects(true);
    trace.receives(publish_again("tick", QOS_2, 7));
    trace.takes_message("tick");
    trace.sends(pubrec(7));
}

#[test]
fn what_was_left_at_a_server_is_known_until_messages_are_acknowledged_otherwise() {
    // MQTT-4.3.3-10: who can say of a message that it is done with it, depends on the option.
    let kinds = [(Acknowledge::WhenTaken, true), (Acknowledge::Explicitly, false)];
    for (is_back, (acknowledge, is_known)) in
        [true, false].into_iter().flat_map(|is_back| kinds.map(|kind| (is_back, kind)))
    {
        let mut trace = at_a();
        trace.receives(publish("order", QOS_2, 7));
        let order = trace.tells_message("order");
        moves(&mut trace, "b", false);
        trace.session.acknowledge(order.unwrap(), ReasonCode::SUCCESS);
        if is_back {
            moves(&mut trace, "a", true);
        }
        trace.loses_connection();
        trace.session.set_options(SessionOptions { keep_alive: 0, acknowledge, ..options() });
        trace.session.set_server("a");
        trace.connects(true, &[]);
        trace.receives(publish_again("order", QOS_2, 7));
        if is_known {
            trace.tells_nothing();
            trace.sends(pubrec(7));
        } else {
            trace.tells_message("order");
            trace.sends_nothing();
        }
    }
}

#[test]
fn what_a_program_can_not_acknowledge_any_more_comes_to_it_again() {
    // MQTT-4.6.0-2: kept away it would never be answered, nor would be what comes behind it.
    let options = SessionOptions { keep_alive: 0, acknowledge: Acknowledge::Explicitly, ..options() };
    let mut trace = Trace::new(options);
    trace.session.set_server("a");
    trace.connects(false, &[]);
    trace.receives(publish("done", QOS_2, 7));
    trace.receives(publish("not done", QOS_2, 8));
    let done = trace.tells_message("done");
    trace.tells_message("not done");
    trace.loses_connection();
    // With Session Present 0 it hears that it can't acknowledge them any more; before that it could.
    trace.acknowledge(done);
    trace.session.set_server("b");
    trace.connects(false, &[]);
    moves(&mut trace, "a", true);
    trace.receives(publish_again("done", QOS_2, 7));
    trace.tells_nothing();
    trace.sends(pubrec(7));
    trace.receives(publish_again("not done", QOS_2, 8));
    trace.takes_message("not done");
    trace.sends(pubrec(8));
}

#[test]
fn a_new_message_that_looks_like_one_from_before_is_not_swallowed() {
    // MQTT-3.3.1-1: what a Server sends again has DUP.
    let mut trace = at_a();
    trace.receives(publish("close all", QOS_2, 1));
    trace.takes_message("close all");
    trace.sends(pubrec(1));
    moves(&mut trace, "b", false);
    trace.receives(publish("close all", QOS_2, 1));
    trace.takes_message("close all");
    trace.sends(pubrec(1));
    moves(&mut trace, "a", true);
    // PUBREC had arrived, and PUBREL was lost.
    trace.receives(pubrel(1));
    trace.takes_packet(|packet| assert!(matches!(packet, Packet::Pubcomp(ack) if ack.packet_id == id(1))));
    trace.receives(publish("close all", QOS_2, 1));
    trace.tells_message("close all");
    trace.stays_connected();
    assert_eq!(trace.session.counters().breaches, 0, "{:?}", Breach::IdentifierInUse);
    // The first one has expired at its Server, which gives its Packet Identifier to another.
    let mut trace = at_a();
    trace.receives(publish("close all", QOS_2, 1));
    trace.tells_message("close all");
    moves(&mut trace, "b", false);
    moves(&mut trace, "a", true);
    trace.receives(publish("close all", QOS_2, 1));
    trace.tells_message("close all");
}

#[test]
fn what_a_lost_session_had_is_not_taken_up_in_the_one_after_it() {
    // MQTT-3.2.2-5: the first attempt to send this one was lost with its connection.
    let mut trace = at_a();
    trace.receives(publish("close all", QOS_2, 1));
    trace.takes_message("close all");
    trace.sends(pubrec(1));
    moves(&mut trace, "b", false);
    moves(&mut trace, "a", true);
    trace.reconnects(false);
    trace.reconnects(true);
    trace.receives(publish_again("close all", QOS_2, 1));
    trace.takes_message("close all");
    trace.sends(pubrec(1));
}

#[test]
fn where_two_servers_use_the_same_identifier_it_is_the_message_of_the_present_one() {
    // MQTT-4.3.3-10, MQTT-4.3.3-8: the state of the other's message would answer this one too early, or swallow the next.
    for done_at_a in [true, false] {
        let mut trace = at_a();
        let comes = |trace: &mut Trace, payload, is_done| {
            trace.receives(publish(payload, QOS_2, 5));
            let delivery = trace.tells_message(payload);
            if is_done {
                trace.acknowledge(delivery);
                trace.sends(pubrec(5));
            }
            delivery
        };
        let delivery = comes(&mut trace, "at a", done_at_a);
        moves(&mut trace, "b", false);
        comes(&mut trace, "at b", !done_at_a);
        moves(&mut trace, "a", true);
        trace.receives(publish_again("at a", QOS_2, 5));
        trace.tells_nothing();
        if !done_at_a {
            trace.sends_nothing();
            trace.acknowledge(delivery);
        }
        trace.sends(pubrec(5));
        trace.receives(pubrel(5));
        trace.sends(pubcomp(5));
        trace.receives(publish("next", QOS_2, 5));
        trace.tells_message("next");
    }
}
