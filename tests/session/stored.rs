//! A durable Session whose process is killed: what the next one says and does, by what was stored.

use crate::trace::*;
use mt5mqtt::codec::property::PropertyId;
use mt5mqtt::types::QoS;
use mt5mqtt::types::reason::ReasonCode;
use mt5mqtt::types::status::Status;
use std::time::Duration;

const QOS_1: QoS = QoS::AtLeastOnce;
const QOS_2: QoS = QoS::ExactlyOnce;

/// A durable Session that is connected to a new Session of the Server's.
fn connected(disk: &mut Disk) -> Trace {
    let mut trace = disk.start(options());
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace
}

#[test]
fn an_end_that_the_program_has_not_heard_of_is_told_by_the_next_process() {
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "one", QOS_1);
    trace.sends(publish("one", QOS_1, 1));
    trace.publish(2, "two", QOS_2);
    disk.store(&mut trace);
    trace.sends(publish("two", QOS_2, 2));
    trace.receives(puback(1));
    trace.receives(pubrec(2));
    disk.store(&mut trace);
    trace.sends(pubrel(2));
    trace.receives(pubcomp(2));
    // The messages are gone from the disk, and the process is killed before it takes its events.
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    trace.completes(1);
    trace.completes(2);
    assert_eq!(trace.session.outstanding(), (0, 0));
    trace.session.heard(1);
    trace.session.heard(2);
    disk.store(&mut trace);
    disk.start(options()).tells_nothing();
    assert_eq!(disk.records.len(), 1, "{:?}", disk.records);
}

#[test]
fn so_are_failures_with_all_that_the_server_said() {
    let mut disk = Disk::default();
    let mut trace = disk.start(options());
    trace.publish_so(3, "t", "expires", QOS_1, lives(10));
    disk.store(&mut trace);
    trace.passes(Duration::from_secs(1));
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    // The program gets it, and dies before it has dealt with it.
    assert_eq!(trace.tells_published(3).failure, Some(Status::Expired));
    trace.connects(false, &[]);
    disk.store(&mut trace);
    trace.publish(1, "refused", QOS_1);
    trace.sends(publish("refused", QOS_1, 1));
    trace.receives_bytes(&[0x40, 9, 0, 1, 0x97, 5, 0x1F, 0, 2, b'n', b'o']);
    disk.store(&mut trace);

    let mut trace = disk.start(options());
    let refused = trace.tells_published(1);
    assert_eq!((refused.failure, refused.reason), (Some(Status::RefusedByServer), Some(ReasonCode::QUOTA_EXCEEDED)));
    let text = refused.properties.as_properties().text(PropertyId::ReasonString);
    assert_eq!(text, Some("no"));
    assert_eq!(trace.tells_published(3).failure, Some(Status::Expired));
    trace.tells_nothing();
}

#[test]
fn an_end_is_no_record_if_the_program_hears_of_it_before_anything_is_stored() {
    let mut disk = Disk::default();
    let mut trace = connected(&mut disk);
    trace.publish(1, "one", QOS_1);
    trace.sends(publish("one", QOS_1, 1));
    trace.receives(puback(1));
    trace.completes(1);
    trace.session.heard(1);
    assert!(!trace.session.has_unheard());
    let batch = trace.session.poll_records().expect("a batch, as somebody may wait for it");
    assert_eq!(batch.changes, []);
}
