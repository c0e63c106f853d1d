//! The log lines about a request that broke a rule of PEP 3333 or failed. Each fault has one
//! numbered line: the rule, what the application gave, the place in its code, and the result for
//! the client.

use super::app::Application;
use super::libwsgi_module;
use super::response::Problem;
use super::violation::LogEntry;
use crate::host::Outcome;
use crate::host::hub::Hub;
use crate::host::{Level, client};
use crate::python::{breadcrumb, location, repr, traceback};
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

/// How many exceptions of a chain are examined. Each is the cause of the one before.
const LONGEST_CHAIN: usize = 32;

/// The reason why there is no whole response.
pub(super) struct Failure {
    kind: FailureKind,
    /// The place in the application's code, if its iterable has one.
    location: Option<String>,
}

pub(super) enum FailureKind {
    /// The application, or its iterable, raised. SystemExit and KeyboardInterrupt are here too:
    /// they end the request, and never the server.
    Raised(PyErr),
    /// What the application returned instead of an iterable of bytes.
    NotBytes(String),
    Response(Problem),
    /// A bug of this library.
    Panic,
}

impl Failure {
    /// The exception, if the application raised one.
    pub(super) fn raised(&self) -> Option<&PyErr> {
        match &self.kind {
            FailureKind::Raised(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the line needs a place in the code. A traceback has places of its own.
    pub(super) fn wants_location(&self) -> bool {
        matches!(self.kind, FailureKind::NotBytes(_) | FailureKind::Response(Problem::NotStarted))
    }

    pub(super) fn at(self, location: Option<String>) -> Self {
        Failure { location, ..self }
    }

    /// Whether it is an OSError, or was caused by one. A read of a broken request body raises that.
    pub(super) fn is_of_input(&self, py: Python<'_>) -> bool {
        let FailureKind::Raised(error) = &self.kind else { return false };
        let mut error = Some(error.clone_ref(py));
        // A chain may be a circle, though `raise` cannot make one.
        for _ in 0..LONGEST_CHAIN {
            let Some(this) = error else { return false };
            if this.is_instance_of::<PyOSError>(py) {
                return true;
            }
            error = this.cause(py).or_else(|| context(py, &this));
        }
        false
    }
}

impl From<FailureKind> for Failure {
    fn from(kind: FailureKind) -> Self {
        Failure { kind, location: None }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        FailureKind::Raised(error).into()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        FailureKind::Response(problem).into()
    }
}

/// The result of a request, as the log needs it.
pub(super) struct Report<'a, 'py> {
    pub(super) py: Python<'py>,
    pub(super) application: &'a Application,
    pub(super) hub: &'a Hub,
    pub(super) outcome: Outcome,
    /// The client is gone.
    pub(super) gone: bool,
    /// The client did not send the whole body, and the application did not catch the OSError.
    pub(super) broken: bool,
}

impl Report<'_, '_> {
    /// Logs the entries, and the reason why there is no whole response. If a violation caused the
    /// failure, both share one line.
    pub(super) fn log(&self, failure: Option<Failure>, entries: Vec<LogEntry>) {
        let mut kind = failure.as_ref().map(|failure| &failure.kind);
        let last = entries.len().saturating_sub(1);
        for (index, entry) in entries.into_iter().enumerate() {
            let raised = match kind {
                Some(FailureKind::Raised(error)) if entry.is_about(self.py, error) => Some(error),
                _ => None,
            };
            let result = match kind {
                _ if entry.is_silent() => "the rest was not sent",
                _ if raised.is_some() => self.result(),
                Some(FailureKind::Response(Problem::NotStarted)) if index == last && !self.gone => {
                    kind = None;
                    "the application went on without start_response; the answer is 500"
                }
                _ => "the application caught the exception",
            };
            self.line(entry.number, &entry.message, entry.location, result);
            if let Some(error) = raised {
                log_traceback(self.py, self.hub, error);
                kind = None;
            }
        }
        if kind.is_some() {
            failure.into_iter().for_each(|failure| self.fail(failure));
        }
    }

    fn fail(&self, failure: Failure) {
        if self.gone || matches!(failure.kind, FailureKind::Response(Problem::Gone)) {
            // This is not the application's fault: the exception is how it learnt that the client
            // is gone. The log already has a line about an interrupt.
            let interrupt = |error| libwsgi_module::is_request_timeout(self.py, error);
            if !matches!(&failure.kind, FailureKind::Raised(error) if interrupt(error)) {
                let what = if self.broken {
                    "WSGI0219 the client left before its request body was whole"
                } else {
                    "WSGI0208 the client left before the response was complete"
                };
                let text = format!("{what}{}", request());
                log_plain(self.py, self.hub, Level::Info, &text);
            }
            return;
        }
        match &failure.kind {
            FailureKind::Raised(error) => {
                let what = repr::exception(self.py, error);
                let text = format!("WSGI0201 the application raised {what}; {}", self.result());
                log(self.py, self.hub, Level::Error, &text);
                log_traceback(self.py, self.hub, error);
            }
            FailureKind::NotBytes(what) => {
                let rule = "the application must return an iterable of bytes (PEP 3333)";
                let text = format!("{rule}, but it returned {what}");
                self.line("WSGI0203", &text, failure.location, self.result());
            }
            FailureKind::Response(Problem::TooShort { promised, given }) => {
                let rule = "PEP 3333 wants as many bytes as the Content-Length says";
                let text = format!("{rule}, {promised}, but the application gave {given}");
                self.line("WSGI0204", &text, failure.location, self.result());
            }
            FailureKind::Response(_) => {
                let text = "the application did not call start_response before the first bytes of \
                            its response, or its end, as PEP 3333 wants it";
                self.line("WSGI0202", text, failure.location, self.result());
            }
            FailureKind::Panic => {
                let text = "libwsgi failed, which is a bug of its own";
                log(
                    self.py,
                    self.hub,
                    Level::Error,
                    &format!("WSGI0004 {text}; {}", self.result()),
                );
            }
        }
    }

    fn result(&self) -> &'static str {
        match self.outcome {
            Outcome::Truncated => "the response was cut off",
            _ => "the answer is 500",
        }
    }

    /// If the place is not known, the line names the place where the application is defined.
    fn line(&self, number: &str, message: &str, location: Option<String>, result: &str) {
        let location = location
            .or_else(|| location::of_callable(self.application.callable.bind(self.py)))
            .unwrap_or_else(|| repr::type_name(self.application.callable.bind(self.py)));
        let text = format!("{number} {message} ({location}); {result}");
        log(self.py, self.hub, Level::Error, &text);
    }
}

/// Logs that close() raised. This changes nothing for the client.
pub(super) fn log_close(py: Python<'_>, hub: &Hub, iterable: &Bound<'_, PyAny>, error: &PyErr) {
    let (class, what) = (repr::type_name(iterable), repr::exception(py, error));
    let text =
        format!("WSGI0207 close() of the {class} that the application returned raised {what}");
    log(py, hub, Level::Error, &text);
    log_traceback(py, hub, error);
}

fn log_traceback(py: Python<'_>, hub: &Hub, error: &PyErr) {
    for line in traceback::lines(py, error) {
        log(py, hub, Level::Error, &line);
    }
}

/// The exception that Python was handling when `error` was raised.
fn context(py: Python<'_>, error: &PyErr) -> Option<PyErr> {
    let context = error.value(py).getattr("__context__").ok()?;
    (!context.is_none()).then(|| PyErr::from_value(context))
}

/// `: "GET /path", request ID` for the request that this thread answers, as far as it is known.
fn request() -> String {
    let what = breadcrumb::current().map(|breadcrumb| format!("\"{breadcrumb}\""));
    let id = client::current().map(|current| String::from_utf8_lossy(current.id()).into_owned());
    let id = id.filter(|id| !id.is_empty()).map(|id| format!("request {id}"));
    let known: Vec<_> = what.into_iter().chain(id).collect();
    if known.is_empty() { String::new() } else { format!(": {}", known.join(", ")) }
}

/// Logs a line about the request that this thread answers. The line names the request if the host
/// cannot do so, since the request is over for it.
pub(super) fn log(py: Python<'_>, hub: &Hub, level: Level, text: &str) {
    let over = client::current().is_some_and(|current| current.is_over());
    if over && text.starts_with("WSGI") {
        log_plain(py, hub, level, &format!("{text}{}", request()));
    } else {
        log_plain(py, hub, level, text);
    }
}

fn log_plain(py: Python<'_>, hub: &Hub, level: Level, text: &str) {
    py.detach(|| hub.log_and_wait(client::current().as_ref(), level, text));
}
