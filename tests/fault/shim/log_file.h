// Which files are logs of the store: the only ones whose syncs the shims touch.
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int is_log(int fd) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path);
  return n >= 4 && n < (ssize_t)sizeof path && memcmp(path + n - 4, ".log", 4) == 0;
}
