// Makes fsync and fdatasync of *.log files fail with EIO, as a dying disk does, or wait, as a disk under load does.
// Loaded with LD_PRELOAD.
//   CONSENT_FAIL_SYNC_AFTER=n    the first n such calls succeed, all later ones fail
//   CONSENT_FAIL_SYNC_TRIGGER=f  they fail as soon as the file f exists
//   CONSENT_HOLD_SYNC_WHILE=f    they wait while the file f exists
//   CONSENT_HOLD_HEAD_WHILE=f    syncs of *.head files wait while the file f exists
// Without any of them it changes nothing. Other files always sync as they would.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log_file.h"

static atomic_long calls;

static void wait_while(const char* variable) {
  const char* held = getenv(variable);
  const struct timespec millisecond = {0, 1000000};
  while (held != NULL && access(held, F_OK) == 0) nanosleep(&millisecond, NULL);
}

static int must_fail(int fd) {
  if (ends_with(fd, ".head")) wait_while("CONSENT_HOLD_HEAD_WHILE");
  if (!is_log(fd)) return 0;
  wait_while("CONSENT_HOLD_SYNC_WHILE");
  const char* trigger = getenv("CONSENT_FAIL_SYNC_TRIGGER");
  if (trigger != NULL && access(trigger, F_OK) == 0) return 1;
  const char* after = getenv("CONSENT_FAIL_SYNC_AFTER");
  return after != NULL && atomic_fetch_add(&calls, 1) >= atol(after);
}

static int sync_or_fail(const char* name, int fd) {
  if (must_fail(fd)) {
    errno = EIO;
    return -1;
  }
  int (*next)(int) = NULL;
  void* symbol = dlsym(RTLD_NEXT, name);
  memcpy(&next, &symbol, sizeof next);
  return next(fd);
}

int fsync(int fd) { return sync_or_fail("fsync", fd); }
int fdatasync(int fd) { return sync_or_fail("fdatasync", fd); }
