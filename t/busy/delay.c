/*
 * delay: a library that is preloaded into nginx.  It delays each write to a file,
 * each sync and each accept by ENKOD_DELAY milliseconds, as on a busy machine.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>


/* read when the library is loaded, as nginx clears the environment */

static struct timespec  delay;


static void __attribute__((constructor))
delay_init(void)
{
    long         ms;
    const char  *value;

    value = getenv("ENKOD_DELAY");
    ms = (value != NULL) ? atol(value) : 0;

    delay.tv_sec = ms / 1000;
    delay.tv_nsec = ms % 1000 * 1000000;
}


#define delayed(type, name, params, args)                                     \
                                                                              \
type                                                                          \
name params                                                                   \
{                                                                             \
    static type  (*next) params;                                              \
                                                                              \
    if (next == NULL) {                                                       \
        *(void **) &next = dlsym(RTLD_NEXT, #name);                           \
    }                                                                         \
                                                                              \
    nanosleep(&delay, NULL);                                                  \
                                                                              \
    return next args;                                                         \
}


delayed(ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))

delayed(ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t offset),
        (fd, buf, n, offset))

delayed(int, fdatasync, (int fd), (fd))

delayed(int, fsync, (int fd), (fd))

delayed(int, accept, (int fd, struct sockaddr *addr, socklen_t *len),
        (fd, addr, len))

delayed(int, accept4,
        (int fd, struct sockaddr *addr, socklen_t *len, int flags),
        (fd, addr, len, flags))
