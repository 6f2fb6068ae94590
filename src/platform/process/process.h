/* process.h - run another program and wait for it. */
#ifndef CAIRN_PROCESS_H
#define CAIRN_PROCESS_H

#include "base/base.h"

/*
 * Runs argv[0] (looked up in PATH) without standard input and output; `extra`
 * are NAME=VALUE additions to the environment, ended by NULL.  E_INVALID when
 * the program is not installed; E_BUSY with the last lines of its standard
 * error when it ends with another status than 0.
 */
enum err_code process_run(struct cx *cx, const char *const *argv, const char *const *extra) MUST_CHECK;

#endif
