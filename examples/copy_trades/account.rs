//! A follower's simulated trading account. Its journal is what a broker's statement is to a trader: every execution, in order,
//! whatever the copier itself believes. The account outlives the follower's process.
//!
//! It knows no prices: orders are filled at the master's price, and a stop or a pending order never triggers by itself; when the
//! master's does, the follower follows.

use std::collections::BTreeSet;
use std::path::Path;

use crate::book::{Action, Book};
use crate::journal::{self, Execution, Journal};

pub struct Account {
    journal: Journal,
    book: Book,
    /// Identifiers of the master's positions and orders that were ever copied to this account.
    opened: BTreeSet<u64>,
    placed: BTreeSet<u64>,
}

impl Account {
    pub fn open(path: &Path) -> Result<Account, String> {
        let executions: Vec<Execution> = journal::read(path)?;
        let mut account = Account {
            journal: Journal::open(path)?,
            book: Book::default(),
            opened: BTreeSet::new(),
            placed: BTreeSet::new(),
        };
        for execution in &executions {
            account.record(&execution.action)?;
        }
        Ok(account)
    }

    pub fn execute(&mut self, seq: u64, time_us: i64, action: Action) -> Result<(), String> {
        self.record(&action)?;
        self.journal.append(&Execution { time_us, seq, action })
    }

    fn record(&mut self, action: &Action) -> Result<(), String> {
        self.book.apply(action)?;
        match action {
            Action::Open { position } => self.opened.insert(position.id),
            Action::Place { order } => self.placed.insert(order.id),
            _ => true,
        };
        Ok(())
    }

    pub fn book(&self) -> &Book {
        &self.book
    }

    pub fn has_opened(&self, id: u64) -> bool {
        self.opened.contains(&id)
    }

    pub fn has_placed(&self, id: u64) -> bool {
        self.placed.contains(&id)
    }
}
