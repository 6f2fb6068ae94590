/*
 * dataset.h - the public data sets under ../shared/data, for tests that score
 * themselves against them.  Where a set is absent the test says so and ends.
 */
#ifndef CAIRN_DATASET_H
#define CAIRN_DATASET_H

#include "platform/json/json.h"
#include "testing/testing.h"

struct dataset {
    struct world *world;
    struct str rest;
};

/* A file of one JSON value per line; false when it is not there. */
bool dataset_open(struct world *w, const char *path, struct dataset *ret);
bool dataset_next(struct dataset *set, struct json_value *ret_row);
/* Unpacks a .tar.gz into the world's folder; NULL when it is not there. */
const char *dataset_unpack(struct world *w, const char *path);
/* All regular files below the folder, sorted. */
size_t dataset_files(struct world *w, const char *dir, struct str **ret_paths);
/* False when the file cannot be read. */
bool dataset_read(struct world *w, const char *path, struct str *ret);
/* Prints "SET: good of all (percent)" and fails below the floor. */
void dataset_score(const char *set, size_t good, size_t all, double floor_percent);

#endif
