// misuse.h: the common part of the files of misuse.

#ifndef MISUSE_H
#define MISUSE_H

#include "wsgi.h"

// Prints a line: the sentence, and whether it is true.
void check(const char *sentence, long got, long expected);

// `good` with one member that is invalid.
void wrong_members(wsgi_app *app, wsgi_request good);

// `good` with a body that is not as long as it states.
void contradictions(wsgi_app *app, wsgi_request good);

#endif
