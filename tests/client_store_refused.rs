//! A store that can't be used is an error, never taken for an empty one; and one that can't be written for a while loses nothing.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
#[cfg(target_os = "linux")]
use common::small_disk::SmallDisk;
use common::stored::{accept, end, expect_among_others, program};
use mt5mqtt::client::events::NoticeKind;
use mt5mqtt::client::options::{self, IntOption, STORE_PATH};
use mt5mqtt::client::{Client, State};
use mt5mqtt::session::event::{Event, Stage, Token};
use mt5mqtt::types::status::{Failure, Status};
use mt5mqtt::types::{PacketType, QoS};
use redb::ReadableTable;
use std::fs;
use std::time::Duration;

/// How the attempt to connect with this store ends, without a connection.
#[track_caller]
fn refused(url: &str, folder: &Folder) -> (Failure, State) {
    let program = program(url, folder, &[(IntOption::ReconnectMinimum, 10_000), (IntOption::ReconnectMaximum, 10_000)]);
    program.connect().expect("an idle client connects");
    let end = program.expect_disconnected();
    let result = (end.failure.expect("a failure").because(end.detail), program.state());
    self::end(program, folder);
    result
}

/// A store with one message in it.
fn store_with_a_message(url: &str, folder: &Folder) -> Token {
    let program = program(url, folder, &[]);
    let token = program.send("kept", QoS::AtLeastOnce);
    program.connect().unwrap();
    expect_among_others(&program, |event| matches!(event, Event::Progress { stage: Stage::Durable, .. }));
    end(program, folder);
    token
}

#[test]
fn a_damaged_store_is_an_error_and_stays_as_it_is() {
    let server = FakeServer::start();
    let whole = Folder::new("store-whole");
    store_with_a_message(&server.url(), &whole);
    let file = |folder: &Folder| folder.path().join("session.redb");
    let bytes = fs::read(file(&whole)).unwrap();
    let garbage: Vec<u8> = (0..bytes.len()).map(|place| (place * 31 % 251) as u8).collect();
    let mut flipped = bytes.clone();
    // Where the message lies.
    let place = bytes.windows(4).position(|window| window == b"kept").expect("the message is in the file");
    flipped[place] ^= 1;
    for (what, content) in [
        ("empty", Vec::new()),
        ("garbage", garbage),
        ("cut to a half", bytes[..bytes.len() / 2].to_vec()),
        ("cut to a page", bytes[..4096].to_vec()),
        ("cut by a byte", bytes[..bytes.len() - 1].to_vec()),
        ("one bit wrong", flipped),
    ] {
        let folder = Folder::new("store-damaged");
        fs::write(file(&folder), &content).unwrap();
        let (Failure { status, text }, state) = refused(&server.url(), &folder);
        assert_eq!((status, state), (Status::StoreDamaged, State::Idle), "{what}: {text}");
        assert!(text.contains("session.redb"), "{what}: {text}");
    }
    let program = program(&server.url(), &whole, &[]);
    program.connect().unwrap();
    program.expect_soon("the message of the undamaged store", |client| client.statistics().restored == 1);
}

/// What the store says its format is, after it was perhaps changed.
fn format(folder: &Folder, change: Option<u32>) -> u32 {
    let database = redb::Database::open(folder.path().join("session.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let about: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("about");
    let format = {
        let mut about = transaction.open_table(about).unwrap();
        if let Some(format) = change {
            about.insert("format", format.to_be_bytes().as_slice()).unwrap();
        }
        let format = about.get("format").unwrap().unwrap().value().try_into().unwrap();
        u32::from_be_bytes(format)
    };
    transaction.commit().unwrap();
    format
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let (server, folder) = (FakeServer::start(), Folder::new("store-newer"));
    store_with_a_message(&server.url(), &folder);
    let newer = format(&folder, None) + 1;
    format(&folder, Some(newer));
    let (Failure { status, text }, state) = refused(&server.url(), &folder);
    assert_eq!((status, state), (Status::StoreNewer, State::Idle), "{text}");
}

#[test]
fn a_store_of_an_older_version_is_taken_over_and_no_older_library_reads_it_afterwards() {
    let (server, folder) = (FakeServer::start(), Folder::new("store-older"));
    store_with_a_message(&server.url(), &folder);
    let ours = format(&folder, None);
    format(&folder, Some(1));
    let program = program(&server.url(), &folder, &[]);
    program.connect().unwrap();
    program.expect_soon("the message of the older store", |client| client.statistics().restored == 1);
    end(program, &folder);
    assert_eq!(format(&folder, None), ours);
}

#[cfg(unix)]
#[test]
fn a_store_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = FakeServer::start();
    let folder = Folder::new("store-private");
    store_with_a_message(&server.url(), &folder);
    let mode = fs::metadata(folder.path().join("session.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_store_belongs_to_one_client_of_one_server() {
    let (server, other, folder) = (FakeServer::start(), FakeServer::start(), Folder::new("store-identity"));
    store_with_a_message(&server.url(), &folder);
    let (Failure { status, text }, state) = refused(&other.url(), &folder);
    assert_eq!((status, state), (Status::StoreOfAnother, State::Idle), "{text}");
    assert!(text.contains("Server") && text.contains("127.0.0.1"), "{text}");
    let program = program(&server.url(), &folder, &[]);
    program.set_text(options::CLIENT_ID, "another");
    program.connect().unwrap();
    let refused = program.expect_disconnected();
    assert_eq!(refused.failure, Some(Status::StoreOfAnother));
    assert!(refused.detail.contains("'c'") && refused.detail.contains("'another'"), "{}", refused.detail);
    // The program puts it right, and the store is there.
    program.set_text(options::CLIENT_ID, "c");
    program.connect().unwrap();
    program.expect_soon("the message of the store", |client| client.statistics().restored == 1);
}

#[test]
fn a_store_is_for_one_client_at_a_time_and_the_next_one_waits_for_it() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-in-use"));
    let first = program(&server.url(), &folder, &[]);
    let _peer = first.connect_to(&mut server, false);
    first.expect_connected();
    let second =
        program(&server.url(), &folder, &[(IntOption::ReconnectMinimum, 20), (IntOption::ReconnectMaximum, 20)]);
    second.connect().unwrap();
    assert_eq!(second.expect_disconnected().failure, Some(Status::StoreInUse));
    first.free();
    let (_peer, _) = accept(&mut server, true);
    expect_among_others(&second, |event| matches!(event, Event::Connected { .. }));
}

#[test]
fn a_folder_that_cant_be_made_is_an_error() {
    let (server, folder) = (FakeServer::start(), Folder::new("store-no-folder"));
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let program = program(&server.url(), &folder, &[]);
    program.set_text(STORE_PATH, file.join("below").to_str().unwrap());
    program.connect().unwrap();
    let end = program.expect_disconnected();
    assert_eq!((end.failure, program.state()), (Some(Status::StoreNotOpened), State::Idle), "{}", end.detail);
}

#[test]
fn a_store_needs_a_session_that_goes_on() {
    let (server, folder) = (FakeServer::start(), Folder::new("store-options"));
    let connect = |client: &Client| client.connect().map_err(|failure| failure.status);
    let anonymous = program(&server.url(), &folder, &[]);
    anonymous.set_text(options::CLIENT_ID, "");
    assert_eq!(connect(&anonymous), Err(Status::WrongState));
    let ending = program(&server.url(), &folder, &[(IntOption::SessionExpiry, 0)]);
    assert_eq!(connect(&ending), Err(Status::WrongState));
}

#[test]
fn a_client_keeps_the_store_that_it_was_connected_with() {
    let (mut server, folder) = (FakeServer::start(), Folder::new("store-change"));
    let program = program(&server.url(), &folder, &[]);
    let _peer = program.connect_to(&mut server, false);
    program.expect_connected();
    program.disconnect_now(Duration::from_secs(2));
    program.set_option(|options, idle| options.set_text(STORE_PATH, None, idle)).unwrap();
    assert_eq!(program.connect().unwrap_err().status, Status::WrongState);
    program.set_text(STORE_PATH, folder.path().to_str().unwrap());
    program.set_text(options::CLIENT_ID, "another");
    assert_eq!(program.connect().unwrap_err().status, Status::WrongState);
    program.set_text(options::CLIENT_ID, "c");
    program.connect().unwrap();
    assert!(!accept(&mut server, true).1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_writing_goes_on_when_there_is_room() {
    let Some(disk) = SmallDisk::mount("store-full", "size=4m") else { return };
    let mut server = FakeServer::start();
    let program = program(&server.url(), &disk.folder, &[(IntOption::Progress, 1)]);
    let mut peer = program.connect_to(&mut server, false);
    program.expect_connected();
    let ballast = disk.folder.path().join("ballast");
    // Whatever is left of the disk.
    let _ = fs::write(&ballast, vec![0; 8 << 20]);
    let told = loop {
        // Until the store needs another page.
        if let Err(status) = program.try_send(&[b'x'; 10_000], QoS::ExactlyOnce) {
            assert_eq!(status, Status::StoreNotWritten);
        }
        program.wait(Duration::from_millis(20)).unwrap();
        let told = program.poll(|notice| match &notice.kind {
            NoticeKind::Store(Some(failure)) => Some(failure.clone()),
            other => panic!("{other:?}"),
        });
        if let Some(Some(told)) = told.unwrap() {
            break told;
        }
    };
    assert_eq!(told.status, Status::StoreNotWritten, "{told}");
    // What it can't keep is not accepted, what needs no keeping is, and nothing is sent that would have to be stored first.
    assert_eq!(program.try_send(b"refused", QoS::AtLeastOnce), Err(Status::StoreNotWritten));
    program.send("tick", QoS::AtMostOnce);
    let mut sent = 0;
    while peer.expect(PacketType::Publish).payload() != "tick" {
        sent += 1;
    }
    let waiting = program.statistics().outgoing - sent;
    assert!(waiting > 0);
    fs::remove_file(&ballast).unwrap();
    let recovered = loop {
        program.wait(Duration::from_secs(10)).unwrap();
        if let Some(kind) = program.poll(|notice| matches!(notice.kind, NoticeKind::Store(None))).unwrap() {
            break kind;
        }
    };
    assert!(recovered);
    for _ in 0..waiting {
        peer.expect(PacketType::Publish);
    }
    program.send("accepted again", QoS::AtLeastOnce);
    peer.expect_publish("accepted again");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_an_error() {
    let Some(disk) = SmallDisk::mount("store-read-only", "ro,size=4m") else { return };
    let server = FakeServer::start();
    let (Failure { status, text }, state) = refused(&server.url(), &disk.folder);
    assert_eq!((status, state), (Status::StoreNotOpened, State::Idle), "{text}");
}
