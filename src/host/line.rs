//! Lines on their way to the host's log, and the limit for all of them together.

use crate::pool::credit::Credit;
use crate::python::fork::is_forked;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// If the queued lines cost more than this, threads that write lines wait.
pub(super) const LIMIT: usize = 1024 * 1024;

/// What a line costs in addition to its bytes. A host adds time, client and request to each line,
/// and makes a system call. Without it, empty lines would cost nothing.
pub(super) const COST: usize = 512;

/// If the queue costs more than this, threads that do not wait write their lines to descriptor 2.
pub(super) const MOST: usize = 16 * LIMIT;

/// The budget of all lines that are queued.
pub(super) struct LineBudget {
    credit: Credit,
    /// How many bytes the host can write at once. 0 means any number.
    line_size: usize,
}

/// A queued line. It releases its cost when it is dropped.
pub struct Line {
    text: Box<str>,
    budget: Arc<LineBudget>,
}

impl LineBudget {
    pub(super) fn new(line_size: usize) -> Arc<Self> {
        Arc::new(LineBudget { credit: Credit::new(LIMIT), line_size })
    }

    pub(super) fn line_size(&self) -> usize {
        self.line_size
    }

    /// Until `close`, no thread waits for the polling thread. That thread runs applications, which
    /// may wait for the thread that writes.
    pub(super) fn open(&self) {
        self.credit.open();
    }

    pub(super) fn close(&self) {
        self.credit.close();
    }

    /// The host will not poll much longer, so writers must not wait for it.
    pub(super) fn end(&self) {
        self.credit.end();
    }

    pub(super) fn line(self: &Arc<Self>, text: &str) -> Line {
        self.credit.reserve(text.len() + COST);
        Line { text: text.into(), budget: self.clone() }
    }

    /// Whether threads must wait before they write more.
    pub(super) fn is_over(&self) -> bool {
        self.credit.is_over()
    }

    pub(super) fn wait(&self) {
        self.credit.wait();
    }

    /// Whether no thread may queue more, not even one that does not wait.
    pub(super) fn is_full(&self) -> bool {
        self.queued() > MOST
    }

    /// The cost of the queued lines.
    pub(super) fn queued(&self) -> usize {
        self.credit.in_flight()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.credit.is_ended()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !is_forked() {
            self.budget.credit.release(self.text.len() + COST);
        }
    }
}

impl Deref for Line {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}
