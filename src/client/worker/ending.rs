//! How a connection ends: what the program is told, and whether and when there is another attempt.

use super::{Phase, Worker};
use crate::client::clock;
use crate::client::command::Command;
use crate::client::connection::Connection;
use crate::client::core::{Core, Wish};
use crate::client::log::Level;
use crate::client::options::IntOption;
use crate::client::shared::State;
use crate::session::event::{Disconnected, Event};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A connection that held this long was good: the next loss is a first failure.
const STABLE: Duration = Duration::from_secs(5);

/// How long an accepted connection was there before it ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Held {
    /// It was never accepted.
    Never,
    Shortly,
    /// At least [`STABLE`].
    Long,
}

impl Worker {
    pub(super) fn drop_connection(&mut self, core: &mut Core) {
        let mut connection = std::mem::replace(&mut core.connection, Connection::none());
        if let Some(transport) = &mut connection.transport {
            transport.deregister(self.poll.registry());
        }
        if connection.is_led() {
            self.shared.events.wake_leader();
        }
        self.readable = false;
        self.shared.reading_paused.store(false, Ordering::Release);
    }

    pub(super) fn end_connection(&mut self, status: Status, detail: &str, core: &mut Core) {
        let online_since = core.connection.online_since;
        self.drop_connection(core);
        // What happened before the end is told before it.
        core.report(&self.shared);
        core.session.handle_closed(status, detail);
        let held = match online_since.map(|since| clock::now().saturating_duration_since(since) >= STABLE) {
            None => Held::Never,
            Some(false) => Held::Shortly,
            Some(true) => Held::Long,
        };
        if held == Held::Long {
            self.backoff.succeeded();
        }
        let end = match core.session.poll_event() {
            Some(Event::Disconnected(end)) => end,
            // Not reached: a Session that was opened says first of all that it is closed.
            _ => Disconnected::new(Some(status), detail),
        };
        core.tell_figures(&self.shared);
        self.after_end(end, held, core);
        core.report(&self.shared);
    }

    /// Decides whether and when to connect again, and tells the program. The state comes first: a program that has seen
    /// the event must find the state, and may call connect at once.
    pub(super) fn after_end(&mut self, mut end: Disconnected, held: Held, core: &mut Core) {
        if matches!(end.failure, Some(Status::TlsCertificate | Status::TlsClientCertificate | Status::Tls)) {
            self.tls = None;
        }
        self.resolver.attempt_is_over(held != Held::Never || end.next_version == Some(ProtocolVersion::V311));
        let mut next_attempt = None;
        let goes_on = core.wants_connection();
        // Without reconnecting, connect is one round: each Server, and each version of MQTT, until one accepts.
        let is_open = self.options.flag(IntOption::Reconnect) || held == Held::Never;
        let followed = goes_on && is_open && self.follow_reference(&mut end, held);
        let in_round =
            end.next_version == Some(ProtocolVersion::V311) || self.server + 1 < self.options.addresses.len();
        if !goes_on || !is_open || !(self.options.flag(IntOption::Reconnect) || followed || in_round) {
            core.wish = Wish::Nothing;
            self.phase = Phase::Idle;
            self.shared.set_state(State::Idle);
        } else {
            let delay = match end.next_version {
                _ if followed => self.backoff.next_delay(),
                // The same Server is asked again, in the older version of MQTT.
                Some(ProtocolVersion::V311) => self.backoff.next_delay(),
                // It has refused both.
                Some(ProtocolVersion::V5) => self.choose_server(false, held),
                None => self.choose_server(end.reason.is_some_and(needs_attention), held),
            };
            self.shared.snapshot.lock().last_delay_ms = delay.as_millis() as u64;
            self.phase = Phase::Waiting { until: clock::now() + delay };
            self.shared.set_state(State::Waiting);
            next_attempt = Some(delay);
        }
        self.shared.tell(Event::Disconnected(end));
        if let Some(delay) = next_attempt {
            self.shared.note(Level::Info, || format!("next attempt in {} ms", delay.as_millis()));
        }
    }

    /// The program frees the client.
    pub(super) fn say_farewell(&self, now: Instant, core: &mut Core) {
        let token = self.shared.hears.swap(0, Ordering::AcqRel);
        if token != 0 {
            core.apply(now, Command::Heard { token });
        }
        let properties = self.options.last_words();
        core.apply(now, Command::Disconnect { reason: ReasonCode::SUCCESS, properties });
        core.stop = true;
    }

    /// The program gave up before a connection was there.
    pub(super) fn give_up(&mut self, core: &mut Core) {
        self.after_end(Disconnected::new(None, "disconnected on request"), Held::Never, core);
    }
}

/// Reason Codes that trying again soon won't change: another client has our identifier, or somebody has to change a
/// setting.
fn needs_attention(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION
            | ReasonCode::CLIENT_IDENTIFIER_NOT_VALID
            | ReasonCode::BAD_USER_NAME_OR_PASSWORD
            | ReasonCode::NOT_AUTHORIZED
            | ReasonCode::BANNED
            | ReasonCode::BAD_AUTHENTICATION_METHOD
            | ReasonCode::SESSION_TAKEN_OVER
            | ReasonCode::USE_ANOTHER_SERVER
            | ReasonCode::SERVER_MOVED
            | ReasonCode::CONNECTION_RATE_EXCEEDED
    )
}
