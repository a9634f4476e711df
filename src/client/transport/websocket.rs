//! MQTT over WebSocket (section 6): binary frames of any size in both directions, whose borders mean nothing
//! \[MQTT-6.0.0-1\] \[MQTT-6.0.0-2\]. The protocol is tungstenite's; it reads from the transport below and writes to memory,
//! from where this module sends: so what the socket doesn't take is neither lost nor in doubt.

use super::{Stage, Transport, failure_of, is_broken_off};
use crate::client::address::Address;
use crate::types::status::{Failure, Status};
use std::io::{self, Read, Write};
use tungstenite::error::{CapacityError, ProtocolError, SubProtocolError};
use tungstenite::handshake::MidHandshake;
use tungstenite::handshake::client::ClientHandshake;
use tungstenite::http::{HeaderName, HeaderValue, Request, Response};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::protocol::frame::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, HandshakeError, Message};
use zeroize::{Zeroize, Zeroizing};

/// The largest frame that is sent: what is written in one go.
const LARGEST_FRAME: usize = 64 * 1024;
/// After so many frames without content others have their turn: a Server may send them without a pause.
const FRAMES_IN_A_ROW: usize = 16;
/// So many bytes are gathered for a Server that takes nothing but wants answers to its pings.
const LARGEST_OUTPUT: usize = 1024 * 1024;
/// A Server may send several packets in one frame.
const ROOM_FOR_MORE_PACKETS: usize = 1024 * 1024;

/// The transport below, as tungstenite sees it.
struct Lower {
    transport: Box<dyn Transport>,
    output: Vec<u8>,
    /// How much of `output` the transport has taken.
    taken: usize,
    /// The output is the request, whose URL and headers may hold a token.
    is_request: bool,
    /// The transport asked for another call when the response was read last.
    interrupted: bool,
    /// Bytes came since a frame was looked for last.
    heard: bool,
}

impl Lower {
    fn new(transport: Box<dyn Transport>) -> Self {
        Lower { transport, output: Vec::new(), taken: 0, is_request: true, interrupted: false, heard: false }
    }
}

impl Lower {
    /// Hands the output to the transport. `WouldBlock` when something is left.
    fn send(&mut self) -> io::Result<()> {
        while self.taken < self.output.len() {
            match self.transport.write(&self.output[self.taken..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.taken += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.is_request {
            self.output.zeroize();
        }
        self.output.clear();
        self.taken = 0;
        self.transport.flush()
    }
}

impl Read for Lower {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.transport.read(buffer) {
            // tungstenite would take it for a failure.
            Err(error) if self.is_request && error.kind() == io::ErrorKind::Interrupted => {
                self.interrupted = true;
                Err(io::ErrorKind::WouldBlock.into())
            }
            Ok(count) => {
                self.heard |= count > 0;
                Ok(count)
            }
            other => other,
        }
    }
}

impl Write for Lower {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The upgrade of a connection.
pub(super) struct Upgrade {
    handshake: Option<MidHandshake<ClientHandshake<Lower>>>,
}

impl Upgrade {
    /// `headers` are added to the request; the subprotocol is `mqtt` \[MQTT-6.0.0-3\].
    pub fn new(
        transport: Box<dyn Transport>,
        server: &Address,
        headers: &[(HeaderName, HeaderValue)],
        maximum_packet_size: usize,
    ) -> Result<Self, Failure> {
        let authority = server.authority();
        let host = match server.port == server.scheme.default_port() {
            true => authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host),
            false => &authority,
        };
        let url = Zeroizing::new(format!("{}://{authority}{}", server.scheme.name(), server.path.as_str()));
        let request = Request::builder()
            .uri(url.as_str())
            .header("Host", host)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key())
            .header("Sec-WebSocket-Protocol", "mqtt")
            .body(());
        let mut request = request.map_err(|error| {
            Status::WebSocket.because(format!("the URL can't be asked for over WebSocket: {error}"))
        })?;
        request.headers_mut().extend(headers.iter().cloned());
        let largest = Some(maximum_packet_size + ROOM_FOR_MORE_PACKETS);
        let config = WebSocketConfig::default()
            .read_buffer_size(LARGEST_FRAME)
            .write_buffer_size(0)
            .max_message_size(largest)
            .max_frame_size(largest);
        let handshake =
            ClientHandshake::start(Lower::new(transport), request, Some(config)).map_err(|error| in_words(&error))?;
        Ok(Upgrade { handshake: Some(handshake) })
    }

    /// Whether it is to go on as soon as others have had their turn, as the poll won't tell of what is there already.
    pub fn is_interrupted(&self) -> bool {
        self.handshake.as_ref().is_some_and(|handshake| handshake.get_ref().get_ref().interrupted)
    }

    pub fn advance(&mut self) -> Result<Stage<WebSocket>, Failure> {
        let Some(mut handshake) = self.handshake.take() else { return Ok(Stage::Pending) };
        handshake.get_mut().get_mut().interrupted = false;
        loop {
            let waits = match handshake.handshake() {
                Ok((mut websocket, _)) => {
                    websocket.get_mut().is_request = false;
                    return Ok(Stage::Done(WebSocket::new(websocket)));
                }
                Err(HandshakeError::Failure(error)) => return Err(in_words(&error)),
                Err(HandshakeError::Interrupted(handshake)) => handshake,
            };
            handshake = waits;
            let lower = handshake.get_mut().get_mut();
            let had_output = !lower.output.is_empty();
            match lower.send() {
                // It asked for an answer before the request had left.
                Ok(()) if had_output => continue,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(upgrade_failure(&error)),
                _ => {}
            }
            self.handshake = Some(handshake);
            return Ok(Stage::Pending);
        }
    }
}

pub(super) struct WebSocket {
    websocket: tungstenite::WebSocket<Lower>,
    /// What is left of the last frame's content.
    received: Bytes,
    finishing: bool,
    closed: bool,
}

impl WebSocket {
    fn new(websocket: tungstenite::WebSocket<Lower>) -> Self {
        WebSocket { websocket, received: Bytes::new(), finishing: false, closed: false }
    }

    fn send(&mut self) -> io::Result<()> {
        self.websocket.get_mut().send()
    }

    /// Sends what is there; what the socket doesn't take is pending.
    fn send_now(&mut self) -> io::Result<()> {
        match self.send() {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// The content of the next binary frame; empty when the Server has closed. `Interrupted` asks for another call.
    fn next_frame(&mut self) -> io::Result<Bytes> {
        for _ in 0..FRAMES_IN_A_ROW {
            if self.websocket.get_ref().output.len() > LARGEST_OUTPUT {
                let text = "the Server takes no bytes, and yet wants answers to more and more pings";
                return Err(Status::WebSocket.because(text).into());
            }
            // Pings don't count: they may come from a gateway whose Server is gone.
            self.websocket.get_mut().heard = false;
            let message = self.websocket.read();
            // An answer to a ping or to the Server's close lies in tungstenite's buffer until it is flushed to ours.
            let _ = self.websocket.flush();
            // If the line is gone, what the Server said before is read all the same; what can't be sent stays pending.
            let _ = self.send_now();
            match message {
                Ok(Message::Binary(content)) if content.is_empty() => {}
                Ok(Message::Binary(content)) => return Ok(content),
                // [MQTT-6.0.0-1]
                Ok(Message::Text(_)) => {
                    let text = "the Server sent a text frame, but MQTT is sent in binary frames";
                    return Err(Status::WebSocket.because(text).into());
                }
                Ok(Message::Close(Some(said))) if says_why(&said) => return Err(closed_because(&said).into()),
                Ok(Message::Close(_)) => return Ok(Bytes::new()),
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Err(
                    Error::ConnectionClosed
                    | Error::AlreadyClosed
                    | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                ) => return Ok(Bytes::new()),
                Err(Error::Io(error)) => return Err(error),
                Err(error) => return Err(in_words(&error).into()),
            }
        }
        Err(io::ErrorKind::Interrupted.into())
    }
}

impl Transport for WebSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.received.is_empty() && !self.closed {
            self.received = self.next_frame()?;
            self.closed = self.received.is_empty();
        }
        let count = self.received.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.received.split_to(count));
        Ok(count)
    }

    fn has_heard(&self) -> bool {
        self.websocket.get_ref().heard
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One frame is pending at most.
        self.send()?;
        let count = bytes.len().min(LARGEST_FRAME);
        match self.websocket.write(Message::Binary(Bytes::copy_from_slice(&bytes[..count]))) {
            Ok(()) => {}
            Err(Error::Io(error)) => return Err(error),
            Err(error) => return Err(in_words(&error).into()),
        }
        self.send_now()?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.send()
    }

    fn has_pending(&self) -> bool {
        let lower = self.websocket.get_ref();
        !lower.output.is_empty() || lower.transport.has_pending()
    }

    fn finish(&mut self) -> io::Result<()> {
        if !self.finishing {
            self.finishing = true;
            // It fails when the Server has closed already.
            let _ = self.websocket.close(None);
            let _ = self.websocket.flush();
        }
        // The Server answers by its own Close and closes the connection (RFC 6455 section 7.1.1).
        self.send()
    }

    fn may_hold_input(&self) -> bool {
        true
    }

    fn register(&mut self, registry: &mio::Registry, token: mio::Token, writing: bool) -> io::Result<()> {
        self.websocket.get_mut().transport.register(registry, token, writing)
    }

    fn deregister(&mut self, registry: &mio::Registry) {
        self.websocket.get_mut().transport.deregister(registry);
    }
}

fn wrong_protocol(what: &str) -> Failure {
    let advice = "use mqtt:// or mqtts:// if the port is MQTT's own, or wss:// if it is one with TLS";
    Status::WrongProtocol.because(format!("{what}: {advice}"))
}

fn closed_at_once() -> Failure {
    wrong_protocol("the Server closed the connection when it was asked for a WebSocket")
}

fn says_why(said: &CloseFrame) -> bool {
    !matches!(said.code, CloseCode::Normal | CloseCode::Away) || !said.reason.is_empty()
}

fn closed_because(said: &CloseFrame) -> Failure {
    let reason = if said.reason.is_empty() { String::new() } else { format!(": {}", said.reason) };
    let code = u16::from(said.code);
    Status::ConnectionClosed.because(format!("the Server closed the WebSocket with code {code}{reason}"))
}

/// What an error below stands for while the upgrade isn't done.
fn upgrade_failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => closed_at_once(),
        _ if is_broken_off(error) => closed_at_once(),
        _ => failure_of(error, "the WebSocket upgrade"),
    }
}

fn in_words(error: &Error) -> Failure {
    let text = match error {
        Error::Http(response) => refusal(response),
        // [MQTT-6.0.0-4]
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol,
        )) => {
            "the Server accepts the WebSocket, but not its subprotocol mqtt: what is at this path is no MQTT".to_owned()
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => return closed_at_once(),
        Error::Protocol(ProtocolError::HttparseError(_) | ProtocolError::WrongHttpVersion) => {
            return wrong_protocol("what answers on this port speaks no HTTP, as a WebSocket needs");
        }
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            format!("the Server sent a WebSocket message of {size} bytes: see option MAXIMUM_PACKET_SIZE")
        }
        Error::Io(error) => return upgrade_failure(error),
        _ => format!("WebSocket with the Server failed: {error}"),
    };
    Status::WebSocket.because(text)
}

/// What a response means that isn't the upgrade, and what to do.
fn refusal<T>(response: &Response<T>) -> String {
    let code = response.status().as_u16();
    match code {
        301 | 302 | 303 | 307 | 308 => {
            let location = response.headers().get("Location").and_then(|value| value.to_str().ok());
            format!(
                "the Server redirects to {} (HTTP {code}): set the URL to that",
                location.map_or_else(|| "elsewhere".to_owned(), as_url_option)
            )
        }
        400 | 426 => format!(
            "the Server on this port doesn't take the WebSocket upgrade (HTTP {code}): check scheme, port and path"
        ),
        401 | 407 => {
            format!("the Server wants an authentication before WebSocket (HTTP {code}): see option WS_HEADERS")
        }
        403 => format!("the Server forbids the WebSocket (HTTP {code}): check the URL's path, and option WS_HEADERS"),
        404 => format!("the Server has no WebSocket at the URL's path (HTTP {code}): often it is /mqtt or /ws"),
        429 | 500..=599 => format!(
            "the Server, or a gateway before it, can't serve at the moment (HTTP {code}): see its log if that stays"
        ),
        _ => format!("the Server answers the WebSocket upgrade with HTTP {code}: check the URL's port and path"),
    }
}

/// The address of a redirection as option URL takes it. Its query is left out, as it may hold a token.
fn as_url_option(location: &str) -> String {
    let url = location.split('?').next().unwrap_or(location);
    match url.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
#[path = "websocket_tests.rs"]
mod tests;
