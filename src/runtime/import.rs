//! The import of an application on Python's main thread, and the log lines about it.

use crate::host::Level;
use crate::host::hub::Hub;
use crate::python;
use crate::wsgi::app::Application;
use crate::wsgi::environ::EnvironSettings;
use crate::wsgi::target::Target;
use std::time::Duration;

/// Why an import failed. There is no traceback if Python did not start.
#[derive(Default)]
pub(super) struct Failure {
    traceback: Vec<String>,
    /// Advice, if the traceback does not show the cure.
    advice: Option<String>,
}

pub(super) fn import(
    hub: &Hub,
    target: &Target,
    environ: EnvironSettings,
) -> Result<Application, Failure> {
    let mut warnings = Vec::new();
    let result = python::attach(|py| {
        let name = target.to_string();
        let _breadcrumb = python::breadcrumb::set(&[b"the import of ", name.as_bytes()]);
        let result = Application::import(py, target, environ, &mut warnings);
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
        // At the level "error", which hosts log by default: the application may serve a wrong site.
        hub.log(None, Level::Error, &warning);
    }
    result
}

impl Failure {
    /// Logs the failure. The next request after `pause` starts another attempt.
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

/// Whole seconds, at least one, as Retry-After needs them.
pub(super) fn seconds(pause: Duration) -> u32 {
    u32::try_from(pause.as_secs_f64().ceil() as u64).unwrap_or(u32::MAX).max(1)
}
