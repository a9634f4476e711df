//! Who has the store, and what happens when it is replaced by hand.

use super::*;
use crate::session::record::{Key, Record};
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("mt5mqtt-{name}-{}", std::process::id()))
}

fn now() -> Moment {
    Moment { instant: Instant::now(), unix_ms: 1 }
}

fn identity(client_id: &str) -> Identity {
    Identity { client_id: client_id.to_owned(), server: "mqtt://127.0.0.1:1883".to_owned() }
}

fn batch() -> Batch {
    Batch { number: 1, changes: vec![(Key::Session, Some(Record::Session))] }
}

#[test]
fn of_all_who_make_a_store_at_once_one_has_it_and_the_others_hear_that_it_is_in_use() {
    let folder = folder("store-made");
    for _ in 0..50 {
        let _ = fs::remove_dir_all(&folder);
        let all_are_there = Barrier::new(3);
        let mut opened: Vec<_> = thread::scope(|scope| {
            let open = || {
                all_are_there.wait();
                open(&folder, &identity("a"), now())
            };
            let threads = [(); 3].map(|()| scope.spawn(open));
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let statuses: Vec<_> = opened.iter().map(|result| result.as_ref().err().map(|error| error.0)).collect();
        assert_eq!(statuses.iter().filter(|status| status.is_none()).count(), 1, "{statuses:?}");
        assert!(statuses.iter().flatten().all(|status| *status == Status::StoreInUse), "{statuses:?}");
        let owner = opened.iter_mut().find_map(|result| result.as_mut().ok()).unwrap();
        owner.0.commit(&[batch()], now()).unwrap();
        drop(opened);
        // What it has stored is in the file that has the name.
        assert_eq!(open(&folder, &identity("a"), now()).unwrap().1.records.len(), 1);
    }
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_store_that_could_not_be_written_is_still_in_use() {
    let folder = folder("store-kept");
    let _ = fs::remove_dir_all(&folder);
    let (mut store, _) = open(&folder, &identity("a"), now()).unwrap();
    // As a failure leaves it until the next attempt.
    store.database = None;
    assert_eq!(open(&folder, &identity("a"), now()).err().map(|error| error.0), Some(Status::StoreInUse));
    store.commit(&[batch()], now()).unwrap();
    drop(store);
    assert_eq!(open(&folder, &identity("a"), now()).unwrap().1.records.len(), 1);
    fs::remove_dir_all(&folder).unwrap();
}

/// A store that has `commits` commits, and was closed by a failure.
fn closed_by_a_failure(folder: &Path, commits: usize) -> RedbStore {
    let _ = fs::remove_dir_all(folder);
    let (mut store, _) = open(folder, &identity("a"), now()).unwrap();
    (0..commits).for_each(|_| store.commit(&[batch()], now()).unwrap());
    store.database = None;
    store
}

fn refused(store: &mut RedbStore, why: &str) {
    let (status, text) = store.commit(&[batch()], now()).expect_err(why);
    assert!(status == Status::StoreNotWritten && text.contains(why), "{text}");
}

#[test]
fn a_store_that_was_replaced_while_it_was_closed_is_left_alone_until_the_right_one_is_back() {
    let (folder, other) = (folder("store-replaced"), folder("store-other"));
    let mut store = closed_by_a_failure(&folder, 3);
    let (file, aside) = (folder.join(FILE), folder.join("aside"));
    fs::rename(&file, &aside).unwrap();
    refused(&mut store, "can't be opened");
    // An older one of the same client.
    drop(closed_by_a_failure(&other, 1));
    fs::copy(other.join(FILE), &file).unwrap();
    refused(&mut store, "put that back");
    let about = open_file(&file).and_then(|database| read_about(&database, &file, &identity("a")));
    assert_eq!(about.unwrap().commits, 1);
    // That of another client.
    fs::remove_dir_all(&other).unwrap();
    drop(open(&other, &identity("b"), now()).unwrap());
    fs::copy(other.join(FILE), &file).unwrap();
    refused(&mut store, "belongs to the client 'b'");
    fs::write(&file, "").unwrap();
    refused(&mut store, "it is empty");
    fs::rename(&aside, &file).unwrap();
    store.commit(&[batch()], now()).unwrap();
    drop(store);
    assert_eq!(open(&folder, &identity("a"), now()).unwrap().1.records.len(), 1);
    [&folder, &other].iter().for_each(|folder| fs::remove_dir_all(folder).unwrap());
}

#[test]
fn what_may_have_been_written_by_the_attempt_that_failed_is_no_other_store() {
    let folder = folder("store-in-doubt");
    let mut store = closed_by_a_failure(&folder, 3);
    store.commits -= 1;
    store.commit(&[batch()], now()).unwrap();
    assert_eq!(store.commits, 4);
    fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_store_whose_file_is_taken_away_is_not_written_without_a_word() {
    let folder = folder("store-taken");
    let _ = fs::remove_dir_all(&folder);
    let (mut store, _) = open(&folder, &identity("a"), now()).unwrap();
    let (file, aside) = (folder.join(FILE), folder.join("aside"));
    fs::rename(&file, &aside).unwrap();
    refused(&mut store, "put it back");
    refused(&mut store, "can't be opened");
    fs::rename(&aside, &file).unwrap();
    store.commit(&[batch()], now()).unwrap();
    fs::remove_dir_all(&folder).unwrap();
}
