//! Components that nobody's tools made: cut off, changed at random, or written by hand to break
//! the rules while they run. The host survives each, and says the right thing.

use std::sync::Arc;

use trunkline_model::{Duration, FaultKind, Type, Value};
use trunkline_plugin::{Grants, Host, LoadError, Plugin};

use crate::guests::{ADVERSARY, answer, call, call_within, deployment, fault, host, int};

async fn load(host: &Arc<Host>, bytes: impl Into<Arc<[u8]>>) -> Result<Plugin, LoadError> {
    host.load(bytes.into(), deployment("made", Grants::default()))
        .await
}

async fn made(host: &Arc<Host>, text: &str) -> Plugin {
    let bytes = wat::parse_str(text).expect("well-formed text");
    load(host, bytes).await.expect("it loads")
}

/// A number as WebAssembly writes it.
pub(crate) fn leb(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A small component with something of everything that the host reads: records, variants, text,
/// a list, memory, a table, a start function, data.
const SEED: &str = r#"
(component
  (core module $m
    (memory (export "memory") 1 20)
    (table 4 8 funcref)
    (global $next (mut i32) (i32.const 4096))
    (data (i32.const 64) "hello, world")
    (func $start (i32.store (i32.const 8) (i32.const 64)) (i32.store (i32.const 12) (i32.const 12)))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.set $next (i32.and (i32.add (global.get $next) (i32.add (local.get 3) (i32.const 7))) (i32.const 0xfff8)))
      (global.get $next))
    (func (export "text") (result i32) (i32.const 8))
    (func (export "sum") (param i32 i32) (result i64) (local $sum i64)
      (loop $more
        (if (local.get 1) (then
          (local.set $sum (i64.add (local.get $sum) (i64.load8_u (local.get 0))))
          (local.set 0 (i32.add (local.get 0) (i32.const 1)))
          (local.set 1 (i32.sub (local.get 1) (i32.const 1)))
          (br $more))))
      (local.get $sum))
    (func (export "pick") (param i32 i32) (result i32)
      (i32.store8 (i32.const 32) (i32.and (local.get 0) (i32.const 1)))
      (i32.store (i32.const 36) (local.get 1))
      (i32.const 32)))
  (core instance $i (instantiate $m))
  (func (export "text") (result string) (canon lift (core func $i "text") (memory $i "memory")))
  (func (export "sum") (param "bytes" (list u8)) (result u64)
    (canon lift (core func $i "sum") (memory $i "memory") (realloc (func $i "realloc"))))
  (type $answer (result u32 (error u32)))
  (func (export "pick") (param "case" u32) (param "value" u32) (result $answer)
    (canon lift (core func $i "pick") (memory $i "memory"))))
"#;

/// Numbers that look random and come again with the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.roll() % most.max(1) as u64) as usize
    }
}

/// Calls every function of a plugin with whatever fits; anything may come of it but a panic or
/// a host that no longer answers.
async fn try_all(plugin: &Plugin) {
    for function in plugin.interface().functions.clone() {
        let arguments = function.parameters.iter().map(|parameter| match &parameter.ty {
            Type::Int(_) => int(1),
            Type::Bool => Value::Bool(true),
            Type::List(_) => Value::list([int(1), int(2)]),
            Type::Decimal => Value::Int(1),
            _ => Value::text("x"),
        });
        let arguments: Vec<_> = arguments.collect();
        let call = trunkline_plugin::Call {
            function: function.function.clone(),
            arguments,
            id: "c-1".into(),
            attempt: 1,
            locale: "en".to_owned(),
            time: Duration::from_millis(100),
        };
        plugin.call(call).await;
    }
}

#[tokio::test]
async fn a_component_cut_off_anywhere_is_refused() {
    let host = host();
    let seed = wat::parse_str(SEED).expect("well-formed text");
    for length in 0..seed.len() {
        // A component cut between two sections is a shorter one, without the exports that came last.
        if let Err(error) = load(&host, &seed[..length]).await {
            assert_ne!(error.code(), "component-compile-failed", "{length}: {error}");
        }
    }
    let whole = load(&host, seed).await.expect("the whole of it loads");
    assert_eq!(
        answer(call(&whole, "text", []).await),
        Value::text("hello, world")
    );
    // A large one from a real tool chain, at some hundred places.
    let mut dice = Dice(7);
    for _ in 0..200 {
        let length = dice.below(ADVERSARY.len());
        let error = load(&host, &ADVERSARY[..length]).await.err();
        assert!(error.is_some(), "cut at {length} it loads");
    }
}

#[tokio::test]
async fn a_component_changed_at_random_hurts_nobody() {
    const MUTANTS: u64 = 600;
    let host = host();
    let seed = wat::parse_str(SEED).expect("well-formed text");
    let mut loaded = 0;
    for number in 0..MUTANTS {
        let mut dice = Dice(number);
        let mut bytes = seed.clone();
        for _ in 0..=dice.below(2) {
            let at = dice.below(bytes.len());
            match dice.below(8) {
                0..5 => bytes[at] ^= 1 << dice.below(8),
                5 => bytes[at] = dice.roll() as u8,
                6 => {
                    bytes.remove(at);
                }
                _ => bytes.insert(at, dice.roll() as u8),
            }
        }
        // The number of the mutant is all that is needed to make it again.
        match load(&host, bytes).await {
            Ok(plugin) => {
                loaded += 1;
                try_all(&plugin).await;
            }
            Err(error) => assert_ne!(
                error.code(),
                "component-compile-failed",
                "mutant {number}: {error}"
            ),
        }
    }
    assert!(loaded > 20, "only {loaded} of {MUTANTS} mutants could be called");
    let whole = load(&host, seed).await.expect("the seed itself loads");
    let numbers = Value::list([int(20), int(22)]);
    assert_eq!(answer(call(&whole, "sum", [numbers]).await), int(42));
}

#[tokio::test]
async fn sections_that_lie_about_their_size_are_refused() {
    let host = host();
    for (section, size) in [
        (1_u8, leb(u64::from(u32::MAX))),
        (4, leb(1 << 40)),
        (0, vec![0xff; 10]),
        (7, vec![0x80; 64]),
        (10, leb(0x7fff_ffff)),
        (99, leb(0)),
    ] {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.push(section);
        bytes.extend(size);
        let error = load(&host, bytes).await.expect_err("it lies");
        assert_eq!(error.code(), "component-invalid", "section {section}: {error}");
    }
    // A million types in a section of six bytes.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.extend([7, 5]);
    bytes.extend(leb(1_000_000_000));
    let error = load(&host, bytes).await.expect_err("it lies");
    assert_eq!(error.code(), "component-invalid", "{error}");
}

/// Calls what breaks a rule only when it runs, given as the module's body and what is lifted of it,
/// and checks its fault.
async fn faults(host: &Arc<Host>, what: &str, module: &str, lifted: &str, expected: FaultKind) {
    let plugin = made(
        host,
        &format!("(component (core module $m {module}) (core instance $i (instantiate $m)) {lifted})"),
    )
    .await;
    let argument = plugin.interface().functions[0].parameters.first();
    let arguments: Vec<_> = argument.map(|_| Value::text("some text")).into_iter().collect();
    // Whatever ends by itself has the time to, however slow the machine is.
    let time = if expected == FaultKind::TimedOut {
        Duration::from_millis(300)
    } else {
        Duration::from_secs(10)
    };
    let (kind, message) = fault(call_within(&plugin, "f", arguments, time).await);
    assert_eq!(kind, expected, "{what}: {message}");
}

const PLAIN: &str = r#"(func (export "f") (canon lift (core func $i "f")))"#;
const TEXT: &str = r#"(func (export "f") (result string) (canon lift (core func $i "f") (memory $i "m")))"#;
const TAKES_TEXT: &str = r#"(func (export "f") (param "text" string)
    (canon lift (core func $i "f") (memory $i "m") (realloc (func $i "realloc"))))"#;

#[tokio::test]
async fn what_breaks_the_rules_while_it_runs_is_the_right_fault() {
    let host = host();
    let text_at = |address: &str, length: &str, data: &str| {
        format!(
            "(memory (export \"m\") 1) (data (i32.const 100) \"{data}\")
             (func (export \"f\") (result i32) (i32.store (i32.const 8) (i32.const {address}))
               (i32.store (i32.const 12) (i32.const {length})) (i32.const 8))"
        )
    };
    let takes = |realloc: &str| {
        format!(
            "(memory (export \"m\") 1) (func (export \"f\") (param i32 i32))
             (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) {realloc})"
        )
    };
    for (what, module, lifted, expected) in [
        (
            "a start function that never ends",
            "(func $s (loop (br 0))) (start $s) (func (export \"f\"))".to_owned(),
            PLAIN,
            FaultKind::TimedOut,
        ),
        (
            "a start function that traps",
            "(func $s unreachable) (start $s) (func (export \"f\"))".to_owned(),
            PLAIN,
            FaultKind::Trap,
        ),
        (
            "data outside of memory",
            "(memory 1) (data (i32.const 65530) \"0123456789\") (func (export \"f\"))".to_owned(),
            PLAIN,
            FaultKind::Trap,
        ),
        (
            "elements outside of the table",
            "(table 1 funcref) (elem (i32.const 1) func $f) (func $f (export \"f\"))".to_owned(),
            PLAIN,
            FaultKind::Trap,
        ),
        ("text outside of memory", text_at("65530", "100", ""), TEXT, FaultKind::Trap),
        ("text without end", text_at("100", "-1", ""), TEXT, FaultKind::Trap),
        ("text that is no text", text_at("100", "4", "ab\\ff\\fe"), TEXT, FaultKind::Trap),
        ("text that is cut", text_at("100", "2", "\\e5\\a5"), TEXT, FaultKind::Trap),
        ("a surrogate", text_at("100", "3", "\\ed\\a0\\80"), TEXT, FaultKind::Trap),
        (
            "an answer that is not aligned",
            "(memory (export \"m\") 1) (func (export \"f\") (result i32) (i32.const 9))".to_owned(),
            TEXT,
            FaultKind::Trap,
        ),
        ("room outside of memory", takes("(i32.const 65535)"), TAKES_TEXT, FaultKind::Trap),
        ("room at the very end", takes("(i32.const -1)"), TAKES_TEXT, FaultKind::Trap),
        ("no room", takes("unreachable"), TAKES_TEXT, FaultKind::Trap),
        ("room that never comes", takes("(loop (br 0)) unreachable"), TAKES_TEXT, FaultKind::TimedOut),
        (
            "a table without end",
            "(table 1 funcref) (func (export \"f\")
               (loop $more (br_if $more (i32.ge_s (table.grow (ref.null func) (i32.const 1000)) (i32.const 0))))
               (loop $more (br $more)))"
                .to_owned(),
            PLAIN,
            FaultKind::TimedOut,
        ),
        (
            "a division by nothing",
            "(func (export \"f\") (drop (i32.div_s (i32.const 1) (i32.const 0))))".to_owned(),
            PLAIN,
            FaultKind::Trap,
        ),
        (
            "a call of nothing",
            "(table 1 funcref) (type $t (func)) (func (export \"f\") (call_indirect (type $t) (i32.const 0)))"
                .to_owned(),
            PLAIN,
            FaultKind::Trap,
        ),
    ] {
        faults(&host, what, &module, lifted, expected).await;
    }
    let plugin = made(&host, SEED).await;
    assert_eq!(
        answer(call(&plugin, "text", []).await),
        Value::text("hello, world")
    );
}

#[tokio::test]
async fn what_is_cleaned_up_badly_after_an_answer_is_a_fault() {
    let host = host();
    let lifted = r#"(func (export "f") (result string)
        (canon lift (core func $i "f") (memory $i "m") (post-return (func $i "after"))))"#;
    let module = |after: &str| {
        format!(
            "(memory (export \"m\") 1) (func (export \"f\") (result i32) (i32.const 8))
             (func (export \"after\") (param i32) {after})"
        )
    };
    for (what, after, expected) in [
        ("a clean-up that traps", "unreachable", FaultKind::Trap),
        ("a clean-up that never ends", "(loop (br 0))", FaultKind::TimedOut),
    ] {
        faults(&host, what, &module(after), lifted, expected).await;
    }
}

#[tokio::test]
async fn a_table_grows_as_far_as_its_sandbox_lets_it() {
    let host = host();
    let plugin = made(
        &host,
        r#"(component (core module $m (table 1 funcref)
             (func (export "f") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))
           (core instance $i (instantiate $m))
           (func (export "f") (param "more" u32) (result s32) (canon lift (core func $i "f"))))"#,
    )
    .await;
    assert_eq!(answer(call(&plugin, "f", [int(1_000)]).await), int(1));
    for more in [20_000, 1 << 24, (1 << 32) - 1] {
        assert_eq!(answer(call(&plugin, "f", [int(more)]).await), int(-1), "{more}");
    }
}

#[tokio::test]
async fn names_that_mean_something_elsewhere_are_just_names() {
    let host = host();
    let plugin = made(
        &host,
        r#"(component (core module $m (func (export "f") (result i32) (i32.const 3)))
           (core instance $i (instantiate $m))
           (func (export "constructor") (result u32) (canon lift (core func $i "f")))
           (func (export "memory") (result u32) (canon lift (core func $i "f")))
           (func (export "cabi-realloc") (result u32) (canon lift (core func $i "f")))
           (func (export "initialize") (result u32) (canon lift (core func $i "f"))))"#,
    )
    .await;
    for name in ["constructor", "memory", "cabi-realloc", "initialize"] {
        assert_eq!(answer(call(&plugin, name, []).await), int(3), "{name}");
    }
}
