//! Several programs on one connection: each has its own events and Topic Filters; none is doubled or lost, and none is held up
//! by another one that is slow, or whose thread was ended.

#[path = "../common/mod.rs"]
mod common;

mod coming_back;
mod inherited;
mod joining;
mod left_locked;
mod lost_session;
mod mosquitto;
mod routing;
mod shared;
mod slow;
mod store;
mod subscriptions;
