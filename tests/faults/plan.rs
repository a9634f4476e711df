//! What goes wrong, and when: all of it follows from the seed. What the machine makes of the same plan differs a little from
//! run to run, as it does in the world.

use fastrand::Rng;
use std::time::Duration;

/// What a line does to its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// Both directions end in the middle of a packet.
    Cut,
    /// The same, with RST instead of FIN.
    Reset,
    /// The client sees the end of the stream, while what it writes still arrives.
    HalfCloseToClient,
    HalfCloseToServer,
    /// Nothing passes for a while, then everything does.
    Stall,
    /// Nothing passes any more: the line is dead, and nobody says so.
    BlackHole,
    /// The connection is accepted and closed at once.
    Refuse,
}

/// How a line treats what passes, fault or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    Plain,
    /// In pieces, down to a single byte.
    Split,
    Delayed,
}

/// What one line may do in a round; nothing at all when both are empty.
#[derive(Clone, Debug, Default)]
pub struct LineFaults {
    pub faults: &'static [LineFault],
    pub passages: &'static [Passage],
}

/// What happens to one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionPlan {
    pub passage: Passage,
    pub fault: Option<PlannedFault>,
    /// Of what is random within the passage.
    pub seed: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFault {
    pub fault: LineFault,
    /// After so many bytes of one direction, the client's or the Server's.
    pub after: u64,
    pub of_client: bool,
    /// Of a stall.
    pub duration: Duration,
}

impl ConnectionPlan {
    pub const UNDISTURBED: ConnectionPlan = ConnectionPlan { passage: Passage::Plain, fault: None, seed: 0 };

    /// The plan for a line's connection with this number.
    pub fn new(seed: u64, connection: u64, line: &LineFaults) -> Self {
        let mut rng = Rng::with_seed(seed ^ connection.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let passage = rng.choice(line.passages).copied().unwrap_or(Passage::Plain);
        let fault = rng.choice(line.faults).map(|fault| PlannedFault {
            fault: *fault,
            // Some end within the handshake, some after a thousand messages.
            after: match rng.u8(..10) {
                0..3 => rng.u64(1..200),
                3..7 => rng.u64(200..20_000),
                _ => rng.u64(20_000..300_000),
            },
            of_client: rng.bool(),
            duration: Duration::from_millis(rng.u64(100..2500)),
        });
        ConnectionPlan { passage, fault, seed: rng.u64(..) }
    }
}

/// What is done to the processes of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessFault {
    /// SIGKILL, and a new start: what was not saved is gone.
    KillServer,
    /// SIGTERM, which has the Server save, and a new start.
    RestartServer,
    /// SIGSTOP and SIGCONT.
    PauseServer,
    PauseSender,
    PauseReceiver,
    /// SIGKILL, and a new process with the same Client Identifier.
    KillReceiver,
    /// The same; it needs a store, as what it has accepted would be gone.
    KillSender,
    /// The sender can't open a descriptor for a while, and loses its connection meanwhile.
    ExhaustDescriptors,
    /// The UNIX clock of both programs jumps.
    JumpUnixClock,
    /// Both programs sleep, and find all clocks hours later.
    SleepForHours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub at: Duration,
    pub fault: ProcessFault,
    pub duration: Duration,
}

/// When which of these happens within a round of this length.
pub fn processes(seed: u64, length: Duration, faults: &[ProcessFault]) -> Vec<Planned> {
    let mut rng = Rng::with_seed(seed ^ 0x70_72_6F_63);
    let mut planned = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        at += Duration::from_millis(rng.u64(300..1500));
        if at >= length || faults.is_empty() {
            return planned;
        }
        let fault = *rng.choice(faults).expect("there are some");
        let duration = Duration::from_millis(match fault {
            // Short of the time after which the line counts as dead, and beyond it.
            ProcessFault::PauseServer | ProcessFault::PauseSender | ProcessFault::PauseReceiver => rng.u64(50..4000),
            _ => rng.u64(20..800),
        });
        planned.push(Planned { at, fault, duration });
        at += duration;
    }
}
