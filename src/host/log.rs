//! Lines for the host's log: how a text becomes lines, and which threads wait.
//!
//! In an event-driven host the polling thread writes the lines. Other threads queue theirs, and
//! wait while too many are queued. The polling thread never waits for itself: it writes the lines
//! of the applications that it runs at once. While it runs applications, no other thread waits for
//! it either, since it may wait for that thread (`thread.join()`, an import).

use super::callbacks::Level;
use super::client::Client;
use super::exchange::Exchange;
use super::hub::{Delivery, Hub};
use super::polling;
use crate::python::fork::is_forked;
use crate::python::lines::{self, Lines};
use crate::python::output::write_fd2;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// This number of lines of one text have a log entry each. The lines that follow share entries. An
/// application may log a text of its client's, and each entry repeats the client's request: many
/// short lines would make a very long log.
const SEPARATE: usize = 256;

/// About this many bytes of lines share an entry, if the host sets no limit.
const SHARED: usize = 1024;

/// Separates lines that share an entry.
const LINE_FEED: &str = "\\x0a";

/// The most of a line that is queued at once.
const PART: usize = 64 * 1024;

/// How long the end of the process waits for the log.
const DRAIN: Duration = Duration::from_millis(500);

impl Hub {
    /// Sends `text` to the log as one line, or as several if it is too long for the host. It does
    /// not wait; see [`Hub::wait_for_log`].
    pub fn log(&self, about: Option<&Client>, level: Level, text: &str) {
        let text = lines::escape(text);
        lines::split(&text, self.lines.line_size(), |line| self.put(about, level, line));
    }

    /// As [`Hub::log`], for a line of any length. Waits while the host has too many lines to write.
    /// Not with the GIL held.
    pub fn log_and_wait(&self, about: Option<&Client>, level: Level, text: &str) {
        lines::split(text, PART, |part| {
            self.log(about, level, part);
            self.wait_for_log();
        });
    }

    /// Sends all `lines` of one text to the log. Waits while the host has too many lines to write.
    /// Not with the GIL held.
    pub fn log_lines(&self, about: Option<&Client>, level: Level, lines: &mut Lines<'_>) {
        let mut text = Text { hub: self, about, level, entries: 0, empty: 0, shared: None };
        while let Some(line) = lines.next() {
            text.add(&line);
        }
        text.end();
    }

    fn put(&self, about: Option<&Client>, level: Level, line: &str) {
        if is_forked() {
            write_fd2(line);
        } else if !self.host().is_event_driven() {
            self.log_here(about, level, line);
        } else if polling::is_here() && !self.is_in_callback() {
            match about {
                Some(Client::Exchange(exchange)) => self.log_now(exchange, level, line),
                _ => self.in_callbacks(|| self.host().log(None, level, line)),
            }
        } else if self.lines.is_full() {
            write_fd2(line);
        } else {
            let line = self.lines.line(line);
            match about {
                Some(Client::Exchange(exchange)) => exchange.log(level, line),
                _ => self.deliver(Delivery::Log(level, line)),
            }
        }
    }

    /// Writes a line on the polling thread, outside callbacks. It first writes the lines of other
    /// threads that are queued for the exchange.
    fn log_now(&self, exchange: &Arc<Exchange>, level: Level, line: &str) {
        let waiting = exchange.outgoing.take_first_lines();
        let about = exchange.host_request();
        self.in_callbacks(|| {
            for (level, line) in waiting {
                self.host().log(about, level, &line);
            }
            self.host().log(about, level, line);
        });
    }

    /// Writes a line of a blocking host on the calling thread.
    fn log_here(&self, about: Option<&Client>, level: Level, line: &str) {
        let run = match about {
            Some(Client::Direct(run)) => Some(run),
            _ => None,
        };
        let calling = run.and_then(|run| Some((run.call_log()?, run.request())));
        self.host().log(calling.as_ref().map(|(_, request)| *request), level, line);
    }

    /// Waits while the host has too many log lines to write. Not with the GIL held.
    pub fn wait_for_log(&self) {
        // The polling thread writes its own lines at once, or queues them inside a callback.
        if self.lines.is_over() && !polling::is_here() && !is_forked() {
            self.lines.wait();
        }
    }

    /// Waits until the host has written all lines, but at most half a second. For the end of the
    /// process. Not with the GIL held.
    pub fn drain_log(&self) {
        if is_forked() || self.is_in_callback() && polling::is_here() {
            return;
        }
        if polling::is_here() {
            return self.in_callbacks(|| self.take_turn(0));
        }
        let until = Instant::now() + DRAIN;
        while self.lines.queued() > 0 && !self.lines.is_ended() && Instant::now() < until {
            // This cannot wait for the credit: that wakes its waiters when half of it is released,
            // and not when all of it is.
            std::thread::sleep(DRAIN / 250);
        }
    }
}

/// One text on its way to the log.
struct Text<'a> {
    hub: &'a Hub,
    about: Option<&'a Client>,
    level: Level,
    entries: usize,
    /// The number of empty lines since the last one that was not empty.
    empty: usize,
    /// Lines that will share an entry.
    shared: Option<String>,
}

impl Text<'_> {
    fn add(&mut self, line: &str) {
        if line.is_empty() {
            self.empty += 1;
        } else {
            self.add_empty();
            self.add_one(line);
        }
    }

    /// A run of empty lines is one line with their number.
    fn add_empty(&mut self) {
        match std::mem::take(&mut self.empty) {
            0 => {}
            1 => self.add_one(""),
            count => self.add_one(&format!("[{count} empty lines]")),
        }
    }

    fn add_one(&mut self, line: &str) {
        if self.entries < SEPARATE {
            self.entries += 1;
            return self.put(line);
        }
        let size = match self.hub.lines.line_size() {
            0 => SHARED,
            size => size,
        };
        let line = lines::escape(line);
        match &mut self.shared {
            Some(shared) if shared.len() + LINE_FEED.len() + line.len() <= size => {
                shared.push_str(LINE_FEED);
                shared.push_str(&line);
            }
            shared => {
                let before = shared.replace(line.into_owned());
                before.iter().for_each(|before| self.put(before));
            }
        }
    }

    fn put(&self, line: &str) {
        self.hub.log_and_wait(self.about, self.level, line);
    }

    fn end(mut self) {
        self.add_empty();
        self.shared.iter().for_each(|shared| self.put(shared));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::callbacks::Outcome;
    use crate::host::line::{COST, LIMIT, MOST};
    use crate::host::response::event::{Event, Events};
    use crate::host::tests::{begun, elsewhere, hub, take};

    fn log(hub: &Hub, text: &str) {
        hub.log_lines(None, Level::Error, &mut Lines::of(text));
    }

    /// The lines of a text, as the log gets them.
    fn logged(text: &str, line_size: usize) -> Vec<String> {
        let (hub, calls) = hub(line_size);
        polling::mark();
        log(&hub, text);
        take(&calls).iter().map(|line| line.replacen("past: ", "", 1)).collect()
    }

    #[test]
    fn a_run_of_empty_lines_is_one_line() {
        assert_eq!(logged(&"\n".repeat(300_000), 0), ["[300000 empty lines]"]);
        assert_eq!(logged("a\n\nb\n\r\n\n\nc", 0), ["a", "", "b", "[3 empty lines]", "c"]);
        assert_eq!(logged("\n", 0), [""]);
    }

    #[test]
    fn a_text_of_short_lines_has_few_entries_and_loses_no_line() {
        let text: String = (0..150_000).map(|number| format!("{}\n", number % 7)).collect();
        let entries = logged(&text, 1000);
        assert!(entries.len() < SEPARATE + 1000, "{} entries", entries.len());
        assert!(entries.iter().all(|entry| entry.len() <= 1000));
        let lines: Vec<_> = entries.iter().flat_map(|entry| entry.split("\\x0a")).collect();
        assert_eq!(lines.len(), 150_000);
        assert!(lines.iter().zip(0..).all(|(line, number)| *line == (number % 7).to_string()));
    }

    #[test]
    fn lines_that_are_as_long_as_an_entry_do_not_share() {
        let line = "x".repeat(999);
        let text = format!("{line}\n").repeat(SEPARATE + 3);
        let entries = logged(&text, 1000);
        assert!(entries.len() == SEPARATE + 3 && entries.iter().all(|entry| *entry == line));
    }

    #[test]
    fn the_polling_thread_writes_at_once_and_in_order() {
        let (hub, calls) = hub(0);
        let exchange = begun(&hub);
        polling::mark();
        let about = Client::Exchange(exchange.clone());
        elsewhere(|| hub.log(Some(&about), Level::Info, "before"));
        hub.before_poll(|| {
            let lines = format!("{}\n", "x".repeat(1000)).repeat(3000);
            hub.log_lines(Some(&about), Level::Error, &mut Lines::of(&lines));
        });
        hub.log(Some(&about), Level::Info, "after");
        let lines = take(&calls);
        assert!(lines[0] == "log: before" && lines.last().is_some_and(|line| line == "log: after"));
        assert_eq!(lines.iter().map(|line| line.matches('x').count()).sum::<usize>(), 3_000_000);
        exchange.publish(&mut Events::from([Event::End(Outcome::Complete)]));
        hub.poll(0).expect("not in a callback");
        hub.log(Some(&about), Level::Info, "late");
        assert_eq!(take(&calls), ["finish Complete", "past: late"]);
    }

    #[test]
    fn empty_lines_of_other_threads_cost_something() {
        let (hub, calls) = hub(0);
        let lines = LIMIT / COST + 1;
        elsewhere(|| (0..lines).for_each(|_| hub.log(None, Level::Info, "")));
        assert!(hub.lines.is_over());
        polling::mark();
        while hub.poll(0).expect("not in a callback") > 0 {}
        assert_eq!((take(&calls).len(), hub.lines.queued()), (lines, 0));
    }

    /// An application waits in `thread.join()`. That would never return if the other thread waited
    /// for the log.
    #[test]
    fn the_polling_thread_may_wait_for_a_thread_that_logs() {
        let (hub, calls) = hub(0);
        polling::mark();
        hub.before_poll(|| elsewhere(|| log(&hub, &"y\n".repeat(2_000_000))));
        while hub.poll(0).expect("not in a callback") > 0 {}
        let all: usize = take(&calls).iter().map(|line| line.matches('y').count()).sum();
        assert_eq!(all, 2_000_000);
    }

    #[test]
    fn a_parked_thread_goes_on_when_the_polling_thread_runs_an_application() {
        let (hub, _calls) = hub(0);
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                (0..3 * LIMIT / COST).for_each(|_| hub.log(None, Level::Info, ""));
                hub.wait_for_log();
            });
            while !hub.lines.is_over() {
                std::thread::yield_now();
            }
            hub.before_poll(|| writer.join().expect("it does not panic"));
        });
    }

    #[test]
    fn lines_above_the_limit_are_not_kept_in_memory() {
        let (hub, _calls) = hub(0);
        hub.lines.end();
        elsewhere(|| (0..=MOST / 64_000).for_each(|_| log(&hub, &"\0".repeat(16_000))));
        let queued = hub.lines.queued();
        elsewhere(|| log(&hub, "a line that goes to descriptor 2"));
        assert_eq!(hub.lines.queued(), queued);
    }

    #[test]
    fn the_end_of_the_process_does_not_wait_for_its_own_thread() {
        let (hub, calls) = hub(0);
        elsewhere(|| hub.log(None, Level::Info, "queued"));
        polling::mark();
        let begun = Instant::now();
        hub.drain_log();
        assert!(begun.elapsed() < DRAIN / 2);
        assert_eq!(take(&calls), ["past: queued"]);
    }
}
