//! The follower's decision: from a state of the master to executions on its own account, exactly once.
//!
//! What it must not forget stands in a file which is replaced, as a whole, *before* an order goes to the account: the last state
//! it applied, and every identifier whose opening it has ordered. A kill at any moment then leaves one of two cases, told apart
//! by looking into the account: ordered and executed, or ordered and never executed. Neither is ever ordered twice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::book::{Action, State};
use crate::difference;
use crate::journal;
use crate::rules::Rules;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    run: String,
    seq: u64,
    opened: BTreeSet<u64>,
    placed: BTreeSet<u64>,
}

pub struct Copier {
    rules: Rules,
    account: Account,
    memory: Memory,
    path: PathBuf,
}

impl Copier {
    /// `folder` holds the account's journal and the copier's memory.
    pub fn open(folder: &Path, rules: Rules) -> Result<Copier, String> {
        let account = Account::open(&folder.join("account.jsonl"))?;
        let path = folder.join("book.json");
        let mut memory: Memory = match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Memory::default(),
            Err(e) => return Err(format!("{} can't be read: {e}", path.display())),
        };
        memory.opened.retain(|id| account.has_opened(*id));
        memory.placed.retain(|id| account.has_placed(*id));
        Ok(Copier { rules, account, memory, path })
    }

    /// An older state than the last one applied must not be acted on: it would reopen what was closed since. The same one is
    /// applied again, because a kill may have come between the memory and the account.
    pub fn is_stale(&self, state: &State) -> bool {
        self.memory.run == state.run && state.seq < self.memory.seq
    }

    /// Brings the account to what the state and the rules want; `clock` gives the time of each execution.
    pub fn apply(&mut self, state: &State, clock: impl Fn() -> i64) -> Result<usize, String> {
        if self.memory.run != state.run {
            self.memory = Memory { run: state.run.clone(), ..Memory::default() };
        }
        let mut actions = difference::actions(self.account.book(), &self.rules.wanted(&state.book()));
        actions.retain(|action| match action {
            Action::Open { position } => !self.memory.opened.contains(&position.id),
            Action::Place { order } => !self.memory.placed.contains(&order.id),
            _ => true,
        });
        for action in &actions {
            match action {
                Action::Open { position } => self.memory.opened.insert(position.id),
                Action::Place { order } => self.memory.placed.insert(order.id),
                _ => true,
            };
        }
        self.memory.seq = state.seq;
        journal::replace(&self.path, &self.memory)?;
        let count = actions.len();
        for action in actions {
            self.account.execute(state.seq, clock(), action)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::Position;
    use crate::book::sample::*;
    use crate::folder::Folder;
    use crate::journal::Execution;
    use std::collections::BTreeMap;

    fn rules() -> Rules {
        Rules {
            multiplier: dec("0.5"),
            volume_step: dec("0.01"),
            volume_minimum: dec("0.01"),
            symbols: BTreeMap::from([("EURUSD".into(), "EURUSD.r".into())]),
        }
    }

    fn state(seq: u64, positions: &[Position]) -> State {
        State { run: "r".into(), seq, sent_us: 0, positions: positions.to_vec(), orders: vec![] }
    }

    #[test]
    fn a_restart_neither_doubles_nor_forgets() {
        let folder = Folder::temporary("copier-restart").unwrap();
        let open = state(1, &[position(1, "0.5")]);
        let mut copier = Copier::open(folder.path(), rules()).unwrap();
        assert_eq!(copier.apply(&open, || 1), Ok(1));
        drop(copier);
        let mut copier = Copier::open(folder.path(), rules()).unwrap();
        assert_eq!(copier.apply(&open, || 2), Ok(0));
        assert_eq!(copier.apply(&state(2, &[]), || 3), Ok(1));
        assert!(copier.is_stale(&open));
        assert!(!copier.is_stale(&state(2, &[])));
        assert_eq!(copier.account.book().positions.len(), 0);
        let statement: Vec<Execution> = journal::read(&folder.path().join("account.jsonl")).unwrap();
        assert_eq!(statement.len(), 2);
    }

    #[test]
    fn killed_between_the_order_and_its_execution() {
        let folder = Folder::temporary("copier-between").unwrap();
        let mut copier = Copier::open(folder.path(), rules()).unwrap();
        copier.memory = Memory { run: "r".into(), seq: 1, opened: [1].into(), placed: [2].into() };
        journal::replace(&copier.path, &copier.memory).unwrap();
        drop(copier);
        // Ordered according to the memory, but not in the account: it has to be opened, once.
        let mut copier = Copier::open(folder.path(), rules()).unwrap();
        let now = State { orders: vec![order(2, "0.4")], ..state(1, &[position(1, "0.5")]) };
        assert_eq!(copier.apply(&now, || 1), Ok(2));
        assert_eq!(copier.apply(&now, || 1), Ok(0));
    }

    #[test]
    fn killed_after_any_part_of_the_executions() {
        let before = State { orders: vec![order(5, "0.4")], ..state(1, &[position(1, "0.5"), position(2, "1")]) };
        let now = State {
            orders: vec![order(6, "0.4")],
            ..state(2, &[position(2, "0.6"), position(3, "1"), position(5, "1")])
        };
        let wanted = rules().wanted(&now.book());
        for executed in 0..=6 {
            let folder = Folder::temporary("copier-part").unwrap();
            let mut copier = Copier::open(folder.path(), rules()).unwrap();
            copier.apply(&before, || 1).unwrap();
            let actions = difference::actions(copier.account.book(), &wanted);
            assert_eq!(actions.len(), 6);
            // As `apply` does it, but only so far.
            copier.memory.seq = 2;
            copier.memory.opened.extend([3, 5]);
            copier.memory.placed.insert(6);
            journal::replace(&copier.path, &copier.memory).unwrap();
            for action in actions.into_iter().take(executed) {
                copier.account.execute(2, 2, action).unwrap();
            }
            drop(copier);
            let mut copier = Copier::open(folder.path(), rules()).unwrap();
            assert!(!copier.is_stale(&now));
            assert_eq!(copier.apply(&now, || 3), Ok(6 - executed));
            assert_eq!(*copier.account.book(), wanted);
        }
    }

    #[test]
    fn what_was_opened_once_is_never_opened_again() {
        let folder = Folder::temporary("copier-once").unwrap();
        let mut copier = Copier::open(folder.path(), rules()).unwrap();
        copier.apply(&state(1, &[position(1, "0.5")]), || 1).unwrap();
        copier.apply(&state(2, &[]), || 1).unwrap();
        assert_eq!(copier.apply(&state(3, &[position(1, "0.5")]), || 1), Ok(0));
    }

    #[test]
    fn a_spoiled_memory_is_named() {
        let folder = Folder::temporary("copier-spoiled").unwrap();
        std::fs::write(folder.path().join("book.json"), "{").unwrap();
        let error = Copier::open(folder.path(), rules()).err().unwrap();
        assert!(error.contains("book.json"), "{error}");
    }
}
