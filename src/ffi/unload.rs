//! What happens when a Windows host frees the library while clients are connected.
//!
//! `FreeLibrary` takes the code away; a thread that still executes it brings the process down. Keeping the library loaded
//! for as long as there are threads would mean for ever: nobody could stop them any more. So the unload itself stops them:
//! `DllMain` tells all background threads to leave and waits, with a bound, until they have left.
//!
//! Waiting in `DllMain` for a thread to *end* is a deadlock: ending needs the loader's lock, which `DllMain` holds. So the
//! wait is for the thread to have *left*: its last instruction here says so and goes to `ExitThread`, and its instruction
//! pointer shows when it is there. It ends when the loader is free again; no code of ours has a part in that any more.
//! (`TerminateThread` on itself would need no lock either, but leaves an entry of a thread that is gone in the lists of
//! Wine's loader; the next library that is loaded never comes back from there.)
//!
//! Where a thread may need the loader or block for long (before it runs, while it connects, but for waiting for a Server to
//! answer), it holds a reference to the library, so that no unload happens then. Taking one needs the loader's lock, too: a thread of
//! ours only tries that, as `DllMain` has it, and waits. Such a reference is given back by a thread of the system's pool: it
//! may be the last one, and our code must not be there to see it.

use super::handles;
use crate::client::clock;
use crate::client::thread::{self, Body, Hooks, Leave, Left};
use once_cell::race::OnceBox;
use std::ffi::{CStr, c_char, c_void};
use std::io;
use std::mem::transmute;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

type Handle = *mut c_void;
type Bool = i32;

const DLL_PROCESS_DETACH: u32 = 0;
const GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT: u32 = 2;
const GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS: u32 = 4;
const WT_EXECUTEDEFAULT: u32 = 0;
const WAIT_OBJECT_0: u32 = 0;

/// How long an unload waits for all threads together. They need well below a millisecond; the bound is for a machine that
/// is busy elsewhere.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut Handle) -> Bool;
    fn GetModuleHandleA(name: *const c_char) -> Handle;
    fn GetProcAddress(module: Handle, name: *const c_char) -> *const c_void;
    fn FreeLibrary(module: Handle) -> Bool;
    fn QueueUserWorkItem(function: unsafe extern "system" fn(Handle) -> Bool, argument: Handle, flags: u32) -> Bool;
    fn FreeLibraryAndExitThread(module: Handle, exit_code: u32) -> !;
    fn ExitThread(exit_code: u32) -> !;
    fn CreateThread(
        attributes: *const c_void,
        stack_size: usize,
        start: unsafe extern "system" fn(*mut c_void) -> u32,
        argument: *mut c_void,
        flags: u32,
        id: *mut u32,
    ) -> Handle;
    fn SuspendThread(thread: Handle) -> u32;
    fn GetThreadContext(thread: Handle, context: *mut Context) -> Bool;
    fn ResumeThread(thread: Handle) -> u32;
    fn SwitchToThread() -> Bool;
    fn TerminateThread(thread: Handle, exit_code: u32) -> Bool;
    fn CreateEventW(attributes: *const c_void, manual_reset: Bool, initial_state: Bool, name: *const u16) -> Handle;
    fn SetEvent(event: Handle) -> Bool;
    fn CloseHandle(object: Handle) -> Bool;
    fn WaitForSingleObject(object: Handle, milliseconds: u32) -> u32;
}

/// Registers the steps that `client::thread` needs.
pub fn set_hooks() {
    LOADER.get_or_init(|| Box::new(Loader::find()));
    thread::set_hooks(Hooks { hold, hold_in_background, release, spawn });
}

type LockLoader = unsafe extern "system" fn(flags: u32, outcome: *mut u32, cookie: *mut usize) -> i32;
type UnlockLoader = unsafe extern "system" fn(flags: u32, cookie: usize) -> i32;

/// The loader's lock.
struct Loader {
    lock: Option<LockLoader>,
    unlock: Option<UnlockLoader>,
}

static LOADER: OnceBox<Loader> = OnceBox::new();

const LOADER_LOCK_TRY_ONLY: u32 = 2;
const LOADER_LOCK_ACQUIRED: u32 = 1;

impl Loader {
    fn find() -> Loader {
        // SAFETY: the names end with a NUL.
        let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr()) };
        // SAFETY: as above.
        let find = |name: &CStr| unsafe { GetProcAddress(ntdll, name.as_ptr()) };
        let (lock, unlock) = (find(c"LdrLockLoaderLock"), find(c"LdrUnlockLoaderLock"));
        // SAFETY: the functions have these types since Windows XP, and NULL is none.
        unsafe {
            Loader {
                lock: transmute::<*const c_void, Option<LockLoader>>(lock),
                unlock: transmute::<*const c_void, Option<UnlockLoader>>(unlock),
            }
        }
    }

    /// Does something while nobody else loads or unloads; `None` if somebody does.
    fn try_locked<R>(&self, body: impl FnOnce() -> R) -> Option<R> {
        let (Some(lock), Some(unlock)) = (self.lock, self.unlock) else { return Some(body()) };
        let (mut outcome, mut cookie) = (0, 0);
        // SAFETY: both are writable, and what was locked is unlocked with its cookie.
        unsafe {
            let status = lock(LOADER_LOCK_TRY_ONLY, &raw mut outcome, &raw mut cookie);
            if status < 0 || outcome != LOADER_LOCK_ACQUIRED {
                return None;
            }
            let result = body();
            unlock(0, cookie);
            Some(result)
        }
    }
}

/// The module that an address lies in, NULL if in none; takes a reference unless `flags` say otherwise.
fn module_of(address: *const c_void, flags: u32) -> Handle {
    let mut module = null_mut();
    // SAFETY: the address is looked up, not read, and `module` is writable.
    unsafe { GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | flags, address, &raw mut module) };
    module
}

fn this_module() -> Handle {
    module_of(hold as fn() as *const c_void, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT)
}

fn hold() {
    module_of(hold as fn() as *const c_void, 0);
}

fn hold_in_background() -> bool {
    let taken = LOADER.get().and_then(|loader| loader.try_locked(|| module_of(hold as fn() as *const c_void, 0)));
    taken.is_some_and(|module| !module.is_null())
}

fn release() {
    // SAFETY: FreeLibrary takes one pointer and returns one integer, as a work item does, and lies in a library that is
    // never unloaded. The reference is ours to give back. If the pool has no memory for it the library stays loaded.
    unsafe { QueueUserWorkItem(FreeLibrary, this_module(), WT_EXECUTEDEFAULT) };
}

/// The registers of a thread, as far as they matter here: the system's CONTEXT for x64, on which MetaTrader 5 runs.
#[repr(C, align(16))]
struct Context {
    homes: [u64; 6],
    flags: u32,
    before_instruction: [u8; 0xF8 - 0x34],
    instruction: u64,
    rest: [u8; 1232 - 0x100],
}

const _: () = assert!(cfg!(target_arch = "x86_64") && size_of::<Context>() == 1232);

/// CONTEXT_AMD64 | CONTEXT_CONTROL.
const CONTEXT_CONTROL: u32 = 0x10_0001;

/// A background thread as the unload sees it.
struct Thread {
    handle: Handle,
    leaving: Box<Leaving>,
}

/// What a thread says of its last steps.
struct Leaving {
    /// Set when everything is dropped.
    event: Handle,
    /// Set by the last instruction before `ExitThread`.
    last_step: AtomicBool,
}

// SAFETY: handles can be used by any thread.
unsafe impl Send for Thread {}
// SAFETY: as above; nothing of it is changed after the start.
unsafe impl Sync for Thread {}

impl Left for Thread {
    fn wait(&self, timeout: Duration) -> bool {
        let deadline = clock::now() + timeout;
        // SAFETY: the event is open as long as `self` lives.
        let dropped_all =
            unsafe { WaitForSingleObject(self.leaving.event, timeout.as_millis() as u32) } == WAIT_OBJECT_0;
        while dropped_all && clock::now() < deadline {
            if self.leaving.last_step.load(Ordering::Acquire) && self.is_outside() {
                return true;
            }
            // SAFETY: it only yields.
            unsafe { SwitchToThread() };
        }
        // Its code will be gone in a moment, and it is stuck somewhere. The crash that would follow is worse than this.
        // SAFETY: the handle is open as long as `self` lives.
        unsafe { TerminateThread(self.handle, 1) };
        false
    }
}

impl Thread {
    /// Whether the instruction that the thread executes lies outside of this module.
    fn is_outside(&self) -> bool {
        let mut context =
            Context { homes: [0; 6], flags: CONTEXT_CONTROL, before_instruction: [0; _], instruction: 0, rest: [0; _] };
        // SAFETY: the handle is open, and the context has the system's size and alignment. Between suspending and resuming
        // nothing is done that could need a lock which the thread holds.
        let known = unsafe {
            SuspendThread(self.handle);
            let known = GetThreadContext(self.handle, &raw mut context);
            ResumeThread(self.handle);
            known
        };
        known != 0
            && module_of(context.instruction as *const c_void, GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT)
                != this_module()
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // SAFETY: the handles are ours, and not used any more.
        unsafe {
            CloseHandle(self.handle);
            CloseHandle(self.leaving.event);
        }
    }
}

struct Task {
    body: Body,
    /// Lies in a [`Thread`], which an unload keeps until the thread has left.
    leaving: *const Leaving,
}

fn spawn(body: Body) -> io::Result<Box<dyn Left>> {
    // SAFETY: an event without a name and with default security.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    if event.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut thread =
        Thread { handle: null_mut(), leaving: Box::new(Leaving { event, last_step: AtomicBool::new(false) }) };
    let task = Box::into_raw(Box::new(Task { body, leaving: &raw const *thread.leaving }));
    // SAFETY: `run` gets the task and takes it over.
    thread.handle = unsafe { CreateThread(null(), 0, run, task.cast(), 0, null_mut()) };
    if thread.handle.is_null() {
        let error = io::Error::last_os_error();
        // SAFETY: nobody else has got it.
        drop(unsafe { Box::from_raw(task) });
        return Err(error);
    }
    Ok(Box::new(thread))
}

/// The outermost function of a background thread. A body catches its panics, so none gets into the system's code.
unsafe extern "system" fn run(context: *mut c_void) -> u32 {
    // SAFETY: `spawn` made it for this thread.
    let task = unsafe { Box::from_raw(context.cast::<Task>()) };
    let Task { body, leaving } = *task;
    match body() {
        // SAFETY: the reference was taken for this thread by whoever told it to end.
        Leave::GivingBack => unsafe { FreeLibraryAndExitThread(this_module(), 0) },
        // SAFETY: the unload keeps `leaving` until it has seen this thread leave. Nothing may stand between the last two
        // steps that runs outside of this module.
        Leave::Unloading => unsafe {
            SetEvent((*leaving).event);
            (*leaving).last_step.store(true, Ordering::Release);
            ExitThread(0)
        },
    }
}

/// Called by the loader. Only the unload by a host that goes on is of interest: at the end of the process (`reserved` is
/// not NULL then) the threads are gone already.
///
/// # Safety
///
/// For the loader only.
#[unsafe(no_mangle)]
unsafe extern "system" fn DllMain(_module: Handle, event: u32, reserved: *mut c_void) -> Bool {
    if event == DLL_PROCESS_DETACH && reserved.is_null() {
        // A panic must not get into the loader; and if there is one, there is nothing left to do about it.
        let _ = std::panic::catch_unwind(|| {
            thread::stop_all_for_unload(LONGEST_WAIT);
            drop(handles::clear());
        });
    }
    1
}
