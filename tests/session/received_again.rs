//! What comes again on the next connection: whether it is the message that the program has, or a new one.

use crate::trace::*;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;

#[test]
fn without_dup_it_is_a_new_message_in_qos_1_and_the_same_in_qos_2() {
    // MQTT-3.3.1-1, MQTT-4.3.2-5: a QoS 1 message that only looks like another one must not be lost. MQTT-4.3.3-10: until PUBREL
    // the Packet Identifier says which one it is.
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut trace = Trace::connected(options());
        trace.receives(publish("tick", qos, 7));
        let first = trace.tells_message("tick");
        trace.reconnects(true);
        trace.receives(publish("tick", qos, 7));
        if qos == QoS::AtLeastOnce {
            let second = trace.tells_message("tick");
            assert!(!trace.session.acknowledge(first.unwrap(), ReasonCode::SUCCESS), "it answered the second one");
            trace.sends_nothing();
            trace.acknowledge(second);
            trace.sends(puback(7));
        } else {
            trace.tells_nothing();
            trace.acknowledge(first);
            trace.sends(pubrec(7));
        }
    }
}
