//! What to do about a failure, in words for people who trade.

use crate::client::address::{Address, Scheme};
use crate::session::event::Disconnected;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;

/// How far a connection has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Nothing,
    Proxy,
    Server,
}

/// What to do about the end of a connection that wasn't accepted.
pub(super) fn advice(end: &Disconnected, address: &Address, reached: Reached, has_client_id: bool) -> String {
    let port = address.port;
    match end.failure {
        Some(Status::Resolve) => "check the spelling of the name in the URL, and whether this machine is on the internet (does a \
                                  browser open a page?)"
            .to_owned(),
        Some(Status::ConnectFailed) => format!(
            "check the port number ({port}), whether the Server runs, and whether a firewall blocks it: that of this machine, of the \
             network, or of the Server. {}",
            other_ways(address)
        ),
        Some(Status::ConnectTimeout) if reached == Reached::Proxy => {
            "check option PROXY with whoever runs the proxy: it may be no proxy of this kind, or not get to the Server".to_owned()
        }
        Some(Status::ConnectTimeout) if reached == Reached::Server => format!(
            "no firewall blocks port {port}: look with the Server's documentation whether it is for {} and whether it wants \
             PROTOCOL_VERSION 4 (MQTT 3.1.1), and ask whoever runs the Server whether it is overloaded",
            address.scheme.name()
        ),
        Some(Status::ConnectTimeout) => format!(
            "something on the way swallows the connection without a word, a firewall as a rule: ask whoever runs the network or the \
             Server to let port {port} through. {}",
            other_ways(address)
        ),
        Some(Status::ConnectionClosed) if !address.scheme.is_tls() => {
            format!(
                "ask whoever runs the Server what port {port} is for, and whether it takes more connections; try mqtts:// if it may be \
                 TLS, ws:// if it may be WebSocket"
            )
        }
        Some(Status::ConnectionClosed) => "the Server dropped the connection after CONNECT: it may allow certain Client Identifiers only (the \
                                           doctor adds -doctor to yours), or want a user name, a password or a client certificate"
            .to_owned(),
        Some(Status::Network) => "try again; if it stays, something on the way breaks connections: a firewall, a virus scanner or a \
                                  VPN"
        .to_owned(),
        Some(Status::WrongProtocol) => "change the URL as said".to_owned(),
        Some(Status::TlsCertificate) => "do as said; never switch the verification off for trading: whoever is on the way could then \
                                         send orders in the Server's name"
            .to_owned(),
        Some(Status::TlsClientCertificate) => {
            "set TLS_CLIENT_CERTIFICATE and TLS_CLIENT_KEY to the files that the Server's provider gave you".to_owned()
        }
        Some(Status::Tls) => "ask whoever runs the Server which versions of TLS and which ALPN names it takes".to_owned(),
        Some(Status::TlsSetup) => "correct the option that is named".to_owned(),
        Some(Status::Proxy) => "check option PROXY with whoever runs the proxy".to_owned(),
        Some(Status::WebSocket) => "do as said, and check the path in the URL with the Server's documentation: /mqtt as a rule".to_owned(),
        Some(Status::RefusedByServer) => refused(end.reason, has_client_id),
        Some(Status::MalformedPacket | Status::ProtocolError) => {
            "what answers may be no MQTT Server at all: check the port with the Server's documentation".to_owned()
        }
        _ => "ask whoever runs the Server, with the lines above".to_owned(),
    }
}

fn other_ways(address: &Address) -> &'static str {
    match (address.scheme, address.port) {
        (Scheme::Mqtt, _) => {
            "Cloud Servers take TLS only as a rule: mqtts:// and port 8883. Networks that block both often let wss:// \
                              and port 443 through"
        }
        (Scheme::Mqtts | Scheme::Ws, _) => {
            "Networks that block this often let wss:// and port 443 through, if the Server has it"
        }
        (Scheme::Wss, 443) => "Perhaps this network needs a proxy: option PROXY",
        (Scheme::Wss, _) => "Networks that block this often let port 443 through, if the Server has it",
    }
}

fn refused(reason: Option<ReasonCode>, has_client_id: bool) -> String {
    match reason {
        // Mosquitto says the first of them.
        Some(ReasonCode::UNSPECIFIED_ERROR | ReasonCode::CLIENT_IDENTIFIER_NOT_VALID) if !has_client_id => {
            "set CLIENT_ID: the Server may take no client without one".to_owned()
        }
        Some(ReasonCode::BAD_USER_NAME_OR_PASSWORD) => {
            "check USER_NAME and PASSWORD: upper and lower case matter, and so do spaces at the ends".to_owned()
        }
        Some(ReasonCode::NOT_AUTHORIZED) => "check USER_NAME and PASSWORD, and whether the Server allows this user to connect (its \
                                             access rules, its list of addresses)"
            .to_owned(),
        Some(ReasonCode::CLIENT_IDENTIFIER_NOT_VALID) => {
            "set CLIENT_ID to one that the Server allows; the doctor itself adds -doctor to yours, which may be what it refuses".to_owned()
        }
        Some(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION) => {
            "the Server is an older one: set PROTOCOL_VERSION to 4 (MQTT 3.1.1), or PROTOCOL_FALLBACK to 1".to_owned()
        }
        Some(ReasonCode::BANNED) => "the Server has banned this client: ask whoever runs it".to_owned(),
        Some(ReasonCode::USE_ANOTHER_SERVER | ReasonCode::SERVER_MOVED) => {
            "change the URL to the Server that is named, or ask whoever runs it".to_owned()
        }
        _ => "ask whoever runs the Server, with the Reason Code".to_owned(),
    }
}
