//! Answers that don't come from a Server that is there. Mosquitto drops what it has for a client while more packets than its
//! `max_queued_messages` wait for a line that has come to a halt: PUBACK, PUBREC, PUBCOMP and SUBACK too, and messages of QoS
//! 1 and 2. None of it ever comes on this connection. On the next one both sides send again what is unfinished (section 4.4).
//!
//! A Server takes packets in their order. So a PINGREQ that was sent later shows, by its PINGRESP, that the Server hasn't just
//! not come so far. Absent on purpose: a time for each packet. Of each kind only the first that is unanswered is looked at,
//! and only now and then, as what stays without an answer becomes the first.

use super::Session;
use super::event::Disconnected;
use super::suspect::FirstUnanswered;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use std::time::{Duration, Instant};

/// The time is doubled so often at most, once for each connection in a row that has ended so: some Servers, as RabbitMQ, owe an
/// answer for as long as a part of them is out of order, and take what is sent again for another message.
const MOST_DOUBLED: u32 = 7;

/// What was unanswered on a connection when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// When it is looked at next, if ever.
    pub next_look: Option<Instant>,
    seen: Vec<Seen>,
}

#[derive(Debug)]
struct Seen {
    first: FirstUnanswered,
    /// After so many PINGRESPs the Server has answered a PINGREQ that was sent later.
    pingresps: u64,
}

impl Session {
    /// Plans the next look at what is unanswered.
    pub(super) fn plan_look(&mut self, now: Instant) {
        let timeout = self.answer_timeout();
        if let Some(connection) = &mut self.connection {
            connection.missing.next_look = (!timeout.is_zero()).then(|| now + timeout);
        }
    }

    fn answer_timeout(&self) -> Duration {
        self.options.answer_timeout * (1 << self.without_answer.min(MOST_DOUBLED))
    }

    /// Ends the connection if an answer is missing that has been waited for since the last look.
    pub(super) fn look_for_answers(&mut self, now: Instant) {
        let next_look = self.connection.as_ref().and_then(|connection| connection.missing.next_look);
        if self.is_online() && next_look.is_some_and(|due| due <= now) {
            self.look(now);
            self.plan_look(now);
        }
    }

    fn look(&mut self, now: Instant) {
        let timeout = self.answer_timeout();
        let Some(connection) = &mut self.connection else { return };
        let kinds = [
            self.subscriptions.first_unanswered(),
            self.outbound.first_unanswered(),
            // It may be a PUBREL that is kept back.
            self.outbound.first_pubrel(&self.log).filter(|_| !connection.holds()),
        ];
        let before = std::mem::take(&mut connection.missing.seen);
        let pingresps = |first: &FirstUnanswered| Some(before.iter().find(|seen| seen.first == *first)?.pingresps);
        let firsts: Vec<_> = kinds.into_iter().flatten().map(|first| (pingresps(&first), first)).collect();
        let has_gone_by = |due: Option<u64>| due.is_some_and(|due| connection.pingresps >= due);
        if let Some((_, FirstUnanswered { token, what, .. })) = firsts.iter().find(|(due, _)| has_gone_by(*due)) {
            let detail = format!(
                "the Server has not answered {what} (token {token}) for {} ms, though it answers PINGREQ: it may have dropped the \
                 answer, as Mosquitto does when more than its max_queued_messages wait for a client; what is unfinished is sent \
                 again on the next connection",
                timeout.as_millis()
            );
            self.without_answer += 1;
            return connection
                .close_with(ReasonCode::UNSPECIFIED_ERROR, Disconnected::new(Some(Status::Timeout), detail));
        }
        if !before.is_empty() && firsts.iter().all(|(due, _)| due.is_none()) {
            self.without_answer = 0;
        }
        if firsts.is_empty() {
            return;
        }
        connection.send_ping(now, self.options.ping_timeout);
        let latest = connection.pingresps_due();
        let seen = |(due, first): (Option<u64>, _)| Seen { first, pingresps: due.unwrap_or(latest) };
        connection.missing.seen = firsts.into_iter().map(seen).collect();
    }
}
