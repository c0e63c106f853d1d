"""Lets a process that multiprocessing starts anew import the files of applications by their names.

Such a process gets the names of the modules and functions that it must run. A file such as
my.app.py, app.wsgi or the second of two app.py has a name that `import` does not find. So the
worker also sends the path of the file and this text, and the process runs the text before it
imports.

`files` has paths by names, and `source` has this text.
"""

import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing import spawn


class Loader(SourceFileLoader):
    def path_stats(self, path):
        # app.py and app.wsgi would have one .pyc.
        raise OSError("no .pyc is read or written")


class Finder:
    def find_spec(self, name, path=None, target=None):
        if name not in files:
            return None
        return spec_from_file_location(name, files[name], loader=Loader(name, files[name]))


class Again:
    """Runs this text where it is unpickled."""

    def __reduce__(self):
        return exec, (source, {"files": files, "source": source, "is_child": True})


def get_preparation_data(name, original=spawn.get_preparation_data):
    return {**original(name), "libwsgi": Again()}


spawn.get_preparation_data = get_preparation_data

if is_child:
    sys.meta_path.append(Finder())
