"""C extensions in a host that has loaded libraries with global symbols."""

import os
import subprocess

import pytest
from conftest import CC

PYTHON = os.environ.get("PYTHON", "/usr/bin/python3")
WHICH = "int wsgi_t_which(void); int wsgi_t_which(void) { return %d; }\n"
LIBXML2 = "void xmlCheckVersion(int v); void xmlCheckVersion(int v) { (void) v; }\n"
MALLOC = """
#include <stddef.h>
extern void *__libc_malloc(size_t size);
void *malloc(size_t size) { return __libc_malloc(size); }
"""
EXTENSION = """
#include <Python.h>
int wsgi_t_which(void);
static struct PyModuleDef def = { PyModuleDef_HEAD_INIT, .m_name = "wsgi_t_deep", .m_size = -1 };
PyMODINIT_FUNC PyInit_wsgi_t_deep(void)
{
    PyObject *module = PyModule_Create(&def);
    PyModule_AddIntConstant(module, "which", wsgi_t_which());
    return module;
}
"""
APPLICATION = """
import os, sys
sys.path.insert(0, os.path.dirname(__file__))
import wsgi_t_deep

def application(environ, start_response):
    start_response("200 OK", [])
    return [b"which %d" % wsgi_t_deep.which]
"""


def compile_shared(folder, name, text, *more):
    (folder / f"{name}.c").write_text(text)
    output = folder / f"{name}.so"
    command = [*CC, "-shared", "-fPIC", "-o", str(output), str(folder / f"{name}.c"), *more]
    subprocess.run(command, check=True)
    return output


def include():
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    return subprocess.run([PYTHON, "-c", code], capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize(
    "host_has, which",
    [("", 1), (LIBXML2, 2), (LIBXML2 + MALLOC, 1)],
    ids=["no libxml2", "libxml2", "libxml2 and a malloc"],
)
def test_an_extension_prefers_its_own_libraries(build, tmp_path, host_has, which):
    own = compile_shared(tmp_path, "libwsgi_t_own", WHICH % 2)
    compile_shared(tmp_path, "wsgi_t_deep", EXTENSION, f"-I{include()}", str(own))
    hosts = compile_shared(tmp_path, "libwsgi_t_hosts", host_has + WHICH % 1)
    (tmp_path / "app.py").write_text(APPLICATION)
    done = subprocess.run(
        [build("c_host", "c"), str(tmp_path / "app.py"), "application"],
        env={**os.environ, "LD_PRELOAD": str(hosts)},
        capture_output=True,
        timeout=60,
    )
    assert done.stdout.endswith(b"which %d" % which), (done.stdout + done.stderr).decode()
