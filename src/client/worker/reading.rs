//! Reading from the Server, and what its first bytes or its silence say about the URL.

use super::{Phase, Worker};
use crate::client::core::{Core, READS_IN_A_ROW};
use crate::client::leading::{CLOSED_WITHOUT_REASON, reading_failed};
use crate::client::transport::{Fault, looks_like_http, looks_like_tls};
use crate::types::status::Status;
use std::io;
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

impl Worker {
    /// Reads until the socket is empty or others must have their turn. True if there may be more.
    pub(super) fn read(&mut self, now: Instant, core: &mut Core) -> bool {
        if !self.readable {
            return false;
        }
        for _ in 0..READS_IN_A_ROW {
            let paused = self.shared.events.is_blocked() && matches!(self.phase, Phase::Online { .. });
            self.shared.reading_paused.store(paused, Ordering::Release);
            // Of this thread and one that makes room, at least one must see the other.
            fence(Ordering::SeqCst);
            if paused {
                if self.shared.events.is_blocked() {
                    core.session.handle_reading_paused(now);
                    return true;
                }
                // Who made room may have looked before the flag stood and wakes nobody: this thread must not take its own
                // flag for a reason to sleep.
                self.shared.reading_paused.store(false, Ordering::Release);
            }
            let Some(transport) = &mut core.transport else { return false };
            match transport.read(core.input.room()) {
                Ok(0) => {
                    self.readable = false;
                    core.lost = Some((Status::ConnectionClosed, self.closed_text()));
                    return false;
                }
                Ok(count) => {
                    core.input.received(count);
                    if !std::mem::replace(&mut self.heard, true)
                        && let Some(fault) = self.wrong_protocol(core.input.bytes())
                    {
                        self.readable = false;
                        core.lost = Some((fault.status, fault.text));
                        return false;
                    }
                    core.take_in(now, count, &self.shared);
                    core.work(now, &self.shared);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => {
                        self.readable = false;
                        return false;
                    }
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::ConnectionReset if !self.heard => {
                        self.readable = false;
                        core.lost = Some((Status::ConnectionClosed, self.closed_text()));
                        return false;
                    }
                    _ => {
                        self.readable = false;
                        core.lost = Some(reading_failed(&error));
                        return false;
                    }
                },
            }
        }
        true
    }

    /// What is wrong if the first bytes of a connection can't be MQTT.
    fn wrong_protocol(&self, first: &[u8]) -> Option<Fault> {
        let address = self.address()?;
        if address.scheme.is_websocket() {
            return None;
        }
        let (speaks, scheme) = match first {
            bytes if looks_like_tls(bytes) && !address.scheme.is_tls() => ("TLS", "mqtts"),
            bytes if looks_like_http(bytes) && address.scheme.is_tls() => ("HTTP", "wss"),
            bytes if looks_like_http(bytes) => ("HTTP", "ws"),
            _ => return None,
        };
        let port = address.port;
        let text = format!("{address}: port {port} answers, but the Server on it speaks {speaks}: use {scheme}://");
        Some(Fault::new(Status::WrongProtocol, text))
    }

    /// The Server has closed the connection.
    fn closed_text(&self) -> String {
        match self.address() {
            Some(address) if !self.heard && !address.scheme.is_tls() && !address.scheme.is_websocket() => format!(
                "the Server at {address} closed the connection without answering: if this port is one for TLS, use mqtts://"
            ),
            Some(address) if !self.heard => format!("the Server at {address} closed the connection without answering"),
            _ => CLOSED_WITHOUT_REASON.to_owned(),
        }
    }
}
