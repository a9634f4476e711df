//! A switchboard without a thread, whose turns are the test's.

use super::*;
use crate::client::sharing::SharedConnection;
use crate::client::sharing::filters::Subscribe;
use crate::codec::message::Message;
use crate::codec::property::Properties;
use crate::codec::subscribe::SubscriptionOptions;
use crate::types::topic::TopicName;

/// With programs that are let in, and number 1 and 2.
fn with_programs(name: &str, inboxes: [&str; 2]) -> (Switchboard, [Client; 2]) {
    let connection = SharedConnection::new(name);
    let poll = Poll::new().unwrap();
    let waker = Arc::new(Waker::new(poll.registry(), WAKE).unwrap());
    let mut switchboard = Switchboard::new(connection.desk.clone(), poll, waker);
    let programs = inboxes.map(|inbox| Client::sharing(name, inbox).ok().unwrap());
    for (id, (program, inbox)) in (1..).zip(programs.iter().zip(inboxes)) {
        switchboard.members.push(Member::new(id, program.shared.clone(), inbox, Duration::from_secs(1)));
    }
    (switchboard, programs)
}

fn topic() -> TopicName<'static> {
    TopicName::new("t").unwrap()
}

#[test]
fn a_program_that_is_freed_is_heard_to_its_end() {
    let (mut switchboard, [program, _]) = with_programs("freed", ["", ""]);
    switchboard.members.truncate(1);
    let turns = 3;
    for _ in 0..turns * IN_A_ROW {
        program.publish(topic(), b"", QoS::AtLeastOnce, false, Properties::EMPTY).unwrap();
    }
    program.shared.freed.store(true, Ordering::Release);
    (0..turns).for_each(|_| switchboard.collect());
    assert_eq!(switchboard.owners.len(), turns * IN_A_ROW);
    assert!(switchboard.members.iter().all(|member| member.wanted));
    switchboard.collect();
    assert!(switchboard.members.iter().all(|member| !member.wanted), "then it leaves");
    assert!(!switchboard.is_closing, "there is no connection of which an end could be told");
    switchboard.line.free();
}

#[test]
fn a_publish_is_withdrawn_by_its_own_program_alone() {
    let (mut switchboard, _programs) = with_programs("withdrawn publish", ["", ""]);
    switchboard.owners.insert(7, Owner { program: 1, is_qos0: false });
    for (program, is_passed_on) in [(2, 0), (1, 1)] {
        switchboard.carry_out(program, Command::Cancel { token: 7 });
        assert_eq!(switchboard.line.shared.commands(), is_passed_on, "program {program}");
    }
    switchboard.line.free();
}

#[test]
fn a_job_that_was_passed_on_is_kept_for_who_takes_the_place() {
    let (mut switchboard, _programs) = with_programs("passed on", ["", "named"]);
    let filter = "$share/group/t";
    for program in [1, 2] {
        let options = SubscriptionOptions::from_u8(1).unwrap();
        let asked = Subscribe { token: 1, filter: filter.to_owned(), options, properties: PropertiesBuf::new() };
        assert!(switchboard.filters.subscribe(program, asked, false).is_ok());
    }
    let message = Message::new(topic(), b"job", QoS::AtLeastOnce, false, Properties::EMPTY);
    let job = Event::Message { message, delivery: Some(5), packet_id: None, seen_before: false };
    let job = NoticeKind::Session(job);
    switchboard.members[0].give_message(job.clone());
    switchboard.owed.open(5, vec![1], None);
    switchboard.remove(1);
    assert_eq!(switchboard.owed.count(2), 1);
    assert_eq!(switchboard.owed.copies(2).len(), 1);
    switchboard.line.free();
}
