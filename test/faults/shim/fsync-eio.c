/*
 * An LD_PRELOAD library: while the file named by FSYNC_EIO_FLAG exists, fsync and fdatasync fail with EIO and, as a
 * kernel that drops dirty pages does, leave zeros where something was written since the last one that succeeded.
 * Each failure appends a byte to the file named by FSYNC_EIO_COUNT.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FD 65536

/* How far a file is known to be on the disk, and which file that is about. */
static struct {
  ino_t file;
  off_t size;
} synced[MAX_FD];

static int is_on(void) {
  const char *flag = getenv("FSYNC_EIO_FLAG");
  return flag != NULL && access(flag, F_OK) == 0;
}

static void count(void) {
  const char *path = getenv("FSYNC_EIO_COUNT");
  int fd = path == NULL ? -1 : open(path, O_WRONLY | O_APPEND);
  if (fd < 0) return;
  if (write(fd, "x", 1) < 0) abort();
  close(fd);
}

/*
 * Only what grew is lost: files that are written over in place keep what they have, and so do those of which nothing is
 * known yet.
 */
static void drop_dirty_pages(int fd, const struct stat *file) {
  static const char zeros[4096];
  if (fd >= MAX_FD || synced[fd].file != file->st_ino) return;
  off_t at = synced[fd].size;
  while (at < file->st_size) {
    off_t left = file->st_size - at;
    ssize_t done = pwrite(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, at);
    if (done <= 0) return;
    at += done;
  }
}

static int sync_or_fail(int fd, const char *name) {
  struct stat file;
  int known = fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
  if (known && is_on()) {
    count();
    drop_dirty_pages(fd, &file);
    errno = EIO;
    return -1;
  }
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
  int result = real(fd);
  if (result == 0 && known && fd < MAX_FD) {
    synced[fd].file = file.st_ino;
    synced[fd].size = file.st_size;
  }
  return result;
}

int fsync(int fd) { return sync_or_fail(fd, "fsync"); }
int fdatasync(int fd) { return sync_or_fail(fd, "fdatasync"); }
