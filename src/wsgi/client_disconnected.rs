//! `libwsgi.client_disconnected`: whether anybody waits for the response.

use crate::host::client::Client;
use crate::pool::sync::Mutex;
use crate::python::spare::{InUse, Spare};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// A callable without arguments: True once the client is gone. It may be called on any thread, since
/// whoever works for a request may not be who answers it.
#[pyclass(frozen, module = "wsgi")]
pub(super) struct ClientDisconnected {
    client: Mutex<Option<Client>>,
}

thread_local!(static SPARE: Spare<ClientDisconnected> = const { Spare::new() });

/// Ends a [`ClientDisconnected`] when dropped: later calls raise.
pub(super) struct Asking(InUse<ClientDisconnected>);

impl Drop for Asking {
    fn drop(&mut self) {
        // Not in one statement: the exchange may end with the client, and not under the mutex.
        let client = self.0.get().client.lock().take();
        drop(client);
    }
}

pub(super) fn lend(py: Python<'_>, client: Client) -> PyResult<(Py<ClientDisconnected>, Asking)> {
    if let Some((spare, ())) = SPARE.with(Spare::take) {
        *spare.get().client.lock() = Some(client);
        return Ok((spare.clone_ref(py), Asking(InUse::new(spare, (), &SPARE))));
    }
    let new = Py::new(py, ClientDisconnected { client: Mutex::new(Some(client)) })?;
    Ok((new.clone_ref(py), Asking(InUse::new(new, (), &SPARE))))
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
