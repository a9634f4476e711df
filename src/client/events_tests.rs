//! The bounds of the event queue, and what makes room.

use super::*;
use crate::client::log::Level;
use crate::codec::message::Message;
use crate::codec::property::Properties;
use crate::session::event::{Answer, Outcome};
use crate::types::QoS;
use crate::types::topic::TopicName;
use std::time::Duration;

fn queue(count: usize, drop_newest: bool) -> EventQueue {
    EventQueue::new(EventLimits { count, bytes: 1 << 20, drop_newest, successes: true })
}

fn message(payload: &str, qos: QoS) -> NoticeKind {
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, payload.as_bytes(), qos, false, Properties::EMPTY);
    let delivery = (qos != QoS::AtMostOnce).then_some(1);
    NoticeKind::Session(Event::Message { message, delivery, packet_id: None, seen_before: false })
}

fn take(queue: &EventQueue) -> Option<(String, u64)> {
    let Next::Taken(notice) = queue.pop_if(|_| true) else { return None };
    match notice.kind {
        NoticeKind::Session(Event::Message { message, .. }) => {
            Some((String::from_utf8(message.payload().to_vec()).unwrap(), notice.dropped))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_oldest_droppable_event_makes_room_and_is_counted() {
    let queue = queue(3, false);
    queue.push(message("kept", QoS::AtLeastOnce));
    for payload in ["1", "2", "3", "4"] {
        queue.push(message(payload, QoS::AtMostOnce));
    }
    assert_eq!(take(&queue), Some(("kept".to_owned(), 2)));
    assert_eq!(take(&queue), Some(("3".to_owned(), 0)));
    assert_eq!(take(&queue), Some(("4".to_owned(), 0)));
    assert_eq!((take(&queue), queue.dropped(), queue.bytes()), (None, 2, 0));
}

#[test]
fn the_newest_event_stays_out_when_so_asked() {
    let queue = queue(2, true);
    for payload in ["1", "2", "3"] {
        queue.push(message(payload, QoS::AtMostOnce));
    }
    assert_eq!(take(&queue), Some(("1".to_owned(), 1)));
    assert_eq!(take(&queue), Some(("2".to_owned(), 0)));
    assert_eq!(take(&queue), None);
}

fn end(token: Token) -> NoticeKind {
    let outcome = Outcome { failure: None, reason: None, properties: Default::default() };
    NoticeKind::Session(Event::Published { token, outcome })
}

#[test]
fn the_end_of_a_publish_that_stays_out_is_known_as_untold() {
    let queue = queue(2, true);
    assert!(queue.take_untold().is_empty());
    (1..=4).for_each(|token| queue.push(end(token)));
    assert_eq!((queue.take_untold(), queue.dropped()), (vec![3, 4], 2));
}

fn response(size: usize) -> NoticeKind {
    let topic = TopicName::new("t").unwrap();
    let message = Message::new(topic, &vec![0; size], QoS::AtMostOnce, false, Properties::EMPTY);
    NoticeKind::Session(Event::Response { token: 1, answer: Ok(Answer { message, delivery: None, packet_id: None }) })
}

#[test]
fn nothing_is_dropped_for_an_event_that_has_no_room_all_the_same() {
    for drop_newest in [false, true] {
        // As large as the whole queue; and what is left beside what no message of QoS 0 displaces.
        for (large, kept) in [
            (response(4000), None),
            (message(&"x".repeat(4000), QoS::AtMostOnce), None),
            (message(&"x".repeat(2000), QoS::AtMostOnce), Some(response(2000))),
        ] {
            let queue = EventQueue::new(EventLimits { count: 10, bytes: 4000, drop_newest, successes: true });
            let first = if kept.is_some() { 1 } else { 0 };
            kept.into_iter().for_each(|kept| queue.push(kept));
            queue.push(message("1", QoS::AtMostOnce));
            queue.push(end(1));
            let bytes = queue.bytes();
            queue.push(large);
            assert_eq!((queue.len(), queue.dropped(), queue.bytes()), (2 + first, 1, bytes), "{drop_newest}");
        }
    }
}

#[test]
fn the_newest_message_makes_room_for_what_is_kept_when_so_asked() {
    for (drop_newest, left) in [(false, "2"), (true, "1")] {
        let queue = queue(2, drop_newest);
        for payload in ["1", "2"] {
            queue.push(message(payload, QoS::AtMostOnce));
        }
        queue.push(message("kept", QoS::AtLeastOnce));
        assert_eq!(take(&queue), Some((left.to_owned(), 1)));
        assert_eq!((take(&queue), queue.bytes()), (Some(("kept".to_owned(), 0)), 0));
    }
}

#[test]
fn a_line_of_the_log_that_displaces_nothing_is_counted() {
    // Half full by its count, and by its bytes.
    for (count, bytes) in [(2, 1 << 20), (100, 2000)] {
        let queue = EventQueue::new(EventLimits { count, bytes, drop_newest: false, successes: true });
        queue.push(message(&"1".repeat(1000), QoS::AtMostOnce));
        queue.push(NoticeKind::Log { level: Level::Info, line: "line".to_owned(), text_at: 0 });
        assert_eq!((take(&queue), queue.dropped()), (Some(("1".repeat(1000), 1)), 1));
    }
}

#[test]
fn messages_that_just_fill_the_queue_block() {
    let queue = queue(2, false);
    queue.push(message("1", QoS::AtLeastOnce));
    let bytes = queue.bytes();
    assert!(!queue.is_blocked());
    queue.push(message("2", QoS::AtLeastOnce));
    assert!(queue.is_blocked());
    take(&queue);
    for (bytes, blocked) in [(bytes, true), (bytes + 1, false)] {
        queue.set_limits(EventLimits { count: 10, bytes, drop_newest: false, successes: true });
        assert_eq!(queue.is_blocked(), blocked, "{bytes}");
    }
    // What can be dropped makes room for the next one.
    queue.set_limits(EventLimits { count: 10, bytes: 2 * bytes, drop_newest: false, successes: true });
    queue.push(message("3", QoS::AtMostOnce));
    queue.set_limits(EventLimits { count: 10, bytes: queue.bytes(), drop_newest: false, successes: true });
    assert!(!queue.is_blocked());
}

#[test]
fn messages_are_taken_out_in_their_order_and_the_rest_stays() {
    let queue = queue(10, false);
    queue.push(end(1));
    let bytes = queue.bytes();
    for (payload, qos) in [("1", QoS::AtMostOnce), ("2", QoS::AtLeastOnce), ("3", QoS::AtMostOnce)] {
        queue.push(message(payload, qos));
    }
    let messages = queue.take_messages_until(clock::now()).expect("a queue that nobody has locked");
    let payload = |notice: &Notice| match &notice.kind {
        NoticeKind::Session(Event::Message { message, .. }) => message.payload().to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(messages.iter().map(payload).collect::<Vec<_>>(), [b"1", b"2", b"3"]);
    assert_eq!((queue.len(), queue.bytes(), queue.dropped()), (1, bytes, 0));
}

#[test]
fn what_never_came_in_is_counted_in_the_next_event() {
    let queue = queue(10, false);
    assert!(queue.count_drops_until(3, clock::now()));
    queue.push(message("1", QoS::AtMostOnce));
    assert_eq!((take(&queue), queue.dropped()), (Some(("1".to_owned(), 3)), 3));
}

#[test]
fn a_leader_sleeps_only_while_there_is_nothing_and_may_be_something() {
    let queue = queue(2, false);
    assert!(queue.leader_falls_asleep());
    queue.push(message("1", QoS::AtMostOnce));
    assert!(!queue.leader_falls_asleep());
    take(&queue);
    assert!(queue.leader_falls_asleep());
    assert!(queue.close(clock::now() + Duration::from_secs(60)) && !queue.leader_falls_asleep());
}

#[test]
fn the_end_of_a_publish_makes_no_room_for_a_message_of_qos_0() {
    for drop_newest in [false, true] {
        let queue = queue(3, drop_newest);
        queue.push(message("1", QoS::AtMostOnce));
        queue.push(end(1));
        for payload in ["2", "3"] {
            queue.push(message(payload, QoS::AtMostOnce));
        }
        queue.push(end(2));
        queue.push(message("4", QoS::AtMostOnce));
        let mut taken = Vec::new();
        while let Next::Taken(notice) = queue.pop_if(|_| true) {
            taken.push(match notice.kind {
                NoticeKind::Session(Event::Published { token, .. }) => format!("end {token}"),
                NoticeKind::Session(Event::Message { message, .. }) => {
                    String::from_utf8(message.payload().to_vec()).unwrap()
                }
                other => panic!("{other:?}"),
            });
        }
        let expected = if drop_newest { ["1", "end 1", "end 2"] } else { ["end 1", "end 2", "4"] };
        assert_eq!((taken, queue.dropped(), queue.bytes()), (expected.map(str::to_owned).to_vec(), 3, 0));
        // Only ends are left to be dropped.
        (1..=4).for_each(|token| queue.push(end(token)));
        assert_eq!((queue.len(), queue.dropped()), (3, 4));
    }
}

#[test]
fn messages_above_qos_0_are_never_dropped_but_block() {
    let queue = queue(2, false);
    for payload in ["1", "2", "3"] {
        queue.push(message(payload, QoS::ExactlyOnce));
    }
    queue.push(message("qos 0", QoS::AtMostOnce));
    assert!(queue.is_blocked());
    for payload in ["1", "2"] {
        assert_eq!(take(&queue).map(|taken| taken.0), Some(payload.to_owned()));
    }
    assert!(!queue.is_blocked());
    assert_eq!(take(&queue).map(|taken| taken.0), Some("3".to_owned()));
    assert_eq!((take(&queue), queue.dropped()), (None, 1));
}

#[test]
fn bytes_are_bounded_as_well_as_the_count() {
    let queue = EventQueue::new(EventLimits { count: 1000, bytes: 10_000, drop_newest: false, successes: true });
    for _ in 0..100 {
        queue.push(message(&"x".repeat(1000), QoS::AtMostOnce));
        assert!(queue.bytes() <= 10_000);
    }
    assert!(queue.len() >= 7 && queue.dropped() as usize == 100 - queue.len());
}

#[test]
fn messages_above_qos_0_that_fill_the_bytes_block_too() {
    let queue = EventQueue::new(EventLimits { count: 1000, bytes: 10_000, drop_newest: false, successes: true });
    while !queue.is_blocked() {
        assert!(queue.bytes() < 10_000, "{} events", queue.len());
        queue.push(message(&"x".repeat(1000), QoS::AtLeastOnce));
    }
    assert!(queue.bytes() >= 10_000 && queue.dropped() == 0);
    take(&queue);
    assert!(!queue.is_blocked());
}
