//! The import of an application, on Python's main thread, and what is logged about it.

use crate::host::Level;
use crate::host::hub::Hub;
use crate::python;
use crate::wsgi::app::Application;
use crate::wsgi::environ::EnvironSettings;
use crate::wsgi::target::Target;
use std::time::Duration;

/// Why an import failed. Without a traceback, Python did not start.
#[derive(Default)]
pub(super) struct Failure {
    traceback: Vec<String>,
    /// What to do, where the traceback does not show that.
    advice: Option<String>,
}

pub(super) fn import(
    hub: &Hub,
    target: &Target,
    facts: EnvironSettings,
) -> Result<Application, Failure> {
    let mut warnings = Vec::new();
    let result = python::attach(|py| {
        let name = target.to_string();
        let _work = python::breadcrumb::set(&[b"the import of ", name.as_bytes()]);
        let result = Application::import(py, target, facts, &mut warnings);
        python::output::flush_thread(py);
        if python::fork::is_forked() {
            python::child::leave(py, result.as_ref().err());
        }
        let taken = python::signals::taken_by_c(py);
        if !taken.is_empty() {
            warnings.push(format!(
                "WSGI0315 the import of {target} has set handlers in C for {}, which were taken off: \
                 signals belong to the web server",
                taken.join(", ")
            ));
        }
        result.map_err(|error| Failure {
            advice: Application::advice(py, target, &error),
            traceback: python::traceback::lines(py, &error),
        })
    });
    for warning in warnings {
        // An application that answers for the wrong site is an error, and hosts log those by
        // default.
        hub.log(None, Level::Error, &warning);
    }
    result
}

impl Failure {
    /// The next request after `pause` tries again.
    pub(super) fn log(&self, hub: &Hub, target: &Target, pause: Duration) {
        if self.traceback.is_empty() {
            return;
        }
        let advice = self.advice.as_ref().map_or_else(String::new, |it| format!("; {it}"));
        let text = format!(
            "WSGI0002 the application {target} could not be imported; its requests get 503, and the \
             first one after {} s tries again{advice}",
            seconds(pause)
        );
        hub.log(None, Level::Error, &text);
        for line in &self.traceback {
            hub.log_and_wait(None, Level::Error, line);
        }
    }
}

/// Whole seconds, at least one: what Retry-After can have.
pub(super) fn seconds(pause: Duration) -> u32 {
    u32::try_from(pause.as_secs_f64().ceil() as u64).unwrap_or(u32::MAX).max(1)
}
