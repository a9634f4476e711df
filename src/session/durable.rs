//! The Session as it outlives the process: changes to be stored, what goes on once they are, and its restoration.

use super::Session;
use super::connection::Held;
use super::elsewhere::Elsewhere;
use super::event::{Delivery, Event, Token};
use super::inbound::send_answer;
use super::ours::Ours;
use super::record::{Batch, Key, Record};
use super::sink::sink;
use crate::types::reason::ReasonCode;
use std::time::Instant;

impl Session {
    /// Makes the Session durable, to be called before its first connection: takes over what an earlier process had stored,
    /// and records its changes from now on. `Err` says why these records can't all be true; then nothing has changed.
    pub fn restore(&mut self, records: Vec<(Key, Record)>) -> Result<(), &'static str> {
        Session::new(self.options.clone()).take_over(records.clone())?;
        self.take_over(records)
    }

    fn take_over(&mut self, records: Vec<(Key, Record)>) -> Result<(), &'static str> {
        self.log.switch_on();
        let (mut outgoing, mut servers) = (Vec::new(), Elsewhere::default());
        for (key, record) in records {
            match key {
                Key::Session => {
                    // The process may have died between a CONNECT and its CONNACK.
                    self.ours = Ours::InDoubt;
                }
                Key::Publish(_) | Key::Flow(_) => outgoing.push((key, record)),
                Key::Received(_) | Key::Arrival(_) | Key::Done(_) => {
                    self.inbound.restore(key, record, &mut sink!(self))?
                }
                Key::Ended(token) => {
                    let Record::Ended { outcome } = record else { return Err("an end has a record of another kind") };
                    let token = token as Token;
                    self.log.restore_end(token);
                    self.events.push_back(Event::Published { token, outcome });
                }
                Key::Subscription(_) => self.subscriptions.restore(key, record)?,
                Key::Server(server) => servers.restore(&server, record)?,
            }
        }
        self.outbound.restore(outgoing.into_iter(), &mut self.ids, &mut sink!(self))?;
        servers.reserved.retain(|id| self.ids.keep_away(*id));
        self.elsewhere = servers;
        for token in std::mem::take(&mut self.cancelled_early) {
            self.cancel(token);
        }
        Ok(())
    }

    /// Whether `poll_records` has something.
    pub fn has_records(&self) -> bool {
        self.log.has_changes()
    }

    /// Changes to be stored, since the last call. They must be stored in this order.
    pub fn poll_records(&mut self) -> Option<Batch> {
        self.log.take()
    }

    /// The changes up to this batch are durable: what waited for that goes on.
    pub fn handle_durable(&mut self, now: Instant, batch: u64) {
        self.log.confirm(batch);
        while let Some(event) = self.log.take_told() {
            self.events.push_back(event);
        }
        let Some(connection) = &mut self.connection else { return };
        let mut out = sink!(self);
        while let Some(held) = connection.let_go(|batch| out.log.is_durable(batch)) {
            match held {
                Held::Publish(id) => self.outbound.send_in_flight(now, id, connection, &mut self.ids, &mut out),
                Held::Pubrel(id) => self.outbound.send_pubrel(id, connection, &mut out),
                answer => send_answer(connection, answer),
            }
        }
        self.pump(now);
    }

    /// The program has taken a message. It needs to be said only of those that are acknowledged on arrival. One that came when
    /// messages were acknowledged otherwise is acknowledged now.
    pub fn taken(&mut self, delivery: Delivery) {
        if !self.inbound.taken(delivery, &mut self.log) {
            self.acknowledge(delivery, ReasonCode::SUCCESS);
        }
    }

    /// The program has heard how a publish ended, or will never: until then a durable Session keeps it, and tells it again
    /// after a crash.
    pub fn heard(&mut self, token: Token) {
        self.log.heard(token);
    }

    /// Whether there are ends of publishes that `heard` wasn't said of.
    pub fn has_unheard(&self) -> bool {
        self.log.has_unheard()
    }
}
