// Which files are logs of the store, or files of a restriction journal, the only ones whose syncs the shims touch
// unless they say so, and other files by their end.
#pragma once

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline int ends_with(int fd, const char* end) {
  char link[64];
  char path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path);
  const ssize_t size = (ssize_t)strlen(end);
  return n >= size && n < (ssize_t)sizeof path && memcmp(path + n - size, end, (size_t)size) == 0;
}

static inline int is_log(int fd) { return ends_with(fd, ".log") || ends_with(fd, ".journal"); }
