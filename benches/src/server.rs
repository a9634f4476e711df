//! A Server that does next to nothing: it acknowledges, and hands a message to the subscriber of that very topic. A thread
//! per connection, one write per read. A process of its own, so that its CPU time isn't the client's.
//!
//! The Client Identifier asks for faults: `hole-MS-…` isn't read from for so many milliseconds after CONNACK, `reverse-N-…`
//! gets its PUBACKs when N have come, the last first.

use crate::wire::{self, Stream};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

struct Subscriber {
    stream: TcpStream,
    qos: u8,
    next_id: u16,
}

type Subscribers = Arc<Mutex<HashMap<Vec<u8>, Arc<Mutex<Subscriber>>>>>;

/// Serves for ever; prints its port first.
pub fn run() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("its address").port());
    // Whoever started it closes its input.
    thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let subscribers = Subscribers::default();
    for stream in listener.incoming().flatten() {
        let subscribers = subscribers.clone();
        thread::Builder::new().stack_size(128 * 1024).spawn(move || serve(stream, &subscribers)).expect("a thread");
    }
}

#[derive(Default)]
struct Answers {
    out: Vec<u8>,
    /// PUBACKs that wait, and how many are to wait.
    held: Vec<[u8; 2]>,
    hold: usize,
}

fn serve(stream: TcpStream, subscribers: &Subscribers) {
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let mut input = Stream::new();
    let mut answers = Answers::default();
    // The topic of the last message, so that a burst looks it up once.
    let mut last: (Vec<u8>, Option<Arc<Mutex<Subscriber>>>) = Default::default();
    while let Ok(true) = input.fill(|room| (&stream).read(room)) {
        let mut pause = None;
        last.0.clear();
        while let Some((first, body)) = input.next() {
            match first >> 4 {
                1 => {
                    answers.out.extend(wire::CONNACK);
                    let (id, _) = wire::topic(&body[11 + usize::from(body[10])..]);
                    let id = String::from_utf8_lossy(id);
                    let mut words = id.split('-');
                    let (kind, number) = (words.next(), words.next().and_then(|word| word.parse().ok()).unwrap_or(0));
                    match kind {
                        Some("hole") => pause = Some(number as u64),
                        Some("reverse") => answers.hold = number,
                        _ => {}
                    }
                }
                3 => publish(first, body, &mut answers, subscribers, &mut last),
                5 => answers.out.extend([0x62, 2, body[0], body[1]]),
                6 => answers.out.extend([0x70, 2, body[0], body[1]]),
                8 => {
                    let properties = usize::from(body[2]);
                    let (topic, rest) = wire::topic(&body[3 + properties..]);
                    let qos = rest[0] & 3;
                    answers.out.extend(wire::suback([body[0], body[1]], qos));
                    let stream = stream.try_clone().expect("a second handle");
                    let subscriber = Arc::new(Mutex::new(Subscriber { stream, qos, next_id: 0 }));
                    subscribers.lock().expect("its lock").insert(topic.to_vec(), subscriber);
                }
                12 => answers.out.extend([0xD0, 0]),
                14 => return,
                _ => {}
            }
        }
        if (&stream).write_all(&answers.out).is_err() {
            return;
        }
        answers.out.clear();
        if let Some(pause) = pause {
            thread::sleep(Duration::from_millis(pause));
        }
    }
}

fn publish(
    first: u8,
    body: &[u8],
    answers: &mut Answers,
    subscribers: &Subscribers,
    last: &mut (Vec<u8>, Option<Arc<Mutex<Subscriber>>>),
) {
    let qos = first >> 1 & 3;
    let (topic, mut rest) = wire::topic(body);
    if qos > 0 {
        let id = [rest[0], rest[1]];
        rest = &rest[2..];
        if qos == 2 {
            answers.out.extend([0x50, 2, id[0], id[1]]);
        } else if answers.hold == 0 {
            answers.out.extend([0x40, 2, id[0], id[1]]);
        } else {
            answers.held.push(id);
            if answers.held.len() >= answers.hold {
                for id in answers.held.drain(..).rev() {
                    answers.out.extend([0x40, 2, id[0], id[1]]);
                }
            }
        }
    }
    if last.0 != topic {
        last.0 = topic.to_vec();
        last.1 = subscribers.lock().expect("its lock").get(topic).cloned();
    }
    if let Some(subscriber) = &last.1 {
        let mut subscriber = subscriber.lock().expect("its lock");
        let qos = qos.min(subscriber.qos);
        subscriber.next_id = subscriber.next_id.wrapping_add(1).max(1);
        let payload = &rest[1 + usize::from(rest[0])..];
        let packet = wire::publish(std::str::from_utf8(topic).unwrap_or(""), payload, qos, subscriber.next_id);
        let _ = (&subscriber.stream).write_all(&packet);
    }
}
