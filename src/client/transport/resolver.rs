//! Name resolution. The system's resolver blocks for as long as it likes and can't be interrupted. So a name is
//! resolved on a thread that lives for this one question. The client's background thread goes on without it, so that
//! the connection's deadline and a disconnect hold.
//!
//! There are never more such threads than names in a client's options: a question that is still open is not asked
//! again; its answer is waited for. An answer for which nobody waited any more may be out of date at the next
//! attempt, so then the question is asked again. A thread keeps the library loaded until it is done.

use super::other_letters;
use crate::client::clock;
use crate::client::thread;
use crossbeam_channel::{Receiver, TryRecvError, bounded};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// More addresses of one name than are ever worth trying.
pub(super) const MOST_ADDRESSES: usize = 32;

/// So old may addresses be that came between two attempts: a resolver that is slower than the attempts is of use all the same.
const FRESH: Duration = Duration::from_secs(60);

pub(super) type Answer = Result<Vec<SocketAddr>, String>;

/// The open questions of a client.
pub(in crate::client) struct Resolver {
    wake: Arc<dyn Fn() + Send + Sync>,
    look_up: fn(&str, u16) -> Answer,
    open: Vec<Question>,
    /// To which address the present attempt has come.
    reached: Option<SocketAddr>,
    /// Addresses that accepted a connection of which nothing came, the latest last.
    barren: VecDeque<SocketAddr>,
}

struct Question {
    host: String,
    port: u16,
    /// With the time when it came.
    answer: Receiver<(Instant, Answer)>,
}

impl Resolver {
    /// `wake` is called on another thread when an answer is there.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Resolver { wake: Arc::new(wake), look_up, open: Vec::new(), reached: None, barren: VecDeque::new() }
    }

    /// For tests: another resolver in the place of the system's.
    #[cfg(test)]
    pub fn with(look_up: fn(&str, u16) -> Answer) -> Self {
        Resolver { look_up, ..Resolver::new(|| {}) }
    }

    /// The addresses of a host for an attempt that began at `since`, or `None` as long as the system looks for them. To be
    /// called again then.
    pub fn resolve(&mut self, host: &str, port: u16, since: Instant) -> Option<Answer> {
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Some(Ok(vec![SocketAddr::new(ip, port)]));
        }
        let same = |question: &Question| question.port == port && question.host == host;
        let Some(index) = self.open.iter().position(same) else { return self.ask(host, port).err().map(Err) };
        match self.open[index].answer.try_recv() {
            Err(TryRecvError::Empty) => None,
            Ok((came, answer)) => {
                self.open.swap_remove(index);
                let age = since.saturating_duration_since(came);
                let is_old = age > if answer.is_ok() { FRESH } else { Duration::ZERO };
                if is_old {
                    self.ask(host, port).err().map(Err)
                } else {
                    Some(answer.map(|found| self.in_order(found)))
                }
            }
            Err(TryRecvError::Disconnected) => {
                self.open.swap_remove(index);
                Some(Err(format!("'{host}' could not be resolved: the resolver failed")))
            }
        }
    }

    /// A Server that hangs, or one behind a balance of load that is none any more, accepts each connection, and the system may
    /// name it first for ever: the others have their turn before it.
    fn in_order(&self, mut found: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let place = |address: &SocketAddr| self.barren.iter().position(|barren| barren == address);
        found.sort_by_key(place);
        found.truncate(MOST_ADDRESSES);
        found
    }

    /// The present attempt has come to this address.
    pub fn reached(&mut self, address: SocketAddr) {
        self.reached = Some(address);
    }

    /// The present attempt is over, or the connection that came of it.
    pub fn attempt_is_over(&mut self, was_good: bool) {
        let Some(address) = self.reached.take() else { return };
        self.barren.retain(|barren| *barren != address);
        if !was_good {
            if self.barren.len() == MOST_ADDRESSES {
                self.barren.pop_front();
            }
            self.barren.push_back(address);
        }
    }

    fn ask(&mut self, host: &str, port: u16) -> Result<(), String> {
        let (sender, answer) = bounded(1);
        let (name, wake, look_up) = (host.to_owned(), self.wake.clone(), self.look_up);
        let task = move || {
            // The answer may be unwanted by now.
            let answer = look_up(&name, port);
            let _ = sender.send((clock::now(), answer));
            wake();
        };
        thread::start_task(task, |_| {})
            .map_err(|error| format!("'{host}' could not be resolved: no thread could be started for it: {error}"))?;
        self.open.push(Question { host: host.to_owned(), port, answer });
        Ok(())
    }
}

fn look_up(host: &str, port: u16) -> Answer {
    let unresolved = |error| format!("'{host}' could not be resolved: {error}{}", other_letters(host));
    let found: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(unresolved)?.collect();
    if found.is_empty() {
        return Err(format!("'{host}' has no address"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_name_is_asked_for_once_and_answered_with_a_wake() {
        let (sender, woken) = mpsc::channel();
        let mut resolver = Resolver::new(move || sender.send(()).unwrap());
        let start = clock::now();
        assert_eq!(resolver.resolve("::1", 7, start), Some(Ok(vec!["[::1]:7".parse().unwrap()])));
        assert!(resolver.resolve("localhost", 7, start).is_none());
        // Whether or not the answer is there by now, there is one question.
        let first = resolver.resolve("localhost", 7, start);
        woken.recv_timeout(Duration::from_secs(15)).expect("a wake");
        let answer = first.or_else(|| resolver.resolve("localhost", 7, start)).expect("an answer").unwrap();
        assert!(answer.iter().all(|address| address.ip().is_loopback() && address.port() == 7), "{answer:?}");
        assert!(resolver.open.is_empty());
    }

    #[test]
    fn addresses_of_which_nothing_came_are_the_last_until_one_is_good() {
        let mut resolver = Resolver::new(|| {});
        let address = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let order = |resolver: &Resolver| -> Vec<u16> {
            resolver.in_order([1, 2, 3].map(address).to_vec()).iter().map(SocketAddr::port).collect()
        };
        for (reached, was_good, expected) in [
            (None, false, [1, 2, 3]),
            (Some(1), false, [2, 3, 1]),
            (Some(2), false, [3, 1, 2]),
            (Some(1), false, [3, 2, 1]),
            // It failed before it came to any.
            (None, false, [3, 2, 1]),
            (Some(2), true, [2, 3, 1]),
            (Some(1), true, [1, 2, 3]),
        ] {
            reached.into_iter().for_each(|port| resolver.reached(address(port)));
            resolver.attempt_is_over(was_good);
            assert_eq!(order(&resolver), expected);
        }
        for port in 1..1000 {
            resolver.reached(address(port));
            resolver.attempt_is_over(false);
        }
        assert!(resolver.barren.len() == MOST_ADDRESSES && resolver.barren.back() == Some(&address(999)));
        // Of too many the first are taken, and whichever are barren come after all others.
        let ports = |found: Vec<SocketAddr>| found.iter().map(SocketAddr::port).collect::<Vec<u16>>();
        let found = resolver.in_order((900..2000).map(address).collect());
        assert_eq!(ports(found), (900..900 + MOST_ADDRESSES as u16).collect::<Vec<u16>>());
        let found = resolver.in_order((990..1010).map(address).collect());
        assert_eq!(ports(found), (1000..1010).chain(990..1000).collect::<Vec<u16>>());
    }

    #[test]
    fn each_port_of_a_name_is_asked_for_by_itself() {
        let mut resolver = Resolver::with(|_, port| Ok(vec![([127, 0, 0, 1], port).into()]));
        let start = clock::now();
        let ports = [1, 2];
        assert!(ports.iter().all(|port| resolver.resolve("broker", *port, start).is_none()));
        for port in ports.into_iter().rev() {
            let answer = loop {
                match resolver.resolve("broker", port, start) {
                    Some(answer) => break answer.expect("an address"),
                    None => std::thread::yield_now(),
                }
                assert!(start.elapsed() < Duration::from_secs(15));
            };
            assert_eq!(answer, [([127, 0, 0, 1], port).into()]);
        }
    }

    #[test]
    fn a_name_of_other_letters_that_is_unknown_is_to_be_written_otherwise() {
        assert!(look_up("bröker.invalid", 1883).is_err_and(|why| why.ends_with("as xn--…")));
        assert!(look_up("broker.invalid", 1883).is_err_and(|why| !why.contains("xn--")));
    }

    #[test]
    fn an_answer_that_came_when_nobody_waited_any_more_is_out_of_date() {
        fn look_up(name: &str, _: u16) -> Answer {
            if name == "there" { Ok(Vec::new()) } else { Err("unknown".to_owned()) }
        }
        let start = clock::now();
        let (sender, woken) = mpsc::channel();
        let mut resolver = Resolver { look_up, ..Resolver::new(move || sender.send(()).unwrap()) };
        // An attempt is given up, and the next one comes that much later.
        for (name, later, asks_again) in [
            ("there", Duration::ZERO, false),
            ("there", FRESH / 2, false),
            ("there", FRESH * 2, true),
            ("away", Duration::from_secs(1), true),
        ] {
            assert_eq!(resolver.resolve(name, 7, clock::now()), None);
            woken.recv_timeout(Duration::from_secs(15)).expect("an answer");
            let next = clock::now() + later;
            let answer = resolver.resolve(name, 7, next);
            assert_eq!(answer.is_none(), asks_again, "{name} {later:?}");
            if asks_again {
                woken.recv_timeout(Duration::from_secs(15)).expect("an answer");
                assert_eq!(resolver.resolve(name, 7, start), Some(look_up(name, 7)));
            }
        }
        assert!(resolver.open.is_empty());
    }
}
