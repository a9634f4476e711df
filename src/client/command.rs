//! What a caller's thread asks of the Session, as a value that another thread can carry out; and carrying it out.

use super::core::{Core, Wish};
use super::packed::Packed;
use crate::codec::message::Message;
use crate::codec::property::PropertiesBuf;
use crate::codec::subscribe::SubscriptionOptions;
use crate::session::Amount;
use crate::session::event::{Delivery, Token};
use crate::session::options::{Acknowledgement, OutgoingOverflow, PublishOptions, SessionOptions};
use crate::types::QoS;
use crate::types::reason::ReasonCode;
use crate::types::topic::TopicFilter;
use std::time::Instant;
use zeroize::Zeroizing;

/// It may be a password or the like.
pub(super) type AuthenticationData = Zeroizing<Vec<u8>>;

/// What a program asks of its client.
pub(super) enum Command {
    Connect(Box<SessionOptions>),
    /// The limits of the outgoing queue, which hold before the first connection too.
    LimitOutgoing {
        maximum: usize,
        maximum_bytes: usize,
        overflow: OutgoingOverflow,
    },
    Disconnect {
        reason: ReasonCode,
        properties: PropertiesBuf,
    },
    Publish {
        token: Token,
        message: Message,
        how: PublishOptions,
    },
    /// Publishes that wait for the socket.
    Publishes(Packed),
    /// Withdraws a publish or a request.
    Cancel {
        token: Token,
    },
    Request {
        token: Token,
        message: Message,
        deadline: Instant,
    },
    Authenticate {
        step: u64,
        data: Option<AuthenticationData>,
        properties: PropertiesBuf,
    },
    Reauthenticate {
        data: Option<AuthenticationData>,
        properties: PropertiesBuf,
    },
    Subscribe {
        token: Token,
        filter: String,
        options: SubscriptionOptions,
        properties: PropertiesBuf,
    },
    Unsubscribe {
        token: Token,
        filter: String,
        properties: PropertiesBuf,
    },
    /// Nothing waits to be subscribed to before something is published.
    GoOn,
    Acknowledge {
        delivery: Delivery,
        acknowledgement: Acknowledgement,
    },
    /// The program has taken a message that was acknowledged on arrival.
    Taken {
        delivery: Delivery,
    },
    /// The program has heard how a publish ended.
    Heard {
        token: Token,
    },
    /// For tests of the failure handling: panics on the background thread.
    Panic,
}

impl Core {
    /// Hands on what waits together, until that is all or `ends`. True if it is all.
    pub fn publish_packed(&mut self, now: Instant, packed: &mut Packed, ends: impl Fn(&Core) -> bool) -> bool {
        self.qos0_published = true;
        while let Some((token, publish)) = packed.first() {
            if ends(self) {
                return false;
            }
            let size = publish.size();
            self.share.accept(Amount { count: 1, bytes: size });
            self.session.publish_patient(now, token, &publish);
            packed.drop_first(size);
        }
        true
    }

    /// Carries a command out.
    pub fn apply(&mut self, now: Instant, command: Command) {
        match command {
            Command::Connect(options) => {
                self.session.set_options(*options);
                self.wish = Wish::Connected;
                self.needs_worker = true;
            }
            Command::LimitOutgoing { maximum, maximum_bytes, overflow } => {
                self.session.limit_outgoing(maximum, maximum_bytes, overflow);
            }
            Command::Disconnect { reason, properties } => {
                self.session.disconnect(reason, properties.as_properties());
                self.wish = Wish::Disconnected;
                self.needs_worker = true;
            }
            Command::Publish { token, message, how } => {
                self.qos0_published |= message.qos == QoS::AtMostOnce;
                self.share.accept(Amount::of(&message));
                self.session.publish(now, token, message, how);
            }
            Command::Publishes(mut packed) => _ = self.publish_packed(now, &mut packed, |_| false),
            Command::Cancel { token } => self.session.cancel(token),
            Command::Request { token, message, deadline } => {
                self.share.accept(Amount::of(&message));
                self.session.request(token, message, deadline, now);
            }
            Command::Authenticate { step, data, properties } => {
                self.session.authenticate(step, data.as_ref().map(|data| data.as_slice()), properties.as_properties());
            }
            Command::Reauthenticate { data, properties } => {
                self.session.reauthenticate(data.as_ref().map(|data| data.as_slice()), properties.as_properties(), now);
            }
            Command::Subscribe { token, filter, options, properties } => {
                if let Ok(filter) = TopicFilter::new(&filter) {
                    self.session.subscribe(token, filter, options, properties);
                }
            }
            Command::Unsubscribe { token, filter, properties } => {
                if let Ok(filter) = TopicFilter::new(&filter) {
                    self.session.unsubscribe(token, filter, properties);
                }
            }
            Command::GoOn => self.session.go_on(now),
            Command::Acknowledge { delivery, acknowledgement } => {
                self.session.acknowledge(delivery, acknowledgement);
            }
            Command::Taken { delivery } => self.session.taken(delivery),
            Command::Heard { token } => self.session.heard(token),
            Command::Panic => {
                self.panic = true;
                self.needs_worker = true;
            }
        }
    }
}
