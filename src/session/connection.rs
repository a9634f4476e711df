//! One Network Connection as the Session sees it: what was negotiated, what waits to be sent, and its timers. It dies with
//! the connection; what outlives it is in the Session.

use super::aliases::{IncomingAliases, OutgoingAliases};
use super::breaches::Breach;
use super::event::Disconnected;
use super::limits::ServerLimits;
use super::missing::Missing;
use super::options::Acknowledgement;
use super::queue::Quota;
use super::scram::Scram;
use super::unsent::Unsent;
use crate::codec::disconnect::Disconnect;
use crate::codec::error::EncodeError;
use crate::codec::property::Properties;
use crate::codec::publish::Publish;
use crate::codec::{Packet, PacketId};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So much may be kept back until it is durable: a packet for each Packet Identifier of either side.
const MOST_HELD: usize = 2 * u16::MAX as usize;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// CONNECT is sent; the Server has until the deadline to answer.
    AwaitingConnack {
        deadline: Instant,
    },
    Online,
    /// Nothing may be sent any more \[MQTT-3.14.4-1\]; what is in the output goes out and the connection is closed.
    Closing,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub phase: Phase,
    pub version: ProtocolVersion,
    pub limits: ServerLimits,
    /// CONNACK has refused the connection, or is in force.
    pub is_answered: bool,
    /// The Session ends with this connection, as CONNACK or our DISCONNECT says.
    pub ends_session: bool,
    /// How many more QoS 1 and 2 PUBLISH packets may be sent now (section 4.9). Below 0 if a resumed Session has more PUBRELs
    /// than the Server allows in flight now.
    pub send_quota: isize,
    /// What `send_quota` starts from: the Server's Receive Maximum, or our own limit if that is smaller \[MQTT-4.9.0-1\].
    pub quota_limit: isize,
    /// How much of `send_quota` only priority messages may use.
    pub priority_reserve: isize,
    /// `Session::go_on` is awaited before anything new is published.
    pub waits_to_publish: bool,
    /// What was subscribed to before can't be asked for yet, and nothing new is published before.
    pub subscribes_first: bool,
    /// In-flight messages of the resumed Session that wait to be sent again.
    pub resend: VecDeque<PacketId>,
    /// PUBACK, PUBREC and PUBCOMP packets received.
    pub answers: u64,
    /// Received QoS 1 and 2 messages that we have not answered, in the order of their arrival \[MQTT-4.6.0-2\].
    pub unanswered: VecDeque<PacketId>,
    /// What waits for a batch of changes to be durable.
    held: VecDeque<(u64, Held)>,
    pub outgoing_aliases: OutgoingAliases,
    pub incoming_aliases: IncomingAliases,
    /// The authentication that is going on.
    pub authenticating: Option<Authenticating>,
    /// Why it ends, once that is decided.
    pub end: Option<Disconnected>,
    unsent: Unsent,
    last_sent: Instant,
    last_received: Instant,
    ping: Option<Ping>,
    /// PINGRESPs to what was asked.
    pub pingresps: u64,
    pub missing: Missing,
}

/// What must not be sent before something is durable.
#[derive(Debug)]
pub(super) enum Held {
    /// The PUBLISH of a message in flight.
    Publish(PacketId),
    Pubrel(PacketId),
    Puback(PacketId, Acknowledgement),
    Pubrec(PacketId, Acknowledgement),
    Pubcomp(PacketId, Acknowledgement),
}

#[derive(Debug)]
struct Ping {
    /// When the last PINGREQ was made.
    sent: Instant,
    deadline: Instant,
    /// The time from when it has left until the deadline.
    timeout: Duration,
    /// How many bytes have to leave before it has left: it may stand behind a large message, on a slow line.
    unsent: usize,
    /// PINGREQs without a PINGRESP.
    unanswered: u32,
}

impl Connection {
    pub fn new(now: Instant, deadline: Instant, version: ProtocolVersion, limits: ServerLimits) -> Self {
        Connection {
            phase: Phase::AwaitingConnack { deadline },
            version,
            limits,
            is_answered: false,
            ends_session: false,
            send_quota: 0,
            quota_limit: 0,
            priority_reserve: 0,
            waits_to_publish: false,
            subscribes_first: false,
            resend: VecDeque::new(),
            answers: 0,
            unanswered: VecDeque::new(),
            held: VecDeque::new(),
            outgoing_aliases: OutgoingAliases::new(0),
            incoming_aliases: IncomingAliases::new(0),
            authenticating: None,
            end: None,
            unsent: Unsent::default(),
            last_sent: now,
            last_received: now,
            ping: None,
            pingresps: 0,
            missing: Missing::default(),
        }
    }

    pub fn is_online(&self) -> bool {
        self.phase == Phase::Online
    }

    /// What the send quota allows to be sent.
    pub fn quota(&self) -> Quota {
        match self.send_quota {
            ..=0 => Quota::Spent,
            left if left <= self.priority_reserve => Quota::ForPriority,
            _ => Quota::ForAll,
        }
    }

    /// Whether what wasn't sent yet may be sent: answers to it may come for what the program has subscribed to before.
    pub fn publishes(&self) -> bool {
        self.is_online() && !self.waits_to_publish && !self.subscribes_first
    }

    /// Puts a packet into the output.
    pub fn send(&mut self, packet: &Packet<'_>) -> Result<(), EncodeError> {
        debug_assert!(self.phase != Phase::Closing, "nothing may follow DISCONNECT");
        self.unsent.add(packet, self.version, self.limits.maximum_packet_size)
    }

    /// Keeps something back until the batch is durable, and everything that was kept back before it is.
    pub fn hold(&mut self, batch: u64, what: Held) {
        self.held.push_back((batch, what));
    }

    /// Whether something is kept back: answers that must keep their order go behind it.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the Server asks again and again for what is kept back.
    pub fn holds_too_much(&self) -> bool {
        self.held.len() > MOST_HELD
    }

    /// The next that is kept back no longer, as everything up to `batch` is durable.
    pub fn let_go(&mut self, is_durable: impl Fn(u64) -> bool) -> Option<Held> {
        let due = self.is_online() && self.held.front().is_some_and(|(batch, _)| is_durable(*batch));
        if due { self.held.pop_front().map(|(_, what)| what) } else { None }
    }

    /// Puts a PUBLISH into the output, with a Topic Alias where the Server takes one.
    pub fn send_publish(&mut self, publish: &Publish<'_>) -> Result<(), EncodeError> {
        let Some(topic) = publish.topic else { return self.send(&Packet::Publish(publish.clone())) };
        let known = self.outgoing_aliases.known(topic);
        if let Some(alias) = known.or_else(|| self.outgoing_aliases.available(topic)) {
            debug_assert!(self.phase != Phase::Closing, "nothing may follow DISCONNECT");
            let topic_sent = if known.is_some() { None } else { publish.topic };
            let aliased = Publish { topic: topic_sent, ..publish.clone() };
            let sent = self.unsent.add_with_alias(&aliased, alias, self.limits.maximum_packet_size);
            match sent {
                Ok(()) => {
                    match known {
                        Some(_) => self.outgoing_aliases.used(alias),
                        None => self.outgoing_aliases.given(alias, topic),
                    }
                    return Ok(());
                }
                // The alias may be what makes it too large.
                Err(EncodeError::TooLarge { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.send(&Packet::Publish(publish.clone()))
    }

    /// Whether there is room for another Application Message in the output.
    pub fn has_room(&self) -> bool {
        self.unsent.has_room()
    }

    /// Whether the Server asks for more answers than it reads.
    pub fn is_overfull(&self) -> bool {
        self.unsent.is_overfull()
    }

    pub fn output(&self) -> &[u8] {
        self.unsent.as_slice()
    }

    /// The transport took `count` bytes of the output.
    pub fn sent(&mut self, now: Instant, count: usize) {
        self.unsent.took(count);
        if count == 0 {
            return;
        }
        self.last_sent = now;
        if let Some(ping) = self.ping.as_mut().filter(|ping| ping.unsent > 0) {
            ping.unsent = ping.unsent.saturating_sub(count);
            ping.deadline = now + ping.timeout;
        }
    }

    /// Decides that the connection ends. What is in the output still goes out.
    pub fn close(&mut self, end: Disconnected) {
        if self.phase != Phase::Closing {
            self.phase = Phase::Closing;
            self.end = Some(end);
        }
    }

    /// Tells the Server why, if the protocol has a way to, and closes (section 4.13.1).
    pub fn close_with(&mut self, reason: ReasonCode, mut end: Disconnected) {
        if self.phase == Phase::Closing {
            return;
        }
        if self.version == ProtocolVersion::V5 {
            let disconnect = Disconnect { reason, properties: Properties::EMPTY };
            // A Server whose Maximum Packet Size is too small for it just sees the connection close.
            let _ = self.send(&Packet::Disconnect(disconnect));
        }
        end.reason = Some(reason);
        self.close(end);
    }

    pub fn received(&mut self, now: Instant, ping_timeout: Duration) {
        self.last_received = now;
        if let Some(ping) = &mut self.ping {
            // A PINGRESP may stand behind a lot of messages: as long as bytes arrive the Server is there.
            ping.deadline = now + ping_timeout;
        }
    }

    /// The Server answered; returns how long that took, if it was the last PINGREQ.
    pub fn pinged(&mut self, now: Instant) -> Result<Option<Duration>, Breach> {
        let ping = self.ping.as_mut().ok_or(Breach::UnaskedPingresp)?;
        ping.unanswered -= 1;
        self.pingresps += 1;
        if ping.unanswered > 0 {
            return Ok(None);
        }
        let rtt = now.saturating_duration_since(ping.sent);
        self.ping = None;
        Ok(Some(rtt))
    }

    /// How many PINGRESPs there will have been when all PINGREQs are answered.
    pub fn pingresps_due(&self) -> u64 {
        self.pingresps + self.ping.as_ref().map_or(0, |ping| u64::from(ping.unanswered))
    }

    fn ping_due(&self) -> Option<Instant> {
        if !self.is_online() || self.limits.keep_alive == 0 {
            return None;
        }
        // Three quarters leave room for a late wake-up [MQTT-3.1.2-20]. Silence of the Server asks for a PINGREQ too:
        // a program that publishes all the time would otherwise never notice that nobody is listening.
        let quiet_since = match &self.ping {
            // What is to be asked is asked. But the answer may stand behind messages for long, lie there unread, or take longer
            // than the Keep Alive, and the Server must go on hearing of us. A PINGREQ that the transport hasn't taken yet needs
            // no second one.
            Some(ping) => self.last_sent.max(ping.sent),
            None => self.last_sent.min(self.last_received),
        };
        Some(quiet_since + Duration::from_secs(self.limits.keep_alive.into()) * 3 / 4)
    }

    pub fn next_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::AwaitingConnack { deadline } => Some(deadline),
            Phase::Online => {
                let pingresp = self.ping.as_ref().map(|ping| ping.deadline);
                let look = self.missing.next_look;
                [pingresp, self.ping_due(), self.authentication_deadline(), look].into_iter().flatten().min()
            }
            Phase::Closing => None,
        }
    }

    /// Which timer has run out by `now`.
    pub fn expired(&self, now: Instant) -> Expired {
        match self.phase {
            Phase::AwaitingConnack { deadline } if now >= deadline => Expired::Connack,
            Phase::Online if self.ping.as_ref().is_some_and(|ping| now >= ping.deadline) => Expired::Pingresp,
            Phase::Online if self.authentication_deadline().is_some_and(|deadline| now >= deadline) => {
                Expired::Authentication
            }
            Phase::Online if self.ping_due().is_some_and(|due| now >= due) => Expired::KeepAlive,
            _ => Expired::Nothing,
        }
    }

    fn authentication_deadline(&self) -> Option<Instant> {
        self.authenticating.as_ref().and_then(|authenticating| authenticating.deadline)
    }

    pub fn send_ping(&mut self, now: Instant, ping_timeout: Duration) {
        // No Server is connected that doesn't take these two bytes.
        let _ = self.send(&Packet::Pingreq);
        if let Some(ping) = &mut self.ping {
            // The time for the answer is that of the first one: a Server that is gone would never be noticed otherwise.
            ping.sent = now;
            ping.unanswered += 1;
            return;
        }
        let (deadline, unsent) = (now + ping_timeout, self.output().len());
        self.ping = Some(Ping { sent: now, deadline, timeout: ping_timeout, unsent, unanswered: 1 });
    }
}

/// An exchange of AUTH packets.
#[derive(Debug)]
pub(super) struct Authenticating {
    pub step: Step,
    /// Otherwise the program answers.
    pub scram: Option<Scram>,
    /// Of a re-authentication; the exchange before CONNACK has that of the connection.
    pub deadline: Option<Instant>,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    OfServer,
    /// With the number that the program was told.
    OfProgram(u64),
}

/// Which timer of a connection has run out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Expired {
    Nothing,
    /// No CONNACK in time.
    Connack,
    /// No PINGRESP in time.
    Pingresp,
    /// A re-authentication isn't complete in time.
    Authentication,
    /// A PINGREQ is due.
    KeepAlive,
}
