//! From a URL to a connected transport, in stages: name resolution, the race of addresses, the proxy, TLS, the WebSocket
//! upgrade. One deadline holds for all of them.

use super::certificate::{Described, date};
use super::http_proxy::HttpConnect;
use super::race::{self, Race};
use super::resolver::{MOST_ADDRESSES, Resolver};
use super::socks::Socks;
use super::tcp::Tcp;
use super::tls::Tls;
use super::tls_setup::TlsSetup;
use super::websocket::Upgrade;
use super::{Stage, Transport};
use crate::client::address::{Address, authority};
use crate::client::proxy::{Proxy, ProxyKind};
use crate::types::status::{Failure, Status};
use mio::{Registry, Token};
use std::net::IpAddr;
use std::time::Instant;
use tungstenite::http::{HeaderName, HeaderValue};

/// What a connection is to be made of.
#[derive(Clone)]
pub(in crate::client) struct Plan {
    pub address: Address,
    pub proxy: Option<Proxy>,
    /// There if the address needs it.
    pub tls: Option<TlsSetup>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub maximum_packet_size: usize,
}

/// How many tokens of the poll one connector may use.
pub(in crate::client) const TOKENS: usize = MOST_ADDRESSES;

enum Doing {
    Resolving,
    Racing(Race),
    Socks(Tcp, Socks),
    HttpConnect(Tcp, HttpConnect),
    Tls(Box<Tls>),
    Upgrade(Box<Upgrade>),
    Nothing,
}

pub(in crate::client) struct Connector {
    plan: Plan,
    doing: Doing,
    start: Instant,
    deadline: Instant,
    first_token: Token,
    /// That of the connection that won the race.
    token: Token,
    /// What has been done, in words.
    steps: Vec<String>,
}

/// How the connector stands.
pub(in crate::client) enum Progress {
    /// Nothing to do before this time, unless a socket becomes ready or the resolver answers.
    Pending(Instant),
    /// A connection, registered under this token.
    Connected(Box<dyn Transport>, Token),
    Failed(Failure),
}

/// What came of a stage's turn.
enum Step {
    /// It waits for its socket, or for the resolver.
    Pending,
    /// It is done, and the next one has its turn.
    Next,
    /// It was the last one.
    Connected(Box<dyn Transport>),
}

impl Connector {
    /// [`TOKENS`] tokens from `first_token` on are free to be used in the poll.
    pub fn new(plan: Plan, start: Instant, deadline: Instant, first_token: Token) -> Self {
        Connector { plan, doing: Doing::Resolving, start, deadline, first_token, token: first_token, steps: Vec::new() }
    }

    /// What has been done since the last call.
    pub fn take_steps(&mut self) -> Vec<String> {
        std::mem::take(&mut self.steps)
    }

    /// Whether there is nothing to do until a Server or proxy answers or the time is over.
    pub fn only_waits(&self) -> bool {
        match &self.doing {
            Doing::Resolving | Doing::Nothing => false,
            Doing::Racing(race) => race.next_start().is_none(),
            Doing::Upgrade(upgrade) => !upgrade.is_interrupted(),
            Doing::Socks(..) | Doing::HttpConnect(..) | Doing::Tls(_) => true,
        }
    }

    /// Goes on after time has passed, a socket has become ready or the resolver has answered.
    pub fn advance(&mut self, now: Instant, registry: &Registry, resolver: &mut Resolver) -> Progress {
        loop {
            match self.stage(now, registry, resolver) {
                Err(failure) => return Progress::Failed(self.in_context(failure)),
                Ok(Step::Connected(transport)) => return Progress::Connected(transport, self.token),
                Ok(Step::Next) => {}
                Ok(Step::Pending) if now >= self.deadline => return Progress::Failed(self.timed_out()),
                Ok(Step::Pending) => {
                    let wanted = match &self.doing {
                        Doing::Racing(race) => race.next_start(),
                        Doing::Upgrade(upgrade) if upgrade.is_interrupted() => Some(now),
                        _ => None,
                    };
                    return Progress::Pending(wanted.map_or(self.deadline, |wanted| wanted.min(self.deadline)));
                }
            }
        }
    }

    /// Goes on with the present stage.
    fn stage(&mut self, now: Instant, registry: &Registry, resolver: &mut Resolver) -> Result<Step, Failure> {
        match &mut self.doing {
            Doing::Resolving => {
                let (host, port) = self.target();
                let Some(found) = resolver.resolve(&host, port, self.start) else { return Ok(Step::Pending) };
                let found = found.map_err(|why| Status::Resolve.because(why))?;
                if host.parse::<IpAddr>().is_err() {
                    let listed: Vec<String> = found.iter().map(|address| address.ip().to_string()).collect();
                    self.say(format!("name '{host}' resolved: {}", listed.join(", ")));
                }
                self.doing = Doing::Racing(Race::new(found, now, self.first_token));
            }
            Doing::Racing(race) => match race.advance(now, registry) {
                race::Progress::Pending => return Ok(Step::Pending),
                race::Progress::Failed(why) => return Err(Status::ConnectFailed.because(why)),
                race::Progress::Connected { tcp, address, token } => {
                    let before = race.account();
                    let before = if before.is_empty() { before } else { format!(" (before it {before})") };
                    self.token = token;
                    resolver.reached(address);
                    self.say(format!("TCP connected to {address}{before}"));
                    return self.connected(tcp);
                }
            },
            Doing::Socks(tcp, socks) => match socks.advance(tcp)? {
                Stage::Pending => return Ok(Step::Pending),
                Stage::Done(()) => return self.through_proxy(),
            },
            Doing::HttpConnect(tcp, request) => match request.advance(tcp)? {
                Stage::Pending => return Ok(Step::Pending),
                Stage::Done(()) => return self.through_proxy(),
            },
            Doing::Tls(tls) => match tls.handshake()? {
                Stage::Pending => return Ok(Step::Pending),
                Stage::Done(()) => return self.secured(),
            },
            Doing::Upgrade(upgrade) => match upgrade.advance()? {
                Stage::Pending => return Ok(Step::Pending),
                Stage::Done(websocket) => {
                    self.say("WebSocket accepted, subprotocol mqtt".to_owned());
                    return Ok(Step::Connected(Box::new(websocket)));
                }
            },
            Doing::Nothing => return Err(Status::ConnectFailed.because("the connection is gone")),
        }
        Ok(Step::Next)
    }

    /// What is resolved and connected to: the Server, or the proxy before it.
    fn target(&self) -> (String, u16) {
        match &self.plan.proxy {
            Some(proxy) => (proxy.host.clone(), proxy.port),
            None => (self.plan.address.host.clone(), self.plan.address.port),
        }
    }

    fn say(&mut self, text: String) {
        self.steps.push(text);
    }

    fn connected(&mut self, tcp: Tcp) -> Result<Step, Failure> {
        let Some(proxy) = &self.plan.proxy else { return self.reached(tcp) };
        let credentials = proxy.credentials.clone();
        self.doing = match proxy.kind {
            ProxyKind::Socks5 => Doing::Socks(tcp, Socks::new(&self.plan.address, credentials)?),
            ProxyKind::HttpConnect => Doing::HttpConnect(tcp, HttpConnect::new(&self.plan.address, credentials)),
        };
        Ok(Step::Next)
    }

    fn through_proxy(&mut self) -> Result<Step, Failure> {
        self.say(format!("the proxy connected to {}", self.plan.address.authority()));
        match std::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Socks(tcp, _) | Doing::HttpConnect(tcp, _) => self.reached(tcp),
            _ => Ok(Step::Next),
        }
    }

    /// What is said on this stream from now on gets to the Server.
    fn reached(&mut self, tcp: Tcp) -> Result<Step, Failure> {
        let Some(setup) = self.plan.tls.as_ref().filter(|_| self.plan.address.scheme.is_tls()) else {
            return self.ready(Box::new(tcp));
        };
        self.doing = Doing::Tls(Box::new(Tls::new(tcp, setup, &self.plan.address.host)?));
        Ok(Step::Next)
    }

    fn secured(&mut self) -> Result<Step, Failure> {
        let Doing::Tls(tls) = std::mem::replace(&mut self.doing, Doing::Nothing) else { return Ok(Step::Next) };
        let (text, chain) = tls.account();
        self.say(text);
        for (position, certificate) in (1..).zip(&chain) {
            let Some(Described { subject, issuer, names, not_after, .. }) = Described::new(certificate) else {
                continue;
            };
            let names = if names.is_empty() { String::new() } else { format!(", for {}", names.join(", ")) };
            let until = date(not_after);
            self.say(format!("certificate {position}: {subject}{names}, issued by {issuer}, valid until {until}"));
        }
        self.ready(tls)
    }

    /// MQTT begins, or the WebSocket that carries it.
    fn ready(&mut self, transport: Box<dyn Transport>) -> Result<Step, Failure> {
        if !self.plan.address.scheme.is_websocket() {
            return Ok(Step::Connected(transport));
        }
        let Plan { address, headers, maximum_packet_size, .. } = &self.plan;
        self.doing = Doing::Upgrade(Box::new(Upgrade::new(transport, address, headers, *maximum_packet_size)?));
        Ok(Step::Next)
    }

    /// The failure with the name of what failed.
    fn in_context(&self, failure: Failure) -> Failure {
        let address = &self.plan.address;
        let text = match (failure.status, &self.plan.proxy) {
            (Status::Proxy, Some(proxy)) => {
                format!("connecting to {address} through proxy {proxy} failed: {}", failure.text)
            }
            (Status::Resolve | Status::ConnectFailed, Some(proxy)) => {
                let text = format!("connecting to proxy {proxy} failed: {}", failure.text);
                return Status::Proxy.because(text);
            }
            (Status::Resolve, None) => failure.text,
            _ => format!("connecting to {address} failed: {}", failure.text),
        };
        Failure { text, ..failure }
    }

    fn timed_out(&self) -> Failure {
        let address = &self.plan.address;
        let (host, port) = self.target();
        let silent = match &self.doing {
            Doing::Resolving => {
                // Not the Server's silence: nobody has asked it.
                let text = format!("the system's resolver found no address of '{host}' in time");
                return self.in_context(Status::Resolve.because(text));
            }
            Doing::Racing(race) => race.account(),
            Doing::Socks(..) | Doing::HttpConnect(..) => {
                format!("the proxy {} accepted the connection, but didn't answer", authority(&host, port))
            }
            Doing::Tls(tls) if tls.heard() => "the TLS handshake was begun, but not finished".to_owned(),
            Doing::Tls(_) => {
                "the connection is there, but TLS isn't answered: perhaps the Server doesn't speak TLS on this port"
                    .to_owned()
            }
            Doing::Upgrade(_) => "the connection is there, but the WebSocket upgrade isn't answered".to_owned(),
            Doing::Nothing => String::new(),
        };
        Status::ConnectTimeout.because(format!("no answer from {address} in time: {silent}"))
    }
}

#[cfg(test)]
#[path = "connector_tests.rs"]
mod tests;
