/* Loses what was not synced, as a loss of power does.
 *
 * Preloaded into a process, it keeps beside the directory TRUNKLINE_SHIM_ROOT a mirror of what
 * would be on the disk if the power went now: of each file the content at its last fsync or
 * fdatasync, of each directory the names at its last fsync. Whoever kills the process rebuilds
 * the directory from the mirror. sync_file_range is no sync, as its manual says.
 *
 * What it keeps, in TRUNKLINE_SHIM_MIRROR, by inode and time of birth, so that an inode that is
 * used again is another file:
 *   root          the root's identity
 *   file-ID       a file's content
 *   dir-ID        a directory's names, one to a line: f or d, identity, name
 *
 * It is stricter than most file systems in that a synced file is lost with its name when its
 * directory was not synced, and milder in that nothing unsynced ever lands.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES_MAX (1 << 18)

struct dirty {
    uint64_t ino, born;
    off_t from, to; /* what was written since the last sync */
    int mirrored;   /* whether the mirror holds anything of it */
};

static struct dirty files[FILES_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root, *mirror;

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

static void die(const char *what) {
    char text[PATH_MAX];
    int length = snprintf(text, sizeof text, "power_loss: %s: %s\n", what, strerror(errno));
    if (write(2, text, length) < 0) abort();
    abort();
}

static int identify(int fd, struct statx *st) {
    return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, st);
}

static uint64_t birth(const struct statx *st) {
    return (uint64_t)st->stx_btime.tv_sec * 1000000000u + st->stx_btime.tv_nsec;
}

static struct dirty *find(const struct statx *st) {
    uint64_t ino = st->stx_ino, born = birth(st);
    for (uint64_t step = 0, slot = ino * 0x9e3779b97f4a7c15u; step < FILES_MAX; step++, slot++) {
        struct dirty *file = &files[slot % FILES_MAX];
        if (file->ino == ino && file->born == born) return file;
        if (!file->ino) {
            file->ino = ino;
            file->born = born;
            return file;
        }
    }
    errno = ENOSPC;
    die("too many files");
    return NULL;
}

static void written(int fd, off_t from, off_t to) {
    struct statx st;
    int before = errno;
    if (mirror && to > from && !identify(fd, &st) && S_ISREG(st.stx_mode)) {
        pthread_mutex_lock(&lock);
        struct dirty *file = find(&st);
        if (file->from == file->to) {
            file->from = from;
            file->to = to;
        } else {
            if (from < file->from) file->from = from;
            if (to > file->to) file->to = to;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = before;
}

static void place(char *path, const char *kind, const struct statx *st) {
    snprintf(path, PATH_MAX, "%s/%s-%llu-%llu", mirror, kind, (unsigned long long)st->stx_ino,
             (unsigned long long)birth(st));
}

static void copy(int from, int to, off_t at, off_t end) {
    static char buffer[1 << 20]; /* under the lock */
    REAL(pwrite);
    while (at < end) {
        size_t room = end - at < (off_t)sizeof buffer ? (size_t)(end - at) : sizeof buffer;
        ssize_t count = pread(from, buffer, room, at);
        if (count < 0) die("read");
        if (count == 0) return;
        for (ssize_t done = 0; done < count;) {
            ssize_t more = real(to, buffer + done, count - done, at + done);
            if (more <= 0) die("write to the mirror");
            done += more;
        }
        at += count;
    }
}

static void mirror_file(int fd, const struct statx *st) {
    char path[PATH_MAX], proc[64];
    REAL(ftruncate);
    struct dirty *file = find(st);
    place(path, "file", st);
    /* Opened anew: the descriptor may be for writing only. */
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    int in = open(proc, O_RDONLY | O_CLOEXEC), out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) die(path);
    if (real(out, st->stx_size)) die(path);
    if (file->mirrored) {
        copy(in, out, file->from, file->to < (off_t)st->stx_size ? file->to : (off_t)st->stx_size);
    } else {
        /* All of it, but for holes. */
        off_t end, data = 0;
        while ((data = lseek(in, data, SEEK_DATA)) >= 0) {
            if ((end = lseek(in, data, SEEK_HOLE)) < 0) die("look for a hole");
            copy(in, out, data, end);
            data = end;
        }
    }
    close(in);
    close(out);
    file->mirrored = 1;
    file->from = file->to = 0;
}

static void mirror_directory(int fd, const struct statx *st) {
    char path[PATH_MAX], unfinished[PATH_MAX + 8], proc[64];
    place(path, "dir", st);
    snprintf(unfinished, sizeof unfinished, "%s.part", path);
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    DIR *names = opendir(proc);
    FILE *list = fopen(unfinished, "we");
    if (!names || !list) die(unfinished);
    for (struct dirent *name; (name = readdir(names));) {
        struct statx child;
        if (!strcmp(name->d_name, ".") || !strcmp(name->d_name, "..")) continue;
        if (statx(dirfd(names), name->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &child))
            continue; /* gone meanwhile */
        if (!S_ISREG(child.stx_mode) && !S_ISDIR(child.stx_mode)) continue;
        fprintf(list, "%c %llu-%llu %s\n", S_ISDIR(child.stx_mode) ? 'd' : 'f',
                (unsigned long long)child.stx_ino, (unsigned long long)birth(&child), name->d_name);
    }
    closedir(names);
    if (fclose(list) || rename(unfinished, path)) die(path);
}

/* Whether the shim has dealt with the descriptor. */
static int synced(int fd) {
    char proc[64], path[PATH_MAX];
    struct statx st;
    int before = errno;
    if (!mirror) return 0;
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(proc, path, sizeof path - 1);
    size_t prefix = strlen(root);
    if (length < (ssize_t)prefix || strncmp(path, root, prefix) || identify(fd, &st)) {
        errno = before;
        return 0;
    }
    if (length > (ssize_t)prefix && path[prefix] != '/') return 0;
    pthread_mutex_lock(&lock);
    if (S_ISREG(st.stx_mode)) {
        /* Once more: the size counts as it is now that nobody else mirrors. */
        if (identify(fd, &st)) die("identify");
        mirror_file(fd, &st);
    } else if (S_ISDIR(st.stx_mode)) {
        mirror_directory(fd, &st);
    }
    pthread_mutex_unlock(&lock);
    errno = before;
    return 1;
}

static int what_is_there(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
    (void)st, (void)ftw;
    if (kind != FTW_F && kind != FTW_D) return 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) die(path);
    synced(fd);
    close(fd);
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    char path[PATH_MAX];
    struct statx st;
    root = getenv("TRUNKLINE_SHIM_ROOT");
    const char *into = getenv("TRUNKLINE_SHIM_MIRROR");
    if (!root || !into) return;
    int fd = open(root, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || identify(fd, &st)) die(root);
    close(fd);
    mirror = into;
    snprintf(path, sizeof path, "%s/root", mirror);
    FILE *file = fopen(path, "we");
    if (!file) die(path);
    fprintf(file, "%llu-%llu", (unsigned long long)st.stx_ino, (unsigned long long)birth(&st));
    if (fclose(file)) die(path);
    /* What was there before the process counts as durable. */
    if (nftw(root, what_is_there, 16, FTW_PHYS)) die(root);
}

int fsync(int fd) {
    REAL(fsync);
    return synced(fd) ? 0 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return synced(fd) ? 0 : real(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    REAL(write);
    ssize_t count = real(fd, bytes, length);
    if (mirror && count > 0) {
        /* Also right when appending: the position is then behind what was written. */
        off_t end = lseek(fd, 0, SEEK_CUR);
        if (end >= count) written(fd, end - count, end);
    }
    return count;
}

ssize_t writev(int fd, const struct iovec *parts, int many) {
    REAL(writev);
    ssize_t count = real(fd, parts, many);
    if (mirror && count > 0) {
        off_t end = lseek(fd, 0, SEEK_CUR);
        if (end >= count) written(fd, end - count, end);
    }
    return count;
}

#define POSITIONED(name, offset, bytes_type, length_type) \
    ssize_t name(int fd, bytes_type bytes, length_type length, offset at) { \
        REAL(name); \
        ssize_t count = real(fd, bytes, length, at); \
        if (count > 0) written(fd, at, at + count); \
        return count; \
    }

POSITIONED(pwrite, off_t, const void *, size_t)
POSITIONED(pwrite64, off64_t, const void *, size_t)
POSITIONED(pwritev, off_t, const struct iovec *, int)
POSITIONED(pwritev64, off64_t, const struct iovec *, int)

/* After a change of length, or a copy inside the kernel, the next sync mirrors the whole file. */
static void changed(int fd) {
    struct statx st;
    if (mirror && !identify(fd, &st) && S_ISREG(st.stx_mode)) {
        pthread_mutex_lock(&lock);
        struct dirty *file = find(&st);
        file->from = 0;
        file->to = (off_t)1 << 62;
        pthread_mutex_unlock(&lock);
    }
}

int ftruncate(int fd, off_t length) {
    REAL(ftruncate);
    int result = real(fd, length);
    if (!result) changed(fd);
    return result;
}

int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    int result = real(fd, length);
    if (!result) changed(fd);
    return result;
}

int fallocate(int fd, int mode, off_t at, off_t length) {
    REAL(fallocate);
    int result = real(fd, mode, at, length);
    if (!result) changed(fd);
    return result;
}

int fallocate64(int fd, int mode, off64_t at, off64_t length) {
    REAL(fallocate64);
    int result = real(fd, mode, at, length);
    if (!result) changed(fd);
    return result;
}

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
    REAL(copy_file_range);
    ssize_t count = real(from, from_at, to, to_at, length, flags);
    if (count > 0) changed(to);
    return count;
}
