/* Preloaded into a server: every fdatasync and fsync takes SLOW_SYNC_MICROSECONDS (1,000 where not set) longer. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static int SlowSync(int fd, const char* name) {
  static long microseconds = -1;
  if (microseconds < 0) {
    const char* text = getenv("SLOW_SYNC_MICROSECONDS");
    microseconds = text != NULL ? atol(text) : 1000;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  const int result = real(fd);
  const struct timespec pause = {microseconds / 1000000, microseconds % 1000000 * 1000};
  nanosleep(&pause, NULL);
  return result;
}

int fsync(int fd) { return SlowSync(fd, "fsync"); }
int fdatasync(int fd) { return SlowSync(fd, "fdatasync"); }
