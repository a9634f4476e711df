/* A thread that looks on while a host does what may never come back. It tells what hangs, whether a lock of the system's is left
 * locked in this process, and where each thread stands; then it ends the process. It needs no heap, no loader and no C library
 * for that. */

#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdarg.h>
#include <stdio.h>
#include <windows.h>

#include <tlhelp32.h>

/* How a host ends that hung. The system's locks are nobody's to mend: a round that left one locked proves nothing about us. */
#define HUNG_IN_THE_SYSTEM 3
#define HUNG 4

#define MODULES 8

static struct {
  const char *volatile what;
  volatile DWORD since, limit;
  /* For how long of it the machine let this thread wait for the processor, and others of the process as well. */
  volatile DWORD starved;
  /* Rounds that are over. */
  volatile int rounds;
  HANDLE probe, probed[3];
  struct {
    const char *name;
    uintptr_t start, end;
  } modules[MODULES];
  int module_count;
} watched;

/* As printf, but without the C library's buffer and its lock. */
static void say(const char *format, ...)
{
  char text[512];
  va_list arguments;
  DWORD written;
  int size;
  va_start(arguments, format);
  size = _vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, size < 0 ? sizeof text : (DWORD)size, &written, NULL);
}

/* The system's own generator of random numbers, by the name that it is exported with. */
BOOLEAN NTAPI SystemFunction036(void *buffer, ULONG size);

static const char *const probes[] = {"heap", "loader", "generator of random numbers"};

/* Takes memory of all sizes from the heap and gives it back, looks for a module, and asks for a random number, whenever it is
 * asked to. */
static DWORD WINAPI probe(void *unused)
{
  BYTE random;
  (void)unused;
  for (;;) {
    WaitForSingleObject(watched.probe, INFINITE);
    for (SIZE_T size = 8; size <= 1 << 20; size *= 2)
      HeapFree(GetProcessHeap(), 0, HeapAlloc(GetProcessHeap(), 0, size));
    SetEvent(watched.probed[0]);
    GetModuleHandleW(L"kernel32.dll");
    SetEvent(watched.probed[1]);
    SystemFunction036(&random, 1);
    SetEvent(watched.probed[2]);
  }
  return 0;
}

/* What of the system is left locked; NULL if nothing is. */
static const char *locked_in_the_system(void)
{
  SetEvent(watched.probe);
  for (int i = 0; i < 3; i++) {
    if (WaitForSingleObject(watched.probed[i], 3000) != WAIT_OBJECT_0)
      return probes[i];
  }
  return NULL;
}

static const char *module_of(uintptr_t address, uintptr_t *offset)
{
  for (int i = 0; i < watched.module_count; i++) {
    if (address >= watched.modules[i].start && address < watched.modules[i].end) {
      *offset = address - watched.modules[i].start;
      return watched.modules[i].name;
    }
  }
  return NULL;
}

/* Where a thread stands, and what on its stack may be return addresses. */
static void tell_stack(DWORD id)
{
  CONTEXT context = {.ContextFlags = CONTEXT_FULL};
  HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, id);
  uintptr_t offset;
  const char *module;
  MEMORY_BASIC_INFORMATION stack;
  int shown = 0;
  if (thread == NULL || SuspendThread(thread) == (DWORD)-1)
    return;
  if (GetThreadContext(thread, &context) && VirtualQuery((void *)context.Rsp, &stack, sizeof stack) != 0) {
    uintptr_t end = (uintptr_t)stack.BaseAddress + stack.RegionSize;
    module = module_of(context.Rip, &offset);
    say("  thread %lx at %s+%llx\n", id, module ? module : "?", (unsigned long long)(module ? offset : context.Rip));
    for (uintptr_t at = context.Rsp & ~(uintptr_t)7; at < end && shown < 48; at += sizeof(uintptr_t)) {
      module = module_of(*(uintptr_t *)at, &offset);
      if (module != NULL) {
        say("    %s+%llx\n", module, (unsigned long long)offset);
        shown++;
      }
    }
  }
  ResumeThread(thread);
  CloseHandle(thread);
}

static void tell_stacks(void)
{
  THREADENTRY32 entry = {.dwSize = sizeof entry};
  HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
    if (entry.th32OwnerProcessID == GetCurrentProcessId() && entry.th32ThreadID != GetCurrentThreadId())
      tell_stack(entry.th32ThreadID);
  }
}

static DWORD WINAPI watch(void *unused)
{
  (void)unused;
  for (;;) {
    const char *what = watched.what, *locked;
    DWORD before = GetTickCount(), slept;
    Sleep(20);
    slept = GetTickCount() - before;
    if (slept > 50)
      watched.starved += slept - 20;
    if (what == NULL || what != watched.what || GetTickCount() - watched.since < watched.limit)
      continue;
    locked = locked_in_the_system();
    if (locked != NULL) {
      say("LOST after %d rounds: the system's %s is left locked, %s doesn't come back\n", watched.rounds, locked, what);
      TerminateProcess(GetCurrentProcess(), HUNG_IN_THE_SYSTEM);
    }
    say("FAILED after %d rounds: %s doesn't come back, and no lock of the system's is left locked\n", watched.rounds, what);
    tell_stacks();
    TerminateProcess(GetCurrentProcess(), HUNG);
  }
  return 0;
}

/* From here on it must come back within the limit. */
static void begins(const char *what, DWORD limit)
{
  watched.what = NULL;
  watched.since = GetTickCount();
  watched.starved = 0;
  watched.limit = limit;
  watched.what = what;
}

/* How long it took, on a machine that lets this process run. */
static DWORD ends(void)
{
  DWORD took = GetTickCount() - watched.since;
  watched.what = NULL;
  return took > watched.starved ? took - watched.starved : 0;
}

/* To be called when all libraries are loaded: none of them is looked for any more. */
static void start_watchdog(void)
{
  static const char *const names[] = {"mt5mqtt.dll", "ntdll.dll", "kernelbase.dll", "kernel32.dll", "ws2_32.dll", "msvcrt.dll"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    uint8_t *module = (uint8_t *)GetModuleHandleA(names[i]);
    if (module != NULL) {
      IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(module + ((IMAGE_DOS_HEADER *)module)->e_lfanew);
      watched.modules[watched.module_count].name = names[i];
      watched.modules[watched.module_count].start = (uintptr_t)module;
      watched.modules[watched.module_count++].end = (uintptr_t)module + headers->OptionalHeader.SizeOfImage;
    }
  }
  watched.probe = CreateEventA(NULL, FALSE, FALSE, NULL);
  for (int i = 0; i < 3; i++)
    watched.probed[i] = CreateEventA(NULL, FALSE, FALSE, NULL);
  CloseHandle(CreateThread(NULL, 0, probe, NULL, 0, NULL));
  CloseHandle(CreateThread(NULL, 0, watch, NULL, 0, NULL));
}

#endif
