//! What leaves without being asked for again as soon as it may: subscriptions, publishes and requests; and what
//! becomes of them all when the Session is lost.

use super::Session;
use super::options::PublishOptions;
use super::sink::sink;
use super::subscriptions::{Request, Standing};
use crate::types::ProtocolVersion;
use crate::types::status::Status;
use std::time::Instant;

impl Session {
    pub(super) fn lose_session(&mut self) {
        self.inbound.lose_session(&mut self.log);
        self.outbound.lose_session(&mut self.ids, &mut sink!(self));
        self.subscriptions.lose_session(&mut self.log);
    }

    /// Sends what may be sent.
    pub(super) fn pump(&mut self, now: Instant) {
        self.pump_subscriptions();
        if let Some(connection) = &mut self.connection {
            let mut out = sink!(self);
            self.outbound.pump(now, connection, &mut self.ids, &mut out);
        }
        // In the batch in which the message is forgotten.
        self.elsewhere.reserve(&mut self.outbound.given_up, &mut self.log);
    }

    /// Subscribes once it is durable that there is a Session: who forgot that in a crash would start a new one, and lose
    /// what the Server keeps for its subscriptions. Nor is anything published before: the answer would have no subscription.
    pub(super) fn pump_subscriptions(&mut self) {
        let Some(connection) = &mut self.connection else { return };
        let may_subscribe = self.log.is_durable(self.resumable_recorded);
        if may_subscribe {
            self.subscriptions.pump(connection, &mut self.ids, &mut sink!(self));
        }
        connection.subscribes_first = !may_subscribe && self.subscriptions.is_waiting();
    }

    /// Publishes the requests that wait, once the Server has granted the subscription to their Response Topic.
    pub(super) fn pump_requests(&mut self, now: Instant) {
        if !self.is_online() {
            return;
        }
        if self.version == ProtocolVersion::V311 {
            return self.requester.fail_waiting(Status::NotSupportedByServer, &mut self.events);
        }
        let Some((topic, subscribed)) = self.requester.needs_subscription() else { return };
        let standing = match self.subscriptions.standing(topic) {
            // What the program has ended, perhaps without an answer yet.
            Standing::Granted if !subscribed && self.subscriptions.is_ending(topic) => Standing::Unknown,
            standing => standing,
        };
        match (standing, subscribed) {
            (Standing::Granted, _) => {
                while let Some((token, message, left)) = self.requester.publish_next(now) {
                    // It may have to wait for the send quota, but not beyond its deadline.
                    let how = PublishOptions { time_to_live: Some(left), ..PublishOptions::default() };
                    self.publish(now, token, message, how);
                }
            }
            (Standing::Asked, _) => {}
            (Standing::Unknown, true) => self.requester.fail_waiting(Status::RefusedByServer, &mut self.events),
            (Standing::Unknown, false) => {
                self.subscriptions.add(Request::for_responses(topic));
                self.requester.set_subscribed();
                self.pump(now);
            }
        }
    }
}
