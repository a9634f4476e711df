//! States that a follower must not act on as they are: old ones, those that come too late, those of another account or of a
//! master that is away; and those that it must act on although a clock was set back.

use crate::common::mosquitto::Subscriber;
use crate::copying::{Copying, Fields, deal};
use crate::host::Terminal;
use mt5mqtt::types::QoS;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[test]
fn a_master_whose_clock_is_set_back_is_followed() {
    let Some(mut copying) = Copying::start("set-back", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    copying.master.command(&["own-clock", "-3600"]);
    let first = copying.master.positions()[0]["id"].clone();
    copying.trade(&deal(1, "0.30", &format!(" position={first}")));
    copying.converge();
    // A terminal that starts then goes on after what the Server keeps of it.
    copying.master.command(&["own-clock", "-7200"]);
    copying.restart_master();
    copying.trade(&deal(0, "0.20", ""));
    copying.converge();
    copying.close();
}

#[test]
fn the_state_of_another_account_under_the_same_name_is_not_followed() {
    let Some(mut copying) = Copying::start("another-account", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let requests = copying.follower.requests();
    let mut other = Terminal::start();
    let folder = copying.folder("OtherFiles");
    other.command(&["files", &folder]);
    other.command(&["account", "login=1002", "balance=100000"]);
    other.command(&["symbol", "EURUSD", "digits=5"]);
    other.command(&["tick", "EURUSD", "1.10000", "1.10010"]);
    copying.load_as_master(&mut other);
    other.command(&["trade", "action=1", "symbol=EURUSD", "type=1", "volume=0.77"]);
    copying.follower.expect("follower", "print", "1002@Simulated");
    copying.converge();
    assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
    // The one that it follows goes on, and a restart doesn't forget which one that is.
    copying.trade(&deal(1, "0.05", ""));
    copying.converge();
    copying.restart_follower();
    copying.follower.expect("follower", "print", "1002@Simulated");
    copying.trade(&deal(1, "0.06", ""));
    copying.converge();
    other.close();
    copying.close();
}

#[test]
fn a_master_whose_broker_renames_its_server_is_followed_if_it_has_what_it_had() {
    let Some(mut copying) = Copying::start("renamed", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let first = copying.master.positions()[0]["id"].clone();
    copying.master.command(&["account", "server=Renamed"]);
    copying.restart_master();
    copying.follower.expect("follower", "print", "1001@Renamed is followed");
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    copying.trade(&deal(1, "0.30", &format!(" position={first}")));
    copying.converge();
    // The same login at another broker has nothing of it.
    let requests = copying.follower.requests();
    let topic = "mt5/copier/master/state";
    let states = copying.server.subscribe(&["-t", topic, "-F", "%p"]);
    let state = states.line(Instant::now() + Duration::from_secs(20));
    let mut state: serde_json::Value = serde_json::from_str(&state).expect("JSON");
    state["server"] = "Other".into();
    state["positions"][0]["id"] = 900_001.into();
    copying.server.publish(&["-t", topic, "-q", "1", "-m", &state.to_string()]);
    copying.follower.expect("follower", "print", "1001@Other under the name of 1001@Renamed");
    assert_eq!(copying.follower.requests(), requests, "{}", copying.follower.transcript());
    copying.trade(&deal(0, "0.06", ""));
    copying.converge();
    copying.close();
}

/// What stands between the follower and the Server, and can be cut.
pub struct Line {
    pub port: u16,
    is_cut: Arc<AtomicBool>,
    is_silent: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Line {
    pub fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let line = Line { port, is_cut: Arc::default(), is_silent: Arc::default(), streams: Arc::default() };
        let (is_cut, streams) = (Arc::clone(&line.is_cut), Arc::clone(&line.streams));
        let is_silent = Arc::clone(&line.is_silent);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let mut open = streams.lock().expect("no panic under this lock");
                if is_cut.load(Ordering::Acquire) {
                    continue;
                }
                let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { continue };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let ends = (from.try_clone().expect("a stream"), to.try_clone().expect("a stream"));
                    let is_silent = Arc::clone(&is_silent);
                    thread::spawn(move || copy(ends.0, ends.1, &is_silent));
                }
                open.extend([near, far]);
            }
        });
        line
    }

    pub fn cut(&self) {
        let mut open = self.streams.lock().expect("no panic under this lock");
        self.is_cut.store(true, Ordering::Release);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Nothing arrives any more, and nobody hears of that.
    pub fn silence(&self) {
        self.is_silent.store(true, Ordering::Release);
    }

    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::Release);
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, is_silent: &AtomicBool) {
    let mut bytes = [0; 4096];
    while let Ok(size @ 1..) = from.read(&mut bytes) {
        if is_silent.load(Ordering::Acquire) {
            continue;
        }
        if to.write_all(&bytes[..size]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn what_was_opened_and_closed_during_an_outage_is_not_traded_after_it() {
    let Some(mut copying) = Copying::start("outage", &[("InpMaxAge", "0")]) else { return };
    let line = Line::to(copying.server.port());
    copying.follower_url = Some(format!("mqtt://127.0.0.1:{}", line.port));
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let requests = copying.follower.requests();
    line.cut();
    copying.follower.expect("follower", "print", "disconnected");
    let states = copying.server.subscribe(&["-t", "mt5/copier/master/state", "-F", "%p"]);
    // Each is published before the next one.
    for round in 0..20 {
        copying.trade(&deal(0, "0.20", ""));
        await_positions(&states, 2, round);
        let id = copying.master.positions()[1]["id"].clone();
        copying.trade(&deal(1, "0.20", &format!(" position={id}")));
        await_positions(&states, 1, round);
    }
    line.mend();
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    assert_eq!(copying.follower.requests(), requests + 1, "{}", copying.follower.transcript());
    copying.close();
}

#[track_caller]
fn await_positions(states: &Subscriber, count: usize, round: u32) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while states.line(deadline).matches("\"side\"").count() != count {
        assert!(Instant::now() < deadline, "round {round}");
    }
}

#[test]
fn a_slow_trade_server_gets_nothing_that_is_over_by_then() {
    let Some(mut copying) = Copying::start("slow", &[]) else { return };
    copying.load_both();
    copying.follower.command(&["account", "slow=1000"]);
    for _ in 0..10 {
        copying.trade(&deal(0, "0.10", ""));
    }
    copying.follower.expect("follower", "print", "open EURUSD");
    for fields in copying.master.positions() {
        copying.trade(&deal(1, "0.10", &format!(" position={}", fields["id"])));
    }
    copying.follower.expect("follower", "comment", "Master has 0 positions");
    copying.converge();
    let opened = copying.follower.said("follower", "print").iter().filter(|line| line.starts_with("open ")).count();
    assert!(opened < 10, "{}", copying.follower.transcript());
    copying.close();
}

#[test]
fn states_that_came_while_the_terminal_stood_still_are_all_taken_before_the_newest_is_worked_on() {
    let Some(mut copying) = Copying::start("stall", &[]) else { return };
    let topic = "mt5/copier/master/state";
    let states = copying.server.subscribe(&["-t", topic, "-F", "%p"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    let (mut held, deadline) = (String::new(), Instant::now() + Duration::from_secs(20));
    while held.matches("\"side\"").count() != 1 {
        held = states.line(deadline);
    }
    copying.master.kill();
    copying.follower.expect("follower", "print", "the master is offline");
    copying.follower.expect("follower", "comment", "held here 1");
    // Closing it keeps the program for so long that more states come than it takes at once.
    copying.follower.command(&["account", "slow=3000"]);
    let mut state: serde_json::Value = serde_json::from_str(&held).expect("JSON");
    let position = state["positions"][0].take();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    state["time_msc"] = i64::try_from(now.as_millis()).expect("a time").into();
    let mut another = position;
    another["id"] = 424_242.into();
    another["time_msc"] = state["time_msc"].clone();
    let mut with = |positions: Vec<serde_json::Value>| {
        state["positions"] = positions.into();
        state.to_string() + "\n"
    };
    let (none, one) = (with(Vec::new()), with(vec![another]));
    copying.server.publish_lines(topic, QoS::AtLeastOnce, &(none.clone() + &one.repeat(250) + &none));
    copying.follower.expect("follower", "comment", "Master has 0 positions, held here 0");
    let said = copying.follower.said("follower", "print");
    let opened = said.iter().filter(|line| line.starts_with("open ")).count();
    assert_eq!(opened, 1, "{}", copying.follower.transcript());
    copying.follower.close();
}

#[test]
fn the_age_of_a_position_is_by_the_masters_trade_server_whatever_the_computers_clocks_say() {
    for (of_master, of_follower) in [("0", "120"), ("0", "-120"), ("120", "0"), ("-120", "0"), ("600", "-7200")] {
        let Some(mut copying) = Copying::start("wrong-clocks", &[("InpMaxAge", "5")]) else { return };
        copying.master.command(&["own-clock", of_master]);
        copying.follower.command(&["own-clock", of_follower]);
        copying.load_both();
        let states = copying.server.subscribe(&["-t", "mt5/copier/master/state", "-F", "%p"]);
        states.line(Instant::now() + Duration::from_secs(20));
        states.line(Instant::now() + Duration::from_secs(20));
        copying.trade(&deal(0, "0.30", ""));
        copying.converge();
        // What is late is late by any clock.
        copying.server.pause();
        copying.trade(&deal(0, "0.05", ""));
        thread::sleep(Duration::from_secs(7));
        copying.server.resume();
        copying.follower.expect("follower", "print", ": too old to be opened");
        copying.converge_to(|positions| positions.into_iter().filter(|fields| fields["volume"] == "0.3").collect());
        copying.close();
    }
}

#[test]
fn a_master_whose_terminal_shows_no_price_of_today_makes_nothing_old_new() {
    let Some(mut copying) = Copying::start("old-price", &[]) else { return };
    copying.load_both();
    copying.end_follower();
    copying.trade(&deal(0, "0.30", ""));
    // Both begin anew after two hours in which no price has come.
    copying.kill_master();
    copying.master.expect("master", "print", "connected");
    for terminal in [&mut copying.master, &mut copying.follower] {
        terminal.command(&["own-clock", "7200"]);
    }
    copying.load_follower();
    copying.follower.expect("follower", "print", ": too old to be opened");
    copying.converge_to(|_| Vec::new());
    copying.close();
}

#[test]
fn what_was_there_before_is_copied_whatever_its_age_if_so_wanted() {
    for mode in ["hedging", "netting"] {
        let Some(mut copying) = Copying::start(&format!("existing-{mode}"), &[("InpExisting", "2")]) else { return };
        copying.trade(&deal(0, "0.30", ""));
        // By its clock it is two minutes old, and the follower opens nothing after one.
        copying.follower.command(&["own-clock", "120"]);
        copying.follower.command(&["account", &format!("mode={mode}")]);
        copying.follower.command(&["inject", "10004", "refused"]);
        copying.load_both();
        copying.converge();
        copying.close();
    }
}

#[test]
fn nothing_is_opened_while_the_master_is_away_and_what_it_closed_is_closed() {
    let Some(mut copying) = Copying::start("away", &[("InpExisting", "2"), ("InpMaxAge", "0")]) else { return };
    copying.load_master();
    copying.master.expect("master", "print", "connected");
    copying.trade(&deal(0, "0.30", ""));
    let states = copying.server.subscribe(&["-t", "mt5/copier/master/state", "-F", "%p"]);
    await_positions(&states, 1, 0);
    let presence = copying.server.subscribe(&["-t", "mt5/copier/master/presence", "-F", "%p"]);
    copying.master.kill();
    while presence.line(Instant::now() + Duration::from_secs(20)) != "offline" {}
    // What it holds by now nobody knows.
    copying.load_follower();
    copying.follower.expect("follower", "print", "the master is away");
    copying.converge_to(|_| Vec::new());
    // It is back, and has not said yet what it holds: its first state tells.
    copying.server.publish(&["-t", "mt5/copier/master/presence", "-q", "1", "-r", "-m", "online"]);
    copying.follower.expect("follower", "print", "the master is online");
    copying.converge_to(|_| Vec::new());
    copying.load_master();
    copying.converge();
    copying.close();
}

/// What one master's clock said is nothing of another's.
#[test]
fn a_follower_of_another_master_begins_with_the_clock_of_that_one() {
    let Some(mut copying) = Copying::start("another-clock", &[]) else { return };
    copying.name = "first";
    // To other instances of it, its own presence, the master's, and its state.
    let subscribed = |copying: &mut Copying| {
        for _ in 0..4 {
            copying.follower.expect("follower", "print", "subscribed: ");
        }
    };
    copying.load_follower();
    subscribed(&mut copying);
    let publish = |copying: &Copying, name: &str, clock_s: u64, sequence: u32, positions: &str| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
        let clock = now + u128::from(clock_s) * 1000;
        let position = format!(
            r#"{{"id":7,"symbol":"EURUSD","side":"buy","volume":0.1,"price":1.1,"sl":0,"tp":0,"time_msc":{now},
            "magic":0,"comment":"","contract_size":100000,"via":""}}"#
        );
        let state = format!(
            r#"{{"version":1,"server":"Simulated","login":1001,"sequence":{sequence},"time_msc":{now},"clock_msc":{clock},
            "waited_ms":0,"balance":1,"equity":1,"free_margin":1,"positions":[{}],"netting":false,"orders":[]}}"#,
            if positions.is_empty() { "" } else { &position }
        );
        copying.server.publish(&["-t", &format!("mt5/copier/{name}/state"), "-q", "1", "-m", &state]);
    };
    publish(&copying, "first", 3600, 1, "");
    copying.follower.expect("follower", "comment", "State: 1");
    copying.follower.command(&["reinit", "follower", "5", "InpMaster=second"]);
    subscribed(&mut copying);
    publish(&copying, "second", 0, 1, "");
    copying.name = "second";
    copying.await_file();
    publish(&copying, "second", 0, 2, "one");
    copying.follower.expect("follower", "print", "open EURUSD 0.10");
    copying.close();
}

#[test]
fn positions_are_sized_by_the_ratio_of_balances_in_one_currency_only() {
    let Some(mut copying) = Copying::start("currency", &[("InpSize", "2")]) else { return };
    copying.follower.command(&["account", "currency=JPY", "balance=10000000"]);
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.follower.expect("follower", "print", "USD");
    copying.converge_to(|_| Vec::<Fields>::new());
    copying.close();
}

#[test]
fn followers_learn_that_the_masters_state_is_too_large_for_the_server() {
    let Some(mut copying) = Copying::start_with("too-large", &[], "max_packet_size 2500") else { return };
    copying.load_both();
    for _ in 0..4 {
        copying.trade(&deal(0, "0.10", ""));
    }
    copying.converge();
    let close = format!(" position={}", copying.master.positions()[0]["id"]);
    for _ in 0..20 {
        copying.trade(&deal(0, "0.20", ""));
    }
    copying.master.expect("master", "print", "nothing is copied until it is smaller");
    copying.follower.expect("follower", "print", "the master can't publish its state");
    // Of what it does from now on nobody can be told, and nothing is closed because of that.
    copying.trade(&deal(1, "0.10", &close));
    copying.restart_follower();
    copying.follower.expect("follower", "print", "the master can't publish its state");
    copying.restart_master();
    copying.master.expect("master", "print", "nothing is copied until it is smaller");
    let said = copying.follower.said("follower", "print");
    assert!(!said.iter().any(|line| line.starts_with("close ")), "{said:#?}");
    for fields in copying.master.positions().iter().filter(|fields| fields["volume"] == "0.2") {
        copying.trade(&deal(1, "0.20", &format!(" position={}", fields["id"])));
    }
    copying.converge();
    copying.close();
}

#[test]
fn a_master_that_stands_still_is_told_by_its_followers() {
    let Some(mut copying) = Copying::start("stands-still", &[]) else { return };
    copying.load_both();
    copying.trade(&deal(0, "0.30", ""));
    copying.converge();
    // Its line to the MQTT Server holds, and it has no word of its positions.
    copying.master.command(&["connected", "0"]);
    copying.master.expect("master", "print", "nothing is published: the terminal isn't connected");
    copying.follower.expect("follower", "print", "no state has come for so long");
    copying.master.command(&["connected", "1"]);
    copying.trade(&deal(0, "0.05", ""));
    copying.converge();
    let panel = copying.follower.expect("follower", "comment", "held here 2");
    assert!(!panel.contains("Now:"), "{panel}");
    copying.close();
}
