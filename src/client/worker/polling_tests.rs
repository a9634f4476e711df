//! A program that polls without a pause does for the Server what the background thread does, which sleeps here all the time.

use super::late_tests::{Line, open, step};
use super::*;
use crate::client::Client;
use parking_lot::Mutex;
use std::time::Duration;

const PUBREL: &[u8] = &[0x62, 2, 0, 7];
/// No message with this Packet Identifier is known.
const PUBCOMP: &[u8] = &[0x70, 3, 0, 7, 0x92];

fn online() -> (Client, Arc<Mutex<Line>>) {
    let (client, mut worker, line) = open(true);
    step(&mut worker);
    assert!(client.poll(|_| ()).expect("a client that lives").is_some());
    (client, line)
}

/// One of so many polls looks at the socket.
fn poll_in_vain(client: &Client) {
    (0..32).for_each(|_| assert!(client.poll(|_| ()).expect("a client that lives").is_none()));
}

/// Polls in vain until something is so.
#[track_caller]
fn poll_until(client: &Client, is_so: impl Fn() -> bool) {
    let deadline = clock::now() + Duration::from_secs(15);
    while !is_so() {
        poll_in_vain(client);
        assert!(clock::now() < deadline, "polled in vain");
    }
}

#[test]
fn what_a_poll_reads_is_answered_at_once() {
    // MQTT-4.3.3-11
    let (client, line) = online();
    line.lock().said.push_back(PUBREL);
    poll_until(&client, || line.lock().heard.ends_with(PUBCOMP));
}

#[test]
fn only_a_program_that_polls_without_a_pause_takes_the_socket() {
    let (client, _line) = online();
    let is_led = || client.shared.core.lock().connection.is_led();
    for _ in 0..20 {
        poll_in_vain(&client);
        rest(Duration::from_micros(100));
        assert!(!is_led());
    }
    poll_until(&client, is_led);
}
