//! The wrapper and the smallest Expert Advisor against the real library and a real Mosquitto.

use crate::common::mosquitto::Mosquitto;
use crate::common::tools::leave_out;
use crate::host::{Terminal, compiler};
use std::time::{Duration, Instant};

const MINIMAL: &str = "mql5/Experts/Mt5Mqtt/MinimalEA.mq5";

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn the_minimal_expert_publishes_ticks_and_gets_commands_in_every_script() {
    let Some(_) = compiler("the minimal Expert Advisor") else { return };
    let Some(server) = Mosquitto::start() else { return leave_out("the minimal Expert Advisor", "mosquitto") };
    let listening = server.subscribe(&["-t", "mt5/ticks/#", "-F", "%t %p"]);
    let mut terminal = Terminal::start();
    terminal.command(&["symbol", "EURUSD", "digits=5"]);
    terminal.expert("minimal", MINIMAL, &[("InpUrl", &server.url())]);
    terminal.expect("minimal", "print", "connected");
    terminal.expect("minimal", "print", "subscribed: ");
    for text in ["buy 0.10", "Привет", "世界", "emoji 🌍 and \u{10FFFF}"] {
        server.publish(&["-t", "mt5/commands", "-m", text, "-q", "1"]);
        assert_eq!(terminal.expect("minimal", "print", "mt5/commands"), format!("mt5/commands: {text}"));
    }
    terminal.command(&["tick", "EURUSD", "1.08512", "1.08520"]);
    assert_eq!(listening.line(deadline()), "mt5/ticks/EURUSD 1.08512");
    terminal.close();
}
