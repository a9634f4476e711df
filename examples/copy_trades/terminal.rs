//! What master and follower do alike: a client of the library, set up and connected as an Expert Advisor would do it.

use std::time::{Duration, Instant};

use crate::abi::{self, Client, Event, Library};
use crate::role::{PASSWORD_VARIABLE, Place};

/// How long the first connection may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn connect(at: &Place, client_id: &str) -> Result<Client, String> {
    let library = Library::load(&at.library)?;
    let client = Client::create(&library)?;
    client.set_text(abi::OPT_URL, &at.url())?;
    client.set_text(abi::OPT_CLIENT_ID, client_id)?;
    if let Some(user) = &at.user {
        client.set_text(abi::OPT_USER_NAME, user)?;
        if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
            client.set_text(abi::OPT_PASSWORD, &password)?;
        }
    }
    // No Session outlives its connection: after an outage a follower wants the newest state, which is retained, and not one
    // after the other all those which it missed.
    client.set_int(abi::OPT_SESSION_EXPIRY_S, 0)?;
    client.set_int(abi::OPT_RECONNECT_MIN_MS, 50)?;
    client.set_int(abi::OPT_RECONNECT_MAX_MS, 1000)?;
    client.connect()?;
    Ok(client)
}

/// Waits for the first connection; its time.
pub fn first_connection(client: &Client, at: &Place) -> Result<i64, String> {
    let until = Instant::now() + PATIENCE;
    let mut reason = String::from("no answer");
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        match client.next(left)? {
            Some(Event::Connected { time_us }) => return Ok(time_us),
            Some(Event::Disconnected { why, .. }) => reason = why,
            Some(Event::Failed { why }) => return Err(why),
            _ => {}
        }
    }
    Err(format!("no connection to {} within {} s: {reason}", at.url(), PATIENCE.as_secs()))
}
