//! A switchboard without a thread, whose turns are the test's.

use super::*;
use crate::client::sharing::SharedConnection;
use crate::codec::property::Properties;
use crate::types::topic::TopicName;

#[test]
fn a_program_that_is_freed_is_heard_to_its_end() {
    let connection = SharedConnection::new("freed");
    let poll = Poll::new().unwrap();
    let waker = Arc::new(Waker::new(poll.registry(), WAKE).unwrap());
    let mut switchboard = Switchboard::new(connection.desk.clone(), poll, waker);
    let program = Client::sharing("freed", "").ok().unwrap();
    switchboard.members.push(Member::new(1, program.shared.clone(), "", Duration::from_secs(1)));
    let turns = 3;
    for _ in 0..turns * IN_A_ROW {
        let topic = TopicName::new("t").unwrap();
        program.publish(topic, b"", QoS::AtLeastOnce, false, Properties::EMPTY).unwrap();
    }
    program.shared.freed.store(true, Ordering::Release);
    (0..turns).for_each(|_| switchboard.collect());
    assert_eq!(switchboard.owners.len(), turns * IN_A_ROW);
    assert!(switchboard.members.iter().all(|member| member.wanted));
    switchboard.collect();
    assert!(switchboard.members.iter().all(|member| !member.wanted), "then it leaves");
    switchboard.line.free();
}
