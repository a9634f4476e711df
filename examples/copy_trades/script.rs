//! What the master is going to do: its changes in order, made from prices by a rule or read from a history.

use std::collections::BTreeSet;

use crate::book::{Action, Book};

/// Actions that become one new state. More than one only where the terminal makes them one: a pending order that triggers is
/// gone and a position is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When, in steps of the script (a price tick, a deal).
    pub step: usize,
    pub actions: Vec<Action>,
}

#[derive(Debug, Default)]
pub struct Script {
    pub changes: Vec<Change>,
    pub steps: usize,
    pub symbols: BTreeSet<String>,
    /// Rows of the file that were left out, in words.
    pub bad_rows: Vec<String>,
}

impl Script {
    pub fn trades(&self) -> usize {
        self.changes.iter().filter(|change| change.opens()).count()
    }

    /// Ends before a trade beyond the limit.
    pub fn limit_trades(&mut self, limit: usize) {
        let mut opened = 0;
        let within = self.changes.iter().position(|change| {
            opened += usize::from(change.opens());
            opened > limit
        });
        if let Some(end) = within {
            self.changes.truncate(end);
            self.steps = self.changes.last().map_or(0, |change| change.step + 1);
        }
    }
}

impl Change {
    pub fn opens(&self) -> bool {
        self.actions.iter().any(|action| matches!(action, Action::Open { .. }))
    }
}

/// Writes a script, keeping the book as it goes.
#[derive(Default)]
pub struct Writer {
    pub book: Book,
    pub script: Script,
}

impl Writer {
    pub fn change(&mut self, actions: Vec<Action>) -> Result<(), String> {
        for action in &actions {
            self.book.apply(action)?;
            match action {
                Action::Open { position } => self.script.symbols.insert(position.symbol.clone()),
                Action::Place { order } => self.script.symbols.insert(order.symbol.clone()),
                _ => false,
            };
        }
        self.script.changes.push(Change { step: self.script.steps, actions });
        Ok(())
    }

    pub fn next_step(&mut self) {
        self.script.steps += 1;
    }
}
