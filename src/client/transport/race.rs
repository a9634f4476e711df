//! The race of a host's addresses (RFC 8305): the next one is tried when the one before has failed, or hasn't answered for a
//! quarter of a second. A dead address costs that much, not the whole timeout.

use super::tcp::Tcp;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long an address has before the next one is tried beside it (RFC 8305 section 5, "Connection Attempt Delay").
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// Alternates the address families, starting with the resolver's first choice (RFC 8305 section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut mixed = Vec::new();
    loop {
        match (first.next(), second.next()) {
            (None, None) => return mixed,
            (one, other) => mixed.extend(one.into_iter().chain(other)),
        }
    }
}

struct Attempt {
    token: Token,
    address: SocketAddr,
    stream: TcpStream,
}

/// The race for one connection.
pub(super) struct Race {
    waiting: VecDeque<SocketAddr>,
    running: Vec<Attempt>,
    next_start: Instant,
    next_token: usize,
    errors: Vec<String>,
}

/// How the race stands.
pub(super) enum Progress {
    /// Nothing to do before `next_start`, unless a socket becomes ready.
    Pending,
    /// A connection, registered under this token.
    Connected { tcp: Tcp, address: SocketAddr, token: Token },
    /// Every address has failed: why each of them.
    Failed(String),
}

impl Race {
    /// `first_token` and as many after it as there are addresses are free to be used in the poll.
    pub fn new(addresses: Vec<SocketAddr>, now: Instant, first_token: Token) -> Self {
        Race {
            waiting: interleave(addresses).into(),
            running: Vec::new(),
            next_start: now,
            next_token: first_token.0,
            errors: Vec::new(),
        }
    }

    /// Goes on after time has passed or a socket has become ready.
    pub fn advance(&mut self, now: Instant, registry: &Registry) -> Progress {
        let failed = self.errors.len();
        if let Some(connected) = self.find_connected(registry) {
            return connected;
        }
        if self.errors.len() > failed {
            self.next_start = now;
        }
        while !self.waiting.is_empty() && now >= self.next_start {
            self.start_next(now, registry);
        }
        if self.running.is_empty() { Progress::Failed(self.errors.join("; ")) } else { Progress::Pending }
    }

    /// When the next address is to be tried, if there is one.
    pub fn next_start(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_start)
    }

    /// How each address fared that was tried, those that haven't answered included.
    pub fn account(&self) -> String {
        let silent = self.running.iter().map(|attempt| format!("{}: no answer", attempt.address));
        self.errors.iter().cloned().chain(silent).collect::<Vec<_>>().join("; ")
    }

    fn start_next(&mut self, now: Instant, registry: &Registry) {
        let Some(address) = self.waiting.pop_front() else { return };
        let token = Token(self.next_token);
        self.next_token += 1;
        let started = TcpStream::connect(address).and_then(|mut stream| {
            registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            Ok(stream)
        });
        match started {
            Ok(stream) => {
                self.next_start = now + ATTEMPT_DELAY;
                self.running.push(Attempt { token, address, stream });
            }
            Err(error) => self.errors.push(format!("{address}: {error}")),
        }
    }

    fn find_connected(&mut self, registry: &Registry) -> Option<Progress> {
        let mut index = 0;
        while index < self.running.len() {
            let attempt = &mut self.running[index];
            match outcome(&attempt.stream) {
                Ok(false) => index += 1,
                Ok(true) => {
                    let Attempt { token, address, stream } = self.running.swap_remove(index);
                    if is_own_end(&stream) {
                        self.errors.push(format!("{address}: nobody listens"));
                        continue;
                    }
                    match Tcp::new(stream) {
                        Ok(tcp) => return Some(Progress::Connected { tcp, address, token }),
                        Err(error) => self.errors.push(format!("{address}: {error}")),
                    }
                }
                Err(error) => {
                    self.errors.push(format!("{}: {}", attempt.address, in_words(&error)));
                    let mut attempt = self.running.swap_remove(index);
                    // It is dropped, and so closed, right here.
                    let _ = registry.deregister(&mut attempt.stream);
                }
            }
        }
        None
    }
}

/// What an address says by its error. The system's own words differ between systems and are in the user's language.
fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => format!("nobody listens there ({error})"),
        _ => error.to_string(),
    }
}

/// Whether the stream is connected; an error if it never will be.
fn outcome(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
        // Windows before 10 reports an unfinished connect this way.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the stream is connected to itself. A client that tries a port of its own machine again and again will one day
/// be given that very port as its own, and TCP connects the two; the Server could never come back on it.
fn is_own_end(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(own), Ok(other)) if own == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_families_alternate_from_the_first_choice() {
        let v4 = |last: u8| SocketAddr::from(([127, 0, 0, last], 1));
        let v6 = |last: u16| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, last], 1));
        let mixed = interleave(vec![v6(1), v6(2), v6(3), v4(1), v4(2)]);
        assert_eq!(mixed, [v6(1), v4(1), v6(2), v4(2), v6(3)]);
        assert_eq!(interleave(vec![v4(1), v6(1)]), [v4(1), v6(1)]);
    }

    #[test]
    fn a_stream_that_is_connected_to_itself_is_recognised() {
        use socket2::{Domain, Socket, Type};
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        let own = TcpStream::from_std(socket.into());
        assert!(is_own_end(&own));
        assert!(!is_own_end(&TcpStream::from_std(other)));
        // It is none to the race.
        let poll = mio::Poll::new().unwrap();
        let now = crate::client::clock::now();
        let mut race = Race::new(Vec::new(), now, Token(1));
        race.running.push(Attempt { token: Token(1), address: own.local_addr().unwrap(), stream: own });
        let progress = race.advance(now, poll.registry());
        assert!(matches!(progress, Progress::Failed(why) if why.contains("nobody listens")));
    }

    /// A port whose queue of connections is full: Linux lets every further attempt wait.
    #[cfg(target_os = "linux")]
    struct Full(Vec<socket2::Socket>);

    #[cfg(target_os = "linux")]
    impl Full {
        fn new() -> Self {
            use socket2::{Domain, Socket, Type};
            let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            let listener = socket();
            listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
            listener.listen(0).unwrap();
            let mut full = Full(vec![listener]);
            for client in std::iter::repeat_with(socket).take(4) {
                client.set_nonblocking(true).unwrap();
                let _ = client.connect(&full.address().into());
                full.0.push(client);
            }
            full
        }

        fn address(&self) -> SocketAddr {
            self.0[0].local_addr().unwrap().as_socket().unwrap()
        }
    }

    /// Runs a race to its end, at a time that stands still.
    #[cfg(target_os = "linux")]
    fn run(race: &mut Race, poll: &mut mio::Poll, now: Instant) -> Progress {
        let mut events = mio::Events::with_capacity(4);
        loop {
            match race.advance(now, poll.registry()) {
                Progress::Pending => poll.poll(&mut events, Some(Duration::from_secs(15))).unwrap(),
                over => return over,
            }
            assert!(!events.is_empty(), "it waits for the next turn: {}", race.account());
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_address_that_refuses_gives_its_turn_to_the_next_at_once() {
        let full = Full::new();
        let nobody = std::net::TcpListener::bind("[::1]:0").unwrap().local_addr().unwrap();
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (silent, answers) = (full.address(), server.local_addr().unwrap());
        let mut poll = mio::Poll::new().unwrap();
        let start = crate::client::clock::now();
        let mut race = Race::new(vec![silent, nobody, answers], start, Token(1));
        assert!(matches!(race.advance(start, poll.registry()), Progress::Pending));
        let progress = run(&mut race, &mut poll, start + ATTEMPT_DELAY);
        assert!(matches!(progress, Progress::Connected { address, .. } if address == answers));
    }

    /// RFC 8305
    #[test]
    #[cfg(target_os = "linux")]
    fn an_address_that_is_silent_does_not_keep_the_next_from_its_turn() {
        let full = Full::new();
        let server = std::net::TcpListener::bind("[::1]:0").unwrap();
        let (silent, answers) = (full.address(), server.local_addr().unwrap());

        let mut poll = mio::Poll::new().unwrap();
        let start = crate::client::clock::now();
        let mut race = Race::new(vec![silent, answers], start, Token(1));
        assert!(matches!(race.advance(start, poll.registry()), Progress::Pending));
        assert_eq!(race.account(), format!("{silent}: no answer"), "one after the other");
        assert_eq!(race.next_start(), Some(start + ATTEMPT_DELAY));
        let progress = run(&mut race, &mut poll, start + ATTEMPT_DELAY);
        assert!(matches!(progress, Progress::Connected { address, token: Token(2), .. } if address == answers));
        assert_eq!(race.account(), format!("{silent}: no answer"));
    }
}
