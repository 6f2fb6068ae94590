/* jobs_priv.h - shared by jobs.c and jobs_run.c. */
#ifndef CAIRN_JOBS_PRIV_H
#define CAIRN_JOBS_PRIV_H

#include "platform/jobs/jobs.h"

#include "jobs_sql.h"

struct job jobs_of_row(const struct job_row *row);

#endif
