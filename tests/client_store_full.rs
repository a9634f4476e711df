//! A store whose disk has no room left, at whichever of its writes that is met: nothing is lost, and it goes on when there is room.
#![cfg(target_os = "linux")]

mod common;

use common::fake_server::{FakeServer, Peer};
use common::small_disk::SmallDisk;
use common::stored::{end, program};
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::session::event::{Event, Stage};
use mt5mqtt::types::status::Status;
use mt5mqtt::types::{PacketType, QoS};
use std::time::{Duration, Instant};
use std::{fs, thread};

const PAGE: usize = 4096;

/// What the program was told of the store.
#[derive(Default)]
struct Told {
    not_opened: bool,
    not_written: bool,
}

/// Publishes with so much room on the disk, until all is durable; there is more room once the program has been told that there is
/// none.
fn publish_with(free: usize, server: &mut FakeServer, disk: &SmallDisk) -> Told {
    let ballast = disk.folder.path().join("ballast");
    // Whatever is left of the disk, but for that.
    let _ = fs::write(&ballast, vec![0; 8 << 20]);
    let size = fs::metadata(&ballast).unwrap().len() as usize;
    fs::File::options().write(true).open(&ballast).unwrap().set_len((size - free) as u64).unwrap();
    let program = program(&server.url(), &disk.folder, &[]);
    let tokens = [QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| program.try_send(&[b'x'; 10_000], qos).unwrap());
    program.connect().unwrap();
    let (mut durable, mut told) = (Vec::new(), Told::default());
    let mut peer: Option<Peer> = None;
    let deadline = Instant::now() + Duration::from_secs(30);
    while durable.len() < tokens.len() {
        assert!(Instant::now() < deadline, "{free} bytes of room: {:?}", program.statistics());
        program.wait(Duration::from_millis(5)).unwrap();
        let failure = program.poll(|notice| match &notice.kind {
            NoticeKind::Session(Event::Progress { token, stage: Stage::Durable }) => {
                durable.push(*token);
                None
            }
            NoticeKind::Session(Event::Disconnected(end)) => {
                told.not_opened = true;
                end.failure
            }
            NoticeKind::Store(Some(failure)) => {
                told.not_written = true;
                Some(failure.status)
            }
            _ => None,
        });
        if let Some(failure) = failure.unwrap().flatten() {
            assert_eq!(failure, Status::StoreNotWritten);
            let _ = fs::remove_file(&ballast);
        }
        if peer.is_none() {
            peer = server.accept_within(Duration::ZERO);
            if let Some(peer) = &mut peer {
                peer.expect(PacketType::Connect);
                peer.connack(false);
            }
        }
    }
    assert_eq!(durable, tokens);
    drop(peer);
    end(program, &disk.folder);
    told
}

/// The same, and what another process finds then.
fn publish_and_restore_with(free: usize) -> Option<Told> {
    let disk = SmallDisk::mount("store-no-room", "size=4m")?;
    let mut server = FakeServer::start();
    let told = publish_with(free, &mut server, &disk);
    let _ = fs::remove_file(disk.folder.path().join("ballast"));
    let next = program(&server.url(), &disk.folder, &[]);
    next.connect().unwrap();
    next.expect_soon("what was stored", |client| client.statistics().restored == 2);
    end(next, &disk.folder);
    Some(told)
}

#[test]
fn nothing_is_lost_whichever_write_finds_the_disk_full() {
    let told: Option<Vec<Told>> = thread::scope(|scope| {
        let run = |pages| scope.spawn(move || publish_and_restore_with(pages * PAGE));
        let threads = (0..30).step_by(3).chain([200]).map(run).collect::<Vec<_>>();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let Some(told) = told else { return };
    // The first write, one of those after it, or none.
    assert!(told.first().is_some_and(|told| told.not_opened));
    assert!(told.iter().any(|told| told.not_written));
    assert!(told.last().is_some_and(|told| !told.not_opened && !told.not_written));
}
