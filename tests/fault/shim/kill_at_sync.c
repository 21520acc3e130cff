// Kills the process at one fsync or fdatasync of a *.log or *.journal file. Loaded with LD_PRELOAD.
//   CONSENT_KILL_AT_SYNC=n      at the n-th such call of the process, counted from 1, it sends itself SIGKILL
//   CONSENT_KILL_WHEN=before    instead of the call; what that file had not synced before is cut off, as a power cut
//   would CONSENT_KILL_WHEN=after     after the call: all is on the disk, and nobody was told CONSENT_COUNT_SYNCS=f
//   each such call appends one byte to the file f
// Without these it changes nothing. Other files always sync as they would.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_file.h"

enum { kLogs = 256 };  // a daemon that lives for seconds makes a handful

struct Log {
  ino_t inode;
  off_t synced;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct Log logs[kLogs];
static int known;
static long calls;

static struct Log* find(ino_t inode) {
  for (int i = 0; i < known; ++i) {
    if (logs[i].inode == inode) return &logs[i];
  }
  if (known == kLogs) abort();
  logs[known].inode = inode;
  return &logs[known++];
}

static void count(void) {
  const char* path = getenv("CONSENT_COUNT_SYNCS");
  if (path == NULL) return;
  const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0 || write(fd, ".", 1) != 1 || close(fd) != 0) abort();
}

static int is_now(const char* when) {
  const char* at = getenv("CONSENT_KILL_AT_SYNC");
  const char* chosen = getenv("CONSENT_KILL_WHEN");
  return at != NULL && chosen != NULL && strcmp(chosen, when) == 0 && calls == atol(at);
}

// One call at a time, so that the process dies before a later one returns.
static int sync_or_die(const char* name, int fd) {
  int (*next)(int) = NULL;
  void* symbol = dlsym(RTLD_NEXT, name);
  memcpy(&next, &symbol, sizeof next);
  if (!is_log(fd)) return next(fd);
  struct stat file;
  if (fstat(fd, &file) != 0) abort();
  pthread_mutex_lock(&mutex);
  struct Log* log = find(file.st_ino);
  ++calls;
  count();
  if (is_now("before")) {
    if (log->synced < file.st_size && ftruncate(fd, log->synced) != 0) abort();
    kill(getpid(), SIGKILL);
  }
  const int result = next(fd);
  if (is_now("after")) kill(getpid(), SIGKILL);
  if (result == 0) log->synced = file.st_size;
  pthread_mutex_unlock(&mutex);
  return result;
}

int fsync(int fd) { return sync_or_die("fsync", fd); }
int fdatasync(int fd) { return sync_or_die("fdatasync", fd); }
