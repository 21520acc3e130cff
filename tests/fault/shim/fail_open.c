// Makes the opening of some files fail. Loaded with LD_PRELOAD.
//   CONSENT_FAIL_OPEN=part   opening a path that holds this text fails
//   CONSENT_FAIL_OPEN_ERRNO=n  with this errno
// Without both it changes nothing.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

static int must_fail(const char* path) {
  const char* part = getenv("CONSENT_FAIL_OPEN");
  const char* number = getenv("CONSENT_FAIL_OPEN_ERRNO");
  if (part == NULL || number == NULL || strstr(path, part) == NULL) return 0;
  errno = atoi(number);
  return 1;
}

static int open_or_fail(const char* name, const char* path, int flags, mode_t mode) {
  if (must_fail(path)) return -1;
  int (*next)(const char*, int, ...) = NULL;
  void* symbol = dlsym(RTLD_NEXT, name);
  memcpy(&next, &symbol, sizeof next);
  return next(path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_or_fail("open", path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_or_fail("open64", path, flags, mode);
}
