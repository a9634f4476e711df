//! The doctor, as a host starts it, reads its report, and answers for it.

use crate::common::abi::abi;
use crate::common::mosquitto::free_port;
use crate::host::{Client, refused};
use mt5mqtt::codec::Packet;
use mt5mqtt::codec::disconnect::Auth;
use mt5mqtt::codec::property::{PropertiesBuf, PropertyId, Value};
use mt5mqtt::ffi::constants::*;
use mt5mqtt::types::PacketType;
use mt5mqtt::types::reason::ReasonCode;

#[test]
fn a_report_comes_line_by_line_and_its_end_has_the_first_failure() {
    let client = Client::new();
    refused(abi().doctor_start(client.handle), MT5MQTT_E_WRONG_STATE, &["URL"]);
    client.set_text(MT5MQTT_OPT_URL, &format!("mqtt://127.0.0.1:{}", free_port()));
    abi().good(abi().doctor_start(client.handle));
    let mut lines = Vec::new();
    let end = loop {
        let event = client.expect(MT5MQTT_EVENT_DOCTOR);
        lines.push(client.event_text());
        if event.token == 1 {
            break event;
        }
        assert_eq!((event.token, event.status), (0, 0));
    };
    assert_eq!(end.status, MT5MQTT_E_CONNECT_FAILED, "{lines:#?}");
    let text = lines.concat();
    assert!(
        text.contains("FAILED: ") && text.contains("nobody listens") && text.contains("What to do: "),
        "{lines:#?}"
    );
    assert_eq!(client.state(), MT5MQTT_STATE_IDLE, "the client itself did nothing");
}

#[test]
fn the_server_that_the_doctor_examines_asks_the_program() {
    let mut server = crate::common::fake_server::FakeServer::start();
    let client = Client::new();
    client.set_text(MT5MQTT_OPT_URL, &server.url());
    client.set_text(MT5MQTT_OPT_AUTHENTICATION_METHOD, "m");
    abi().good(abi().doctor_start(client.handle));
    let mut peer = server.accept();
    peer.expect(PacketType::Connect);
    let mut properties = PropertiesBuf::new();
    properties.set(PropertyId::AuthenticationMethod, Value::Text("m")).unwrap();
    properties.set(PropertyId::AuthenticationData, Value::Binary(b"who?")).unwrap();
    let reason = ReasonCode::CONTINUE_AUTHENTICATION;
    peer.send(&Packet::Auth(Auth { reason, properties: properties.as_properties() }));
    let asked = loop {
        let event = client.event();
        if event.kind != MT5MQTT_EVENT_DOCTOR {
            break event;
        }
        refused(abi().authenticate(client.handle, b"me".as_ptr(), 2, 0), MT5MQTT_E_WRONG_STATE, &["current event"]);
    };
    assert_eq!((asked.kind, asked.reason_code, asked.payload_size), (MT5MQTT_EVENT_AUTHENTICATE, 0x18, 4));
    assert_eq!(client.payload(), b"who?");
    abi().good(abi().authenticate(client.handle, b"me".as_ptr(), 2, 0));
    let received = peer.expect(PacketType::Auth);
    let Packet::Auth(auth) = received.packet() else { panic!("{:?}", received.packet()) };
    assert_eq!(auth.properties.binary(PropertyId::AuthenticationData), Some(&b"me"[..]));
}
