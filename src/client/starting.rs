//! How a client begins: `connect`, and the background thread, which is started by the first one.

use super::command::Command;
use super::connection::Connection;
use super::options::Options;
use super::store::StoreChoice;
use super::thread::{self, ThreadTicket};
use super::worker::Worker;
use super::{Client, State};
use crate::session::options::Acknowledge;
use crate::types::status::{Failure, Status};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(super) const NOT_IDLE: &str = "connect was called already, or a disconnect isn't done yet: with a time above 0 it waits for \
                                   its end, else the event DISCONNECTED tells of it";

impl Client {
    /// Asks for a connection and returns at once. It is kept, and made anew when it is lost, until `disconnect`.
    pub fn connect(&self) -> Result<(), Failure> {
        self.check_alive()?;
        if self.place.is_none() {
            // Its thread may have the core for long, to take over a large store.
            if self.state() != State::Idle {
                return Err(Status::WrongState.because(NOT_IDLE));
            }
            // Whoever made the client idle lets go of the core when the event of it is in the queue: it isn't the new
            // connection's.
            drop(self.shared.core.lock());
            // Others may have found it taken meanwhile.
            self.shared.work_off_commands();
        }
        // Until the client isn't idle any more nobody may set options: they would be accepted, and hold in part or not at all.
        let locked = self.options.lock();
        if locked.addresses.is_empty() {
            return Err(Status::WrongState.because("no Server is named: set option URL first"));
        }
        self.check_store(&locked)?;
        let session_options = locked.session_options()?;
        if let Some(place) = &self.place {
            return self.join(place, locked);
        }
        if !self.shared.transition(State::Idle, State::Connecting) {
            return Err(Status::WrongState.because(NOT_IDLE));
        }
        let options = locked.clone();
        drop(locked);
        self.shared.log.set_client_id(&session_options.client_id);
        self.shared.acknowledged_later.fetch_or(options.acknowledge() != Acknowledge::OnArrival, Ordering::AcqRel);
        let connect = Command::Connect(Box::new(session_options));
        let mut thread = self.thread.lock();
        if thread.is_some() {
            self.shared.submit(connect);
            return Ok(());
        }
        let failed = |error| {
            self.shared.set_state(State::Idle);
            Status::Thread.because(format!("the background thread could not be started: {error}"))
        };
        let mut worker = self.worker.lock();
        if worker.is_none() {
            *worker = Some(self.make_worker().map_err(failed)?);
        }
        self.shared.submit(connect);
        // While the system starts a thread, the Server could have answered already.
        worker.iter_mut().for_each(|worker| worker.begin(&options));
        drop(worker);
        *thread = Some(self.start_thread().inspect_err(|_| self.take_connect_back()).map_err(failed)?);
        Ok(())
    }

    /// A client keeps the store that it was first connected with, or none.
    pub(super) fn check_store(&self, options: &Options) -> Result<(), Failure> {
        let wanted = StoreChoice::from(options.store());
        match &*self.shared.store.lock() {
            StoreChoice::Open => Ok(()),
            opened if *opened != wanted => {
                let text = "STORE_PATH, and with it CLIENT_ID and URL, can't change after the first connect: make a new \
                            client";
                Err(Status::WrongState.because(text))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn make_worker(&self) -> io::Result<Worker> {
        let (worker, waker, registry) = Worker::new(self.shared.clone(), self.options.lock().clone())?;
        let _ = self.shared.registry.set(registry);
        let _ = self.shared.waker.set(Arc::new(waker));
        Ok(worker)
    }

    fn start_thread(&self) -> io::Result<ThreadTicket> {
        let (worker, options) = (self.worker.clone(), self.options.clone());
        let body = move |hold| {
            let worker = worker.lock().take();
            if let Some(worker) = worker {
                worker.run(hold, || options.lock().clone());
            }
        };
        let shared = self.shared.clone();
        let on_panic = move |failure: Failure| {
            shared.fail(&failure);
            // The Server shall see the end now and publish the Will Message, not when the program frees the client.
            shared.core.lock().connection = Connection::none();
            // Nobody else writes the file, in which it says why.
            if let Some(why) = shared.log.write() {
                shared.log_not_written(&why);
            }
        };
        thread::start(self.shared.clone(), body, on_panic)
    }

    /// There is no thread for what was begun.
    fn take_connect_back(&self) {
        self.worker.lock().iter_mut().for_each(Worker::take_back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::URL;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn who_connects_twice_is_refused_at_once_though_a_large_store_is_being_taken_over() {
        let client = Client::new();
        client.set_option(|options, idle| options.set_text(URL, Some("mqtt://127.0.0.1:1"), idle)).unwrap();
        client.shared.set_state(State::Connecting);
        let taking_over = client.shared.core.lock();
        let (sender, answer) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(|| sender.send(client.connect()).unwrap());
            let refused = answer.recv_timeout(Duration::from_secs(15));
            drop(taking_over);
            assert_eq!(refused.expect("an answer").unwrap_err().text, NOT_IDLE);
        });
        assert_eq!(client.state(), State::Connecting);
    }
}
