//! A handle that is zero, negative, forged, stale or of another kind is an answer, never a fault, for every function.

use crate::common::abi::abi;
use crate::common::any_export::{Argument, Export, Kind};
use crate::host::{Client, Properties, exports, refused};
use mt5mqtt::ffi::constants::*;
use std::collections::HashSet;
use std::ffi::c_void;

/// Zeros: an empty text, or bytes, or room for them.
#[repr(align(8))]
struct Zeros([u8; 256]);

/// Arguments that are right in themselves, beside the handle in front.
fn arguments(export: &Export, handle: i64, zeros: &mut Zeros) -> Vec<Argument> {
    let mut arguments = vec![Argument::Int(handle)];
    arguments.extend(export.parameters[1..].iter().map(|parameter| match (parameter.kind, parameter.name.as_str()) {
        (Kind::I32, "property") => Argument::Int(MT5MQTT_PROP_CONTENT_TYPE.into()),
        (Kind::I32, "option") => Argument::Int(MT5MQTT_OPT_KEEP_ALIVE_S.into()),
        (Kind::I32 | Kind::I64, _) => Argument::Int(0),
        _ => Argument::Pointer((&raw mut zeros.0).cast::<c_void>()),
    }));
    arguments
}

/// The exports whose first parameter is a handle of this kind.
fn taking(handle: &'static str) -> impl Iterator<Item = &'static Export> {
    exports().iter().filter(move |export| export.parameters.first().is_some_and(|first| first.name == handle))
}

fn answer(export: &Export, handle: i64) -> i64 {
    let mut zeros = Zeros([0; 256]);
    let arguments = arguments(export, handle, &mut zeros);
    // SAFETY: the pointers lead to 256 bytes, and no argument says that there are more.
    unsafe { export.call(&arguments) }
}

/// Handles that stand for nothing, `stale` ones and their neighbours among them.
fn nobodys(stale: &[i64]) -> Vec<i64> {
    let mut handles = vec![-1, i64::MIN, i64::MAX, 1, 2, 0x7FFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFE];
    for handle in stale {
        // What is left of one that was kept in 32 bits; older generations; another slot; a wrong sign. Not the generation
        // that comes next: another test may have it.
        handles.extend([*handle, handle & 0xFFFF_FFFF, handle + (1 << 32), handle - (1 << 32), handle - (2 << 32)]);
        handles.extend([handle ^ 1 << 30, handle | i64::MIN, -handle]);
    }
    handles
}

#[test]
fn every_function_of_a_client_refuses_what_is_no_client() {
    let stale = [abi().create(), abi().create()];
    assert_eq!(stale.map(|handle| abi().free(handle)), [0; 2]);
    let set = Properties::new();
    let mut seen = 0;
    for export in taking("client") {
        for handle in nobodys(&stale).into_iter().chain([set.handle]) {
            assert_eq!(answer(export, handle), MT5MQTT_E_INVALID_HANDLE.into(), "{}({handle})", export.name);
            assert!(abi().error_text().contains(&handle.to_string()), "{}: {}", export.name, abi().error_text());
        }
        let of_zero = if export.name == "mt5mqtt_free" { MT5MQTT_OK } else { MT5MQTT_E_INVALID_HANDLE };
        assert_eq!(answer(export, 0), of_zero.into(), "{}(0)", export.name);
        seen += 1;
    }
    assert!(seen >= 39, "{seen} functions take a client");
    assert_eq!(abi().properties_clear(set.handle), 0, "the set was not harmed");
}

#[test]
fn every_function_of_a_set_refuses_what_is_no_set() {
    let stale = [abi().properties_create(), abi().properties_create()];
    assert_eq!(stale.map(|handle| abi().properties_free(handle)), [0; 2]);
    let client = Client::new();
    let mut seen = 0;
    for export in taking("properties") {
        for handle in nobodys(&stale).into_iter().chain([client.handle]) {
            assert_eq!(answer(export, handle), MT5MQTT_E_INVALID_HANDLE.into(), "{}({handle})", export.name);
        }
        let of_zero = if export.name == "mt5mqtt_properties_free" { MT5MQTT_OK } else { MT5MQTT_E_INVALID_HANDLE };
        assert_eq!(answer(export, 0), of_zero.into(), "{}(0)", export.name);
        seen += 1;
    }
    assert!(seen >= 8, "{seen} functions take a set of properties");
    assert_eq!(client.state(), MT5MQTT_STATE_IDLE, "the client was not harmed");
}

#[test]
fn a_set_that_is_no_set_is_refused_where_a_call_would_use_it() {
    let client = Client::new();
    let stale = abi().properties_create();
    abi().properties_free(stale);
    for set in nobodys(&[stale]).into_iter().chain([client.handle]) {
        let (client, topic, status) = (client.handle, c"t".as_ptr(), MT5MQTT_E_INVALID_HANDLE);
        let nothing = std::ptr::null();
        refused(abi().publish(client, topic, nothing, 0, 0, 0, set), status, &[&set.to_string()]);
        refused(abi().publish_text(client, topic, nothing.cast(), 0, 0, set), status, &[]);
        refused(abi().subscribe(client, topic, 0, set), status, &[]);
        refused(abi().unsubscribe(client, topic, set), status, &[]);
        refused(abi().set_will(client, topic, nothing, 0, 0, 0, set), status, &[]);
        refused(abi().disconnect(client, 0, set, 0), status, &[]);
    }
}

#[test]
fn a_handle_can_be_freed_once_and_never_comes_back() {
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let (client, set) = (abi().create(), abi().properties_create());
        assert!(client > 0 && set > 0);
        assert!(seen.insert(client) && seen.insert(set), "a handle was given out a second time");
        refused(abi().free(set), MT5MQTT_E_INVALID_HANDLE, &[&set.to_string(), "is a set of properties"]);
        refused(abi().properties_free(client), MT5MQTT_E_INVALID_HANDLE, &[&client.to_string(), "is a client"]);
        assert_eq!((abi().free(client), abi().properties_free(set)), (0, 0));
        refused(abi().free(client), MT5MQTT_E_INVALID_HANDLE, &[&client.to_string()]);
        refused(abi().properties_free(set), MT5MQTT_E_INVALID_HANDLE, &[&set.to_string()]);
    }
}

#[test]
fn a_number_that_is_nearly_the_handle_of_a_client_is_not_one() {
    let client = Client::new();
    let handle = client.handle;
    // What is left of it in an int32_t, such as MQL5's int; the generation beside it.
    for wrong in [handle & 0xFFFF_FFFF, i64::from(handle as i32), handle - (1 << 32), handle + (1 << 32)] {
        let result = abi().set_int(wrong, MT5MQTT_OPT_KEEP_ALIVE_S, 1);
        refused(result, MT5MQTT_E_INVALID_HANDLE, &[&wrong.to_string()]);
    }
}

#[test]
fn freeing_one_client_leaves_the_others_alone() {
    let (_server, other, _peer) = Client::connected(&[]);
    for _ in 0..10 {
        let (_server, client, _peer) = Client::connected(&[]);
        drop(client);
        assert_eq!(other.state(), MT5MQTT_STATE_CONNECTED);
    }
    assert!(other.poll().is_none());
}
