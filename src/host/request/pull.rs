//! The body of a request as the host's `read` callback gives it.

use super::failures;
use crate::host::callbacks::Host;
use crate::host::run::Run;
use std::fmt;
use std::io;
use std::sync::Arc;

/// Invariant: the library never asks the host for more bytes than the client has stated. After them
/// the connection has the next request, or nothing, and the host would wait for that.
pub struct Pull {
    host: Arc<dyn Host>,
    run: Arc<Run>,
    /// How many bytes will come, if the length is known.
    left: Option<u64>,
}

impl fmt::Debug for Pull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pull").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Pull {
    pub fn new(host: Arc<dyn Host>, run: Arc<Run>, length: Option<u64>) -> Self {
        Pull { host, run, left: length }
    }

    /// Reads at least one byte. Returns 0 at the end. Not with the GIL held. An error means that
    /// the rest will not come, and is noted in the run.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let size = buffer.len().min(most);
        if size == 0 {
            return Ok(0);
        }
        let Some(calling) = self.run.call() else { return Err(failures::client_gone()) };
        let result = self.host.read(self.run.request(), &mut buffer[..size]);
        drop(calling);
        match (&result, &mut self.left) {
            (Ok(0), Some(left)) => {
                self.run.break_body();
                return Err(failures::too_short(*left));
            }
            (Ok(count), Some(left)) => *left -= *count as u64,
            (Ok(_), None) => {}
            (Err(error), _) if error.kind() == io::ErrorKind::BrokenPipe => self.run.leave(),
            (Err(error), _) if error.kind() == io::ErrorKind::ConnectionAborted => {
                self.run.break_body();
            }
            // A fault of the host itself.
            (Err(_), _) => {}
        }
        result
    }
}
