//! Enhanced Authentication (section 4.12): the exchange that goes with CONNECT, and those that follow on the program's wish.
//!
//! Each step of the Server's is answered by the program, which is told of it, or by SCRAM. The time for all steps together
//! is that of the connection attempt, or for a re-authentication the same span.

use super::Session;
use super::connection::{Authenticating, Connection, Phase, Step};
use super::event::{Disconnected, Event};
use super::scram::{Credentials, Scram};
use crate::codec::Packet;
use crate::codec::disconnect::Auth;
use crate::codec::error::EncodeError;
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Value};
use crate::types::ProtocolVersion;
use crate::types::reason::ReasonCode;
use crate::types::status::Status;
use std::time::Instant;
use zeroize::Zeroizing;

/// What CONNECT proposes.
#[derive(Clone)]
pub struct Authentication {
    pub method: String,
    pub mechanism: Mechanism,
}

/// Who answers the Server.
#[derive(Clone)]
pub enum Mechanism {
    /// The program; `data` goes with CONNECT.
    Program { data: Option<Zeroizing<Vec<u8>>> },
    /// SCRAM-SHA-256, and so neither User Name nor Password stand in CONNECT.
    Scram(Credentials),
}

impl Mechanism {
    pub fn is_scram(&self) -> bool {
        matches!(self, Mechanism::Scram(_))
    }
}

impl Session {
    /// Begins the exchange of a new connection, and adds what CONNECT says of it.
    pub(super) fn begin_authentication(&mut self, connection: &mut Connection, properties: &mut PropertiesBuf) {
        let Some(authentication) = &self.options.authentication else { return };
        let (scram, data) = match &authentication.mechanism {
            Mechanism::Program { data } => (None, data.clone()),
            Mechanism::Scram(credentials) => {
                self.scram_runs += 1;
                let scram = Scram::new(credentials, &self.options.seed, self.scram_runs);
                let first = scram.first();
                (Some(scram), Some(Zeroizing::new(first)))
            }
        };
        // Method and data were checked when the options were set.
        add(properties, &authentication.method, data.as_ref().map(|data| data.as_slice()));
        connection.authenticating = Some(Authenticating { step: Step::OfServer, scram, deadline: None });
    }

    /// AUTH of the Server's.
    pub(super) fn handle_auth(&mut self, auth: &Auth<'_>) {
        let Some(connection) = &mut self.connection else { return };
        let Some(authentication) = &self.options.authentication else {
            // [MQTT-4.12.0-6]
            return self.break_off(ReasonCode::PROTOCOL_ERROR, "the Server sent AUTH without being asked".to_owned());
        };
        if auth.properties.text(PropertyId::AuthenticationMethod) != Some(&authentication.method) {
            // [MQTT-4.12.0-5]
            let detail = "the Server sent AUTH with another Authentication Method than that of CONNECT".to_owned();
            return self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
        }
        let online = connection.phase == Phase::Online;
        match (auth.reason, &mut connection.authenticating) {
            (ReasonCode::CONTINUE_AUTHENTICATION, Some(running)) if running.step == Step::OfServer => {
                let answer = match &mut running.scram {
                    Some(scram) => scram.answer(auth.properties.binary(PropertyId::AuthenticationData)),
                    None => {
                        self.auth_steps += 1;
                        running.step = Step::OfProgram(self.auth_steps);
                        let event = Event::Authenticate { step: self.auth_steps, properties: auth.properties.into() };
                        return self.events.push_back(event);
                    }
                };
                match answer {
                    Ok(data) => self.send_auth(ReasonCode::CONTINUE_AUTHENTICATION, Some(&data), Properties::EMPTY),
                    Err(detail) => self.fail_authentication(detail),
                }
            }
            // [MQTT-4.12.0-2]: before CONNACK there is nothing to do but to continue.
            (ReasonCode::SUCCESS, Some(running)) if online && running.step == Step::OfServer => {
                let verified = running.verify(auth.properties);
                connection.authenticating = None;
                match verified {
                    Ok(()) => self.events.push_back(Event::Authenticated { properties: auth.properties.into() }),
                    Err(detail) => self.fail_authentication(detail),
                }
            }
            (reason, _) => {
                let detail = format!("the Server sent AUTH with {reason}, which has no place here");
                self.break_off(ReasonCode::PROTOCOL_ERROR, detail);
            }
        }
    }

    /// What is wrong with a successful CONNACK; nothing if the authentication is complete.
    pub(super) fn complete_authentication(&mut self, properties: Properties<'_>) -> Result<(), AuthenticationFault> {
        let (method, running) = match (&self.options.authentication, &mut self.connection) {
            (Some(authentication), Some(connection)) => {
                (Some(authentication.method.as_str()), connection.authenticating.take())
            }
            _ => (None, None),
        };
        let named = properties.text(PropertyId::AuthenticationMethod);
        match (method, named) {
            _ if self.version_lacks_authentication() => Ok(()),
            // [MQTT-4.12.0-6]
            (None, Some(_)) => Err(AuthenticationFault::Protocol("an Authentication Method, though CONNECT had none")),
            // [MQTT-4.12.0-5]
            (Some(method), named) if named != Some(method) => {
                Err(AuthenticationFault::Protocol("not the Authentication Method of CONNECT"))
            }
            _ => match running {
                Some(running) if running.step != Step::OfServer => {
                    Err(AuthenticationFault::Protocol("success before the answer to AUTH"))
                }
                Some(mut running) => running.verify(properties).map_err(AuthenticationFault::Untrusted),
                None => Ok(()),
            },
        }
    }

    /// The program's answer to a step of the Server's. Nothing happens if that isn't the present one any more.
    pub fn authenticate(&mut self, step: u64, data: Option<&[u8]>, properties: Properties<'_>) {
        let Some(connection) = &mut self.connection else { return };
        match &mut connection.authenticating {
            Some(running) if running.step == Step::OfProgram(step) && connection.phase != Phase::Closing => {
                running.step = Step::OfServer;
                // [MQTT-4.12.0-3]
                self.send_auth(ReasonCode::CONTINUE_AUTHENTICATION, data, properties);
            }
            _ => {}
        }
    }

    /// Starts a re-authentication \[MQTT-4.12.1-1\]. With SCRAM it brings its own data. Nothing happens without a
    /// connection that was authenticated, or while one is going on.
    pub fn reauthenticate(&mut self, data: Option<&[u8]>, properties: Properties<'_>, now: Instant) {
        let Some(authentication) = &self.options.authentication else { return };
        let Some(connection) = self.connection.as_mut().filter(|connection| connection.is_online()) else { return };
        if connection.authenticating.is_some() || self.version_lacks_authentication() {
            return;
        }
        let scram = match &authentication.mechanism {
            Mechanism::Program { .. } => None,
            Mechanism::Scram(credentials) => {
                self.scram_runs += 1;
                Some(Scram::new(credentials, &self.options.seed, self.scram_runs))
            }
        };
        let first = scram.as_ref().map(Scram::first);
        let deadline = Some(now + self.options.authentication_timeout);
        if let Some(connection) = &mut self.connection {
            connection.authenticating = Some(Authenticating { step: Step::OfServer, scram, deadline });
        }
        self.send_auth(ReasonCode::RE_AUTHENTICATE, first.as_deref().or(data), properties);
    }

    fn send_auth(&mut self, reason: ReasonCode, data: Option<&[u8]>, others: Properties<'_>) {
        let (Some(connection), Some(authentication)) = (&mut self.connection, &self.options.authentication) else {
            return;
        };
        let mut bare = Zeroizing::new(PropertiesBuf::new());
        add(&mut bare, &authentication.method, data);
        let mut properties = Zeroizing::new(PropertiesBuf::new());
        properties.reserve(others.as_bytes().len());
        add(&mut properties, &authentication.method, data);
        properties.extend(others);
        let mut sent = connection.send(&Packet::Auth(Auth { reason, properties: properties.as_properties() }));
        if let Err(EncodeError::TooLarge { .. }) = sent {
            // Without its texts it may fit [MQTT-3.15.2-2] [MQTT-3.15.2-3].
            sent = connection.send(&Packet::Auth(Auth { reason, properties: bare.as_properties() }));
        }
        if let Err(error) = sent {
            self.fail_authentication(format!("AUTH can't be sent: {error}"));
        }
    }

    /// Ends the connection, as one side doesn't trust the other \[MQTT-4.12.1-2\].
    pub(super) fn fail_authentication(&mut self, detail: String) {
        if let Some(connection) = &mut self.connection {
            let end = Disconnected::new(Some(Status::AuthenticationFailed), format!("authentication: {detail}"));
            // Of the codes that a client may send none says it better.
            connection.close_with(ReasonCode::UNSPECIFIED_ERROR, end);
        }
    }

    fn version_lacks_authentication(&self) -> bool {
        self.version == ProtocolVersion::V311
    }
}

/// Why a CONNACK with success isn't one.
pub(super) enum AuthenticationFault {
    Protocol(&'static str),
    /// The Server couldn't prove itself.
    Untrusted(String),
}

impl Authenticating {
    /// What SCRAM says of the Server's last message.
    fn verify(&mut self, properties: Properties<'_>) -> Result<(), String> {
        match &mut self.scram {
            Some(scram) => scram.verify(properties.binary(PropertyId::AuthenticationData)),
            None => Ok(()),
        }
    }
}

/// The data may be a secret: no copy of it stays behind in memory.
fn add(properties: &mut PropertiesBuf, method: &str, data: Option<&[u8]>) {
    properties.reserve(method.len() + data.map_or(0, <[u8]>::len) + 16);
    let _ = properties.set(PropertyId::AuthenticationMethod, Value::Text(method));
    if let Some(data) = data {
        let _ = properties.set(PropertyId::AuthenticationData, Value::Binary(data));
    }
}
