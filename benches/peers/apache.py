"""mod_wsgi in Apache httpd: embedded, and in its daemon process.

mod_wsgi is built by pip with apxs; httpd is Debian's apache2-bin, which comes without a service.
"""

import os
import pathlib
import re
import subprocess

from .install import folder_of
from .process import Server

HTTPD = "/usr/sbin/apache2"
MODULES = "/usr/lib/apache2/modules"

CONFIGURATION = """\
ServerRoot {folder}
ServerName localhost
DefaultRuntimeDir {folder}
PidFile {folder}/httpd.pid
Listen 127.0.0.1:{port}
ErrorLog {folder}/error.log
LogLevel warn
{modules}
{user}
StartServers 1
ServerLimit 1
ThreadsPerChild {httpd_threads}
MaxRequestWorkers {httpd_threads}
MinSpareThreads 1
MaxSpareThreads {httpd_threads}
AsyncRequestWorkerFactor 64
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
<Directory {app_folder}>
    Require all granted
</Directory>
WSGICallableObject {callable}
{wsgi}
"""


class ModWsgi(Server):
    """httpd with one child (event MPM). `options` are more lines of its configuration.

    Its threads wait for applications. It keeps idle connections apart from them, 64 a thread.
    """

    distributions = ("mod_wsgi",)
    programs = (HTTPD,)
    unix_sockets = False

    def wsgi_lines(self):
        raise NotImplementedError

    def httpd_threads(self):
        return self.threads

    def write_files(self):
        shared = next(folder_of("mod_wsgi").glob("mod_wsgi/server/mod_wsgi*.so"))
        modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED]
        text = CONFIGURATION.format(
            folder=self.folder,
            port=self.port,
            modules="\n".join([*modules, f"LoadModule wsgi_module {shared}"]),
            # httpd refuses to run its children as root.
            user="User nobody\nGroup nogroup" if os.getuid() == 0 else "",
            httpd_threads=self.httpd_threads(),
            app_folder=self.application.file.parent,
            callable=self.application.callable_name,
            wsgi="\n".join([*self.wsgi_lines(), *self.options]),
        )
        (self.folder / "httpd.conf").write_text(text)

    def python_path(self):
        return ":".join(self.application.path)

    def commands(self):
        return [[HTTPD, "-D", "FOREGROUND", "-f", self.folder / "httpd.conf"]]

    @classmethod
    def version(cls):
        said = ""
        if pathlib.Path(HTTPD).exists():
            said = subprocess.run([HTTPD, "-v"], capture_output=True, text=True).stdout
        found = re.search(r"Apache/(\S+)", said)
        return f"{super().version()}, Apache httpd {found[1] if found else 'missing'}"


LOADED = ("mpm_event", "authz_core")


class Embedded(ModWsgi):
    """The application runs in httpd's own child process, as ours runs in nginx's."""

    name, title = "mod_wsgi", "mod_wsgi, embedded"

    def wsgi_lines(self):
        return [
            f"WSGIPythonPath {self.python_path()}",
            "WSGIApplicationGroup %{GLOBAL}",
            f"WSGIScriptAlias / {self.application.file}",
        ]


class Daemon(ModWsgi):
    """The application in a process of its own, which httpd speaks to over a socket."""

    name, title = "mod_wsgi-daemon", "mod_wsgi, daemon"

    def httpd_threads(self):
        return 64

    def wsgi_lines(self):
        return [
            f"WSGISocketPrefix {self.folder}/wsgi",
            f"WSGIDaemonProcess app threads={self.threads} python-path={self.python_path()}",
            f"WSGIScriptAlias / {self.application.file} process-group=app "
            "application-group=%{GLOBAL}",
        ]
