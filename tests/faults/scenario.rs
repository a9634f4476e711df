//! The scenarios: which faults a round is made of.

use crate::plan::LineFault::{self, BlackHole, Cut, HalfCloseToClient, HalfCloseToServer, Refuse, Reset, Stall};
use crate::plan::ProcessFault::{
    self, ExhaustDescriptors, JumpUnixClock, KillReceiver, KillSender, KillServer, PauseReceiver, PauseSender,
    PauseServer, RestartServer, SleepForHours,
};
use crate::plan::{LineFaults, Passage};

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    pub senders_line: LineFaults,
    pub receivers_line: LineFaults,
    pub processes: &'static [ProcessFault],
    /// Whether the programs' clocks can be moved.
    pub moves_clocks: bool,
    /// Whether both programs have a durable store.
    pub stores: bool,
}

const ENDS: &[LineFault] = &[Cut, Reset, HalfCloseToClient, HalfCloseToServer, Refuse];
const SILENCE: &[LineFault] = &[Stall, Stall, BlackHole];
const ALL: &[LineFault] = &[Cut, Cut, Reset, Reset, HalfCloseToClient, HalfCloseToServer, Stall, BlackHole, Refuse];
const ROUGH: &[Passage] = &[Passage::Split, Passage::Delayed];
const MIXED: &[Passage] = &[Passage::Plain, Passage::Split, Passage::Delayed];
const QUIET: LineFaults = LineFaults { faults: &[], passages: &[] };

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "the_senders_line_breaks",
        senders_line: LineFaults { faults: ENDS, passages: &[] },
        receivers_line: QUIET,
        processes: &[],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_receivers_line_breaks",
        senders_line: QUIET,
        receivers_line: LineFaults { faults: ENDS, passages: &[] },
        processes: &[],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "bytes_come_one_by_one_and_late",
        senders_line: LineFaults { faults: &[], passages: ROUGH },
        receivers_line: LineFaults { faults: &[], passages: ROUGH },
        processes: &[],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_lines_fall_silent",
        senders_line: LineFaults { faults: SILENCE, passages: &[] },
        receivers_line: LineFaults { faults: SILENCE, passages: &[] },
        processes: &[],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_server_is_restarted",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[RestartServer],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_server_is_killed",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[KillServer],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_receiver_is_killed",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[KillReceiver],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "processes_sleep",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[PauseServer, PauseSender, PauseReceiver],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "descriptors_run_out",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[ExhaustDescriptors],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "the_unix_clock_jumps",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[JumpUnixClock],
        moves_clocks: true,
        stores: false,
    },
    Scenario {
        name: "the_machine_sleeps_for_hours",
        senders_line: QUIET,
        receivers_line: QUIET,
        processes: &[SleepForHours],
        moves_clocks: true,
        stores: false,
    },
    Scenario {
        name: "programs_with_a_store_are_killed",
        senders_line: LineFaults { faults: ENDS, passages: &[] },
        receivers_line: LineFaults { faults: ENDS, passages: &[] },
        processes: &[KillSender, KillSender, KillReceiver, PauseServer],
        moves_clocks: false,
        stores: true,
    },
    Scenario {
        name: "everything_but_crashes",
        senders_line: LineFaults { faults: ALL, passages: MIXED },
        receivers_line: LineFaults { faults: ALL, passages: MIXED },
        processes: &[RestartServer, PauseServer, PauseSender, PauseReceiver, ExhaustDescriptors],
        moves_clocks: false,
        stores: false,
    },
    Scenario {
        name: "everything",
        senders_line: LineFaults { faults: ALL, passages: MIXED },
        receivers_line: LineFaults { faults: ALL, passages: MIXED },
        processes: &[
            KillServer,
            KillServer,
            RestartServer,
            PauseServer,
            PauseSender,
            PauseReceiver,
            KillReceiver,
            ExhaustDescriptors,
            JumpUnixClock,
            SleepForHours,
        ],
        moves_clocks: true,
        stores: false,
    },
];
