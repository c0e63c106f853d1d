//! `libwsgi.client_disconnected`: whether anybody waits for the response.

use crate::host::client::Client;
use crate::pool::sync::Mutex;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use std::sync::Arc;

/// What the application holds and what the gateway ends. It may be called on any thread, since
/// whoever works for a request may not be who answers it.
type Shared = Arc<Mutex<Option<Client>>>;

/// A callable without arguments: True once the client is gone.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct ClientDisconnected {
    client: Shared,
}

/// Ends a [`ClientDisconnected`] when dropped: later calls raise.
pub(super) struct Asking(Shared);

impl Drop for Asking {
    fn drop(&mut self) {
        // Not in one statement: the exchange may end with the client, and not under the mutex.
        let client = self.0.lock().take();
        drop(client);
    }
}

pub(super) fn lend(py: Python<'_>, client: Client) -> PyResult<(Asking, Py<ClientDisconnected>)> {
    let client = Arc::new(Mutex::new(Some(client)));
    Ok((Asking(client.clone()), Py::new(py, ClientDisconnected { client })?))
}

#[pymethods]
impl ClientDisconnected {
    fn __call__(&self) -> PyResult<bool> {
        self.client.lock().as_ref().map(Client::is_gone).ok_or_else(|| {
            PyRuntimeError::new_err(
                "libwsgi.client_disconnected was used after its request had ended; it must not be \
                 kept",
            )
        })
    }
}
