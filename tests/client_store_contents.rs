//! A client with a store whose file is whole, and says something that no client would have written, or a later time.

mod common;

use common::fake_server::FakeServer;
use common::folder::Folder;
use common::program::Program;
use mt5mqtt::client::State;
use mt5mqtt::types::QoS;
use mt5mqtt::types::status::Status;
use std::time::Duration;

/// Makes a store, and changes one table of it behind the library's back.
fn changed_store<K: redb::Key + 'static>(
    url: &str,
    name: &str,
    table: redb::TableDefinition<'_, K, &[u8]>,
    (key, value): (K::SelfType<'_>, &[u8]),
) -> Folder {
    let folder = Folder::new(name);
    let program = Program::stored(url, &folder, &[]);
    program.send("kept", QoS::AtLeastOnce);
    program.connect().unwrap();
    program.expect_soon("the message to be stored", |client| client.statistics().commits > 0);
    program.free();
    let database = redb::Database::open(folder.path().join("session.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(key, value).unwrap();
    transaction.commit().unwrap();
    folder
}

#[test]
fn records_that_cant_be_true_are_an_error_and_no_records_less() {
    let mut server = FakeServer::start();
    let records: redb::TableDefinition<'_, &[u8], &[u8]> = redb::TableDefinition::new("records");
    // An accepted publish, of which nothing is there; and one that is in flight, and isn't among the accepted ones.
    let token_packet_id_order_and_state = [&9u64.to_be_bytes()[..], &[0, 9], &9u64.to_be_bytes(), &[0]].concat();
    for (kind, record) in [(2, &b"?"[..]), (3, &token_packet_id_order_and_state)] {
        let key = [&[kind][..], &9u64.to_be_bytes()].concat();
        let folder = changed_store(&server.url(), "store-no-record", records, (key.as_slice(), record));
        // Its listener may still hold the connection of the first client.
        drop(server.accept_within(Duration::ZERO));
        let program = Program::stored(&server.url(), &folder, &[]);
        program.connect().unwrap();
        let end = program.expect_disconnected();
        assert_eq!((end.failure, program.state()), (Some(Status::StoreDamaged), State::Idle), "{}", end.detail);
        assert!(end.detail.contains("session.redb") && end.detail.contains("move it away"), "{}", end.detail);
        let figures = program.statistics();
        assert_eq!((figures.restored, figures.outgoing), (0, 0));
        // It has let go of it, and nothing stays of what it has read.
        std::fs::remove_file(folder.path().join("session.redb")).unwrap();
        program.send("new", QoS::AtLeastOnce);
        let mut peer = program.connect_to(&mut server, false);
        program.expect_connected();
        let packet_id = peer.expect_publish("new").id();
        program.expect_soon("the message to be stored", |client| client.statistics().commits > 0);
        peer.puback(packet_id);
        assert!(folder.path().join("session.redb").exists());
    }
}

#[test]
fn no_token_of_an_earlier_process_is_given_again_though_the_clock_was_set_back() {
    let mut server = FakeServer::start();
    let about: redb::TableDefinition<'_, &str, &[u8]> = redb::TableDefinition::new("about");
    let last: i64 = 1 << 62;
    let last_token = ("last_token", &last.to_be_bytes()[..]);
    let folder = changed_store(&server.url(), "store-tokens", about, last_token);
    // Its listener may still hold the connection of the first client.
    drop(server.accept_within(Duration::ZERO));
    let program = Program::stored(&server.url(), &folder, &[]);
    let _peer = program.connect_to(&mut server, false);
    program.expect_connected();
    assert_eq!(program.send("new", QoS::AtLeastOnce), last + 1);
}
