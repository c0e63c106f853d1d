"""What a child of the application inherits from the worker.

/ways?WAY     starts a command that waits at a gate; WAY is one of the functions below
/held?WAY     the same; answers with what the command has open: sockets, files of request bodies
/mask         the umask, and the modes of a file and a folder made in the folder of the query
/chdir        os.chdir to the folder of the query
"""

import ctypes
import os
import subprocess
import sys
from urllib.parse import unquote

LISTING = """
import os, sys
for name in sys.argv[1:]:
    os.open(name, os.O_RDONLY)
links = []
for number in os.listdir("/proc/self/fd"):
    try:
        links.append(os.readlink("/proc/self/fd/" + number))
    except OSError:
        pass
print("\\n".join(links))
"""


def popen(command):
    with subprocess.Popen(command, close_fds=False, stdout=subprocess.PIPE, text=True) as child:
        return child.communicate()[0]


def spawned(command):
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1)]
    os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    os.close(writing)
    with os.fdopen(reading) as file:
        return file.read()


def system(command):
    name = f"/tmp/wsgi-inherit-{os.getpid()}-{id(command)}"
    line = " ".join(f"'{word}'" for word in command)
    ctypes.CDLL(None).system(f"{line} > {name}".encode())
    with open(name) as file:
        text = file.read()
    os.unlink(name)
    return text


def forked(command):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.execv(command[0], command)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    return text


WAYS = {"popen": popen, "spawned": spawned, "system": system, "forked": forked}


def mask(folder):
    current = os.umask(0)
    os.umask(current)
    os.mkdir(f"{folder}/made")
    with open(f"{folder}/made/file", "w"):
        pass
    modes = [os.stat(f"{folder}/{name}").st_mode & 0o777 for name in ("made", "made/file")]
    return " ".join(f"{number:03o}" for number in [current, *modes])


def application(environ, start_response):
    path, query = environ["PATH_INFO"], unquote(environ["QUERY_STRING"])
    if path == "/mask":
        body = mask(query)
    elif path == "/chdir":
        os.chdir(query)
        body = os.getcwd()
    elif path == "/ways":
        way, gate = query.split(",")
        script = f"{sys.executable} -c \'open(\"{gate}\").read()\' >&- 2>&- &"
        body = WAYS[way](["/bin/sh", "-c", script])
    else:
        body = WAYS[query]([sys.executable, "-c", LISTING])
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body.encode()]
