/* Fails or kills a process at the N-th call that changes something below a folder. For LD_PRELOAD, on Linux.

   faults_watch(folder) makes a record that forked children share; faults_arm(n, mode) sets the call (from 1; 0: none) and begins to count;
   faults_log gives what happened: one struct entry for each call, in order, also the calls that failed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE, ENOSPC_ONCE, EIO_ONCE, FULL, READ_ONLY, KILL, KILL_HALF };
enum { DESCRIPTORS = 4096, ENTRIES = 1 << 14, LENGTH = 240 };

struct entry { char kind[16]; char path[LENGTH]; char to[LENGTH]; long bytes; };
struct shared { atomic_long count; struct entry entries[ENTRIES]; };

static struct shared *record;
static char watched[PATH_MAX];
static size_t watched_length;
static long at;
static int mode, armed, broken;            /* broken: from the N-th call on, in the modes that last */
static char *paths[DESCRIPTORS];           /* of open descriptors below the folder */
static char writes[DESCRIPTORS];

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

void faults_watch(const char *folder) {
    snprintf(watched, sizeof watched, "%s/", folder);
    watched_length = strlen(watched);
    record = mmap(NULL, sizeof *record, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void faults_arm(long number, int how) {
    at = number; mode = how; broken = 0;
    armed = record && number >= 0;
    if (armed) atomic_store(&record->count, 0);
}

long faults_count(void) { return atomic_load(&record->count); }
struct entry *faults_log(void) { return record->entries; }

/* The path below the folder, or NULL. The folder's own name stands for ".". */
static const char *below(int directory, const char *path, char *buffer) {
    if (!armed || !path) return NULL;
    if (path[0] == '/') snprintf(buffer, PATH_MAX, "%s", path);
    else {
        char link[64], base[PATH_MAX];
        if (directory == AT_FDCWD) { if (!getcwd(base, sizeof base)) return NULL; }
        else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t length = readlink(link, base, sizeof base - 1);
            if (length < 0) return NULL;
            base[length] = 0;
        }
        snprintf(buffer, PATH_MAX, "%.2000s/%.2000s", base, path);
    }
    if (!strncmp(buffer, watched, watched_length - 1)) {
        if (buffer[watched_length - 1] == 0) return ".";
        if (buffer[watched_length - 1] == '/') return buffer + watched_length;
    }
    return NULL;
}

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

enum verdict { GO, FAIL, HALF };

/* Counts a call and says what is to become of it. creates: whether it needs space on the disk; splits: whether half of it can be done. */
static enum verdict judge(const char *kind, const char *path, const char *to, long bytes, int creates, int splits) {
    long number = atomic_fetch_add(&record->count, 1) + 1;
    if (number <= ENTRIES) {
        struct entry *entry = &record->entries[number - 1];
        snprintf(entry->kind, sizeof entry->kind, "%s", kind);
        snprintf(entry->path, LENGTH, "%s", path);
        snprintf(entry->to, LENGTH, "%s", to ? to : "");
        entry->bytes = bytes;
    }
    if (broken) {
        errno = mode == FULL ? ENOSPC : EROFS;
        return mode == FULL && !creates ? GO : FAIL;
    }
    if (number != at) return GO;
    switch (mode) {
        case ENOSPC_ONCE: errno = ENOSPC; return FAIL;
        case EIO_ONCE: errno = EIO; return FAIL;
        case READ_ONLY: broken = 1; errno = EROFS; return FAIL;
        case FULL: broken = 1; errno = ENOSPC; return splits ? HALF : creates ? FAIL : GO;
        case KILL: die(); return GO;
        case KILL_HALF: if (splits) return HALF; die(); return GO;
        default: return GO;
    }
}

static const char *of(int descriptor) {
    return armed && descriptor >= 0 && descriptor < DESCRIPTORS ? paths[descriptor] : NULL;
}

static void track(int descriptor, const char *path, int writing) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return;
    free(paths[descriptor]);
    paths[descriptor] = path ? strdup(path) : NULL;
    writes[descriptor] = path && writing;
}

static int changes(int flags) { return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC); }

static int opening(int directory, const char *path, int flags, mode_t rights, int (*real)(int, const char *, int, mode_t)) {
    char buffer[PATH_MAX];
    const char *name = below(directory, path, buffer);
    if (name && changes(flags) && judge("open", name, NULL, flags, flags & O_CREAT, 0) == FAIL) return -1;
    int descriptor = real(directory, path, flags, rights);
    if (armed) track(descriptor, name, changes(flags));
    return descriptor;
}

static int really_openat(int directory, const char *path, int flags, mode_t rights) { REAL(openat); return real(directory, path, flags, rights); }
#define RIGHTS mode_t rights = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list list; va_start(list, flags); rights = va_arg(list, mode_t); va_end(list); }
int open(const char *path, int flags, ...) { RIGHTS return opening(AT_FDCWD, path, flags, rights, really_openat); }
int open64(const char *path, int flags, ...) { RIGHTS return opening(AT_FDCWD, path, flags, rights, really_openat); }
int openat(int directory, const char *path, int flags, ...) { RIGHTS return opening(directory, path, flags, rights, really_openat); }
int openat64(int directory, const char *path, int flags, ...) { RIGHTS return opening(directory, path, flags, rights, really_openat); }
int creat(const char *path, mode_t rights) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, rights, really_openat); }
int creat64(const char *path, mode_t rights) { return creat(path, rights); }

/* stdio calls write and close inside the C library, where nothing can come between; so its streams are made with functions of our own.
   The C++ library writes to the descriptor beneath instead, and asks fileno for it. */
static FILE *streams[DESCRIPTORS];

static ssize_t stream_write(void *cookie, const char *data, size_t size) {
    ssize_t done = write((int)(intptr_t)cookie, data, size);
    return done < 0 ? 0 : done;
}
static ssize_t stream_read(void *cookie, char *data, size_t size) { return read((int)(intptr_t)cookie, data, size); }
static int stream_seek(void *cookie, off64_t *place, int whence) {
    *place = lseek64((int)(intptr_t)cookie, *place, whence);
    return *place < 0 ? -1 : 0;
}
static int stream_close(void *cookie) {
    streams[(int)(intptr_t)cookie] = NULL;
    return close((int)(intptr_t)cookie);
}

static FILE *streaming(const char *path, const char *how, FILE *(*real)(const char *, const char *)) {
    char buffer[PATH_MAX];
    const char *name = below(AT_FDCWD, path, buffer);
    if (!name || !strpbrk(how, "wa+")) return real(path, how);
    int flags = how[0] == 'w' ? O_CREAT | O_TRUNC : how[0] == 'a' ? O_CREAT | O_APPEND : 0;
    int descriptor = open(path, flags | (strchr(how, '+') ? O_RDWR : O_WRONLY), 0666);
    if (descriptor < 0) return NULL;
    cookie_io_functions_t functions = {stream_read, stream_write, stream_seek, stream_close};
    return streams[descriptor] = fopencookie((void *)(intptr_t)descriptor, how, functions);
}

FILE *fopen(const char *path, const char *how) { REAL(fopen); return streaming(path, how, real); }
FILE *fopen64(const char *path, const char *how) { REAL(fopen64); return streaming(path, how, real); }

int fileno(FILE *stream) {
    REAL(fileno);
    for (int descriptor = 0; descriptor < DESCRIPTORS; descriptor++)
        if (stream && streams[descriptor] == stream) return descriptor;
    return real(stream);
}

ssize_t write(int descriptor, const void *data, size_t size) {
    REAL(write);
    const char *path = of(descriptor);
    enum verdict verdict = path ? judge("write", path, NULL, size, 1, size > 1) : GO;
    if (verdict == FAIL) return -1;
    if (verdict == HALF) {
        ssize_t done = real(descriptor, data, size / 2);
        if (mode == KILL_HALF) die();
        return done;
    }
    return real(descriptor, data, size);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t place) {
    REAL(pwrite);
    const char *path = of(descriptor);
    enum verdict verdict = path ? judge("pwrite", path, NULL, size, 1, size > 1) : GO;
    if (verdict == FAIL) return -1;
    if (verdict == HALF) {
        ssize_t done = real(descriptor, data, size / 2, place);
        if (mode == KILL_HALF) die();
        return done;
    }
    return real(descriptor, data, size, place);
}
ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t place) { return pwrite(descriptor, data, size, place); }

ssize_t writev(int descriptor, const struct iovec *parts, int number) {
    REAL(writev);
    const char *path = of(descriptor);
    long size = 0;
    for (int i = 0; i < number; i++) size += parts[i].iov_len;
    enum verdict verdict = path ? judge("writev", path, NULL, size, 1, number > 0) : GO;
    if (verdict == FAIL) return -1;
    if (verdict == HALF) {
        REAL(write);
        ssize_t done = real(descriptor, parts[0].iov_base, parts[0].iov_len / 2 + (number > 1 && parts[0].iov_len == 1));
        if (mode == KILL_HALF) die();
        return done;
    }
    return real(descriptor, parts, number);
}

/* close does close; what it tells is that an earlier write failed after all, as on a network. */
int close(int descriptor) {
    REAL(close);
    const char *path = of(descriptor);
    int failed = path && writes[descriptor] && judge("close", path, NULL, 0, 0, 0) == FAIL, cause = errno;
    if (armed) track(descriptor, NULL, 0);
    int result = real(descriptor);
    if (failed) { errno = cause; return -1; }
    return result;
}

#define ON_DESCRIPTOR(name, kind, creates, parameters, arguments, bytes) \
    int name parameters { \
        REAL(name); \
        const char *path = of(descriptor); \
        if (path && judge(kind, path, NULL, bytes, creates, 0) == FAIL) return -1; \
        return real arguments; \
    }
ON_DESCRIPTOR(fsync, "fsync", 0, (int descriptor), (descriptor), 0)
ON_DESCRIPTOR(fdatasync, "fsync", 0, (int descriptor), (descriptor), 0)
ON_DESCRIPTOR(ftruncate, "ftruncate", 0, (int descriptor, off_t size), (descriptor, size), size)
ON_DESCRIPTOR(ftruncate64, "ftruncate", 0, (int descriptor, off64_t size), (descriptor, size), size)

#define COPYING(name, parameters, arguments) \
    ssize_t name parameters { \
        REAL(name); \
        const char *path = of(to); \
        if (path && judge("copy", path, NULL, size, 1, 0) == FAIL) return -1; \
        return real arguments; \
    }
COPYING(sendfile, (int to, int from, off_t *place, size_t size), (to, from, place, size))
COPYING(sendfile64, (int to, int from, off64_t *place, size_t size), (to, from, place, size))
COPYING(copy_file_range, (int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags), (from, a, to, b, size, flags))

static int two_names(const char *kind, int a, const char *from, int b, const char *to, int creates) {
    char first[PATH_MAX], second[PATH_MAX];
    const char *one = below(a, from, first), *other = below(b, to, second);
    return (one || other) && judge(kind, one ? one : from, other ? other : to, 0, creates, 0) == FAIL;
}
int rename(const char *from, const char *to) { REAL(rename); return two_names("rename", AT_FDCWD, from, AT_FDCWD, to, 0) ? -1 : real(from, to); }
int renameat(int a, const char *from, int b, const char *to) { REAL(renameat); return two_names("rename", a, from, b, to, 0) ? -1 : real(a, from, b, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    REAL(renameat2); return two_names("rename", a, from, b, to, 0) ? -1 : real(a, from, b, to, flags);
}
int link(const char *from, const char *to) { REAL(link); return two_names("link", AT_FDCWD, from, AT_FDCWD, to, 1) ? -1 : real(from, to); }
int symlink(const char *from, const char *to) { REAL(symlink); return two_names("link", AT_FDCWD, from, AT_FDCWD, to, 1) ? -1 : real(from, to); }

static int one_name(const char *kind, int directory, const char *path, int creates) {
    char buffer[PATH_MAX];
    const char *name = below(directory, path, buffer);
    return name && judge(kind, name, NULL, 0, creates, 0) == FAIL;
}
int mkdir(const char *path, mode_t rights) { REAL(mkdir); return one_name("mkdir", AT_FDCWD, path, 1) ? -1 : real(path, rights); }
int mkdirat(int directory, const char *path, mode_t rights) { REAL(mkdirat); return one_name("mkdir", directory, path, 1) ? -1 : real(directory, path, rights); }
int unlink(const char *path) { REAL(unlink); return one_name("unlink", AT_FDCWD, path, 0) ? -1 : real(path); }
int unlinkat(int directory, const char *path, int flags) {
    REAL(unlinkat); return one_name(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, path, 0) ? -1 : real(directory, path, flags);
}
int rmdir(const char *path) { REAL(rmdir); return one_name("rmdir", AT_FDCWD, path, 0) ? -1 : real(path); }
int remove(const char *path) { REAL(remove); return one_name("unlink", AT_FDCWD, path, 0) ? -1 : real(path); }
int truncate(const char *path, off_t size) { REAL(truncate); return one_name("ftruncate", AT_FDCWD, path, 0) ? -1 : real(path, size); }
