//! Enhanced Authentication (section 4.12) as the program takes part in it: by events and calls.

use super::command::{AuthenticationData, Command};
use super::doctor::Asked;
use super::events::{Notice, NoticeKind};
use super::{Client, State};
use crate::codec::property::{Properties, PropertiesBuf, PropertyId, Section};
use crate::session::event::Event;
use crate::types::PacketType;
use crate::types::status::{Failure, Status};
use crate::types::text;
use std::sync::Arc;
use zeroize::Zeroizing;

impl Client {
    /// Answers the step of the authentication that the current event asks for.
    pub fn authenticate(&self, data: Option<&[u8]>, properties: Properties<'_>) -> Result<(), Failure> {
        self.check_alive()?;
        let asker = self.current(asker)??;
        let (data, properties) = checked(data, properties)?;
        match asker {
            Asker::Session(step) => self.shared.submit(Command::Authenticate { step, data, properties }),
            Asker::Doctor(asked) => asked.answer(data, properties),
        }
        Ok(())
    }

    /// Starts a re-authentication. Its steps and its end come as events; SCRAM needs no data for it.
    pub fn reauthenticate(&self, data: Option<&[u8]>, properties: Properties<'_>) -> Result<(), Failure> {
        self.check_alive()?;
        if !self.options.lock().has_authentication() {
            // [MQTT-4.12.0-7]
            let text = "CONNECT named no Authentication Method: set option AUTHENTICATION_METHOD first".to_owned();
            return Err(Status::WrongState.because(text));
        }
        if self.state() != State::Connected {
            return Err(Status::NotConnected.into());
        }
        let (data, properties) = checked(data, properties)?;
        self.shared.submit(Command::Reauthenticate { data, properties });
        Ok(())
    }
}

/// For whom the program answers.
enum Asker {
    /// Its own Session, at this step.
    Session(u64),
    Doctor(Arc<Asked>),
}

fn asker(notice: &Notice) -> Result<Asker, Failure> {
    match &notice.kind {
        NoticeKind::Session(Event::Authenticate { step, .. }) => Ok(Asker::Session(*step)),
        NoticeKind::DoctorAsks { asked, .. } => Ok(Asker::Doctor(asked.clone())),
        _ => Err(Status::WrongState.because("the current event asks for no step of an authentication")),
    }
}

/// What goes into AUTH beside the method.
fn checked(
    data: Option<&[u8]>,
    properties: Properties<'_>,
) -> Result<(Option<AuthenticationData>, PropertiesBuf), Failure> {
    if data.is_some_and(|data| data.len() > text::MAX_LENGTH) {
        return Err(Status::TooLarge.because("Authentication Data has at most 65,535 bytes"));
    }
    for id in [PropertyId::AuthenticationMethod, PropertyId::AuthenticationData] {
        if properties.nth(id, 0).is_some() {
            return Err(Status::InvalidArgument.because(format!("the library adds the {}: leave it out", id.name())));
        }
    }
    let section = Section::Packet(PacketType::Auth);
    properties.check_for(section).map_err(|error| Status::InvalidArgument.because(error.to_string()))?;
    Ok((data.map(|data| Zeroizing::new(data.to_vec())), properties.into()))
}
