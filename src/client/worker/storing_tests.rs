//! The store as the thread's steps use it, whatever happens while it is written.

use super::*;
use crate::client::Client;
use crate::client::store::{Moment, Store};
use crate::codec::property::Properties;
use crate::session::record::Batch;
use crate::types::QoS;
use crate::types::status::Failure;
use crate::types::topic::TopicName;
use std::sync::atomic::AtomicUsize;

/// A disk that is full, or on which the program publishes once more while it is written for the first time.
struct Disk {
    publishes: Option<Arc<Client>>,
    is_full: bool,
    written: Arc<AtomicUsize>,
}

impl Store for Disk {
    fn commit(&mut self, _: &[Batch], _: Moment) -> Result<(), Failure> {
        if self.is_full {
            return Err(Status::StoreNotWritten.because("the disk is full"));
        }
        if let Some(client) = self.publishes.take() {
            let outstanding = || client.shared.core.lock().session.outstanding().count;
            let before = outstanding();
            publish(&client, QoS::AtMostOnce);
            assert_eq!(outstanding(), before + 1, "what needs no store waits for it");
            publish(&client, QoS::AtLeastOnce);
        }
        self.written.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }
}

fn publish(client: &Client, qos: QoS) {
    let topic = TopicName::new("t").expect("a Topic Name");
    client.publish(topic, b"", qos, false, Properties::EMPTY).expect("an accepted publish");
}

/// A client that has something to store.
fn with_a_store(is_full: bool) -> (Arc<Client>, Worker, Arc<AtomicUsize>) {
    let client = Arc::new(Client::with_options(Options::default()));
    let mut worker = client.make_worker().expect("a poll");
    let written = Arc::<AtomicUsize>::default();
    let disk = Disk { publishes: Some(client.clone()), is_full, written: written.clone() };
    worker.keeper = Keeper::with(Box::new(disk));
    client.shared.core.lock().session.restore(Vec::new()).expect("nothing");
    publish(&client, QoS::AtMostOnce);
    publish(&client, QoS::AtLeastOnce);
    (client, worker, written)
}

#[test]
fn what_could_not_be_written_is_tried_again_though_nothing_else_happens() {
    let (_client, mut worker, _) = with_a_store(true);
    let sleep = worker.step(&Options::default).expect("a thread that goes on");
    assert!(sleep.until.is_some_and(|until| until <= clock::now() + Duration::from_secs(1)));
}

#[test]
fn a_client_that_is_freed_stores_what_was_published_while_it_stored() {
    let (client, mut worker, written) = with_a_store(false);
    client.shared.freed.store(true, Ordering::SeqCst);
    assert!(worker.step(&Options::default).is_none());
    assert!(written.load(Ordering::Acquire) == 2 && !client.shared.core.lock().session.has_records());
}
