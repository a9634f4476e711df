//! Programs on one connection to a real Server, Mosquitto, in both versions of MQTT.

use crate::common::mosquitto::Mosquitto;
use crate::common::program::Program;
use crate::common::tools;
use mt5mqtt::client::options::{self, IntOption};
use mt5mqtt::codec::property::Properties;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use mt5mqtt::types::topic::TopicName;

fn mosquitto(config: &str) -> Option<Mosquitto> {
    if tools::find("mosquitto").is_none() || tools::find("mosquitto_pub").is_none() {
        tools::leave_out("a shared connection with a real Server", "mosquitto and mosquitto-clients");
        return None;
    }
    Mosquitto::start_with(config)
}

fn programs<const N: usize>(server: &Mosquitto, name: &str, version: i64) -> [Program; N] {
    std::array::from_fn(|index| {
        let ints = [(IntOption::ProtocolVersion, version)];
        let program = Program::sharing(name, &format!("inbox {index}"), &server.url(), &ints);
        program.set_text(options::CLIENT_ID, name);
        program.connect().expect("it joins");
        program
    })
}

fn publish(program: &Program, topic: &str, payload: &str, retain: bool) {
    let topic = TopicName::new(topic).unwrap();
    let token = program.publish(topic, payload.as_bytes(), QoS::AtLeastOnce, retain, Properties::EMPTY);
    token.expect("an accepted publish");
}

/// Payloads up to the one that ends, with what else came on the way left out.
fn until(program: &Program, end: &str) -> Vec<String> {
    let mut payloads = Vec::new();
    loop {
        if let Event::Message { message, .. } = program.event(end) {
            let payload = String::from_utf8_lossy(message.payload()).into_owned();
            if payload == end {
                return payloads;
            }
            payloads.push(payload);
        }
    }
}

fn subscribe(program: &Program, filter: &str) {
    program.subscribe_to(filter, QoS::AtLeastOnce);
    while !matches!(program.event("Subscribed"), Event::Subscribed { ref outcome, .. } if outcome.failure.is_none()) {}
}

#[test]
fn overlapping_filters_in_both_versions() {
    for version in [4, 5] {
        let Some(server) = mosquitto("") else { return };
        let [all, one, same, sender] = programs(&server, "mosquitto-overlap", version);
        let receivers = [&all, &one, &same];
        for (program, filter) in receivers.into_iter().zip(["m/#", "m/+", "m/+"]) {
            subscribe(program, filter);
            subscribe(program, "end");
        }
        let expected: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        expected.iter().for_each(|payload| publish(&sender, "m/x", payload, false));
        publish(&sender, "end", "end", false);
        for program in receivers {
            let mut payloads = until(program, "end");
            if version == 4 {
                // A copy for each subscription can't be told from another message: it may come twice, but never not.
                payloads.dedup();
            }
            assert_eq!(payloads, expected, "MQTT {version}");
        }
    }
}

#[test]
fn retained_messages_and_those_of_other_clients_in_both_versions() {
    for version in [4, 5] {
        let Some(server) = mosquitto("") else { return };
        let [first, second] = programs(&server, "mosquitto-retained", version);
        publish(&first, "state", "kept", true);
        subscribe(&first, "end");
        publish(&first, "end", "published", false);
        until(&first, "published");
        first.subscribe_to("state", QoS::AtLeastOnce);
        until(&first, "kept");
        second.subscribe_to("state", QoS::AtLeastOnce);
        until(&second, "kept");
        server.publish(&["-t", "state", "-m", "changed", "-q", "1"]);
        assert_eq!(until(&second, "changed"), [""; 0]);
        let before = until(&first, "changed");
        if version == 5 {
            assert_eq!(before, [""; 0], "the second program's retained message came to the first");
        }
    }
}

#[test]
fn a_server_that_was_restarted_without_its_sessions_has_all_subscriptions_again() {
    for version in [4, 5] {
        let Some(mut server) = mosquitto("") else { return };
        let [first, second] = programs(&server, "mosquitto-restarted", version);
        subscribe(&first, "a/#");
        subscribe(&second, "a/+");
        subscribe(&second, "b");
        server.restart();
        for program in [&first, &second] {
            while !matches!(program.event("Connected"), Event::Connected { session_present: false, .. }) {}
        }
        // Behind the subscriptions, which the Session makes again first.
        subscribe(&first, "c");
        server.publish(&["-t", "a/x", "-m", "both", "-q", "1"]);
        server.publish(&["-t", "b", "-m", "second", "-q", "1"]);
        server.publish(&["-t", "c", "-m", "first", "-q", "1"]);
        let mut of_first = until(&first, "first");
        let mut of_second = until(&second, "second");
        if version == 4 {
            of_first.dedup();
            of_second.dedup();
        }
        assert_eq!((of_first, of_second), (vec!["both".to_owned()], vec!["both".to_owned()]), "MQTT {version}");
    }
}

#[test]
fn a_shared_subscription_s_messages_come_once() {
    let Some(server) = mosquitto("") else { return };
    let [first, second] = programs(&server, "mosquitto-jobs", 5);
    for program in [&first, &second] {
        subscribe(program, "$share/workers/jobs");
        subscribe(program, "end");
    }
    for job in 0..10 {
        publish(&first, "jobs", &job.to_string(), false);
    }
    publish(&first, "end", "end", false);
    let mut jobs = until(&first, "end");
    jobs.extend(until(&second, "end"));
    jobs.sort();
    let expected: Vec<String> = (0..10).map(|job| job.to_string()).collect();
    assert_eq!(jobs, expected);
}
