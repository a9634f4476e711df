//! The verdict itself: a good round is found good, and each broken promise is found.

use crate::role::Report;
use crate::verdict::{Counts, Evidence, Server, judge};
use crate::wire::{Entry, From, Reader, Record, Seen};
use libtest_mimic::{Failed, Trial};
use mt5mqtt::types::ProtocolVersion;

/// The evidence of a round, to be tampered with.
#[derive(Clone)]
struct Round {
    sender: Vec<Report>,
    receiver: Vec<Report>,
    senders_line: Vec<Entry>,
    receivers_line: Vec<Entry>,
    server: Server,
}

fn entry(connection: u64, from: From, seen: Seen) -> Entry {
    Entry { connection, from, seen }
}

fn publish(qos: u8, seq: u64, id: u16, dup: bool) -> Seen {
    Seen::Publish { qos, seq, id, dup }
}

/// Two messages of QoS 1 and two of QoS 2; token and Packet Identifier are 10 times the QoS plus the number.
fn good() -> Round {
    let mut round = Round {
        sender: Vec::new(),
        receiver: Vec::new(),
        senders_line: vec![entry(0, From::Server, Seen::Connack { session_present: false })],
        receivers_line: vec![entry(0, From::Server, Seen::Connack { session_present: false })],
        server: Server::Steady,
    };
    for (qos, seq) in [(1, 0), (2, 0), (1, 1), (2, 1)] {
        let id = u16::from(qos) * 10 + seq as u16;
        let token = i64::from(id);
        round.sender.push(Report::Publishing { qos, seq });
        round.sender.push(Report::Accepted { qos, seq, token });
        for (line, to, answer) in [
            (&mut round.senders_line, From::Client, From::Server),
            (&mut round.receivers_line, From::Server, From::Client),
        ] {
            line.push(entry(0, to, publish(qos, seq, id, false)));
            if qos == 1 {
                line.push(entry(0, answer, Seen::Puback { id }));
            } else {
                line.push(entry(0, answer, Seen::Pubrec { id }));
                line.push(entry(0, to, Seen::Pubrel { id }));
                line.push(entry(0, answer, Seen::Pubcomp { id }));
            }
        }
        round.sender.push(Report::Ended { token, status: 0, time_us: 0 });
        round.receiver.push(Report::Took { qos, seq });
    }
    round
}

fn judged(round: &Round) -> (Vec<String>, Counts) {
    let mut counts = Counts::default();
    let evidence = Evidence {
        sender: &round.sender,
        receiver: std::slice::from_ref(&round.receiver),
        senders_line: &round.senders_line,
        receivers_line: &round.receivers_line,
        reference: None,
        server: round.server,
        stores: false,
    };
    (judge(&evidence, &mut counts), counts)
}

/// What tampering with a good round is found as.
type Tampering = (&'static str, fn(&mut Round), &'static str);

const TAMPERINGS: &[Tampering] = &[
    ("a publish without an end", |round| drop(round.sender.pop()), "came to no end"),
    (
        "a publish with two ends",
        |round| round.sender.push(Report::Ended { token: 10, status: 0, time_us: 0 }),
        "several ends",
    ),
    (
        "a failure that nobody documented",
        |round| replace(&mut round.sender, 2, Report::Ended { token: 10, status: -24, time_us: 0 }),
        "ended with status -24",
    ),
    (
        "a success without an acknowledgement",
        |round| round.senders_line.retain(|entry| entry.seen != Seen::Puback { id: 10 }),
        "has not acknowledged",
    ),
    ("a message that is not handed out", |round| drop(round.receiver.pop()), "the program never got it"),
    (
        "a message that never comes",
        |round| {
            round.receiver.pop();
            round.receivers_line.truncate(round.receivers_line.len() - 4);
        },
        "was never received",
    ),
    (
        "a QoS 2 message twice",
        |round| round.receiver.push(Report::Took { qos: 2, seq: 1 }),
        "was taken 2 times in 1 exchanges",
    ),
    ("two messages in the wrong order", |round| round.receiver.swap(0, 2), "was taken after"),
    (
        "a PUBLISH after PUBREL",
        |round| round.senders_line.push(entry(1, From::Client, publish(2, 1, 21, true))),
        "again after PUBREL",
    ),
    (
        "a redelivery without DUP",
        |round| round.senders_line.push(entry(1, From::Client, publish(1, 1, 11, false))),
        "with DUP false",
    ),
    (
        "a redelivery within a connection",
        |round| round.senders_line.push(entry(0, From::Client, publish(1, 1, 11, true))),
        "was sent after 1",
    ),
    (
        "a Session that is forgotten without a reason",
        |round| round.receivers_line.push(entry(1, From::Server, Seen::Connack { session_present: false })),
        "forgot its Session",
    ),
];

fn replace(reports: &mut [Report], index: usize, report: Report) {
    reports[index] = report;
}

pub fn trials() -> Vec<Trial> {
    let good_is_good = || match judged(&good()) {
        (broken, counts) if broken.is_empty() && (counts.completed, counts.taken) == (4, 4) => Ok(()),
        (broken, counts) => Err(Failed::from(format!("{broken:?} {counts:?}"))),
    };
    let tampered = || {
        for (name, tamper, wanted) in TAMPERINGS {
            let mut round = good();
            tamper(&mut round);
            let (broken, _) = judged(&round);
            if !broken.iter().any(|what| what.contains(wanted)) {
                return Err(Failed::from(format!("{name}: found {broken:?}")));
            }
        }
        Ok(())
    };
    let servers_own = || {
        // What the Server acknowledged and never passed on is its own loss, if it was killed.
        let mut round = good();
        round.server = Server::Killed;
        round.receiver.pop();
        round.receivers_line.truncate(round.receivers_line.len() - 4);
        match judged(&round) {
            (broken, Counts { lost: 0, lost_by_server: 1, .. }) if broken.is_empty() => Ok(()),
            (broken, counts) => Err(Failed::from(format!("{broken:?} {counts:?}"))),
        }
    };
    let refusals = || {
        // Of the last message of each kind: how many packets it is on the line, and its refusal in bytes.
        for (qos, packets, refusal) in [(1, 2, [0x40, 3, 0, 11, 0x97]), (2, 4, [0x50, 3, 0, 21, 0x97])] {
            let mut round = good();
            let token = i64::from(refusal[3]);
            let sent = publish(qos, 1, u16::from(refusal[3]), false);
            for line in [&mut round.senders_line, &mut round.receivers_line] {
                let first = line.iter().position(|entry| entry.seen == sent).expect("a PUBLISH");
                line.drain(first..first + packets);
            }
            round.senders_line.push(entry(0, From::Client, sent));
            round.receiver.retain(|report| *report != Report::Took { qos, seq: 1 });
            let end = |report: &Report| matches!(report, Report::Ended { token: ended, .. } if *ended == token);
            let last = round.sender.iter().position(end).expect("its end");
            replace(&mut round.sender, last, Report::Ended { token, status: -60, time_us: 0 });
            round.server = Server::Killed;
            let unproven = judged(&round).0;
            let record = Record::default();
            Reader::new(From::Server, 0, ProtocolVersion::V5).read(&refusal, &record);
            round.senders_line.extend(record.in_order());
            let (broken, counts) = judged(&round);
            round.server = Server::Restarted;
            let by_a_sound_one = judged(&round).0;
            let is_told = |broken: &[String]| broken.iter().any(|what| what.contains("ended with status -60"));
            match (is_told(&unproven), broken.is_empty(), counts.refused, is_told(&by_a_sound_one)) {
                (true, true, 1, true) => {}
                _ => return Err(Failed::from(format!("{unproven:?} {broken:?} {counts:?} {by_a_sound_one:?}"))),
            }
        }
        Ok(())
    };
    vec![
        Trial::test("the_verdict_on_a_good_round_is_good", good_is_good),
        Trial::test("the_verdict_finds_each_broken_promise", tampered),
        Trial::test("the_verdict_tells_the_servers_losses_apart", servers_own),
        Trial::test("the_verdict_takes_a_refusal_that_the_line_shows_for_an_end", refusals),
    ]
}
