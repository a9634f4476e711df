/* Preloaded into a program, moves its clocks by what stands in the file that FAULTS_CLOCK names: two 64-bit numbers of
 * seconds, the first for the UNIX clock, the second for the monotonic one, which starts true. (libfaketime can't be used for
 * the latter: under it the absolute deadlines of Rust's futexes lie decades ahead.) */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offsets;
static int64_t monotonic_at_start;
static int (*system_clock)(clockid_t, struct timespec *);

static void find_system_clock(void)
{
  /* POSIX's way of making a function pointer of an object pointer. */
  *(void **)&system_clock = dlsym(RTLD_NEXT, "clock_gettime");
}

__attribute__((constructor)) static void start(void)
{
  const char *name = getenv("FAULTS_CLOCK");
  int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
  void *mapped = file >= 0 ? mmap(NULL, 2 * sizeof *offsets, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
  if (file >= 0)
    close(file);
  if (mapped == MAP_FAILED)
    abort();
  find_system_clock();
  monotonic_at_start = ((const int64_t *)mapped)[1];
  offsets = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
  int result;
  if (!system_clock)
    find_system_clock();
  result = system_clock(clock, time);
  if (result == 0 && offsets) {
    if (clock == CLOCK_REALTIME)
      time->tv_sec += offsets[0];
    if (clock == CLOCK_MONOTONIC)
      time->tv_sec += offsets[1] - monotonic_at_start;
  }
  return result;
}
