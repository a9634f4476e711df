//! A client whose store is written all the time.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::Client;
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::IntOption;
use mt5mqtt::session::event::Event;
use mt5mqtt::types::QoS;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_program_that_publishes_without_a_pause_gets_its_messages() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-busy"));
    let limits = [(IntOption::OutgoingMaximum, 1_000_000), (IntOption::ReconnectMaximum, 60_000)];
    let program = Program::stored(&server.url(), &folder, &limits);
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    let deadline = Instant::now() + Duration::from_secs(60);
    let came = AtomicBool::new(false);
    thread::scope(|scope| {
        // More often than any disk writes, and more rarely than a queue would be full.
        scope.spawn(|| {
            while !came.load(Ordering::Acquire) && Instant::now() < deadline {
                program.send("order", QoS::AtLeastOnce);
                thread::sleep(Duration::from_micros(50));
            }
        });
        let commits = |client: &Client| client.statistics().commits;
        let mut meanwhile = 0;
        for _ in 0..10 {
            let before = commits(&program);
            program.expect_soon("the disk at work", |client| commits(client) > before + 10);
            let before = commits(&program);
            peer.publish(b"tick", None, QoS::AtMostOnce);
            // It doesn't wait, which would be reading.
            program.expect_soon("the tick", |client| {
                let polled = client.poll(|notice| matches!(&notice.kind, NoticeKind::Session(Event::Message { .. })));
                polled.expect("a client that lives") == Some(true)
            });
            meanwhile += commits(&program) - before;
        }
        came.store(true, Ordering::Release);
        assert!(meanwhile < 300, "ten messages took {meanwhile} commits");
    });
}
