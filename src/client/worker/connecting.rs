//! Which Server is connected to, and with what.

use super::ending::Held;
use super::{FIRST_SOCKET, Phase, Turn, Worker};
use crate::client::address::Address;
use crate::client::backoff::Backoff;
use crate::client::clock;
use crate::client::connection::Connection;
use crate::client::core::Core;
use crate::client::first_bytes::FirstBytes;
use crate::client::log::Level;
use crate::client::options::{IntOption, Options};
use crate::client::redirect::Redirect;
use crate::client::shared::State;
use crate::client::transport::connector::{Connector, Plan, Progress, TOKENS};
use crate::client::transport::tls_setup::TlsSetup;
use crate::session::event::Disconnected;
use crate::types::status::{Failure, Status};
use mio::Token;
use std::time::{Duration, Instant};

impl Worker {
    /// The program asks for a connection.
    pub(super) fn begin_anew(&mut self, options: Options) {
        self.options = options;
        self.backoff = Backoff::new(
            self.options.milliseconds(IntOption::ReconnectMinimum),
            self.options.milliseconds(IntOption::ReconnectMaximum),
        );
        self.server = 0;
        self.redirect = Redirect::default();
        self.attention = false;
        self.tls = None;
    }

    pub(super) fn start_connecting(&mut self) {
        let shared = self.shared.clone();
        shared.set_state(State::Connecting);
        shared.snapshot.lock().server = self.server;
        if let Err(error) = self.open_store() {
            return self.store_not_opened(error);
        }
        self.tell_of_attempt();
        let start = clock::now();
        let deadline = start + self.options.milliseconds(IntOption::ConnectTimeout);
        match self.plan() {
            Ok(plan) => {
                let connector = Box::new(Connector::new(plan, start, deadline, self.next_socket));
                self.next_socket = Token(self.next_socket.0.wrapping_add(TOKENS).max(FIRST_SOCKET.0));
                self.phase = Phase::Connecting { connector, deadline };
            }
            Err(failure) => {
                let mut core = shared.core.lock();
                self.connecting_failed(failure, &mut core);
            }
        }
    }

    /// A stage of the connection may be done.
    pub(super) fn go_on_connecting(&mut self, now: Instant, core: &mut Core) -> Turn {
        let Phase::Connecting { connector, deadline } = &mut self.phase else { return Turn::Again };
        let deadline = *deadline;
        let progress = connector.advance(now, self.poll.registry(), &mut self.resolver);
        for step in connector.take_steps() {
            self.shared.note(Level::Debug, || step);
        }
        match progress {
            Progress::Pending(until) => return Turn::Over(Some(until)),
            Progress::Connected(transport, socket) => {
                let first_bytes = FirstBytes::awaited_from(self.address());
                let server = self.address().map(ToString::to_string).unwrap_or_default();
                core.open(now, deadline, Connection::new(transport, socket, first_bytes), &server);
                self.phase = Phase::Online { socket };
                // The poll may have told of the first bytes together with the connection.
                self.readable = true;
            }
            Progress::Failed(failure) => self.connecting_failed(failure, core),
        }
        Turn::Again
    }

    /// The Server that is tried or in use.
    pub(super) fn address(&self) -> Option<&Address> {
        self.redirect.target().or_else(|| self.options.addresses.get(self.server))
    }

    /// Whether the Server that has just ended a connection names another one which is tried now.
    pub(super) fn follow_reference(&mut self, end: &mut Disconnected, held: Held) -> bool {
        let Some(tried) = self.address().cloned() else { return false };
        if held == Held::Long {
            self.redirect.settled();
        }
        self.redirect.follow(end, &tried, &self.options.server_reference_hosts, held != Held::Never)
    }

    fn tell_of_attempt(&self) {
        let Some(address) = self.address() else { return };
        self.shared.note(Level::Info, || {
            let proxy = self.options.proxy.as_ref().map(|proxy| format!(" through proxy {proxy}"));
            format!("connecting to {address}{}", proxy.unwrap_or_default())
        });
        let tls = self.options.tls();
        if address.scheme.is_tls() && tls.accept_any_certificate && tls.pins.is_empty() {
            self.shared.note(Level::Warning, || {
                "option TLS_ACCEPT_ANY_CERTIFICATE is on: anybody on the way can pose as the Server, read everything and change it"
                    .to_owned()
            });
        }
    }

    /// What the next connection is made of. Reads files of certificates.
    fn plan(&mut self) -> Result<Plan, Failure> {
        let Some(address) = self.address().cloned() else {
            return Err(Status::WrongState.because("no Server is named: set option URL"));
        };
        let tls = self.options.tls();
        // A Session of TLS that is resumed is verified by nobody: it would live on after its certificate is revoked or expired.
        let is_usable = tls.crl.is_none() && self.tls.as_ref().is_some_and(|setup| !setup.is_outlived());
        if address.scheme.is_tls() && !is_usable {
            self.tls = Some(TlsSetup::new(&tls)?);
        }
        Ok(Plan {
            address,
            proxy: self.options.proxy.clone(),
            tls: self.tls.clone(),
            headers: self.options.ws_headers(),
            maximum_packet_size: self.options.int(IntOption::MaximumPacketSize) as usize,
        })
    }

    pub(in crate::client) fn connecting_failed(&mut self, failure: Failure, core: &mut Core) {
        self.after_end(failure.into(), Held::Never, core);
    }

    /// Which Server is tried next, and after which delay. The first one is preferred: a good connection that is lost leads
    /// back to it, any other failure to the next one in the list. There is no delay before a Server's turn in a round.
    pub(super) fn choose_server(&mut self, attention: bool, held: Held) -> Duration {
        // Whoever refused before a Server accepted has had its turn.
        self.attention = attention || (self.attention && held == Held::Never);
        self.server = if held == Held::Long { 0 } else { self.server + 1 };
        let last = self.server >= self.options.addresses.len();
        if last {
            self.server = 0;
        }
        self.shared.snapshot.lock().server = self.server;
        if held == Held::Never && !last {
            return Duration::ZERO;
        }
        if std::mem::take(&mut self.attention) { self.backoff.long_delay() } else { self.backoff.next_delay() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Client;
    use crate::client::command::Command;
    use crate::client::transport::resolver::Resolver;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::sync::OnceLock;

    /// Goes on until a Server accepts the connection; `act` is called at each turn.
    fn run_until_accepted(worker: &mut Worker, options: &Options, mut act: impl FnMut()) {
        let deadline = clock::now() + Duration::from_secs(15);
        while worker.shared.state() != State::Connected {
            worker.step(&|| options.clone());
            worker.wait(Some(clock::now() + Duration::from_millis(5)));
            act();
            assert!(clock::now() < deadline, "no connection");
        }
    }

    #[test]
    fn an_address_that_accepts_and_says_nothing_keeps_the_others_of_its_name_from_nothing() {
        static ADDRESSES: OnceLock<[SocketAddr; 2]> = OnceLock::new();
        let (silent, server) = (listener(), listener());
        let addresses = [&silent, &server].map(|listener| listener.local_addr().expect("an address"));
        ADDRESSES.set(addresses).expect("the only test with them");
        let mut options = Options::default();
        options.addresses = Address::parse_list("mqtt://broker").expect("a URL");
        for (option, value) in
            [(IntOption::ConnectTimeout, 100), (IntOption::ReconnectMinimum, 1), (IntOption::ReconnectMaximum, 1)]
        {
            options.set_int(option as i32, value, true).expect("an option");
        }
        let client = Client::with_options(options.clone());
        let mut worker = client.make_worker().expect("a poll");
        worker.resolver = Resolver::with(|_, _| Ok(ADDRESSES.get().expect("set").to_vec()));
        client.shared.submit(Command::Connect(Box::new(options.session_options().expect("options"))));
        let mut streams: Vec<TcpStream> = Vec::new();
        for _ in 0..2 {
            run_until_accepted(&mut worker, &options, || serve(&server, &mut streams));
            streams.clear();
            while worker.shared.state() == State::Connected {
                worker.step(&|| options.clone());
                worker.wait(Some(clock::now() + Duration::from_millis(5)));
            }
        }
        let tried = std::iter::from_fn(|| silent.accept().ok()).count();
        assert_eq!(tried, 1);
    }

    fn listener() -> TcpListener {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener");
        listener
    }

    /// Takes the connections that are there, and accepts those whose CONNECT is.
    fn serve(server: &TcpListener, streams: &mut Vec<TcpStream>) {
        streams.extend(std::iter::from_fn(|| server.accept().ok()).map(|(stream, _)| stream));
        for stream in streams {
            stream.set_nonblocking(true).expect("a stream");
            if stream.read(&mut [0; 1000]).is_ok_and(|count| count > 0) {
                // Success, and the Client Identifier "x".
                stream.write_all(&[0x20, 7, 0, 0, 4, 0x12, 0, 1, b'x']).expect("a client that reads");
            }
        }
    }
}
