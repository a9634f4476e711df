//! A store that somebody replaces or takes away while a client uses it.

use super::tests::{batch, folder, identity, now};
use super::*;

/// A store that has `commits` commits, and was closed by a failure.
fn closed_by_a_failure(folder: &Path, commits: usize) -> RedbStore {
    let _ = fs::remove_dir_all(folder);
    let (mut store, _) = open(folder, &identity("a"), now()).unwrap();
    (0..commits).for_each(|_| store.commit(&[batch()], now()).unwrap());
    store.database = None;
    store
}

fn refused(store: &mut RedbStore, why: &str) {
    let failure = store.commit(&[batch()], now()).expect_err(why);
    assert!(failure.status == Status::StoreNotWritten && failure.text.contains(why), "{failure}");
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
