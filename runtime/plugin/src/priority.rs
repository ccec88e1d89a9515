//! How the operating system shares the processors between guests that run long and everybody else: the node
//! itself, and calls that begin on its threads.

use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

/// Niceness 5, on the scale of [`ThreadPriorityValue`].
const NICE: u8 = 35;

/// Lets this thread give way to those that wait for a short call: it weighs a third of them, and when it
/// wakes it takes no processor from one that runs (`SCHED_BATCH`, sched(7)). Without that an ordinary call beside
/// guests that spin waits for a slice of theirs, some milliseconds, once in a hundred times.
///
/// A refusal is no reason not to work.
pub(crate) fn give_way() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const POLICY: NormalThreadSchedulePolicy = NormalThreadSchedulePolicy::Batch;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const POLICY: NormalThreadSchedulePolicy = NormalThreadSchedulePolicy::Other;
    let Ok(priority) = ThreadPriorityValue::try_from(NICE) else {
        return;
    };
    let _ = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Crossplatform(priority),
        ThreadSchedulePolicy::Normal(POLICY),
    );
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_gives_way_is_nice_and_wakes_without_taking() {
        let told = std::thread::spawn(|| {
            give_way();
            std::fs::read_to_string("/proc/thread-self/stat").unwrap()
        });
        let told = told.join().unwrap();
        let after_name: Vec<&str> = told.rsplit_once(") ").unwrap().1.split(' ').collect();
        // Fields of proc_pid_stat(5), counted from 1; the third is the first after the name.
        let field = |number: usize| after_name[number - 3];
        assert_eq!((field(19), field(41)), ("5", "3"), "niceness and policy");
    }
}
