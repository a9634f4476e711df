//! The MQL5 sources are executed: translated to C++ (`translator`), compiled, and run in a terminal of our own (`runtime`)
//! against the built library and a real Server.
//!
//! It is not MetaEditor: what MetaEditor would refuse and this translator doesn't know of passes here.

mod account;
mod account_symbols;
mod account_tickets;

#[path = "../common/mod.rs"]
mod common;
mod compile;
mod copier;
mod copier_accounts;
mod copier_answers;
mod copier_limits;
mod copier_markets;
mod copier_peers;
mod copier_pending;
mod copier_pending_random;
mod copier_random;
mod copier_run;
mod copier_stale;
mod copier_started;
mod copier_stops;
mod copier_terminal;
mod copier_twice;
mod copying;
mod feeds;
mod host;
mod indicator;
mod inputs;
mod journal;
mod json;
mod marshalling;
mod programs;
mod readme;
mod refusals;
mod remote_control;
mod repeated;
mod runtime_language;
mod shared;
mod translator;
mod wrapper;
