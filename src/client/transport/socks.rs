//! A connection through a SOCKS5 proxy (RFC 1928), with user name and password (RFC 1929) if need be. The proxy resolves
//! the Server's name.

use super::tcp::Tcp;
use super::{Stage, Transport, failure_of, is_broken_off};
use crate::client::address::Address;
use crate::client::proxy::Credentials;
use crate::types::status::{Failure, Status};
use std::io;
use std::net::IpAddr;
use zeroize::Zeroizing;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_NAME_AND_PASSWORD: u8 = 2;
const NOTHING_ACCEPTABLE: u8 = 0xFF;
const CONNECT: u8 = 1;

/// What is waited for.
#[derive(Clone, Copy, PartialEq)]
enum Awaited {
    Method,
    Authentication,
    Reply,
}

/// The talk with the proxy. Reads not a byte more than the proxy's answers have: what follows is the Server's.
pub(super) struct Socks {
    credentials: Option<Credentials>,
    connect: Vec<u8>,
    awaited: Awaited,
    output: Zeroizing<Vec<u8>>,
    written: usize,
    input: Vec<u8>,
}

impl Socks {
    pub fn new(server: &Address, credentials: Option<Credentials>) -> Result<Self, Failure> {
        let mut connect = vec![VERSION, CONNECT, 0];
        match server.host.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) => {
                connect.push(1);
                connect.extend(ip.octets());
            }
            Ok(IpAddr::V6(ip)) => {
                connect.push(4);
                connect.extend(ip.octets());
            }
            Err(_) => {
                let length = u8::try_from(server.host.len()).map_err(|_| {
                    Status::Proxy.because("the Server's name is too long for SOCKS5: 255 bytes are the most")
                })?;
                connect.extend([3, length]);
                connect.extend(server.host.as_bytes());
            }
        }
        connect.extend(server.port.to_be_bytes());
        let methods: &[u8] =
            if credentials.is_some() { &[NO_AUTHENTICATION, USER_NAME_AND_PASSWORD] } else { &[NO_AUTHENTICATION] };
        let mut output = Zeroizing::new(vec![VERSION, methods.len() as u8]);
        output.extend(methods);
        Ok(Socks { credentials, connect, awaited: Awaited::Method, output, written: 0, input: Vec::new() })
    }

    pub fn advance(&mut self, tcp: &mut Tcp) -> Result<Stage<()>, Failure> {
        loop {
            match self.exchange(tcp) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Stage::Pending),
                Err(error) => return Err(proxy_error(&error)),
            }
            if self.input[0] != if self.awaited == Awaited::Authentication { 1 } else { VERSION } {
                let what =
                    if self.input.starts_with(b"H") { "an HTTP proxy: write http://" } else { "no SOCKS5 proxy" };
                return Err(Status::Proxy.because(format!("what answers there is {what}")));
            }
            match self.awaited {
                Awaited::Method => self.choose_method()?,
                Awaited::Authentication if self.input[1] == 0 => self.say_connect(),
                Awaited::Authentication => {
                    return Err(Status::Proxy.because("it refuses the user name and password that option PROXY has"));
                }
                Awaited::Reply => match (self.input[1], self.input.get(3)) {
                    (0, Some(1 | 3 | 4)) => return Ok(Stage::Done(())),
                    (0, kind) => {
                        let kind = kind.copied().unwrap_or_default();
                        return Err(Status::Proxy.because(format!("its answer has the unknown type of address {kind}")));
                    }
                    (code, _) => return Err(Status::Proxy.because(reply_text(code))),
                },
            }
            self.input.clear();
        }
    }

    fn choose_method(&mut self) -> Result<(), Failure> {
        match (self.input[1], &self.credentials) {
            (NO_AUTHENTICATION, _) => self.say_connect(),
            (USER_NAME_AND_PASSWORD, Some(credentials)) => {
                let mut output = Zeroizing::new(vec![1]);
                for text in [&credentials.user_name, &credentials.password] {
                    // The option's parser has seen to it that they fit.
                    output.push(text.len() as u8);
                    output.extend(text.as_bytes());
                }
                self.say(output, Awaited::Authentication);
            }
            (NOTHING_ACCEPTABLE, None) => {
                return Err(Status::Proxy.because(
                    "it wants a user name and password: write them into option PROXY, socks5://user:password@host:port",
                ));
            }
            (NOTHING_ACCEPTABLE, Some(_)) => {
                return Err(Status::Proxy.because("it takes neither user name and password nor a guest"));
            }
            (method, _) => {
                return Err(
                    Status::Proxy.because(format!("it chose authentication method {method}, which wasn't offered"))
                );
            }
        }
        Ok(())
    }

    fn say_connect(&mut self) {
        let connect = Zeroizing::new(std::mem::take(&mut self.connect));
        self.say(connect, Awaited::Reply);
    }

    fn say(&mut self, output: Zeroizing<Vec<u8>>, awaited: Awaited) {
        self.output = output;
        self.written = 0;
        self.awaited = awaited;
    }

    /// Writes what is to be said and reads the answer to it, whole.
    fn exchange(&mut self, tcp: &mut Tcp) -> io::Result<()> {
        tcp.write_rest(&self.output, &mut self.written)?;
        while let Some(missing) = self.missing() {
            let mut buffer = [0; 300];
            match Transport::read(tcp, &mut buffer[..missing]) {
                Ok(0) => return Err(Status::Proxy.because("it closed the connection").into()),
                Ok(count) => self.input.extend(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How many bytes surely belong to the answer and are not here yet.
    fn missing(&self) -> Option<usize> {
        let whole = match (self.awaited, self.input.get(1), self.input.get(3), self.input.get(4)) {
            (Awaited::Method | Awaited::Authentication, ..) => 2,
            // A refusal may be as short as its first two bytes: some proxies close behind them.
            (Awaited::Reply, None, ..) => 2,
            (Awaited::Reply, Some(code), ..) if *code != 0 => 2,
            (Awaited::Reply, _, None, _) => 4,
            (Awaited::Reply, _, Some(1), _) => 10,
            (Awaited::Reply, _, Some(4), _) => 22,
            (Awaited::Reply, _, Some(3), None) => 5,
            (Awaited::Reply, _, Some(3), Some(length)) => 7 + usize::from(*length),
            // Nobody knows its length.
            (Awaited::Reply, ..) => 4,
        };
        whole.checked_sub(self.input.len()).filter(|missing| *missing > 0)
    }
}

/// RFC 1928 section 6.
fn reply_text(code: u8) -> String {
    let why = match code {
        1 => "it failed for a reason of its own",
        2 => "its rules don't allow this connection",
        3 => "the Server's network is unreachable from there",
        4 => "the Server's host is unreachable from there, or its name isn't known there",
        5 => "the Server refused the connection: nobody listens on that port",
        6 => "the Server's answer took too long",
        7 => "it doesn't support connecting",
        8 => "it doesn't support this type of address",
        _ => return format!("it refused with the unknown code {code}"),
    };
    format!("it could not connect to the Server: {why}")
}

/// What an error on the connection to the proxy stands for.
pub(super) fn proxy_error(error: &io::Error) -> Failure {
    if is_broken_off(error) || error.kind() == io::ErrorKind::BrokenPipe {
        return Status::Proxy.because("it closed the connection");
    }
    let failure = failure_of(error, "talking to it");
    Failure { status: Status::Proxy, ..failure }
}
