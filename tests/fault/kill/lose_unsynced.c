/* Preloaded into a daemon: while the file named by CONSENT_LOSE_UNSYNCED_WHILE exists, every sync fails with EIO, and
   the file loses what was not synced before, as a disk that fails may do. So an acknowledgement that did not wait for
   its sync is found out at the next start. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { kFiles = 4096 };

struct Synced {
  dev_t device;
  ino_t inode;
  off_t size;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct Synced files[kFiles];
static int count;

static int Failing(void) {
  const char* trigger = getenv("CONSENT_LOSE_UNSYNCED_WHILE");
  return trigger != NULL && access(trigger, F_OK) == 0;
}

/* The file's entry; made where it is new and there is room. */
static struct Synced* Find(const struct stat* file) {
  for (int i = 0; i < count; ++i) {
    if (files[i].inode == file->st_ino && files[i].device == file->st_dev) return &files[i];
  }
  if (count == kFiles) return NULL;
  files[count].device = file->st_dev;
  files[count].inode = file->st_ino;
  files[count].size = 0;
  return &files[count++];
}

static int Sync(int fd, const char* name) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  struct stat file;
  if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return real(fd);
  if (Failing()) {
    pthread_mutex_lock(&mutex);
    const struct Synced* synced = Find(&file);
    if (synced != NULL && synced->size > 0 && synced->size < file.st_size && ftruncate(fd, synced->size) != 0) abort();
    pthread_mutex_unlock(&mutex);
    errno = EIO;
    return -1;
  }
  const int result = real(fd);
  if (result == 0) {
    pthread_mutex_lock(&mutex);
    struct Synced* synced = Find(&file);
    if (synced != NULL) synced->size = file.st_size;
    pthread_mutex_unlock(&mutex);
  }
  return result;
}

int fsync(int fd) { return Sync(fd, "fsync"); }
int fdatasync(int fd) { return Sync(fd, "fdatasync"); }
