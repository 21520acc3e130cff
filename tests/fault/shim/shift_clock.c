// Moves the time of day of a process. Loaded with LD_PRELOAD.
//   CONSENT_SHIFT_CLOCK_S=s  s seconds are added to what clock_gettime tells of CLOCK_REALTIME and CLOCK_REALTIME_COARSE, gettimeofday and time
// Without it, it changes nothing. Clocks that only count on, timers and the files' times always stay what they are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
  const char* seconds = getenv("CONSENT_SHIFT_CLOCK_S");
  return seconds == NULL ? 0 : atol(seconds);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  static int (*next)(clockid_t, struct timespec*);
  if (next == NULL) {
    void* symbol = dlsym(RTLD_NEXT, "clock_gettime");
    memcpy(&next, &symbol, sizeof next);
  }
  const int result = next(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
  return result;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
  (void)zone;
  struct timespec precise;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
