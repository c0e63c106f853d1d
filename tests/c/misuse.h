// misuse.h: what the files of misuse share.

#ifndef MISUSE_H
#define MISUSE_H

#include "wsgi.h"

// Prints a line: the sentence, and whether it holds.
void check(const char *sentence, long got, long expected);

// `good` with one member that cannot be.
void wrong_members(wsgi_app *app, wsgi_request good);

// `good` with a body that is not as long as it says.
void contradictions(wsgi_app *app, wsgi_request good);

#endif
