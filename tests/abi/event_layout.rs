//! The struct of an event: the same packed and natural, the same here and in the library, and checked at each poll.

use crate::common::abi::{Event, abi};
use crate::common::c_header::{CHeader, Declaration};
use crate::host::{Client, HEADER, refused};
use mt5mqtt::ffi::constants::*;
use std::mem::{MaybeUninit, offset_of};

fn fields() -> Vec<Declaration> {
    let header = CHeader::parse(HEADER);
    header.structs.into_iter().find(|found| found.name == "mt5mqtt_event").expect("the struct of an event").fields
}

fn size(c_type: &str) -> usize {
    match c_type {
        "int32_t" => 4,
        "int64_t" => 8,
        other => panic!("a field of the type {other}"),
    }
}

#[test]
fn packed_and_natural_layout_are_the_same_and_fill_the_struct() {
    let mut packed = 0;
    for field in fields() {
        let size = size(&field.of);
        assert_eq!(packed % size, 0, "a C compiler would align {} further behind", field.name);
        packed += size;
    }
    assert_eq!(packed % 8, 0, "a C compiler would add room at the end");
    assert_eq!(abi().event_size(), packed as i32);
    assert_eq!(size_of::<Event>(), packed);
}

#[test]
fn each_field_lies_where_the_header_says() {
    let mut offset = 0;
    let mut of_header = Vec::new();
    for field in fields() {
        of_header.push((field.name, offset));
        offset += size(&field.of);
    }
    macro_rules! here {
        ($($field:ident)*) => { vec![$((stringify!($field).to_owned(), offset_of!(Event, $field))),*] };
    }
    let here = here!(
        struct_size kind token time_us dropped status reason_code topic_size payload_size text_size property_count qos
        retain dup session_present packet_id detail
    );
    assert_eq!(here, of_header);
}

#[test]
fn another_struct_size_is_refused_and_nothing_is_taken_or_written() {
    let (_server, client, mut peer) = Client::connected(&[]);
    peer.publish(b"kept", None, mt5mqtt::types::QoS::AtMostOnce);
    assert_eq!(abi().wait(client.handle, 250), 1);
    let right = size_of::<Event>() as i32;
    for wrong in [0, 1, -1, right - 1, right + 1, right + 8, i32::MAX, i32::MIN] {
        let mut event = Event { struct_size: wrong, ..Event::default() };
        let (wrong_text, right_text) = (wrong.to_string(), right.to_string());
        let result = abi().poll(client.handle, &mut event);
        refused(result, MT5MQTT_E_STRUCT_SIZE, &["struct_size", &wrong_text, &right_text]);
        assert_eq!(event, Event { struct_size: wrong, ..Event::default() });
    }
    client.expect(MT5MQTT_EVENT_MESSAGE);
    assert_eq!(client.payload(), b"kept");
}

#[test]
fn an_event_at_any_address_is_filled_in_and_nothing_beside_it() {
    // MQL5 packs to one byte: a struct in a struct lies anywhere.
    let (_server, client, mut peer) = Client::connected(&[]);
    for shift in 0..8 {
        peer.publish(&[shift; 3], None, mt5mqtt::types::QoS::AtMostOnce);
        while abi().wait(client.handle, 250) == 0 {}
        let mut place = [0xEE_u8; size_of::<Event>() + 16];
        let event = place[usize::from(shift) + 4..].as_mut_ptr().cast::<Event>();
        // SAFETY: there is room for an event, and it is written without regard to alignment.
        unsafe { event.write_unaligned(Event::empty()) };
        assert_eq!(abi().poll(client.handle, event), 1);
        // SAFETY: it was just written.
        let read = unsafe { event.read_unaligned() };
        assert_eq!((read.kind, read.payload_size, read.topic_size), (MT5MQTT_EVENT_MESSAGE, 3, 1));
        let (before, rest) = place.split_at(usize::from(shift) + 4);
        assert!(before.iter().chain(&rest[size_of::<Event>()..]).all(|byte| *byte == 0xEE));
    }
}

#[test]
fn a_poll_without_an_event_writes_nothing() {
    let client = Client::new();
    let mut event = MaybeUninit::new(Event { token: 7, ..Event::empty() });
    assert_eq!(abi().poll(client.handle, event.as_mut_ptr()), 0);
    // SAFETY: it was initialised here.
    assert_eq!(unsafe { event.assume_init() }, Event { token: 7, ..Event::empty() });
}
