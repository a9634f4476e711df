//! The Session as a state machine, in traces: what arrives, what the program asks for and how time passes, against what the
//! Session sends and tells. No socket, no thread, no clock.

mod aliases;
mod arriving;
mod authentication;
mod breaches;
mod connecting;
mod doubt;
mod elsewhere;
mod elsewhere_ended;
mod elsewhere_received;
mod fallback;
mod faults;
mod faulty_packets;
mod forgetful;
mod incoming;
mod keep_alive;
mod made_again;
mod missing;
mod model;
mod outgoing;
mod parting;
mod queue;
mod quota;
mod received_again;
mod redelivery;
mod repeated;
mod request_response;
mod restored;
#[path = "../common/scram_server.rs"]
mod scram_server;
mod standing;
mod stored;
mod subscriptions;
mod trace;
mod v311;
mod waiting;
mod wire;
