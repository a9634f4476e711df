//! rumqttc's blocking client: the program iterates the connection on a thread of its own, and that is where a message
//! reaches it.

use super::{Connection, Count, OnMessage};
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use std::sync::Arc;

/// Requests between the client and its connection.
const CHANNEL: usize = 1000;

pub struct Rumqtt {
    client: Client,
    messages: Arc<Count>,
    received: u64,
    written: Arc<Count>,
    acknowledged: Arc<Count>,
    granted: Arc<Count>,
    published: u64,
    expected: u64,
    subscribed: u64,
}

impl Rumqtt {
    pub fn connect(port: u16, id: &str, in_flight: u16, mut on_message: OnMessage) -> Rumqtt {
        let mut options = MqttOptions::new(id, "127.0.0.1", port);
        options.set_keep_alive(std::time::Duration::from_secs(60));
        options.set_outgoing_inflight_upper_limit(in_flight);
        options.set_max_packet_size(Some(1 << 20));
        let mut network = options.network_options();
        network.set_tcp_nodelay(true);
        options.set_network_options(network);
        let (client, mut connection) = Client::new(options, CHANNEL);
        let connected = Count::new();
        let rumqtt = Rumqtt {
            client,
            messages: Count::new(),
            received: 0,
            written: Count::new(),
            acknowledged: Count::new(),
            granted: Count::new(),
            published: 0,
            expected: 0,
            subscribed: 0,
        };
        let (messages, written, acknowledged, granted) =
            (rumqtt.messages.clone(), rumqtt.written.clone(), rumqtt.acknowledged.clone(), rumqtt.granted.clone());
        let accepted = connected.clone();
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::Publish(_))) => {
                        on_message();
                        messages.add();
                    }
                    Ok(Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_))) => acknowledged.add(),
                    Ok(Event::Incoming(Packet::SubAck(_))) => granted.add(),
                    Ok(Event::Incoming(Packet::ConnAck(_))) => accepted.add(),
                    Ok(Event::Outgoing(Outgoing::Publish(_))) => written.add(),
                    Ok(_) => {}
                    Err(_) => return,
                }
            }
        });
        connected.wait_for(1);
        rumqtt
    }
}

fn quality(qos: u8) -> QoS {
    match qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

impl Connection for Rumqtt {
    fn subscribe(&mut self, topic: &str, qos: u8) {
        self.client.subscribe(topic, quality(qos)).expect("subscribe");
        self.subscribed += 1;
        self.granted.wait_for(self.subscribed);
    }

    fn publish(&mut self, topic: &str, payload: &[u8], qos: u8) {
        self.client.publish(topic, quality(qos), false, payload.to_vec()).expect("publish");
        self.published += 1;
        self.expected += u64::from(qos > 0);
    }

    fn finish(&mut self) {
        self.written.wait_for(self.published);
        self.acknowledged.wait_for(self.expected);
    }

    fn receive(&mut self, count: u64) {
        self.received += count;
        self.messages.wait_for(self.received);
    }
}

impl Drop for Rumqtt {
    fn drop(&mut self) {
        let _ = self.client.disconnect();
    }
}
