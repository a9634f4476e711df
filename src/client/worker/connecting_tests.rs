//! Each connect of the program begins anew.

use super::*;
use crate::client::Client;
use crate::client::address::Address;
use crate::client::options::IntOption;
use crate::client::tls_options::TlsOptions;
use crate::codec::property::{PropertyId, Value};
use crate::session::event::Disconnected;
use crate::types::reason::ReasonCode;

fn options(urls: &str, delay_ms: i64) -> Options {
    let mut options = Options::default();
    for option in [IntOption::ReconnectMinimum, IntOption::ReconnectMaximum] {
        options.set_int(option as i32, delay_ms, true).expect("an option");
    }
    options.addresses = Address::parse_list(urls).expect("URLs");
    options
}

#[test]
fn nothing_of_an_earlier_connect_is_left_for_the_next_one() {
    let client = Client::with_options(options("mqtt://127.0.0.1:1 mqtt://127.0.0.2:1", 1));
    let mut worker = client.make_worker().expect("a poll");
    worker.server = 1;
    worker.attention = true;
    worker.tls = TlsSetup::new(&TlsOptions::default()).ok();
    let mut moved = Disconnected::new(None, "moved");
    moved.reason = Some(ReasonCode::SERVER_MOVED);
    moved.properties.set(PropertyId::ServerReference, Value::Text("elsewhere")).expect("a property");
    let address = worker.options.addresses[1].clone();
    assert!(worker.redirect.follow(&mut moved, &address, &["elsewhere".to_owned()], true));

    worker.begin_anew(options("mqtt://127.0.0.3:1", 1000));
    assert_eq!(worker.address().map(ToString::to_string).as_deref(), Some("mqtt://127.0.0.3:1"));
    assert!(!worker.attention && worker.tls.is_none());
    assert_eq!(worker.backoff.ceiling(), Duration::from_secs(1));
}

#[test]
fn each_attempt_says_that_it_is_one_and_at_which_server() {
    let client = Client::with_options(options("mqtt://127.0.0.1:1 mqtt://127.0.0.2:1", 1));
    let mut worker = client.make_worker().expect("a poll");
    client.shared.set_state(State::Waiting);
    worker.server = 1;
    worker.start_connecting();
    assert_eq!((client.state(), client.statistics().server_index), (State::Connecting, 1));
}
