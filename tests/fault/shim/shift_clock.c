// Moves the time of day of a process, and makes it believe in a reboot. Loaded with LD_PRELOAD.
//   CONSENT_SHIFT_CLOCK_S=s  s seconds are added to what clock_gettime tells of CLOCK_REALTIME and
//   CLOCK_REALTIME_COARSE, gettimeofday and time CONSENT_SHIFT_CLOCK_FILE=f  as well as the microseconds that the
//   file's first eight bytes hold, an int64_t in the machine's order: who
//                               writes them while the process runs moves its time at once; the next eight are added to
//                               CLOCK_BOOTTIME
//   CONSENT_BOOT_ID_FILE=f  f is read in place of the kernel's boot id
// Without any of them it changes nothing. Other clocks that only count on, timers and the files' times always stay what
// they are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t fixed_us;
static const _Atomic int64_t* moving_us;  // of the time of day, then of the boot clock

__attribute__((constructor)) static void look(void) {
  const char* seconds = getenv("CONSENT_SHIFT_CLOCK_S");
  if (seconds != NULL) fixed_us = (int64_t)atol(seconds) * 1000000;
  const char* path = getenv("CONSENT_SHIFT_CLOCK_FILE");
  if (path == NULL) return;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void* const mapped = mmap(NULL, 2 * sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) abort();
  close(fd);
  moving_us = mapped;
}

static void move(struct timespec* now, int64_t us) {
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
  if (result != 0) return result;
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
    move(now, fixed_us + (moving_us == NULL ? 0 : atomic_load(&moving_us[0])));
  } else if (clock == CLOCK_BOOTTIME && moving_us != NULL) {
    move(now, atomic_load(&moving_us[1]));
  }
  return result;
}

static FILE* open_file(const char* name, const char* path, const char* mode) {
  const char* boot_id = getenv("CONSENT_BOOT_ID_FILE");
  if (boot_id != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0) path = boot_id;
  FILE* (*next)(const char*, const char*) = NULL;
  void* symbol = dlsym(RTLD_NEXT, name);
  memcpy(&next, &symbol, sizeof next);
  return next(path, mode);
}

FILE* fopen(const char* restrict path, const char* restrict mode) { return open_file("fopen", path, mode); }
FILE* fopen64(const char* restrict path, const char* restrict mode) { return open_file("fopen64", path, mode); }

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
