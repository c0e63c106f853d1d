"""Lets a process that multiprocessing starts anew import the files of applications by their names.

Such a process gets the functions that it is to run as the names of modules. A file such as
my.app.py, app.wsgi or the second of two app.py has a name that `import` does not find. So the worker
sends along where it is, and the process, before it looks, runs this text, too.

`files` has paths by names, and `source` this text.
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
    """What runs this text where it is unpickled."""

    def __reduce__(self):
        return exec, (source, {"files": files, "source": source, "is_child": True})


def get_preparation_data(name, original=spawn.get_preparation_data):
    return {**original(name), "libwsgi": Again()}


spawn.get_preparation_data = get_preparation_data

if is_child:
    sys.meta_path.append(Finder())
