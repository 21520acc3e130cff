// Moves the time of day of a process. Loaded with LD_PRELOAD.
//   CONSENT_SHIFT_CLOCK_S=s  s seconds are added to what clock_gettime tells of CLOCK_REALTIME and CLOCK_REALTIME_COARSE, gettimeofday and time
//   CONSENT_SHIFT_CLOCK_FILE=f  as well as the microseconds that the file's first eight bytes hold, an int64_t in the machine's order: who
//                               writes them while the process runs moves its time at once
// Without either it changes nothing. Clocks that only count on, timers and the files' times always stay what they are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t fixed_us;
static const _Atomic int64_t* moving_us;

__attribute__((constructor)) static void look(void) {
  const char* seconds = getenv("CONSENT_SHIFT_CLOCK_S");
  if (seconds != NULL) fixed_us = (int64_t)atol(seconds) * 1000000;
  const char* path = getenv("CONSENT_SHIFT_CLOCK_FILE");
  if (path == NULL) return;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void* const mapped = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) abort();
  close(fd);
  moving_us = mapped;
}

static void move(struct timespec* now) {
  const int64_t us = fixed_us + (moving_us == NULL ? 0 : atomic_load(moving_us));
  const int64_t ns = now->tv_nsec + us % 1000000 * 1000;
  now->tv_sec += us / 1000000 + ns / 1000000000;
  now->tv_nsec = ns % 1000000000;
  if (now->tv_nsec >= 0) return;
  now->tv_nsec += 1000000000;
  --now->tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
  static int (*next)(clockid_t, struct timespec*);
  if (next == NULL) {
    void* symbol = dlsym(RTLD_NEXT, "clock_gettime");
    memcpy(&next, &symbol, sizeof next);
  }
  const int result = next(clock, now);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(now);
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
